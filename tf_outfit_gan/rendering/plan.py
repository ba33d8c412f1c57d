"""Which pictures are asked for: each outfit in each pose with each seed."""

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.util.errors import UserError

# A name, and a function that reads the outfit, which may be large; it raises `UserError`.
NamedOutfit = tuple[str, Callable[[], Request]]
NamedPose = tuple[str, np.ndarray]
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture that is asked for; the request is None for an unconditional model, and the pose if it is the outfit's."""

    outfit: str | None
    pose: str | None
    seed: int
    request: Request | None

    @property
    def file(self) -> str:
        """The name of its file."""
        return "_".join([*(_file_name(part) for part in (self.outfit, self.pose) if part), str(self.seed)]) + ".png"

    @property
    def caption(self) -> str:
        return ", ".join([*(part for part in (self.outfit, self.pose) if part), f"seed {self.seed}"])


class Plan:
    """All pictures that are asked for, by outfit, by pose, by seed.

    Args:
        outfits: None for an unconditional model.
        poses: instead of the outfits' own; empty = their own.
        seeds: of each outfit in each pose.

    Attributes:
        faults: why outfits could not be read, so far.
    """

    def __init__(self, outfits: Sequence[NamedOutfit] | None, poses: Sequence[NamedPose], seeds: Sequence[int]) -> None:
        self._outfits, self._poses, self._seeds = outfits, poses, seeds
        self.faults: list[str] = []

    def __len__(self) -> int:
        return len(self._outfits or [None]) * self.pictures_per_outfit

    @property
    def pictures_per_outfit(self) -> int:
        return len(self._poses or [None]) * len(self._seeds)

    def check_names(self) -> None:
        """Raises `UserError` where two pictures would have one file."""
        for what, names in (
            ("outfits", [name for name, _ in self._outfits or ()]),
            ("poses", [name for name, _ in self._poses]),
            ("seeds", self._seeds),
        ):
            first: dict[str, object] = {}
            for name in names:
                file = _file_name(str(name))
                if file in first:
                    raise UserError(f"{what} {first[file]} and {name}: both pictures would have one name; rename one of them")
                first[file] = name

    def parts(self, most: int) -> "Iterator[Plan]":
        """Plans of at most `most` pictures each, which together are this one; an outfit is in as few as can be."""
        seeds = _cut(self._seeds, most)
        poses = _cut(self._poses, most // len(self._seeds)) or [[]]
        outfits = [None] if self._outfits is None else _cut(self._outfits, most // self.pictures_per_outfit)
        return (Plan(*part) for part in itertools.product(outfits, poses, seeds))

    def files(self) -> Iterator[str]:
        """The names of all files, in the order of `pictures`; no outfit is read."""
        outfits: list[str | None] = [None] if self._outfits is None else [name for name, _ in self._outfits]
        poses: list[str | None] = [name for name, _ in self._poses] or [None]
        return (Picture(*place, None).file for place in itertools.product(outfits, poses, self._seeds))

    def pictures(self) -> Iterator[Picture]:
        """All pictures; an outfit is read when it is its turn, and left out if it cannot be read: see `faults`."""
        if self._outfits is None:
            yield from (Picture(None, None, seed, None) for seed in self._seeds)
            return
        for name, read in self._outfits:
            try:
                outfit = read()
                outfit = outfit if self._poses else outfit.checked()
            except UserError as error:
                self.faults.append(str(error))
                continue
            poses: Sequence[tuple[str | None, np.ndarray | None]] = self._poses or [(None, outfit.keypoints)]
            for pose, keypoints in poses:
                request = dataclasses.replace(outfit, keypoints=keypoints)
                yield from (Picture(name, pose, seed, request) for seed in self._seeds)


def _cut(items: Sequence[T], length: int) -> list[Sequence[T]]:
    """In pieces of this length, or of 1."""
    length = max(1, length)
    return [items[start : start + length] for start in range(0, len(items), length)]


def _file_name(name: str) -> str:
    """A name without what has a meaning in paths and shells, and without the underline that stands between names."""
    return re.sub(r"[^\w.-]|_", "-", name).lstrip(".-") or "-"
