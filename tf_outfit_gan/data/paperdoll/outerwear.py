"""Blazers, coats, bombers, cardigans and trucker jackets, open or closed."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.cloth import hem_line, panel, shoulder_edge, side, slope
from tf_outfit_gan.data.paperdoll.drawing import SEAM, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, shaded
from tf_outfit_gan.data.paperdoll.geometry import curve, ribbon
from tf_outfit_gan.data.paperdoll.upper import Upper, belt, button, inside


@dataclass(frozen=True)
class Jacket(Upper):
    style: str = "blazer"  # blazer, coat, bomber, cardigan, trucker
    gap: float = 0.03  # Half the opening's width; 0 is closed.


def lining(figure, cut, label):
    """Returns the inner side of the back: behind the neck, and all of it where the jacket is open."""
    shapes = inside(figure, cut, label).shapes
    if cut.gap:
        edges = []
        for s in p.SIGN:
            shoulder = shoulder_edge(figure, s, cut.neck_width, 0.0, cut.eases[0], True)
            edges.append(np.concatenate([shoulder, side(figure, s, cut.eases, cut.hem, cut.skirt)]))
        shapes = [*shapes, np.concatenate([edges[0], edges[1][::-1]])]
    return [Flat(shaded(cut.fabric, 0.55), shapes, label)]


def fronts(figure, cut, label):
    """Returns both front panels, their seams and pockets, the collar or lapels."""
    torso, unit = figure.torso, figure.unit
    end = 1.1 if cut.skirt else cut.hem
    parts, lines, trims = [], [], []
    for s in (1, -1):
        opening = _opening(figure, cut, s, end)
        outer = side(figure, s, cut.eases, cut.hem, cut.skirt)
        shoulder = shoulder_edge(figure, s, cut.neck_width, 0.0, cut.eases[0], True)
        hem = hem_line(outer[-1], opening[-1], 0.004 * unit)
        outline = np.concatenate([shoulder, outer[1:], hem, opening[::-1]])
        left, right = (opening, outer) if s > 0 else (outer, opening)
        parts.append(panel(outline, figure, left, right, 0.3 if s > 0 else 0.14))
        if figure.fine:
            lines += _seams(figure, cut, s, outer[-1], opening[-1])
        trims += _trim(figure, cut, s, opening, label)
    if figure.fine and not cut.gap and cut.style != "bomber":
        lines += [button(torso, -0.004, t, unit, 0.0055) for t in np.arange(cut.depth + 0.06, min(end, 1.05), 0.17)]
    pieces = [Piece(cut.fabric, parts, lines, label, shadow=0.3)]
    if cut.belt:
        pieces.append(belt(figure, cut, label))
    return pieces + trims


def _opening(figure, cut, s, end):
    """Returns the edge of a front panel from the neck down to its hem."""
    torso, width, depth, gap = figure.torso, cut.neck_width, cut.depth, cut.gap
    overlap = 0.0 if gap else 0.008  # Closed fronts overlap.
    t = np.array([slope(figure, width), 0.5 * depth, depth, 0.62, end - 0.02])
    x = np.array([width, 0.5 * (width + gap), 0.8 * gap, gap, 1.25 * gap]) - overlap * np.array([0, 0.5, 1, 1, 1])
    edge = torso.front(s * x, t, np.array([0, 0.6, 1, 1, 1]))
    if cut.skirt:
        bottom = torso.pelvis.imag + cut.skirt[0] * figure.unit
        last = complex(edge[-1].real + 0.5 * s * gap * figure.unit, bottom)
    elif cut.style == "blazer":  # Its fronts are rounded.
        last = complex(torso.front(s * (gap + 0.022), end + 0.03))
    else:
        last = complex(torso.front(s * x[-1], end + 0.012))
    return np.concatenate([edge[:2], curve(np.append(edge[2:], last), 4)])


def _seams(figure, cut, s, outer, inner):
    """Returns yoke, pocket and ribbing of one front, whose hem runs from `outer` to `inner`."""
    torso, unit, gap, lines = figure.torso, figure.unit, cut.gap, []
    if cut.style == "trucker":
        x = np.array([gap, 0.5 * (gap + cut.eases[0] + figure.body.chest), figure.body.chest])
        lines.append((torso.front(s * x, np.array([0.27, 0.27, 0.25])), 0.0014 * unit, SEAM))
    if cut.style == "bomber":
        lines.append((np.array([outer, inner]) - 0.016j * unit, 0.0016 * unit, SEAM))
    else:
        t = 0.36 if cut.style == "trucker" else 0.92
        pocket = torso.front(s * (gap + np.array([0.020, 0.054])), np.array([t, t - 0.01]), 0.8)
        lines.append((pocket, 0.0022 * unit, SEAM))
    return lines


def _trim(figure, cut, s, opening, label):
    """Returns the lapel, the collar or the ribbed band of one front."""
    torso, width = figure.torso, cut.neck_width
    plain = Fabric(cut.fabric.colors[:1])
    if cut.style in ("blazer", "coat"):
        edge = slope(figure, width)
        x = np.append(width + np.array([-0.008, 0.012, 0.030, 0.022, 0.036]), 0.8 * cut.gap)
        t = np.array([edge - 0.045, edge, 0.03, 0.06, 0.085, cut.depth])
        lapel = torso.front(s * x, t, np.array([0, 0.1, 0.5, 0.5, 0.6, 1]))
        return [Piece(plain, [Part(np.concatenate([lapel, opening[2::-1]]))], label=label)]
    if cut.style == "trucker":
        x, t = np.array([0.029, 0.044, 0.054, 0.026, 0.7 * cut.gap]), np.array([-0.205, -0.165, 0.04, 0.10, 0.05])
        return [Piece(plain, [Part(torso.front(s * x, t, np.array([0, 0, 0.6, 1, 1])))], label=label)]
    color = shaded(cut.fabric, 0.78)
    shapes = [ribbon(opening, 0.009 * figure.unit)]
    if cut.style == "bomber":
        x = np.array([0.029, 0.041, 0.026, 0.004 + 0.6 * cut.gap, 0.021])
        t = np.array([-0.205, -0.165, 0.0, 0.06, -0.17])
        shapes.append(torso.front(s * x, t, np.array([0, 0, 0.6, 1, 0])))
    return [Flat(color, shapes, label)]
