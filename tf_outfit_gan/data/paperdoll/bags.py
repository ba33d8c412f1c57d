"""Bags: carried in a hand, or on a strap over the shoulder."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, SEAM, SHADE, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, trim
from tf_outfit_gan.data.paperdoll.geometry import Warp, curve
from tf_outfit_gan.data.paperdoll.parts import ribbon

# Half width at the top and at the bottom, height, length of the handles.
SHAPES = {"tote": (0.075, 0.066, 0.125, 0.060), "handbag": (0.054, 0.066, 0.085, 0.040), "crossbody": (0.050, 0.052, 0.070, 0.0)}


@dataclass(frozen=True)
class Bag:
    fabric: Fabric
    kind: str = "handbag"
    size: float = 1.0


def _box(cut, top, unit, label, sway=0.0):
    """Returns the bag's body below the middle of its upper edge."""
    upper, lower, height, _ = (cut.size * value for value in SHAPES[cut.kind])

    def at(x, y):
        x, y = np.asarray(x, float), np.asarray(y, float)
        return top + unit * np.stack([x + sway * y, y], axis=-1)

    r = 0.14 * height
    low = curve(at([lower, lower * 0.99, lower - r, 0, r - lower, -lower * 0.99, -lower], [height - r, height - 0.3 * r, height, height, height, height - 0.3 * r, height - r]), 3)
    outline = np.concatenate([at([-upper, upper], [0, 0]), low])
    shade = at([upper * 0.62, upper * 0.97, lower * 0.97, lower * 0.66], [0.004, 0.004, height * 0.93, height * 0.97])
    part = Part(outline, tones=[(shade, SHADE)], warp=Warp([top, at([0], [height])[0]], unit))
    lines = []
    pieces = [Piece(cut.fabric, [part], lines, label, shadow=0.28)]
    if cut.kind == "crossbody":
        flap = np.concatenate([at([-upper, upper], [0, 0]), curve(at([lower * 0.98, lower * 0.7, 0, -lower * 0.7, -lower * 0.98], [0.3 * height, 0.52 * height, 0.58 * height, 0.52 * height, 0.3 * height]), 4)])
        pieces.append(Piece(Fabric(cut.fabric.colours[:1]), [Part(flap)], label=label, shadow=0.25))
        pieces.append(_clasp(at, 0.52 * height, cut.size, label))
    elif cut.kind == "handbag":
        lines.append((at([-upper * 1.04, upper * 1.04], [0.24 * height] * 2), 0.0016 * unit, SEAM))
        pieces.append(_clasp(at, 0.24 * height, cut.size, label))
    else:
        lines.append((at([-upper * 0.97, upper * 0.97], [0.10 * height] * 2), 0.0014 * unit, SEAM))
    return pieces


def _clasp(at, y, size, label):
    x = 0.008 * size
    return Piece(Fabric(((214, 176, 92),)), [Part(at([-x, x, x, -x], [y - x, y - x, y + x, y + x]), tones=[(at([-x, 0, -x], [y - x, y - x, y]), LIGHT)])],
                 label=label, shadow=0)


def _handle(cut, top, unit, label, back):
    upper, _, _, reach = (cut.size * value for value in SHAPES[cut.kind])
    x = 0.55 * upper
    arch = curve(top + unit * np.array([(-x, 0.006), (-0.86 * x, -0.55 * reach), (-0.3 * x, -0.97 * reach), (0.3 * x, -0.97 * reach), (0.86 * x, -0.55 * reach), (x, 0.006)]) + np.array([0.004, -0.004]) * unit * back)
    return Piece(trim(cut.fabric.colours[0], 0.72 if back else 0.85), [Part(ribbon(arch, 0.0075 * unit * cut.size))], label=label, shadow=0 if back else 0.2)


def in_hand(figure, cut, grip, label):
    """Returns a bag that hangs from the place `grip`."""
    reach = cut.size * SHAPES[cut.kind][3] * figure.unit
    top = grip + np.array([0, reach * 0.9])
    return [_handle(cut, top, figure.unit, label, 1), *_box(cut, top, figure.unit, label), _handle(cut, top, figure.unit, label, 0)]


def on_strap(figure, cut, i, label):
    """Returns strap and bag across the body, the bag at the hip of side i."""
    s, torso, body = p.SIGN[i], figure.torso, figure.body
    bag = torso.at([s * (body.hips + 0.012)], [1.03])[0]
    shoulder = torso.at([-s * 0.056], [-0.14])[0]
    middle = torso.front(-s * np.array([0.036, -0.030, -0.066]), [0.15, 0.55, 0.85], [0.8, 1, 0.7])
    way = curve(np.concatenate([[shoulder], middle, [bag + (0, 0.004 * figure.unit)]]))
    strap = Piece(trim(cut.fabric.colours[0], 0.80), [Part(ribbon(way, 0.0085 * figure.unit))], label=label, shadow=0.22)
    return [strap, *_box(cut, bag, figure.unit, label)]


def laid_out(cut):
    """Returns the bag from its front, its handles or strap standing above it."""
    top = np.zeros(2)
    if cut.kind == "crossbody":
        w = 0.92 * cut.size * SHAPES[cut.kind][0]
        arch = curve([(-w, 0.004), (-1.12 * w, -0.055), (-0.5 * w, -0.125), (0.5 * w, -0.125), (1.12 * w, -0.055), (w, 0.004)])
        return [Piece(trim(cut.fabric.colours[0], 0.80), [Part(ribbon(arch, 0.0065))], shadow=0), *_box(cut, top, 1.0, 0)]
    return [_handle(cut, top, 1.0, 0, 1), *_box(cut, top, 1.0, 0), _handle(cut, top, 1.0, 0, 0)]
