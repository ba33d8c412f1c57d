"""Shoes: a foot's solid, seen from where the figure stands, and a shaft around the leg."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, shaded
from tf_outfit_gan.data.paperdoll.geometry import Limb, loop
from tf_outfit_gan.data.paperdoll.parts import tube

TILT = 0.24  # How far the ground's depth shows in the picture: feet lie far below the camera.
RUBBER = (240, 238, 232)

# (distance along the foot from the ankle, height of the upper over the sole), heel to toe.
UPPERS = {
    "sneaker": [(-0.030, 0.042), (-0.022, 0.050), (0.020, 0.046), (0.045, 0.034), (0.075, 0.026), (0.096, 0.014)],
    "boot": [(-0.030, 0.050), (-0.024, 0.055), (0.022, 0.052), (0.045, 0.034), (0.078, 0.024), (0.097, 0.012)],
    "pump": [(-0.029, 0.038), (-0.022, 0.040), (0.010, 0.022), (0.050, 0.020), (0.080, 0.016), (0.104, 0.006)],
    "flat": [(-0.029, 0.036), (-0.022, 0.038), (0.020, 0.024), (0.045, 0.024), (0.078, 0.019), (0.098, 0.010)],
}
SOLES = {"sneaker": 0.012, "boot": 0.007}
# How high the shaft reaches along the leg (2 = ankle, 1 = knee).
SHAFTS = {"ankle": 1.78, "knee": 1.12}

_DIRECTIONS = np.exp(1j * np.linspace(0, 2 * np.pi, 33)[:-1])


@dataclass(frozen=True)
class Shoes:
    fabric: Fabric
    kind: str = "sneaker"  # one of UPPERS
    shaft: str | None = None  # one of SHAFTS
    heel: float = 0.0


class _Foot:
    """Places on a foot with its ankle at `ankle`, its toes pointing along `ahead` (x and z of the ground)."""

    def __init__(self, ankle, ahead, unit, heel, lift=0.0):
        self.ankle, self.unit = ankle, unit
        self.heel, self.rise = heel, heel + min(lift, 0.045)
        length = np.hypot(ahead[0], ahead[2])
        self.ahead = complex(ahead[0], TILT * ahead[2]) / length
        self.aside = complex(ahead[2], -TILT * ahead[0]) / length

    def at(self, s, h, w):
        """Returns the places s along the foot, h over its sole, w to its side; a raised foot stands on its ball."""
        h = h + self.rise * np.minimum(np.maximum((0.062 - s) / 0.085, 0), 1)
        return self.ankle + self.unit * (s * self.ahead + w * self.aside + 1j * (Body.ANKLE + self.rise - h))

    def solid(self, profile, narrow=0.8, high=1.0):
        """Returns the convex outline of the foot below a profile, cut off at the height `high`."""
        s, h = np.array(profile).T
        w = np.interp(s, [-0.034, -0.02, 0.02, 0.065, 0.090, 0.106], [0.009, 0.0165, 0.0165, 0.0205, 0.0165, 0.006])
        h, top = np.minimum(h, high), narrow * w
        points = np.concatenate([self.at(s, 0.0, -w), self.at(s, 0.0, w), self.at(s, h, -top), self.at(s, h, top)])
        return points[np.argmax((points[:, None] * _DIRECTIONS.conj()).real, axis=0)]


def _shoe(foot, cut, limb, label):
    """Returns the pieces of one shoe; `limb` is the leg that its shaft surrounds."""
    profile, low, pieces = UPPERS[cut.kind], cut.kind in ("pump", "flat"), []
    if cut.heel:
        width = 0.005 if cut.kind == "pump" else 0.011
        tip = foot.ankle + foot.unit * (1j * (Body.ANKLE + foot.heel) - 0.027 * foot.ahead)
        top = foot.at(np.array([-0.030, -0.030 + 2.6 * width]), 0.004, 0.0)
        pieces.append(Flat(shaded(cut.fabric, 0.75), [np.append(top, [tip + 1.2 * width * foot.unit * foot.ahead, tip])], label))
    # Low shoes are cut out over the instep: heel and toes are solids of their own.
    rear = profile[:3] if low else [knot for knot in profile if knot[0] < 0.05]
    front = [(0.03, profile[3][1]), *profile[3:]] if low else [knot for knot in profile if knot[0] > 0.015]
    highlight = foot.at(np.array([0.060, 0.078, 0.085]), np.array([0.024, 0.019, 0.017]), np.array([0.002, 0.008, -0.004]))
    parts = [Part(foot.solid(rear)), Part(foot.solid([(-0.034, 0.02), *front] if low else front), tones=[(loop(highlight, 3), LIGHT)])]
    lines = []
    if cut.kind == "sneaker":  # Laces.
        for s, h in ((0.030, 0.0412), (0.041, 0.0359), (0.052, 0.0315)):
            lines.append((foot.at(np.array([s, s]), h, np.array([-0.009, 0.009])), 0.0018 * foot.unit, 232))
    if cut.shaft:
        parts += tube(limb, SHAFTS[cut.shaft], 2.06, ease=lambda u: np.interp(u, [1, 1.8, 2], [0.005, 0.006, 0.009]))
    pieces.append(Piece(cut.fabric, parts, lines, label, shadow=0.15))
    if cut.kind in SOLES:
        thick = SOLES[cut.kind]
        base = [(-0.034, thick), *[(s, thick) for s, _ in profile[2:]], (0.101, 0.8 * thick)]
        colour = RUBBER if cut.kind == "sneaker" else shaded(cut.fabric, 0.5)
        pieces.append(Flat(colour, [foot.solid(base, 1.0, thick)], label))
    return pieces


def _foot_of(figure, i, heel):
    return _Foot(figure.joints[p.ANKLE[i]], figure.feet[i], figure.unit, heel, figure.lifts[i])


def worn(figure, cut, i, label):
    """Returns the shoe of side i."""
    return _shoe(_foot_of(figure, i, cut.heel), cut, figure.legs[i], label)


def bare(figure, i):
    """Returns the skin of a foot, which low shoes leave open."""
    foot = _foot_of(figure, i, figure.heels)
    solids = [[(-0.022, 0.044), (0.015, 0.042), (0.05, 0.022)], [(0.02, 0.034), (0.05, 0.022), (0.085, 0.016)]]
    return Piece(Fabric((figure.body.skin,)), [Part(foot.solid(solid)) for solid in solids], shadow=0)


def laid_out(cut):
    """Returns a pair in profile, as shops show it."""
    pieces = []
    for ankle in (0.018 - 0.030j, 0j):
        limb = Limb([ankle + 0.004 - 0.47j, ankle + 0.006 - 0.235j, ankle], 1.0, -1, Body().leg_radii())
        pieces += _shoe(_Foot(ankle, (0.985, 0.0, 0.17), 1.0, cut.heel), cut, limb, 0)
    return pieces
