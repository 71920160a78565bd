"""The six scenes of the demo, one for each category: which sheets, where, and how they move.

A scene takes a `Look` and gives the actors of one shot, bottom first. `look.speed` moves background
and figures alike; all colours go through `look`, so that exposure and saturation reach them.
"""

from __future__ import annotations

import numpy as np

from corpus.demo.figures import cat_sheet, cube_sheet, dancer_sheet, skin_colour, speaker_sheet
from corpus.demo.picture import (
    HEIGHT,
    WIDTH,
    Actor,
    Canvas,
    Colour,
    Look,
    Sheet,
    at,
    blend,
    cut_out,
    gradient,
    scrolling,
    solid,
    still,
    texture,
)

PERIOD = 360  # pixels after which a background repeats


def travel(look: Look) -> list[Actor]:
    """Draw a sky with clouds, sun and balloon, and two ranges of hills at different speeds."""
    sky = gradient(look.paint(0, 0.55, 0.85), look.paint(0.06, 0.25, 1.0), HEIGHT, PERIOD)
    clouds = np.clip(texture(look.rng, HEIGHT, PERIOD) * 1.8 - 0.8, 0, 1)
    sky = blend(sky, look.paint(0, 0.02, 1.0), clouds * 0.8)
    sun = Canvas(60, 60)
    sun.disc((30, 30), 26, look.keep(0.13, 0.45, 1.0))
    horizon = float(look.rng.uniform(170, 210))
    far = _hills(look, horizon - 60, 34, look.paint(0.02, 0.4, 0.55))
    near = _hills(
        look, horizon, 22, look.keep(float(look.rng.uniform(0.25, 0.4)), 0.6, 0.45), trees=14
    )
    balloon = Canvas(44, 62)
    balloon.disc((22, 22), 21, look.paint(0.5, 0.85, 0.95))
    balloon.disc((22, 22), (9, 21), look.paint(0.58, 0.6, 1.0))
    balloon.stroke([(8, 38), (18, 54)], look.paint(0.5, 0.3, 0.4), 1)
    balloon.stroke([(36, 38), (26, 54)], look.paint(0.5, 0.3, 0.4), 1)
    balloon.box((16, 53), (12, 9), look.paint(0.55, 0.7, 0.5), 2)
    x = (look.rng.uniform(0, 180) + look.times * look.speed * 0.5) % (WIDTH + 60) - 50
    y = 60 + 12 * np.sin(2 * np.pi * look.beat / 4 * look.times)
    return [
        scrolling(solid(sky, look.blur), look, share=0.2),
        still(sun.sheet(look.blur), look, float(look.rng.uniform(10, 110)), 24),
        scrolling(far, look, share=0.5),
        at(balloon.sheet(look.blur), x, y),
        scrolling(near, look, share=1.1),
    ]


def _hills(look: Look, top: float, height: float, colour: Colour, trees: int = 0) -> Sheet:
    """Return a range of hills under a wavy line, perhaps with fir trees on it."""
    x = np.arange(PERIOD)
    line = np.full(PERIOD, top)
    for wave in (1, 2, 3, 5, 8):
        phase = look.rng.uniform(0, 2 * np.pi)
        line += height / wave * np.sin(2 * np.pi * wave * x / PERIOD + phase)
    for place in look.rng.integers(12, PERIOD - 12, trees):
        half, tall = int(look.rng.integers(6, 11)), float(look.rng.uniform(24, 46))
        around = np.arange(place - half, place + half + 1)
        steps = 1 - np.abs(around - place) / half
        line[around] = np.minimum(line[around], line[place] - tall * steps + 4)
    y = np.arange(HEIGHT)[:, None]
    cover = np.clip(y - line + 0.5, 0, 1).astype(np.float32)
    depth = np.clip((y - top) / 260, 0, 0.7) * np.ones(PERIOD).astype(np.float32)
    ground = gradient(colour, colour, HEIGHT, PERIOD) * (0.75 + 0.5 * _grain(look)[..., None])
    ground = np.minimum(ground, 255) * (1 - depth[..., None])
    return cut_out(ground, cover, look.blur)


def _grain(look: Look, rough: float = 0.9) -> np.ndarray:
    return texture(look.rng, HEIGHT, PERIOD, rough=rough)


def music(look: Look) -> list[Actor]:
    """Draw a stage with beams of light, a dancer on the beat, bars of an equaliser, a crowd."""
    wall = gradient(look.paint(0, 0.8, 0.3), look.paint(0.1, 0.85, 0.75), HEIGHT, PERIOD)
    wall = blend(wall, look.paint(0.15, 0.7, 0.95), _grain(look, 1.8) * 0.45)
    actors = [scrolling(solid(wall, look.blur), look, share=0.6)]
    for beam in range(3):
        light = Canvas(150, 250)
        light.shape([(70, 0), (80, 0), (150, 250), (0, 250)], look.paint(0.2 * beam, 0.45, 1.0))
        swing = look.speed * 0.5 * np.sin(look.times * 2.2 + 2.1 * beam)
        actors.append(at(light.sheet(3, 0.28), 55 * beam - 30 + swing, look.times * 0))
    beat = look.times * look.beat
    for bar in range(9):
        column = Canvas(15, 130, margin=6)
        column.box((0, 0), (15, 130), look.paint(0.45 + 0.05 * bar, 0.75, 1.0), 3)
        pulse = np.exp(-3.0 * ((beat + look.rng.uniform(0, 0.3)) % 1)) * look.rng.uniform(0.5, 1)
        height = 20 + 75 * pulse + 10 * np.sin(beat * 7 + bar)
        actors.append(
            at(column.sheet(look.blur, 0.9), np.full_like(beat, 20 * bar + 2), 250 - height)
        )
    dancer = [dancer_sheet(look, pose) for pose in range(4)]
    sway = 40 + min(look.speed, 110) * 0.3 * np.sin(np.pi * beat)
    hop = 92 - 12 * np.abs(np.sin(np.pi * beat))
    actors.append(at(dancer, sway, hop, which=(beat % 4).astype(int)))
    crowd = Canvas(PERIOD, 70, margin=0)
    for head in range(18):
        x, y = 20 * head + 10, float(look.rng.uniform(14, 26))
        crowd.disc((x, y), 9, look.paint(0.05, 0.6, 0.16))
        crowd.box((x - 10, y + 8), (20, 60), look.paint(0.05, 0.6, 0.16), 7)
    return [*actors, scrolling(crowd.sheet(look.blur), look, share=1.0, top=255)]


def food(look: Look) -> list[Actor]:
    """Draw a plate on a checked cloth, seen from above; the toppings go round, a spoon stirs."""
    y, x = np.mgrid[:HEIGHT, :PERIOD]
    checks = ((x // 30 % 2) + (y // 30 % 2)).astype(np.float32) / 2
    cloth = gradient(look.paint(0.5, 0.05, 0.97), look.paint(0.5, 0.05, 0.97), HEIGHT, PERIOD)
    cloth = blend(cloth, look.paint(0, 0.65, 0.85), checks * 0.75) * (
        0.85 + 0.15 * _grain(look)[..., None]
    )
    plate = Canvas(164, 164)
    plate.disc((84, 88), 80, look.paint(0.5, 0.3, 0.35))
    plate.disc((82, 82), 80, look.paint(0.5, 0.03, 0.98))
    plate.disc((82, 82), 64, look.paint(0.5, 0.05, 0.86))
    plate.disc((82, 82), 58, look.keep(float(look.rng.uniform(0.02, 0.13)), 0.75, 0.9))
    actors = [
        scrolling(solid(cloth, look.blur), look, share=0.5),
        still(plate.sheet(look.blur), look, 8, 76),
    ]
    turn = look.speed / 45
    for place in range(11):
        size = float(look.rng.uniform(7, 12))
        topping = Canvas(26, 26)
        hue = float(look.rng.choice((0.98, 0.3, 0.14, 0.05)))
        topping.disc((13, 13), size, look.keep(hue, 0.9, 0.75))
        topping.disc((13, 13), size * 0.6, look.keep(hue + 0.02, 0.6, 1.0))
        radius = 14.0 if place < 3 else 42.0
        angle = turn * look.times + 2 * np.pi * place / (3 if place < 3 else 8)
        left, top = 77 + radius * np.cos(angle), 145 + radius * np.sin(angle)
        actors.append(at(topping.sheet(look.blur), left, top))
    spoon = Canvas(24, 170)
    spoon.stroke([(12, 40), (12, 164)], look.paint(0.5, 0.1, 0.55), 6)
    spoon.disc((12, 22), (11, 19), look.paint(0.5, 0.1, 0.62))
    spoon.disc((11, 20), (7, 14), look.paint(0.5, 0.08, 0.8))
    left = 110 + 26 * np.sin(turn * 1.7 * look.times)
    return [*actors, at(spoon.sheet(look.blur), left, 150 + 18 * np.cos(turn * 1.7 * look.times))]


def talk(look: Look) -> list[Actor]:
    """Draw somebody who speaks and nods in front of lights out of focus, waving a hand."""
    wall = gradient(look.paint(0, 0.4, 0.55), look.paint(0.08, 0.5, 0.3), HEIGHT, PERIOD)
    lights = Canvas(PERIOD, HEIGHT, margin=0)
    for _ in range(16):
        x, y = (float(part) for part in look.rng.uniform(0, (PERIOD, 230)))
        radius, hue = float(look.rng.uniform(9, 24)), float(look.rng.uniform(0, 0.2))
        for repeated in (x - PERIOD, x, x + PERIOD):
            lights.disc((repeated, y), radius, look.paint(hue, 0.5, 1.0))
    speaker = [speaker_sheet(look, mouth) for mouth in (1.5, 5, 8)]
    sway = np.sin(look.times * look.speed / 18)
    syllable = np.abs(np.sin(np.pi * look.beat * 2 * look.times))
    mouth = (syllable * 2.99).astype(int)
    hand = Canvas(34, 120)
    hand.stroke([(17, 110), (17, 40)], look.paint(0.55, 0.6, 0.6), 24)
    hand.disc((17, 18), (13, 17), skin_colour(look))
    wave = 40 * np.sin(look.times * look.speed / 14)
    return [
        scrolling(solid(wall, look.blur), look, share=0.6),
        scrolling(lights.sheet(1 + look.blur, 0.55), look, share=0.9),
        at(speaker, 10 + 9 * sway, 84 + 4 * syllable, which=mouth),
        at(hand.sheet(look.blur), 138 + wave * 0.35, 205 + wave),
    ]


def gaming(look: Look) -> list[Actor]:
    """Draw a platform game: clouds, blocks and coins pass by, a cube jumps."""
    sky = gradient(look.paint(0, 0.6, 0.95), look.paint(0.05, 0.35, 1.0), HEIGHT, PERIOD)
    y, x = np.mgrid[:HEIGHT, :PERIOD]
    pixels = texture(look.rng, HEIGHT // 10, PERIOD // 10).repeat(10, 0).repeat(10, 1)
    sky = blend(sky, look.paint(0, 0.03, 1.0), (pixels > 0.72) * np.float32(0.8) * (y < 170))
    tower = np.repeat(look.rng.integers(0, 4, PERIOD // 20), 20) * 20
    ground = (y >= 240 - tower * (x // 60 % 2)).astype(np.float32)
    joints = ((x % 20 < 2) | (y % 20 < 2)).astype(np.float32)
    brick = blend(
        gradient(look.keep(0.06, 0.6, 0.75), look.keep(0.05, 0.7, 0.55), HEIGHT, PERIOD),
        look.keep(0.05, 0.6, 0.3),
        joints,
    )
    grass = np.roll(ground, 8, 0) < ground
    brick = blend(brick, look.keep(0.33, 0.7, 0.75), grass.astype(np.float32))
    coins = Canvas(PERIOD, 30, margin=0)
    for coin in range(9):
        coins.disc((40 * coin + 20, 14), 8, look.keep(0.13, 0.85, 1.0))
        coins.disc((40 * coin + 20, 14), (3, 5), look.keep(0.13, 0.4, 1.0))
    jump = (look.times * look.beat / 2) % 1
    score = Canvas(160, 20)
    score.box((0, 0), (150, 12), look.paint(0.5, 0.3, 0.25), 6)
    score.box((2, 2), (float(look.rng.uniform(40, 140)), 8), look.paint(0.4, 0.8, 1.0), 4)
    return [
        scrolling(solid(sky, look.blur), look, share=0.4),
        scrolling(cut_out(brick, ground, look.blur), look, share=1.1),
        scrolling(coins.sheet(look.blur), look, share=1.1, top=132),
        at(cube_sheet(look), look.times * 0 + 60, 186 - 320 * jump * (1 - jump)),
        still(score.sheet(look.blur), look, 14, 20),
    ]


def pets(look: Look) -> list[Actor]:
    """Draw a cat in a living room that walks and follows a bouncing ball."""
    room = gradient(look.paint(0, 0.3, 0.95), look.paint(0.03, 0.35, 0.8), HEIGHT, PERIOD)
    y, x = np.mgrid[:HEIGHT, :PERIOD]
    stripes = (np.sin(x * 2 * np.pi / 24) > 0.6).astype(np.float32) * (y < 215)
    room = blend(room, look.paint(0.03, 0.4, 0.85), stripes * 0.7)
    boards = gradient(look.keep(0.08, 0.5, 0.7), look.keep(0.07, 0.6, 0.45), HEIGHT, PERIOD)
    boards = boards * (0.8 + 0.2 * _grain(look)[..., None])
    boards = boards * (1 - 0.35 * ((y % 26 < 2) | ((x + y // 26 * 45) % 90 < 2))[..., None])
    room = np.where((y < 215)[..., None], room, boards)
    window = Canvas(96, 110)
    window.box((0, 0), (96, 110), look.paint(0, 0.1, 1.0), 4)
    window.box((6, 6), (84, 98), look.keep(0.55, 0.35, 1.0), 2)
    window.box((45, 0), (6, 110), look.paint(0, 0.1, 1.0))
    pan = (20 - look.times * look.speed * 0.6 + look.rng.uniform(0, 180)) % PERIOD - 110
    ball = Canvas(28, 28)
    ball.disc((14, 14), 14, look.paint(0.4, 0.8, 0.9))
    ball.disc((10, 9), 4, look.paint(0.4, 0.3, 1.0))
    bounce = np.abs(np.sin(np.pi * look.beat / 2 * look.times))
    roam = WIDTH / 2 + 45 * np.sin(look.times * look.speed / 60)
    cat = [cat_sheet(look, step) for step in (-1, 1)]
    step = (look.times * look.speed / 16 % 2).astype(int)
    return [
        scrolling(solid(room, look.blur), look, share=0.6),
        at(window.sheet(look.blur), pan, pan * 0 + 50),
        at(cat, roam - 88, 150 + 3.0 * step, which=step),
        at(ball.sheet(look.blur), WIDTH - roam * 0.9, 262 - 110 * bounce),
    ]


SCENES = {
    "travel": travel,
    "music": music,
    "food": food,
    "talk": talk,
    "gaming": gaming,
    "pets": pets,
}
