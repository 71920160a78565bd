"""What a worker does with one sample: read its file once, prepare the inputs of every extractor."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.status import Gap, absent, failed
from corpus.sample import MEDIA_PARTS, Sample
from extract.contract import Extractor, Inputs


@dataclass(frozen=True, slots=True)
class SampleTask:
    """One sample and the families (by index into the job's extractors) that it still lacks.

    `upstream` holds the texts, by feature, that some of these read.
    """

    row: int
    sample: Sample
    families: tuple[int, ...]
    upstream: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleAnswer:
    """What became of it: per family what `forward` takes, or a gap.

    prepare_s  seconds by family, of those that a worker prepared
    first      families that this worker had not prepared before: code and tables were loaded
    read_s     seconds that reading took, by media part
    """

    prepared: Mapping[int, Mapping[str, Any] | Gap]
    prepare_s: Mapping[int, float] = field(default_factory=dict)
    read_s: Mapping[str, float] = field(default_factory=dict)
    first: frozenset[int] = frozenset()


@dataclass(frozen=True)
class SampleJob:
    """Reads and prepares samples for these extractors; sent to each worker once."""

    extractors: Sequence[Extractor]
    decoder: str = "pyav"
    _begun: set[int] = field(default_factory=set, compare=False)  # families prepared in here

    def __call__(self, task: SampleTask) -> SampleAnswer:
        wanted = {index: self.extractors[index] for index in task.families}
        parts = _Parts.read(task.sample, list(wanted.values()), self.decoder)
        prepared: dict[int, Mapping[str, Any] | Gap] = {}
        prepare_s: dict[int, float] = {}
        for index, extractor in wanted.items():
            started = time.perf_counter()
            prepared[index] = _prepare(extractor, task, parts)
            prepare_s[index] = time.perf_counter() - started
        begun = {index for index, answer in prepared.items() if not isinstance(answer, Gap)}
        first = frozenset(begun - self._begun)
        self._begun.update(first)
        return SampleAnswer(prepared, prepare_s, parts.seconds, first)


@dataclass(slots=True)
class _Parts:
    """What was read of one sample's files, and in how many seconds; a part is a gap or content."""

    frames: Mapping[Any, Any] = field(default_factory=dict)
    sound: Mapping[Any, Any] = field(default_factory=dict)
    image: np.ndarray | Gap | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, sample: Sample, extractors: Sequence[Extractor], decoder: str) -> _Parts:
        # Here, as only workers read: the main process need not load the libraries of media.
        from media.decode import read_media
        from media.image import read_image

        frames = list(dict.fromkeys(e.frames for e in extractors if e.frames is not None))
        sound = list(dict.fromkeys(e.audio for e in extractors if e.audio is not None))
        parts = cls()
        if sample.video is not None and (frames or sound):
            media = read_media(sample.video, frames, sound, decoder=decoder)
            parts.frames, parts.sound = media.frames, media.sound
            # Who wants only the sound opens the file for it alone; else the frames do.
            parts.seconds["video"] = media.seconds - media.sound_s if frames else 0.0
            parts.seconds["audio"] = media.sound_s if frames else media.seconds
        if sample.image is not None and any("image" in e.reads for e in extractors):
            started = time.perf_counter()
            parts.image = read_image(sample.image)
            parts.seconds["image"] = time.perf_counter() - started
        return parts


def _prepare(extractor: Extractor, task: SampleTask, parts: _Parts) -> Mapping[str, Any] | Gap:
    """Prepare one sample for one extractor; a fault of the code is a row of this sample too."""
    inputs = not_given(extractor, task.sample) or _inputs(extractor, task, parts)
    if isinstance(inputs, Gap):
        return inputs
    try:
        return extractor.prepare(inputs)
    except MemoryError:
        return failed("memory", f"{extractor.family}: preparing it took more than the limit")
    except Exception as error:  # whatever one sample does to an encoder, the others go on
        return failed("model", f"{extractor.family}: {type(error).__name__}: {error}")


def _inputs(extractor: Extractor, task: SampleTask, parts: _Parts) -> Inputs | Gap:
    """Gather what an extractor reads; the first media part that is a gap is the answer."""
    if extractor.after:
        return Inputs(upstream={spec.name: task.upstream[spec.name] for spec in extractor.after})
    frames = parts.frames.get(extractor.frames)
    sound = parts.sound.get(extractor.audio)
    image = parts.image if "image" in extractor.reads else None
    if isinstance(frames, Gap):
        return frames
    if isinstance(sound, Gap):
        return sound
    if isinstance(image, Gap):
        return image
    names = [part.partition(":")[2] for part in extractor.reads if part.partition(":")[0] == "text"]
    text = {name: task.sample.text[name] for name in names if name in task.sample.text}
    return Inputs(frames=frames, sound=sound, image=image, text=text)


def not_given(extractor: Extractor, sample: Sample) -> Gap | None:
    """Return the gap of a sample whose table names nothing that this extractor reads."""
    given = [part for part in extractor.reads if sample.has(part)]
    media = [part for part in extractor.reads if part in MEDIA_PARTS]
    if given and all(part in given for part in media):
        return None
    lacking = ", ".join(part for part in extractor.reads if part not in given)
    return absent("not-given", f"the table names no {lacking} for this sample")
