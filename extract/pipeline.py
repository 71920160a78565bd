"""Tier 1 at work: workers -> bounded queue -> batched forward -> writers, one row per feature."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cache.marker import Costs
from cache.spec import Row
from cache.store import Store
from cache.values import check_value
from cache.writer import Limits as ShardLimits
from cache.writer import ShardWriter
from core.errors import ProjectError
from core.progress import Meter
from core.status import Gap, Status, failed
from extract.contract import DeviceOf, Extractor, Value
from extract.plan import Plan, reads_media
from extract.pool import Limits, run_tasks
from extract.sample_job import SampleAnswer, SampleJob, SampleTask, not_given

STOP_AFTER = 20  # failures of a model in a row: then it is not the samples


@dataclass(frozen=True)
class Settings:
    """How to run; only the decoder decides values, and it is in the recipes too."""

    workers: int = 2
    batch_size: int = 8
    decoder: str = "pyav"
    device: DeviceOf = lambda: "cpu"
    limits: Limits = field(default_factory=Limits)
    shards: ShardLimits = field(default_factory=ShardLimits)


def run_plan(plan: Plan, store: Store, settings: Settings) -> int:
    """Compute and store what the plan lacks; return how many samples were worked on.

    Rows that are complete when the run is interrupted or stopped are stored.

    Raises:
        ProjectError: after 20 failures of a model in a row.
        StorageError: if the cache cannot be written.
    """
    total = plan.count()
    if not total:
        return 0
    with _Work(plan, store, settings) as work, Meter("extract", total) as meter:
        for row, answer in _answers(plan, settings):
            meter.advance(failed=work.take(row, answer))
        work.forward_all()
    return total


def _answers(plan: Plan, settings: Settings) -> Iterator[tuple[int, SampleAnswer]]:
    """Yield what became of each sample; one whose gaps the table itself tells costs no worker."""
    tasks = []
    for row, families in plan.rows():
        task = SampleTask(row, plan.samples[row], families)
        gaps = {i: not_given(plan.extractors[i], task.sample) for i in families}
        if None in gaps.values():
            tasks.append(task)
        else:
            yield row, SampleAnswer({i: gap for i, gap in gaps.items() if gap})
    job = SampleJob(plan.extractors, settings.decoder)
    for task, result in run_tasks(job, tasks, workers=settings.workers, limits=settings.limits):
        answer = result if isinstance(result, SampleAnswer) else None
        yield task.row, answer or SampleAnswer(dict.fromkeys(task.families, result))


class _Work(contextlib.ExitStack):
    """The main process's side: batches on their way to a device, and rows on their way to disk.

    Leaving it closes every writer, whatever the reason: whole rows are never thrown away.
    """

    def __init__(self, plan: Plan, store: Store, settings: Settings) -> None:
        super().__init__()
        self._plan, self._settings = plan, settings
        self._batches: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
        self._loaded: set[int] = set()
        self._failures_in_a_row = 0
        self._costs: dict[str, Costs] = defaultdict(Costs)
        self._specs = [plan.specs_of(extractor) for extractor in plan.extractors]
        self._writers = {
            spec.name: self.enter_context(ShardWriter(store, spec, limits=settings.shards))
            for specs in self._specs
            for spec in specs
        }

    def take(self, row: int, answer: SampleAnswer) -> bool:
        """Pass a sample's answer on; say whether any of it failed."""
        sharing = sum(reads_media(self._plan.extractors[index]) for index in answer.prepared)
        any_failed = False
        for index, prepared in answer.prepared.items():
            reads = reads_media(self._plan.extractors[index])
            decode_s = answer.decode_s / sharing if reads else 0.0
            self._charge(index, decode_s=decode_s, prepare_s=answer.prepare_s.get(index, 0.0))
            if isinstance(prepared, Gap):
                any_failed |= prepared.status is Status.FAILED
                self._write(index, row, {spec.name: prepared for spec in self._specs[index]})
                continue
            self._batches[index].append((row, prepared))
            if len(self._batches[index]) >= self._settings.batch_size:
                self._forward(index)
        return any_failed

    def forward_all(self) -> None:
        """Compute the batches that are not full."""
        for index in list(self._batches):
            self._forward(index)

    def _forward(self, index: int) -> None:
        batch = self._batches.pop(index)
        extractor = self._plan.extractors[index]
        if index not in self._loaded:
            extractor.load(self._settings.device)
            self._loaded.add(index)
        started = time.perf_counter()
        values = _forward_whole_or_singly(extractor, [prepared for _, prepared in batch])
        self._charge(index, forward_s=time.perf_counter() - started)
        for (row, _), value in zip(batch, values, strict=True):
            self._write(index, row, value)

    def _write(self, index: int, row: int, values: Mapping[str, Value]) -> None:
        """Write the features that this sample lacks."""
        for spec in self._specs[index]:
            if not self._plan.missing[spec.name][row]:
                continue
            value = values[spec.name]
            if not isinstance(value, Gap) and (fault := check_value(spec, value)):
                value = failed("model", fault)
            digest = self._plan.digest(row, spec)
            entry = Row.of(self._plan.samples[row].id, digest, value)
            self._writers[spec.name].add(entry, self._costs.pop(spec.name, None))
            self._watch(entry)

    def _watch(self, entry: Row) -> None:
        """Stop when failures of a model come one after another: then it is not the samples."""
        self._failures_in_a_row = self._failures_in_a_row + 1 if entry.cause == "model" else 0
        if self._failures_in_a_row >= STOP_AFTER:
            raise ProjectError(
                f"{STOP_AFTER} failures in a row, the last for sample {entry.sample_id!r}: "
                f"{entry.reason}. What was computed is kept; mend this, then run again with "
                "--retry model"
            )

    def _charge(self, index: int, **seconds: float) -> None:
        """Book seconds on an extractor's features, in equal parts; their next rows carry them."""
        specs = self._specs[index]
        for spec in specs:
            share = {kind: spent / len(specs) for kind, spent in seconds.items()}
            self._costs[spec.name] += Costs(**share)


def _forward_whole_or_singly(
    extractor: Extractor, batch: Sequence[Mapping[str, Any]]
) -> list[dict[str, Value]]:
    """Compute a batch; if that fails, each sample alone, so that one does not cost the others."""
    try:
        return extractor.forward(batch)
    except Exception as error:  # becomes FAILED rows, and a stop if they go on
        if len(batch) > 1:
            return [_forward_whole_or_singly(extractor, [one])[0] for one in batch]
        gap = failed("model", f"{extractor.family}: {type(error).__name__}: {error}")
        return [{spec.name: gap for spec in extractor.specs}]
