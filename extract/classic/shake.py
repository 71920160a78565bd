"""Camera shake: what the camera does that nobody meant, told from a pan that somebody did.

`shake` float32 [34]. The camera of each step is that of `motion`: shift, zoom and turn per second
of the similarity that most blocks follow (`flow.py`). Within each shot it is split in two: a smooth
part, the mean under a Gaussian of 0.25 s, and the jitter around it. Smoothing the camera's path to
tell one from the other is how video is stabilised (Matsushita et al. 2006); what a stabiliser would
take away is what is measured here. Lengths are shorter sides of the picture; (log) is `steps.py`'s
log10(1 + x / 0.02) of sides per second.

    pan.*       the smooth part: mean speed (log), mean shift x and y per second, and straight, the
                way from end to end over the way that was gone, 0..1
    jitter.*    root mean square and 95th percentile of its speed (log); x and y (log); upright,
                log10 of y over x; part, of all the camera's speed, 0..1; sway, how far it leads
                from the smooth path, log10(1 + sides / 0.002)
    band.*      speed (log) by frequency of the whole motion: below 1 Hz, 1..2 (steps), 2..4 (a
                hand), 4..7.5 (an engine, noise)
    spectrum.*  above 1 Hz: mean frequency (Hz), and the part of the power in its highest line
    turns       how much of the jitter goes back on itself from step to step: 0 straight, 1 at once
    shaky, still    the parts of steps with jitter over 0.1 sides/s, and with the camera below 0.02
    acceleration    mean change of velocity per second, a tenth of it (log)
    zoom.*, turn.*  mean per second; mean size of the smooth part, and root mean square of the
                jitter (log)
    early, middle, late  jitter (log) in thirds of the time
    object.*    what moves beyond the camera: mean and 90th percentile of log10 of the objects'
                speed over the camera's (+ 0.02 each); together, the correlation of the two
    unexplained  the part of the change from step to step that moving blocks leaves over

Cuts are in no shot. Zoom and turn are the camera's about the middle of the picture. A handheld
camera gives jitter of 0.1 sides/s, one on a tripod less than 0.01. Frames are those of `motion`;
ABSENT(too-short) for a single one. Cost: 2 ms where `motion` is computed too.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from core.status import Gap
from extract.classic.descriptor import Descriptor, of_frames
from extract.classic.pace import means_of_parts
from extract.classic.watched import REQUEST, Watched, watch
from media.request import Frames

SMOOTH_S = 0.25
BANDS_HZ = (0.0, 1.0, 2.0, 4.0, 7.5)
RATE_HZ = 15.0
WINDOW = 30  # steps of 1/15 s
LINES = 32  # the length of the transform: lines 0.47 Hz apart
SHAKY, STILL = 0.1, 0.02  # sides per second

NAMES = (
    *("pan.speed", "pan.x", "pan.y", "pan.straight"),
    *(f"jitter.{name}" for name in ("rms", "p95", "x", "y", "upright", "part", "sway")),
    *(f"band.{low}" for low in BANDS_HZ[:-1]),
    *("spectrum.hz", "spectrum.peak", "turns", "shaky", "still", "acceleration"),
    *(f"{what}.{name}" for what in ("zoom", "turn") for name in ("mean", "smooth", "jitter")),
    *("early", "middle", "late"),
    *("object.ratio", "object.ratio.p90", "object.together", "unexplained"),
)
_CAMERA = ("camera.x", "camera.y", "camera.zoom", "camera.turn")


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `shake` float32 [34]."""
    recipe = {"code": "classic.shake", "version": 1, "decoder": decoder}
    return of_frames(_described, REQUEST, {"shake": (len(NAMES),)}, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray] | Gap:
    watched = watch(frames, "shake")
    return watched if isinstance(watched, Gap) else {"shake": describe_shake(watched)}


def describe_shake(watched: Watched) -> np.ndarray:
    """Return float32 [34], one number for each of `NAMES`."""
    camera = np.stack([watched.track(name) for name in _CAMERA], axis=1)
    shots = _shots(watched.cuts)
    smooth = np.concatenate([_smooth(camera[shot], watched.middles_s[shot]) for shot in shots])
    kept = np.concatenate([np.arange(len(camera))[shot] for shot in shots])
    step_s = np.diff(watched.times_s)[kept]
    jitter = camera[kept] - smooth
    whole = np.zeros(len(camera))
    whole[kept] = np.square(jitter[:, :2]).sum(axis=1)
    parts = (
        _pan_numbers(smooth, step_s),
        _jitter_numbers(camera[kept], jitter, step_s),
        _band_numbers([(camera[shot], watched.middles_s[shot]) for shot in shots]),
        _step_numbers(camera, jitter, shots, watched.middles_s),
        *(_axis_numbers(camera[kept, at], smooth[:, at]) for at in (2, 3)),
        _log(np.sqrt(np.maximum(means_of_parts(whole, watched.times_s, 3), 0))),
        _object_numbers(watched, kept),
    )
    return np.concatenate(parts).astype(np.float32)


def _shots(cuts: np.ndarray) -> list[slice]:
    """Return the steps of each shot; where every step is a cut, all of them as one."""
    edges = [-1, *np.flatnonzero(cuts).tolist(), len(cuts)]
    shots = [slice(a + 1, b) for a, b in pairwise(edges) if b > a + 1]
    return shots or [slice(0, len(cuts))]


def _smooth(values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return the means of values [S, D] under a Gaussian in time."""
    weight = np.exp(-(((times_s[:, None] - times_s) / SMOOTH_S) ** 2) / 2)
    return np.asarray((weight @ values) / weight.sum(axis=1, keepdims=True))


def _log(speed: np.ndarray | float) -> np.ndarray:
    """Compress sides per second as `steps.py` does."""
    return np.asarray(np.log10(1 + np.asarray(speed, np.float64) * 50))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _pan_numbers(smooth: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    speed = np.hypot(smooth[:, 0], smooth[:, 1])
    total = float(step_s.sum())
    moved = step_s @ smooth[:, :2]
    gone = float(step_s @ speed)
    return np.array([_log(gone / total), *(moved / total), np.hypot(*moved) / (gone + 1e-3)])


def _jitter_numbers(camera: np.ndarray, jitter: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    size = np.hypot(jitter[:, 0], jitter[:, 1])
    across, down, both = _rms(jitter[:, 0]), _rms(jitter[:, 1]), _rms(size)
    path = np.cumsum(jitter[:, :2] * step_s[:, None], axis=0)
    sway = _rms(np.hypot(*(path - path.mean(axis=0)).T))
    return np.array(
        [
            *_log(np.array([both, np.quantile(size, 0.95), across, down])),
            np.log10((down + 0.005) / (across + 0.005)),
            both / (_rms(np.hypot(camera[:, 0], camera[:, 1])) + 0.005),
            np.log10(1 + sway / 0.002),
        ]
    )


def _band_numbers(shots: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the numbers `band.*` and `spectrum.*` of each shot's camera and times."""
    power = np.mean([line for shot in shots for line in _spectra(*shot)], axis=0)
    hz = np.arange(len(power)) * (RATE_HZ / LINES)
    band = np.searchsorted(BANDS_HZ, hz, side="right") - 1
    speeds = np.sqrt(np.bincount(np.minimum(band, len(BANDS_HZ) - 2), weights=power))
    fast, fast_hz = power[hz >= BANDS_HZ[1]], hz[hz >= BANDS_HZ[1]]
    total = float(fast.sum()) + 1e-6  # 0.001 sides/s
    return np.array([*_log(speeds), fast @ fast_hz / total, fast.max() / total])


def _spectra(camera: np.ndarray, times_s: np.ndarray) -> list[np.ndarray]:
    """Return the power [17] by frequency of windows of 2 s that overlap by half (Welch 1967)."""
    count = max(2, round(float(times_s[-1] - times_s[0]) * RATE_HZ) + 1)
    moments = np.linspace(times_s[0], times_s[-1], count)
    even = np.stack([np.interp(moments, times_s, camera[:, at]) for at in (0, 1)], axis=1)
    starts = range(0, max(count - WINDOW, 0) + 1, WINDOW // 2)
    return [_power(even[start : start + WINDOW]) for start in starts]


def _power(values: np.ndarray) -> np.ndarray:
    """Return [17], which sum to the mean square of values [n, 2] under a Hann window.

    The mean is taken out first and counts for line 0: a pan in a short shot would spread over all.
    """
    window = np.hanning(len(values) + 2)[1:-1, None]
    mean = values.mean(axis=0)
    lines = np.square(np.abs(np.fft.rfft((values - mean) * window, LINES, axis=0))).sum(axis=1)
    lines[1:-1] *= 2  # the negative frequencies
    lines /= LINES * float(np.square(window).sum())
    lines[0] += float(mean @ mean)
    return np.asarray(lines)


def _step_numbers(
    camera: np.ndarray, jitter: np.ndarray, shots: list[slice], times_s: np.ndarray
) -> np.ndarray:
    """Return turns, shaky, still, acceleration."""
    speed = np.concatenate([np.hypot(camera[shot, 0], camera[shot, 1]) for shot in shots])
    size = np.hypot(jitter[:, 0], jitter[:, 1])
    starts = np.cumsum([0, *(shot.stop - shot.start for shot in shots)])
    jitters = [jitter[a:b, :2] for a, b in pairwise(starts)]
    back = sum(float(np.maximum(-(one[1:] * one[:-1]).sum(axis=1), 0).sum()) for one in jitters)
    both = sum(float(np.square(one).sum()) for one in jitters)
    changes = [
        np.hypot(*(np.diff(camera[shot, :2], axis=0) / np.diff(times_s[shot])[:, None]).T)
        for shot in shots
    ]
    change = np.concatenate(changes)
    acceleration = 0.1 * float(change.mean()) if len(change) else 0.0
    parts = float((size > SHAKY).mean()), float((speed < STILL).mean())
    return np.array([back / (both + 1e-4 * len(size)), *parts, _log(acceleration)])


def _axis_numbers(values: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    return np.array([values.mean(), _log(np.abs(smooth).mean()), _log(_rms(values - smooth))])


def _object_numbers(watched: Watched, kept: np.ndarray) -> np.ndarray:
    camera, objects = watched.track("camera.speed")[kept], watched.track("object.mean")[kept]
    ratio = objects - camera  # both are log10(1 + x / 0.02)
    centred = [track - track.mean() for track in (camera, objects)]
    spread = np.sqrt(np.prod([float(track @ track) for track in centred]))
    together = float(centred[0] @ centred[1]) / (spread + 1e-3 * len(kept))
    left = float(watched.track("change.unexplained.part")[kept].mean())
    return np.array([ratio.mean(), np.quantile(ratio, 0.9), together, left])
