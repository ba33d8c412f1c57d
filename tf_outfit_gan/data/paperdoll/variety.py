"""What real catalogues have and the plain drawings lack, by shares: crops, prints, backs, unlisted articles and so on.

Each entry draws these chances from a stream of its own, all of them and in one order: no share changes what another one
does, and with all shares 0 the entries are the plain ones.
"""

from dataclasses import dataclass, replace

import numpy as np

from tf_outfit_gan.data.paperdoll.body import draw_body
from tf_outfit_gan.data.paperdoll.fabric import draw_color, floral, printed
from tf_outfit_gan.data.paperdoll.lower import Trousers
from tf_outfit_gan.data.paperdoll.motif import KINDS, Motif
from tf_outfit_gan.data.paperdoll.pose import choose
from tf_outfit_gan.slots import SLOTS

# The share of `mixed`, and what it is a share of.
MIXED = {
    "crops": (0.35, "entries whose photo ends at the knees, begins at the chin, or both: joints are missing"),
    "unlisted": (0.15, "entries that wear an article which `articles` does not list"),
    "prints": (0.30, "tops, dresses, bottoms and bags with a word, a logo, flowers or a photograph"),
    "shared": (0.50, "articles that several of eight entries in a row wear, with one packshot"),
    "bodies": (0.30, "figures with a girth of 0.8 to 1.6 and a head of up to 0.25 of their height"),
    "backs": (0.10, "figures seen from behind"),
    "backdrops": (0.40, "photos before a dark or a colored wall"),
    "papers": (0.50, "packshots on gray paper"),
}
PLAIN = dict.fromkeys(MIXED, 0.0)
VARIETIES = {"plain": PLAIN, "mixed": {name: share for name, (share, _) in MIXED.items()}}
GROUP = 8  # Entries in a row that share articles.


@dataclass(frozen=True)
class Variation:
    """What an entry's chances say, where the plain drawing has no such thing.

    `crop` is (how far down the head the photo begins, in parts from the crown to the upper neck, or None; how far below
    the knees it ends, in body units, or None).
    """

    crop: tuple = (None, None)
    unlisted: str | None = None
    wall: tuple | None = None
    papers: tuple = ()  # (slot, gray) pairs.
    borrowed: tuple = ()  # Slots whose article is the group's first entry's.


def owner(index, shares):
    """Returns the entry whose articles entry `index` may wear."""
    return index - index % GROUP if shares["shared"] else index


def vary(seed, index, shares, body, pose, outfit):
    """Returns the varied body, pose and outfit, and the rest as a `Variation`."""
    rng = np.random.default_rng([seed, index, 1])
    crop, kind, above, below, hide, turn, aside, wall = rng.random(8).tolist()
    body = _body(rng, shares["bodies"], body)
    color = _wall(rng)
    papers, cuts, borrowed = [], dict(outfit.cuts), []
    for slot in SLOTS:
        gray, tone, lent = rng.random(3).tolist()
        printed_cut = _print(rng, shares["prints"], slot, cuts.get(slot))
        if slot not in cuts:
            continue
        cuts[slot] = printed_cut
        if gray < shares["papers"]:
            papers.append((slot, round(196 + 48 * tone)))
        if lent < shares["shared"]:
            borrowed.append(slot)
    if turn < shares["backs"]:
        pose = _turned(pose, aside)
    ends = choose(kind, {"knees": 0.5, "chin": 0.25, "both": 0.25}) if crop < shares["crops"] else None
    variation = Variation(
        crop=(
            0.55 + 0.4 * above if ends in ("chin", "both") else None,
            0.07 * below - 0.02 if ends in ("knees", "both") else None,
        ),
        unlisted=list(cuts)[int(hide / shares["unlisted"] * len(cuts))] if hide < shares["unlisted"] else None,
        wall=color if wall < shares["backdrops"] else None,
        papers=tuple(papers),
        borrowed=tuple(borrowed),
    )
    return body, pose, replace(outfit, cuts=cuts), variation


def borrow(outfit, slots, lender):
    """Returns an outfit that wears the lender's articles in `slots`, and which slots those are."""
    lent = {slot: lender.cuts[slot] for slot in slots if slot in lender.cuts}
    shoes, bottom = lent.get("shoes"), (outfit.cuts | lent).get("bottom")
    if shoes and shoes.shaft == "knee" and isinstance(bottom, Trousers) and bottom.end > 1:
        del lent["shoes"]  # Trousers hide a tall shaft.
    return replace(outfit, cuts=outfit.cuts | lent), tuple(lent)


def _body(rng, share, body):
    """Draws the body of a wide range, and returns it or the given one."""
    wide, size = rng.random(2).tolist()
    other = draw_body(rng, 0.80, 0.80)
    if wide >= share:
        return body
    # Four parts of ten have the head of the others; a larger one takes its height from all else.
    k = 1 - 0.15 * max(size - 0.4, 0) / 0.6
    lengths = ("shoulder", "chest", "waist", "hips", "hip_joint", "girth", "torso", "leg", "arm")
    scaled = {name: k * getattr(other, name) for name in lengths}
    before = 1 - other.ANKLE - other.leg - other.torso
    above = 1 - other.ANKLE - scaled["leg"] - scaled["torso"]
    rise = 1 - (1 - other.rise) * before * k / above  # The neck shrinks with the rest.
    return replace(other, **scaled, rise=rise, head=other.head + rise * above - other.rise * before)


def _turned(pose, aside):
    """Returns a pose seen from behind, turned by up to 25 degrees."""
    gestures = tuple("hip" if g == "pocket" else g for g in pose.gestures)
    return replace(pose, yaw=180 + 50 * (aside - 0.5), gestures=gestures)


def _wall(rng):
    """Draws a wall's color: dark gray, or a hue, paler than cloth."""
    gray, tone = rng.random(2).tolist()
    color = draw_color(rng)
    return (34 + 60 * tone,) * 3 if gray < 0.4 else tuple(0.65 * c + 60 for c in color)


def _print(rng, share, slot, cut):
    """Draws a print, and returns the cut with or without it."""
    chance, kind, period, *chances = rng.random(6).tolist()
    petals = [draw_color(rng) for _ in range(3)]
    if cut is None or slot in ("outerwear", "shoes") or chance >= share:
        return cut
    ground = cut.fabric.colors[0]
    kind = choose(kind, {"floral": 1.0} if slot == "bottom" else {"floral": 0.25, **dict.fromkeys(KINDS, 0.25)})
    if kind == "floral":
        petals = max(petals, key=lambda color: np.abs(np.subtract(color, ground)).sum())
        return replace(cut, fabric=floral(cut.fabric, petals, 0.024 + 0.03 * period))
    motif = Motif(kind, tuple(chances), ground)
    if slot == "bag":
        upper, _, height, _ = cut.measures()
        motif = replace(motif, middle=0.6 * height, width=min(1.3 * upper, 0.6 * height))
    elif kind == "photograph":
        motif = replace(motif, width=0.085)
    return replace(cut, fabric=printed(cut.fabric, motif))
