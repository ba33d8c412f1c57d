"""Outfits: a plausible choice of articles, each with a cut and colors of its own."""

from dataclasses import dataclass, replace

from tf_outfit_gan.data.paperdoll.bags import Bag
from tf_outfit_gan.data.paperdoll.fabric import draw_fabric
from tf_outfit_gan.data.paperdoll.lower import Skirt, Trousers
from tf_outfit_gan.data.paperdoll.outerwear import Jacket
from tf_outfit_gan.data.paperdoll.pose import choose
from tf_outfit_gan.data.paperdoll.shoes import Shoes
from tf_outfit_gan.data.paperdoll.upper import Upper


@dataclass(frozen=True)
class Outfit:
    """Cuts by slot; a slot that is not worn is left out."""

    cuts: dict
    tucked: bool  # The top goes into the trousers or the skirt.


def _draw_top(rng):
    kinds = {"tee": 0.30, "tank": 0.16, "turtleneck": 0.12, "shirt": 0.20, "blouse": 0.10, "sweater": 0.12}
    kind = choose(rng.random(), kinds)
    sleeve = choose(rng.random(), {"short": 0.5, "three_quarter": 0.2, "long": 0.3})
    neck = choose(rng.random(), {"round": 0.5, "v": 0.3, "square": 0.2})
    low, loose, a = rng.random(3).tolist()
    fabric = draw_fabric(rng)
    hem = 0.72 + 0.30 * low
    ease = 0.003 + 0.007 * loose
    eases = (ease, ease + 0.004 + 0.010 * loose, ease + 0.003)
    if kind == "tank":
        return Upper(
            fabric, neck, 0.050 + 0.012 * a, 0.16 + 0.10 * a, 0.068 + 0.010 * a, "none", eases=(0.002, 0.004, 0.005), hem=hem
        )
    if kind == "turtleneck":
        return Upper(fabric, "turtle", 0.036, -0.03, sleeve="long", sleeve_ease=0.005, eases=eases, hem=max(hem, 0.8))
    if kind == "shirt":
        return Upper(fabric, "shirt", 0.034, 0.09 + 0.05 * a, sleeve=sleeve, sleeve_ease=0.007, eases=eases, hem=max(hem, 0.88))
    if kind == "blouse":
        return Upper(
            fabric,
            neck,
            0.048,
            0.08 + 0.10 * a,
            sleeve=sleeve,
            sleeve_ease=0.007,
            sleeve_flare=0.012 + 0.010 * a,
            eases=eases,
            hem=hem,
        )
    neck, depth = ("v", 0.20) if neck == "v" else ("round", 0.03)
    if kind == "sweater":
        return Upper(
            fabric, neck, 0.044, depth, sleeve="long", sleeve_ease=0.011, eases=(0.010, 0.020, 0.012), hem=max(hem, 0.85)
        )
    return Upper(
        fabric,
        neck,
        0.042 + 0.008 * a,
        depth + 0.06 * a * (neck == "round"),
        sleeve=sleeve,
        sleeve_ease=0.008 + 0.004 * loose,
        eases=eases,
        hem=hem,
    )


def _draw_dress(rng):
    sleeve = choose(rng.random(), {"none": 0.42, "short": 0.24, "three_quarter": 0.12, "long": 0.22})
    neck = choose(rng.random(), {"round": 0.4, "v": 0.32, "square": 0.16, "turtle": 0.12})
    length = choose(rng.random(), {"mini": 0.3, "knee": 0.34, "midi": 0.2, "maxi": 0.16})
    a, b, belted = rng.random(), rng.random(), rng.random() < 0.3
    fabric = draw_fabric(rng, 0.5)
    length = {"mini": 0.13, "knee": 0.205, "midi": 0.30, "maxi": 0.415}[length] + 0.025 * a
    flare = 0.0 if b < 0.3 else (b - 0.2) * (0.05 + 0.14 * length)
    depth = {"v": 0.26, "square": 0.15, "round": 0.07 + 0.10 * a, "turtle": -0.03}[neck]
    return Upper(
        fabric,
        neck,
        0.036 if neck == "turtle" else 0.048,
        depth,
        0.076,
        sleeve,
        0.006,
        0.008 * (a > 0.6),
        (0.003, 0.005, 0.005),
        1.0,
        (length, flare),
        belted,
    )


def _draw_jacket(rng):
    style = choose(rng.random(), {"blazer": 0.28, "coat": 0.24, "bomber": 0.18, "cardigan": 0.14, "trucker": 0.16})
    is_open, a, b = rng.random() < 0.7, rng.random(), rng.random()
    fabric = draw_fabric(rng, 0.3)
    gap = (0.018 + 0.024 * a) if is_open else 0.0
    if style == "coat":
        return Jacket(
            fabric,
            "v",
            0.040,
            0.36,
            sleeve="long",
            sleeve_ease=0.013,
            eases=(0.016, 0.022, 0.018),
            hem=1.0,
            skirt=(0.12 + 0.20 * b, 0.012 + 0.02 * a),
            belt=not is_open,
            style=style,
            gap=gap,
        )
    # The hem, the opening's depth, the sleeves' ease and the waist's.
    hem, depth, sleeve, waist = {
        "blazer": (1.08, 0.46, 0.011, 0.014),
        "bomber": (0.86, 0.06, 0.015, 0.026),
        "cardigan": (1.02, 0.34, 0.011, 0.014),
        "trucker": (0.84, 0.08, 0.011, 0.026),
    }[style]
    return Jacket(
        fabric,
        "v",
        0.039,
        depth,
        sleeve="long",
        sleeve_ease=sleeve,
        eases=(0.013, waist, 0.014),
        hem=hem + 0.05 * b,
        style=style,
        gap=gap,
    )


def _draw_bottom(rng):
    kind = choose(rng.random(), {"trousers": 0.50, "shorts": 0.16, "skirt": 0.34})
    width = choose(rng.random(), {"slim": 0.3, "straight": 0.34, "wide": 0.2, "flared": 0.16})
    style = choose(rng.random(), {"mini": 0.3, "pencil": 0.2, "flared": 0.3, "pleated": 0.2})
    a, b = rng.random(), rng.random()
    fabric = draw_fabric(rng, 0.3)
    if kind == "trousers":
        return Trousers(fabric, width, 1.93 if b < 0.75 or width == "flared" else 1.62 + 0.2 * a)
    if kind == "shorts":
        return Trousers(fabric, "straight" if width == "slim" else width, 0.38 + 0.45 * a)
    length, flare = {
        "mini": (0.11 + 0.04 * a, 0.004 + 0.012 * b),
        "pencil": (0.19 + 0.05 * a, -0.008),
        "flared": (0.16 + 0.16 * a, 0.04 + 0.05 * b),
        "pleated": (0.20 + 0.16 * a, 0.02 + 0.02 * b),
    }[style]
    return Skirt(fabric, length, flare, 8 if style == "pleated" else 0)


def _draw_shoes(rng):
    kind = choose(rng.random(), {"sneaker": 0.34, "ankle": 0.22, "knee": 0.10, "pump": 0.20, "flat": 0.14})
    heel, worn = rng.random(), rng.random() < 0.985
    color = draw_fabric(rng, 0.0)
    if not worn:
        return None
    if kind in ("ankle", "knee"):
        return Shoes(color, "boot", kind, 0.03 * (heel > 0.4))
    if kind == "pump":
        return Shoes(color, "pump", None, 0.034 + 0.016 * heel)
    return Shoes(color, kind)


def _draw_bag(rng):
    kind = choose(rng.random(), {"tote": 0.3, "handbag": 0.35, "crossbody": 0.35})
    size, worn = 0.9 + 0.25 * rng.random(), rng.random() < 0.42
    fabric = draw_fabric(rng, 0.25)
    return Bag(fabric, kind, size) if worn else None


def draw_outfit(rng):
    """Draws an outfit; every article is drawn, worn or not, so that the draws keep their order."""
    dressed, jacket, tucked = rng.random() < 0.32, rng.random() < 0.36, rng.random() < 0.45
    cuts = {
        "outerwear": _draw_jacket(rng),
        "top": _draw_top(rng),
        "dress": _draw_dress(rng),
        "bottom": _draw_bottom(rng),
        "shoes": _draw_shoes(rng),
        "bag": _draw_bag(rng),
    }
    for slot in (("top", "bottom") if dressed else ("dress",)) + (() if jacket else ("outerwear",)):
        del cuts[slot]
    shoes, bottom = cuts["shoes"], cuts.get("bottom")
    if shoes and shoes.shaft == "knee" and isinstance(bottom, Trousers) and bottom.end > 1:
        # Trousers hide a tall shaft; what shows below them is an ankle boot.
        cuts["shoes"] = replace(shoes, shaft="ankle")
    return Outfit({slot: cut for slot, cut in cuts.items() if cut is not None}, tucked)
