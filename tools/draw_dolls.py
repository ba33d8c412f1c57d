"""Draws docs/images/varied_dolls.jpg, 24 dolls of `outfit-gan paperdoll --variety mixed`, and prints what 2,000 of them have.

python tools/draw_dolls.py
"""

from pathlib import Path

import numpy as np

from tf_outfit_gan.data.paperdoll.scene import draw_entry, draw_scene
from tf_outfit_gan.data.paperdoll.variety import VARIETIES
from tf_outfit_gan.viz.montage import montage, picture, save_whole

IMAGES = Path(__file__).parents[1] / "docs" / "images"
MIXED = VARIETIES["mixed"]
SIZE, ROWS, COLUMNS = (192, 144), 3, 8
COUNT = 2000


def main():
    dolls = [[picture(draw_entry(1, row * COLUMNS + i, SIZE, MIXED).photo) for i in range(COLUMNS)] for row in range(ROWS)]
    save_whole(montage(dolls, gap=2, margin=0), IMAGES / "varied_dolls.jpg", "JPEG", quality=85)
    scenes = [draw_scene(0, i, MIXED) for i in range(COUNT)]
    cuts = [cut for scene in scenes for cut in scene.outfit.cuts.values()]
    shares = {
        "photos with missing joints": [missing_joints(scene) > 0 for scene in scenes],
        "missing joints": [missing_joints(scene) / 16 for scene in scenes],
        "photos with an unlisted article": [scene.variation.unlisted is not None for scene in scenes],
        "articles with a print": [cut.fabric.kind in ("floral", "printed") for cut in cuts],
        "photos with a print": [
            any(cut.fabric.kind in ("floral", "printed") for cut in scene.outfit.cuts.values()) for scene in scenes
        ],
        "articles of another entry": [slot in scene.owners for scene in scenes for slot in scene.outfit.cuts],
        "backs": [abs(scene.pose.yaw) > 90 for scene in scenes],
        "dark or colored walls": [scene.variation.wall is not None for scene in scenes],
    }
    for name, values in shares.items():
        print(f"{name}: {np.mean(values):.1%}")


def missing_joints(scene):
    """Returns how many joints lie outside the photo."""
    return int((scene.keypoints(SIZE)[:, 2] == 0).sum())


if __name__ == "__main__":
    main()
