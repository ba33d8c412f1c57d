"""One entry of the catalogue: the photo of a model in an outfit, its articles' packshots, keypoints and mask."""

from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from tf_outfit_gan.data.paperdoll import anatomy, bags, head, lower, outerwear, shoes, upper
from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body, draw_body
from tf_outfit_gan.data.paperdoll.drawing import FINE_HEIGHT, Canvas
from tf_outfit_gan.data.paperdoll.figure import Figure, laid_flat
from tf_outfit_gan.data.paperdoll.lower import Skirt, Trousers
from tf_outfit_gan.data.paperdoll.variety import PLAIN, Variation, borrow, owner, vary
from tf_outfit_gan.data.paperdoll.wardrobe import Outfit, draw_outfit
from tf_outfit_gan.slots import SLOTS

LABEL = {slot: i + 1 for i, slot in enumerate(SLOTS)}
TEST_SHARE = 0.05
WHITE = (255, 255, 255)
MARGIN = 0.06  # Around a packshot, in parts of its picture.


@dataclass(frozen=True)
class Doll:
    """A drawn entry, all uint8 but the keypoints.

    photo [H, W, 3]; articles {slot: [H, W, 3]}, the packshots of its own articles, in slot order; listed {slot: the
    entry whose packshot it is}; masks [H, W] with the visible slot's index + 1, 0 elsewhere; keypoints [16, 3],
    MPII-16, x and y in pixels of the photo (pixel i covers [i, i + 1)) and 1 where they lie in it.
    """

    photo: np.ndarray
    articles: dict
    listed: dict
    keypoints: np.ndarray
    masks: np.ndarray
    split: str


@dataclass(frozen=True)
class Scene:
    """All that chance decides about an entry."""

    split: str
    body: Body
    pose: p.Pose
    outfit: Outfit
    place: tuple  # x of the figure's middle and y of the ground, in picture heights.
    height: float  # Of the figure, in picture heights, if there is room.
    backdrop: list
    variation: Variation = Variation()
    owners: dict = field(default_factory=dict)  # {slot: the entry that the article belongs to}

    def figure(self, fine=True):
        shoes = self.outfit.cuts.get("shoes")
        return Figure(self.body, self.pose, shoes.heel if shoes else 0.0, self.height, self.place, fine)

    def keypoints(self, size):
        """Returns [16, 3], as in `Doll`, of a photo of `size`."""
        figure = self.figure()
        return figure.keypoints(size, *_frame(figure, self.variation.crop))


def _frame(figure, crop):
    """Returns the zoom and the shift of a photo that begins and ends where a `Variation`'s crop says."""
    above, below = crop
    if crop == (None, None):
        return 1.0, 0j
    top, bottom = 0.0, 1.0
    if above is not None:
        top = (1 - above) * figure.joints[p.HEAD_TOP].imag + above * figure.joints[p.UPPER_NECK].imag
    else:
        top = max(figure.joints[p.HEAD_TOP].imag - 0.4 * figure.body.head * figure.unit, 0)
    if below is not None:
        bottom = sum(figure.joints[knee].imag for knee in p.KNEE) / 2 + below * figure.unit
    zoom = 1 / (bottom - top)
    middle = (figure.joints[p.PELVIS] + figure.joints[p.THORAX]).real / 2
    return zoom, -zoom * complex(middle - 0.375 / zoom, top)


def draw_scene(seed, index, shares=PLAIN):
    """Draws an entry's chances, all and in one order before anything is painted: the size cannot change them.

    `shares` are as in `variety`.
    """
    rng = np.random.default_rng([seed, index])
    split = "test" if rng.random() < TEST_SHARE else "train"
    body, pose, outfit = draw_body(rng), p.draw_pose(rng), draw_outfit(rng)
    height, x, y, *backdrop = rng.random(7).tolist()
    scene = Scene(split, body, pose, outfit, (0.355 + 0.04 * x, 0.945 + 0.015 * y), 0.85 + 0.06 * height, backdrop)
    return _varied(scene, seed, index, shares) if any(shares.values()) else scene


def _varied(scene, seed, index, shares):
    body, pose, outfit, variation = vary(seed, index, shares, scene.body, scene.pose, scene.outfit)
    scene = replace(scene, body=body, pose=pose, outfit=outfit, variation=variation)
    first = owner(index, shares)
    if first == index:
        return scene
    lender = draw_scene(seed, first, shares)
    outfit, lent = borrow(outfit, variation.borrowed, lender.outfit)
    # What several entries wear is of one split: no article of the test set is learned.
    return replace(scene, outfit=outfit, split=lender.split, owners=dict.fromkeys(lent, first))


def draw_entry(seed, index, size, shares=PLAIN):
    """Returns the `Doll` of entry `index` of the catalogue of `seed` at `size` (height, width, 4 to 3)."""
    scene = draw_scene(seed, index, shares)
    fine = size[0] >= FINE_HEIGHT
    figure, cuts, variation = scene.figure(fine), scene.outfit.cuts, scene.variation
    zoom, shift = _frame(figure, variation.crop)
    # Small pictures need a finer grid a pixel, for a limb is thinner than a pixel; articles fill their pictures.
    backdrop = _backdrop(scene.backdrop, figure, variation.wall, zoom, shift)
    canvas = Canvas(size, backdrop, 3 if size[0] > 48 else 5, zoom, shift)
    for layer in dressed(figure, scene.outfit):
        canvas.paint(layer)
    photo, masks = canvas.result()
    papers = {slot: (gray, gray, gray) for slot, gray in variation.papers}
    worn = {slot: scene.owners.get(slot, index) for slot in SLOTS if slot in cuts}
    own = [slot for slot, entry in worn.items() if entry == index]
    articles = {slot: packshot(slot, cuts[slot], size, papers.get(slot, WHITE)) for slot in own}
    listed = {slot: entry for slot, entry in worn.items() if slot != variation.unlisted}
    return Doll(photo, articles, listed, scene.keypoints(size), masks, scene.split)


def _hands(figure, cuts):
    """Returns how each hand is held, and which side carries the bag (None without one)."""
    pose = figure.pose
    pockets = isinstance(cuts.get("bottom"), Trousers)
    hands = ["hip" if g == "hip" else "none" if g == "pocket" and pockets else "relaxed" for g in pose.gestures]
    bag = cuts.get("bag")
    if bag is None:
        return hands, None
    free = [i for i in (0, 1) if pose.gestures[i] in ("relaxed", "swing")]
    if bag.kind == "crossbody" or not free:
        near = figure.near
        return hands, near if pose.gestures[near] not in ("hip", "pocket") else 1 - near
    hands[free[0]] = "fist"
    return hands, free[0]


def _backdrop(chance, figure, wall=None, zoom=1.0, shift=0j):
    """Returns a light studio with the figure's soft shadow on its floor, small: the canvas stretches it.

    `wall` is the studio's color where it is not light; `zoom` and `shift` are the photo's.
    """
    height, width = 64, 48
    y, x = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width)[None] + 0.5) / height
    y, x = (y - shift.imag) / zoom, (x - shift.real) / zoom
    tone = 232 + 16 * chance[0] + 9 * np.array([chance[1] - 0.5, 0.3 * (chance[2] - 0.5), chance[2] - 0.5])
    if wall:
        tone = np.array(wall)
    floor = np.clip((y - 0.62) / 0.38, 0, 1) * (0.4 + 0.6 * chance[3])
    light = 1 + 0.03 * np.exp(-((x - 0.3) ** 2 + (y - 0.35) ** 2) / 0.12) - 0.05 * floor
    right, left = (figure.joints[ankle] for ankle in p.ANKLE)
    middle, ground = (right + left).real / 2 + 0.02, max(right.imag, left.imag) + 0.035 * figure.unit
    spread = 0.075 + 0.5 * abs(left.real - right.real)
    shadow = 0.26 * np.exp(-(((x - middle) / spread) ** 2) - ((y - ground) / 0.020) ** 2)
    picture = tone * (light * (1 - shadow))[:, :, None]
    return Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def dressed(figure, outfit):
    """Yields every layer of the dressed figure, from the farthest to the nearest."""
    cuts = outfit.cuts
    hands, carrying = _hands(figure, cuts)
    away = figure.faces < 0
    trunk, front = (upper.back, upper.back) if away else (upper.closed, outerwear.fronts)
    jacket, dress, bottom, bag = (cuts.get(slot) for slot in ("outerwear", "dress", "bottom", "bag"))
    first, slot = (dress, "dress") if dress else (cuts["top"], "top")
    if outfit.tucked and bottom:
        chest, *_ = first.eases
        first = replace(first, hem=min(first.hem, lower.WAIST + 0.03), eases=(chest, 0.004, 0.004))
    if jacket and jacket.skirt:  # A coat covers what hangs below it.
        flare = jacket.skirt[1]
        if first.skirt:
            first = replace(first, skirt=(first.skirt[0], min(first.skirt[1], flare)))
        if isinstance(bottom, Skirt):
            bottom = replace(bottom, flare=min(bottom.flare, flare))
    label, outer = LABEL[slot], LABEL["outerwear"]
    behind_hair, over_hair = head.hair(figure)

    def arm(i):
        if carrying == i and hands[i] == "fist":
            wrist, along, _ = anatomy.hand_axes(figure, i, "fist")
            yield from bags.in_hand(figure, bag, wrist + 0.052 * figure.unit * along, LABEL["bag"])
        sleeve = jacket or first
        yield anatomy.arm(figure, i, hands[i], upper.SLEEVES.get(sleeve.sleeve, 0.0))
        yield from upper.sleeves(figure, sleeve, i, outer if jacket else label)

    if not away:
        yield from behind_hair
    if jacket and not away:
        yield from outerwear.lining(figure, jacket, outer)
    for i in (0, 1):
        if figure.behind[i]:
            yield from arm(i)
    if not away:
        yield upper.inside(figure, first, label)
    for i in (figure.far_leg, 1 - figure.far_leg):
        yield from _leg(figure, cuts, i)
    yield anatomy.trunk(figure)
    if outfit.tucked and bottom:
        yield from trunk(figure, first, label)
    if bottom:
        make = lower.skirt if isinstance(bottom, Skirt) else lower.trousers
        yield from make(figure, bottom, LABEL["bottom"])
    if not (outfit.tucked and bottom):
        yield from trunk(figure, first, label)
    if jacket:
        yield from front(figure, jacket, outer)
    if bag and hands[carrying] != "fist":
        yield from bags.on_strap(figure, bag, carrying, LABEL["bag"])
    yield from head.from_behind(figure) if away else [*head.face(figure), *over_hair]
    for i in (1 - figure.near, figure.near):
        if not figure.behind[i]:
            yield from arm(i)


def _leg(figure, cuts, i):
    bottom = cuts.get("bottom")
    yield anatomy.leg(figure, i, bottom.end if isinstance(bottom, Trousers) else 0.0)
    if "shoes" in cuts:
        yield from shoes.worn(figure, cuts["shoes"], i, LABEL["shoes"])


def _flat_pieces(slot, cut, fine):
    """Returns the pieces of an article laid flat, in body units."""
    if slot == "shoes":
        return shoes.laid_out(cut, fine)
    if slot == "bag":
        return bags.laid_out(cut)
    figure = laid_flat(fine)
    if slot == "bottom":
        return (lower.skirt if isinstance(cut, Skirt) else lower.trousers)(figure, cut, 0)
    sleeves = [piece for i in (0, 1) for piece in upper.sleeves(figure, cut, i, 0)]
    if slot == "outerwear":
        return outerwear.lining(figure, cut, 0) + sleeves + outerwear.fronts(figure, cut, 0)
    return [upper.inside(figure, cut, 0), *sleeves, *upper.closed(figure, cut, 0)]


def packshot(slot, cut, size, paper=WHITE):
    """Draws an article laid flat on paper, as large as its picture allows."""
    pieces = _flat_pieces(slot, cut, size[0] >= FINE_HEIGHT)
    outline = np.concatenate([outline for piece in pieces for outline in piece.outlines()])
    (left, right), (top, bottom) = ((axis.min(), axis.max()) for axis in (outline.real, outline.imag))
    aspect = size[1] / size[0]
    zoom = (1 - 2 * MARGIN) * min(aspect / (right - left), 1 / (bottom - top))
    shift = (complex(aspect, 1) - zoom * complex(left + right, top + bottom)) / 2
    canvas = Canvas(size, paper, 3 if size[0] > 128 else 2, zoom, shift, labelled=False)
    for piece in pieces:
        canvas.paint(piece)
    return canvas.result()[0]
