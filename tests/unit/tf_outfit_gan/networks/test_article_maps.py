"""Articles laid over the body: cut out of pictures made by hand, fitted to their widths, and sampled against NumPy."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.standing import SIZE, TORSO, pixel, standing, without
from tf_outfit_gan.networks.article_maps import article_map, cut_out, fit, warp
from tf_outfit_gan.pose.mpii import mirror
from tf_outfit_gan.slots import SLOTS

WHITE, GRAY, RED, BLUE = (1, 1, 1), (0.6, 0.6, 0.6), (1, -1, -1), (-1, -1, 1)


def packshot(*boxes, size=(40, 30), paper=WHITE):
    """An article's picture: each box is ((from row, to row), (from column, to column), color)."""
    picture = np.full((*size, 3), paper, np.float32)
    for rows, columns, color in boxes:
        picture[slice(*rows), slice(*columns)] = color
    return picture


def mask(*boxes, size=(40, 30)):
    """Where boxes are, in the manner of `packshot`."""
    return packshot(*((rows, columns, 1) for rows, columns in boxes), size=size, paper=0)[..., 0] > 0


def laid(pose, slots, *pictures):
    """The article map of one pose, [H, W, 3S]."""
    return article_map(slots, pose, tf.constant(np.stack(pictures)[None]), SIZE).numpy()[0]


class TestCutOut:
    """What is an article in its picture, and what the paper below it."""

    BOX = ((5, 35), (9, 21))

    def shown(self, picture):
        return cut_out(tf.constant(picture[None])).numpy()[0]

    @pytest.mark.parametrize("paper", [WHITE, GRAY, BLUE])
    def test_an_article_of_another_color_than_the_paper(self, paper):
        np.testing.assert_array_equal(self.shown(packshot((*self.BOX, RED), paper=paper)), mask(self.BOX))

    def test_an_article_as_light_as_the_paper_has_an_outline(self):
        outlined = packshot((*self.BOX, GRAY), ((6, 34), (10, 20), WHITE))
        np.testing.assert_array_equal(self.shown(outlined), mask(self.BOX))

    def test_paper_between_sleeves_and_trunk_is_no_article(self):
        sleeves = ((5, 9), (2, 28)), ((9, 30), (2, 6)), ((9, 30), (24, 28))
        shirt = packshot(*((*box, RED) for box in (self.BOX, *sleeves)))
        np.testing.assert_array_equal(self.shown(shirt), mask(self.BOX, *sleeves))

    def test_a_difference_of_seven_steps_of_255_is_none(self):
        light = packshot(((5, 20), (9, 21), (1, 1, 1 - 7 / 127.5)), ((20, 35), (9, 21), (1, 1, 1 - 8 / 127.5)))
        np.testing.assert_array_equal(self.shown(light), mask(((20, 35), (9, 21))))

    def test_an_article_that_leaves_the_picture_at_an_edge(self):
        box = (10, 40), (0, 20)
        np.testing.assert_array_equal(self.shown(packshot((*box, RED))), mask(box))

    def test_a_picture_without_paper_is_all_article(self):
        assert self.shown(np.random.default_rng(1).uniform(-1, 1, (40, 30, 3)).astype(np.float32)).mean() > 0.98

    def test_a_missing_article_and_empty_paper_are_none(self):
        assert not self.shown(np.zeros((40, 30, 3), np.float32)).any()
        assert not self.shown(packshot()).any()

    def test_pictures_are_apart(self):
        pictures = np.stack([packshot((*self.BOX, RED)), packshot((*self.BOX, RED), paper=GRAY), packshot()])
        expected = np.stack([mask(self.BOX), mask(self.BOX), mask()])
        np.testing.assert_array_equal(cut_out(tf.constant(pictures)), expected)


class TestFit:
    """How large the upright figure stands in an article's picture, and how high."""

    def fitted(self, slot, *boxes, size=(40, 30)):
        scale, top = fit((slot,), tf.constant(mask(*boxes, size=size)[None, None]))
        assert scale.shape == top.shape == (1, 1)
        return float(scale[0, 0]), float(top[0, 0])

    @pytest.mark.parametrize(
        "slot, half_width, edge",
        [("outerwear", 0.36, -0.18), ("top", 0.31, -0.18), ("dress", 0.31, -0.18), ("bottom", 0.31, 0.68)],
    )
    def test_of_a_plain_box(self, slot, half_width, edge):
        # 12 of 30 columns, from row 5 on.
        scale = 12 / 60 / half_width
        assert self.fitted(slot, ((5, 35), (9, 21))) == pytest.approx((scale, edge - 5 / 30 / scale), rel=1e-5)

    def test_the_figure_stands_where_the_article_does(self):
        """The same article at another place and of another size shows the same figure."""
        small, large = self.fitted("top", ((5, 20), (12, 18))), self.fitted("top", ((8, 38), (9, 21)))
        assert 2 * small[0] == pytest.approx(large[0])
        # The heights of the picture above the article.
        assert (-0.18 - small[1]) * small[0] * 30 == pytest.approx(5, rel=1e-5)
        assert (-0.18 - large[1]) * large[0] * 30 == pytest.approx(8, rel=1e-5)

    @pytest.mark.parametrize("legs", [((5, 15), (8, 22)), ((5, 39), (8, 22))], ids=["shorts", "trousers"])
    def test_length_does_not_count(self, legs):
        gap = mask(((10, 40), (14, 16)))  # Between the legs there is no middle.
        scale, top = fit(("bottom",), tf.constant((mask(legs) & ~gap)[None, None]))
        assert float(scale[0, 0]) == pytest.approx(14 / 60 / 0.31)
        assert float(top[0, 0]) == pytest.approx(0.68 - 5 / 30 / (14 / 60 / 0.31))

    def test_sleeves_do_not_count(self):
        trunk, shoulders = ((5, 35), (9, 21)), ((5, 10), (3, 27))
        sleeves = ((5, 30), (3, 7)), ((5, 30), (23, 27))
        assert self.fitted("top", trunk, shoulders, *sleeves) == self.fitted("top", trunk)

    def test_the_waist_counts_and_not_the_skirt(self):
        # Rows 0 to 29; from a fifth to three quarters of them is 6 to 21.
        waist = self.fitted("dress", ((0, 12), (6, 24)), ((12, 16), (10, 20)), ((16, 30), (2, 28)))
        assert waist[0] == pytest.approx(10 / 60 / 0.31)
        above = self.fitted("dress", ((0, 4), (13, 17)), ((4, 30), (6, 24)))
        below = self.fitted("dress", ((0, 24), (6, 24)), ((24, 30), (13, 17)))
        assert above == below == self.fitted("dress", ((0, 30), (6, 24)))

    def test_the_waistband_is_below_the_upper_edge(self):
        # Rows 0 to 29; its part counts from 1 to 3.
        band = ((0, 1), (14, 16)), ((1, 4), (8, 22)), ((4, 30), (12, 18))
        assert self.fitted("bottom", *band)[0] == pytest.approx(14 / 60 / 0.31)

    def test_an_article_beside_the_middle_counts_from_there(self):
        # Half of what lies to both sides of it: 2 columns left and 10 right.
        assert self.fitted("top", ((5, 35), (13, 25)))[0] == pytest.approx(12 / 60 / 0.31)
        assert self.fitted("top", ((5, 35), (15, 25)))[0] == pytest.approx(10 / 60 / 0.31)

    def test_an_odd_width(self):
        assert self.fitted("top", ((5, 35), (3, 6)), size=(40, 9))[0] == pytest.approx(3 / 18 / 0.31)

    def test_extremes_are_limited(self):
        assert self.fitted("top", ((5, 35), (15, 16)))[0] == pytest.approx(0.2)
        for boxes in ([((0, 40), (0, 4)), ((0, 40), (26, 30))], []):  # Nothing in the middle, and nothing at all.
            scale, top = self.fitted("top", *boxes)
            assert scale == 2 and math.isfinite(top)

    @pytest.mark.parametrize("slot", ["shoes", "bag", "hat"])
    def test_what_the_figure_does_not_wear_is_its_picture(self, slot):
        assert self.fitted(slot, ((5, 35), (9, 21))) == (1, 0)

    def test_articles_are_apart(self):
        boxes = ((5, 35), (9, 21)), ((2, 30), (5, 25)), ((5, 35), (9, 21))
        scale, top = fit(("top", "bottom", "hat"), tf.constant(np.stack([mask(box) for box in boxes])[None]))
        for i, (slot, box) in enumerate(zip(("top", "bottom", "hat"), boxes)):
            assert (float(scale[0, i]), float(top[0, i])) == self.fitted(slot, box)


class TestArticleMap:
    """Where an article's picture comes to lie."""

    @pytest.mark.parametrize("slot, edge, above, rows", [("top", -0.18, -0.3125, (0, 0.875)), ("bottom", 0.68, 0.625, (1, 1.5))])
    def test_each_pixel_shows_its_place_in_the_picture(self, slot, edge, above, rows):
        """Colors that are (u, v, 0.5) say which place of the picture lies where."""
        v, u = (np.mgrid[:32, :24] + 0.5) / np.reshape([32, 24], (2, 1, 1))
        picture = packshot(size=(32, 24), paper=(-1, -1, -1))
        picture[2:30, 5:19] = np.stack([u, v, np.full_like(u, 0.5)], axis=-1)[2:30, 5:19]
        found = laid(standing(), (slot,), picture)
        scale = 14 / 48 / 0.31
        for x in (-0.1875, 0.125):
            for y in rows:
                place = 0.5 + scale * x, scale * (y - edge) * 24 / 32 + 2 / 32
                np.testing.assert_allclose(found[pixel(x, y)], (*place, 0.5), atol=1e-4)
        # Beside the article, and above its upper edge.
        assert not found[pixel(0.5, rows[1])].any() and not found[pixel(0, above)].any()

    def test_paper_does_not_show(self):
        found = laid(standing(), ("top",), packshot(((2, 30), (5, 19), RED), size=(32, 24)))
        rows, columns = np.nonzero(found.any(axis=-1))
        assert abs(columns - 24).max() <= 0.31 * TORSO + 1 and found[found != 0].max() <= 1 and found[..., 2].max() <= 0

    def test_an_article_keeps_its_color_up_to_its_rim(self):
        color = (0.2, -0.5, -0.1)
        shown = laid(standing(), ("top",), packshot(((4, 36), (10, 20), color)))
        covered = (shown != 0).any(axis=-1)
        assert covered.sum() > 20
        np.testing.assert_allclose(shown[covered], np.broadcast_to(color, (covered.sum(), 3)), atol=1e-5)

    def test_a_rim_that_is_mixed_with_paper_takes_the_color_inside(self):
        mixed = packshot(((4, 28), (6, 18), (0.6, 0.25, 0.45)), ((5, 27), (7, 17), (0.2, -0.5, -0.1)), size=(32, 24))
        shown = laid(standing(), ("top",), mixed)
        covered = (shown != 0).any(axis=-1)
        assert covered.sum() > 20
        np.testing.assert_allclose(shown[covered], np.broadcast_to((0.2, -0.5, -0.1), (covered.sum(), 3)), atol=1e-5)

    def test_an_article_ends_where_it_does_in_its_picture(self):
        """Shorts above the knees, trousers below."""
        for length, knees in ((11, False), (28, True)):
            found = laid(standing(), ("bottom",), packshot(((2, 2 + length), (7, 17), RED), size=(32, 24)))
            assert found[pixel(0.1875, 1.125)].any() and found[pixel(0.1875, 1.8125)].any() == knees

    def test_a_sleeve_lies_over_the_arm_and_the_first_part_on_top(self):
        """A forearm in front of the trunk; sleeves are red, and the trunk is blue."""
        trunk, shoulders = ((2, 28), (7, 17), BLUE), ((2, 6), (0, 24), RED)
        sleeves = ((2, 26), (0, 4), RED), ((2, 26), (20, 24), RED)
        shirt = packshot(shoulders, *sleeves, trunk, size=(32, 24))
        bent = standing(left_elbow=(0.5, 0.5), left_wrist=(0, 0.5))
        np.testing.assert_allclose(laid(bent, ("top",), shirt)[pixel(0.25, 0.5)], RED, atol=1e-5)
        np.testing.assert_allclose(laid(standing(), ("top",), shirt)[pixel(0.25, 0.5)], BLUE, atol=1e-5)
        raised = standing(right_elbow=(-0.75, 0), right_wrist=(-1.25, 0))
        np.testing.assert_allclose(laid(raised, ("top",), shirt)[pixel(-1, 0)], RED, atol=1e-5)
        assert not laid(standing(), ("top",), shirt)[pixel(-1, 0)].any()

    def test_the_right_foot_lies_on_top_where_two_overlap(self):
        """It shows the right half of the picture where the left one shows the left half."""
        shoes = packshot(((0, 32), (0, 12), RED), ((0, 32), (12, 24), BLUE), size=(32, 24))
        feet = standing(right_ankle=(-0.125, 2.5), left_ankle=(0.125, 2.5))
        np.testing.assert_allclose(laid(feet, ("shoes",), shoes)[pixel(0, 2.5)], BLUE, atol=1e-5)
        left = without(feet, "right_ankle")
        np.testing.assert_allclose(laid(left, ("shoes",), shoes)[pixel(0, 2.5)], RED, atol=1e-5)

    def test_pictures_of_more_pixels_than_show_are_averaged(self):
        rng = np.random.default_rng(1)
        fine = packshot(size=(128, 96))
        fine[8:120, 24:72] = rng.uniform(-1, 0.5, (112, 48, 3))
        coarse = fine.reshape(32, 4, 24, 4, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(laid(standing(), ("top",), fine), laid(standing(), ("top",), coarse), atol=1e-5)

    def test_a_mirrored_entry_has_mirrored_maps(self):
        rng = np.random.default_rng(2)
        pictures = []
        for rows, columns in (((2, 31), (7, 20)), ((1, 28), (4, 17)), ((0, 32), (8, 18)), ((3, 30), (5, 16))):
            picture = packshot(size=(32, 24))
            picture[slice(*rows), slice(*columns)] = rng.uniform(-1, 0.5, (*np.ptp([rows, columns], axis=1), 3))
            pictures.append(picture)
        pictures = np.stack(pictures)
        slots = SLOTS[:4]  # Feet and hands overlap in an order, right before left; so do thighs that touch.
        apart = dict(right_hip=(-0.3, 1), right_knee=(-0.4, 1.8), left_hip=(0.3, 1), left_knee=(0.4, 1.8))
        pose = standing(right_elbow=(-0.8, 0.1), right_wrist=(-1.2, -0.4), pelvis=(0.1, 1.1), **apart)
        whole = laid(pose, slots, *pictures)
        flipped = laid(np.float32(mirror(pose)), slots, *pictures[:, :, ::-1])
        assert all((whole[..., 3 * slot : 3 * slot + 3] != 0).sum() > 500 for slot in range(4))
        np.testing.assert_allclose(flipped[:, ::-1], whole, atol=2e-4)

    @pytest.mark.parametrize(
        "slot, hidden, there",
        [
            ("top", ("thorax", "shoulder"), False),
            ("dress", ("pelvis", "hip"), False),
            ("hat", ("pelvis", "hip"), False),
            ("top", ("wrist", "elbow"), True),
            ("bottom", ("knee", "ankle"), True),
            ("shoes", ("right_ankle",), True),
            ("shoes", ("ankle",), False),
        ],
    )
    def test_it_is_finite_without_joints(self, slot, hidden, there):
        found = laid(without(standing(), *hidden), (slot,), packshot(((2, 30), (5, 19), RED), size=(32, 24)))
        assert np.isfinite(found).all() and found.any() == there

    def test_a_missing_article_leaves_no_trace(self):
        red = packshot(((2, 30), (5, 19), RED), size=(32, 24))
        found = laid(standing(), SLOTS, *[np.zeros_like(red) if slot == "dress" else red for slot in SLOTS])
        assert found.reshape(*SIZE, 6, 3).any(axis=(0, 1, 3)).tolist() == [slot != "dress" for slot in SLOTS]


def test_sampling_is_bilinear_with_nothing_outside():
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (2, 5, 4, 3)).astype(np.float32)
    u, v = (rng.uniform(-0.2, 1.2, (2, 6, 7)).astype(np.float32) for _ in range(2))
    u[0, 0, 0] = math.nan
    expected = np.zeros((2, 6, 7, 3))
    for n, row, column in np.ndindex(2, 6, 7):
        a, b = u[n, row, column], v[n, row, column]
        if 0 <= a <= 1 and 0 <= b <= 1:
            x, y = np.clip(a * 4 - 0.5, 0, 3), np.clip(b * 5 - 0.5, 0, 4)
            left, top = min(int(x), 2), min(int(y), 3)
            for dy, dx in np.ndindex(2, 2):
                weight = abs(1 - dx - (x - left)) * abs(1 - dy - (y - top))
                expected[n, row, column] += weight * images[n, top + dy, left + dx]
    np.testing.assert_allclose(warp(images, u, v), expected, atol=1e-5)
