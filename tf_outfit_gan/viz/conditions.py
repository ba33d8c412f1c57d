"""What a picture was asked for with: its articles, and its pose as a skeleton."""

import math

from PIL import Image, ImageDraw

from tf_outfit_gan.images.open import fit, open_image
from tf_outfit_gan.viz.montage import GAP, MISSING, montage
from tf_outfit_gan.viz.skeleton import draw_skeleton

FRAME = (230, 110, 30)  # Around an article that is pointed out.


def beside_conditions(picture, request, slots):
    """A Pillow image with the articles and the pose of its `Request` to its left, each as large as it is."""
    return montage([[*conditions(request, slots, (picture.height, picture.width)), picture]], gap=GAP // 2, margin=0)


def conditions(request, slots, size):
    """(articles, pose) of a `Request`, two Pillow images, each as large as a picture of that (height, width)."""
    pose = draw_skeleton(Image.new("RGB", (size[1], size[0]), MISSING), request.keypoints)
    return wardrobe(request, slots, size), pose


def wardrobe(request, slots, size, framed=None):
    """The articles of a `Request` as the model sees them, in slot order, two rows, as high as `size`; one may be framed."""
    height, width = size[0] // 2, size[1] // 2
    cells = []
    for slot in slots:
        cell = Image.new("RGB", (width, height), MISSING)
        if slot in request.articles:
            cell, _ = fit(open_image(request.articles[slot], slot), (height, width))
        if slot == framed:
            ImageDraw.Draw(cell).rectangle([(0, 0), (width - 1, height - 1)], outline=FRAME, width=3)
        cells.append(cell)
    columns = math.ceil(len(cells) / 2)
    return montage([row for row in (cells[:columns], cells[columns:]) if row], gap=GAP // 4, margin=0)
