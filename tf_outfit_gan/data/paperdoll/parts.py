"""The few shapes that bodies and garments are made of: tubes along limbs, panels of the trunk, capsules, ribbons."""

import numpy as np

from tf_outfit_gan.data.paperdoll.drawing import RIM_WIDTH, SHADE, Part
from tf_outfit_gan.data.paperdoll.geometry import Warp, unit_vector

# The light comes from the upper left: what faces this way lies in shade.
AWAY_FROM_LIGHT = np.array([0.94, 0.34])


def tube(limb, begin, end, ease=0.0, flare=0.0, cap=False, hem=0.0, tone=SHADE, v0=0.0, u0=0.0, open_begin=True):
    """Returns the parts of a tube around a limb from `begin` to `end`, at most two: one for each bone.

    `ease` is how far it stands off the skin, a length or a function of u; `flare` widens it linearly up to its end;
    `hem` bulges its end; `cap` rounds its beginning; `u0` and `v0` are where its texture begins.
    """
    spans = [(begin, end)] if end <= 1 or begin >= 1 else [(begin, 1), (1, end)]
    warp = Warp(limb.joints, limb.unit, v0=v0, u0=u0)
    parts = []
    for low, high in spans:
        u = np.linspace(low, high, 13)
        off = (ease(u) if callable(ease) else ease) + flare * (u - begin) / (end - begin)
        outer, inner = limb.edges(u, off)
        rim = RIM_WIDTH / limb.unit
        lateral = rim * np.clip((u - begin) / 0.25, 0, 1) if open_begin else rim
        core_u = u.copy()
        if high == end:
            core_u[-1] -= 2 * rim
        core_outer, core_inner = limb.edges(core_u, off - lateral)
        ends = _bulge(outer[-1], inner[-1], hem * limb.side) if high == end and hem else np.empty((0, 2))
        start = _bulge(inner[0], outer[0], 0.42 * limb.side) if cap and low == begin else np.empty((0, 2))
        core_ends = _bulge(core_outer[-1], core_inner[-1], hem * limb.side) if len(ends) else ends
        outline = np.concatenate([outer, ends, inner[::-1], start])
        core = np.concatenate([core_outer, core_ends, core_inner[::-1], start])
        parts.append(Part(outline, core, _shaded(limb, core_u, core_outer, core_inner, tone), warp))
    return parts


def _bulge(a, b, amount):
    """Returns the inner points of an arc from a to b that bulges to the left of the way by `amount` of its length."""
    across = b - a
    aside = amount * np.array([across[1], -across[0]])
    t = np.linspace(0, np.pi, 7)[1:-1, None]
    return a + across * (1 - np.cos(t)) / 2 + aside * np.sin(t)


def _shaded(limb, u, outer, inner, tone):
    """Returns the band of shade on the side of a tube that faces away from the light."""
    facing = limb.outward(u) @ AWAY_FROM_LIGHT  # [N], -1 to 1
    edge, other = (outer, inner) if facing.mean() > 0 else (inner, outer)
    share = (0.10 + 0.22 * np.abs(facing))[:, None]
    return [(np.concatenate([edge, (edge + share * (other - edge))[::-1]]), tone)]


def capsule(a, b, ra, rb, tones=()):
    """Returns a part with round ends around the way from a to b, whose radius goes from ra to rb."""
    along = unit_vector(b - a)
    aside = np.array([-along[1], along[0]])
    t = np.linspace(-np.pi / 2, np.pi / 2, 7)[:, None]
    outline = np.concatenate([
        b + rb * (np.cos(t) * along + np.sin(t) * aside), a + ra * (-np.cos(t) * along - np.sin(t) * aside),
    ])
    return Part(outline, tones=list(tones))


def ribbon(points, width):
    """Returns the closed outline of a band of constant (or [N]) width along an open curve [N, 2]."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    offset = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) * np.reshape(width, (-1, 1)) / 2
    return np.concatenate([points + offset, (points - offset)[::-1]])


def fold(start, control, end, width):
    """Returns a tapered crease: a thin crescent from start over control to end."""
    t = np.linspace(0, 1, 9)[:, None]
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return ribbon(points, width * np.sin(np.pi * t[:, 0]) + 1e-6)
