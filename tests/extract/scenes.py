"""Synthetic videos whose content is known: textures that move, cut, fade, blur."""

import numpy as np
from scipy import ndimage

from extract.contract import Inputs
from media.request import Frames


def texture(seed=0, size=(420, 560), detail=2.0, contrast=40.0):
    """Return float64 [height, width], smooth noise around 128."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=size), detail)
    return np.clip(128 + contrast * noise / noise.std(), 0, 255)


def in_colour(grey):
    """Return uint8 [..., 3] of planes."""
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def window(plane, x, y, shape=(96, 128)):
    """Return what a camera at (x, y) sees of a plane; parts of a pixel are interpolated."""
    left, top = 200 + x, 160 + y
    rows, columns = np.mgrid[top : top + shape[0], left : left + shape[1]][
        :, : shape[0], : shape[1]
    ]
    return ndimage.map_coordinates(plane, [rows, columns], order=1, mode="wrap")


def times(seconds=2.0, fps=15.0):
    return np.arange(round(seconds * fps)) / fps


def panned(times_s, velocity, shape=(96, 128), seed=0):
    """Return a video whose content moves by `velocity` (x, y), shorter sides per second."""
    x, y = np.asarray(velocity) * min(shape)
    plane = texture(seed)
    return in_colour(np.stack([window(plane, -x * t, -y * t, shape) for t in times_s]))


def with_object(times_s, velocity, camera=(0.0, 0.0), shape=(96, 128)):
    """Return a panned video before which a square of a third of the height moves by `velocity`."""
    video = panned(times_s, camera, shape)
    side = shape[0] // 3
    patch = in_colour(texture(7, (side, side), 1.5))
    for t, frame in zip(times_s, video, strict=True):
        x = round((shape[1] - side) / 2 + velocity[0] * min(shape) * (t - times_s.mean()))
        y = round((shape[0] - side) / 2 + velocity[1] * min(shape) * (t - times_s.mean()))
        frame[y : y + side, x : x + side] = patch
    return video


def inputs(pixels, times_s=None):
    moments = np.arange(len(pixels)) / 15 if times_s is None else times_s
    return Inputs(frames=Frames(pixels, moments, float(moments[-1])))


def golden_clip():
    """Return colourful frames [12, 72, 100, 3], with a pan, object, noise and cut, and times."""
    rng = np.random.default_rng(20)
    planes = [[texture(seed + shot, detail=3.0) for seed in range(3)] for shot in (1, 4)]
    frames = [
        np.stack([window(plane, 3 * t, t, (72, 100)) for plane in planes[t >= 7]], axis=-1)
        + rng.normal(size=(72, 100, 3)) * 2
        for t in range(12)
    ]
    video = np.clip(np.rint(frames), 0, 255).astype(np.uint8)
    for t, frame in enumerate(video):
        frame[20:44, 10 + 4 * t : 34 + 4 * t] = (200, 60, 90)
    return video, np.arange(12) / 15
