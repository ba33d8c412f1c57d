"""Conditions as pictures: what networks see of a pose and of articles (arXiv 1908.08847, figure 2; docs/measured.md).

Everything is drawn pixel by pixel, for one person after another. Places are in heights of the picture, y downwards.
"""

import numpy as np

SIGMA = 0.0204  # Of a joint's Gaussian, in heights; measured on the paper's figures.
JOINTS = (
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
    "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist"
).split()
BONES = (
    "right_ankle right_knee, right_knee right_hip, right_hip pelvis, left_hip pelvis, left_knee left_hip, "
    "left_ankle left_knee, thorax pelvis, upper_neck thorax, head_top upper_neck, right_wrist right_elbow, "
    "right_elbow right_shoulder, right_shoulder thorax, left_shoulder thorax, left_elbow left_shoulder, "
    "left_wrist left_elbow"
).split(", ")


def joints(keypoints, size):
    """{name: [x, y] in heights, or None} of a pose [K, 3] = x in widths, y in heights, 0 for a missing joint."""
    places = keypoints[:, :2] * [size[1] / size[0], 1]
    there = (keypoints[:, 2] > 0) & np.isfinite(places).all(axis=1)
    return {name: place if seen else None for name, place, seen in zip(JOINTS, places, there)}


def pixel_centers(size):
    """[H, W, 2]: x and y of every pixel."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    return np.stack([(x + 0.5) / height, (y + 0.5) / height], axis=-1)


def heatmaps(keypoints, size, sigma=SIGMA):
    """[H, W, K]: a Gaussian with peak 1 at each joint; nothing for one that is missing."""
    maps = np.zeros((*size, len(JOINTS)))
    for k, place in enumerate(joints(keypoints, size).values()):
        if place is not None:
            maps[..., k] = np.exp(-_squared(pixel_centers(size) - place) / (2 * sigma**2))
    return maps


def bones(keypoints, size, sigma=SIGMA):
    """[H, W, B]: the same around each line between two joints."""
    pose, pixels, maps = joints(keypoints, size), pixel_centers(size), np.zeros((*size, len(BONES)))
    for b, names in enumerate(BONES):
        end, start = (pose[name] for name in names.split())
        if start is not None and end is not None:
            way = end - start
            along = np.clip((pixels - start) @ way / max(way @ way, 1e-30), 0, 1)[..., None]
            maps[..., b] = np.exp(-_squared(pixels - (start + along * way)) / (2 * sigma**2))
    return maps


def _squared(vectors):
    return (vectors**2).sum(axis=-1)


def maps_by_level(sizes, slots, keypoints, articles, pose, worn):
    """The maps of one entry that enter each level, a list of [H, W, M]: joints, bones, articles; None without any.

    A joint's Gaussian is at least two thirds of a pixel wide: those of 32 pixels' height. Articles are laid out at the
    largest level and averaged down, at a quarter of their strength.
    """
    if not (pose or worn):
        return None
    levels = [[] for _ in sizes]
    if pose:
        for found, size in zip(levels, sizes):
            sigma = SIGMA * max(1, 32 / size[0])
            found += [heatmaps(keypoints, size, sigma), bones(keypoints, size, sigma)]
    if worn:
        shown = laid_over(slots, keypoints, articles, sizes[-1]) / 4
        for found in reversed(levels):
            found.append(shown)
            shown = halved(shown)
    return [np.concatenate(found, axis=-1) for found in levels]


def halved(picture):
    """The mean of every 2x2 pixels, [2H, 2W, C] -> [H, W, C]."""
    height, width, channels = picture.shape
    if height % 2 or width % 2:
        return None
    return picture.reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))


def laid_over(slots, keypoints, articles, size):
    """Each article laid over the body that wears it, part by part, [H, W, 3S]; 0 where there is nothing.

    Args:
        articles: [S, h, w, 3], 0 for a missing one. They are halved until they are half as high as the map.
    """
    drawn = []
    for slot, article in zip(slots, articles):
        while 2 * len(article) > size[0] and halved(article) is not None:
            article = halved(article)
        shown = cut_out(article)
        scale, top = fit(slot, shown)
        cut = np.concatenate([without_rim(article, shown) * shown[..., None], shown[..., None]], axis=-1)
        laid = np.zeros((*size, 3))
        for place in reversed(frames(slot, joints(keypoints, size), pixel_centers(size))):  # The first one is on top.
            u, v = 0.5 + scale * place.real, scale * (place.imag - top) * article.shape[1] / len(article)
            layer = sampled(cut, u, v)
            # At its rim an article shows in its own color; it ends with its last pixel.
            there = sampled(shown[..., None], u, v, nearest=True) > 0
            laid = np.where(there, layer[..., :3] / np.maximum(layer[..., 3:], 1e-9), laid)
        drawn.append(laid)
    return np.concatenate(drawn, axis=-1)


# The right side of somebody who looks out of the picture is its left: the mirror of these, in torso lengths from the thorax.
LEFT = {
    "shoulder": 0.34,
    "elbow": 0.5 + 0.53j,
    "wrist": 0.6 + 1.02j,
    "hip": 0.16 + 1j,
    "knee": 0.21 + 1.81j,
    "ankle": 0.27 + 2.62j,
}


def frames(slot, pose, pixels):
    """Where each pixel is in the upright figure, or in the picture of an article that hangs; the part on top comes first.

    Places are complex numbers here, x + iy, because a turn is a factor then.

    Returns [H, W] for each part of the body that the pose has, NaN outside of it.
    """
    pose = {name: None if place is None else complex(*place) for name, place in pose.items()}
    pixels = pixels[..., 0] + 1j * pixels[..., 1]

    def first(*places):
        return next((place for place in places if place is not None), None)

    def between(name):
        found = [pose[f"{side}_{name}"] for side in ("right", "left")]
        found = [place for place in found if place is not None]
        return sum(found) / len(found) if found else None

    thorax, pelvis = first(pose["thorax"], between("shoulder")), first(pose["pelvis"], between("hip"))
    if thorax is None or pelvis is None:
        return []
    torso = abs(pelvis - thorax)
    # A photo may end above the knees: legs go on in the torso's direction, thigh and shin 0.81 torsos each.
    knees = first(between("knee"), pelvis + 0.81 * (pelvis - thorax))
    ankles = first(between("ankle"), knees + 0.81 * (pelvis - thorax))

    def part(start, end, of_start, of_end, reach, widening=0.0, above=0.0, below=0.0, unit=1.0):
        """A part from `start` to `end` that is from `of_start` to `of_end` in the figure; its lengths are in torsos.

        Along it, it is stretched to that of the figure; across it, `unit` torsos become 1.
        """
        if start is None or end is None or start == end:
            return []
        length, direction = abs(of_end - of_start), (end - start) / abs(end - start)
        turned = (pixels - start) / direction
        along, aside = turned.real / abs(end - start), turned.imag / torso
        inside = abs(aside) <= reach + widening * np.maximum(along, 0)
        inside &= (-along * length <= above) & ((along - 1) * length <= below)
        place = of_start + (of_end - of_start) / length * (along * length + 1j * aside / unit)
        return [np.where(inside, place, np.nan)]

    def picture(top, bottom, width):
        """An article's own picture, between the middles of its upper and lower edges."""
        return part(top, bottom, 0, 4j / 3, reach=width / 2, unit=width)

    def hanging(name, width, above):
        """The picture at the right joint and at the left one, three quarters as wide as it is high."""
        tops = [pose[f"{side}_{name}"] - 1j * above * torso for side in ("right", "left") if pose[f"{side}_{name}"] is not None]
        return [found for top in tops for found in picture(top, top + 4j / 3 * width * torso, width)]

    def limb(side, *names, reach):
        """The outer half of an arm or leg, and then the inner one."""
        a, b, c = (pose[f"{side}_{name}"] for name in names)
        of_a, of_b, of_c = (LEFT[name] if side == "left" else -np.conj(LEFT[name]) for name in names)
        ends = dict(reach=reach, above=0.1, below=0.1)
        return part(b, c, of_b, of_c, **ends) + part(a, b, of_a, of_b, **ends)

    if slot == "shoes":
        return hanging("ankle", 0.6, above=0.3)
    if slot == "bag":
        return hanging("wrist", 0.7, above=0.1) + hanging("hip", 0.7, above=0.3)
    skirt = dict(start=pelvis, end=ankles, of_start=1j, of_end=2.62j, reach=0.54, widening=0.4, below=0.2)
    if slot == "bottom":
        legs = [limb(side, "hip", "knee", "ankle", reach=0.2) for side in ("right", "left")]
        return sum(legs, []) + part(**skirt, above=0.4)
    if slot in ("outerwear", "top", "dress"):
        arms = [limb(side, "shoulder", "elbow", "wrist", reach=0.17) for side in ("right", "left")]
        trunk = part(thorax, pelvis, 0, 1j, reach=0.34, widening=0.2, above=0.5, below=0.02)
        return sum(arms, []) + trunk + part(**skirt)
    down = (ankles - thorax) / abs(ankles - thorax) * torso
    return picture(thorax - 0.6 * down, ankles + 0.2 * down, 1.7)


def cut_out(article):
    """[h, w] of bool: what has a pixel unlike the border's median color to the left, right, above and below, or is one."""
    border = np.concatenate([article[0], article[-1], article[:, 0], article[:, -1]])
    paper = np.sort(border, axis=0)[len(border) // 2]
    differs = abs(article - paper).max(axis=-1) > 0.06
    shown = np.zeros_like(differs)
    for y, x in np.ndindex(*shown.shape):
        shown[y, x] = differs[y, : x + 1].any() and differs[y, x:].any() and differs[: y + 1, x].any() and differs[y:, x].any()
    return shown


def without_rim(article, shown):
    """Pixels at the rim of an article take the mean color of the ones beside them that are not."""
    height, width = shown.shape
    around = {
        (y, x): np.s_[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] for y, x in np.ndindex(height, width)
    }  # A pixel and its neighbors, in the picture.
    inner = np.array([[shown[around[y, x]].all() for x in range(width)] for y in range(height)])
    clean = article.copy()
    for place, beside in around.items():
        if not inner[place] and inner[beside].any():
            clean[place] = article[beside][inner[beside]].mean(axis=0)
    return clean


def fit(slot, shown):
    """(widths of the picture in a torso length, where the picture's upper edge is at the upright figure).

    An article is 0.31 torsos wide to both sides where it is narrowest, a coat 0.36. That is looked for below its shoulders,
    or at its waistband.
    """
    half_widths = {"outerwear": 0.36, "top": 0.31, "dress": 0.31, "bottom": 0.31}
    if slot not in half_widths or not shown.any():
        return 1.0, 0.0
    low, high, edge = (0.04, 0.15, 0.68) if slot == "bottom" else (0.2, 0.75, -0.18)
    rows, width = np.flatnonzero(shown.any(axis=1)), shown.shape[1]
    found = [1.0]
    for y, row in enumerate(shown[rows[0] :]):
        # How many pixels there are to the left and to the right of the middle, up to the first gap.
        left, right = ([*side, False].index(False) for side in (row[: width // 2][::-1], row[width // 2 :]))
        if low < (y + 0.5) / len(rows) < high and left + right > 0:
            found.append((left + right) / 2 / width)
    scale = np.clip(min(found) / half_widths[slot], 0.2, 2)
    return scale, edge - rows[0] / (width * scale)


def sampled(article, u, v, nearest=False):
    """The article's picture at places [H, W] in its widths and heights, bilinear or nearest, [H, W, C]; 0 outside of it."""
    height, width, channels = article.shape
    shown = np.zeros((*u.shape, channels))
    for row, column in np.ndindex(*v.shape):
        if 0 <= u[row, column] <= 1 and 0 <= v[row, column] <= 1:
            # Between the centers of four pixels; beyond the outermost centers the outermost pixels go on.
            x = np.clip(u[row, column] * width - 0.5, 0, width - 1)
            y = np.clip(v[row, column] * height - 0.5, 0, height - 1)
            left, upper = min(int(x), width - 2), min(int(y), height - 2)
            a, b = x - left, y - upper
            if nearest:
                a, b = a >= 0.5 - 1e-4, b >= 0.5 - 1e-4  # Rounding must not decide.
            (nw, ne), (sw, se) = article[upper : upper + 2, left : left + 2]
            shown[row, column] = (1 - b) * ((1 - a) * nw + a * ne) + b * ((1 - a) * sw + a * se)
    return shown
