"""`report`: write the page of a run again, or a page that compares several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import loading, reporting
from commands import options as o
from core.errors import ProjectError, RunError, UsageError
from core.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corpus.manifest import Manifest
    from corpus.sample import Sample
    from heads.runs.reading import FitRun

EXAMPLES = o.examples(
    "report var/first",
    "report var/first --open-samples 12 --manifest demo/videos.csv",
)


def run(
    runs: Annotated[
        list[Path],
        typer.Argument(help="folder of a fit-head run; of several, to compare them", metavar="RUN"),
    ],
    open_samples: reporting.OpenSamplesOption = reporting.DEFAULT_OPEN,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", help="the table, where it lies now  [default: the run's]", metavar="TABLE"
        ),
    ] = None,
    root: o.RootOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="of several runs: page to write", metavar="FILE"),
    ] = None,
    as_json: o.JsonOption = False,
) -> int:
    """Write the page of a run, or a page that compares several.

    The page needs no other file. Texts and frames are read where the table and its files still are;
    if the table is gone, the page stays as it was, unless --open-samples 0 asks for one without.
    """
    if len(runs) > 1 and (manifest or root):
        raise UsageError("--manifest and --root go with one run; a comparison reads no table")
    if len(runs) > 1:
        place = _compare(runs, out)
    elif out is not None:
        raise UsageError("--out goes with several runs; the page of one is in its folder")
    else:
        place = _describe(runs[0], open_samples, manifest, root)
    if as_json:
        o.print_json({"report": str(place)})
    else:
        print(f"report {place}")
    return 0


def _describe(run: Path, open_samples: int, manifest: Path | None, root: Path | None) -> Path:
    """Write the page of one run into its folder."""
    from heads.runs.reading import read_fit

    fit = read_fit(run)
    samples, notes = _table(fit, manifest, root, needed=open_samples > 0)
    return reporting.write_page(run, samples, open_samples=open_samples, notes=notes)


def _compare(runs: Sequence[Path], out: Path | None) -> Path:
    """Write the page of several runs.

    Raises:
        RunError: if none of them is a finished fit.
    """
    from heads.runs.board import boards
    from heads.runs.finding import find_runs

    if out is None:
        raise UsageError("name the page that compares the runs: --out comparison.html")
    found = find_runs(runs)
    reporting.tell_others(found)
    reporting.refuse_tables(out, found.fits)
    reporting.write_comparison(found, boards(found.fits, detailed=True), out)
    return out


def _table(
    fit: FitRun, manifest: Path | None, root: Path | None, *, needed: bool
) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Read the run's table; where it is gone or has changed, a note for the page says so.

    Raises:
        RunError: if it is gone and the page needs it.
    """
    try:
        path, table = _found(fit, manifest, root)
    except ProjectError as error:
        if manifest is not None:
            raise
        if needed:
            raise RunError(
                f"the page of {fit.folder} stays as it was, for its table cannot be read: say "
                "where that lies now with --manifest, or take a page without texts and frames with "
                f"--open-samples 0; {error}"
            ) from error
        logger.warning("no texts and no frames: %s", error)
        return (), ("The table could not be read: there are no texts and no frames.",)
    if table.digest == fit.record["data"]["manifest"]:
        return table.samples, ()
    scored = set(fit.scored.ids.tolist())
    if not scored & {sample.id for sample in table.samples}:
        raise UsageError(f"{path} has none of the rows that {fit.folder} scored")
    return table.samples, ("The table has changed since: texts and frames are of today.",)


def _found(fit: FitRun, manifest: Path | None, root: Path | None) -> tuple[Path, Manifest]:
    """Read the run's table; where several may be it, the one that says what it said then.

    Raises:
        ProjectError: if none can be read.
    """
    places = reporting.places_of(fit)
    if manifest is not None:
        places = [(manifest, places[0][1])]
    others: list[tuple[Path, Manifest]] = []
    problems: list[ProjectError] = []
    for path, its_root in places:
        try:
            table = _read(fit, path, root or its_root)
        except ProjectError as error:
            problems.append(error)
            continue
        if table.digest == fit.record["data"]["manifest"]:
            return path, table
        others.append((path, table))
    if not others:
        raise problems[0]
    return others[0]


def _read(fit: FitRun, path: Path, root: Path | None) -> Manifest:
    """Read a table as the run's was read."""
    from corpus.columns import Columns

    data = fit.record["data"]
    columns = Columns.from_mapping(data["columns"])
    reading = loading.TableOptions(path, data["source"], columns, root, skip_bad_rows=True)
    return loading.load_manifest(reading, [fit.target])
