"""The family of picture sizes: a small base, 4x3 or 4x4 for squares, doubled n times.

Every size is (height, width) and is written `1024x768`.
"""

from collections.abc import Sequence

from tf_outfit_gan.util.errors import UserError

# A base's sides are whole and small: halving goes on while both sides stay at least MIN_BASE, and the shorter
# side must end at MAX_BASE or less, or else the smallest pictures would not be small.
MIN_BASE = 3
MAX_BASE = 7


def parse_size(text: str) -> tuple[int, int]:
    """Reads `1024x768` as (1024, 768): height before width."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UserError(f"expected HEIGHTxWIDTH in pixels, such as 1024x768, got {text!r}")
    return int(parts[0]), int(parts[1])


def format_size(size: Sequence[int]) -> str:
    """Writes (1024, 768) as `1024x768`."""
    return f"{size[0]}x{size[1]}"


def levels_of(size: Sequence[int]) -> list[tuple[int, int]]:
    """Returns all sizes from the base to `size`, each twice the one before; raises `UserError` outside the family."""
    height, width = size
    levels = [(height, width)]
    while all(side % 2 == 0 and side // 2 >= MIN_BASE for side in levels[0]):
        levels.insert(0, (levels[0][0] // 2, levels[0][1] // 2))
    if not MIN_BASE <= min(levels[0]) <= MAX_BASE:
        raise UserError(
            f"size {format_size(size)}: expected a small base doubled n times, such as 1024x768 = 4x3 doubled 8 times; "
            f"{format_size(_inside(size))} is near"
        )
    return levels


def default_size(photo_size: Sequence[int]) -> tuple[int, int]:
    """Returns the size to prepare photos of `photo_size` at: their own, or the largest of the family inside it."""
    try:
        return levels_of(photo_size)[-1]
    except UserError:
        return _inside(photo_size)


def _inside(size: Sequence[int]) -> tuple[int, int]:
    """The largest 4x3 (portrait), 3x4 (landscape) or 4x4 (square) doubled n times inside `size`, or that base."""
    height, width = size
    base = (4, 3) if height > width else (3, 4) if height < width else (4, 4)
    doublings = max(1, min(height // base[0], width // base[1])).bit_length() - 1
    return base[0] << doublings, base[1] << doublings
