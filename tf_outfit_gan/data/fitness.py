"""Whether a catalogue is fit for training: what its counts, its manifest and the poses of all its people say.

Each finding is one line for whoever prepares or inspects it: what is wrong, and what to do.
"""

import difflib

import numpy as np

from tf_outfit_gan.data.manifest import MEMBERS, SPLITS
from tf_outfit_gan.pose.mpii import JOINTS

# Fewer photos need augmentation ("ADA", Karras et al. 2020: its gain is largest on a few thousand), and a few hundred are
# learned by heart even so.
FEW_PHOTOS, TOO_FEW_PHOTOS = 10_000, 500

# Poses say something of a whole catalogue if there are so many, and more than this share of them agrees.
LEAST_POSES, MOST_OF_THEM = 10, 0.5

NECK, PELVIS = JOINTS.index("upper_neck"), JOINTS.index("pelvis")
RIGHT, LEFT = JOINTS.index("right_shoulder"), JOINTS.index("left_shoulder")

MIRRORED = (
    "have their right shoulder on the right of the picture, as seen from behind: are left and right exchanged? "
    "Expected the person's own"
)


def manifest_findings(manifest):
    """Yields what is wrong with a whole `Manifest`, lines of text."""
    entries = manifest.entries
    posed = [entry for entry in entries if entry.outfit.keypoints is not None]
    poses = np.stack([entry.outfit.keypoints for entry in posed]) if posed else np.zeros((0, len(JOINTS), 3))
    sizes = [entry.outfit.pose_size or (1, 1) for entry in posed]
    counts = {split: sum(entry.split == split for entry in entries) for split in SPLITS}
    yield from member_findings(manifest.unknown_members)
    yield from count_findings(counts, len(posed))
    yield from pose_findings(poses, np.array([width / height for height, width in sizes]))


def member_findings(unknown_members):
    """Yields members of a manifest that nothing reads: name -> number of entries."""
    for name, count in sorted(unknown_members.items()):
        close = difflib.get_close_matches(name.lower(), MEMBERS, n=1, cutoff=0.7)
        meant = f"is {close[0]!r} meant?" if close else f"expected {', '.join(MEMBERS)}"
        yield f"{count} entries have a member {name!r:.80}, which is not read: {meant}"


def count_findings(counts, poses):
    """Yields what is wrong with the number of entries by split, and of those that have a pose."""
    entries = sum(counts.values())
    if not counts["train"]:
        yield "no entry is for training: mark some with the split 'train'"
    elif counts["train"] < TOO_FEW_PHOTOS:
        yield (
            f"{counts['train']} training photos are too few to learn people from, and are learned by heart: "
            f"expected {TOO_FEW_PHOTOS} at least, and --set ada_target=0.6 below {FEW_PHOTOS:,}"
        )
    elif counts["train"] < FEW_PHOTOS:
        yield f"{counts['train']:,} training photos are few: train with --set ada_target=0.6 (adaptive augmentation)"
    if not counts["test"]:
        yield "no entry is for testing, so nothing can be measured on unseen outfits: prepare with --test-share 0.05"
    if poses < entries:
        yield (
            f"{entries - poses} of {entries} entries have no pose, which a conditional model needs: prepare with --pose-model, "
            "or leave them out by --require-pose"
        )


def pose_findings(poses, aspects):
    """Yields what the poses of a whole catalogue show that no single one can.

    Args:
        poses: [N, K, 3]; aspects: [N] widths by heights of their pictures.
    """
    spine = (poses[:, PELVIS, :2] - poses[:, NECK, :2]) * np.stack([aspects, np.ones_like(aspects)], axis=-1)
    shoulders = poses[:, LEFT, 0] - poses[:, RIGHT, 0]
    has_spine = (poses[:, [NECK, PELVIS], 2] > 0).all(axis=1)
    has_shoulders = (poses[:, [RIGHT, LEFT], 2] > 0).all(axis=1)
    lying = np.abs(spine[:, 0]) > np.abs(spine[:, 1])
    faults = (
        (has_spine, lying, "lie on their side: are x and y exchanged, in the points or in 'size' (height, width)?"),
        (has_spine, ~lying & (spine[:, 1] < 0), "stand on their head: does y grow upwards? Expected from the top of the picture"),
        (has_shoulders & ~(has_spine & (lying | (spine[:, 1] < 0))), shoulders < 0, MIRRORED),
    )
    for known, wrong, what in faults:
        if known.sum() >= LEAST_POSES and (wrong & known).sum() > MOST_OF_THEM * known.sum():
            yield f"{(wrong & known).sum()} of {known.sum()} people {what}"
