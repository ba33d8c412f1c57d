"""The few shapes that bodies and garments are made of: tubes along limbs, capsules, folds."""

import numpy as np

from tf_outfit_gan.data.paperdoll.drawing import RIM_WIDTH, SHADE, Part
from tf_outfit_gan.data.paperdoll.geometry import Warp, blend, grid, ribbon, unit_vector

# The light comes from the upper left: what faces this way lies in shade.
AWAY_FROM_LIGHT = 0.94 + 0.34j

_ARC = np.exp(1j * np.linspace(0, np.pi, 7)[1:-1])
# Steps along a bone, shorter near the joint.
_TO_JOINT = np.sin(np.linspace(0, np.pi / 2, 13))
_FROM_JOINT = 1 - _TO_JOINT[::-1]
_HALF_CIRCLE = np.exp(1j * np.linspace(-np.pi / 2, np.pi / 2, 7))


def facing(normals):
    """Returns how far normals turn away from the light, -1 to 1."""
    return (normals * AWAY_FROM_LIGHT.conjugate()).real


def tube(limb, begin, end, ease=0.0, flare=0.0, cap=0.0, hem=None, tone=SHADE, u0=0.0, v0=0.0):
    """Returns the parts of a tube around a limb from u = `begin` to `end`: one for each bone that it covers.

    `ease` is how far it stands off the skin, a length or a function of u; `flare` widens it evenly up to its end;
    `cap` rounds its beginning and `hem` its end, in parts of their widths (None: the end is open, it has no rim); `u0`
    and `v0` are where its texture begins.
    """
    spans = [(begin, end)] if end <= 1 or begin >= 1 else [(begin, 1), (1, end)]
    warp = Warp(limb.joints, limb.unit, u0=u0, v0=v0)
    parts = []
    for low, high in spans:
        u = blend(low, high, _TO_JOINT if high == 1 else _FROM_JOINT if low == 1 else grid(13))
        center, outward = limb.center(u), limb.outward(u)
        reach = limb.unit * ((ease(u) if callable(ease) else ease) + flare * (u - begin) / (end - begin))
        outer = center + (limb.unit * limb.radii[0](u) + reach) * outward
        inner = center - (limb.unit * limb.radii[1](u) + reach) * outward
        start = _bulge(inner[0], outer[0], cap * limb.side) if low == begin and cap else []
        arc = _bulge(outer[-1], inner[-1], hem * limb.side) if high == end and hem is not None else []
        outline = np.concatenate([outer, arc, inner[::-1], start])
        if not limb.fine:
            parts.append(Part(outline, outline, warp=warp))
            continue
        # The rim fades in along the limb, for where it begins it belongs to the trunk; it closes an end with a hem.
        rim = RIM_WIDTH * np.minimum((u - begin) / 0.25, 1) * outward
        core_outer, core_inner = outer - rim, inner + rim
        if len(arc):
            back = 1.5j * RIM_WIDTH * limb.side * outward[-1]
            core_outer[-1] -= back
            core_inner[-1] -= back
            arc = arc - back
        core = np.concatenate([core_outer, arc, core_inner[::-1], start])
        away = facing(outward)
        edge, other = (core_outer, core_inner) if away.sum() > 0 else (core_inner, core_outer)
        band = np.concatenate([edge, blend(edge, other, 0.10 + 0.22 * np.abs(away))[::-1]])
        parts.append(Part(outline, core, [(band, tone)], warp))
    return parts


def _bulge(a, b, amount):
    """Returns the inner places of an arc from a to b that bulges to the left of the way by `amount` of its length."""
    return (a + b) / 2 + (b - a) * (-_ARC.real / 2 - 1j * amount * _ARC.imag)


def capsule(a, b, ra, rb):
    """Returns a part with round ends around the way from a to b, whose radius goes from ra to rb."""
    along = unit_vector(b - a)
    return Part(np.concatenate([b + rb * along * _HALF_CIRCLE, a - ra * along * _HALF_CIRCLE]))


def fold(start, control, end, width):
    """Returns a crease: a thin crescent from start over control to end."""
    t = grid(9)
    return ribbon((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end, width * np.sin(np.pi * t) + 1e-6)
