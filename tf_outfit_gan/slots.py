"""The article slots of an outfit (arXiv 1908.08847, section 3: a fixed semantic order).

A data set has its slots from `prepare`, a model has those of its data, and a served model gives them to its clients.
"""

import re
from collections.abc import Sequence

from tf_outfit_gan.util.errors import UserError

# Those of the paper, unless `prepare --slots` names others. The order is part of every model's contract: it is saved
# with data sets, snapshots and exports.
SLOTS = ("outerwear", "top", "dress", "bottom", "shoes", "bag")


def slot_index(slot: str, slots: Sequence[str] = SLOTS) -> int:
    """Returns the position of a slot's name; raises `UserError` that lists the known names."""
    if slot not in slots:
        raise UserError(f"unknown slot {slot!r}: expected one of {', '.join(slots)}")
    return slots.index(slot)


def parse_slots(text: str) -> tuple[str, ...]:
    """Reads "outerwear,top,hat"; raises `UserError` unless these are names of slots, each one once."""
    slots = tuple(text.split(","))
    if len(set(slots)) < len(slots) or not all(re.fullmatch("[a-z][a-z0-9_-]{0,30}", slot) for slot in slots):
        raise UserError(
            "expected names of small letters and digits separated by commas, each once, such as "
            f"{','.join((*SLOTS, 'hat'))}, got {text!r}"
        )
    return slots
