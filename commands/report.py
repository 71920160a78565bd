"""`report`: write the page of a run again, or a page that compares several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import loading, reporting
from commands import options as o
from core.errors import ProjectError, UsageError
from core.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corpus.sample import Sample
    from heads.run_reading import FitRun

EXAMPLES = o.examples(
    "report var/first",
    "report var/first --open-samples 12 --manifest demo/videos.csv",
)


def run(
    run: o.RunArgument,
    open_samples: reporting.OpenSamplesOption = reporting.DEFAULT_OPEN,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", help="the table, where it lies now  [default: the run's]", metavar="TABLE"
        ),
    ] = None,
    root: o.RootOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Write the report of a finished run: one page that needs no other file.

    The run folder has all but the texts and the frames, which are read where the table and the
    files still are.
    """
    from heads.run_reading import read_fit

    fit = read_fit(run)
    samples, notes = _table(fit, manifest, root)
    place = reporting.write_page(run, samples, open_samples=open_samples, notes=notes)
    if as_json:
        o.print_json({"report": str(place)})
    else:
        print(f"report {place}")
    return 0


def _table(
    fit: FitRun, manifest: Path | None, root: Path | None
) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Read the run's table; where it is gone or has changed, a note for the page says so."""
    try:
        reading, known = _reading(fit, manifest, root)
        table = loading.load_manifest(reading, [fit.target])
    except ProjectError as error:
        if manifest is not None:
            raise
        logger.warning("no texts and no frames: %s", error)
        return (), ("The table could not be read: there are no texts and no frames.",)
    if table.digest == known:
        return table.samples, ()
    scored = set(fit.scored.ids.tolist())
    if not scored & {sample.id for sample in table.samples}:
        raise UsageError(f"{reading.path} has none of the rows that {fit.folder} scored")
    return table.samples, ("The table has changed since: texts and frames are of today.",)


def _reading(
    fit: FitRun, manifest: Path | None, root: Path | None
) -> tuple[loading.TableOptions, str]:
    """Return how the run's table was read, and its digest."""
    from corpus.columns import Columns

    config, data = fit.record["config"], fit.record["data"]
    given = root or (Path(config["root"]) if config.get("root") else None)
    reading = loading.TableOptions(
        manifest or Path(config["manifest"]),
        data["source"],
        Columns.from_mapping(data["columns"]),
        given,
        skip_bad_rows=True,
    )
    return reading, str(data["manifest"])
