"""Shoes: a foot's solid, seen from where the figure stands, and a shaft around the leg."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.drawing import BODY, LIGHT, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, shaded
from tf_outfit_gan.data.paperdoll.geometry import Limb, loop
from tf_outfit_gan.data.paperdoll.parts import tube

TILT = 0.24  # How far the ground's depth shows in the picture: feet lie far below the camera.
BARE = [(-0.024, 0.036), (-0.018, 0.046), (0.015, 0.044), (0.05, 0.024), (0.075, 0.018), (0.092, 0.010)]
RUBBER = (240, 238, 232)
LACE = 232  # A tone.

# (distance along the foot from the ankle, height of the upper over the sole), heel to toe.
UPPERS = {
    "sneaker": [
        (-0.032, 0.012),
        (-0.033, 0.034),
        (-0.026, 0.050),
        (0.022, 0.046),
        (0.042, 0.036),
        (0.070, 0.027),
        (0.092, 0.019),
        (0.102, 0.008),
    ],
    "boot": [
        (-0.031, 0.012),
        (-0.031, 0.034),
        (-0.024, 0.052),
        (0.020, 0.050),
        (0.045, 0.035),
        (0.072, 0.025),
        (0.094, 0.016),
        (0.104, 0.006),
    ],
    "pump": [(-0.029, 0.010), (-0.029, 0.034), (-0.024, 0.040), (0.030, 0.027), (0.060, 0.022), (0.085, 0.014), (0.107, 0.004)],
    "flat": [(-0.030, 0.010), (-0.031, 0.032), (-0.024, 0.038), (0.030, 0.029), (0.060, 0.024), (0.085, 0.018), (0.101, 0.007)],
}
# From where to where along the foot a shoe is open, and half its opening's width.
OPENINGS = {"sneaker": (-0.025, 0.017, 0.0125), "pump": (-0.023, 0.046, 0.0115), "flat": (-0.023, 0.044, 0.0120)}
SOLES = {"sneaker": 0.010, "boot": 0.006}
# How high the shaft reaches along the leg (2 = ankle, 1 = knee).
SHAFTS = {"ankle": 1.78, "knee": 1.12}

_DIRECTIONS = np.exp(1j * np.linspace(0, 2 * np.pi, 45)[:-1])
_TURN = np.exp(1j * np.linspace(0, 2 * np.pi, 19)[:-1])


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

    def solid(self, profile, low=0.0, high=1.0, narrow=0.8):
        """Returns the convex outline of the foot below a profile, between the heights `low` and `high`."""
        s, h = np.array(profile).T
        w = np.interp(s, [-0.034, -0.02, 0.02, 0.065, 0.090, 0.106], [0.009, 0.0165, 0.0165, 0.0205, 0.0165, 0.006])
        h, top = np.minimum(h, high), narrow * w
        bottom = np.full(2 * len(s), low)
        points = self.at(np.tile(s, 4), np.concatenate([bottom, h, h]), np.concatenate([-w, w, -top, top]))
        return points[np.argmax((points[:, None] * _DIRECTIONS.conj()).real, axis=0)]


def _shoe(foot, cut, limb, label, inner, fine):
    """Returns the layers of one shoe on a leg; its opening shows the color `inner`."""
    profile, thick, unit = UPPERS[cut.kind], SOLES.get(cut.kind, 0.0), foot.unit
    layers, parts, lines = [], [], []
    if cut.heel:
        width = 0.005 if cut.kind == "pump" else 0.011
        tip = foot.ankle + unit * (1j * (Body.ANKLE + foot.heel) - 0.027 * foot.ahead)
        top = foot.at(np.array([-0.030, -0.030 + 2.6 * width]), 0.004, 0.0)
        heel = np.append(top, [tip + 1.2 * width * unit * foot.ahead, tip])
        layers.append(Flat(shaded(cut.fabric, 0.75), [heel], label))
    if thick:
        base = [(s, thick) for s in (-0.035, -0.02, 0.02, 0.045, 0.072, 0.092, 0.104)]
        color = RUBBER if cut.kind == "sneaker" else shaded(cut.fabric, 0.5)
        layers.append(Flat(color, [foot.solid(base, 0.0, thick, narrow=1.0)], label))
    if cut.shaft:
        parts += tube(limb, SHAFTS[cut.shaft], 2.06, lambda u: np.interp(u, [1.8, 2], [0.005, 0.009]), hem=0.0)
    parts.append(Part(foot.solid(profile, thick)))
    if fine:
        s, h, w = np.array([(0.060, 0.024, 0.002), (0.078, 0.019, 0.008), (0.085, 0.017, -0.004)]).T
        parts[-1].tones.append((loop(foot.at(s, h, w), 3), LIGHT))
    if fine and cut.kind == "sneaker":  # Laces.
        for s, h in ((0.030, 0.0412), (0.041, 0.0359), (0.052, 0.0325)):
            lines.append((foot.at(np.array([s, s]), h, np.array([-0.009, 0.009])), 0.0018 * unit, LACE))
    layers.append(Piece(cut.fabric, parts, lines, label, shadow=0.15))
    if cut.kind in OPENINGS:
        begin, end, half = OPENINGS[cut.kind]
        s = (begin + end) / 2 + (end - begin) / 2 * _TURN.real
        h = np.interp(s, *np.array(profile[2:]).T)
        layers.append(Flat(inner, [foot.at(s, h, half * _TURN.imag)]))
    return layers


def _foot_of(figure, i, heel):
    return _Foot(figure.joints[p.ANKLE[i]], figure.feet[i], figure.unit, heel, figure.lifts[i])


def worn(figure, cut, i, label):
    """Returns the shoe of side i."""
    return _shoe(_foot_of(figure, i, cut.heel), cut, figure.legs[i], label, figure.body.skin, figure.fine)


def bare(figure, i):
    """Returns the part of a bare foot, which low shoes leave open."""
    foot = _foot_of(figure, i, figure.heels)
    return Part(foot.solid(BARE))


def laid_out(cut, fine):
    """Returns a pair in profile, as shops show it."""
    layers = []
    for ankle in (0.018 - 0.030j, 0j):
        limb = Limb([ankle + 0.004 - 0.47j, ankle + 0.006 - 0.235j, ankle], 1.0, -1, Body().leg_radii(), fine)
        foot = _Foot(ankle, (0.985, 0.0, 0.17), 1.0, cut.heel)
        layers += _shoe(foot, cut, limb, BODY, shaded(cut.fabric, 0.55), fine)
    return layers
