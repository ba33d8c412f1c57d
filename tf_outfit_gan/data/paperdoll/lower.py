"""Trousers, shorts and skirts."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.cloth import hang, hem_line, panel
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, SEAM, SHADE, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import curve
from tf_outfit_gan.data.paperdoll.parts import fold, tube

WAIST = 0.70  # Where trousers and skirts sit on the trunk.

# Trousers: distance from the skin at hip, knee and ankle.
WIDTHS = {"slim": (0.003, 0.004, 0.004), "straight": (0.005, 0.011, 0.018), "wide": (0.010, 0.028, 0.046), "flared": (0.003, 0.005, 0.032)}


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


def trousers(figure, cut, label):
    torso, body, unit = figure.torso, figure.body, figure.unit
    hip, knee, ankle = WIDTHS[cut.width]
    if cut.end < 1.2:
        knee += 0.006

    def ease(u):
        return np.interp(u, [0, 0.3, 1, 2], [hip, hip + 0.001, knee, ankle])

    parts = []
    for i in (figure.far_leg, 1 - figure.far_leg):
        limb = figure.legs[i]
        leg = tube(limb, 0.06, cut.end, ease=ease, hem=0.08, cap=True, v0=p.SIGN[i] * body.hip_joint, u0=body.torso)
        r = body.girth * 0.024
        if cut.end > 1.2:  # Folds in the hollow of the knee, and a pressed highlight.
            for u in (0.94, 1.03):
                leg[0].tones.append((fold(*limb.at([u, u + 0.02, u - 0.03], [-1.1 * r, -0.4 * r, 0.4 * r]), 0.005 * unit), SHADE))
        parts += leg
    rim = 0.0013 / unit
    sides, cores = [], []
    for s in p.SIGN:
        x = np.array([body.waist + 0.003, 0.93 * body.hips + hip, body.hips + hip, body.hips + hip])
        x[0] = max(x[0], np.interp(WAIST, [0.62, 0.86], [body.waist, 0.95 * body.hips]) + 0.003)
        t = np.array([WAIST, 0.88, 1.0, 1.10])
        sides.append(curve(torso.at(s * x, t), 4))
        cores.append(curve(torso.at(s * (x - rim), t), 4))
    crotch = torso.at([0.0], [1.20])
    block = np.concatenate([sides[1], crotch, sides[0][::-1]])
    core = np.concatenate([cores[1], crotch, cores[0][::-1]])
    right = np.concatenate([cores[1], torso.at([0.06], [1.16]), torso.at([0.055], [1.0]), torso.at([0.045], [WAIST])])
    parts.append(Part(block, core, [(right, SHADE)], torso.warp()))
    w = body.waist + 0.004
    lines = [
        (curve(torso.front([-w, 0, w], [WAIST + 0.05, WAIST + 0.065, WAIST + 0.05], [0, 1, 0]), 4), 0.0014 * unit, SEAM),
        (curve(torso.front([0.0, 0.001, 0.0], [WAIST + 0.06, 1.0, 1.18]), 4), 0.0014 * unit, SEAM),
    ]
    for s in p.SIGN:
        lines.append((torso.front([s * 0.045, s * 0.072], [WAIST + 0.07, 0.93], 0.7), 0.0013 * unit, SEAM))
    return [Piece(cut.fabric, parts, lines, label, shadow=0.28)]


def skirt(figure, cut, label):
    torso, body, unit = figure.torso, figure.body, figure.unit
    ease = 0.005
    sides = []
    for s in p.SIGN:
        waist = max(body.waist, np.interp(WAIST, [0.62, 0.86], [body.waist, 0.95 * body.hips])) + 0.003
        top = torso.at(s * np.array([waist, 0.95 * body.hips + ease]), [WAIST, 0.88])
        sides.append(curve(np.concatenate([top, hang(figure, s, cut.length, cut.flare, ease)]), 3))
    left, right = sides
    waves = 0.003 * unit if cut.flare > 0.04 else 0
    hem = hem_line(right[-1], left[-1], 0.008 * unit, waves, 19 if waves else 9)
    band = torso.front([0], [WAIST + 0.015])
    outline = np.concatenate([right, hem, left[::-1], band])
    part = panel(outline, figure, left, right)
    shares = np.linspace(0.1, 0.9, cut.pleats) if cut.pleats else (0.25, 0.5, 0.68)
    w = 0.8 * body.hips
    for k, share in enumerate(shares):
        top = torso.at([w * (2 * share - 1)], [WAIST + 0.08 if cut.pleats else 0.98])[0]
        bottom = left[-1] + share * (right[-1] - left[-1]) + (0, 0.004 * unit)
        aside = np.array([unit * (0.004 + 0.06 * max(cut.flare, 0)), 0])
        part.tones.append((np.stack([top, bottom - aside, bottom + aside]), SHADE if k % 2 == 0 or cut.pleats else LIGHT))
    lines = [(curve(torso.front([-w, 0, w], [WAIST + 0.05, WAIST + 0.065, WAIST + 0.05], [0, 1, 0]), 4), 0.0014 * unit, SEAM)]
    return [Piece(cut.fabric, [part], lines, label, shadow=0.28)]
