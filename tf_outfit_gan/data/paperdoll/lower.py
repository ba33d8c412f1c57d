"""Trousers, shorts and skirts."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.cloth import hang, hem_line, panel
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, RIM_WIDTH, SEAM, SHADE, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import blend, curve
from tf_outfit_gan.data.paperdoll.parts import fold, tube

WAIST = 0.70  # Where trousers and skirts sit on the trunk.

# Trousers: their smallest distance from the skin, and the radius of a leg at hip, knee and ankle where that is more.
WIDTHS = {
    "slim": (0.003, (0.040, 0.028, 0.020)),
    "straight": (0.005, (0.048, 0.039, 0.034)),
    "wide": (0.008, (0.054, 0.056, 0.064)),
    "flared": (0.003, (0.044, 0.031, 0.056)),
}


@dataclass(frozen=True)
class Trousers:
    fabric: Fabric
    width: str = "straight"
    end: float = 1.93  # Where they end along the leg: 0.5 is a short, 1.93 the ankle.


@dataclass(frozen=True)
class Skirt:
    fabric: Fabric
    length: float = 0.22  # Below the hips, in body units.
    flare: float = 0.03
    pleats: int = 0


def _waist(body):
    """Returns half the width of a waistband."""
    return max(body.waist, np.interp(WAIST, [0.62, 0.86], [body.waist, 0.95 * body.hips])) + 0.003


def _waistband(figure):
    w = 0.9 * _waist(figure.body)
    line = figure.torso.front(w * np.array([-1.1, 0, 1.1]), WAIST + np.array([0.05, 0.065, 0.05]), np.array([0, 1, 0]))
    return curve(line, 4), 0.0014 * figure.unit, SEAM


def trousers(figure, cut, label):
    body, unit = figure.body, figure.unit
    least, radii = WIDTHS[cut.width]
    skin = body.leg_radii()[0]

    def ease(u):
        hang = np.interp(u, [0, 1, 2], radii) * body.girth - skin(u)
        return np.maximum(hang, least + 0.006 * (cut.end < 1.2) * u)

    parts = []
    for i in (figure.far_leg, 1 - figure.far_leg):
        limb, r = figure.legs[i], 0.024 * body.girth
        leg = tube(limb, 0.06, cut.end, ease=ease, hem=0.08, cap=0.3, u0=body.torso, v0=p.SIGN[i] * body.hip_joint)
        if figure.fine and cut.end > 1.2:  # Folds in the hollow of the knee.
            for u in (0.94, 1.03):
                crease = limb.at(u + np.array([0, 0.02, -0.03]), r * np.array([-1.1, -0.4, 0.4]))
                leg[0].tones.append((fold(*crease, 0.005 * unit), SHADE))
        parts += leg
    parts.append(_seat(figure, least, body.hip_joint + skin(0.12) + float(ease(0.12))))
    lines = _seams(figure) if figure.fine else []
    return [Piece(cut.fabric, parts, lines, label, shadow=0.28)]


def _seams(figure):
    """Returns waistband, fly and pockets."""
    torso, unit = figure.torso, figure.unit
    if figure.faces < 0:
        return [_waistband(figure)]
    x, t = np.array([0.045, 0.072]), np.array([WAIST + 0.07, 0.93])
    pockets = [(torso.front(s * x, t, 0.7), 0.0013 * unit, SEAM) for s in p.SIGN]
    return [_waistband(figure), (torso.front(0.0, np.array([WAIST + 0.06, 1.0, 1.18])), 0.0014 * unit, SEAM), *pockets]


def _seat(figure, least, thigh):
    """Returns the part of trousers from the waist to the crotch; below it has no rim, for there the legs begin."""
    torso, body = figure.torso, figure.body
    hips = max(body.hips + least, thigh)
    x = np.array([_waist(body), 0.94 * hips, hips, hips])
    t = np.array([WAIST, 0.88, 1.0, 1.10])
    crotch = torso.at(np.array([0.0]), 1.20)
    outline, core = (
        np.concatenate([curve(torso.at(x - rim, t), 4), crotch, curve(torso.at(rim - x, t), 4)[::-1]])
        for rim in (0.0, RIM_WIDTH / figure.unit)
    )
    if not figure.fine:
        return Part(outline, core, warp=torso.warp())
    lit = core if figure.faces > 0 else core[::-1]
    shade = np.concatenate([lit[:13], torso.at(figure.faces * np.array([0.06, 0.055, 0.045]), np.array([1.16, 1.0, WAIST]))])
    return Part(outline, core, [(shade, SHADE)], torso.warp())


def skirt(figure, cut, label):
    torso, body, unit = figure.torso, figure.body, figure.unit
    ease, sides = 0.005, []
    for s in p.SIGN:
        top = torso.at(s * np.array([_waist(body), 0.95 * body.hips + ease]), np.array([WAIST, 0.88]))
        sides.append(curve(np.concatenate([top, hang(figure, s, cut.length, cut.flare, ease)]), 3))
    left, right = sides
    hem = hem_line(right[-1], left[-1], 0.008 * unit, 0.003 * unit * (cut.flare > 0.04))
    waist = torso.front(np.array([0.0]), WAIST + 0.015)
    part = panel(np.concatenate([right, hem, left[::-1], waist]), figure, left, right)
    if not figure.fine:
        return [Piece(cut.fabric, [part], label=label)]
    aside = unit * (0.004 + 0.06 * max(cut.flare, 0))
    for k, share in enumerate(np.linspace(0.1, 0.9, cut.pleats) if cut.pleats else (0.25, 0.5, 0.68)):
        top = complex(torso.at(0.8 * body.hips * (2 * share - 1), WAIST + 0.08 if cut.pleats else 0.98))
        bottom = blend(left[-1], right[-1], share) + 0.004j * unit
        tone = SHADE if k % 2 == 0 or cut.pleats else LIGHT
        part.tones.append((np.array([top, bottom - aside, bottom + aside]), tone))
    return [Piece(cut.fabric, [part], [_waistband(figure)], label, shadow=0.28)]
