"""Antialiased painting of shaded shapes: drawn several times too large, then reduced.

A shape's light and shade are polygons in lighter and darker tones of the fabric's colors. Whatever is
shaded, the mean over the shape stays the fabric's color: the tones are divided by their mean over its area.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from tf_outfit_gan.data.paperdoll.geometry import inset

# The gray of a surface in plain light; brighter and darker tones are relative to it.
PLAIN = 200
RIM = 140
SHADE = 172
LIGHT = 216
SEAM = 138

FINE_HEIGHT = 96  # Pictures from this height on show rims, folds, seams, shadows and fingers.
RIM_WIDTH = 0.0013  # Picture heights.
BODY = 255  # The label of what is no article; results show it as 0.
SHADOW_COLOR = (40, 24, 40)

# Shadows turn slightly warm: red darkens less than green does.
_TINTS = [[(tone / PLAIN) ** warmth for warmth in (0.9, 1.03, 1.0)] for tone in range(256)]


@dataclass
class Part:
    """A closed outline [N]; `core` is what its dark rim leaves free, `tones` are (outline, tone) pairs inside it.

    `warp` maps places to texture coordinates; a plain fabric needs none.
    """

    outline: np.ndarray
    core: np.ndarray | None = None
    tones: list = field(default_factory=list)
    warp: object = None


@dataclass
class Piece:
    """Parts of one fabric that are painted as one layer, the later over the earlier.

    `lines` are (line, width, tone) on top; `label` is what the mask shows; `shadow` is the strength of the shadow that
    it casts on what lies below.
    """

    fabric: object
    parts: list
    lines: list = field(default_factory=list)
    label: int = BODY
    shadow: float = 0.22

    def outlines(self):
        return [part.outline for part in self.parts]


@dataclass
class Flat:
    """Outlines in one flat color, for details."""

    color: tuple
    shapes: list
    label: int = BODY

    def outlines(self):
        return self.shapes


_OPAQUE = [0] + [255] * 255


@cache
def _shadow_table(strength):
    return [0] + [round(255 * strength)] * 255


def _area(outline):
    return abs((np.vdot(outline[:-1], outline[1:]) + outline[-1].conj() * outline[0]).imag) / 2


class Canvas:
    """An oversized picture that layers are painted on.

    It has `oversample` grid places a pixel each way. `ground` is its color, or a small picture that is stretched to be
    the background; `zoom` and `shift` map the layers' places to picture heights. A place is continuous: pixel i covers
    [i, i + 1). Labels are drawn if asked for.
    """

    def __init__(self, size, ground, oversample, zoom=1.0, shift=0.0, labelled=True):
        height, width = size
        self.oversample = oversample
        self.scale, self.shift = height * self.oversample * zoom, shift * height * self.oversample
        self.extent = (width * self.oversample, height * self.oversample)
        if isinstance(ground, tuple):
            self.image = Image.new("RGB", self.extent, ground)
        else:
            self.image = ground.resize(self.extent, Image.Resampling.BILINEAR)
        self.labels = Image.new("L", self.extent)
        self._pen, self._label_pen = ImageDraw.Draw(self.image), ImageDraw.Draw(self.labels)
        # What is much finer than a pixel of the grid is left out: drawn one pixel wide, it would be too heavy.
        self._rims = height >= FINE_HEIGHT and RIM_WIDTH * self.scale > 0.5
        self._shadows = height >= FINE_HEIGHT and 0.004 * self.scale > 2
        self._labelled = labelled or self._shadows  # Shadows fall on what has a label.

    def _pixels(self, outline, corner=0.0):
        """Returns [x, y, x, y, ...] on the grid; drawing cuts fractions off, which leaves the pixel of each place."""
        return (outline * self.scale + (self.shift - corner)).view(float).tolist()

    def paint(self, layer):
        """Paints a `Piece` or a `Flat` over all before it."""
        if isinstance(layer, Flat):
            for shape in layer.shapes:
                pixels = self._pixels(shape)
                self._pen.polygon(pixels, fill=layer.color)
                if self._labelled:
                    self._label_pen.polygon(pixels, fill=layer.label)
            return
        if layer.shadow and self._shadows:
            self._cast(layer)
        tints = self._tints(layer)
        if len(layer.fabric.colors) == 1:
            color = layer.fabric.colors[0]
            fills = {tone: tuple(int(a * b) for a, b in zip(tint, color)) for tone, tint in tints.items()}
            self._draw(self._pen, layer, fills)
        else:
            self._weave(layer, tints)
        if self._labelled:
            for part in layer.parts:
                self._label_pen.polygon(self._pixels(part.outline), fill=layer.label)

    def _boxed(self, piece):
        """Returns the corner of a piece's box, and a picture of the box that shows which part (from 1) lies where."""
        places = np.concatenate(piece.outlines()) * self.scale + self.shift
        left, top = max(int(places.real.min()) - 1, 0), max(int(places.imag.min()) - 1, 0)
        right, bottom = int(places.real.max()) + 2, int(places.imag.max()) + 2
        extent = max(min(right, self.extent[0]) - left, 1), max(min(bottom, self.extent[1]) - top, 1)
        parts = Image.new("L", extent)
        pen = ImageDraw.Draw(parts)
        for number, part in enumerate(piece.parts, start=1):
            pen.polygon(self._pixels(part.outline, complex(left, top)), fill=number)
        return (left, top), parts

    def _draw(self, pen, piece, fills, corner=0.0):
        """Draws a piece with the fill of each tone."""
        for part in piece.parts:
            pen.polygon(self._pixels(part.outline, corner), fill=fills[RIM if self._rims else PLAIN])
            if self._rims:
                core = inset(part.outline, RIM_WIDTH) if part.core is None else part.core
                pen.polygon(self._pixels(core, corner), fill=fills[PLAIN])
            for outline, tone in part.tones:
                pen.polygon(self._pixels(outline, corner), fill=fills[tone])
        for line, width, tone in piece.lines:
            if width * self.scale > 0.5:
                pen.line(self._pixels(line, corner), fill=fills[tone], width=max(1, round(width * self.scale)))

    def _tints(self, piece):
        """Returns {tone: factors of red, green and blue}, whose mean over the piece's area is 1."""
        if not self._rims and not piece.lines and not any(part.tones for part in piece.parts):
            return {PLAIN: (1.0, 1.0, 1.0)}
        areas = {PLAIN: 0.0, RIM: 0.0, **{tone: 0.0 for _, _, tone in piece.lines}}
        for part in piece.parts:
            plain = _area(part.outline)
            for outline, tone in part.tones:
                area = _area(outline)
                plain -= area
                areas[tone] = areas.get(tone, 0.0) + area
            if self._rims:
                rim = RIM_WIDTH * abs(np.diff(part.outline)).sum()
                plain -= rim
                areas[RIM] += rim
            areas[PLAIN] += max(plain, 0.0)
        total = sum(areas.values())
        means = [sum(area * _TINTS[tone][c] for tone, area in areas.items()) / total for c in range(3)]
        return {tone: [tint / mean for tint, mean in zip(_TINTS[tone], means)] for tone in areas}

    def _weave(self, piece, tints):
        """Paints a patterned piece: every pixel has the color that its part's texture shows there, in its tone."""
        corner, parts = self._boxed(piece)
        tones = Image.new("L", parts.size)
        self._draw(ImageDraw.Draw(tones), piece, {tone: tone for tone in tints}, complex(*corner))
        table = np.zeros((len(piece.fabric.colors), 256, 3), np.uint8)
        for tone, tint in tints.items():
            table[:, tone] = np.minimum(np.multiply(piece.fabric.colors, tint), 255)
        number = np.asarray(parts)
        mask = Image.fromarray(np.where(number, 255, 0).astype(np.uint8))
        y, x = np.nonzero(number)
        number = number[y, x]
        place = (x + 1j * y + (complex(*corner) + (0.5 + 0.5j) - self.shift)) / self.scale
        chosen = np.zeros(len(x), np.uint8)
        for i, part in enumerate(piece.parts, start=1):
            here = number == i
            chosen[here] = piece.fabric.choose(*part.warp(place[here]))
        picture = np.zeros((parts.height, parts.width, 3), np.uint8)
        picture[y, x] = table[chosen, np.asarray(tones)[y, x]]
        self.image.paste(Image.fromarray(picture), corner, mask)

    def _cast(self, piece):
        """Darkens what lies just below and to the right of a shape, on the figure but not on the background."""
        (left, top), parts = self._boxed(piece)
        left, top = left + round(0.0024 * self.scale), top + round(0.004 * self.scale)
        below = self.labels.crop((left, top, left + parts.width, top + parts.height)).point(_shadow_table(piece.shadow))
        self.image.paste(SHADOW_COLOR, (left, top), ImageChops.darker(parts.point(_OPAQUE), below))

    def result(self):
        """Returns the picture [H, W, 3] and its labels [H, W], uint8."""
        middle = self.oversample // 2
        labels = np.asarray(self.labels)[middle :: self.oversample, middle :: self.oversample]
        return np.array(self.image.reduce(self.oversample)), np.where(labels == BODY, 0, labels).astype(np.uint8)
