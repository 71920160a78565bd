"""Sheets of colour that move over one another: how the demo's frames [320, 180, 3] are drawn.

Everything costly (shapes, textures, blur) is drawn once a shot, onto sheets; a frame is a pile of
sheets, each pasted at its own place of the moment. So a frame takes about a millisecond.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 180, 320
FINER = 3  # shapes are drawn three times as large, then reduced: that smooths their edges
MARGIN = 6  # pixels left free around a figure, so that its blur has room

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A picture with transparency.

    colour   uint8 [h, w, 3], already multiplied by how much of it covers
    through  uint16 [h, w, 1], 0..256: how much of what lies below shows; None if nothing does
    """

    colour: np.ndarray
    through: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Sheets on their way through a shot: for each frame [n] left and top edge, and which shows."""

    sheets: Sequence[Sheet]
    left: np.ndarray
    top: np.ndarray
    which: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a shot should look like, in the units of the picture.

    times    seconds since the shot began, float64 [n]
    speed    pixels a second
    blur     radius in pixels
    level    exposure, 0.5 leaves colours as they are
    colours  saturation, 1 leaves colours as they are
    beat     beats a second
    hue      0..1, the main colour of the shot
    cast     0..1, who plays: one number for all shots of a clip
    """

    times: np.ndarray
    speed: float
    blur: float
    level: float
    colours: float
    beat: float
    hue: float
    cast: float
    rng: np.random.Generator = field(repr=False)

    def paint(self, hue: float, saturation: float, value: float) -> Colour:
        """Return a colour whose hue counts from the shot's own."""
        return self.keep(self.hue + hue, saturation, value)

    def keep(self, hue: float, saturation: float, value: float) -> Colour:
        """Return a colour of a hue (0..1) as this shot's exposure and saturation show it."""
        red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
        shown = [self._expose(grey + (part - grey) * self.colours) for part in (red, green, blue)]
        return shown[0], shown[1], shown[2]

    def _expose(self, part: float) -> int:
        part = min(max(part, 0.0), 1.0)
        if self.level < 0.5:
            part *= self.level / 0.5
        else:
            part += (1 - part) * (self.level - 0.5) / 0.5
        return round(255 * part)


class Canvas:
    """A transparent sheet to draw a figure on; the numbers are pixels of the frame."""

    def __init__(self, width: float, height: float, margin: int = MARGIN) -> None:
        self._margin = margin
        size = (round(width) + 2 * margin) * FINER, (round(height) + 2 * margin) * FINER
        self._image = Image.new("RGBA", size, (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self._image)

    def disc(self, centre: Point, radius: float | Point, colour: Colour) -> None:
        across, down = radius if isinstance(radius, tuple) else (radius, radius)
        x, y = centre
        self._draw.ellipse(self._place((x - across, y - down), (x + across, y + down)), fill=colour)

    def box(self, corner: Point, size: Point, colour: Colour, rounded: float = 0) -> None:
        places = self._place(corner, (corner[0] + size[0], corner[1] + size[1]))
        self._draw.rounded_rectangle(places, radius=rounded * FINER, fill=colour)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon(self._place(*points), fill=colour)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        self._draw.line(
            self._place(*points), fill=colour, width=round(width * FINER), joint="curve"
        )
        for point in points:
            self.disc(point, width / 2, colour)

    def sheet(self, blur: float, cover: float = 1.0) -> Sheet:
        """Return what was drawn, reduced and blurred; `cover` below 1 lets things shine through."""
        image = self._image.convert("RGBa").reduce(FINER).filter(ImageFilter.GaussianBlur(blur))
        pixels: np.ndarray = np.asarray(image)
        colour = (pixels[..., :3] * cover).astype(np.uint8)
        through = 256 - np.ceil(pixels[..., 3:] * (256 / 255 * cover)).astype(np.uint16)
        return Sheet(colour, through)

    def _place(self, *points: Point) -> list[Point]:
        return [((x + self._margin) * FINER, (y + self._margin) * FINER) for x, y in points]


def texture(rng: np.random.Generator, height: int, width: int, *, rough: float = 1.5) -> np.ndarray:
    """Return clouds, float32 [height, width] in 0..1, that repeat without a seam.

    Random waves whose strength falls with their frequency to the power `rough`.
    """
    waves = np.fft.rfft2(rng.standard_normal((height, width), dtype=np.float32))
    across, down = np.fft.rfftfreq(width)[None, :], np.fft.fftfreq(height)[:, None]
    frequency = np.hypot(across, down)
    frequency[0, 0] = np.inf
    clouds = np.fft.irfft2(waves / frequency**rough, s=(height, width))
    spread: np.ndarray = np.clip(0.5 + clouds / (4 * clouds.std()), 0, 1).astype(np.float32)
    return spread


def gradient(top: Colour, bottom: Colour, height: int, width: int) -> np.ndarray:
    """Return float32 [height, width, 3] in 0..255 that goes from one colour to the other."""
    part = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    first, last = np.asarray(top, np.float32), np.asarray(bottom, np.float32)
    column: np.ndarray = first + (last - first) * part
    return np.broadcast_to(column, (height, width, 3))


def blend(base: np.ndarray, colour: Colour, part: np.ndarray) -> np.ndarray:
    """Return float32 [h, w, 3]: the base with a colour over it, by parts [h, w] in 0..1."""
    mixed: np.ndarray = base + (np.asarray(colour, np.float32) - base) * part[..., None]
    return mixed


def solid(picture: np.ndarray, blur: float) -> Sheet:
    """Return an opaque sheet of a picture [h, w, 3], blurred."""
    image = Image.fromarray(picture.astype(np.uint8)).filter(ImageFilter.GaussianBlur(blur))
    return Sheet(np.asarray(image))


def cut_out(picture: np.ndarray, cover: np.ndarray, blur: float) -> Sheet:
    """Return a sheet of a picture [h, w, 3] that shows where `cover` [h, w] in 0..1 says so."""
    whole = np.dstack((picture * cover[..., None], cover * 255)).astype(np.uint8)
    image = Image.frombuffer("RGBA", whole.shape[1::-1], whole.tobytes(), "raw", "RGBA", 0, 1)
    pixels: np.ndarray = np.asarray(image.filter(ImageFilter.GaussianBlur(blur)))
    through = 256 - np.ceil(pixels[..., 3:] * (256 / 255)).astype(np.uint16)
    return Sheet(pixels[..., :3], through)


def scrolling(sheet: Sheet, look: Look, *, share: float, top: float = 0) -> Actor:
    """Return a sheet that repeats to the right and passes by at a share of the shot's speed."""
    period = sheet.colour.shape[1]
    colour, through = sheet.colour, sheet.through
    if through is not None:  # nothing is pasted where nothing is
        empty = int(np.argmax((through < 256).any(axis=(1, 2))))
        colour, through, top = colour[empty:], _longer(through[empty:]), top + empty
    left = -((look.times * look.speed * share) % period)
    return Actor([Sheet(_longer(colour), through)], left, np.full_like(left, top))


def _longer(parts: np.ndarray) -> np.ndarray:
    """Return an array [h, period, c] with its beginning repeated at its end."""
    return np.concatenate((parts, parts[:, :WIDTH]), axis=1)


def at(sheets: Sheet | Sequence[Sheet], x: np.ndarray, y: np.ndarray, **which: np.ndarray) -> Actor:
    """Return figures drawn on a Canvas, their own corner (0, 0) at x and y [n]."""
    several = [sheets] if isinstance(sheets, Sheet) else sheets
    x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return Actor(several, x - MARGIN, y - MARGIN, which.get("which"))


def still(sheet: Sheet, look: Look, x: float = MARGIN, y: float = MARGIN) -> Actor:
    """Return a figure that stays where it is."""
    return at(sheet, np.full(look.times.shape, x), np.full(look.times.shape, y))


def frames(actors: Sequence[Actor]) -> Iterator[np.ndarray]:
    """Give the frames of a shot, uint8 [320, 180, 3] each, the first actor at the bottom."""
    for index in range(len(actors[0].left)):
        frame: np.ndarray = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for actor in actors:
            sheet = actor.sheets[0 if actor.which is None else int(actor.which[index])]
            _paste(frame, sheet, round(actor.left[index]), round(actor.top[index]))
        yield frame


def _paste(frame: np.ndarray, sheet: Sheet, left: int, top: int) -> None:
    """Lay a sheet on the frame, in place; what is outside is cut off."""
    height, width = sheet.colour.shape[:2]
    rows, columns = slice(max(top, 0), top + height), slice(max(left, 0), left + width)
    if top + height <= 0 or left + width <= 0:
        return
    below = frame[rows, columns]
    y, x = rows.start - top, columns.start - left
    own = slice(y, y + below.shape[0]), slice(x, x + below.shape[1])
    if sheet.through is None:
        below[...] = sheet.colour[own]
        return
    shown = below * sheet.through[own]
    shown >>= 8
    below[...] = sheet.colour[own] + shown
