"""How cloth hangs: the sides of garments on the trunk and of skirts around the legs, shoulders, necklines, hems."""

import numpy as np

from tf_outfit_gan.data.paperdoll.drawing import SHADE, Part
from tf_outfit_gan.data.paperdoll.geometry import blend, curve, grid

NECK = 0.034  # Where the shoulder's slope begins, from the middle.


def slope(figure, x):
    """Returns t of the top of the shoulder at a distance x from the middle."""
    return -0.17 + 0.115 * (x - NECK) / (figure.body.shoulder + 0.004 - NECK)


def neckline(figure, shape, width, depth):
    """Returns a neckline from the person's right over the front's middle to the left: round, v or square."""
    edge = slope(figure, width)
    if shape == "v":
        down = np.array([0, 0.52, 1, 0.52, 0])
        x = width * np.array([-1, -0.5, 0, 0.5, 1])
        return figure.torso.front(x, blend(edge, depth, down), np.array([0, 0.6, 1, 0.6, 0]))
    if shape == "square":
        x, down = width * np.array([-1, -0.97, -0.92, 0, 0.92, 0.97, 1]), np.array([0, 0.90, 0.97, 1, 0.97, 0.90, 0])
        return figure.torso.front(x, blend(edge, depth, down), np.array([0, 0.6, 0.7, 1, 0.7, 0.6, 0]))
    x, down = width * np.array([-1, -0.93, -0.55, 0, 0.55, 0.93, 1]), np.array([0, 0.5, 0.86, 1, 0.86, 0.5, 0])
    return curve(figure.torso.front(x, blend(edge, depth, down), np.array([0, 0.4, 0.8, 1, 0.8, 0.4, 0])), 4)


def hang(figure, s, length, flare, ease, levels=7):
    """Returns one side of cloth that hangs from the hips (t = 1) around both legs, `length` body units long.

    `flare` is how much wider than the hips it ends; cloth never cuts into a leg, and does not cling below a bulge.
    """
    unit = figure.unit
    hip = complex(figure.torso.at(s * (figure.body.hips + ease), 1.0))
    s *= figure.faces  # From here on, the side of the picture.
    y = blend(hip.imag, figure.torso.pelvis.imag + length * unit, grid(levels))
    reach = np.full(levels, -np.inf)
    for leg in figure.legs:
        for edge in leg.edges(blend(0.1, 2.0, grid(20))):
            reach = np.maximum(reach, np.interp(y, edge.imag, s * edge.real))
    x = s * hip.real + flare * unit * grid(levels) ** 1.2
    x[1:] = np.maximum(x[1:], reach[1:] + max(ease, 0.004) * unit)
    if flare > -0.005:
        x = np.maximum.accumulate(x)
    for i in range(levels - 2, 0, -1):  # Cloth is taut between the places that hold it out.
        x[i] = max(x[i], 0.5 * (x[i - 1] + x[i + 1]))
    return s * x + 1j * y


def side(figure, s, eases, hem, skirt=None):
    """Returns one side of a garment on the trunk, from the armpit to its hem.

    `eases` are the distances from the skin at chest, waist and hips; `hem` is t of the hem; `skirt` = (length, flare)
    hangs from the hips instead.
    """
    body, (chest, waist, hips) = figure.body, eases
    t = np.array([0.24, 0.36, 0.62, 0.86, 1.0])
    x = np.array([body.chest, body.chest, body.waist, 0.95 * body.hips, body.hips])
    x += np.array([chest, chest, waist, hips, hips])
    if skirt:
        return np.concatenate([curve(figure.torso.at(s * x, t), 4)[:-1], curve(hang(figure, s, *skirt, hips), 3)])
    x_hem = np.interp(hem, t, x)
    keep = t < hem - 0.03
    return curve(figure.torso.at(s * np.append(x[keep], x_hem), np.append(t[keep], hem)), 4)


def shoulder_edge(figure, s, neck_width, tip, ease, sleeved):
    """Returns a garment's edge from the neck over the shoulder (without sleeves to x = `tip` there) to the armpit."""
    torso, body = figure.torso, figure.body
    neck = torso.at(s * np.array([neck_width]), slope(figure, neck_width) - 0.01)
    if sleeved:
        x = s * np.array([0.75 * body.shoulder, body.shoulder + 0.004, body.shoulder + 0.006 + ease, body.chest + ease])
        t = np.array([slope(figure, 0.75 * body.shoulder) - 0.012, -0.065, 0.08, 0.24])
        return np.concatenate([neck, torso.at(x, t)])
    x = s * np.array([tip, tip - 0.004, 0.5 * (tip + body.chest) - 0.004, body.chest + ease])
    return np.concatenate([neck, curve(torso.at(x, np.array([slope(figure, tip) - 0.01, 0.03, 0.17, 0.25])), 4)])


def hem_line(a, b, sag, waves=0.0):
    """Returns the inner places of a hem from a to b that sags in its middle; `waves` is how high it ripples."""
    t = grid(19 if waves else 9)[1:-1]
    return blend(a, b, t) + 1j * (sag * np.sin(np.pi * t) + waves * np.sin(7 * np.pi * t))


def panel(outline, figure, left, right, width=0.22):
    """Returns a part with a band of shade along its right side; `left` and `right` are its sides from top to bottom."""
    if not figure.fine:
        return Part(outline, warp=figure.torso.warp())
    if figure.faces < 0:
        left, right = right, left
    share = grid(18)
    a, b = (edge[(share * (len(edge) - 1)).round().astype(int)] for edge in (right, left))
    width = width * np.minimum(4 * share, 0.75 + 0.25 * np.sin(2.2 * np.pi * share))
    band = np.concatenate([a, blend(a, b, width)[::-1]])
    return Part(outline, tones=[(band, SHADE)], warp=figure.torso.warp())
