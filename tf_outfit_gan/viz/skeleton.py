"""Poses drawn as skeletons of bones and joints."""

from PIL import ImageDraw

from tf_outfit_gan.pose.mpii import JOINTS, LIMBS

# Bones and joints are as thick as suits a picture of this height, about that of a contact sheet's cells; others scale.
CELL_HEIGHT = 256

# The person's right is warm, the left is cold, the middle is green: a swapped pose shows at a glance.
COLORS = {"right": (230, 60, 40), "left": (40, 110, 230), "middle": (30, 170, 80)}


def draw_skeleton(image, keypoints):
    """Draws the bones and joints of a pose [K, 3] that are there on a copy of a picture."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    points = [(x * image.width, y * image.height) for x, y, _ in keypoints]
    unit = image.height / CELL_HEIGHT
    for joint, parent in LIMBS:
        if keypoints[joint, 2] and keypoints[parent, 2]:
            draw.line([points[joint], points[parent]], fill=_color(joint), width=max(1, round(2 * unit)))
    for joint, (x, y) in enumerate(points):
        if keypoints[joint, 2]:
            draw.circle((x, y), 2.5 * unit, fill=_color(joint), outline="white")
    return image


def _color(joint):
    return COLORS.get(JOINTS[joint].split("_")[0], COLORS["middle"])
