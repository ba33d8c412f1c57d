"""Draws pictures in batches, here or on a server."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

import numpy as np

from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.rendering.plan import Picture
from tf_outfit_gan.util.errors import UserError


class BatchRenderer(Protocol):
    """What draws a batch: `inference.Renderer`, or `client.served_renderer.ServedRenderer`."""

    batch_size: int

    def pictures(self, requests: list[Request | None], seeds: list[int], psi: float) -> np.ndarray:
        """Pictures uint8 [N, H, W, 3]; raises `UserError` for an article that cannot be decoded."""


def draw(
    renderer: BatchRenderer, pictures: Iterable[Picture], psi: float, faults: list[str]
) -> Iterator[list[tuple[Picture, np.ndarray]]]:
    """Yields batches of (picture, uint8 [H, W, 3]).

    Args:
        faults: where the reasons are added for which pictures are left out.
    """
    waiting = iter(pictures)
    while batch := list(islice(waiting, renderer.batch_size)):
        try:
            yield _drawn(renderer, batch, psi)
        except UserError:  # One of them is at fault: the others are drawn all the same.
            for picture in batch:
                try:
                    yield _drawn(renderer, [picture], psi)
                except UserError as error:
                    faults.append(f"{picture.caption}: {error}")


def _drawn(renderer: BatchRenderer, batch: list[Picture], psi: float) -> list[tuple[Picture, np.ndarray]]:
    drawn = renderer.pictures([picture.request for picture in batch], [picture.seed for picture in batch], psi)
    return list(zip(batch, drawn))
