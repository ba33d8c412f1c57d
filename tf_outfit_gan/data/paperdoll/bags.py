"""Bags: carried in a hand, or on a strap across the body."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import SEAM, SHADE, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, shaded
from tf_outfit_gan.data.paperdoll.geometry import Warp, curve, places, ribbon

# Half width at the top and at the bottom, height, length of the handles.
SHAPES = {
    "tote": (0.075, 0.066, 0.125, 0.060),
    "handbag": (0.054, 0.066, 0.085, 0.040),
    "crossbody": (0.050, 0.052, 0.070, 0.0),
}
BRASS = (214, 176, 92)


@dataclass(frozen=True)
class Bag:
    fabric: Fabric
    kind: str = "handbag"
    size: float = 1.0

    def measures(self):
        return (self.size * value for value in SHAPES[self.kind])


def _box(cut, top, unit, label):
    """Returns the bag's body below the middle of its upper edge."""
    upper, lower, height, _ = cut.measures()

    def at(x, y):
        return top + unit * (np.asarray(x) + 1j * np.asarray(y))

    r = 0.14 * height
    x, y = np.array([lower, 0.99 * lower, lower - r]), height - np.array([r, 0.3 * r, 0])
    bottom = curve(at(np.concatenate([x, [0], -x[::-1]]), np.concatenate([y, [height], y[::-1]])), 3)
    outline = np.concatenate([at([-upper, upper], [0, 0]), bottom])
    band = at([0.62 * upper, 0.97 * upper, 0.97 * lower, 0.66 * lower], [0.004, 0.004, 0.93 * height, 0.97 * height])
    part = Part(outline, tones=[(band, SHADE)], warp=Warp([top, top + 1j * height * unit], unit))
    bag = Piece(cut.fabric, [part], label=label, shadow=0.28)
    if cut.kind == "tote":
        bag.lines.append((at([-0.97 * upper, 0.97 * upper], 0.10 * height), 0.0014 * unit, SEAM))
        return [bag]
    clasp_y, c = (0.52 if cut.kind == "crossbody" else 0.24) * height, 0.008 * cut.size
    clasp = Flat(BRASS, [at([-c, c, c, -c], clasp_y + np.array([-c, -c, c, c]))], label)
    if cut.kind == "handbag":
        bag.lines.append((at([-1.04 * upper, 1.04 * upper], clasp_y), 0.0016 * unit, SEAM))
        return [bag, clasp]
    edge = curve(at(lower * np.array([0.98, 0.7, 0, -0.7, -0.98]), height * np.array([0.3, 0.52, 0.58, 0.52, 0.3])), 4)
    flap = Part(np.concatenate([at([-upper, upper], [0, 0]), edge]))
    return [bag, Piece(Fabric(cut.fabric.colors[:1]), [flap], label=label), clasp]


def _handle(cut, top, unit, label, behind):
    upper, _, _, reach = cut.measures()
    half = places([(-1, 0.006 / reach), (-0.86, -0.55), (-0.3, -0.97)])
    knots = np.concatenate([half, -half[::-1].conj()])
    arch = top + unit * (0.55 * upper * knots.real + 1j * reach * knots.imag + (0.004 - 0.004j) * behind)
    return Flat(shaded(cut.fabric, 0.66 if behind else 0.82), [ribbon(curve(arch), 0.0075 * unit * cut.size)], label)


def _with_handles(cut, top, unit, label):
    return [_handle(cut, top, unit, label, True), *_box(cut, top, unit, label), _handle(cut, top, unit, label, False)]


def in_hand(figure, cut, grip, label):
    """Returns a bag whose handles hang from the place `grip`."""
    *_, reach = cut.measures()
    return _with_handles(cut, grip + 0.9j * reach * figure.unit, figure.unit, label)


def on_strap(figure, cut, i, label):
    """Returns strap and bag across the body, the bag at the hip of side i."""
    s, torso = p.SIGN[i], figure.torso
    bag = complex(torso.at(s * (figure.body.hips + 0.012), 1.03))
    shoulder = torso.at(np.array([-s * 0.056]), -0.14)
    middle = torso.front(s * np.array([-0.036, 0.030, 0.066]), np.array([0.15, 0.55, 0.85]), np.array([0.8, 1, 0.7]))
    way = curve(np.concatenate([shoulder, middle, [bag + 0.004j * figure.unit]]))
    strap = Piece(Fabric((shaded(cut.fabric, 0.80),)), [Part(ribbon(way, 0.0085 * figure.unit))], label=label)
    return [strap, *_box(cut, bag, figure.unit, label)]


def laid_out(cut):
    """Returns the bag from its front, its handles or its strap standing above it."""
    if cut.kind != "crossbody":
        return _with_handles(cut, 0j, 1.0, 0)
    w = 0.92 * next(cut.measures())
    half = places([(-w, 0.004), (-1.12 * w, -0.055), (-0.5 * w, -0.125)])
    arch = curve(np.concatenate([half, -half[::-1].conj()]))
    return [Flat(shaded(cut.fabric, 0.80), [ribbon(arch, 0.0065)]), *_box(cut, 0j, 1.0, 0)]
