"""Antialiased painting of shaded shapes: drawn several times too large, then reduced.

A shape's light and shade are drawn as tones in a gray picture, which then multiplies the fabric's colours. Whatever is
shaded, the mean over the shape stays the fabric's colour: the tones are divided by their own mean.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from tf_outfit_gan.data.paperdoll.geometry import inset

# The gray of a surface in plain light; brighter and darker tones are relative to it.
PLAIN = 200
RIM = 140
SHADE = 172
LIGHT = 216
SEAM = 138

RIM_WIDTH = 0.0013  # Picture heights.

# Shadows on skin and cloth turn slightly warm: red darkens less than green and blue do.
_WARMTH = np.array([0.9, 1.03, 1.0])[:, None]
_TONES = np.arange(256) / PLAIN
_TINTED = _TONES ** _WARMTH  # [3, 256]


@dataclass
class Part:
    """A closed outline [N, 2]; `core` is what its dark rim leaves free, `tones` are (polygon, tone) pairs inside it.

    `warp` maps places to texture coordinates; a plain fabric needs none.
    """

    outline: np.ndarray
    core: np.ndarray | None = None
    tones: list = field(default_factory=list)
    warp: object = None


@dataclass
class Piece:
    """Parts of one fabric that are painted as one layer, the later over the earlier.

    `lines` are (points, width, tone) on top; `label` is what the mask shows; `shadow` is the strength of the shadow that
    it casts on what lies below.
    """

    fabric: object
    parts: list
    lines: list = field(default_factory=list)
    label: int = 0
    shadow: float = 0.22


class Canvas:
    """An oversized picture that pieces are painted on.

    `ground` is a small picture, stretched to be the background; `zoom` and `shift` map the pieces' coordinates to
    picture heights. Coordinates are continuous: pixel i covers [i, i + 1).
    """

    def __init__(self, size, ground, zoom=1.0, shift=(0.0, 0.0)):
        height, width = size
        # Small pictures need a finer grid a pixel, for their limbs are thinner than a pixel.
        self.oversample = 2 if height > 512 else 3 if height > 48 else 6
        self.scale, self.shift = height * self.oversample * zoom, np.asarray(shift, float) * height * self.oversample
        extent = (width * self.oversample, height * self.oversample)
        self.image = ground.resize(extent, Image.Resampling.BILINEAR)
        self.labels = Image.new("L", extent)
        self.cover = Image.new("L", extent)

    def _pixels(self, points, corner=(0, 0)):
        """Returns pixel indices as one flat list; a drawn line covers the pixels that it names."""
        return np.rint(points * self.scale + self.shift - 0.5 - corner).astype(int).ravel().tolist()

    def paint(self, piece):
        """Paints a piece over all before it."""
        outlines = np.concatenate([part.outline for part in piece.parts]) * self.scale + self.shift
        left, top = np.maximum(np.floor(outlines.min(axis=0)).astype(int) - 1, 0).tolist()
        right, bottom = np.minimum(np.ceil(outlines.max(axis=0)).astype(int) + 1, self.image.size).tolist()
        if right <= left or bottom <= top:
            return
        corner, extent = (left, top), (right - left, bottom - top)
        mask, tones = self._mask_and_tones(piece, corner, extent)
        if piece.shadow:
            self._cast(mask, corner, extent, piece.shadow)
        count = tones.histogram(mask)
        weights = np.asarray(count) / max(sum(count), 1)
        tables = np.clip(_TINTED / (_TINTED @ weights)[:, None] * np.asarray(piece.fabric.colours)[:, :, None], 0, 255)
        tables = np.rint(tables).astype(int)  # [colours, 3, 256]
        colours = [Image.merge("RGB", [tones.point(channel) for channel in table.tolist()]) for table in tables]
        paint = colours[0]
        if len(colours) > 1:
            for part in piece.parts:
                self._weave(piece.fabric, part, colours, paint, corner, extent)
        self.image.paste(paint, corner, mask)
        self.labels.paste(piece.label, corner, mask)
        self.cover.paste(255, corner, mask)

    def _mask_and_tones(self, piece, corner, extent):
        mask, tones = Image.new("L", extent), Image.new("L", extent, RIM)
        draw_mask, draw_tones = ImageDraw.Draw(mask), ImageDraw.Draw(tones)
        for part in piece.parts:
            outline = self._pixels(part.outline, corner)
            draw_mask.polygon(outline, fill=255)
            draw_tones.polygon(outline, fill=RIM)
            core = inset(part.outline, RIM_WIDTH) if part.core is None else part.core
            draw_tones.polygon(self._pixels(core, corner), fill=PLAIN)
            for polygon, tone in part.tones:
                draw_tones.polygon(self._pixels(polygon, corner), fill=tone)
        for points, width, tone in piece.lines:
            draw_tones.line(self._pixels(points, corner), fill=tone, width=max(1, round(width * self.scale)))
        return mask, tones

    def _weave(self, fabric, part, colours, paint, corner, extent):
        """Pastes the further colours of a patterned fabric where one part shows them."""
        points = np.asarray(self._pixels(part.outline, corner)).reshape(-1, 2)
        left, top = np.maximum(points.min(axis=0), 0).tolist()
        right, bottom = np.minimum(points.max(axis=0) + 1, extent).tolist()
        if right <= left or bottom <= top:
            return
        x = (np.arange(left, right) + corner[0] + 0.5 - self.shift[0]) / self.scale
        y = (np.arange(top, bottom) + corner[1] + 0.5 - self.shift[1]) / self.scale
        chosen = fabric.choose(*part.warp(x[None], y[:, None]))
        shape = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(shape).polygon((points - (left, top)).ravel().tolist(), fill=1)
        chosen = np.where(np.asarray(shape), chosen, 255)
        for k, colour in enumerate(colours[1:], start=1):
            where = Image.fromarray((chosen == k).astype(np.uint8) * np.uint8(255))
            paint.paste(colour.crop((left, top, right, bottom)), (left, top), where)

    def _cast(self, mask, corner, extent, strength):
        """Darkens what lies just below and to the right of a shape, on the figure but not on the background."""
        reach = 0.004 * self.scale
        left, top = corner[0] + round(0.6 * reach), corner[1] + round(reach)
        below = self.cover.crop((left, top, left + extent[0], top + extent[1]))
        alpha = ImageChops.darker(mask, below).point([round(v * strength) for v in range(256)])
        self.image.paste((40, 24, 40), (left, top), alpha)

    def result(self):
        """Returns the picture [H, W, 3] and its labels [H, W], uint8."""
        middle = self.oversample // 2
        labels = np.asarray(self.labels)[middle::self.oversample, middle::self.oversample]
        return np.asarray(self.image.reduce(self.oversample)), np.ascontiguousarray(labels)
