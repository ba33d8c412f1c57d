"""The head: a simple face and hair, in a frame of its own (head heights; the crown at y = -0.5, the chin at 0.5)."""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.drawing import LIGHT, Flat, Part, Piece
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.geometry import blend, curve, grid, loop, places, ribbon, unit_vector


def _symmetric(pairs):
    """Completes the right half of an outline about x = 0."""
    half = places(pairs)
    return np.concatenate([half, -half[::-1].conj()])


_JAW = _symmetric(
    [(0.10, -0.5), (0.24, -0.44), (0.335, -0.27), (0.355, -0.05), (0.335, 0.12), (0.275, 0.30), (0.17, 0.44), (0.06, 0.50)]
)
_SHADE = places([(0.36, -0.3), (0.36, 0.05), (0.28, 0.30), (0.12, 0.48), (0.17, 0.32), (0.25, 0.12), (0.27, -0.2)])
_EAR = places([(0.02, -0.08), (0.055, -0.02), (0.03, 0.10), (-0.02, 0.10)])
_BLUSH = places([(-0.055, 0), (0, -0.033), (0.055, 0), (0, 0.033)])
_NOSE = places([(0.02, 0.05), (0.045, 0.15), (0.03, 0.19), (-0.02, 0.195)])
_EYE = places([(-0.062, 0.035), (-0.02, 0.005), (0.03, 0.006), (0.064, 0.032), (0.01, 0.058)])
_IRIS = 0.031j + 0.027 * np.exp(1j * np.linspace(0, 2 * np.pi, 9)[:-1])
_LASH = places([(-0.066, 0.036), (-0.03, 0.006), (0.03, 0.002), (0.078, 0.026)])
_BROW = places([(-0.075, -0.060), (-0.01, -0.088), (0.085, -0.055)])
_LIPS = places([(-0.105, 0.308), (-0.03, 0.288), (0.0, 0.296), (0.03, 0.288), (0.105, 0.308), (0.045, 0.345), (-0.045, 0.345)])
_MOUTH = places([(-0.1, 0.309), (0, 0.316), (0.1, 0.309)])
_SHEEN = places([(-0.24, -0.42), (-0.05, -0.50), (-0.08, -0.44), (-0.24, -0.34)])
_NAPE = places([(0.31, 0.16), (0.23, 0.34), (0.12, 0.44), (-0.12, 0.44), (-0.23, 0.34), (-0.31, 0.16)])
_TAIL = _symmetric([(0.05, -0.30), (0.12, -0.22), (0.15, 0.1), (0.13, 0.5), (0.07, 0.85)])
_CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 29)[:-1])

# Hair that hangs behind the head, by style.
_BEHIND = {
    "long": _symmetric(
        [(0.12, -0.55), (0.33, -0.47), (0.44, -0.2), (0.46, 0.15), (0.45, 0.45), (0.50, 0.75), (0.46, 1.05), (0.25, 1.15)]
    ),
    "wavy": _symmetric(
        [(0.12, -0.55), (0.33, -0.47), (0.44, -0.2), (0.50, 0.15), (0.41, 0.45), (0.54, 0.75), (0.42, 1.05), (0.25, 1.15)]
    ),
    "bob": _symmetric([(0.12, -0.55), (0.34, -0.47), (0.45, -0.2), (0.47, 0.15), (0.46, 0.40), (0.36, 0.52), (0.1, 0.5)]),
    "ponytail": places(
        [(0.12, -0.42), (0.48, -0.36), (0.62, -0.05), (0.60, 0.4), (0.66, 0.72), (0.48, 0.5), (0.42, 0.1), (0.3, -0.2)]
    ),
    "bun": -0.63j + 0.19 * _CIRCLE[::3],
    "curls": -0.13j + (_CIRCLE.real + 0.98j * _CIRCLE.imag) * (0.53 + 0.035 * (np.arange(28) % 2)),
}
# The cap of hair over the skull: how high it stands over the skin, and where it is parted.
_CAPS = {"crop": (0.0, 0.0), "side": (0.03, 0.14), "curls": (0.03, 0.0), "bun": (0.005, 0.0), "ponytail": (0.005, 0.05)}
# Locks that frame the face: their length.
_LOCKS = {"bob": 0.52, "long": 1.0, "wavy": 0.94}
_LOCK = [
    (0.06, -0.53),
    (0.36, -0.42),
    (0.435, -0.12),
    (0.45, 0.20),
    (0.46, 0.55),
    (0.45, 0.85),
    (0.37, 1.0),
    (0.335, 0.70),
    (0.335, 0.35),
    (0.345, 0.05),
    (0.31, -0.18),
    (0.17, -0.35),
]


class Head:
    """Places on the head; what lies on the face shifts as the head turns."""

    def __init__(self, figure):
        top, neck = figure.joints[p.HEAD_TOP], figure.joints[p.UPPER_NECK]
        down = unit_vector(neck - top)
        self.size = figure.body.head * figure.unit
        self.across = -1j * down * self.size
        self.center = top + 0.5 * self.size * down
        self.turn = np.sin(np.radians(figure.pose.head_yaw))

    def at(self, local):
        """Returns the places in the picture of places [N] on the head's silhouette."""
        return self.center + self.across * local

    def face(self, local, s=1, x=0.0, depth=0.33):
        """Returns the places of a feature [N], mirrored for s = -1, at distance x from the middle of the face."""
        local = local if s > 0 else -local.conj()
        squeezed = (local.real + s * x) * np.sqrt(1 - self.turn**2) + depth * self.turn
        return self.center + self.across * (squeezed + 1j * local.imag)


def face(figure):
    """Returns ears, face and features, in painting order."""
    head, body = Head(figure), figure.body
    jaw = head.at(_JAW + 0.22 * head.turn * np.clip(_JAW.imag, 0, 0.5))
    if not figure.fine:
        eyes = [head.face(_EYE, s, 0.155) for s in p.SIGN]
        return [Flat(body.skin, [loop(jaw)]), Flat(body.lips, [head.face(_LIPS, depth=0.36)]), Flat(body.hair, eyes)]
    blush = [(loop(head.face(_BLUSH + 0.17j, s, 0.19, 0.30)), 192) for s in p.SIGN]
    ears = [Part(loop(head.face(_EAR + 0.02j, s, 0.345, -0.10))) for s in p.SIGN]
    shaded = Part(loop(jaw), tones=[(loop(head.at(_SHADE)), 184), *blush])
    nose = (curve(head.face(_NOSE, depth=0.40)), 0.018 * head.size, 150)
    lashes = tuple(int(0.35 * c) for c in body.hair)
    brow = tuple(int(0.55 * c + 10) for c in body.hair)
    mouth = tuple(int(0.72 * c) for c in body.lips)
    eyes, taper = [(s, 0.155) for s in p.SIGN], blend(0.030, 0.010, grid(11)) * head.size
    return [
        Piece(Fabric((body.skin,)), [*ears, shaded], [nose], shadow=0.2),
        Flat(body.lips, [loop(head.face(_LIPS, depth=0.36))]),
        Flat(mouth, [ribbon(curve(head.face(_MOUTH, depth=0.36), 4), 0.012 * head.size)]),
        Flat((244, 240, 236), [loop(head.face(_EYE, *eye)) for eye in eyes]),
        Flat(lashes, [head.face(_IRIS, *eye) for eye in eyes]),
        Flat(lashes, [ribbon(curve(head.face(_LASH, *eye), 4), 0.017 * head.size) for eye in eyes]),
        Flat(brow, [ribbon(curve(head.face(_BROW, *eye), 5), taper) for eye in eyes]),
    ]


def from_behind(figure):
    """Returns ears and hair of a head that is seen from behind, in painting order."""
    head, style = Head(figure), figure.body.hair_style
    rim, _ = _CAPS.get(style, (0.02, 0.06))
    outer = _cap(rim, 0.0)[: 8 * 6 + 1]  # The outer half of the cap's outline.
    ears = [Part(loop(head.face(_EAR + 0.02j, s, 0.345, -0.10))) for s in p.SIGN]
    skull = Part(head.at(np.concatenate([outer, curve(_NAPE, 4)])), tones=[(loop(head.at(_SHEEN)), LIGHT)])
    pieces = [Piece(Fabric((figure.body.skin,)), ears, shadow=0.2), Piece(Fabric((figure.body.hair,)), [skull])]
    if style in _BEHIND:
        outline = _TAIL if style == "ponytail" else _BEHIND[style]
        pieces.append(Piece(Fabric((figure.body.hair,)), [Part(loop(head.at(outline), 5))], shadow=0.15))
    return pieces


def _cap(rim, part):
    """Returns the outline of hair over the skull down to the ears."""
    outer = [
        (-0.375, 0.06),
        (-0.40 - rim, -0.10),
        (-0.37 - rim, -0.32),
        (-0.22, -0.50 - rim),
        (0, -0.545 - rim),
        (0.22, -0.50 - rim),
        (0.37 + rim, -0.32),
        (0.40 + rim, -0.10),
        (0.375, 0.06),
    ]
    inner = [
        (0.335, -0.04),
        (0.315, -0.16),
        (0.24, -0.25),
        (part + 0.02, -0.36),
        (part - 0.02, -0.355),
        (-0.25, -0.22),
        (-0.315, -0.14),
        (-0.335, -0.04),
    ]
    return np.concatenate([curve(places(outer)), curve(places(inner))])


def hair(figure):
    """Returns the hair behind the body and the hair over the head, each a list of pieces."""
    head, style = Head(figure), figure.body.hair_style
    fabric = Fabric((figure.body.hair,))
    behind, over = [], []
    if style in _BEHIND:
        outline = _BEHIND[style]
        if style == "ponytail" and head.turn > 0:  # It swings to the side that the face turns away from.
            outline = -outline.conj()
        # What hangs behind the neck lies in shade.
        shaded = Fabric((tuple(int(0.78 * c) for c in figure.body.hair),)) if style in _LOCKS else fabric
        behind = [Piece(shaded, [Part(loop(head.at(outline), 5))], shadow=0)]
    if style in _LOCKS:
        lock = places(_LOCK)
        below = lock.imag > 0.1
        lock[below] = lock.real[below] + 1j * (0.1 + (lock.imag[below] - 0.1) * (_LOCKS[style] - 0.1) / 0.9)
        if style == "wavy":
            lock[below] += 0.03 * (-1) ** np.arange(below.sum())
        over = [Piece(fabric, [Part(loop(head.at(lock if s > 0 else -lock.conj()))) for s in p.SIGN])]
    cap = head.at(_cap(*_CAPS.get(style, (0.02, 0.06))))
    if style == "curls":  # One mass with the hair behind: no rim between them.
        return behind, [Flat(figure.body.hair, [cap])]
    return behind, [*over, Piece(fabric, [Part(cap, tones=[(loop(head.at(_SHEEN)), LIGHT)])])]
