"""Tops, dresses and outerwear."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.cloth import hem_line, neckline, panel, shoulder_edge, side, sleeve, slope
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, SEAM, SHADE, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, trim
from tf_outfit_gan.data.paperdoll.geometry import curve, loop
from tf_outfit_gan.data.paperdoll.parts import fold, ribbon

SLEEVES = {"none": 0.0, "short": 0.62, "three_quarter": 1.36, "long": 1.97}


@dataclass(frozen=True)
class Upper:
    """The cut of a garment that hangs from the shoulders; lengths in body units, t as in `Torso`."""

    fabric: Fabric
    neck: str = "round"  # round, v, square, turtle, shirt
    neck_width: float = 0.042
    depth: float = 0.04
    tip: float = 0.085  # Where a sleeveless garment's shoulder ends.
    sleeve: str = "short"
    sleeve_ease: float = 0.008
    sleeve_flare: float = 0.0
    eases: tuple = (0.006, 0.010, 0.010)
    hem: float = 0.95
    skirt: tuple | None = None  # (length, flare) below the hips.
    belt: bool = False


def _neck_shape(cut):
    return {"turtle": "round", "shirt": "v"}.get(cut.neck, cut.neck)


def inside(figure, cut, label):
    """Returns the inner side of a garment's back, seen above its neckline."""
    torso = figure.torso
    x = np.array([-1, -0.5, 0.5, 1]) * cut.neck_width
    edge = slope(figure, cut.neck_width)
    back = curve(torso.at(x, [edge - 0.01, edge - 0.035, edge - 0.035, edge - 0.01]), 4)
    front = neckline(figure, _neck_shape(cut), cut.neck_width, min(cut.depth, 0.12))[::-1]
    dark = trim(cut.fabric.colours[0], 0.62)
    return Piece(dark, [Part(np.concatenate([back, front]))], label=label, shadow=0)


def body(figure, cut, label):
    """Returns the trunk of a closed garment with its seams, and the pieces of its collar."""
    sleeved = cut.sleeve != "none"
    sides, edges = [], []
    for s in p.SIGN:
        edges.append(shoulder_edge(figure, s, cut.neck_width, cut.tip, cut.eases[0], sleeved))
        sides.append(side(figure, s, cut.eases, cut.hem, cut.skirt))
    front = neckline(figure, _neck_shape(cut), cut.neck_width, cut.depth)
    waves = 0.0025 * figure.unit if cut.skirt and cut.skirt[1] > 0.05 else 0.0
    hem = hem_line(sides[1][-1], sides[0][-1], 0.010 * figure.unit, waves, 17 if waves else 9)
    outline = np.concatenate([front, edges[1], sides[1][1:], hem, sides[0][::-1], edges[0][::-1]])
    part = panel(outline, figure, sides[0], sides[1])
    part.tones += _creases(figure, cut, sides)
    torso = figure.torso
    lines = []
    if cut.neck == "round" and sleeved:
        below = neckline(figure, "round", cut.neck_width * 1.10, cut.depth + 0.03)
        lines.append((below, 0.0014 * figure.unit, SEAM))
    if cut.neck == "shirt":
        end = min(cut.hem, 1.1)
        lines.append((torso.front([0, 0, 0], [cut.depth, 0.5, end - 0.01]), 0.0016 * figure.unit, SEAM))
        lines += [(torso.front([0.004, 0.0041], [t, t + 0.012]), 0.0034 * figure.unit, SEAM) for t in np.arange(cut.depth + 0.06, end, 0.15)]
    pieces = [Piece(cut.fabric, [part], lines, label)]
    if cut.belt:
        pieces.append(_belt(figure, cut, label))
    return pieces + _collar(figure, cut, label)


def _creases(figure, cut, sides):
    """Returns folds: at the waist, and down a skirt."""
    unit, torso = figure.unit, figure.torso
    tones = []
    for s, reach in ((-1, 0.45), (1, 0.35)):
        x = figure.body.waist + cut.eases[1]
        if cut.hem > 0.7:
            start, control, end = torso.at([s * x * 0.98, s * x * 0.7, s * x * reach], [0.60, 0.64, 0.63])
            tones.append((fold(start, control, end, 0.007 * unit), SHADE))
    if cut.skirt:
        left, right = sides[0][-1], sides[1][-1]
        hips = torso.at([-0.8 * figure.body.hips, 0.8 * figure.body.hips], [0.95, 0.95])
        for share, height, tone in ((0.22, 0.35, SHADE), (0.45, 0.2, SHADE), (0.62, 0.45, LIGHT), (0.34, 0.5, LIGHT)):
            bottom = left + share * (right - left) + (0, 0.006 * unit)
            top = hips[0] + share * (hips[1] - hips[0])
            top = top + height * 0.6 * (bottom - top)
            aside = np.array([0.012 * unit, 0]) * (0.5 + 4 * max(cut.skirt[1], 0))
            tones.append((np.stack([top, bottom - aside * 0.6, bottom + aside * 0.6]), tone))
    return tones


def _belt(figure, cut, label):
    torso, w = figure.torso, figure.body.waist + cut.eases[1] + 0.002
    top, low = torso.at([-w, 0, w], [0.595, 0.605, 0.595]), torso.at([w, 0, -w], [0.645, 0.66, 0.645])
    return Piece(trim(cut.fabric.colours[0], 0.6), [Part(np.concatenate([curve(top, 4), curve(low, 4)]))], label=label)


def _collar(figure, cut, label):
    torso = figure.torso
    if cut.neck == "turtle":
        w = 0.031
        top = torso.at([-w * 0.92, 0, w * 0.92], [-0.315, -0.295, -0.315])
        low = torso.front([cut.neck_width, 0, -cut.neck_width], [slope(figure, cut.neck_width), cut.depth + 0.01, slope(figure, cut.neck_width)], [0, 1, 0])
        outline = np.concatenate([curve(top, 4), curve(low, 5)])
        shade = loop(torso.at([w * 0.3, w * 0.85, w, w * 0.5], [-0.28, -0.3, -0.17, -0.1]), 3)
        plain = Fabric(cut.fabric.colours[:1])
        return [Piece(plain, [Part(outline, tones=[(shade, SHADE)])], label=label)]
    if cut.neck == "shirt":
        wings = []
        for s in p.SIGN:
            x = s * np.array([0.030, 0.040, 0.046, 0.024, 0.001])
            wings.append(Part(torso.front(x, [-0.245, -0.17, 0.03, 0.095, cut.depth - 0.02], [0, 0, 0.7, 1, 1])))
        return [Piece(Fabric(cut.fabric.colours[:1]), wings, label=label)]
    return []


def sleeves(figure, cut, i, label):
    """Returns the sleeve of side i, or nothing."""
    if cut.sleeve == "none":
        return []
    end = SLEEVES[cut.sleeve]
    parts = sleeve(figure, i, end, cut.sleeve_ease, cut.sleeve_flare)
    limb, lines = figure.arms[i], []
    if end > 1.2:
        w = 0.012
        parts[0].tones.append((fold(*limb.at([0.86, 0.93, 0.96], [-w * 1.3, -w * 0.3, w * 0.9]), 0.006 * figure.unit), SHADE))
    outer, inner = limb.edges(np.array([end - 0.09]), cut.sleeve_ease + cut.sleeve_flare)
    lines.append((np.concatenate([outer, inner]), 0.0012 * figure.unit, SEAM))
    return [Piece(cut.fabric, parts, lines, label)]


@dataclass(frozen=True)
class Jacket(Upper):
    """An open or closed garment worn over others."""

    style: str = "blazer"  # blazer, coat, bomber, cardigan, trucker
    gap: float = 0.03  # Half the opening's width; 0 is closed.


def lining(figure, cut, label):
    """Returns the inner side of the back: behind the neck, and behind the legs of a long coat."""
    pieces = [inside(figure, cut, label)]
    if cut.skirt and cut.gap:
        left, right = (side(figure, s, cut.eases, cut.hem, (cut.skirt[0] * 0.97, cut.skirt[1])) for s in p.SIGN)
        dark = trim(cut.fabric.colours[0], 0.55)
        pieces.append(Piece(dark, [Part(np.concatenate([left, right[::-1]]))], label=label, shadow=0))
    return pieces


def fronts(figure, cut, label):
    """Returns both front panels of a jacket, its collar or lapels, buttons and trims."""
    torso, unit, ease = figure.torso, figure.unit, cut.eases[0]
    depth, gap = cut.depth, cut.gap
    overlap = 0.0 if gap else 0.008  # A closed front overlaps.
    parts, lines, extras = [], [], []
    end = 1.1 if cut.skirt else cut.hem
    for s in (1, -1):
        shoulder = shoulder_edge(figure, s, cut.neck_width, 0, ease, True)
        outer = side(figure, s, cut.eases, cut.hem, cut.skirt)
        t = np.array([slope(figure, cut.neck_width), 0.5 * depth, depth, 0.62, end - 0.02])
        x = np.array([cut.neck_width, 0.5 * cut.neck_width + 0.5 * gap, 0.8 * gap, gap, 1.25 * gap]) - overlap * np.array([0, 0.5, 1, 1, 1])
        opening = torso.front(s * x, t, [0, 0.6, 1, 1, 1])
        if cut.skirt:
            hem_x = opening[-1, 0] + s * gap * unit * 0.5
            opening = np.concatenate([opening, [[hem_x, outer[-1, 1]]]])
        elif cut.style == "blazer":  # Rounded fronts.
            opening = np.concatenate([opening, torso.front([s * (gap + 0.022)], [end + 0.03])])
        else:
            opening = np.concatenate([opening, torso.front([s * x[-1]], [end + 0.012])])
        opening = np.concatenate([opening[:2], curve(opening[2:], 4)])
        hem = hem_line(outer[-1], opening[-1], 0.004 * unit)
        outline = np.concatenate([shoulder, outer[1:], hem, opening[::-1]])
        sides = (opening, outer) if s > 0 else (outer, opening)
        parts.append(panel(outline, figure, *sides, width=0.3 if s > 0 else 0.14))
        if cut.style == "trucker":
            lines.append((torso.front(s * np.array([gap, 0.5 * (gap + cut.eases[0] + figure.body.chest), figure.body.chest]), [0.27, 0.27, 0.25]), 0.0014 * unit, SEAM))
        if cut.style in ("blazer", "coat", "trucker", "cardigan"):
            t_pocket = 0.92 if cut.style != "trucker" else 0.36
            x0, x1 = s * (gap + 0.022), s * (gap + 0.056)
            if cut.style == "cardigan":
                x0, x1 = s * (gap + 0.018), s * (gap + 0.050)
            lines.append((torso.front([x0, x1], [t_pocket, t_pocket - 0.01], 0.8), 0.0022 * unit, SEAM))
        extras += _front_trim(figure, cut, s, opening, label)
    if not gap:
        ts = np.arange(depth + 0.06, min(end, 1.05), 0.17 if cut.style != "bomber" else 9)
        lines += [(torso.front([-0.004, -0.0035], [t, t + 0.016]), 0.0055 * unit, SEAM) for t in ts]
    pieces = [Piece(cut.fabric, parts, lines, label, shadow=0.3)]
    if cut.belt:
        pieces.append(_belt(figure, cut, label)) if not gap else None
    return pieces + extras


def _front_trim(figure, cut, s, opening, label):
    """Returns the lapel, the ribbed band or the collar of one front."""
    torso, width = figure.torso, cut.neck_width
    plain = Fabric(cut.fabric.colours[:1])
    if cut.style in ("blazer", "coat"):
        edge = slope(figure, width)
        points = torso.front(
            s * np.array([width - 0.006, width + 0.010, width + 0.024, width + 0.016, width + 0.030, 0.8 * cut.gap]),
            [edge - 0.07, edge + 0.0, 0.03, 0.06, 0.085, cut.depth], [0, 0.1, 0.5, 0.5, 0.6, 1])
        inner = opening[:3][::-1]
        return [Piece(plain, [Part(np.concatenate([points, inner]))], label=label, shadow=0.25)]
    if cut.style == "trucker":
        x = s * np.array([0.030, 0.042, 0.052, 0.026, cut.gap * 0.7])
        points = torso.front(x, [-0.25, -0.17, 0.04, 0.10, 0.05], [0, 0, 0.6, 1, 1])
        return [Piece(plain, [Part(points)], label=label, shadow=0.25)]
    band = trim(cut.fabric.colours[0], 0.78)
    pieces = [Piece(band, [Part(ribbon(opening, 0.009 * figure.unit))], label=label, shadow=0)]
    if cut.style == "bomber":
        x = s * np.array([0.028, 0.038, 0.024, 0.004 + cut.gap * 0.6])
        points = torso.front(x, [-0.25, -0.17, 0.0, 0.06], [0, 0, 0.6, 1])
        inner = torso.front([s * 0.022], [-0.19], 0)
        pieces.append(Piece(band, [Part(np.concatenate([points, inner]))], label=label))
    return pieces
