"""The figures that play in the scenes of the demo: a dancer, a speaker, a cube, a cat."""

from __future__ import annotations

from corpus.demo.picture import Canvas, Colour, Look, Sheet

COATS = ((0.75, 0.9), (0.1, 0.6), (0.5, 0.45), (0.15, 0.95))  # saturation and value of cats


def dancer_sheet(look: Look, pose: int) -> Sheet:
    """Return one of four poses of a dancing figure, 100 by 165 pixels."""
    figure = Canvas(100, 165)
    skin, shirt = look.keep(0.06, 0.45, 0.6 + 0.35 * look.cast), look.paint(0.5, 0.85, 1.0)
    trousers = look.paint(0.3, 0.3, 0.2)
    side = 1 if pose % 2 else -1
    hand_up, hand_down = (50 + 38 * side, 12), (50 - 36 * side, 88 if pose < 2 else 40)
    knee = 50 + (26 if pose < 2 else 14) * side
    figure.stroke([(50, 98), (knee, 126), (knee - 8 * side, 158)], trousers, 12)
    figure.stroke([(50, 98), (44 - 8 * side, 128), (40 - 12 * side, 158)], trousers, 12)
    figure.stroke([(50, 52), (50 + 24 * side, 40), hand_up], skin, 8)
    figure.stroke([(50, 52), (50 - 22 * side, 66), hand_down], skin, 8)
    figure.box((34, 44), (32, 60), shirt, 12)
    figure.disc((50 + 3 * side, 27), (13, 16), skin)
    figure.disc((50 + 3 * side, 17), (14, 9), look.paint(0.1, 0.5, 0.15))
    return figure.sheet(look.blur)


def speaker_sheet(look: Look, mouth: float) -> Sheet:
    """Return head and shoulders, 160 by 240 pixels, with the mouth open by some pixels."""
    figure = Canvas(160, 240)
    hair = look.keep(0.06, 0.6, 0.22)
    figure.disc((80, 62), (50, 56), hair)
    figure.box((62, 108), (36, 50), skin_colour(look, 0.85), 10)
    figure.box((8, 146), (144, 130), look.paint(0.55, 0.65, 0.7), 44)
    figure.shape([(60, 146), (100, 146), (80, 176)], skin_colour(look, 0.85))
    figure.disc((80, 78), (40, 50), skin_colour(look))
    figure.shape([(40, 66), (46, 34), (80, 22), (114, 34), (120, 66), (96, 46), (64, 46)], hair)
    for x in (64, 96):
        figure.disc((x, 74), (7, 5), look.paint(0, 0.02, 1.0))
        figure.disc((x, 74), 3.4, look.paint(0.5, 0.5, 0.15))
        figure.stroke([(x - 8, 63), (x + 8, 62)], hair, 3)
    figure.stroke([(80, 78), (77, 92), (82, 94)], skin_colour(look, 0.8), 2)
    figure.disc((80, 109), (13, mouth), look.keep(0.97, 0.7, 0.5))
    return figure.sheet(look.blur)


def skin_colour(look: Look, shade: float = 1.0) -> Colour:
    """Return the colour of the speaker's skin; its hue does not turn with the shot's."""
    tone = 0.5 + 0.45 * look.cast
    return look.keep(0.06, 0.62 - 0.2 * tone, tone * shade)


def cube_sheet(look: Look) -> Sheet:
    """Return the hero of the game, a cube with a face, 44 pixels wide."""
    cube = Canvas(44, 44)
    cube.box((0, 0), (44, 44), look.paint(0.48, 0.5, 0.25), 8)
    cube.box((3, 3), (38, 38), look.paint(0.45, 0.85, 0.95), 6)
    for x in (20, 34):
        cube.disc((x, 18), 5, look.paint(0, 0.02, 1.0))
        cube.disc((x + 1, 18), 2.5, look.paint(0, 0.3, 0.1))
    cube.box((17, 29), (20, 4), look.paint(0.45, 0.6, 0.35), 2)
    return cube.sheet(look.blur)


def cat_sheet(look: Look, step: int) -> Sheet:
    """Return one of two steps of a walking cat, 150 by 130 pixels."""
    cat = Canvas(150, 130)
    hue = 0.05 + 0.05 * look.cast
    saturation, value = COATS[int(look.cast * len(COATS))]
    fur, dark = look.keep(hue, saturation, value), look.keep(hue, saturation, value * 0.6)
    cat.stroke([(24, 78), (8, 56), (12 + 6 * step, 30), (24 + 10 * step, 18)], dark, 9)
    for leg, x in enumerate((34, 50, 84, 98)):
        lean = 7 * step * (1 if leg % 2 else -1)
        cat.stroke([(x, 92), (x + lean, 122)], dark if leg % 2 else fur, 11)
    cat.disc((66, 80), (46, 26), fur)
    for x in (44, 60, 76):
        cat.stroke([(x, 57), (x - 3, 76)], dark, 4)
    for x in (96, 130):
        cat.shape([(x - 11, 44), (x + (-9 if x < 110 else 9), 14), (x + 11, 40)], fur)
    cat.disc((113, 56), (29, 25), fur)
    for x in (103, 124):
        cat.disc((x, 52), 5.5, look.keep(0.2, 0.6, 1.0))
        cat.disc((x, 52), (2, 5), look.paint(0, 0.3, 0.08))
    cat.shape([(109, 62), (119, 62), (114, 67)], look.keep(0.97, 0.4, 0.9))
    return cat.sheet(look.blur)
