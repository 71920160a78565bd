"""Tier 1 at work: workers -> bounded queue -> batched forward -> writers, one row per feature."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from corpus.sample import MEDIA_PARTS
from extract.batch import compute
from extract.contract import DeviceOf, Value
from extract.plan import Plan, media_parts
from extract.pool import Limits, run_tasks
from extract.sample_job import SampleAnswer, SampleJob, SampleTask, not_given

_TOLD = {"not-given", "missing"}  # causes of gaps that need no work
_OF_MANY = {"model", "device", "crash"}  # causes that may well be every sample's
STOP_AFTER = 20  # such failures of an extractor in a row: then it is not the samples


@dataclass(frozen=True)
class Settings:
    """How to run; only the decoder decides values, and it is in the recipes too."""

    workers: int = 2
    batch_size: int = 8
    decoder: str = "pyav"
    device: DeviceOf = lambda: "cpu"
    limits: Limits = field(default_factory=Limits)
    shards: ShardLimits = field(default_factory=ShardLimits)
    shard_format: str = "h5"


def run_plan(plan: Plan, store: Store, settings: Settings) -> int:
    """Compute and store what the plan lacks; return how many samples were worked on.

    Rows that are complete when the run is interrupted or stopped are stored.

    Raises:
        ProjectError: after 20 failures in a row that may well be every sample's.
        StorageError: if the cache cannot be written.
    """
    total = plan.count()
    if not total:
        return 0
    plan = replace(plan, extractors=[each.fetch() for each in plan.extractors])
    with _Work(plan, store, settings) as work, Meter("extract", total) as meter:
        tasks = []
        for row, families in plan.rows():
            gaps = {index: _known_gap(plan, row, index) for index in families}
            told = {index: gap for index, gap in gaps.items() if gap}
            left = tuple(index for index in families if index not in told)
            any_failed = bool(told) and work.take(row, SampleAnswer(told))  # no worker is needed
            if left:
                texts = plan.upstream_texts(row, left)
                tasks.append(SampleTask(row, plan.samples[row], left, texts))
            else:
                meter.advance(failed=any_failed)
        todo = tasks
        while todo:
            spared: list[SampleTask] = []
            for task, answer in _answers(plan, todo, settings, work):
                any_failed = work.take(task.row, answer)
                if todo is tasks:
                    meter.advance(failed=any_failed)
                rest = tuple(index for index in task.families if index not in answer.prepared)
                spared += [replace(task, families=rest)] if rest else []
            todo = spared
        work.forward_all()
    return total


def _known_gap(plan: Plan, row: int, index: int) -> Gap | None:
    """Return the gap that the table, or the feature that an extractor reads, already tells."""
    extractor = plan.extractors[index]
    return not_given(extractor, plan.samples[row]) or plan.upstream_gap(row, extractor)


def _answers(
    plan: Plan, tasks: Sequence[SampleTask], settings: Settings, work: _Work
) -> Iterator[tuple[SampleTask, SampleAnswer]]:
    """Yield what became of each sample.

    Where a worker was lost a file is to blame, the video if there is one: families that do not read
    it, such as those of the cover or of text, are then not in the answer, and want another task.
    """
    job = SampleJob(plan.extractors, settings.decoder)
    results = run_tasks(
        job, tasks, workers=settings.workers, limits=settings.limits, on_wait=work.keep_up
    )
    for task, result in results:
        if isinstance(result, SampleAnswer):
            yield task, result
            continue
        yield task, SampleAnswer(dict.fromkeys(_blamed(plan, task), result))


def _blamed(plan: Plan, task: SampleTask) -> Sequence[int]:
    """Return the families of the first file that a task reads; all, if it reads none."""
    for file in dict.fromkeys(MEDIA_PARTS.values()):
        reading = [
            index
            for index in task.families
            if any(MEDIA_PARTS[part] == file for part in media_parts(plan.extractors[index]))
        ]
        if reading:
            return reading
    return task.families


class _Work(contextlib.ExitStack):
    """The main process's side: batches on their way to a device, and rows on their way to disk.

    Leaving it closes every writer, whatever the reason: whole rows are never thrown away.
    """

    def __init__(self, plan: Plan, store: Store, settings: Settings) -> None:
        super().__init__()
        self._plan, self._settings = plan, settings
        self._batches: dict[int, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
        self._begun_s: dict[int, float] = {}  # when each batch got its first sample
        self._loaded: set[int] = set()
        self._most = [settings.batch_size * each.appetite for each in plan.extractors]
        self._failures_in_a_row: Counter[int] = Counter()
        self._costs: dict[str, Costs] = defaultdict(Costs)
        self._specs = [plan.specs_of(extractor) for extractor in plan.extractors]
        self._writers = {
            spec.name: self.enter_context(
                ShardWriter(store, spec, limits=settings.shards, format=settings.shard_format)
            )
            for specs in self._specs
            for spec in specs
        }

    def take(self, row: int, answer: SampleAnswer) -> bool:
        """Pass a sample's answer on; say whether any of it failed."""
        self._book(answer)
        any_failed = False
        for index, prepared in answer.prepared.items():
            extractor = self._plan.extractors[index]
            known = isinstance(prepared, Gap) and prepared.status is Status.FAILED
            if not known and self._plan.keys.changed(row, extractor.reads):
                prepared = failed("unreadable", "its file changed since it was digested; run again")
            if isinstance(prepared, Gap):
                any_failed |= prepared.status is Status.FAILED
                self._write(index, row, dict.fromkeys(self._names(index), prepared))
                continue
            self._begun_s.setdefault(index, time.monotonic())
            self._batches[index].append((row, prepared))
            if len(self._batches[index]) >= self._most[index]:
                self._forward(index)
        self.keep_up()
        return any_failed

    def keep_up(self) -> None:
        """Bring to the disk what is older than a shard may be; a kill then costs no more."""
        oldest_s = time.monotonic() - self._settings.shards.age_s
        for index in [index for index, begun_s in self._begun_s.items() if begun_s < oldest_s]:
            self._forward(index)
        for writer in self._writers.values():
            writer.flush_if_due()

    def forward_all(self) -> None:
        """Compute the batches that are not full."""
        for index in list(self._batches):
            self._forward(index)

    def _forward(self, index: int) -> None:
        batch = self._batches.pop(index)
        del self._begun_s[index]
        extractor = self._plan.extractors[index]
        if index not in self._loaded:
            extractor.load(self._settings.device)
            self._loaded.add(index)
            self.callback(extractor.unload)
        started = time.perf_counter()
        prepared = [prepared for _, prepared in batch]
        values, self._most[index] = compute(extractor, prepared, most=self._most[index])
        self._charge(index, Costs(forward_s=time.perf_counter() - started))
        for (row, _), value in zip(batch, values, strict=True):
            self._write(index, row, value)

    def _write(self, index: int, row: int, values: Mapping[str, Value]) -> None:
        """Write the features that this sample lacks."""
        entries = []
        for spec in self._specs[index]:
            if not self._plan.missing[spec.name][row]:
                continue
            value = values.get(spec.name, failed("model", f"it gave no {spec.name}"))
            if not isinstance(value, Gap) and (fault := check_value(spec, value)):
                value = failed("model", fault)
            digest = self._plan.digest(row, spec)
            entry = Row.of(self._plan.samples[row].id, digest, value)
            self._writers[spec.name].add(entry, self._costs.pop(spec.name, None))
            entries.append(entry)
        self._watch(index, entries)

    def _watch(self, index: int, entries: Sequence[Row]) -> None:
        """Stop when an extractor fails at one sample after another: then it is not the samples.

        Other gaps say nothing of the model and neither count nor end the count.
        """
        broken = next((entry for entry in entries if entry.cause in _OF_MANY), None)
        if broken is None:
            if any(entry.status is Status.OK for entry in entries):
                self._failures_in_a_row[index] = 0
            return
        self._failures_in_a_row[index] += 1
        if self._failures_in_a_row[index] >= STOP_AFTER:
            raise ProjectError(
                f"{STOP_AFTER} failures in a row, the last for sample {broken.sample_id!r}: "
                f"{broken.reason}. What was computed is kept; mend this, then run again with "
                f"--retry {broken.cause}"
            )

    def _names(self, index: int) -> list[str]:
        return [spec.name for spec in self._specs[index]]

    def _book(self, answer: SampleAnswer) -> None:
        """Book what a worker did for one sample; reading is shared by all who read the same."""
        parts = {index: media_parts(self._plan.extractors[index]) for index in answer.prepared}
        sharing = Counter(part for reads in parts.values() for part in reads)
        for index, prepare_s in answer.prepare_s.items():
            prepared = answer.prepared[index]
            first = index in answer.first
            costs = Costs(
                starts=first,
                start_s=prepare_s if first else 0.0,
                rows=not (isinstance(prepared, Gap) and prepared.cause in _TOLD),
                decode_s=sum(answer.read_s.get(part, 0) / sharing[part] for part in parts[index]),
                read_s=sum(answer.read_s.get(part, 0) for part in parts[index]),
                prepare_s=0.0 if first else prepare_s,
            )
            self._charge(index, costs)

    def _charge(self, index: int, costs: Costs) -> None:
        """Book seconds on an extractor's features, in equal parts; their next rows carry them."""
        specs = self._specs[index]
        share = replace(
            costs,
            start_s=costs.start_s / len(specs),
            decode_s=costs.decode_s / len(specs),
            prepare_s=costs.prepare_s / len(specs),
            forward_s=costs.forward_s / len(specs),
        )
        for spec in specs:
            self._costs[spec.name] += share
