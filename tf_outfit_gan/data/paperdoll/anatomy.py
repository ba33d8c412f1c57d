"""The body itself: legs, feet, trunk, neck, arms and hands."""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import RIM_WIDTH, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import curve, loop, unit_vector
from tf_outfit_gan.data.paperdoll.parts import AWAY_FROM_LIGHT, capsule, tube

SKIN_SHADE = 180


def skin(figure):
    return Fabric((figure.body.skin,))


def leg(figure, i):
    """Returns the bare leg of side i, down into the shoe."""
    return Piece(skin(figure), tube(figure.legs[i], 0.05, 2.04, cap=True, tone=SKIN_SHADE), shadow=0.15)


def trunk(figure):
    """Returns neck, shoulders and trunk down to the crotch."""
    torso, body = figure.torso, figure.body
    outline, core = (_trunk_outline(figure, body, rim) for rim in (0.0, RIM_WIDTH / figure.unit))
    shade = np.concatenate([
        torso.at([0.020, 0.024, 0.050, body.chest, body.waist, body.hips * 0.98], [-0.2, -0.1, 0.12, 0.3, 0.62, 1.0]),
        torso.at([body.hips * 0.72, body.waist * 0.62, body.chest * 0.70, 0.030, 0.006, 0.002], [1.0, 0.62, 0.3, 0.12, -0.1, -0.2]),
    ])
    # The chin's shadow on the neck.
    throat = torso.at([-0.022, 0.024, 0.026, -0.004], [-0.30, -0.30, -0.13, -0.19])
    part = Part(outline, core, [(shade, SKIN_SHADE), (loop(throat), 160)])
    collarbones = [
        (curve(torso.front([s * 0.012, s * 0.035, s * 0.066], [0.035, 0.022, 0.000], 0.6)), 0.0016, 172) for s in p.SIGN
    ]
    return Piece(skin(figure), [part], collarbones, shadow=0.12)


def _trunk_outline(figure, body, rim):
    torso = figure.torso
    neck = 0.0235 * (0.5 + 0.5 * body.girth)
    shoulder, chest, waist, hips = body.shoulder, body.chest, body.waist, body.hips
    sides = []
    for s in p.SIGN:
        x = np.array([neck, neck, neck + 0.010, shoulder * 0.72, shoulder + 0.004]) - rim * np.array([1, 1, 1, 0.5, 0])
        top = torso.at(s * x, [-0.36, -0.25, -0.17, -0.105, -0.05])
        x = np.array([shoulder + 0.002, chest, chest + 0.001 * body.curve, waist, hips * 0.95, hips, hips * 0.98]) - rim
        side = torso.at(s * x, [0.10, 0.24, 0.34, 0.62, 0.86, 1.0, 1.08])
        crotch = torso.at([s * 0.02], [1.16])
        sides.append(np.concatenate([curve(top), curve(side), crotch]))
    return np.concatenate([sides[1], sides[0][::-1]])


def arm(figure, i, hand="relaxed"):
    """Returns the bare arm of side i with its hand: relaxed, fist, hip or none."""
    parts = tube(figure.arms[i], 0.0, 2.05, cap=True, tone=SKIN_SHADE)
    if hand == "none":
        return Piece(skin(figure), parts)
    return Piece(skin(figure), parts + _hand(figure, i, hand))


def hand_axes(figure, i, hand="relaxed"):
    """Returns the wrist, the direction in which the hand points, and the direction of its thumb."""
    elbow, wrist = figure.joints[p.ELBOW[i]], figure.joints[p.WRIST[i]]
    along = unit_vector(wrist - elbow)
    if hand == "hip":  # The fingers lie on the hip, and point down and inwards.
        along = unit_vector(0.45 * along + np.array([-0.35 * p.SIGN[i], 0.85]))
    elif hand == "fist":
        along = unit_vector(along + np.array([0, 0.8]))
    thumb = np.array([along[1], -along[0]])
    thumb = thumb * (1 if thumb[0] * -p.SIGN[i] > 0 else -1)
    return wrist, along, thumb


def _hand(figure, i, hand):
    wrist, along, thumb = hand_axes(figure, i, hand)
    size = figure.unit * figure.body.girth ** 0.5

    def at(x, y):
        """x towards the thumb, y towards the fingertips, in body units."""
        return wrist + size * (np.multiply.outer(np.asarray(y, float), along) + np.multiply.outer(np.asarray(x, float), thumb))

    palm = loop(at([-0.0105, -0.0135, -0.0160, -0.0140, 0.000, 0.0130, 0.0160, 0.0130, 0.0105],
                   [-0.006, 0.010, 0.026, 0.040, 0.043, 0.040, 0.026, 0.010, -0.006]), 3)
    # The palm joins the forearm without an edge.
    parts = [Part(palm, palm + (palm.mean(axis=0) - palm) * 0.06)]
    if hand == "fist":
        curled = [(0.0115, 0.010), (0.004, 0.012), (-0.0035, 0.012), (-0.0105, 0.009)]
        fingers = [((x, 0.034), (x * 0.92, 0.034 + reach)) for x, reach in curled]
        thumb_way = ((0.012, 0.012), (0.017, 0.030))
    else:
        spread = [(0.0115, 0.0375), (0.004, 0.0430), (-0.0035, 0.0405), (-0.0105, 0.0310)]
        fingers = [((x, 0.036), (0.86 * x + 0.004, 0.036 + reach)) for x, reach in spread]
        thumb_way = ((0.011, 0.010), (0.0225, 0.038))
    for (x0, y0), (x1, y1) in reversed(fingers):
        parts.append(capsule(at(x0, y0), at(x1, y1), 0.0046 * size, 0.0034 * size))
    parts.append(capsule(at(*thumb_way[0]), at(*thumb_way[1]), 0.0062 * size, 0.0040 * size))
    side = thumb if thumb @ AWAY_FROM_LIGHT > 0 else -thumb
    parts[0].tones.append((loop(at([0], [0.02]) + size * (np.outer([0.4, 1, 1, 0.4], side) * 0.014
                                                          + np.outer([-1, -1, 1, 1], along) * 0.016), 3), SKIN_SHADE))
    return parts
