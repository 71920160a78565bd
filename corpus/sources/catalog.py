"""The data sets whose tables are known by name, for `--source`."""

from core.registry import Registry
from corpus.sources.source import Source

SUMMARIES = {
    "generic": "any table, see --columns",
    "snapugc": "Id, Title, ECR; a table, or a folder of them",
    "smtpd": "by header, or 45 columns in order; covers",
    "ucf101": "a folder of class folders, or a table",
}
SOURCES: Registry[Source] = Registry(
    "source",
    {name: f"corpus.sources.{name}:SOURCE" for name in SUMMARIES},
    "Any other table: --source generic --columns ...",
)
