"""Public data sets in small: their true folders, names and annotations, with paper dolls for people.

Each builder writes good entries only, a doll's joints where its format keeps them; tests break what they want broken.
"""

import json
from functools import cache

import numpy as np
from PIL import Image

from tf_outfit_gan.data.paperdoll.scene import draw_entry
from tf_outfit_gan.pose.convert import HEAD_TOP_FROM_EYES, LAYOUTS, LIMB_JOINTS
from tf_outfit_gan.slots import SLOTS

SEED, SIZE = 7, (128, 96)

# Dolls of this seed by what they wear, in slot order.
TOP_BOTTOM, OTHER_TOP_BOTTOM, JACKET_DRESS, WITH_BAG, JACKET_TOP, DRESS_BAG = 0, 1, 2, 4, 5, 10


@cache
def doll(index):
    return draw_entry(SEED, index, SIZE)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def points_of(index, format, size, missing=(0, 0, 0)):
    """A doll's joints as points [count][x, y, confidence] of a format, in pixels of `size` (height, width)."""
    layout = LAYOUTS[format]
    joints = doll(index).keypoints * [size[1] / SIZE[1], size[0] / SIZE[0], 0.9]
    points = np.tile(np.array(missing, np.float64), (layout.count, 1))
    points[list(layout.limbs)] = joints[list(LIMB_JOINTS)]
    for alternatives, joint in ((layout.pelvis, 6), (layout.thorax, 7), (layout.upper_neck, 8), (layout.head_top, 9)):
        if alternatives and len(alternatives[0]) == 1:
            points[alternatives[0][0]] = joints[joint]
    shoulders = (joints[12] + joints[13]) / 2
    points[list(layout.eyes)] = shoulders + (joints[9] - shoulders) / HEAD_TOP_FROM_EYES
    return points.tolist()


def write_viton_hd(root, spelling="_"):
    """Two people for training, two for testing whose list pairs each with the other's garment."""
    people = {
        "train": {"00000_00": TOP_BOTTOM, "00013_00": WITH_BAG},
        "test": {"00006_00": JACKET_TOP, "00008_00": OTHER_TOP_BOTTOM},
    }
    for split, dolls in people.items():
        names = list(dolls)
        cloths = names if split == "train" else names[::-1]
        write_text(root / f"{split}_pairs.txt", "".join(f"{name}.jpg {cloth}.jpg\n" for name, cloth in zip(names, cloths)))
        for name, index in dolls.items():
            save(root / split / f"image/{name}.jpg", doll(index).photo)
            save(root / split / f"cloth/{name}.jpg", doll(index).articles["top"])
            write_openpose(
                root / split / f"openpose{spelling}json/{name}_keypoints.json", points_of(index, "body25", (1024, 768))
            )
    return root


def write_openpose(path, *people):
    found = [
        {"person_id": [-1], "pose_keypoints_2d": np.ravel(points).tolist(), "face_keypoints_2d": [], "pose_keypoints_3d": []}
        for points in people
    ]
    write_text(path, json.dumps({"version": 1.3, "people": found}))


def write_dress_code_pose(path, points):
    """The fourth number is OpenPose's candidate, which skips what was not found: -1, -1, 0, -1."""
    rows, candidate = [], 0
    for x, y, confidence in points:
        rows.append([x, y, confidence, float(candidate)] if confidence else [-1, -1, 0, -1])
        candidate += bool(confidence)
    write_text(path, json.dumps({"keypoints": rows}))


def write_dress_code(root):
    """One pair for training and one for testing in each category."""
    people = {
        "dresses": ("dress", JACKET_DRESS, DRESS_BAG),
        "upper_body": ("top", TOP_BOTTOM, WITH_BAG),
        "lower_body": ("bottom", JACKET_TOP, OTHER_TOP_BOTTOM),
    }
    for category, (slot, *dolls) in people.items():
        numbers = [f"0{len(slot)}000{place}" for place in range(2)]
        for number, index in zip(numbers, dolls):
            save(root / category / f"images/{number}_0.jpg", doll(index).photo)
            save(root / category / f"images/{number}_1.jpg", doll(index).articles[slot])
            write_dress_code_pose(root / category / f"keypoints/{number}_2.json", points_of(index, "body18", (512, 384)))
        write_text(root / category / "train_pairs.txt", f"{numbers[0]}_0.jpg {numbers[0]}_1.jpg\n")
        write_text(root / category / "test_pairs_paired.txt", f"{numbers[1]}_0.jpg\t{numbers[1]}_1.jpg\n")
        write_text(root / category / "test_pairs_unpaired.txt", f"{numbers[1]}_0.jpg\t{numbers[0]}_1.jpg\n")
    return root


def write_fastfit(root):
    """FastFit's copy of Dress Code's test people: one folder for all, the category in a third column, no points."""
    lines = []
    for number, index, category, slot in (
        ("048392", WITH_BAG, "upper", "top"),
        ("050192", TOP_BOTTOM, "lower", "bottom"),
        ("051992", DRESS_BAG, "dresses", "dress"),
    ):
        save(root / f"person/{number}_0.jpg", doll(index).photo)
        save(root / f"cloth/{number}_1.jpg", doll(index).articles[slot])
        lines.append(f"{number}_0.jpg 048405_1.jpg {category}\n")
    write_text(root / "test_pairs_unpaired.txt", "".join(lines))
    return root


def write_dress_code_mr(root):
    """Two people for training, one for testing; missing articles are left out or empty."""
    names = {"upper": "top", "lower": "bottom", "overall": "dress", "shoe": "shoes", "bag": "bag"}
    for listing, dolls in {"train": {"000007": WITH_BAG, "020714": DRESS_BAG}, "test": {"048392": TOP_BOTTOM}}.items():
        lines = []
        for number, index in dolls.items():
            row = {"person": f"person/{number}_0.png"}
            for name, slot in names.items():
                if slot in doll(index).articles:
                    row[name] = f"{name}/{number}_{name}.png"
                    save(root / row[name], doll(index).articles[slot])
                elif name == "bag":
                    row[name] = ""
            save(root / row["person"], doll(index).photo)
            lines.append(json.dumps(row) + "\n")
        write_text(root / f"{listing}.jsonl", "".join(lines))
    write_text(root / "test_unpair.jsonl", '{"person": "person/048392_0.png", "upper": "upper/000007_upper.png"}\n')
    return root


# The parsing's class of each slot of a doll.
CLASS_OF = dict(zip(SLOTS, (2, 1, 21, 5, 11, 12)))


def write_deepfashion(root, spelling=("images", "segm")):
    """Three looks: one with two photos, the second a narrow one, one of an item that is for testing, one of rompers."""
    photos = {
        "MEN-Denim-id_00000265-01_1_front.jpg": (JACKET_TOP, 1.0),
        "MEN-Denim-id_00000265-01_7_additional.jpg": (JACKET_TOP, 0.75),
        "WOMEN-Tees_Tanks-id_00000032-02_4_full.jpg": (WITH_BAG, 1.0),
        "WOMEN-Rompers-id_00000002-03_2_side.jpg": (DRESS_BAG, 1.0),
    }
    loc, vis = [], []
    for name, (index, scale) in photos.items():
        picture = framed(doll(index).photo, scale, tuple(doll(index).photo[0, 0]), Image.Resampling.LANCZOS)
        labels = np.array([0, *CLASS_OF.values()] + [15] * 250, np.uint8)[doll(index).masks]
        save(root / spelling[0] / name, picture)
        save(root / spelling[1] / name.replace(".jpg", "_segm.png"), framed(labels, scale, 0, Image.Resampling.NEAREST))
        points = np.array(points_of(index, "deepfashion21", DEEPFASHION_SIZE, missing=(-1, -1, 0)))
        points[:, :2] = np.where(points[:, 2:] > 0, deepfashion_place(points[:, :2], scale), -1)
        loc.append(" ".join([name, *(str(int(number)) for number in points[:, :2].ravel())]))
        vis.append(" ".join([name, *("0" if confidence else "2" for confidence in points[:, 2])]))
    write_text(root / "keypoints/keypoints_loc.txt", "\n".join(loc) + "\n")
    write_text(root / "keypoints/keypoints_vis.txt", "\n".join(vis) + "\n")
    return root


DEEPFASHION_SIZE, SMALL_DEEPFASHION = (1101, 750), (147, 100)


def framed(pixels, scale, fill, resampling):
    """A doll's picture, scaled, in the middle of DeepFashion's frame."""
    height, width = round(SIZE[0] * scale), round(SIZE[1] * scale)
    image = Image.fromarray(pixels).resize((width, height), resampling)
    frame = Image.new(image.mode, SMALL_DEEPFASHION[::-1], fill)
    frame.paste(image, ((SMALL_DEEPFASHION[1] - width) // 2, (SMALL_DEEPFASHION[0] - height) // 2))
    return np.asarray(frame)


def deepfashion_place(places, scale):
    """Where points of a doll that fills DeepFashion's frame come to lie when it is `framed`."""
    inner = np.array([round(SIZE[1] * scale), round(SIZE[0] * scale)])
    frame, full = np.array(SMALL_DEEPFASHION[::-1]), np.array(DEEPFASHION_SIZE[::-1])
    return (places / full * inner + (frame - inner) // 2) / frame * full


def write_garments2look(root):
    """Two looks of one shop, one drawn by a model, with a garment that has no picture; one look of the other shop."""
    looks, garments = {}, {}

    def garment(number, index, slot, category, type):
        name = f"P{number:08d}"
        save(root / f"mytheresa/images/{name}/{name}.jpg", doll(index).articles[slot])
        garments[name] = {
            "type": type,
            "main_category": category,
            "images": {"product": {"full": [f"{name}.jpg"], "partial": [f"{name}_d1.jpg"]}},
        }
        return name

    top, bottom, shoes = "clothing::top/full", "clothing::bottom", "shoes"
    shirt = garment(1, JACKET_TOP, "top", top, "clothing::tops::T-shirts")
    jacket = garment(2, JACKET_TOP, "outerwear", top, "clothing::leather")
    jeans = garment(3, JACKET_TOP, "bottom", bottom, "clothing::jeans")
    sneakers = garment(4, JACKET_TOP, "shoes", shoes, "shoes::sneakers")
    belt = garment(5, JACKET_TOP, "shoes", "accessory::waist", "accessories::belts")
    look = f"{shirt}-{jacket}-{jeans}"
    looks[look] = {
        "gender": "men",
        "section": "train",
        "is_official_outfit": True,
        "is_official_look": True,
        "outfit": {
            jacket: "black leather jacket",
            shirt: "white dress shirt",
            jeans: "blue jeans",
            sneakers: "white sneakers",
            belt: "brown belt",
            "UM00048374": "black bag",
        },
        "outfit_info": {"dressing_details": {"layering_structure": [shirt, jacket], "styling_techniques": {}}},
    }
    save(root / f"mytheresa/looks-resized/men/{look}.png", doll(JACKET_TOP).photo)

    hoodie = garment(6, JACKET_TOP, "outerwear", top, "clothing::hoodies")
    looks["P00000006_b1"] = {
        "gender": "men",
        "section": "test",
        "is_official_outfit": True,
        "is_official_look": False,
        "outfit": {hoodie: "grey hoodie", shirt: "white T-shirt", jeans: "blue jeans"},
        "outfit_info": {"dressing_details": {"layering_structure": [shirt, hoodie], "styling_techniques": {}}},
    }
    save(root / "mytheresa/looks-resized/men/P00000006_b1.jpg", doll(JACKET_TOP).photo)
    write_text(root / "mytheresa_image_v1.0_2512.json", json.dumps(garments))
    write_text(root / "mytheresa_outfit_v1.0_2512.json", json.dumps(looks))

    pieces = {
        "100002074": ("dress", "dress", "clothing::top/full", "long floral gown-like dress"),
        "100002075": ("shoes", "shoes", "shoes", "pumps"),
        "100002076": ("bag", "bag", "bag", "clutch"),
    }
    for name, (slot, type, _, _) in pieces.items():
        save(root / f"polyvore/images/women/{type}/{name}.jpg", doll(DRESS_BAG).articles[slot])
    save(root / "polyvore/looks-resized/women/207140203.jpg", doll(DRESS_BAG).photo)
    write_text(
        root / "polyvore_image_v1.0_2512.json",
        json.dumps({name: {"type": type, "main_category": category} for name, (_, type, category, _) in pieces.items()}),
    )
    write_text(
        root / "polyvore_outfit_v1.0_2512.json",
        json.dumps(
            {
                "207140203": {
                    "gender": "women",
                    "section": "train",
                    "is_official_outfit": False,
                    "is_official_look": False,
                    "outfit": {name: text for name, (*_, text) in pieces.items()},
                    "outfit_info": {},
                }
            }
        ),
    )
    return root


WRITERS = {
    "viton-hd": write_viton_hd,
    "dress-code": write_dress_code,
    "fastfit": write_fastfit,
    "dress-code-mr": write_dress_code_mr,
    "deepfashion-multimodal": write_deepfashion,
    "garments2look": write_garments2look,
}
