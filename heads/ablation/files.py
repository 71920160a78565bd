"""What an ablation leaves in its run folder, beside its journal.

features.csv         a line for each feature and head: gains with intervals, costs
arms.csv             a line for each arm: score, difference to all features, every metric
metrics.json         all of it
plots/ablation.png   the gains
report.html          all of it for readers; needs no other file
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.files import write_json, write_text
from scoring.ablation import Ablation, ArmLine, PlayerLine
from scoring.ablation_page import render
from scoring.ablation_plot import gains
from scoring.bootstrap import Score
from scoring.canvas import save

PLOT = Path("plots") / "ablation.png"


def write_ablation(folder: Path, found: Ablation, repeat: Sequence[str] = ()) -> None:
    """Write all files; `repeat` are commands for the page.

    Raises:
        StorageError: if one cannot be written.
    """
    write_text(folder / "features.csv", _csv(map(_player, found.players)))
    write_text(folder / "arms.csv", _csv(map(_arm, found.arms)))
    write_json(folder / "metrics.json", found.to_json())
    (folder / PLOT).parent.mkdir(exist_ok=True)
    save(gains(found), folder / PLOT)
    write_text(folder / "report.html", render(found, repeat))


def _player(line: PlayerLine) -> dict[str, Any]:
    return {
        "head": line.head,
        "feature": line.name,
        "features": " ".join(line.features),
        **_cells("shapley", line.shapley),
        "shapley_error": line.error,
        **_cells("alone", line.alone),
        **_cells("last", line.last),
        "seconds_per_1000": line.cost_s,
        "coverage": line.coverage,
    }


def _arm(line: ArmLine) -> dict[str, Any]:
    return {
        "head": line.head,
        "players": len(line.players),
        "arm": " + ".join(line.players),
        "features": " ".join(line.features),
        **_cells("score", line.score),
        **_cells("minus_all", line.behind),
        "seed_spread": line.spread,
        "seconds_per_1000": line.cost_s,
        "fit_seconds": round(line.fit_s, 3),
        **line.others,
    }


def _cells(name: str, score: Score | None) -> dict[str, float | None]:
    value, low, high = (None,) * 3 if score is None else (score.value, score.low, score.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _csv(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return lines under the names of their cells; what is undefined or unknown is empty."""
    every = [{name: _cell(value) for name, value in line.items()} for line in lines]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(every[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(every)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    unknown = value is None or (isinstance(value, float) and not math.isfinite(value))
    return "" if unknown else value
