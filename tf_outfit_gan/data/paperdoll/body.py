"""Bodies: proportions, skin and hair, drawn at random or standard for packshots. All lengths in body units."""

from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.paperdoll.geometry import profile

SKINS = np.array(
    [
        (250, 223, 205),
        (243, 205, 180),
        (233, 189, 158),
        (219, 166, 131),
        (198, 140, 104),
        (168, 112, 78),
        (133, 86, 60),
        (98, 62, 46),
        (72, 46, 36),
    ],
    float,
)
HAIRS = np.array(
    [
        (36, 28, 28),
        (56, 38, 30),
        (88, 56, 36),
        (128, 82, 46),
        (176, 128, 72),
        (214, 176, 112),
        (150, 66, 36),
        (150, 148, 150),
    ],
    float,
)
LIPS = np.array([(196, 92, 92), (176, 56, 72), (206, 124, 108)], float)
HAIR_STYLES = ("crop", "side", "bob", "long", "wavy", "bun", "ponytail", "curls")

# Radii along a limb (0 = shoulder or hip, 1 = elbow or knee, 2 = wrist or ankle), to the outer and to the inner edge.
ARM = (
    profile(
        [
            (-0.2, 0.021),
            (0, 0.0235),
            (0.18, 0.0245),
            (0.5, 0.0205),
            (0.85, 0.0172),
            (1, 0.0165),
            (1.25, 0.0188),
            (1.6, 0.0152),
            (1.9, 0.0112),
            (2.1, 0.0108),
        ]
    ),
    profile(
        [
            (-0.2, 0.020),
            (0, 0.0215),
            (0.18, 0.0220),
            (0.5, 0.0200),
            (0.85, 0.0165),
            (1, 0.0155),
            (1.25, 0.0168),
            (1.6, 0.0138),
            (1.9, 0.0108),
            (2.1, 0.0104),
        ]
    ),
)
LEG = (
    profile(
        [
            (-0.2, 0.042),
            (0, 0.0455),
            (0.2, 0.0455),
            (0.5, 0.0395),
            (0.85, 0.0295),
            (1, 0.0268),
            (1.15, 0.0272),
            (1.4, 0.0305),
            (1.65, 0.0240),
            (1.9, 0.0158),
            (2.1, 0.0150),
        ]
    ),
    profile(
        [
            (-0.2, 0.036),
            (0, 0.0390),
            (0.2, 0.0410),
            (0.5, 0.0375),
            (0.85, 0.0275),
            (1, 0.0258),
            (1.15, 0.0260),
            (1.4, 0.0285),
            (1.65, 0.0235),
            (1.9, 0.0158),
            (2.1, 0.0150),
        ]
    ),
)


@dataclass(frozen=True)
class Body:
    """Proportions of one figure whose height is 1."""

    shoulder: float = 0.098  # From the middle to the shoulder joint.
    chest: float = 0.085  # Half widths.
    waist: float = 0.066
    hips: float = 0.088
    hip_joint: float = 0.046
    girth: float = 1.0  # Of arms and legs.
    torso: float = 0.290  # From the shoulder line to the hip line.
    leg: float = 0.470  # From the hip to the ankle.
    arm: float = 0.305  # From the shoulder to the wrist.
    head: float = 0.128  # From chin to crown.
    rise: float = 0.65  # The part of what is above the shoulder line that is above the upper neck.
    skin: tuple = (233, 189, 158)
    hair: tuple = (56, 38, 30)
    lips: tuple = (196, 92, 92)
    hair_style: str = "bob"

    ANKLE = 0.040  # Height of the ankle over the sole.

    def arm_radii(self):
        return [lambda u, r=r: self.girth * r(u) for r in ARM]

    def leg_radii(self):
        return [lambda u, r=r: self.girth * r(u) for r in LEG]


def _color(values):
    return tuple(np.clip(np.rint(values), 0, 255).astype(int).tolist())


def _between(table, position):
    """Returns a color between neighbors of a table; position in [0, 1)."""
    i, t = divmod(position * (len(table) - 1), 1)
    return (1 - t) * table[int(i)] + t * table[int(i) + 1]


def draw_body(rng, slimmest=0.88, span=0.22):
    """Draws a body: frame, girth (from `slimmest`, over `span`) and proportions vary independently."""
    broad, girth, a, b, c, d, e = rng.random(7)
    skin, hair, lips, brighten = rng.random(4)
    style = HAIR_STYLES[rng.integers(len(HAIR_STYLES))]
    girth = slimmest + span * girth
    torso = 0.280 + 0.022 * a
    hair = HAIRS[int(hair * len(HAIRS))] * (0.85 + 0.3 * brighten)
    skin = _between(SKINS, skin)
    return Body(
        shoulder=(0.088 + 0.017 * broad + 0.004 * b) * (0.6 + 0.4 * girth),
        chest=(0.077 + 0.014 * broad) * girth,
        waist=(0.058 + 0.016 * broad + 0.004 * c) * girth,
        hips=(0.090 - 0.008 * broad + 0.004 * c) * (0.3 + 0.7 * girth),
        hip_joint=(0.047 - 0.003 * broad) * (0.3 + 0.7 * girth),
        girth=girth * (0.96 + 0.08 * broad),
        torso=torso,
        leg=0.465 + 0.020 * d - 0.5 * (torso - 0.29),
        arm=0.295 + 0.020 * e,
        head=0.122 + 0.010 * b,
        skin=_color(skin),
        hair=_color(hair),
        lips=_color(0.5 * LIPS[int(lips * len(LIPS))] + 0.5 * skin),
        hair_style=style,
    )
