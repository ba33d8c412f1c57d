"""Articles are shown as the model sees them."""

import io

import numpy as np
from PIL import Image

from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.conditions import wardrobe


def _shown(article):
    """The cell of the first slot, 64x48, with this article."""
    data = io.BytesIO()
    article.save(data, "PNG")
    sheet = wardrobe(Request("outfit", {SLOTS[0]: data.getvalue()}, None), SLOTS, (128, 96))
    return np.asarray(sheet)[:64, :48]


def test_a_transparent_article_is_shown_on_white():
    article = Image.new("RGBA", (48, 64))
    article.paste((200, 30, 40, 255), (12, 16, 36, 48))
    shown = _shown(article)
    np.testing.assert_array_equal(shown[4, 4], (255, 255, 255))
    np.testing.assert_array_equal(shown[32, 24], (200, 30, 40))


def test_an_article_of_another_aspect_is_padded_and_not_stretched():
    article = Image.new("RGB", (96, 48), (250, 250, 250))
    article.paste((200, 30, 40), (36, 12, 60, 36))  # A square: 12 pixels a side, as it is shown.
    red = _shown(article)[..., 1] < 128
    assert (np.ptp(np.flatnonzero(red.any(axis=1))), np.ptp(np.flatnonzero(red.any(axis=0)))) == (11, 11)
