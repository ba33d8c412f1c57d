"""The head: a simple face and hair, in a frame of its own (x, y in head heights, chin at y = 0.5, crown at -0.5)."""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import curve, loop, mirrored, unit_vector
from tf_outfit_gan.data.paperdoll.parts import ribbon

FACE = [(0.10, -0.5), (0.24, -0.44), (0.335, -0.27), (0.355, -0.05), (0.335, 0.12), (0.275, 0.30), (0.17, 0.44), (0.06, 0.50)]


class Head:
    """Places on the head; what lies on the face shifts as the head turns."""

    def __init__(self, figure):
        self.body = figure.body
        top, neck = figure.joints[p.HEAD_TOP], figure.joints[p.UPPER_NECK]
        self.down = unit_vector(neck - top)
        self.right = np.array([self.down[1], -self.down[0]])
        self.size = figure.body.head * figure.unit
        self.centre = top + 0.5 * self.size * self.down
        self.turn = np.sin(np.radians(figure.pose.head_yaw))

    def at(self, points, depth=0.0):
        """Returns picture places [N, 2] of head places [N, 2]; `depth` is how far before the head's middle they lie."""
        points = np.asarray(points, float)
        x = points[:, :1] * (np.sqrt(1 - self.turn**2) if depth else 1) + depth * self.turn
        return self.centre + self.size * (x * self.right + points[:, 1:] * self.down)

    def line(self, points, width, tone, depth=0.36):
        return curve(self.at(points, depth)), width * self.size, tone


def face(figure):
    """Returns ears, face and features, in painting order."""
    head, body = Head(figure), figure.body
    skin = Fabric((body.skin,))
    ears = [Part(loop(head.at(np.add([(s * 0.02, -0.08), (s * 0.055, -0.02), (s * 0.03, 0.10), (-s * 0.02, 0.10)], (s * 0.345, 0.02)),
                              -0.10))) for s in p.SIGN]
    jaw = np.asarray(mirrored(FACE))
    outline = head.at(jaw)
    outline += np.outer(np.clip(jaw[:, 1], 0, 0.5) * 0.22 * head.turn * head.size, head.right)
    shade = loop(head.at([(0.36, -0.3), (0.36, 0.05), (0.28, 0.30), (0.12, 0.48), (0.17, 0.32), (0.25, 0.12), (0.27, -0.2)]))
    blush = [(loop(head.at(np.add(np.array([(-1, 0), (0, -0.6), (1, 0), (0, 0.6)]) * 0.055, (s * 0.19, 0.17)), 0.30)), 192)
             for s in p.SIGN]
    part = Part(loop(outline, 4), tones=[(shade, 184), *blush])
    nose = head.line([(0.02, 0.05), (0.045, 0.15), (0.03, 0.19), (-0.02, 0.195)], 0.018, 150, 0.40)
    pieces = [Piece(skin, [*ears, part], [nose], shadow=0.2)]
    pieces += [Piece(Fabric((body.lips,)), [_lips(head)], shadow=0)]
    white = Fabric(((244, 240, 236),))
    dark = Fabric((tuple(int(0.35 * c) for c in body.hair),))
    brow = Fabric((tuple(int(0.55 * c + 10) for c in body.hair),))
    eyes, irises, lids, brows = [], [], [], []
    for s in p.SIGN:
        x = s * 0.155
        eyes.append(Part(loop(head.at([(x - 0.062, 0.035), (x - 0.02, 0.005), (x + 0.03, 0.006), (x + 0.064, 0.032),
                                       (x + 0.01, 0.058)], 0.33), 3)))
        irises.append(Part(loop(head.at(np.add(np.array([(-1, 0), (0, -1.05), (1, 0), (0, 1.05)]) * 0.027, (x, 0.031)), 0.33), 3)))
        lash = [(x - s * 0.066, 0.036), (x - s * 0.03, 0.006), (x + s * 0.03, 0.002), (x + s * 0.078, 0.026)]
        lids.append(Part(ribbon(curve(head.at(lash, 0.33), 4), 0.017 * head.size)))
        arch = [(x - s * 0.075, -0.060), (x - s * 0.01, -0.088), (x + s * 0.085, -0.055)]
        brows.append(Part(ribbon(curve(head.at(arch, 0.33), 5), np.linspace(0.030, 0.010, 11) * head.size)))
    pieces += [Piece(white, eyes, shadow=0), Piece(dark, irises, shadow=0), Piece(dark, lids, shadow=0), Piece(brow, brows, shadow=0)]
    return pieces


def _lips(head):
    outline = [(-0.105, 0.308), (-0.03, 0.288), (0.0, 0.296), (0.03, 0.288), (0.105, 0.308), (0.045, 0.345), (-0.045, 0.345)]
    lower = loop(head.at([(-0.05, 0.318), (0.05, 0.318), (0.03, 0.338), (-0.03, 0.338)], 0.36), 3)
    shape = loop(head.at(outline, 0.36), 3)
    return Part(shape, shape, [(lower, LIGHT), (ribbon(curve(head.at([(-0.1, 0.309), (0, 0.316), (0.1, 0.309)], 0.36), 4), 0.010 * head.size), 150)])


# Each style: outlines behind the body and outlines over the forehead, in head places.
def _cap(rim, part):
    """Returns hair over the skull down to the ears; `rim` is its height over the skin, `part` where it is parted."""
    outer = [(-0.375, 0.06), (-0.40 - rim, -0.10), (-0.37 - rim, -0.32), (-0.22, -0.50 - rim), (0, -0.545 - rim),
             (0.22, -0.50 - rim), (0.37 + rim, -0.32), (0.40 + rim, -0.10), (0.375, 0.06)]
    inner = [(0.335, -0.04), (0.315, -0.16), (0.24, -0.25), (part + 0.02, -0.36), (part - 0.02, -0.355), (-0.25, -0.22), (-0.315, -0.14), (-0.335, -0.04)]
    return np.concatenate([curve(outer), curve(inner)])


def hair(figure):
    """Returns the hair behind the body and the hair over the head, each a list of pieces."""
    head, style = Head(figure), figure.body.hair_style
    fabric = Fabric((figure.body.hair,))
    back, front = [], []
    if style in ("long", "wavy"):
        wave = 0.04 if style == "wavy" else 0.0
        half = [(0.12, -0.55), (0.33, -0.47), (0.44, -0.2), (0.46 + wave, 0.15), (0.45 - wave, 0.45), (0.50 + wave, 0.75), (0.46 - wave, 1.05), (0.25, 1.15)]
        back = [mirrored(half)]
    elif style == "bob":
        back = [mirrored([(0.12, -0.55), (0.34, -0.47), (0.45, -0.2), (0.47, 0.15), (0.46, 0.40), (0.36, 0.52), (0.1, 0.5)])]
    elif style == "ponytail":
        s = -1 if head.turn > 0 else 1
        back = [np.array([(s * 0.12, -0.42), (s * 0.48, -0.36), (s * 0.62, -0.05), (s * 0.60, 0.4), (s * 0.66, 0.72), (s * 0.48, 0.5), (s * 0.42, 0.1), (s * 0.3, -0.2)])]
    elif style == "bun":
        angles = np.linspace(0, 2 * np.pi, 10)[:-1]
        back = [np.stack([0.19 * np.cos(angles), -0.63 + 0.17 * np.sin(angles)], axis=1)]
    elif style == "curls":
        angles = np.linspace(0, 2 * np.pi, 29)[:-1]
        radius = 0.53 + 0.035 * (np.arange(28) % 2)
        back = [np.stack([radius * np.cos(angles), -0.13 + 0.98 * radius * np.sin(angles)], axis=1)]
    caps = {"crop": (0.0, 0.0), "side": (0.03, 0.14), "curls": (0.07, 0.0), "bun": (0.005, 0.0), "ponytail": (0.005, 0.05)}
    front = _cap(*caps.get(style, (0.02, 0.06)))
    sheen = loop(head.at([(-0.24, -0.42), (-0.05, -0.50), (-0.08, -0.44), (-0.24, -0.34)]), 4)
    over = [Piece(fabric, [Part(head.at(front), tones=[(sheen, LIGHT)])], shadow=0.2)]
    if style in ("long", "wavy", "bob"):
        end = {"bob": 0.44, "long": 0.95, "wavy": 0.88}[style]
        locks = []
        for s in p.SIGN:
            w = 0.03 if style == "wavy" else 0
            strand = [(s * 0.30, -0.34), (s * 0.42, -0.12), (s * (0.45 + w), 0.2), (s * (0.44 - w), 0.45 * end + 0.1), (s * (0.46 + w), end),
                      (s * 0.36, end - 0.02), (s * (0.34 + w), 0.4 * end), (s * 0.33, 0.1), (s * 0.30, -0.15)]
            locks.append(Part(loop(head.at(strand), 4)))
        over.insert(0, Piece(fabric, locks, shadow=0.2))
    behind = [Piece(fabric, [Part(loop(head.at(outline), 5))], shadow=0) for outline in back]
    if style in ("long", "wavy", "bob"):
        for piece in behind:  # What hangs behind the neck lies in shade.
            piece.fabric = Fabric((tuple(int(0.78 * c) for c in figure.body.hair),))
    return behind, over
