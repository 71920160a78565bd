"""What went in and what did not: coverage by cause, importances, rows left out, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.status import ABSENT_CAUSES, FAILED_CAUSES
from scoring import page
from scoring.page import Html, cell, foreign, head, text
from scoring.report_data import Gaps

MOST_BARS = 24
LEAST_SHARE = 0.0005  # less would be 0.0 %
_KEY = {
    "ok": "has a value",
    "absent": "ABSENT: the sample has no such part",
    "failed": "FAILED: it could not be read",
    "never": "never extracted",
}


def coverage_section(coverage: Mapping[str, Gaps]) -> Html:
    """Return which features have how many gaps and why; features with the same share a line."""
    if not coverage:
        return Html("")
    together: dict[str, list[str]] = {}
    for name, gaps in coverage.items():
        together.setdefault(repr(gaps), []).append(name)
    lines = [(names, coverage[names[0]]) for names in together.values()]
    met = [kind for kind in _KEY if any(gaps.counts[kind] for _, gaps in lines)]
    key = " ".join(f'<span><i class="{kind}"></i>{text(_KEY[kind])}</span>' for kind in met)
    columns = [("features", ""), ("rows", "number"), ("gaps", ""), ("", "")]
    rows = [_coverage_row(names, gaps) for names, gaps in lines]
    explained = Html(f'<p class="soft key">{key}</p>')
    return page.section("Coverage", explained, page.table(columns, rows), _causes(coverage))


def _coverage_row(names: Sequence[str], gaps: Gaps) -> list[Html]:
    total = sum(gaps.counts.values())
    shares = [(kind, count / total if total else 0) for kind, count in gaps.counts.items()]
    causes = [f"{count} {cause}" for cause, count in (*gaps.absent.items(), *gaps.failed.items())]
    if gaps.never:
        causes.append(f"{gaps.never} never extracted")
    return [
        head(page.names(names), "long names"),
        cell(text(f"{gaps.ok} of {total}"), "number"),
        cell(text(", ".join(causes) or "none")),
        cell(page.bar(shares)),
    ]


def _causes(coverage: Mapping[str, Gaps]) -> Html:
    """Explain the causes that occur."""
    met = dict.fromkeys(
        cause for gaps in coverage.values() for cause in (*gaps.absent, *gaps.failed)
    )
    known = {**ABSENT_CAUSES, **FAILED_CAUSES}
    words = "; ".join(f"{cause}: {known[cause]}" for cause in met if cause in known)
    return page.paragraph(words, "soft") if words else Html("")


def importances_section(importances: Mapping[str, float]) -> Html:
    """Return how much of the fitted head each feature makes up."""
    ranked = sorted(importances.items(), key=lambda pair: -pair[1])
    if not ranked or ranked[0][1] <= 0:
        return Html("")
    rows = [
        [
            head(foreign(name), "long"),
            cell(text(f"{share:.1%}"), "number"),
            cell(page.bar([("ok", share / ranked[0][1])])),
        ]
        for name, share in ranked[:MOST_BARS]
        if share >= LEAST_SHARE
    ]
    more = len(ranked) - len(rows)
    explained = "Shares of the head that was fitted on all rows; they tell what it uses, not why."
    if more:
        explained += f" {more} smaller ones are not shown."
    columns = [("feature", ""), ("share", "number"), ("", "")]
    return page.section(
        "What it looks at", page.paragraph(explained, "soft"), page.table(columns, rows)
    )


def rows_section(counts: Mapping[str, int]) -> Html:
    """Return what became of the table's rows."""
    if not counts:
        return Html("")
    rows = [[head(text(what)), cell(text(count), "number")] for what, count in counts.items()]
    return page.section("What became of the rows", page.table([("", ""), ("rows", "number")], rows))


def facts_section(facts: Mapping[str, str]) -> Html:
    """Return what was done, fact by fact."""
    rows = [(head(text(name)), cell(foreign(value))) for name, value in facts.items()]
    return page.section("What was done", page.table([], rows, kind="facts"))


def repeat_section(repeat: Mapping[str, Sequence[str]]) -> Html:
    """Return the commands that made the run, and those that make it again."""
    if not repeat:
        return Html("")
    parts = [
        part
        for sentence, lines in repeat.items()
        for part in (page.paragraph(sentence, "soft"), page.code(lines))
    ]
    return page.section("How to repeat it", *parts)
