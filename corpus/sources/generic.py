"""Any table: its columns are named by `--columns`, or say themselves what they are."""

from corpus.sources.source import Source

SOURCE = Source("generic")
