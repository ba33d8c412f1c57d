"""Smooth curves, tapered limbs and the coordinates that textures follow."""

from functools import cache

import numpy as np


@cache
def _catmull_rom(count, steps, closed):
    """Returns the matrix that turns `count` control points into a smooth curve through them."""
    segments = count if closed else count - 1
    curve = np.zeros((segments * steps + (not closed), count))
    for row in range(len(curve)):
        segment = min(row // steps, segments - 1)
        t = (row - segment * steps) / steps
        weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
        for offset, weight in zip((-1, 0, 1, 2), weights):
            column = segment + offset
            column = column % count if closed else min(max(column, 0), count - 1)
            curve[row, column] += weight / 2
    return curve


def curve(points, steps=6):
    """Returns a smooth open curve through the points [N, 2]; its ends are the first and the last."""
    points = np.asarray(points, float)
    return _catmull_rom(len(points), steps, False) @ points


def loop(points, steps=6):
    """Returns a smooth closed curve through the points [N, 2]."""
    points = np.asarray(points, float)
    return _catmull_rom(len(points), steps, True) @ points


def mirrored(half):
    """Completes the right half of an outline symmetric about x = 0; the halves share no point."""
    half = np.asarray(half, float)
    return np.concatenate([half, half[::-1] * (-1, 1)])


def unit_vector(vector):
    return vector / max(np.hypot(*vector), 1e-9)


def inset(outline, amount):
    """Moves a closed outline inwards by `amount`, whichever way round it runs."""
    ahead, behind = np.roll(outline, -1, axis=0), np.roll(outline, 1, axis=0)
    tangent = ahead - behind
    area = np.sum(outline[:, 0] * ahead[:, 1] - ahead[:, 0] * outline[:, 1])
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * (1 if area > 0 else -1)
    length = np.hypot(normal[:, 0], normal[:, 1])[:, None]
    return outline + amount * normal / np.maximum(length, 1e-9)


def profile(knots):
    """Returns a smooth function through (position, value) pairs, tabulated once: limbs ask for it all the time."""
    knots = np.asarray(knots, float)
    table = curve(knots, steps=8)
    return lambda u: np.interp(u, table[:, 0], table[:, 1])


class Warp:
    """Texture coordinates of a chain of joints: u runs along it, v across it, both in body units.

    At a bend the chain's next bone takes over on the far side of the angle's bisector.
    """

    def __init__(self, joints, unit, squeeze=1.0, u0=0.0, v0=0.0):
        self.joints, self.unit, self.squeeze, self.u0, self.v0 = np.asarray(joints, float), unit, squeeze, u0, v0

    def __call__(self, x, y):
        bones = np.diff(self.joints, axis=0)
        lengths = np.hypot(bones[:, 0], bones[:, 1])
        directions = bones / np.maximum(lengths, 1e-9)[:, None]
        begin = self.u0
        u = v = None
        for i, (joint, direction) in enumerate(zip(self.joints, directions)):
            dx, dy = x - joint[0], y - joint[1]
            along = (dx * direction[0] + dy * direction[1]) / self.unit + begin
            across = (dy * direction[0] - dx * direction[1]) / (self.unit * self.squeeze) + self.v0
            if u is None:
                u, v = along, across
            else:
                bisector = direction + directions[i - 1]
                beyond = dx * bisector[0] + dy * bisector[1] > 0
                u, v = np.where(beyond, along, u), np.where(beyond, across, v)
            begin += lengths[i] / self.unit
        return u, v


class Limb:
    """Two bones with a rounded joint between them; places are u in [0, 2], the joint at 1.

    joints [3, 2] in picture heights; `side` is -1 for the person's right and +1 for the left, so that the outer edge of
    a hanging limb lies away from the body; `radii` are functions of u in body units for the outer and inner edge.
    """

    ROUNDING = 0.22

    def __init__(self, joints, unit, side, radii):
        self.joints, self.unit, self.side, self.radii = np.asarray(joints, float), unit, side, radii

    def centre(self, u):
        """Returns the points [N, 2] of the centre line at u [N]."""
        a, b, c = self.joints
        u = np.asarray(u, float)[:, None]
        straight = np.where(u < 1, a + u * (b - a), b + (u - 1) * (c - b))
        q = self.ROUNDING
        t = (u - 1 + q) / (2 * q)
        begin, end = b + q * (a - b), b + q * (c - b)
        rounded = (1 - t) ** 2 * begin + 2 * t * (1 - t) * b + t**2 * end
        return np.where(np.abs(u - 1) < q, rounded, straight)

    def outward(self, u):
        """Returns the unit normals [N, 2] at u [N] that point to the limb's outer edge."""
        u = np.asarray(u, float)
        tangent = self.centre(u + 0.01) - self.centre(u - 0.01)
        tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
        return self.side * np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)

    def edges(self, u, ease=0.0):
        """Returns the outer and the inner edge [N, 2] at u [N], `ease` body units (or [N] of them) off the skin."""
        centre, outward = self.centre(u), self.outward(u)
        outer, inner = (np.asarray(r(u) + ease)[:, None] * self.unit for r in self.radii)
        return centre + outer * outward, centre - inner * outward

    def at(self, u, v):
        """Returns the points [N, 2] at u [N], v [N] body units from the centre line towards the outer edge."""
        u = np.asarray(u, float)
        return self.centre(u) + self.unit * np.asarray(v, float)[:, None] * self.outward(u)
