"""Style vectors of pictures with all else that is needed to draw them: what a model and a client give and take."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.util.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Styles:
    """Pictures before they are drawn: what `styles` returns and `synthesize` draws, of a `Model` or a `Client`.

    A picture needs more than w: its seed gives the noise and, in models whose conditions also enter as maps, its outfit
    and pose enter at every level. They travel along here, so that no picture can be drawn with those of another.

    Attributes:
        w: style vectors by layer, float32 [N, L, D].
        seeds: the N seeds.
        outfit: articles and pose of all N pictures; None for an unconditional model.
    """

    w: np.ndarray
    seeds: tuple[int, ...]
    outfit: Request | None

    def with_w(self, w: np.ndarray) -> "Styles":
        """The same pictures with other style vectors, [N, L, D]; raises `UserError` for another shape."""
        w = np.asarray(w, np.float32)
        if w.shape != self.w.shape:
            raise UserError(f"w: expected style vectors {list(self.w.shape)}, got shape {list(w.shape)}")
        return dataclasses.replace(self, w=w)

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> "Styles":
        """Some of the pictures, by a slice or a list of row numbers; [[0] * 9] repeats the first one nine times."""
        chosen = np.arange(len(self))[rows].reshape(-1)
        return dataclasses.replace(self, w=self.w[chosen], seeds=tuple(self.seeds[row] for row in chosen))

    def __len__(self) -> int:
        return len(self.seeds)
