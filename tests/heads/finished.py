"""Run folders of finished fits, as the command leaves them."""

from core.files import write_json
from heads.runs.files import write_run

FIT = {
    "id": "20260102-fit-head-abcd",
    "command": "fit-head",
    "argv": ["cli.py", "fit-head", "my videos.csv", "--head", "linear"],
    "state": "done",
    "started": "2026-01-02T03:04:05+00:00",
    "finished": "2026-01-02T03:04:12+00:00",
    "config": {"manifest": "my videos.csv", "head": "linear"},
    "data": {"manifest": "f" * 32, "rows": 240, "bad_rows": 2},
    "environment": {"python": "3.11"},
}


def finished(folder, result, **record):
    """Write a run folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_run(folder, result)
    write_json(folder / "run.json", FIT | record)
    return folder
