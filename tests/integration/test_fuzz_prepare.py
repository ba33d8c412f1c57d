"""Fuzzing: prepare is given 500 damaged pictures and 100 damaged lines; it goes on, and every loss has its reason."""

import contextlib
import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.odd_pictures import encoded, scene
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.images.open import open_image
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.util.errors import UserError

ENTRIES, DAMAGED_FILES, DAMAGED_LINES, SEED = 600, 500, 100, 20190823
SIZE = (64, 48)  # Stored as raw pixels: what is read can be compared with what was given.
FORMATS = (
    ("JPEG", {"quality": 90}),
    ("PNG", {}),
    ("WEBP", {"quality": 90}),
    ("JPEG", {"progressive": True}),
    ("GIF", {}),
    ("TIFF", {"compression": "tiff_deflate"}),
    ("PNG", {}),
    ("JPEG", {"restart_marker_blocks": 3}),
)
POINTS = [[10.0 + joint, 20.0 + 5 * joint, 1.0] for joint in range(16)]


def mutated(content, random):
    """Damages bytes in one of the ways that disks, networks and people do."""
    content = bytearray(content)
    start, end = sorted(random.integers(0, len(content), 2))
    way = random.integers(9)
    if way == 0:
        return content[:start]
    if way == 1:
        return content[:start] + bytes(len(content) - start)
    if way == 2:
        return content[:start] + content[end:]
    if way == 3:
        return content[:start] + random.bytes(int(random.integers(1, 40))) + content[start:]
    if way == 4:
        return content[end:] + content[:end]
    if way == 5:
        content[start:end] = random.bytes(int(end - start))
        return content
    # One to four changed bytes, half of them where the headers are.
    reach = min(len(content), 200) if random.integers(2) else len(content)
    for place in random.integers(0, reach, random.integers(1, 5)):
        content[place] = random.integers(256)
    return content


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """Returns the catalogue, the prepared data set, the originals of the damaged files, and the damaged line numbers."""
    folder = tmp_path_factory.mktemp("fuzz")
    shop, random = folder / "shop", np.random.default_rng(SEED)
    shop.mkdir()
    names, lines = [], []
    pictures = [
        [encoded(scene(*SIZE).rotate(angle, fillcolor="white"), *[format], **options) for format, options in FORMATS]
        for angle in (0, 10, 20)
    ]
    for index in range(ENTRIES):
        files = {}
        for what in ("photo", "top", "shoes"):
            kind = int(random.integers(len(FORMATS)))
            files[what] = f"{index:03d}-{what}.{FORMATS[kind][0].lower()}"
            (shop / files[what]).write_bytes(pictures[random.integers(3)][kind])
        names += files.values()
        lines.append(
            json.dumps(
                {
                    "id": f"{index:03d}",
                    "image": files.pop("photo"),
                    "articles": files,
                    "keypoints": {"format": "mpii16", "points": POINTS, "size": list(SIZE)},
                }
            ).encode()
        )
    originals = {}
    for name in random.choice(names, DAMAGED_FILES, replace=False):
        originals[name] = np.asarray(open_image(shop / name))
        (shop / name).write_bytes(mutated((shop / name).read_bytes(), random))
    for index in random.choice(ENTRIES, DAMAGED_LINES, replace=False):
        lines[index] = bytes(mutated(lines[index], random))
    (shop / "manifest.jsonl").write_bytes(b"\n".join(lines))
    dataset = prepare(shop, folder / "data", SIZE, workers=1, quiet=True)
    return shop, dataset, originals


def given(shop):
    """The lines of the manifest that hold something, by their numbers."""
    content = (shop / "manifest.jsonl").read_bytes().split(b"\n")
    return {number: line for number, line in enumerate(content, start=1) if line.strip()}


def losses(dataset):
    return [json.loads(line) for line in (dataset.path / "skipped.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_entry_is_there_or_its_loss_is_reported(fuzzed):
    shop, dataset, _ = fuzzed
    skipped = losses(dataset)
    kept = dataset.count("train") + dataset.count("test")
    assert kept + len(skipped) == len(given(shop)) and dataset.skipped == len(skipped)
    assert len({skip["line"] for skip in skipped}) == len(skipped)
    assert kept > 100 and len(skipped) > 100, "too much or too little damage to show anything"


def test_every_reason_is_one_line_that_names_the_damaged_file(fuzzed):
    shop, dataset, originals = fuzzed
    lines = given(shop)
    damaged_pictures = 0
    for skip in losses(dataset):
        assert skip["reason"].isprintable()
        if str(shop) in skip["reason"] and "could not read it" in skip["reason"]:
            name = skip["reason"].removeprefix(f"{shop}/").split(":")[0]
            assert name in originals and name.encode() in lines[skip["line"]]
            with pytest.raises(UserError):
                open_image(shop / name)
            damaged_pictures += 1
    assert damaged_pictures > 100


def test_nothing_good_is_lost_and_what_is_kept_can_be_read(fuzzed):
    shop, dataset, originals = fuzzed
    kept = {}
    for split in ("train", "test"):
        if dataset.count(split):
            for batch in batches(dataset, split, SIZE, SIZE, 16).as_numpy_iterator():
                for entry_id, photo, articles, pose in zip(*(batch[name] for name in ("ids", "image", "articles", "keypoints"))):
                    kept[entry_id.decode()] = photo, articles
                    assert np.isfinite(pose).all() and np.isfinite(photo).all() and np.isfinite(articles).all()
    untouched = 0
    for line in given(shop).values():
        try:
            entry = json.loads(line)
            files = [entry["image"], *entry["articles"].values()]
            names = f"{entry['id']}-photo", f"{entry['id']}-top", f"{entry['id']}-shoes"
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if not originals.keys() & set(files) and tuple(file.split(".")[0] for file in files) == names:
            if entry.get("keypoints", {}).get("points") != POINTS or entry["keypoints"].get("size") != list(SIZE):
                continue
            assert entry["id"] in kept, "an entry was lost that nothing was wrong with"
            np.testing.assert_array_equal(array_to_uint8(kept[entry["id"]][0]), open_image(shop / entry["image"]))
            untouched += 1
    assert untouched > 100


def test_a_damaged_file_with_checksums_opens_as_it_was_or_not_at_all(fuzzed):
    shop, _, originals = fuzzed
    opened = 0
    for name, original in originals.items():
        if name.endswith(".png"):
            try:
                picture = open_image(shop / name)
            except UserError:
                continue
            opened += 1
            np.testing.assert_array_equal(picture, original)
    assert opened < 30


def test_little_of_what_a_jpeg_cannot_tell_goes_unnoticed(fuzzed):
    """A JPEG has no checksum: some damage is decoded without a sign. Pillow alone overlooks about twice as much."""
    shop, _, originals = fuzzed
    jpegs = {name: original for name, original in originals.items() if name.endswith(".jpeg")}

    def wrong(opener):
        count = 0
        for name, original in jpegs.items():
            with contextlib.suppress(Exception):  # Pillow's decoders raise what they like for broken files.
                picture = np.int16(opener(shop / name))
                count += picture.shape != original.shape or np.abs(picture - original).mean() > 1
        return count

    ours, alone = wrong(open_image), wrong(lambda path: Image.open(path).convert("RGB"))
    print(f"{len(jpegs)} damaged JPEGs: {ours} open as something else, {alone} with Pillow alone")
    assert ours < 0.25 * len(jpegs) and ours < 0.75 * alone
