"""Draws the pictures that are measured by asking a server, TF Serving or `outfit-gan serve`."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tf_outfit_gan.metrics.article_encoding import encode_articles
from tf_outfit_gan.outfit_request import Request

# Requests that wait for the server at the same time: so that it has work while others are encoded and decoded.
IN_FLIGHT = 4


class ServedSampler:
    """Draws pictures of a served model, without truncation; every picture is a request of its own.

    Args:
        client: a `Client` of the server.
    """

    def __init__(self, client):
        self._client = client

    def __call__(self, seeds, articles=None, keypoints=None):
        """Pictures uint8 [N, H, W, 3] of seeds int64 [N], articles [N, S, h, w, 3] and keypoints [N, K, 3]."""
        outfits = [None] * len(seeds)
        if articles is not None:
            files = (dict(zip(self._client.slots(), row)) for row in encode_articles(np.asarray(articles)))
            outfits = [
                Request("an entry", {slot: file for slot, file in row.items() if file}, np.asarray(pose))
                for row, pose in zip(files, keypoints)
            ]

        def draw(seed, outfit):
            return self._client.render(outfit, int(seed), psi=1.0)[0]

        with ThreadPoolExecutor(IN_FLIGHT) as threads:
            return np.stack(list(threads.map(draw, seeds, outfits)))
