"""Draws the pictures that are measured: without truncation, and through 8 bits, as the photos came."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.pixels import to_uint8
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.util.errors import UserError


class ParallelSampler:
    """Draws pictures of a snapshot for metrics, on all GPUs, or on one processor where there are none.

    Args:
        path: the snapshot's, for errors.
        snapshot: the `Snapshot`.
        devices: names of the devices that share each batch; None for all of them.

    Raises:
        UserError: where a picture is not finite, which rounding to 8 bits would hide.
    """

    def __init__(self, path, snapshot, devices=None):
        self._path, config = path, snapshot.config
        found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")[:1]
        self._devices = devices or [device.name for device in found]
        sampler = self.on_one_device = Sampler(snapshot)
        self.request = [tf.TensorSpec([None], tf.int64)]  # Seeds, and the conditions where there are some.
        if config.conditional:
            self.request += [
                tf.TensorSpec([None, len(config.slots), *config.condition_size, 3], tf.float32),
                tf.TensorSpec([None, NUM_JOINTS, 3], tf.float32),
            ]

        def checked(pictures):
            return to_uint8(pictures), tf.reduce_all(tf.math.is_finite(pictures))

        @tf.function(input_signature=self.request)
        def draw(*request):
            return checked(sampler.picture(*request))

        layer = tf.TensorSpec([], tf.int32)

        @tf.function(input_signature=[self.request, self.request, layer])
        def transfer(upper, lower, split):
            return checked(sampler.transfer(upper, lower, (split, sampler.num_layers)))

        self._draw, self._transfer = draw, transfer

    def __call__(self, seeds, articles=None, keypoints=None):
        """Pictures uint8 [N, H, W, 3] of seeds int64 [N], articles [N, S, h, w, 3] and keypoints [N, K, 3]."""
        request = [seeds] if articles is None else [seeds, articles, keypoints]
        shares = np.array_split(np.arange(len(seeds)), min(len(seeds), len(self._devices)))

        def draw(device, rows):
            with tf.device(device):
                return self._whole(*self._draw(*(value[rows[0] : rows[-1] + 1] for value in request)))

        with ThreadPoolExecutor(len(shares)) as threads:
            return np.concatenate(list(threads.map(draw, self._devices, shares)))

    def transfer(self, upper, lower, split):
        """Pictures whose layers from `split` on come from the requests `upper`, all else from `lower`.

        A request is (seeds, articles, keypoints), each as above.
        """
        return self._whole(*self._transfer(list(upper), list(lower), split))

    def _whole(self, pictures, finite):
        if not finite:
            raise UserError(f"{self._path}: draws pictures that are not finite; choose an earlier snapshot")
        return pictures.numpy()
