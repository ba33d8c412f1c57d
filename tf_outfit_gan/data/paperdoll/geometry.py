"""Smooth curves, limbs and the coordinates that textures follow; outlines are arrays of complex places."""

from functools import cache

import numpy as np


def places(pairs):
    """Returns (x, y) pairs as complex numbers [N]."""
    return np.array(pairs, float).view(complex)[:, 0]


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


def curve(knots, steps=6):
    """Returns a smooth open curve through the knots [N]; its ends are the first and the last of them."""
    return _catmull_rom(len(knots), steps, False) @ np.asarray(knots)


def loop(knots, steps=4):
    """Returns a smooth closed curve through the knots [N]."""
    return _catmull_rom(len(knots), steps, True) @ np.asarray(knots)


@cache
def grid(count):
    """Returns `count` numbers from 0 to 1; not to be changed."""
    return np.linspace(0, 1, count)


def blend(a, b, t):
    return a + t * (b - a)


def unit_vector(vector):
    return vector / max(abs(vector), 1e-9)


def inset(outline, amount):
    """Moves a closed outline inwards by `amount`, whichever way round it runs."""
    ahead = np.concatenate([outline[1:], outline[:1]])
    tangent = ahead - np.concatenate([outline[-1:], outline[:-1]])
    clockwise = (outline.conj() * ahead).imag.sum() > 0
    return outline + tangent * ((1j if clockwise else -1j) * amount / np.maximum(abs(tangent), 1e-9))


def ribbon(line, width):
    """Returns the closed outline of a band along an open line [N], as wide as `width`, a number or [N]."""
    tangent = np.empty_like(line)
    tangent[1:-1] = line[2:] - line[:-2]
    tangent[0], tangent[-1] = line[1] - line[0], line[-1] - line[-2]
    aside = tangent * (0.5j * width / np.maximum(abs(tangent), 1e-9))
    return np.concatenate([line + aside, (line - aside)[::-1]])


def profile(knots):
    """Returns a smooth function through (position, value) pairs, tabulated once: limbs ask for it all the time."""
    table = curve(np.array(knots, float), steps=8)
    positions, values = table[:, 0].copy(), table[:, 1].copy()
    return lambda u: np.interp(u, positions, values)


class Warp:
    """Texture coordinates of a chain of joints: u runs along it, v across it, both in body units.

    At a bend the chain's next bone takes over on the far side of the angle's bisector.
    """

    def __init__(self, joints, unit, squeeze=1.0, u0=0.0, v0=0.0):
        self.joints, self.unit, self.squeeze, self.u0, self.v0 = joints, unit, squeeze, u0, v0

    def __call__(self, place):
        """Maps complex places [...] to u and v [...]."""
        begin, before = self.u0, None
        for joint, end in zip(self.joints, self.joints[1:]):
            direction = unit_vector(end - joint)
            local = (place - joint) * (direction.conjugate() / self.unit)
            along, across = local.real + begin, self.v0 - local.imag / self.squeeze
            if before is None:
                u, v = along, across
            else:
                beyond = ((place - joint) * (direction + before).conjugate()).real > 0
                u, v = np.where(beyond, along, u), np.where(beyond, across, v)
            begin, before = begin + abs(end - joint) / self.unit, direction
        return u, v


class Limb:
    """Two bones with a rounded joint between them; u in [0, 2] runs along them, the joint at 1.

    `joints` are three places; `side` is -1 for the person's right and +1 for the left, so that the outer edge of a
    hanging limb lies away from the body; `radii` are two functions of u, from the center line to the outer and inner
    edge.
    """

    ROUNDING = 0.22
    _U = np.linspace(-0.2, 2.2, 73)

    def __init__(self, joints, unit, side, radii, fine=True):
        self.joints, self.unit, self.side, self.radii, self.fine = joints, unit, side, radii, fine
        a, b, c = joints
        u, q = self._U, self.ROUNDING
        straight = np.where(u < 1, a + u * (b - a), b + (u - 1) * (c - b))
        t = (u - 1 + q) / (2 * q)
        rounded = (1 - t) ** 2 * (b + q * (a - b)) + 2 * t * (1 - t) * b + t**2 * (b + q * (c - b))
        self._center = np.where(np.abs(u - 1) < q, rounded, straight)
        tangent = np.empty_like(self._center)
        tangent[1:-1] = self._center[2:] - self._center[:-2]
        tangent[0], tangent[-1] = tangent[1], tangent[-2]
        self._outward = tangent * (-1j * side) / np.maximum(abs(tangent), 1e-9)

    def center(self, u):
        """Returns the places of the center line at u."""
        return np.interp(u, self._U, self._center)

    def outward(self, u):
        """Returns the unit normals at u that point to the limb's outer edge."""
        return np.interp(u, self._U, self._outward)

    def edges(self, u, ease=0.0):
        """Returns the outer and the inner edge at u [N], `ease` body units (a number or [N]) off the skin."""
        center, outward = self.center(u), self.outward(u) * self.unit
        return center + (self.radii[0](u) + ease) * outward, center - (self.radii[1](u) + ease) * outward

    def at(self, u, v):
        """Returns the places at u, v body units from the center line towards the outer edge."""
        return self.center(u) + self.unit * np.asarray(v) * self.outward(u)
