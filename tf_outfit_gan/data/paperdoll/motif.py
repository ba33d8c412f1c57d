"""Prints that a garment shows once: a word, a logo, a photograph."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

KINDS = ("text", "logo", "photograph")
WORDS = ("PARIS", "SUNDAY", "CLUB 19", "OCEAN", "TEAM 08", "NOIR", "MILANO", "HELLO", "RALLY", "STUDIO")
INKS = ((24, 24, 28), (246, 244, 238), (204, 40, 48), (28, 70, 160), (244, 190, 40), (30, 120, 80))
PHOTOGRAPH = (72, 60)  # Height and width in pixels.
PHOTOGRAPH_COLORS = 40


@dataclass(frozen=True)
class Motif:
    """A print's look (by kind and chances in [0, 1)) and place: its middle's u and its width, in body units; v = 0."""

    kind: str
    chances: tuple
    ground: tuple  # The color that it must be seen on.
    middle: float = 0.135
    width: float = 0.11

    def colors(self):
        """Returns the motif's colors (RGB, 0..255)."""
        return _raster(self.kind, self.chances, self.ground)[1]

    def at(self, u, v):
        """Returns which color shows at texture coordinates u and v, [...]: 0 is none, i + 1 the i-th of `colors()`."""
        picture, _ = _raster(self.kind, self.chances, self.ground)
        height, width = picture.shape
        row = np.floor((u - self.middle) * width / self.width + height / 2).astype(int)
        column = np.floor((v / self.width + 0.5) * width).astype(int)
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return np.where(inside, picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], 0)


@cache
def _raster(kind, chances, ground):
    """Returns a motif's picture [h, w] of color numbers, 0 for none, and its colors."""
    seen = [ink for ink in INKS if np.abs(np.subtract(ink, ground)).sum() > 200]
    first = int(chances[0] * len(seen))
    inks = (seen[first], seen[(first + 1) % len(seen)])
    if kind == "photograph":
        return _photograph(np.random.default_rng(int(2**31 * chances[1])))
    if kind == "logo":
        return _logo(chances), inks
    return _text(WORDS[int(chances[1] * len(WORDS))]), inks[:1]


def _text(word):
    font, bold = ImageFont.load_default(40), 2
    left, top, right, bottom = font.getbbox(word, stroke_width=bold)
    canvas = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(canvas).text((-left, -top), word, fill=255, font=font, stroke_width=bold)
    return (np.asarray(canvas) > 127).astype(np.uint8)


def _logo(chances):
    """Returns a star, a bolt or a wave in a disk, a ring or alone, 64 by 64 in a margin of its own."""
    canvas = Image.new("L", (96, 96))
    pen = ImageDraw.Draw(canvas)
    frame, sign = int(3 * chances[1]), int(3 * chances[2])
    if frame == 0:
        pen.ellipse((16, 16, 80, 80), fill=2)
    elif frame == 1:
        pen.ellipse((16, 16, 80, 80), outline=2, width=6)
    turns = np.arange(10) / 10 * 2 * np.pi
    radii = np.where(np.arange(10) % 2, 10, 25)
    star = list(zip(48 + radii * np.sin(turns), 48 - radii * np.cos(turns)))
    bolt = [(54, 22), (34, 52), (46, 52), (40, 76), (62, 44), (50, 44)]
    x = np.arange(24, 73)
    crest = 8 * np.sin((x - 24) / 8)
    wave = [*zip(x, 42 + crest), *zip(x[::-1], 54 + crest[::-1])]
    pen.polygon((star, bolt, wave)[sign], fill=1)
    return np.asarray(canvas)


def _photograph(rng):
    """Returns a landscape with grain: sky, sun, ranges of hills, each paler the farther it lies."""
    height, width = PHOTOGRAPH
    y, x = np.mgrid[0:height, 0:width] / height
    high, low, near, sun = rng.integers(40, 230, (4, 3))
    picture = high + (low - high) * y[..., None] / 0.7
    center = rng.uniform(0.15, 0.65, 2)
    picture[(x - center[0]) ** 2 + (y - 0.6 * center[1]) ** 2 < rng.uniform(0.06, 0.14) ** 2] = 0.5 * sun + 127
    for depth in range(3):
        phase, waves = rng.uniform(0, 6, 2)
        ridge = 0.45 + 0.17 * depth + 0.06 * np.sin((4 + waves) * x + phase) + 0.03 * np.sin(17 * x + waves)
        picture[y > ridge] = low + (near - low) * (depth + 1) / 3
    picture += rng.normal(0, 9, (height, width, 1))
    picture[[0, -1]] = picture[:, [0, -1]] = 250  # The white edge of a print.
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).quantize(PHOTOGRAPH_COLORS)
    palette = np.reshape(image.getpalette(), (-1, 3))
    return np.asarray(image) + 1, tuple(tuple(int(c) for c in color) for color in palette)
