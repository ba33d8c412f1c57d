"""Draws the examples that the package ships: a shelf of articles, poses to start from, outfits.

    tf_outfit_gan/examples/articles/SLOT_NAME.png   packshots, 128x96
    tf_outfit_gan/examples/poses/NAME.json          keypoints, as `--pose` reads them
    tf_outfit_gan/examples/outfits/NAME.json        articles and a pose, as `--outfit` reads them
    tf_outfit_gan/examples/index.json               their names, for pages that cannot list a folder
    tf_outfit_gan/examples/request.json             one outfit as TF Serving's REST API takes it

Run it from the root of the repository after a change to the paper dolls or to this file: `python tools/draw_examples.py`.
"""

import base64
import json
from pathlib import Path

from PIL import Image

from tf_outfit_gan.data.paperdoll.bags import Bag
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.fabric import Fabric
from tf_outfit_gan.data.paperdoll.figure import Figure
from tf_outfit_gan.data.paperdoll.lower import Skirt, Trousers
from tf_outfit_gan.data.paperdoll.outerwear import Jacket
from tf_outfit_gan.data.paperdoll.pose import STANCES, Pose
from tf_outfit_gan.data.paperdoll.scene import packshot
from tf_outfit_gan.data.paperdoll.shoes import Shoes
from tf_outfit_gan.data.paperdoll.upper import Upper
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.slots import SLOTS

OUT = Path(__file__).parents[1] / "tf_outfit_gan" / "examples"
SIZE = (128, 96)
PLACE, HEIGHT = (0.375, 0.95), 0.88  # Where a figure stands, and how high it is, in picture heights.

WHITE, BLACK, CHARCOAL, STONE = (228, 226, 220), (38, 38, 44), (84, 88, 98), (196, 182, 158)
NAVY, DENIM, SKY, TEAL = (38, 52, 96), (74, 108, 158), (150, 186, 222), (24, 122, 124)
CAMEL, TAN, RUST, MUSTARD = (188, 140, 88), (166, 108, 64), (186, 84, 48), (214, 162, 44)
RED, ROSE, OLIVE, FOREST, PLUM = (184, 38, 48), (222, 150, 158), (104, 110, 62), (36, 92, 66), (106, 48, 92)


def plain(color):
    return Fabric((color,))


def checked(first, second, period):
    mixed = tuple((a + b) // 2 for a, b in zip(first, second))
    return Fabric((first, mixed, second), "checks", period)


def jacket(fabric, style, hem, depth, gap=0.028, **cut):
    roomy = style in ("bomber", "trucker")
    cut = {"sleeve_ease": 0.012, "eases": (0.013, 0.026 if roomy else 0.014, 0.014)} | cut
    return Jacket(fabric, "v", 0.040, depth, sleeve="long", hem=hem, style=style, gap=gap, **cut)


def coat(fabric, length, **cut):
    return jacket(fabric, "coat", 1.0, 0.36, eases=(0.016, 0.022, 0.018), skirt=(length, 0.02), **cut)


def dress(fabric, neck, depth, sleeve, length, flare, belt=False):
    width = 0.036 if neck == "turtle" else 0.048
    return Upper(fabric, neck, width, depth, 0.076, sleeve, 0.006, 0.0, (0.003, 0.005, 0.005), 1.0, (length, flare), belt)


ARTICLES = {
    "outerwear": {
        "camel_coat": coat(plain(CAMEL), 0.27),
        "checked_coat": coat(checked(CHARCOAL, STONE, 0.045), 0.22, gap=0.0, belt=True),
        "navy_blazer": jacket(plain(NAVY), "blazer", 1.10, 0.46),
        "rose_blazer": jacket(plain(ROSE), "blazer", 1.10, 0.46),
        "olive_bomber": jacket(plain(OLIVE), "bomber", 0.88, 0.06, gap=0.020),
        "denim_jacket": jacket(plain(DENIM), "trucker", 0.88, 0.08),
        "gray_cardigan": jacket(plain((150, 152, 158)), "cardigan", 1.04, 0.34),
    },
    "top": {
        "white_tee": Upper(plain(WHITE), "round", 0.046, 0.05),
        "striped_tee": Upper(Fabric((WHITE, NAVY), "horizontal", 0.034, 0.42), "round", 0.046, 0.05, sleeve="three_quarter"),
        "black_turtleneck": Upper(plain(BLACK), "turtle", 0.036, -0.03, sleeve="long", sleeve_ease=0.005),
        "blue_shirt": Upper(plain(SKY), "shirt", 0.034, 0.11, sleeve="long", hem=1.0),
        "checked_shirt": Upper(checked(RED, NAVY, 0.048), "shirt", 0.034, 0.11, sleeve="long", hem=1.0),
        "rust_sweater": Upper(plain(RUST), "round", 0.044, 0.03, sleeve="long", sleeve_ease=0.011, eases=(0.010, 0.020, 0.012)),
        "dotted_blouse": Upper(
            Fabric((PLUM, WHITE), "dots", 0.036), "v", 0.048, 0.16, sleeve="three_quarter", sleeve_flare=0.018
        ),
        "green_tank": Upper(plain(FOREST), "round", 0.056, 0.22, 0.072, "none", eases=(0.002, 0.004, 0.005)),
    },
    "dress": {
        "red_wrap": dress(plain(RED), "v", 0.26, "three_quarter", 0.24, 0.05, belt=True),
        "black_mini": dress(plain(BLACK), "square", 0.15, "none", 0.14, 0.0),
        "dotted_navy": dress(Fabric((NAVY, WHITE), "dots", 0.044), "round", 0.10, "short", 0.23, 0.06),
        "striped_linen": dress(Fabric((STONE, WHITE), "vertical", 0.040, 0.5), "shirt", 0.12, "short", 0.30, 0.03, belt=True),
        "teal_midi": dress(plain(TEAL), "round", 0.08, "long", 0.32, 0.05),
        "mustard_maxi": dress(plain(MUSTARD), "v", 0.22, "none", 0.42, 0.09),
        "gray_knit": dress(plain((142, 146, 156)), "turtle", -0.03, "long", 0.21, 0.0),
    },
    "bottom": {
        "blue_jeans": Trousers(plain(DENIM), "slim"),
        "black_trousers": Trousers(plain(BLACK), "straight"),
        "wide_stone": Trousers(plain(STONE), "wide"),
        "rust_flares": Trousers(plain(RUST), "flared"),
        "navy_shorts": Trousers(plain(NAVY), "straight", 0.62),
        "pleated_skirt": Skirt(plain(FOREST), 0.30, 0.04, 8),
        "checked_skirt": Skirt(checked(CHARCOAL, ROSE, 0.044), 0.15, 0.012),
        "pencil_skirt": Skirt(plain(PLUM), 0.23, -0.008),
    },
    "shoes": {
        "white_sneakers": Shoes(plain(WHITE)),
        "red_sneakers": Shoes(plain(RED)),
        "ankle_boots": Shoes(plain(TAN), "boot", "ankle", 0.03),
        "knee_boots": Shoes(plain(BLACK), "boot", "knee", 0.03),
        "black_pumps": Shoes(plain(BLACK), "pump", None, 0.044),
        "rose_pumps": Shoes(plain(ROSE), "pump", None, 0.044),
        "tan_flats": Shoes(plain(CAMEL), "flat"),
    },
    "bag": {
        "tan_tote": Bag(plain(TAN), "tote"),
        "striped_tote": Bag(Fabric((WHITE, NAVY), "horizontal", 0.034), "tote"),
        "black_handbag": Bag(plain(BLACK), "handbag"),
        "red_handbag": Bag(plain(RED), "handbag"),
        "mustard_crossbody": Bag(plain(MUSTARD), "crossbody"),
        "forest_crossbody": Bag(plain(FOREST), "crossbody"),
    },
}


def stance(name, standing=0):
    """Returns the legs of a stance that stands on the right (0) or on the left leg (1)."""
    legs = STANCES[name][0]
    return legs if standing == 0 else legs[::-1]


POSES = {
    "standing": Pose(legs=stance("straight"), gestures=("relaxed", "relaxed")),
    "contrapposto": Pose(8, 5, -3, head_tilt=3, legs=stance("contrapposto"), gestures=("relaxed", "hip")),
    "hands_on_hips": Pose(legs=stance("wide"), gestures=("hip", "hip")),
    "walking": Pose(16, 1, -1, head_yaw=8, legs=stance("step"), gestures=("swing", "swing"), jitters=((0.4, 0.9), (0.4, 0.1))),
    "arm_raised": Pose(-10, -4, 3, legs=stance("contrapposto", 1), gestures=("raised", "relaxed")),
    "hand_behind_head": Pose(-8, 4, -3, head_tilt=-4, legs=stance("knee_in"), gestures=("behind_head", "hip")),
    "turned": Pose(40, 2, -1, head_yaw=24, legs=stance("straight"), gestures=("swing", "relaxed")),
    "arms_out": Pose(legs=stance("wide", 1), gestures=("out", "out"), jitters=((0.6, 0.5), (0.6, 0.5))),
}

OUTFITS = {
    "office": ("contrapposto", "outerwear_navy_blazer top_white_tee bottom_black_trousers shoes_black_pumps bag_tan_tote"),
    "weekend": ("standing", "outerwear_denim_jacket top_striped_tee bottom_wide_stone shoes_white_sneakers"),
    "evening": ("hands_on_hips", "dress_red_wrap shoes_black_pumps bag_black_handbag"),
    "autumn": ("walking", "outerwear_camel_coat top_black_turtleneck bottom_blue_jeans shoes_ankle_boots"),
    "summer": ("arms_out", "dress_dotted_navy shoes_tan_flats bag_mustard_crossbody"),
    "studio": ("hand_behind_head", "top_rust_sweater bottom_pleated_skirt shoes_knee_boots"),
}


def keypoints(pose):
    points = Figure(Body(), pose, height=HEIGHT, place=PLACE).keypoints(SIZE)
    return {"format": "mpii16", "points": [[round(x, 2), round(y, 2), int(v)] for x, y, v in points.tolist()], "size": SIZE}


def outfit(pose, names):
    articles = {name.partition("_")[0]: f"../articles/{name}.png" for name in names.split()}
    return {"articles": articles, "keypoints": keypoints(POSES[pose])}


def draw_examples(out):
    """Writes all examples to a folder."""
    for folder in ("articles", "poses", "outfits"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for slot, cuts in ARTICLES.items():
        for name, cut in cuts.items():
            Image.fromarray(packshot(slot, cut, SIZE)).save(out / "articles" / f"{slot}_{name}.png", optimize=True)
    files = {f"poses/{name}": keypoints(pose) for name, pose in POSES.items()}
    files |= {f"outfits/{name}": outfit(*parts) for name, parts in OUTFITS.items()}
    names = {"articles": {slot: list(cuts) for slot, cuts in ARTICLES.items()}, "poses": list(POSES), "outfits": list(OUTFITS)}
    for name, content in (files | {"index": names}).items():
        (out / f"{name}.json").write_text(json.dumps(content) + "\n")
    (out / "request.json").write_text(json.dumps(rest_request(out / "outfits" / "office.json")) + "\n")


def rest_request(outfit):
    """What TF Serving's REST API takes for a picture of an outfit."""
    request = read_request(outfit)
    row = {
        "article_images_bytes": [{"b64": base64.b64encode(request.articles.get(slot, b"")).decode()} for slot in SLOTS],
        "keypoints": [[round(x, 4), round(y, 4), v] for x, y, v in request.keypoints.tolist()],
        "seed": 1,
        "truncation_psi": 1.0,
    }
    return {"instances": [row]}


if __name__ == "__main__":
    draw_examples(OUT)
