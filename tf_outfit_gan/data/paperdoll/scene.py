"""One entry of the catalogue: the photo of a model in an outfit, its articles' packshots, keypoints and mask."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from tf_outfit_gan.data.paperdoll import anatomy, bags, head, lower, outerwear, shoes, upper
from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body, draw_body
from tf_outfit_gan.data.paperdoll.drawing import FINE_HEIGHT, Canvas
from tf_outfit_gan.data.paperdoll.figure import Figure, laid_flat
from tf_outfit_gan.data.paperdoll.lower import Skirt, Trousers
from tf_outfit_gan.data.paperdoll.wardrobe import Outfit, draw_outfit
from tf_outfit_gan.slots import SLOTS

LABEL = {slot: i + 1 for i, slot in enumerate(SLOTS)}
TEST_SHARE = 0.05
WHITE = (255, 255, 255)
MARGIN = 0.06  # Around a packshot, in parts of its picture.


@dataclass(frozen=True)
class Doll:
    """A drawn entry, all uint8 but the keypoints.

    photo [H, W, 3]; articles {slot: [H, W, 3]} in slot order; masks [H, W] with the visible slot's index + 1, 0
    elsewhere; keypoints [16, 3], MPII-16, x and y in pixels of the photo (pixel i covers [i, i + 1)) and 1 where they
    lie in it.
    """

    photo: np.ndarray
    articles: dict
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

    def figure(self, fine=True):
        shoes = self.outfit.cuts.get("shoes")
        return Figure(self.body, self.pose, shoes.heel if shoes else 0.0, self.height, self.place, fine)


def draw_scene(seed, index):
    """Draws an entry's chances, all and in one order before anything is painted: the size cannot change them."""
    rng = np.random.default_rng([seed, index])
    split = "test" if rng.random() < TEST_SHARE else "train"
    body, pose, outfit = draw_body(rng), p.draw_pose(rng), draw_outfit(rng)
    height, x, y, *backdrop = rng.random(7).tolist()
    return Scene(split, body, pose, outfit, (0.355 + 0.04 * x, 0.945 + 0.015 * y), 0.85 + 0.06 * height, backdrop)


def draw_entry(seed, index, size):
    """Returns the `Doll` of entry `index` of the catalogue of `seed` at `size` (height, width, 4 to 3)."""
    scene = draw_scene(seed, index)
    fine = size[0] >= FINE_HEIGHT
    figure, cuts = scene.figure(fine), scene.outfit.cuts
    # Small pictures need a finer grid a pixel, for a limb is thinner than a pixel; articles fill their pictures.
    canvas = Canvas(size, _backdrop(scene.backdrop, figure), 3 if size[0] > 48 else 5)
    for layer in dressed(figure, scene.outfit):
        canvas.paint(layer)
    photo, masks = canvas.result()
    articles = {slot: packshot(slot, cuts[slot], size) for slot in SLOTS if slot in cuts}
    return Doll(photo, articles, figure.keypoints(size), masks, scene.split)


def _hands(pose, cuts):
    """Returns how each hand is held, and which side carries the bag (None without one)."""
    pockets = isinstance(cuts.get("bottom"), Trousers)
    hands = ["hip" if g == "hip" else "none" if g == "pocket" and pockets else "relaxed" for g in pose.gestures]
    bag = cuts.get("bag")
    if bag is None:
        return hands, None
    free = [i for i in (0, 1) if pose.gestures[i] in ("relaxed", "swing")]
    if bag.kind == "crossbody" or not free:
        near = int(pose.yaw < 0)
        return hands, near if pose.gestures[near] not in ("hip", "pocket") else 1 - near
    hands[free[0]] = "fist"
    return hands, free[0]


def _backdrop(chance, figure):
    """Returns a light studio with the figure's soft shadow on its floor, small: the canvas stretches it."""
    height, width = 64, 48
    y, x = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width)[None] + 0.5) / height
    tone = 232 + 16 * chance[0] + 9 * np.array([chance[1] - 0.5, 0.3 * (chance[2] - 0.5), chance[2] - 0.5])
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
    hands, carrying = _hands(figure.pose, cuts)
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

    yield from behind_hair
    if jacket:
        yield from outerwear.lining(figure, jacket, outer)
    for i in (0, 1):
        if figure.behind[i]:
            yield from arm(i)
    yield upper.inside(figure, first, label)
    for i in (figure.far_leg, 1 - figure.far_leg):
        yield from _leg(figure, cuts, i)
    yield anatomy.trunk(figure)
    if outfit.tucked and bottom:
        yield from upper.closed(figure, first, label)
    if bottom:
        make = lower.skirt if isinstance(bottom, Skirt) else lower.trousers
        yield from make(figure, bottom, LABEL["bottom"])
    if not (outfit.tucked and bottom):
        yield from upper.closed(figure, first, label)
    if jacket:
        yield from outerwear.fronts(figure, jacket, outer)
    if bag and hands[carrying] != "fist":
        yield from bags.on_strap(figure, bag, carrying, LABEL["bag"])
    yield from head.face(figure)
    yield from over_hair
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


def packshot(slot, cut, size):
    """Draws an article laid flat on white, as large as its picture allows."""
    pieces = _flat_pieces(slot, cut, size[0] >= FINE_HEIGHT)
    outline = np.concatenate([outline for piece in pieces for outline in piece.outlines()])
    (left, right), (top, bottom) = ((axis.min(), axis.max()) for axis in (outline.real, outline.imag))
    aspect = size[1] / size[0]
    zoom = (1 - 2 * MARGIN) * min(aspect / (right - left), 1 / (bottom - top))
    shift = (complex(aspect, 1) - zoom * complex(left + right, top + bottom)) / 2
    canvas = Canvas(size, WHITE, 3 if size[0] > 128 else 2, zoom, shift, labelled=False)
    for piece in pieces:
        canvas.paint(piece)
    return canvas.result()[0]
