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
    """Each article's picture laid over the part of the body that wears it, [H, W, 3S]; 0 where there is nothing.

    Args:
        articles: [S, h, w, 3], 0 for a missing one. They are halved until they are half as high as the map.
    """
    drawn = []
    for slot, article in zip(slots, articles):
        while 2 * len(article) > size[0] and halved(article) is not None:
            article = halved(article)
        shown = np.zeros((*size, 3))
        for frame in reversed(frames(slot, joints(keypoints, size))):  # The first one is on top.
            layer = sampled(article, frame, pixel_centers(size))
            shown = np.where((layer != 0).any(axis=-1, keepdims=True), layer, shown)
        drawn.append(shown)
    return np.concatenate(drawn, axis=-1)


def frames(slot, pose):
    """Where an article hangs: a list of (middle of the upper edge, middle of the lower edge, width), in heights.

    All lengths are in torsos, from thorax to pelvis. A frame that lacks its joints is None.
    """

    def between(name):
        right, left = pose[f"right_{name}"], pose[f"left_{name}"]
        return (right + left) / 2 if right is not None and left is not None else left if right is None else right

    def first(*places):
        return next((place for place in places if place is not None), None)

    thorax, pelvis = first(pose["thorax"], between("shoulder")), first(pose["pelvis"], between("hip"))
    if thorax is None or pelvis is None:
        return []
    torso = pelvis - thorax
    length = np.linalg.norm(torso)
    # A photo may end above the knees: legs go on in the torso's direction, thigh and shin 0.84 torsos each.
    knees = first(between("knee"), pelvis + 0.84 * torso)
    ankles = first(between("ankle"), knees + 0.84 * torso)

    def box(top, bottom, width, above, below):
        axis = (bottom - top) / np.linalg.norm(bottom - top)
        return top - above * length * axis, bottom + below * length * axis, width * length

    def hanging(joint, width, above):
        if joint is None:
            return None
        top = joint - [0, above * length]
        return top, top + [0, width * length * 4 / 3], width * length

    if slot == "shoes":
        return [hanging(pose[f"{side}_ankle"], 0.6, 0.3) for side in ("right", "left")]
    if slot == "bag":
        return [hanging(pose[f"{side}_wrist"], 0.7, 0.1) for side in ("right", "left")]
    return [
        {
            "outerwear": lambda: box(thorax, pelvis, 1.7, 0.25, 0.35),
            "top": lambda: box(thorax, pelvis, 1.7, 0.25, 0.25),
            "dress": lambda: box(thorax, knees, 1.5, 0.25, 0.1),
            "bottom": lambda: box(pelvis, ankles, 1.0, 0.15, 0.1),
        }[slot]()
    ]


def sampled(article, frame, pixels):
    """The article's picture in its frame, bilinear, [H, W, 3]; 0 outside of the frame."""
    shown = np.zeros((*pixels.shape[:2], 3))
    if frame is None:
        return shown
    top, bottom, frame_width = frame
    height, width, _ = article.shape
    down = bottom - top
    right = np.array([down[1], -down[0]]) / np.linalg.norm(down)
    v = (pixels - top) @ down / (down @ down)
    u = 0.5 + (pixels - top) @ right / frame_width
    for row, column in np.ndindex(*v.shape):
        if 0 <= u[row, column] <= 1 and 0 <= v[row, column] <= 1:
            # Between the centers of four pixels; beyond the outermost centers the outermost pixels go on.
            x = np.clip(u[row, column] * width - 0.5, 0, width - 1)
            y = np.clip(v[row, column] * height - 0.5, 0, height - 1)
            left, upper = min(int(x), width - 2), min(int(y), height - 2)
            a, b = x - left, y - upper
            (nw, ne), (sw, se) = article[upper : upper + 2, left : left + 2]
            shown[row, column] = (1 - b) * ((1 - a) * nw + a * ne) + b * ((1 - a) * sw + a * se)
    return shown
