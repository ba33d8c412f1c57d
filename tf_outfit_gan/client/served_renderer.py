"""Pictures of a server as `inference.Renderer` draws them here."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tf_outfit_gan.client.client import Client
from tf_outfit_gan.outfit_request import Request

# Requests that wait for the server at the same time: so that it has work while others are encoded and decoded.
IN_FLIGHT = 4


class ServedRenderer:
    """Asks a server for pictures, each with a request of its own.

    Args:
        client: of the server.

    Attributes:
        batch_size: how many pictures to ask `pictures` for at a time.
    """

    batch_size = 4 * IN_FLIGHT

    def __init__(self, client: Client) -> None:
        self._client = client

    def pictures(self, requests: Sequence[Request | None], seeds: Sequence[int], psi: float) -> np.ndarray:
        """The pictures of N requests, each with its seed, uint8 [N, H, W, 3]; a request is None for an unconditional model."""

        def draw(request: Request | None, seed: int) -> np.ndarray:
            return self._client.render(request, int(seed), psi)[0]

        with ThreadPoolExecutor(IN_FLIGHT) as threads:
            return np.stack(list(threads.map(draw, requests, seeds)))
