"""manifest.jsonl, the main data format: one entry a line, its paths relative to the manifest's folder.

    {"id": "0042", "image": "photos/0042.jpg", "articles": {"top": "tops/17.jpg", "shoes": "shoes/3.jpg"},
     "keypoints": {"format": "mpii16", "points": [[x, y, confidence], ...], "size": [height, width]}, "split": "train"}

Points are in pixels of a picture of `size` that shows what the photo shows. `articles` may be empty and `keypoints`
left out, for unconditional models; `split` is train or test, train if left out; `person` may name who is in the photo, so
that `prepare` puts no person into both splits. An article may also be cut out of a
photo, see `cutout`. An outfit file is an entry without id and image; of many outfits, or poses, a folder of such files or
a file with one of them a line, such as a manifest.
"""

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from tf_outfit_gan.images.cutout import Cutout
from tf_outfit_gan.pose.keypoints import read_keypoints
from tf_outfit_gan.slots import SLOTS, slot_index
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import fault_of, json_object, read_file
from tf_outfit_gan.util.storage import RemotePath, as_path

FILENAME = "manifest.jsonl"
LISTING = f"{FILENAME} line"
SPLITS = ("train", "test")
MEMBERS = ("id", "image", "articles", "keypoints", "split", "person", "masks")  # Paper dolls have the last, for `evaluate`.

# Limits of a sane manifest: an entry is a few hundred bytes, and a million of them are less than a gigabyte.
MAX_MANIFEST_BYTES, MAX_ENTRY_BYTES, MAX_ID_CHARACTERS = 1 << 32, 1 << 20, 200


@dataclass(frozen=True)
class Outfit:
    """What to wear and how to stand: articles (a file's path or a `Cutout`) by slot, and a pose [K, 3] or None.

    `pose_size` is the (height, width) of the picture that the pose was found in, which has the photo's aspect.
    """

    articles: dict
    keypoints: np.ndarray | None = None
    pose_size: tuple | None = None


@dataclass(frozen=True)
class Entry:
    """One photo with its outfit; `listing` and `line` say where it stood: "manifest.jsonl line", 3; `person` = a name or None."""

    id: str
    line: int
    split: str
    image: Path
    outfit: Outfit
    listing: str = LISTING
    person: str | None = None


@dataclass(frozen=True)
class Skipped:
    """An entry set aside, and why; `listing` and `line` as in `Entry`."""

    line: int
    id: str | None
    reason: str
    listing: str = LISTING


@dataclass(frozen=True)
class Manifest:
    """The good entries in order, the bad ones, a checksum of the file they stood in, and how often it has which other members."""

    entries: list
    skipped: list
    sha256: str
    unknown_members: dict = field(default_factory=dict)


def read_manifest(folder, slots=SLOTS):
    """Reads folder/manifest.jsonl and checks every entry; a bad one is set aside with its reason, never raised.

    Args:
        slots: that articles may have; None = any.

    Raises `UserError` when there is no manifest or not one good entry in it.
    """
    path = as_path(folder) / FILENAME
    fault = fault_of(path)
    if fault:
        raise UserError(f"{path}: {fault}; expected a folder with {FILENAME}, one entry a line")
    content = read_file(path, MAX_MANIFEST_BYTES)
    unknown = Counter()

    def fields_of(text):
        fields = _fields(text)
        unknown.update(fields.keys() - set(MEMBERS))
        return fields

    lines = enumerate(content.split(b"\n"), start=1)
    rows = [(LISTING, line, None, partial(fields_of, text)) for line, text in lines if text.strip()]
    return Manifest(*collect(path.parent, rows, slots), hashlib.sha256(content).hexdigest(), dict(unknown))


def collect(folder, rows, slots=SLOTS):
    """Checks entries and returns (the good ones, the skipped ones).

    Args:
        folder: what the entries' files are relative to, and may not lead out of.
        rows: iterable of (listing, line, id or None, function that returns the entry's fields as a manifest has them).
            The function may raise `UserError`, which sets the entry aside. An id given here stands for that in fields.
        slots: as of `read_manifest`.

    Raises `UserError` when not one entry is good.
    """
    entries, skipped, places = [], [], {}
    for listing, line, given_id, fields_of in rows:
        entry_id = None
        try:
            entry_id = given_id and _checked_id(given_id)
            fields = fields_of()
            entry_id = entry_id or _checked_id(fields.get("id"))
            if entry_id in places:
                raise UserError(f"duplicate id {entry_id!r}, already in {places[entry_id]}")
            places[entry_id] = f"{listing} {line}"
            entries.append(_entry(fields, entry_id, listing, line, folder, slots))
        except (UserError, RecursionError) as error:  # The latter from quoting what is nested a thousand deep.
            skipped.append(Skipped(line, entry_id, str(error), listing))
    if not entries:
        reason = f"; {skipped[0].listing} {skipped[0].line}: {skipped[0].reason}" if skipped else ""
        raise UserError(f"{folder}: expected one good entry at least, found {len(skipped)} bad and none good{reason}")
    return entries, skipped


def load_outfit(path, slots=SLOTS):
    """Reads an outfit file, {"articles": {slot: file}, "keypoints": {...}}, as an `Outfit`.

    Slots are as of `read_manifest`. Article files are relative to the outfit file, or absolute. Raises `UserError` that
    names the file and the fault.
    """
    folder = Path(path).parent
    return _load(path, "an outfit file", lambda fields: _outfit(fields, folder, slots, confined=False))


def load_pose(path):
    """Reads a pose [K, 3]: a file of keypoints alone, or any with a "keypoints" member, such as an outfit file.

    Raises `UserError` that names the file and the fault.
    """
    return _load(path, "a file of keypoints", lambda fields: read_keypoints(fields.get("keypoints", fields))[0])


def load_outfits(path, slots=SLOTS):
    """Reads many outfits, in a file of JSON lines or a folder of JSON files, as [(name, `Outfit`)].

    The name is that of the file without .json, or the line's id, or else its number; slots and article files are as of
    `load_outfit`. Raises `UserError` that names the file or line and the fault.
    """
    return _load_many(path, "an outfit file", lambda fields, folder: _outfit(fields, folder, slots, confined=False))


def load_poses(path):
    """Reads many poses, as `load_outfits` reads outfits, as [(name, pose [K, 3])]; a line is as a file of `load_pose`."""
    return _load_many(path, "a file of keypoints", lambda fields, _: read_keypoints(fields.get("keypoints", fields))[0])


def _load_many(path, what, read):
    """[(name, read(fields, the folder that paths are relative to))] of a file of JSON lines or a folder of JSON files."""
    path, found = Path(path), []
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            found.append((file.stem, _load(file, what, lambda fields: read(fields, path))))
    else:
        fault = fault_of(path)
        if fault:
            raise UserError(f"{path}: expected JSON lines, or a folder of JSON files, {fault}")
        for line, text in enumerate(read_file(path, MAX_MANIFEST_BYTES).split(b"\n"), start=1):
            if not text.strip():
                continue
            try:
                fields = _fields(text)
                found.append((_checked_id(fields.get("id", f"{line:04d}")), read(fields, path.parent)))
            except (UserError, RecursionError) as error:
                raise UserError(f"{path} line {line}: {error}") from None
    if not found:
        raise UserError(f"{path}: expected JSON lines, or a folder of JSON files, found none")
    return found


def _load(path, what, read):
    fault = fault_of(path)
    if fault:
        raise UserError(f"{path}: expected {what}, {fault}")
    content = read_file(path, MAX_ENTRY_BYTES)
    try:
        return read(json_object(content))
    except (UserError, RecursionError) as error:
        raise UserError(f"{path}: {error}") from None


def _fields(text):
    if len(text) > MAX_ENTRY_BYTES:
        raise UserError(f"an entry of {len(text):,} bytes; expected {MAX_ENTRY_BYTES:,} at most")
    return json_object(text)


def _checked_id(entry_id):
    """An id is printed, stored and asked for by hand: one line of text."""
    if not isinstance(entry_id, str) or not 0 < len(entry_id) <= MAX_ID_CHARACTERS or not entry_id.isprintable():
        raise UserError(f"'id' must be a text of 1 to {MAX_ID_CHARACTERS} printable characters, got {entry_id!r:.80}")
    return entry_id


def _entry(fields, entry_id, listing, line, folder, slots):
    split = fields.get("split", "train")
    if split not in SPLITS:
        raise UserError(f"'split' must be train or test, got {split!r}")
    person = fields.get("person")
    if not isinstance(person, str | None):
        raise UserError(f"'person' must be a name, got {person!r:.80}")
    image = _file(fields.get("image"), "image", folder, confined=True)
    return Entry(entry_id, line, split, image, _outfit(fields, folder, slots, confined=True), listing, person)


def _outfit(fields, folder, slots, confined):
    articles = fields.get("articles", {})
    if not isinstance(articles, dict):
        raise UserError(f"'articles' must be an object of slots and files, got {articles!r}")
    if slots is not None:
        for slot in articles:
            slot_index(slot, slots)
    found = {slot: article_file(article, slot, folder, confined) for slot, article in articles.items()}
    keypoints = fields.get("keypoints")
    return Outfit(found) if keypoints is None else Outfit(found, *read_keypoints(keypoints))


def article_file(article, slot, folder, confined):
    """Reads a file's name as its path, and {"image", "mask", "classes"} as a `Cutout`.

    Args:
        article: as a manifest has it.
        slot: the article's, for the error.
        folder: what names are relative to.
        confined: whether they may not lead out of it.

    Raises:
        UserError: when a file does not exist, or may not be named.
    """
    if not isinstance(article, dict):
        return _file(article, slot, folder, confined)
    classes = article.get("classes")
    if not isinstance(classes, list) or not classes or any(type(number) is not int for number in classes):
        raise UserError(f"{slot!r}: 'classes' must be a list of whole numbers that is not empty, got {classes!r:.80}")
    image, mask = (_file(article.get(what), f"{slot} {what}", folder, confined) for what in ("image", "mask"))
    return Cutout(image, mask, tuple(classes))


def _file(name, what, folder, confined):
    """Checks that a named file exists and, when `confined`, that its path does not lead out of the folder."""
    if not isinstance(name, str) or not name:
        raise UserError(f"{what!r} must be the name of a file, got {name!r}")
    if confined and (os.path.isabs(name) or os.path.normpath(name).split(os.sep)[0] == os.pardir):
        raise UserError(f"{what} {name!r} leads out of the manifest's folder; expected a path inside it")
    path = folder / name
    # Asking a store for each of a million files takes hours; who opens the file finds out.
    fault = None if isinstance(path, RemotePath) else fault_of(path)
    if fault:
        raise UserError(f"{what} {name!r}: {fault} in {folder}")
    return path
