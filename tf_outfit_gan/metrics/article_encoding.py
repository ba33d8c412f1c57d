"""Articles of a data set as the PNG files that exported and served models take: lossless, so the pictures stay the same."""

from tf_outfit_gan.images.article_bytes import article_bytes
from tf_outfit_gan.pixels import array_to_uint8


def encode_articles(articles):
    """Encodes articles float32 [N, S, h, w, 3] in [-1, 1]: a list of N lists of S files' bytes, b"" for a missing one.

    A missing article is 0 throughout; no pixel of another one is.
    """
    return [[article_bytes(array_to_uint8(article)) if article.any() else b"" for article in row] for row in articles]
