"""Extracting four deep encoders together, beside their bare forward passes and the usual way.

    python -m bench.encoders [--data DIR] [--weights DIR] [--clips 24]

TimeSformer, ResNet-101, mBERT and AST of the published sizes with random weights, on real clips
with sound and real captions; each part in a process of its own, one after another:

pipeline  `ensure` into a new cache: decode once, prepare in workers, batched forward, write
forward   the same batches, prepared before: nothing but the models
usual     one decode of the whole file per model, the published processors, batch 1, float32
resnet50  ResNet-50 on 16 frames of each clip through the pipeline

Loading weights is in none of the times, as it does not grow with the clips; it is printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

# What is heavy is imported where it is used: workers import this file, and are timed.
from bench.machine import DATA, ROOT, machine
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.sample import Sample
from extract.pipeline import Settings
from media.request import FrameRequest

if TYPE_CHECKING:
    from extract.catalog import Request

FOUR = ("timesformer", "resnet101", "mbert", "ast")
PARTS = ["video", "audio", "text:caption"]
BATCH = 8
RESNET50_CLIPS, RESNET50_FRAMES = 27, 16
SCALE = "v-iashin/video_features 0.51, mmaction2 0.94, a sequential bfloat16 loop 1.94"


def samples_of(data: Path, count: int) -> list[Sample]:
    """Return clips with sound, each with a caption of another table beside it."""
    clips = read_manifest(
        data / "clips/javanese_emotion.csv", columns=Columns.parse("id=path,video=path")
    ).samples
    texts = read_manifest(
        data / "snapugc/captions.csv", columns=Columns.parse("id=id,text=caption")
    ).samples
    pairs = zip(clips[:: len(clips) // count][:count], texts, strict=False)
    return [replace(clip, text=text.text) for clip, text in pairs]


def request_of(names: tuple[str, ...], weights: Path) -> Request:
    """Return extractors that compute as the options' defaults do."""
    from bench import base_weights
    from extract.catalog import resolve
    from extract.encoders.encoding import Encoding

    given = base_weights.seeded(weights)
    return resolve(names, parts=PARTS, encoding=Encoding.parse(weights, weights=given))


def pipeline(samples: list[Sample], request: Request) -> dict[str, Any]:
    """Time the whole extraction into a new cache."""
    from core.device import choose_device
    from extract.ensure import OpenCache, ensure

    load_s = loading(request)
    settings = Settings(batch_size=BATCH, device=lambda: choose_device(None).value)
    with tempfile.TemporaryDirectory() as folder:
        opened = OpenCache.at(Path(folder), samples)
        started = time.perf_counter()
        state = ensure(samples, request, opened, settings=settings)
        whole_s = time.perf_counter() - started
    if state.failures:
        raise SystemExit(f"not every clip went through: {state.failures[0]}")
    return {"seconds": whole_s - load_s, "load_s": load_s}


def loading(request: Request) -> float:
    """Return the seconds of loading the weights, files being in the page cache."""
    from core.device import choose_device

    started = 0.0
    for _ in range(2):  # the first reads the files and imports the libraries
        started = time.perf_counter()
        for extractor in request.extractors:
            fetched = extractor.fetch()
            fetched.load(lambda: choose_device(None).value)
            fetched.unload()
    return time.perf_counter() - started


def forward(samples: list[Sample], request: Request) -> dict[str, Any]:
    """Time the models alone, on batches that are prepared and loaded before."""
    from core.device import choose_device
    from core.status import Gap
    from extract.sample_job import SampleJob, SampleTask

    extractors = [extractor.fetch() for extractor in request.extractors]
    job = SampleJob(extractors)
    every = tuple(range(len(extractors)))
    answers = [job(SampleTask(row, sample, every)).prepared for row, sample in enumerate(samples)]
    gaps = [gap for answer in answers for gap in answer.values() if isinstance(gap, Gap)]
    if gaps:
        raise SystemExit(f"not every clip can be prepared: {gaps[0]}")
    times = {}
    for index, extractor in enumerate(extractors):
        extractor.load(lambda: choose_device(None).value)
        prepared: list[Any] = [answer[index] for answer in answers]
        size = BATCH * extractor.appetite
        started = time.perf_counter()
        for first in range(0, len(prepared), size):
            extractor.forward(prepared[first : first + size])
        times[extractor.family] = time.perf_counter() - started
        extractor.unload()
    return {"seconds": sum(times.values()), "by_model": times}


def usual(samples: list[Sample], weights: Path) -> dict[str, Any]:
    """Time scripts as they are usually glued together."""
    from bench import base_weights, usual_way

    times = usual_way.seconds_by_model(samples, base_weights.seeded(weights))
    return {"seconds": sum(times.values()), "by_model": times}


def resnet50(data: Path, weights: Path) -> dict[str, Any]:
    """Time ResNet-50 on 16 frames of 27 clips, through the pipeline."""
    from extract.encoders.encoder import Encoder

    request = request_of(("image",), weights)
    frames = FrameRequest("segment_centres", frames=RESNET50_FRAMES)
    encoder = request.extractors[0]
    assert isinstance(encoder, Encoder)
    request = replace(request, extractors=(replace(encoder, frames=frames),))
    found = pipeline(samples_of(data, RESNET50_CLIPS), request)
    return found | {"clips": RESNET50_CLIPS}


def run_part(given: argparse.Namespace) -> dict[str, Any]:
    """Return what one part took, with the most memory that its processes had."""
    samples = samples_of(given.data, given.clips)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "pipeline": lambda: pipeline(samples, request_of(FOUR, given.weights)),
        "forward": lambda: forward(samples, request_of(FOUR, given.weights)),
        "usual": lambda: usual(samples, given.weights),
        "resnet50": lambda: resnet50(given.data, given.weights),
    }
    found = parts[given.part]()
    kib = [resource.getrusage(who).ru_maxrss for who in (_OWN, _WORKER)]
    return found | {"peak_gib": kib[0] / 2**20, "worker_gib": kib[1] / 2**20}


_OWN, _WORKER = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


def in_process(part: str, given: argparse.Namespace) -> dict[str, Any]:
    """Run one part in a process of its own."""
    command = [sys.executable, "-m", "bench.encoders", "--part", part]
    command += ["--data", str(given.data), "--weights", str(given.weights)]
    done = subprocess.run(
        [*command, "--clips", str(given.clips)], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    memory = f"peak {found['peak_gib']:.2f} GiB, largest worker {found['worker_gib']:.2f} GiB"
    models = "".join(f", {name} {s:.1f}" for name, s in found.get("by_model", {}).items())
    print(f"  {part:10} {found['seconds']:8.1f} s   {memory}{models}", flush=True)
    return found


def main() -> None:
    """Print the parts beside each other, with their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real sets")
    parser.add_argument("--weights", type=Path, default=ROOT / "var" / "bench-weights")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(run_part(given)))
        return
    request = request_of(FOUR, given.weights)
    dtypes = {str(extractor.specs[0].recipe["compute"]) for extractor in request.extractors}
    print(machine())
    print(f"{given.clips} clips, {', '.join(FOUR)}, {'/'.join(dtypes)}, batches of {BATCH}")
    took = {part: in_process(part, given) for part in ("forward", "pipeline", "usual", "resnet50")}
    whole_s = took["pipeline"]["seconds"]
    print(f"  loading the weights          {took['pipeline']['load_s']:8.1f} s, in none of these")
    ratio = whole_s / took["forward"]["seconds"]
    print(f"  pipeline / forward alone     {ratio:8.2f}   (target 1.10)")
    faster = took["usual"]["seconds"] / whole_s
    print(f"  usual way / pipeline         {faster:8.2f}   (target 4, on a CPU with AMX)")
    rate = took["resnet50"]["clips"] / took["resnet50"]["seconds"]
    print(f"  ResNet-50, {RESNET50_FRAMES} frames        {rate:8.2f} videos/s   (quoted: {SCALE})")


if __name__ == "__main__":
    main()
