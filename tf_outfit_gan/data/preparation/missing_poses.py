"""Finds the poses that a catalogue's manifest lacks; a call after a kill resumes it.

    CATALOGUE/manifest.jsonl            with a pose in every entry; replaced last, in one go
    CATALOGUE/manifest.original.jsonl   as it was before
    CATALOGUE/manifest.no-pose.jsonl    the entries set aside, and why: no person found, or a photo that cannot be read

Entries that have keypoints keep theirs; lines that `prepare` would refuse stay as they are, for it to name.
"""

import hashlib
import json
import shutil

from tf_outfit_gan.data import manifest as manifests
from tf_outfit_gan.images.open import open_image
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.pose_estimation.models import digest
from tf_outfit_gan.pose_estimation.persons import find_person
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import run_in_processes
from tf_outfit_gan.util.progress import progress

ORIGINAL, SET_ASIDE, PARTS = "manifest.original.jsonl", "manifest.no-pose.jsonl", ".poses"

CHUNK = 64  # Entries whose poses are kept when a run is killed.


def fill_poses(catalogue, pose_model, workers=1, quiet=True):
    """Gives every entry of a catalogue's manifest a pose; returns how many were (found, set aside).

    Raises `UserError` for a missing manifest, for a file that is no pose model, and when no entry would be left.
    """
    manifest = manifests.read_manifest(catalogue, slots=None)
    missing = [entry for entry in manifest.entries if entry.outfit.keypoints is None]
    if not missing:
        print(f"{catalogue / manifests.FILENAME}: every entry has a pose")
        return 0, 0
    load_estimator(pose_model)  # Reports a mistake once, before any work.

    # Find the poses; what is found is kept in parts until the manifest is written.
    made_of = hashlib.sha256(f"{manifest.sha256} {digest(pose_model)}".encode()).hexdigest()
    parts = catalogue / f"{PARTS}-{made_of[:16]}"
    parts.mkdir(exist_ok=True)
    chunks = [(pose_model, parts, missing[start : start + CHUNK]) for start in range(0, len(missing), CHUNK)]
    with progress("pose", len(missing), "photos", quiet) as advance:
        results = run_in_processes(_find_chunk, chunks, min(workers, len(chunks)), advance)
    answers = {entry.line: answer for (*_, chunk), found in zip(chunks, results) for entry, answer in zip(chunk, found)}

    # Deal the lines of the manifest to the new one and to what is set aside.
    path = catalogue / manifests.FILENAME
    lines, set_aside = [], []
    for line, text in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").split("\n"), start=1):
        answer = answers.get(line, {})
        if "reason" in answer:
            set_aside.append(json.dumps({"reason": answer["reason"], **json.loads(text)}, ensure_ascii=False))
        elif answer:
            lines.append(json.dumps({**json.loads(text), "keypoints": answer}, ensure_ascii=False))
        else:
            lines.append(text)
    if len(set_aside) == len(manifest.entries):
        reason = answers[missing[0].line]["reason"]
        raise UserError(f"{path}: no entry would be left; {missing[0].id}: {reason}")
    _keep_set_aside(catalogue / SET_ASIDE, set_aside)
    shutil.copyfile(path, catalogue / ORIGINAL)
    write_whole(path, "\n".join(lines))
    shutil.rmtree(parts)

    print(
        f"{path}: found {len(missing) - len(set_aside)} poses, {len(set_aside)} entries set aside"
        + (f" (see {SET_ASIDE})" if set_aside else "")
    )
    for text in set_aside[:3]:
        entry = json.loads(text)
        print(f"set aside {entry['id']}: {entry['reason']}")
    return len(missing) - len(set_aside), len(set_aside)


def find_pose(pose_model, path):
    """The keypoints of the person in a photo, in the form of a manifest.

    Raises `UserError` when the photo cannot be read, or no person is found in it.
    """
    photo = open_image(path)
    points = (find_person(pose_model, photo) * [photo.width, photo.height, 1]).round(3).tolist()
    return {"format": "mpii16", "points": points, "size": [photo.height, photo.width]}


def _find_chunk(pose_model, parts, entries, advance):
    """Returns for each entry its keypoints as a manifest has them, or {"reason"} why there are none."""
    part = parts / f"{entries[0].line:09d}.json"
    if part.exists():
        answers = json.loads(part.read_text())
        advance(len(entries))
    else:
        answers = []
        for entry in entries:
            answers.append(_answer(pose_model, entry))
            advance(1)
        write_whole(part, json.dumps(answers))
    return answers


def _answer(pose_model, entry):
    try:
        return find_pose(pose_model, entry.image)
    except UserError as error:
        return {"reason": str(error)}


def _keep_set_aside(path, lines):
    """Adds lines to those that earlier runs set aside; a run that was killed here has added them already."""
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    new = [line for line in lines if line not in before]
    if new:
        write_whole(path, "\n".join([*before, *new]) + "\n")
