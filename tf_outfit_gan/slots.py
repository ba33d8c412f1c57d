"""The six fixed article slots of an outfit (arXiv 1908.08847, section 3: a fixed semantic order)."""

from collections.abc import Sequence

from tf_outfit_gan.util.errors import UserError

# The order is part of every model's contract: it is saved with data sets, snapshots and exports.
SLOTS = ("outerwear", "top", "dress", "bottom", "shoes", "bag")


def slot_index(slot: str, slots: Sequence[str] = SLOTS) -> int:
    """Returns the position of a slot's name; raises `UserError` that lists the known names."""
    if slot not in slots:
        raise UserError(f"unknown slot {slot!r}: expected one of {', '.join(slots)}")
    return slots.index(slot)
