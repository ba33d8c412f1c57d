"""Colors and patterns of cloth, the same on the packshot and on the model."""

import colorsys
from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll.motif import Motif

KINDS = ("plain", "horizontal", "vertical", "diagonal", "checks", "dots", "blocks")


@dataclass(frozen=True)
class Fabric:
    """Colors (RGB, 0..255) and how they alternate; `period` is in body units.

    Woven kinds have one to three colors. `floral` strews flowers of the second color, with middles of the third.
    `printed` shows a motif once on the first color; the other colors are the motif's.
    """

    colors: tuple
    kind: str = "plain"
    period: float = 0.05
    share: float = 0.5  # The part of a period that the second color takes.
    motif: Motif | None = None

    def choose(self, u, v):
        """Returns which color [h, w] shows at texture coordinates u (along) and v (across)."""
        if self.kind == "horizontal":
            index = u % self.period < self.share * self.period
        elif self.kind == "vertical":
            index = (v + self.period * self.share / 2) % self.period < self.share * self.period
        elif self.kind == "diagonal":
            index = (u + v) % (1.4 * self.period) < self.share * 1.4 * self.period
        elif self.kind == "checks":
            along, across = u % self.period < self.period / 2, v % self.period < self.period / 2
            index = along.astype(np.uint8) + across
        elif self.kind == "dots":
            row = np.floor(u / self.period)
            du, dv = u - (row + 0.5) * self.period, (v + row % 2 * self.period / 2) % self.period - self.period / 2
            index = du**2 + dv**2 < (0.3 * self.period) ** 2
        elif self.kind == "floral":
            index = _flowers(u / self.period, v / self.period)
        elif self.kind == "printed":
            index = self.motif.at(u, v)
        else:
            index = u > 2.4 * self.period + 0.06
        return index.astype(np.uint8)

    def unprinted(self):
        """Returns the cloth of what has no print: sleeves, and a garment's back."""
        return Fabric(self.colors[:1]) if self.kind == "printed" else self


def _flowers(u, v):
    """Returns 1 on a flower's petals, 2 on its middle and 0 elsewhere [h, w], one flower in a unit square."""
    row, column = np.floor(u).astype(int), np.floor(v).astype(int)
    chance = (row * 73856093 ^ column * 19349663) & 1023
    x, y = v - column - 0.5 - 0.16 * np.cos(chance), u - row - 0.5 - 0.16 * np.sin(chance)
    distance, angle = np.hypot(x, y), np.arctan2(y, x) + chance
    size = 0.26 + 0.08 * (chance % 3) / 2
    return np.where(distance < 0.32 * size, 2, distance < size * (0.78 + 0.22 * np.cos(5 * angle)))


def printed(fabric, motif):
    """Returns a fabric's first color with a motif on it."""
    return Fabric((fabric.colors[0], *motif.colors()), "printed", motif=motif)


def floral(fabric, petals, period):
    """Returns a fabric's first color strewn with flowers."""
    middles = (250, 214, 92) if sum(petals) < 560 else (206, 128, 40)
    return Fabric((fabric.colors[0], petals, middles), "floral", period)


def draw_color(rng):
    """Draws a color: mostly a hue in a saturated, muted, pale or dark form, sometimes a neutral; never quite white."""
    hue, form, a, b = rng.random(4).tolist()
    # Even steps for the eye: of all hues, nearly a third would be called green.
    hue = np.interp(hue, [0, 0.14, 0.26, 0.42, 0.54, 0.72, 0.86, 1], [0, 0.08, 0.16, 0.36, 0.50, 0.64, 0.80, 1])
    if form < 0.46:  # Saturated.
        hsv = hue, 0.62 + 0.33 * a, 0.55 + 0.40 * b
    elif form < 0.66:  # Muted.
        hsv = hue, 0.25 + 0.30 * a, 0.40 + 0.35 * b
    elif form < 0.78:  # Pale.
        hsv = hue, 0.14 + 0.24 * a, 0.82 + 0.10 * b
    elif form < 0.88:  # Dark.
        hsv = hue, 0.35 + 0.50 * a, 0.18 + 0.20 * b
    else:  # Neutral, from near black to off-white.
        hsv = hue, 0.06 * a, 0.14 + 0.77 * b
    return tuple(round(255 * c) for c in colorsys.hsv_to_rgb(*hsv))


def draw_fabric(rng, patterned=0.42):
    """Draws a fabric; the number of draws is always the same, whatever comes out."""
    first = draw_color(rng)
    others = [draw_color(rng) for _ in range(3)]
    chance, kind, period, share = rng.random(), rng.integers(1, len(KINDS)), rng.random(), rng.random()
    if chance >= patterned:
        return Fabric((first,))
    # The second color must be seen beside the first.
    second = max(others, key=lambda other: np.abs(np.subtract(other, first)).sum())
    kind = KINDS[kind]
    colors = (first, second)
    if kind == "checks":
        # Where the stripes of both colors cross, cloth shows a mixture.
        colors = (first, tuple(round((a + b) / 2) for a, b in zip(first, second)), second)
    return Fabric(colors, kind, 0.022 + 0.045 * period, 0.3 + 0.3 * share)


def shaded(fabric, factor):
    """Returns a fabric's first color, darkened."""
    return tuple(round(factor * c) for c in fabric.colors[0])
