"""How cloth hangs: the sides of garments on the trunk and of skirts around the legs, sleeves, necklines, hems."""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import SHADE, Part
from tf_outfit_gan.data.paperdoll.geometry import curve
from tf_outfit_gan.data.paperdoll.parts import tube

NECK = 0.034  # Where the shoulder's slope begins, from the middle.


def slope(figure, x):
    """Returns t of the top of the shoulder at a distance x from the middle."""
    return -0.17 + 0.115 * (x - NECK) / (figure.body.shoulder + 0.004 - NECK)


def neckline(figure, shape, width, depth):
    """Returns a neckline [N, 2] from the person's right over the front's middle to the left."""
    torso, edge = figure.torso, slope(figure, width)
    if shape == "v":
        x = np.array([-1, -0.5, 0, 0.5, 1]) * width
        t = edge + (depth - edge) * np.array([0, 0.52, 1, 0.52, 0])
        return torso.front(x, t, [0, 0.6, 1, 0.6, 0])
    bottom = {"round": 0.86, "square": 0.985}[shape]
    x = np.array([-1, -0.93, -0.55, 0, 0.55, 0.93, 1]) * width
    t = edge + (depth - edge) * np.array([0, 0.5, bottom, 1, bottom, 0.5, 0])
    return curve(torso.front(x, t, [0, 0.4, 0.8, 1, 0.8, 0.4, 0]), 4)


def hang(figure, s, length, flare, ease, levels=7):
    """Returns one side [N, 2] of cloth that hangs from the hips (t = 1) around both legs, `length` body units long.

    `flare` is how much wider the hem is than the hips; cloth never cuts into a leg, and does not cling below a bulge.
    """
    unit, body = figure.unit, figure.body
    hip = figure.torso.at([s * (body.hips + ease)], [1.0])[0]
    middle = figure.torso.pelvis[1]
    y = np.linspace(hip[1], middle + length * unit, levels)
    u = np.linspace(0.1, 2.0, 20)
    reach = np.full(levels, -np.inf)
    for leg in figure.legs:
        for edge in leg.edges(u):
            reach = np.maximum(reach, np.interp(y, edge[:, 1], s * edge[:, 0]))
    x = s * hip[0] + flare * unit * np.linspace(0, 1, levels) ** 1.2
    x[1:] = np.maximum(x[1:], reach[1:] + max(ease, 0.004) * unit)
    if flare > -0.005:
        x = np.maximum.accumulate(x)
    # Cloth is taut between the places that hold it out.
    for i in range(levels - 2, 0, -1):
        x[i] = max(x[i], 0.5 * (x[i - 1] + x[i + 1]))
    return np.stack([s * x, y], axis=1)


def side(figure, s, eases, hem, skirt=None):
    """Returns one side [N, 2] of a garment on the trunk, from the armpit to its hem.

    `eases` are the distances from the skin at chest, waist and hips; `hem` is t of the hem, or 1 and more with `skirt` =
    (length, flare) for what hangs below the hips.
    """
    body, (chest, waist, hips) = figure.body, eases
    t = np.array([0.24, 0.36, 0.62, 0.86, 1.0])
    x = np.array([body.chest + chest, body.chest + chest, body.waist + waist, 0.95 * body.hips + hips, body.hips + hips])
    if skirt:
        upper = curve(figure.torso.at(s * x, t), 4)
        return np.concatenate([upper[:-1], curve(hang(figure, s, *skirt, hips), 3)])
    x_hem = np.interp(hem, [*t, 1.25], [*x, body.hips + hips])
    keep = t < hem - 0.03
    return curve(figure.torso.at(s * np.append(x[keep], x_hem), np.append(t[keep], hem)), 4)


def shoulder_edge(figure, s, neck_width, tip, ease, sleeved):
    """Returns the edge [N, 2] of a garment from the neck over the shoulder to the armpit."""
    torso, body = figure.torso, figure.body
    neck = torso.at([s * neck_width], [slope(figure, neck_width) - 0.01])
    if sleeved:
        x = s * np.array([body.shoulder * 0.75, body.shoulder + 0.004, body.shoulder + 0.006 + ease, body.chest + ease])
        return np.concatenate([neck, torso.at(x, [slope(figure, body.shoulder * 0.75) - 0.012, -0.065, 0.08, 0.24])])
    top = slope(figure, tip) - 0.01
    x = s * np.array([tip, tip - 0.004, 0.5 * (tip + body.chest) - 0.004, body.chest + ease])
    return np.concatenate([neck, curve(torso.at(x, [top, 0.03, 0.17, 0.25]), 4)])


def hem_line(a, b, sag, waves=0.0, count=9):
    """Returns the inner points of a hem from a to b that sags in its middle, in picture heights; `waves` ripple it."""
    t = np.linspace(0, 1, count)[1:-1]
    points = a + t[:, None] * (b - a)
    points[:, 1] += sag * np.sin(np.pi * t) + waves * np.sin(2 * np.pi * 3.5 * t)
    return points


def sleeve(figure, i, end, ease, flare=0.0, u0=-0.02):
    """Returns the parts of a sleeve that ends at u of the arm."""
    return tube(figure.arms[i], -0.03, end, ease=ease, flare=flare, cap=True, hem=0.10, tone=SHADE,
                v0=p.SIGN[i] * 0.5 * figure.body.shoulder, u0=u0)


def panel(outline, figure, left, right, tone=SHADE, width=0.22):
    """Returns a part with a band of shade along its right side; `left` and `right` are its sides [N, 2] top to bottom."""
    n = min(len(left), len(right))
    a = right[np.linspace(0, len(right) - 1, n).round().astype(int)]
    b = left[np.linspace(0, len(left) - 1, n).round().astype(int)]
    share = width * (0.75 + 0.25 * np.sin(np.linspace(0, 2.2 * np.pi, n)))[:, None]
    band = np.concatenate([a, (a + share * (b - a))[::-1]])
    return Part(outline, tones=[(band, tone)], warp=figure.torso.warp())
