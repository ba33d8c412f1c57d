"""The sheet of the demo: what the shipped model draws, on one picture."""

from PIL import Image

from tf_outfit_gan.viz.montage import montage, save_whole


def draw_sheet(path, pictures, jacket):
    """Writes the sheet of a demo.

    Args:
        path: where to.
        pictures: the folder of outfits.png, poses.png, jacket.png, transfer_color.png and transfer_pose.png.
        jacket: the image file of the article that was added.
    """

    def titled(name, title):
        return montage([[Image.open(pictures / f"{name}.png")]], titles=[title], margin=0)

    article = montage([[Image.open(jacket).convert("RGB")]], titles=["\n "], margin=0)
    rows = [
        [
            titled("outfits", "Outfits that nobody photographed: articles (gray = none), pose, three seeds.\n "),
            titled("poses", "One outfit in\nfour poses,"),
            titled("jacket", "and with a\njacket put on:"),
            article,
        ],
        [titled(f"transfer_{what}", f"The {what} of one picture given to another.") for what in ("color", "pose")],
    ]
    save_whole(montage([[montage([row], margin=0)] for row in rows]), path)
