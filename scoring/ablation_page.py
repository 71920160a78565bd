"""One page about an ablation: what each feature is worth, every arm, and how to repeat it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scoring import page
from scoring.ablation import Ablation, ArmLine, Picked, PlayerLine
from scoring.ablation_plot import cost_text, gains, sorted_by_gain
from scoring.board_page import difference_text, seconds_text
from scoring.bootstrap import Score
from scoring.canvas import png
from scoring.page import Html, cell, foreign, head, text
from scoring.report_data import METRIC_WORDS
from scoring.report_scores import interval, number, score_cell, with_arrow

MOST_ARMS = 64  # of each head that the page shows; the file has all
_GAINS = {
    "alone": "alone",
    "shapley": "averaged over all orders of joining (Shapley)",
    "last": "joining last",
}


def render(found: Ablation, repeat: Sequence[str] = ()) -> str:
    """Return the page, which needs no other file."""
    title = f"What each feature is worth for {found.target}"
    seeds = f", {found.seeds} seeds" if found.seeds > 1 else ""
    words = (
        f"{found.task}, {found.rows} rows, split {found.split} ({found.folds} folds{seeds}), by "
        f"{found.metric}: {METRIC_WORDS.get(found.metric, found.metric)}. Every score is of rows "
        "that neither fitting nor choosing has seen. Brackets are 95 % bootstrap intervals; "
        "differences are paired: all arms are scored under the same draws."
    )
    heads = list(found.everybody)
    parts = [
        Html(f"<h1>{text(title)}</h1>"),
        page.paragraph(words, "soft"),
        *(page.paragraph(note, "note") for note in found.notes),
        _headline(found),
        _players(found, heads),
        _picked(found),
        *(_arms(found, name, several=len(heads) > 1) for name in heads),
        page.section("How to repeat it", page.code(repeat)) if repeat else Html(""),
    ]
    return page.page(title, page.join(part for part in parts if part))


def _headline(found: Ablation) -> Html:
    """Return the score of all features and of none, by head."""
    tiles = []
    for name, score in found.everybody.items():
        nobody = found.nobody[name]
        around = f"{interval(score)}<br>without any: {number(nobody.value)}"
        gap = found.heads.get(name)
        if gap is not None:
            around += f"<br>beside the best head: {' '.join(difference_text(gap))}"
        tiles.append(
            f"<div>{text(name)}, all features, {text(with_arrow(found.metric))}"
            f'<strong>{text(number(score.value))}</strong><span class="soft">{around}</span></div>'
        )
    return Html(f'<div class="headline">{"".join(tiles)}</div>')


def _players(found: Ablation, heads: Sequence[str]) -> Html:
    drawn = [_GAINS[kind] for kind in _GAINS if any(getattr(line, kind) for line in found.players)]
    caption = (
        f"Gain in {found.metric} of a feature {', '.join(drawn)}. On the right what its extraction "
        "took."
    )
    columns = [("feature", ""), *((name, "number") for name in ("Shapley", "alone", "last"))]
    columns.append(("costs", "number"))
    tables = []
    for name in heads:
        lines = sorted_by_gain([line for line in found.players if line.head == name])
        if len(heads) > 1:
            tables.append(Html(f"<h3>{foreign(name)}</h3>"))
        tables.append(page.table(columns, [_player_row(line) for line in lines]))
    return page.section(
        "What each feature gains",
        page.picture(png(gains(found)), caption),
        page.paragraph(_explained(found), "soft"),
        *tables,
    )


def _explained(found: Ablation) -> str:
    """Return what the columns are, in words."""
    words = "Gains are positive where the score gets better. "
    if found.orders is not None:
        words += (
            f"Shapley values are sampled from {found.orders} orders; ± is the standard error of "
            "that, the brackets are of the rows. "
        )
    elif any(line.shapley for line in found.players):
        words += (
            "Shapley values are exact, of all subsets, and sum to the score of all features less "
            "that of none. "
        )
    if found.always:
        words += f"In every arm: {', '.join(found.always)}. "
    return words + (
        "Alone: over none. Last: over all others. Costs: extraction of 1,000 samples, from the "
        "cache's own records, and the share of rows that have the feature. Blue: the interval "
        "leaves zero out; each interval is of one comparison."
    )


def _player_row(line: PlayerLine) -> list[Html]:
    members = [name for name in line.features if name != line.name]
    small = f"<small>{page.names(members)}</small>" if members else ""
    had = f"{line.coverage:.0%} have it"
    error = "" if line.error is None else f"\N{PLUS-MINUS SIGN}{number(line.error)}"
    return [
        head(Html(f"{foreign(line.name)}{small}"), "long names"),
        _gain_cell(line.shapley, error),
        _gain_cell(line.alone),
        _gain_cell(line.last),
        cell(Html(f"{text(cost_text(line.cost_s))}<small>{text(had)}</small>"), "number"),
    ]


def _gain_cell(score: Score | None, more: str = "") -> Html:
    if score is None:
        return cell(Html("&ndash;"), "number")
    value, around = difference_text(score)
    sure = math.isfinite(score.low) and not score.low <= 0 <= score.high
    said = f" {more}" if more else ""
    return cell(
        Html(f"{text(value + said)}<small>{text(around)}</small>"),
        "number best" if sure else "number",
    )


def _picked(found: Ablation) -> Html:
    """Return what choosing an arm by validation rows comes to."""
    explained = (
        "The best of many arms looks better on the test rows than it is. Here each fold takes the "
        "arm that was best on its validation rows, and is scored on its test rows."
    )
    columns = [("head", ""), (with_arrow(found.metric), "number"), ("minus all", "number")]
    columns.append(("arms of the folds", ""))
    rows = [
        [
            head(foreign(each.head)),
            score_cell(each.score),
            _gain_cell(each.behind),
            cell(foreign(picks_text(each)), "long"),
        ]
        for each in found.picked
    ]
    explained_part = page.paragraph(explained, "soft")
    return page.section("Picked on validation rows", explained_part, page.table(columns, rows))


def picks_text(picked: Picked) -> str:
    """Return which arms were picked, with the number of folds of each."""
    names = [arm_text(players) for players in picked.by_fold.values()]
    counts = {name: names.count(name) for name in names}
    folds = {name: f"{count} fold{'s' * (count > 1)}" for name, count in counts.items()}
    return "; ".join(f"{name} ({words})" for name, words in folds.items())


def arm_text(players: Sequence[str]) -> str:
    """Return an arm in words."""
    return " + ".join(players) or "none"


def _arms(found: Ablation, name: str, *, several: bool) -> Html:
    lines = [line for line in found.arms if line.head == name]
    columns = [("arm", ""), (with_arrow(found.metric), "number"), ("minus all", "number")]
    columns += [("costs", "number"), ("fit", "number")]
    shown = lines[:MOST_ARMS]
    words = "From the best to the worst."
    if len(lines) > len(shown):
        words += f" {len(lines) - len(shown)} more are in arms.csv."
    heading = f"Every arm, {name}" if several else "Every arm"
    rows = [_arm_row(place, line) for place, line in enumerate(shown, 1)]
    return page.section(heading, page.paragraph(words, "soft"), page.table(columns, rows))


def _arm_row(place: int, line: ArmLine) -> list[Html]:
    behind = cell(text("all"), "number") if line.behind is None else _gain_cell(line.behind)
    spread = "" if line.spread is None else f"<small>seeds ±{number(line.spread)}</small>"
    return [
        head(Html(f"{place}. {foreign(arm_text(line.players))}{spread}"), "long"),
        score_cell(line.score),
        behind,
        cell(text(cost_text(line.cost_s)), "number"),
        cell(text(seconds_text(line.fit_s)), "number"),
    ]
