"""Color as people see it: CIELAB, and the difference CIEDE2000 (CIE 142-2001; Sharma, Wu and Dalal 2005).

About 1 is the smallest difference that a person sees side by side, about 5 shows at a glance, red and green are some 85
apart.
"""

import numpy as np

# Linear sRGB to CIE XYZ (IEC 61966-2-1), and its white: D65, the sum of the rows.
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _XYZ.sum(axis=1)

# An 8-bit value as linear light.
_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)


def lab(pictures):
    """sRGB uint8 [..., 3] as CIELAB under D65, float64 [..., 3] = [L* in 0..100, a*, b*]."""
    xyz = _LINEAR[pictures] @ _XYZ.T / _WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(one, other):
    """The difference of colors in CIELAB, [..., 3] each, as [...]; symmetric, all weights 1.

    The names are those of Sharma et al., equations 2 to 22, whose treatment of hues around 0 and of grays it follows.
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(color, np.float64), -1, 0) for color in (one, other))

    # Chroma and hue, after a* of grayish colors is stretched.
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    gray = c1 * c2 == 0  # A gray has no hue.

    # Differences in lightness, chroma and hue; hues differ the short way around.
    dl, dc = l2 - l1, c2 - c1
    dh = np.where(gray, 0, (h2 - h1 + 180) % 360 - 180)
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))

    # Means; that of hues more than half a turn apart lies on the other side.
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    total, far = h1 + h2, np.abs(h1 - h2) > 180
    mh = np.where(gray, total, np.where(far, np.where(total < 360, total + 360, total - 360), total) / 2)

    # How much each difference weighs there.
    t = (
        1
        - 0.17 * np.cos(np.radians(mh - 30))
        + 0.24 * np.cos(np.radians(2 * mh))
        + 0.32 * np.cos(np.radians(3 * mh + 6))
        - 0.20 * np.cos(np.radians(4 * mh - 63))
    )
    s_l = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    turn = np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2)))
    r_t = -2 * np.sqrt(mc**7 / (mc**7 + 25.0**7)) * np.sin(turn)
    l, c, h = dl / s_l, dc / s_c, dh / s_h
    return np.sqrt(np.maximum(l**2 + c**2 + h**2 + r_t * c * h, 0))
