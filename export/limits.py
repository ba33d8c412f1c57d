"""How much one request may ask for: a server shares its memory and its time between all of them."""

import dataclasses

from tf_outfit_gan.util.errors import UserError

# A large picture takes as much memory as many small ones: as many rows as have the pixels of eight at 1024x768 together.
_PIXELS, _MOST_ROWS = 8 * 1024 * 768, 64
MAX_ARTICLE_PIXELS = 2**25  # 33.5 million: six photos of a good five megapixels each, or one of a fine camera.


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the exported graph refuses to exceed.

    max_rows: pictures of one request, and of one batch that a server makes of several requests.
    max_article_pixels: the articles of one row together, each filled up with white to the model's aspect, as it is in
        memory. By row and not by request: in a server's batch, one stranger's photos must not use up another's limit.
    """

    max_rows: int
    max_article_pixels: int = MAX_ARTICLE_PIXELS

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if value < 1:
                raise UserError(f"--{name.replace('_', '-')} {value}: expected 1 or more")

    @classmethod
    def of_size(cls, size, max_rows=None, max_article_pixels=None):
        """The limits of a model of pictures of a (height, width), where nothing else is asked for."""
        height, width = size
        default = min(_MOST_ROWS, max(1, _PIXELS // (height * width)))
        return cls(default if max_rows is None else max_rows,
                   MAX_ARTICLE_PIXELS if max_article_pixels is None else max_article_pixels)
