"""The body itself: legs, feet, trunk, neck, arms and hands."""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll import shoes
from tf_outfit_gan.data.paperdoll.drawing import RIM_WIDTH, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import curve, loop, unit_vector
from tf_outfit_gan.data.paperdoll.parts import capsule, facing, tube

SKIN_SHADE = 180
THROAT = 160


def skin(figure):
    return Fabric((figure.body.skin,))


def leg(figure, i, covered=0.0):
    """Returns the bare leg of side i with its foot; trousers cover it to u = `covered`."""
    parts = [shoes.bare(figure, i), *tube(figure.legs[i], max(covered - 0.2, 0.05), 2.06, cap=0.3, tone=SKIN_SHADE)]
    return Piece(skin(figure), parts, shadow=0.15)


def trunk(figure):
    """Returns neck, shoulders and trunk down to the crotch."""
    torso, body = figure.torso, figure.body
    outline, core = (_trunk_outline(figure, rim) for rim in (0.0, RIM_WIDTH / figure.unit))
    throat = torso.at(figure.faces * np.array([-0.022, 0.024, 0.026, -0.004]), np.array([-0.34, -0.34, -0.15, -0.21]))
    part = Part(outline, core, [(loop(throat), THROAT)])
    if not figure.fine:
        return Piece(skin(figure), [part])
    chest, waist, hips = body.chest, body.waist, body.hips
    x = [0.020, 0.024, 0.050, chest, waist, 0.98 * hips, 0.72 * hips, 0.62 * waist, 0.70 * chest, 0.030, 0.006, 0.002]
    t = [-0.2, -0.1, 0.12, 0.3, 0.62, 1.0, 1.0, 0.62, 0.3, 0.12, -0.1, -0.2]
    shade = torso.at(figure.faces * np.array(x), np.array(t))
    part.tones.insert(0, (shade, SKIN_SHADE))
    x, t = np.array([0.012, 0.035, 0.066]), np.array([0.02, 0.005, -0.03])
    if figure.faces < 0:
        return Piece(skin(figure), [part], shadow=0.12)
    collarbones = [(curve(torso.front(s * x, t, 0.6)), 0.0016 * figure.unit, 176) for s in p.SIGN]
    return Piece(skin(figure), [part], collarbones, shadow=0.12)


def _trunk_outline(figure, rim):
    torso, body = figure.torso, figure.body
    neck = 0.0235 * (0.5 + 0.5 * body.girth)
    shoulder, chest, hips = body.shoulder, body.chest, body.hips
    sides = []
    for s in p.SIGN:
        x = np.array([neck, neck, neck + 0.010, 0.72 * shoulder, shoulder + 0.004]) - rim * np.array([1, 1, 1, 0.5, 0])
        top = curve(torso.at(s * x, np.array([-0.36, -0.25, -0.17, -0.105, -0.05])))
        x = np.array([shoulder + 0.002, chest, chest, body.waist, 0.95 * hips, hips, 0.98 * hips]) - rim
        side = curve(torso.at(s * x, np.array([0.10, 0.24, 0.34, 0.62, 0.86, 1.0, 1.08])))
        sides.append(np.concatenate([top, side, torso.at(np.array([s * 0.02]), 1.16)]))
    return np.concatenate([sides[1], sides[0][::-1]])


def arm(figure, i, hand="relaxed", covered=0.0):
    """Returns the bare arm of side i with its hand: relaxed, fist, hip or none; a sleeve covers it to u = `covered`."""
    parts = tube(figure.arms[i], max(covered - 0.2, 0.0), 2.05, cap=0.3, tone=SKIN_SHADE)
    return Piece(skin(figure), parts if hand == "none" else _hand(figure, i, hand) + parts)


def hand_axes(figure, i, hand="relaxed"):
    """Returns the wrist, the direction in which the hand points, and the direction of its thumb."""
    elbow, wrist = figure.joints[p.ELBOW[i]], figure.joints[p.WRIST[i]]
    along, side = unit_vector(wrist - elbow), figure.faces * p.SIGN[i]
    if hand == "hip":  # The fingers lie on the hip, and point down and inwards.
        along = unit_vector(0.45 * along - 0.35 * side + 0.85j)
    elif hand == "fist":
        along = unit_vector(along + 0.8j)
    thumb = along * 1j
    return wrist, along, thumb if thumb.real * side < 0 else -thumb


def _hand(figure, i, hand):
    wrist, along, thumb = hand_axes(figure, i, hand)
    size = figure.unit * figure.body.girth**0.5

    def at(x, y):
        """x towards the thumb, y towards the fingertips, in body units."""
        return wrist + size * (np.asarray(y) * along + np.asarray(x) * thumb)

    palm = loop(
        at(
            [-0.0105, -0.0135, -0.0160, -0.0140, 0.000, 0.0130, 0.0160, 0.0130, 0.0105],
            [-0.006, 0.010, 0.026, 0.040, 0.043, 0.040, 0.026, 0.010, -0.006],
        ),
        3,
    )
    if not figure.fine:
        tip = at(0.002, 0.05 if hand == "fist" else 0.076)
        return [Part(palm), capsule(at(0.0, 0.036), tip, 0.013 * size, 0.010 * size)]
    if hand == "fist":
        fingers = [
            ((x, 0.034), (0.92 * x, 0.034 + reach))
            for x, reach in ((0.0115, 0.010), (0.004, 0.012), (-0.0035, 0.012), (-0.0105, 0.009))
        ]
        thumb_way = ((0.012, 0.012), (0.017, 0.030))
    else:
        fingers = [
            ((x, 0.036), (0.86 * x + 0.004, 0.036 + reach))
            for x, reach in ((0.0115, 0.0375), (0.004, 0.0430), (-0.0035, 0.0405), (-0.0105, 0.0310))
        ]
        thumb_way = ((0.011, 0.010), (0.0225, 0.038))
    # The side away from the light is in shade.
    away = thumb if facing(thumb) > 0 else -thumb
    shade = size * (np.array([0.004, 0.004, 0.036, 0.036]) * along + np.array([0.006, 0.014, 0.014, 0.006]) * away)
    parts = [Part(palm, tones=[(loop(wrist + shade, 3), SKIN_SHADE)])]
    parts += [capsule(at(*knuckle), at(*tip), 0.0050 * size, 0.0039 * size) for knuckle, tip in reversed(fingers)]
    parts.append(capsule(at(*thumb_way[0]), at(*thumb_way[1]), 0.0064 * size, 0.0046 * size))
    return parts
