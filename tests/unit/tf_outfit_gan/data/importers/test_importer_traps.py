"""Each importer on the true layout of its data set: exact slots and joints, and each trap."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.helpers import fixtures_public as public
from tests.helpers.manifests import described, poses, reasons
from tf_outfit_gan.data import importers
from tf_outfit_gan.data.importers.garments2look import slot_of_garment

# VITON-HD.

# One person by hand: the right side at a quarter of the width, the left at three quarters.
BODY25 = np.zeros((25, 3))
BODY25[[1, 8]] = [[384, 256, 0.9], [384, 512, 0.8]]
BODY25[[2, 5]] = [[192, 256, 0.9], [576, 256, 0.9]]  # Shoulders.
BODY25[[9, 12]] = [[288, 512, 0.7], [480, 512, 0.7]]  # Hips.
BODY25[[15, 16]] = [[352, 156, 0.9], [416, 156, 0.9]]  # Eyes, 100 above the neck.
BY_HAND = {
    12: [0.25, 0.25, 1],
    13: [0.75, 0.25, 1],
    7: [0.5, 0.25, 1],
    6: [0.5, 0.5, 1],
    2: [0.375, 0.5, 1],
    3: [0.625, 0.5, 1],
    9: [0.5, (256 - 145) / 1024, 1],
    8: [0.5, (256 - 0.36 * 145) / 1024, 1],
}


def expected_pose(joints):
    pose = np.zeros((16, 3))
    for joint, point in joints.items():
        pose[joint] = point
    return pose


@pytest.mark.parametrize("spelling", ["_", "-"])
def test_viton_hd_pairs_everyone_with_their_own_top(tmp_path, spelling):
    source = public.write_viton_hd(tmp_path / "zalando-hd-resized", spelling)
    public.write_openpose(source / f"test/openpose{spelling}json/00006_00_keypoints.json", BODY25)
    manifest = importers.read(source, "viton-hd")
    assert described(manifest, source) == {
        name: (split, f"{split}/image/{name}.jpg", {"top": f"{split}/cloth/{name}.jpg"})
        for name, split in (("00000_00", "train"), ("00013_00", "train"), ("00006_00", "test"), ("00008_00", "test"))
    }
    np.testing.assert_allclose(poses(manifest)["00006_00"], expected_pose(BY_HAND), atol=1e-6)


def test_viton_hd_takes_the_surest_person_and_sets_the_broken_aside(public_copy):
    source = public_copy("viton-hd")
    faint = BODY25 * [1, 1, 0.3] + [100, 0, 0]
    public.write_openpose(source / "train/openpose_json/00000_00_keypoints.json", faint, BODY25, faint)
    public.write_openpose(source / "train/openpose_json/00013_00_keypoints.json")
    (source / "test/openpose_json/00006_00_keypoints.json").write_text('{"people": [')
    (source / "test/openpose_json/00008_00_keypoints.json").unlink()
    manifest = importers.read(source, "viton-hd")
    np.testing.assert_allclose(poses(manifest)["00000_00"], expected_pose(BY_HAND), atol=1e-6)
    found = reasons(manifest)
    assert list(found) == [
        ("train_pairs.txt line", 2, "00013_00"),
        ("test_pairs.txt line", 1, "00006_00"),
        ("test_pairs.txt line", 2, "00008_00"),
    ]
    for reason, words in zip(found.values(), ("no person", "not valid JSON", "no such file")):
        assert words in reason and "_keypoints.json" in reason


@pytest.mark.parametrize(
    "content",
    [
        '{"people": 3}',
        '{"people": [{}]}',
        '{"people": [{"pose_keypoints_2d": [1, 2]}]}',
        '{"people": [{"pose_keypoints_2d": ["x", 1, 2]}]}',
        "{}",
        "[]",
        '{"people": [{"pose_keypoints_2d": null}]}',
        '{"people": [[1]]}',
    ],
)
def test_viton_hd_sets_odd_poses_aside(public_copy, content):
    source = public_copy("viton-hd")
    (source / "train/openpose_json/00000_00_keypoints.json").write_text(content)
    manifest = importers.read(source, "viton-hd")
    assert list(reasons(manifest)) == [("train_pairs.txt line", 1, "00000_00")] and len(manifest.entries) == 3


def test_viton_hd_without_a_garment_a_photo_or_any_poses(public_copy):
    source = public_copy("viton-hd")
    (source / "train/cloth/00000_00.jpg").unlink()
    (source / "train/image/00013_00.jpg").unlink()
    shutil.rmtree(source / "test/openpose_json")
    with open(source / "test_pairs.txt", "a") as listing:
        listing.write("\n../../../secret.jpg 1.jpg\n00006_00.jpg\n")
    manifest = importers.read(source, "viton-hd")
    assert {name: pose for name, pose in poses(manifest).items()} == {"00006_00": None, "00008_00": None}
    assert [
        words in reason
        for words, reason in zip(
            ("cloth/00000_00.jpg", "image/00013_00.jpg", "leads out of", "duplicate id"), reasons(manifest).values()
        )
    ] == [True] * 4
    assert list(reasons(manifest))[2][:2] == ("test_pairs.txt line", 4)


# Dress Code.


def test_dress_code_reads_points_of_half_size_by_their_place(public_copy):
    source = public_copy("dress-code")
    points = np.zeros((18, 3))
    points[[0, 14, 15]] = [[190, 0.0, 0.5], [0.0, 20, 0.4], [200, 0.0, 0.6]]  # Guessed at the edge: nose and eyes.
    points[[1, 2, 5]] = [[192, 128, 0.9], [96, 128, 0.9], [288, 128, 0.9]]
    points[[8, 11]] = [[144, 256, 0.7], [240, 256, 0.7]]
    public.write_dress_code_pose(source / "upper_body/keypoints/030000_2.json", points)
    manifest = importers.read(source, "dress-code")
    pose = expected_pose({joint: point for joint, point in BY_HAND.items() if joint not in (8, 9)})
    np.testing.assert_allclose(poses(manifest)["030000"], pose, atol=1e-6)
    assert described(manifest, source) == {
        f"{number}{place}": (split, f"{folder}/images/{number}{place}_0.jpg", {slot: f"{folder}/images/{number}{place}_1.jpg"})
        for folder, slot, number in (
            ("dresses", "dress", "05000"),
            ("upper_body", "top", "03000"),
            ("lower_body", "bottom", "06000"),
        )
        for place, split in ((0, "train"), (1, "test"))
    }


def test_dress_code_sets_the_broken_aside(public_copy):
    source = public_copy("dress-code")
    (source / "dresses/keypoints/050000_2.json").write_text('{"keypoints": [[1, 2], 3]}')
    (source / "upper_body/keypoints/030000_2.json").unlink()
    public.write_dress_code_pose(source / "lower_body/keypoints/060000_2.json", np.zeros((18, 3)))
    found = reasons(importers.read(source, "dress-code"))
    assert list(found) == [
        (f"{folder}/train_pairs.txt line", 1, number)
        for folder, number in (("dresses", "050000"), ("upper_body", "030000"), ("lower_body", "060000"))
    ]
    for reason, words in zip(found.values(), ("expected keypoints", "no such file", "hold no person")):
        assert words in reason


def test_fastfits_copy_tells_the_category_in_a_third_column(public_copy):
    source = public_copy("fastfit")
    with open(source / "test_pairs_unpaired.txt", "a") as listing:
        listing.write("053792_0.jpg 053792_1.jpg\n053793_0.jpg 053793_1.jpg hats\n")
    manifest = importers.read(source, "dress-code")
    assert described(manifest, source) == {
        number: ("test", f"person/{number}_0.jpg", {slot: f"cloth/{number}_1.jpg"})
        for number, slot in (("048392", "top"), ("050192", "bottom"), ("051992", "dress"))
    }
    assert set(map(type, poses(manifest).values())) == {type(None)}
    assert all("expected one of dresses" in reason for reason in reasons(manifest).values())
    assert len(manifest.skipped) == 2


# DressCode-MR.


def test_dress_code_mr_finds_points_by_number(public_copy):
    source = public_copy("dress-code-mr")
    for folder, number, index in (("keypoints", "000007", public.WITH_BAG), ("dresses/keypoints", "020714", public.DRESS_BAG)):
        public.write_dress_code_pose(source / folder / f"{number}_2.json", public.points_of(index, "body18", (512, 384)))
    manifest = importers.read(source, "dress-code-mr")
    assert described(manifest, source) == {
        "000007": (
            "train",
            "person/000007_0.png",
            {
                slot: f"{name}/000007_{name}.png"
                for slot, name in (("top", "upper"), ("bottom", "lower"), ("shoes", "shoe"), ("bag", "bag"))
            },
        ),
        "020714": (
            "train",
            "person/020714_0.png",
            {slot: f"{name}/020714_{name}.png" for slot, name in (("dress", "overall"), ("shoes", "shoe"), ("bag", "bag"))},
        ),
    }
    truth = public.doll(public.WITH_BAG).keypoints[:6, :2] / [96, 128]
    np.testing.assert_allclose(poses(manifest)["000007"][:6, :2], truth, atol=1e-5)
    assert "048392_2.json: no such file" in reasons(manifest)["test.jsonl line", 1, None]


def test_dress_code_mr_sets_the_broken_aside(public_copy):
    source = public_copy("dress-code-mr")
    with open(source / "train.jsonl", "a") as listing:
        listing.write('{"upper": "x.png"}\n{"person": 7}\n{"person"\n[]\n{"person": "person/048392_0.png", "bag": "../b"}\n')
    manifest = importers.read(source, "dress-code-mr")
    assert [(skip.listing, skip.line) for skip in manifest.skipped] == [
        *(("train.jsonl line", line) for line in (3, 4, 5, 6, 7)),
        ("test.jsonl line", 1),
    ]
    for skip, words in zip(
        manifest.skipped,
        (
            "not laid out as dress-code-mr is",
            "not laid out as",
            "not valid JSON",
            "expected a JSON object",
            "leads out of",
            "duplicate id",
        ),
    ):
        assert words in skip.reason


# DeepFashion-MultiModal.

FRONT, ADDITIONAL, TEES, ROMPERS = (
    "MEN-Denim-id_00000265-01_1_front",
    "MEN-Denim-id_00000265-01_7_additional",
    "WOMEN-Tees_Tanks-id_00000032-02_4_full",
    "WOMEN-Rompers-id_00000002-03_2_side",
)


def cutouts(manifest):
    return {
        entry.id: {slot: (cutout.image.stem, cutout.mask.stem, cutout.classes) for slot, cutout in entry.outfit.articles.items()}
        for entry in manifest.entries
    }


def test_the_checksum_follows_what_articles_are_cut_out_by(public_copy):
    source = public_copy("deepfashion-multimodal")
    before = importers.read(source, "deepfashion-multimodal").sha256
    path = source / f"segm/{TEES}_segm.png"
    mask = np.array(Image.open(path))
    mask[0, 0] = 23
    Image.fromarray(mask).save(path)
    assert importers.read(source, "deepfashion-multimodal").sha256 != before


@pytest.mark.parametrize("spelling", [("images", "segm"), ("image", "parsing")])
def test_deepfashion_cuts_articles_out_of_another_photo_of_the_look(tmp_path, spelling):
    source = public.write_deepfashion(tmp_path / "deepfashion", spelling)
    manifest = importers.read(source, "deepfashion-multimodal")

    def cut(photo, **classes):
        return {slot: (photo, f"{photo}_segm", numbers) for slot, numbers in classes.items()}

    jacket = {"outerwear": (2,), "top": (1,), "bottom": (3, 5, 6), "shoes": (11,)}
    assert cutouts(manifest) == {
        FRONT: cut(ADDITIONAL, **jacket),
        ADDITIONAL: cut(FRONT, **jacket),
        TEES: cut(TEES, top=(1,), bottom=(3, 5, 6), shoes=(11,), bag=(12,)),
        ROMPERS: cut(ROMPERS, dress=(4, 21), shoes=(11,), bag=(12,)),
    }
    assert {entry.id: entry.split for entry in manifest.entries}[FRONT] == {entry.id: entry.split for entry in manifest.entries}[
        ADDITIONAL
    ]


def test_deepfashion_gives_the_photo_that_shows_most_of_a_part_and_no_specks(public_copy):
    source = public_copy("deepfashion-multimodal")
    name = "MEN-Denim-id_00000265-01_2_side"
    for folder, last in (("images", ".jpg"), ("segm", "_segm.png")):
        shutil.copy(source / folder / f"{FRONT}{last}", source / folder / f"{name}{last}")
    mask = np.zeros(public.SMALL_DEEPFASHION, np.uint8)
    mask[:70] = 1  # More of the top than any photo.
    mask[100, :3] = 11  # A speck of a shoe: below a thousandth of 14,700.
    Image.fromarray(mask).save(source / "segm" / f"{name}_segm.png")
    for listing in ("loc", "vis"):
        path = source / f"keypoints/keypoints_{listing}.txt"
        first = path.read_text().splitlines()[0]
        path.write_text(path.read_text() + first.replace(FRONT, name) + "\n")
    found = cutouts(importers.read(source, "deepfashion-multimodal"))
    assert {slot: image for slot, (image, *_) in found[ADDITIONAL].items()} == {
        "outerwear": FRONT,
        "top": name,
        "bottom": FRONT,
        "shoes": FRONT,
    }
    assert {slot: image for slot, (image, *_) in found[name].items()} == {"top": FRONT}


def test_deepfashion_points_turn_the_marks_round(public_copy):
    source = public_copy("deepfashion-multimodal")
    places, marks = [[-1, -1]] * 21, [2] * 21
    for place, x, y in (
        (7, 187.5, 275.25),
        (8, 562.5, 275.25),
        (14, 300, 550.5),
        (15, 450, 550.5),
        (0, 375, 110.1),
        (6, 375, 220.2),
        (19, 300, 1000),
    ):
        places[place], marks[place] = [x, y], 0
    marks[8], marks[19] = 1, 2  # Hidden, but there; and not there, whatever its place.
    for listing, numbers in (("loc", np.ravel(places)), ("vis", marks)):
        path = source / f"keypoints/keypoints_{listing}.txt"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(TEES)]
        path.write_text("\n".join([*lines, " ".join([f"{TEES}.jpg", *map(str, numbers)])]))
    pose = poses(importers.read(source, "deepfashion-multimodal"))[TEES]
    np.testing.assert_allclose(
        pose,
        expected_pose(
            {
                12: [0.25, 0.25, 1],
                13: [0.75, 0.25, 1],
                7: [0.5, 0.25, 1],
                2: [0.4, 0.5, 1],
                3: [0.6, 0.5, 1],
                6: [0.5, 0.5, 1],
                9: [0.5, 0.1, 1],
                8: [0.5, 0.2, 1],
            }
        ),
        atol=1e-6,
    )


def test_deepfashion_sets_the_broken_aside(public_copy):
    source = public_copy("deepfashion-multimodal")
    (source / f"segm/{FRONT}_segm.png").write_bytes(b"no picture")
    (source / f"segm/{TEES}_segm.png").unlink()
    vis = source / "keypoints/keypoints_vis.txt"
    vis.write_text("".join(line for line in vis.read_text().splitlines(True) if not line.startswith(ROMPERS)))
    manifest = importers.read(source, "deepfashion-multimodal")
    assert {image for image, *_ in cutouts(manifest)[ADDITIONAL].values()} == {ADDITIONAL}
    faults = ("expected a mask", "no such file", "no line")
    for skip, name, words in zip(manifest.skipped, (FRONT, TEES, ROMPERS), faults, strict=True):
        assert skip.id == name and words in skip.reason


# Garments2Look.

LOOK = "P00000001-P00000002-P00000003"


def test_garments2look_splits_upper_garments_by_words_and_layers(public_originals):
    source = public_originals["garments2look"]
    manifest = importers.read(source, "garments2look")

    def pictures(**numbers):
        return {slot: f"mytheresa/images/P{number:08d}/P{number:08d}.jpg" for slot, number in numbers.items()}

    assert described(manifest, source) == {
        LOOK: ("train", f"mytheresa/looks-resized/men/{LOOK}.png", pictures(outerwear=2, top=1, bottom=3, shoes=4)),
        "P00000006_b1": ("test", "mytheresa/looks-resized/men/P00000006_b1.jpg", pictures(outerwear=6, top=1, bottom=3)),
        "207140203": (
            "train",
            "polyvore/looks-resized/women/207140203.jpg",
            {
                slot: f"polyvore/images/women/{slot}/{number}.jpg"
                for slot, number in (("dress", 100002074), ("shoes", 100002075), ("bag", 100002076))
            },
        ),
    }
    assert set(map(type, poses(manifest).values())) == {type(None)}
    assert [entry.id for entry in importers.read(source, "garments2look-official").entries] == [LOOK]


@pytest.mark.parametrize(
    "type, name, slot",
    [
        ("clothing::knitwear", "grey ribbed cardigan", "outerwear"),
        ("clothing::coats::trench coats", "belted", "outerwear"),
        ("top", "wool overcoats", "outerwear"),
        ("clothing::dresses::midi dresses", "denim jacket dress", "dress"),
        ("", "pink minidress", "dress"),
        ("", "silk jumpsuits", "dress"),
        ("", "white dress shirt", "top"),
        ("", "striped waistcoat", "top"),
        ("clothing::tops", "oversized T-shirt", "top"),
    ],
)
def test_garments2look_words(type, name, slot):
    assert slot_of_garment("clothing::top/full", type, name) == slot
    assert slot_of_garment("clothing::bottom", type, name) == "bottom"
    assert slot_of_garment("accessory::head", type, name) is None


def test_garments2look_sets_the_broken_aside(public_copy):
    source = public_copy("garments2look")
    listing = source / "mytheresa_outfit_v1.0_2512.json"
    looks = json.loads(listing.read_text())
    looks |= {"gone": looks[LOOK], "odd": 3, "empty": {"gender": "men", "section": "train", "outfit": {"P9": "x"}}}
    listing.write_text(json.dumps(looks))
    manifest = importers.read(source, "garments2look")
    assert [(skip.listing, skip.line, skip.id) for skip in manifest.skipped] == [
        ("mytheresa_outfit_v1.0_2512.json look", line, name) for line, name in ((3, "gone"), (4, "odd"), (5, "empty"))
    ]


def test_garments2look_drops_a_garment_whose_packshot_is_missing_not_the_look(public_copy):
    source = public_copy("garments2look")
    (source / "mytheresa/images/P00000006/P00000006.jpg").unlink()
    manifest = importers.read(source, "garments2look")
    assert not manifest.skipped
    look = next(entry for entry in manifest.entries if entry.id == "P00000006_b1")
    assert look.outfit.articles.keys() == {"top", "bottom"}
