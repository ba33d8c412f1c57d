"""How much one request may ask for: a server shares its memory and its time between all of them."""

import dataclasses

# A large picture takes as much memory as many small ones: as many rows as have the pixels of eight at 1024x768 together.
_PIXELS, _MOST_ROWS = 8 * 1024 * 768, 64
MAX_ARTICLE_PIXELS = 2**25  # 33.5 million: six photos of a good five megapixels each, or one of a fine camera.


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the exported graph refuses to exceed.

    max_rows: pictures of one request, and of one batch that a server makes of several requests.
    max_article_pixels: the articles of one row together, each filled up with white to the model's aspect, as it is in
        memory. By row and not by request: in a server's batch, the photos of one client must not use up the limit of another.
    """

    max_rows: int
    max_article_pixels: int = MAX_ARTICLE_PIXELS

    @classmethod
    def of_size(
        cls, size: tuple[int, int], max_rows: int | None = None, max_article_pixels: int = MAX_ARTICLE_PIXELS
    ) -> "Limits":
        """The limits of a model of pictures of a (height, width); max_rows: None = what its size suggests."""
        height, width = size
        return cls(max_rows or min(_MOST_ROWS, max(1, _PIXELS // (height * width))), max_article_pixels)
