"""The data sets whose tables are known by name, for `--source`."""

from core.registry import Registry
from corpus.sources.source import Source

SOURCES: Registry[Source] = Registry(
    "source",
    {
        "generic": "corpus.sources.generic:SOURCE",
        "snapugc": "corpus.sources.snapugc:SOURCE",
    },
    "Any other table: --source generic --columns ...",
)
