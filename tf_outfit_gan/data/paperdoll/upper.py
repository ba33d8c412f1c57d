"""Tops and dresses: what closes around the trunk, and the sleeves."""

from dataclasses import dataclass, replace

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.cloth import hem_line, neckline, panel, shoulder_edge, side, slope
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, SEAM, SHADE, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric, shaded
from tf_outfit_gan.data.paperdoll.geometry import blend, curve, loop
from tf_outfit_gan.data.paperdoll.parts import fold, tube

# Where a sleeve ends along the arm: 1 is the elbow, 2 the wrist.
SLEEVES = {"short": 0.62, "three_quarter": 1.36, "long": 1.97}


@dataclass(frozen=True)
class Upper:
    """The cut of a garment that hangs from the shoulders; lengths in body units, t as in `Torso`."""

    fabric: Fabric
    neck: str = "round"  # round, v, square, turtle, shirt
    neck_width: float = 0.042
    depth: float = 0.04  # t of the neckline's lowest place.
    tip: float = 0.085  # Where a sleeveless garment's shoulder ends.
    sleeve: str = "short"  # none or one of SLEEVES
    sleeve_ease: float = 0.008
    sleeve_flare: float = 0.0
    eases: tuple = (0.006, 0.010, 0.010)  # Distances from the skin at chest, waist and hips.
    hem: float = 0.95
    skirt: tuple | None = None  # (length, flare) of what hangs below the hips.
    belt: bool = False


def _neck_shape(cut):
    return {"turtle": "round", "shirt": "v"}.get(cut.neck, cut.neck)


def inside(figure, cut, label):
    """Returns the inner side of a garment's back, seen above its neckline."""
    edge = slope(figure, cut.neck_width)
    x = cut.neck_width * np.array([-1, -0.5, 0.5, 1])
    back = curve(figure.torso.at(x, edge - np.array([0.01, 0.035, 0.035, 0.01])), 4)
    front = neckline(figure, _neck_shape(cut), cut.neck_width, cut.depth)[::-1]
    return Flat(shaded(cut.fabric, 0.62), [np.concatenate([back, front])], label)


def closed(figure, cut, label):
    """Returns the trunk of a closed garment with its seams, belt and collar."""
    unit = figure.unit
    sleeved = cut.sleeve != "none"
    edges = [shoulder_edge(figure, s, cut.neck_width, cut.tip, cut.eases[0], sleeved) for s in p.SIGN]
    left, right = (side(figure, s, cut.eases, cut.hem, cut.skirt) for s in p.SIGN)
    front = neckline(figure, _neck_shape(cut), cut.neck_width, cut.depth)
    ripple = 0.0025 * unit if cut.skirt and cut.skirt[1] > 0.05 else 0.0
    hem = hem_line(right[-1], left[-1], 0.010 * unit, ripple)
    outline = np.concatenate([front, edges[1], right[1:], hem, left[::-1], edges[0][::-1]])
    part = panel(outline, figure, left, right)
    piece = Piece(cut.fabric, [part], label=label)
    if figure.fine:
        part.tones += _creases(figure, cut, left[-1], right[-1])
        piece.lines += _seams(figure, cut)
    pieces = [piece]
    if cut.belt:
        pieces.append(belt(figure, cut, label))
    return pieces + _collar(figure, cut, label)


def back(figure, cut, label):
    """Returns a garment's trunk from behind: closed, high at the neck, without buttons, collar or print."""
    turtle, depth = cut.neck == "turtle", slope(figure, cut.neck_width) + 0.04
    if cut.sleeve == "none":
        depth += 0.3 * cut.depth
    neck = "turtle" if turtle else "round"
    return closed(figure, replace(cut, fabric=cut.fabric.unprinted(), neck=neck, depth=depth), label)


def _seams(figure, cut):
    """Returns the neck's ribbing, or a shirt's front with its buttons."""
    torso, unit = figure.torso, figure.unit
    if cut.neck == "round" and cut.sleeve != "none":
        return [(neckline(figure, "round", 1.10 * cut.neck_width, cut.depth + 0.03), 0.0014 * unit, SEAM)]
    if cut.neck == "shirt":
        end = min(cut.hem, 1.1)
        buttons = [button(torso, 0.004, t, unit) for t in np.arange(cut.depth + 0.06, end, 0.15)]
        return [(torso.front(0.0, np.linspace(cut.depth, end - 0.01, 3)), 0.0016 * unit, SEAM), *buttons]
    return []


def button(torso, x, t, unit, size=0.0036):
    """Returns the line that draws a button at (x, t) of the front."""
    return torso.front(np.array([x, x]), t + np.array([0.0, size / 0.29])), size * unit, SEAM


def belt(figure, cut, label):
    w = figure.body.waist + cut.eases[1] + 0.002
    x = w * np.array([-1, 0, 1])
    top = figure.torso.at(x, np.array([0.595, 0.605, 0.595]))
    low = figure.torso.at(-x, np.array([0.645, 0.66, 0.645]))
    return Flat(shaded(cut.fabric, 0.6), [np.concatenate([curve(top, 4), curve(low, 4)])], label)


def _creases(figure, cut, left, right):
    """Returns folds: at the waist, and down a skirt whose hem runs from left to right."""
    unit, torso = figure.unit, figure.torso
    x, tones = figure.body.waist + cut.eases[1], []
    if cut.hem > 0.7:
        for s, reach in ((-1, 0.45), (1, 0.35)):
            crease = fold(*torso.at(s * x * np.array([0.98, 0.7, reach]), np.array([0.60, 0.64, 0.63])), 0.007 * unit)
            tones.append((crease, SHADE))
    if cut.skirt:
        aside = 0.0072 * unit * (0.5 + 4 * max(cut.skirt[1], 0))
        for share, begin, tone in ((0.22, 0.21, SHADE), (0.45, 0.12, SHADE), (0.62, 0.27, LIGHT), (0.34, 0.30, LIGHT)):
            bottom = blend(left, right, share) + 0.006j * unit
            top = blend(complex(torso.at(0.8 * figure.body.hips * (2 * share - 1), 0.95)), bottom, begin)
            tones.append((np.array([top, bottom - aside, bottom + aside]), tone))
    return tones


def _collar(figure, cut, label):
    torso, plain = figure.torso, Fabric(cut.fabric.colors[:1])
    if cut.neck == "turtle":
        w = 0.031
        top = torso.at(0.9 * w * np.array([-1, 0, 1]), np.array([-0.335, -0.315, -0.335]))
        low = neckline(figure, "round", cut.neck_width + 0.002, cut.depth + 0.03)[::-1]
        band = loop(torso.at(w * np.array([0.3, 0.85, 1, 0.5]), np.array([-0.28, -0.3, -0.17, -0.1])), 3)
        return [Piece(plain, [Part(np.concatenate([curve(top, 4), low]), tones=[(band, SHADE)])], label=label)]
    if cut.neck == "shirt":
        t, depth = np.array([-0.225, -0.17, 0.03, 0.095, cut.depth - 0.02]), np.array([0, 0, 0.7, 1, 1])
        wings = [torso.front(s * np.array([0.028, 0.038, 0.046, 0.024, 0.001]), t, depth) for s in p.SIGN]
        return [Piece(plain, [Part(wing) for wing in wings], label=label)]
    return []


def sleeves(figure, cut, i, label):
    """Returns the sleeve of side i, or nothing."""
    if cut.sleeve == "none":
        return []
    end, limb, unit = SLEEVES[cut.sleeve], figure.arms[i], figure.unit
    v0, fabric = 0.5 * p.SIGN[i] * figure.body.shoulder, cut.fabric.unprinted()

    def ease(u):  # The sleeve begins close to the shoulder's slope.
        return cut.sleeve_ease * np.interp(u, [0.0, 0.3], [0.25, 1.0])

    parts = tube(limb, -0.02, end, ease, cut.sleeve_flare, cap=0.22, hem=0.10, u0=-0.02, v0=v0)
    if not figure.fine:
        return [Piece(fabric, parts, label=label)]
    if end > 1.2:  # A crease in the hollow of the elbow.
        crease = fold(*limb.at(np.array([0.86, 0.93, 0.96]), np.array([-0.0156, -0.0036, 0.0108])), 0.006 * unit)
        parts[0].tones.append((crease, SHADE))
    cuff = np.concatenate(limb.edges(np.array([end - 0.09]), cut.sleeve_ease + cut.sleeve_flare))
    return [Piece(fabric, parts, [(cuff, 0.0012 * unit, SEAM)], label)]
