"""One page about several runs: who is best on the same rows, how surely, and what differs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from scoring import page
from scoring.board import Board, Details, Entry, Unranked
from scoring.bootstrap import METRICS, Score
from scoring.compare import Comparison
from scoring.page import Html, cell, foreign, head, text
from scoring.report_data import METRIC_WORDS
from scoring.report_scores import score_cell, with_arrow

MOST_FEATURES = 6  # that are named in the table of a board
_VERDICTS = {
    "best": "best",
    "level": "not surely worse",
    "worse": "surely worse",
    "better": "surely better",
    "undefined": "undefined",
}


def render(
    boards: Sequence[Board], unranked: Sequence[Unranked], repeat: Sequence[str] = ()
) -> str:
    """Return the page, which needs no other file."""
    title = "Runs beside one another"
    explained = (
        "Runs are ranked only beside runs of the same target that were scored on the same rows. "
        "Brackets are 95 % bootstrap intervals. A difference is paired: both runs are scored under "
        "the same draws, so it can be sure where the runs' own intervals overlap."
    )
    parts = [
        Html(f"<h1>{text(title)}</h1>"),
        page.paragraph(explained, "soft"),
        *(part for board in boards for part in _board(board)),
        _unranked(unranked),
        page.section("How to repeat it", page.code(repeat)) if repeat else Html(""),
    ]
    return page.page(title, page.join(part for part in parts if part))


def _board(board: Board) -> list[Html]:
    others = [
        f"Runs of the same target on other rows ({digest}, {shared} of them among these) are "
        "on a board of their own: their scores do not compare with these."
        for digest, shared in board.others.items()
    ]
    words = f"{board.rows} rows ({board.digest}), by {board.metric}"
    if board.metric in METRIC_WORDS:
        words += f": {METRIC_WORDS[board.metric]}"
    drawn = Html("")
    if board.details:
        caption = f"{board.metric} of each run, and of the best run's baselines"
        drawn = page.picture(board.details.forest, caption)
    main = page.section(
        f"{board.target}, {board.task}",
        page.paragraph(words, "soft"),
        *(page.paragraph(note, "note") for note in others),
        drawn,
        _standings(board),
    )
    return [main, *(_detail_sections(board, board.details) if board.details else ())]


def _standings(board: Board) -> Html:
    """Return the runs, the best first, and below them the best run's baselines."""
    columns = [("run", ""), (with_arrow(board.metric), "number"), ("beside the best", "number")]
    columns.append(("took", "number"))
    rows = [
        [
            head(_named(rank, entry), "long"),
            score_cell(entry.scores[board.metric], "best" if rank == 1 else ""),
            _gap_cell(entry),
            cell(_when(entry), "number"),
        ]
        for rank, entry in enumerate(board.entries, 1)
    ]
    rows += [
        [head(text(f"baseline {name}"), "long soft"), score_cell(scores.get(board.metric))]
        + [cell(Html(""))] * 2
        for name, scores in board.entries[0].baselines.items()
    ]
    return page.table(columns, rows)


def _named(rank: int, entry: Entry) -> Html:
    words = f"{entry.head} on {short_list(entry.features)}"
    return Html(f"{rank}. {foreign(entry.name)}<small>{text(words)}</small>")


def _when(entry: Entry) -> Html:
    return Html(f"{text(seconds_text(entry.seconds))}<small>{text(entry.started[:10])}</small>")


def _gap_cell(entry: Entry) -> Html:
    if entry.gap is None:
        return cell(text("best"), "number")
    return _difference_cell(entry.gap, _VERDICTS[entry.standing])


def _difference_cell(found: Comparison | None, words: str = "") -> Html:
    if found is None:
        return cell(Html(""), "number")
    value, around = difference_text(found.difference)
    said = f"<small>{text(words)}</small>" if words else ""
    kind = "number" if found.better == "neither" else "number best"
    return cell(Html(f"{text(value)}<small>{text(around)}</small>{said}"), kind)


def _detail_sections(board: Board, details: Details) -> list[Html]:
    names = [entry.name for entry in board.entries]
    made = [
        _all_metrics(board, details),
        _pairs(board, details, names),
        _settings(details.settings, names),
        _coverage(details, names),
        _disputed(details, names),
    ]
    return [section for section in made if section]


def _all_metrics(board: Board, details: Details) -> Html:
    if not details.by_metric:
        return Html("")
    best, *rest = board.entries
    columns = [("metric", ""), *((entry.name, "number run") for entry in board.entries)]
    rows = [
        [head(text(with_arrow(metric))), score_cell(score)]
        + [_difference_cell(details.by_metric.get((entry.name, metric))) for entry in rest]
        for metric, score in best.scores.items()
        if metric in METRICS
    ]
    explained = page.paragraph(
        f"The scores of {best.name}, and how far the others are from them, paired; blue where the "
        "interval leaves zero out.",
        "soft",
    )
    return page.section(f"{board.target}: every metric", explained, page.table(columns, rows))


def _pairs(board: Board, details: Details, names: Sequence[str]) -> Html:
    if len(details.pairs) < 2:
        return Html("")
    columns = [("", ""), *((name, "number run") for name in names[:-1])]
    rows = [
        [head(foreign(row), "long")]
        + [_difference_cell(details.pairs.get((row, column))) for column in names[:-1]]
        for row in names[1:]
    ]
    explained = page.paragraph(
        f"{with_arrow(board.metric)} of the run of the line minus that of the column, paired.",
        "soft",
    )
    return page.section(f"{board.target}: run against run", explained, page.table(columns, rows))


def _settings(settings: Mapping[str, Sequence[str]], names: Sequence[str]) -> Html:
    if not settings:
        return Html("")
    columns = [("setting", ""), *((name, "run") for name in names)]
    rows = [
        [head(text(name)), *(cell(foreign(value), "long run") for value in values)]
        for name, values in settings.items()
    ]
    return page.section("What the runs differ in", page.table(columns, rows))


def _coverage(details: Details, names: Sequence[str]) -> Html:
    """Return which run reads which feature, and how many rows have it; equal lines together."""
    if not details.coverage:
        return Html("")
    lines: dict[tuple[str, ...], list[str]] = {}
    for feature, by_run in details.coverage.items():
        counts = tuple(
            f"{by_run[name].ok} of {sum(by_run[name].counts.values())}" if name in by_run else ""
            for name in names
        )
        lines.setdefault(counts, []).append(feature)
    columns = [("features", ""), *((name, "number run") for name in names)]
    rows = [
        [head(page.names(features), "long names")]
        + [cell(text(count) if count else Html("&ndash;"), "number") for count in counts]
        for counts, features in lines.items()
    ]
    explained = page.paragraph("Rows with a value, in each run that reads the features.", "soft")
    return page.section("Coverage", explained, page.table(columns, rows))


def _disputed(details: Details, names: Sequence[str]) -> Html:
    if not details.disputed:
        return Html("")
    columns = [("row", ""), ("true", "number"), *((name, "number run") for name in names)]
    rows = [
        [head(foreign(row), "long"), cell(foreign(true), "number")]
        + [cell(foreign(value), "number") for value in values]
        for row, true, values in details.disputed
    ]
    return page.section("Where they differ most", page.table(columns, rows))


def _unranked(unranked: Iterable[Unranked]) -> Html:
    rows = [
        [
            head(foreign(run.folder), "long"),
            cell(text(run.state)),
            cell(text(run.started[:10])),
            cell(foreign(run.why), "long"),
        ]
        for run in unranked
    ]
    if not rows:
        return Html("")
    columns = [("run", ""), ("state", ""), ("day", ""), ("why", "")]
    return page.section("Runs without a result", page.table(columns, rows))


def difference_text(score: Score) -> tuple[str, str]:
    """Return a difference with its sign, and its interval, all with the same number of places."""
    ends = [score.value, score.low, score.high]
    finite = [abs(end) for end in ends if math.isfinite(end)]
    largest = max(finite, default=0.0)
    small = 0 < largest < 0.01
    places = 5 if small else 3 if largest < 10 else 1
    value, low, high = (
        f"{end:+.{places}f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(end) else "undefined"
        for end in ends
    )
    return value, f"[{low}, {high}]" if math.isfinite(score.low) else "no interval"


def seconds_text(seconds: float | None) -> str:
    """Return how long something took, in seconds or minutes."""
    if seconds is None:
        return ""
    if seconds < 1:
        return "< 1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def short_list(names: Sequence[str], most: int = MOST_FEATURES) -> str:
    """Return names in one line, with the number of those that are left out."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
