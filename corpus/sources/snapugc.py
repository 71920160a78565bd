"""SnapUGC, short videos and their ECR in 0..1: Id, Title, Description, ECR; `<Id>.mp4` files.

The public lists of the VQualA 2025 challenge have these headers; copies of them in lower case are
read as well. Other columns, such as a duration, are added with `--columns number=duration`.
"""

from corpus.columns import Columns
from corpus.sources.source import Source

SOURCE = Source(
    "snapugc",
    columns=Columns(id="id", text=("title", "description")),
    files={"video": "{id}.mp4"},
    any_case=True,
)
