"""The sweep over split points finds the layers of a model whose layers are known."""

import numpy as np
import pytest

from tests.helpers.metric_samples import SIZE, entries, samples
from tf_outfit_gan.metrics import transfer_sweep
from tf_outfit_gan.metrics.transfer_sweep import TransferSweep

LAYERS = 6
RED, BLUE = (200, 0, 0), (0, 0, 200)


def dressed(row, color):
    """A picture of somebody in the color, whose only joint is at this row."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[row : row + 4] = color
    return picture


class Model:
    """Its first two layers place the person, and layers from 3 on color them; between them nothing enters."""

    def __init__(self, kept=1.0):
        self.asked, self.kept = [], kept

    def __call__(self, seeds, articles, keypoints):
        return np.stack([dressed(10, BLUE)] * len(seeds))  # The strangers' own pictures.

    def transfer(self, upper, lower, split):
        self.asked.append((split, len(lower[0]), int(upper[0][0]) != int(lower[0][0])))
        row = 2 if split >= 2 else 10
        color = np.multiply(RED if split >= 4 else BLUE, self.kept).astype(int)
        return np.stack([dressed(row, color)] * len(lower[0]))


def regions(ids):
    """Garments where `dressed` draws them, by the entry's name."""
    labels = np.zeros((len(ids), *SIZE), np.uint8)
    for label, name in zip(labels, ids):
        label[(10 if name.startswith("stranger") else 2) :][:4] = 2
    return labels


def estimator(pictures):
    """All joints are at the first row that is not black, in the middle."""
    rows = np.array([(picture.any(axis=(1, 2))).argmax() for picture in pictures])
    found = np.tile(np.float32([0.5, 0, 1]), (len(pictures), 16, 1))
    found[..., 1] = ((rows + 0.5) / SIZE[0])[:, None]
    return found


def batch(count):
    keypoints = np.tile(np.float32([0.5, 2.5 / 16, 1]), (count, 16, 1))
    keypoints[:, 7, 1] = 12.5 / 16  # The thorax, which the estimator never finds: a torso of 10 pixels.
    own = entries(np.stack([dressed(2, RED)] * count), [{"top"}] * count, keypoints=keypoints)
    names = [f"stranger{i}" for i in range(count)]
    strangers = entries(np.stack([dressed(10, BLUE)] * count), [{"top"}] * count, names)
    return samples(own, strangers)


def sweep(model, count=3):
    found = TransferSweep(SIZE, LAYERS, regions, estimator, model)
    found.add(batch(count), np.stack([dressed(2, RED)] * count))
    return found


def test_the_best_split_keeps_the_pose_and_takes_the_colors():
    model = Model()
    found = sweep(model)
    assert model.asked == [(split, 3, True) for split in range(LAYERS + 1)]
    pose, colors = [0, 0] + [15 / 16] * 5, [1, 1, 1, 1, 0, 0, 0]
    # Where the person was not moved the lower entry's place shows the ground: its color is nobody's.
    curve = found.curve()
    assert [row[0] for row in curve] == [*range(LAYERS + 1)] and [row[1] for row in curve] == pytest.approx(pose)
    assert [row[2] for row in curve[2:]] == pytest.approx(colors[2:])
    assert found.best == 2
    assert [len(row) for row in found.rows()] == [LAYERS + 1] * 3
    assert [caption for _, caption in found.rows()[0]][::2] == [
        "all from the other",
        "colors: layers 3-6",
        "colors: layers 5-6",
        "own",
    ]
    np.testing.assert_array_equal(found.rows()[0][2][0], dressed(2, BLUE))
    figures = found.figures()
    assert figures["transfer.split"].value == 2 and "of 6 layers" in figures["transfer.split"].unit
    assert figures["transfer.pose"].value == figures["transfer.pose"].ceiling == pytest.approx(15 / 16)
    assert figures["transfer.pose"].floor == 0 and figures["transfer.colors"].value == 1
    assert figures["transfer.colors"].floor == 0


def test_garments_count_in_slot_order():
    """Sums in another order differ in their last digit, and the order of a set is another one in each process."""
    slots = ("outerwear", "top", "dress", "bottom", "shoes", "bag")
    regions = {slot: np.arange(6)[None] == place for place, slot in enumerate(slots)}
    lower, upper = np.zeros((1, 6, 3)), np.zeros((1, 6, 3))
    upper[..., 0] = 50
    picture = upper * [[[0], [0.2], [0.4], [0.6], [0.8], [1]]]
    others = {slot: regions[slot] for slot in slots[::-1]}
    found = list(transfer_sweep._colors_followed(picture, lower, upper, regions, others))
    assert found == sorted(found) and found[0] == 0 and found[-1] == 1


def test_neither_end_is_a_split():
    """A model whose colors all enter at its first layer keeps no pose with them; the ends would look best."""

    def best(*blue):
        model = Model()
        model.transfer = lambda upper, lower, split: np.stack([dressed(2, BLUE if split in blue else RED)] * len(lower[0]))
        return sweep(model).best

    assert best(0, 6) is None and best(0, 1, 6) == 1


def test_no_more_entries_are_tried_than_asked_for(monkeypatch):
    monkeypatch.setattr(transfer_sweep, "ENTRIES", 2)
    model = Model()
    found = sweep(model)
    found.add(batch(3), np.stack([dressed(2, RED)] * 3))
    assert {count for _, count, _ in model.asked} == {2} and len(model.asked) == LAYERS + 1


def test_a_model_that_draws_nothing_has_no_best_split():
    figures = sweep(Model(kept=0.0)).figures()
    assert figures["transfer.split"].value is None and figures["transfer.pose"].value is None
