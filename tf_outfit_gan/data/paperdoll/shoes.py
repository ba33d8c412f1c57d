"""Shoes: a foot's solid, seen from where the figure stands, and a shaft around the leg."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, SHADE, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, trim
from tf_outfit_gan.data.paperdoll.geometry import Limb, loop
from tf_outfit_gan.data.paperdoll.parts import tube

TILT = 0.24  # How far the ground's depth shows in the picture: feet lie far below the camera.

# (distance along the foot from the ankle, height of the upper over the sole), heel to toe.
UPPERS = {
    "sneaker": [(-0.030, 0.042), (-0.022, 0.050), (0.020, 0.046), (0.045, 0.034), (0.075, 0.026), (0.096, 0.014)],
    "boot": [(-0.030, 0.050), (-0.024, 0.055), (0.022, 0.052), (0.045, 0.034), (0.078, 0.024), (0.097, 0.012)],
    "pump": [(-0.029, 0.038), (-0.022, 0.040), (0.010, 0.022), (0.050, 0.020), (0.080, 0.016), (0.104, 0.006)],
    "flat": [(-0.029, 0.036), (-0.022, 0.038), (0.020, 0.024), (0.045, 0.024), (0.078, 0.019), (0.098, 0.010)],
}
# How high the shaft reaches along the leg (2 = ankle, 1 = knee).
SHAFTS = {"ankle": 1.78, "knee": 1.12}
WHITE_RUBBER = Fabric(((240, 238, 232),))


@dataclass(frozen=True)
class Shoes:
    fabric: Fabric
    kind: str = "sneaker"  # sneaker, boot, pump, flat
    shaft: str | None = None
    heel: float = 0.0
    sole: Fabric = WHITE_RUBBER


def _support(points, directions=36):
    """Returns the convex outline around points [N, 2]."""
    angles = np.linspace(0, 2 * np.pi, directions, endpoint=False)
    way = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return points[np.argmax(points @ way.T, axis=0)]


class _Foot:
    """Places on a foot that stands with its ankle above `ankle`, its toes pointing along `ahead` (x and z of the ground)."""

    def __init__(self, ankle, ahead, unit, heel, lift=0.0):
        self.ankle, self.unit, self.rise = np.asarray(ankle, float), unit, heel + min(lift, 0.045)
        length = np.hypot(ahead[0], ahead[2])
        self.ahead, self.aside = (np.array([ahead[0], TILT * ahead[2]]) / length, np.array([ahead[2], -TILT * ahead[0]]) / length)
        self.ground = Body.ANKLE + self.rise

    def at(self, s, h, w):
        """Returns points [N, 2] s along the foot, h over its sole, w to its side; the heel stands high, the ball low."""
        s, h, w = np.broadcast_arrays(*(np.asarray(a, float) for a in (s, h, w)))
        h = h + self.rise * np.clip((0.062 - s) / 0.085, 0, 1)
        flat = np.multiply.outer(s, self.ahead) + np.multiply.outer(w, self.aside)
        return self.ankle + self.unit * (flat + np.stack([np.zeros_like(h), self.ground - h], axis=-1))

    @staticmethod
    def half_width(s):
        return np.interp(s, [-0.034, -0.02, 0.02, 0.065, 0.090, 0.106], [0.009, 0.0165, 0.0165, 0.0205, 0.0165, 0.006])

    def solid(self, profile, low, high=None):
        """Returns the convex outline of a slice of the foot between heights `low` and the profile (or `high`)."""
        s, h = np.asarray(profile, float).T
        w = self.half_width(s)
        if high is not None:
            h = np.minimum(h, high)
        points = [self.at(s, np.full_like(s, low), side * w) for side in (-1, 1)]
        points += [self.at(s, h, side * w * (0.8 if high is None else 1.0)) for side in (-1, 1)]
        return _support(np.concatenate(points))


def _pair_part(foot, cut, limb, label):
    """Returns the pieces of one shoe; `limb` is the leg that its shaft surrounds."""
    profile = UPPERS[cut.kind]
    pieces, unit = [], foot.unit
    thick = 0.012 if cut.kind == "sneaker" else 0.007 if cut.kind == "boot" else 0.003
    if cut.heel:
        width = 0.005 if cut.kind == "pump" else 0.011
        top = foot.at(np.array([-0.030, -0.030 + 2.6 * width]), 0.004, 0.0)
        low = foot.at(np.array([-0.027 + 1.2 * width, -0.027]), 0, 0.0)
        low[:, 1] = (foot.ankle[1] + unit * (foot.ground - (foot.rise - cut.heel))) + 0.0
        pieces.append(Piece(trim(cut.fabric.colours[0], 0.75), [Part(np.concatenate([top, low]))], label=label, shadow=0))
    parts = []
    rear = [(s, h) for s, h in profile if s < 0.05]
    front = [(s, h) for s, h in profile if s > 0.015]
    front = [(0.03, front[0][1]), *front[1:]] if cut.kind in ("pump", "flat") else front
    parts.append(Part(foot.solid(rear, 0.0) if cut.kind not in ("pump", "flat") else foot.solid(profile[:3], 0.0)))
    body_outline = foot.solid([(-0.034, 0.02), *front] if cut.kind in ("pump", "flat") else front, 0.0)
    highlight = foot.at([0.060, 0.078, 0.085], [0.024, 0.019, 0.017], [0.002, 0.008, -0.004])
    parts.append(Part(body_outline, tones=[(loop(highlight, 3), LIGHT)]))
    lines = []
    if cut.kind == "sneaker":
        for s in (0.030, 0.041, 0.052):
            h = np.interp(s, [0.02, 0.045, 0.075], [0.046, 0.034, 0.026])
            lines.append((foot.at([s, s], [h, h - 0.001], [-0.009, 0.009]), 0.0018 * unit, 230))
    if cut.shaft:
        shaft = tube(limb, SHAFTS[cut.shaft], 2.06, ease=lambda u: np.interp(u, [1, 1.8, 2], [0.005, 0.006, 0.009]), tone=SHADE, open_begin=False)
        parts = shaft + parts[1:] + parts[:1] if False else parts + shaft
    pieces.append(Piece(cut.fabric, parts, lines, label, shadow=0.15))
    if thick > 0.004:
        base = [(-0.034, thick), *[(s, thick) for s, _ in profile[2:]], (0.101, thick * 0.8)]
        sole = cut.sole if cut.kind == "sneaker" else trim(cut.fabric.colours[0], 0.5)
        pieces.append(Piece(sole, [Part(foot.solid(base, 0.0, thick))], label=label, shadow=0))
    return pieces


def worn(figure, cut, i, label):
    """Returns the shoe of side i."""
    foot = _Foot(figure.joints[p.ANKLE[i]], figure.feet[i], figure.unit, cut.heel, figure.lifts[i])
    return _pair_part(foot, cut, figure.legs[i], label)


def laid_out(cut):
    """Returns a pair side by side in profile, as shops show it."""
    pieces = []
    for dx, dy in ((0.018, -0.030), (0.0, 0.0)):
        ankle = np.array([dx, dy])
        limb = Limb([ankle + (0.004, -0.47), ankle + (0.006, -0.235), ankle], 1.0, -1, Body().leg_radii())
        pieces += _pair_part(_Foot(ankle, np.array([0.985, 0.0, 0.17]), 1.0, cut.heel), cut, limb, 0)
    return pieces


def bare_foot(figure, i, fabric):
    """Returns the skin of a foot, which low shoes leave open."""
    foot = _Foot(figure.joints[p.ANKLE[i]], figure.feet[i], figure.unit, figure.heels, figure.lifts[i])
    rear = [(-0.022, 0.044), (0.015, 0.042), (0.05, 0.022)]
    return Piece(fabric, [Part(foot.solid(rear, 0.004)), Part(foot.solid([(0.02, 0.034), (0.05, 0.022), (0.085, 0.016)], 0.004))], shadow=0)
