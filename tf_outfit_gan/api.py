"""A model from Python: load a snapshot, draw outfits, look into their style vectors, transfer color and pose."""

import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.outfit_request import OutfitLike, PoseLike, Request, check_layers, check_psi, check_seeds, read_request
from tf_outfit_gan.picture_styles import Styles
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import Place


def load(path: Place = snapshots.SHIPPED) -> "Model":
    """Loads a model; this imports TensorFlow, which takes seconds.

    Args:
        path: a snapshot folder, or a run folder, which means its newest snapshot, here or, as a URL, in a bucket;
            without it, the shipped model.

    Raises:
        UserError: when there is no snapshot or it cannot be read, or when Keras runs on another backend.
    """
    # A wrong path is an error before TensorFlow is imported; and a run may write a newer snapshot meanwhile.
    path = snapshots.newest(path)
    snapshots.read(path)
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # Whatever ~/.keras/keras.json says.
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"Keras was imported with the backend {keras.backend.backend()}, but these networks need "
            "TensorFlow: set KERAS_BACKEND=tensorflow before the first import of keras"
        )
    return Model(snapshots.load(path), snapshots.transfer_split(path))


class Model:
    """A loaded generator.

    One seed is one picture: it does not depend on the other seeds of a call, and is the one that `outfit-gan render` and
    a served export draw. Every method raises `UserError` for a mistake in what it is given.

    Arguments of its methods:
        outfit: an outfit.json's path, "DATA:ID", a dict of what such a file holds, or a dict of articles by slot, which
            may be paths, bytes, Pillow images or arrays: see `outfit_request`. Left out for an unconditional model.
        seeds: one integer, or several.
        psi: truncation: 0 = the average picture, 1 = full variety. None = 1 for a conditional model, 0.7 for another.
        pose: instead of the outfit's own: a file of keypoints, another outfit.json, "DATA:ID", {"format", "points",
            "size"}, or an array [16, 3] of x in widths, y in heights, and 1 = there, 0 = not there.

    Attributes:
        config: the `ModelConfig`.
        generator: the network, a `keras.Model`.
        num_layers: L, the style layers that its pictures read, two a level.
        size: (height, width) of its pictures.
    """

    def __init__(self, snapshot: snapshots.Snapshot, transfer_split: int | None = None) -> None:
        from tf_outfit_gan.inference import Renderer

        self.config, self.num_layers, self.size = snapshot.config, snapshot.num_layers, snapshot.size
        self.generator = snapshot.generator
        self._name, self._transfer_split, self._renderer = snapshot.name, transfer_split, Renderer(snapshot)

    def __repr__(self) -> str:
        kind = f"slots {', '.join(self.config.slots)}" if self.config.conditional else "unconditional"
        return f"<Model {self._name}: {format_size(self.size)}, {kind}>"

    def render(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> np.ndarray:
        """Draws a picture a seed, uint8 [N, H, W, 3]."""
        request, rows, psi = self._question(outfit, seeds, psi, pose)
        return np.stack([self._renderer.picture(request, seed, psi) for seed in rows])

    def styles(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> Styles:
        """The style vectors of what `render` would draw, and all else that is needed to draw it."""
        request, rows, psi = self._question(outfit, seeds, psi, pose)
        w = np.stack([self._renderer.styles(request, seed, psi) for seed in rows])
        return Styles(w, tuple(rows), request)

    def synthesize(self, styles: Styles) -> np.ndarray:
        """Draws what `styles` returned, uint8 [N, H, W, 3]; to edit it in between, see `Styles.with_w`.

        Kernels may sum in another order than in `render`: up to one step of 255, in a pixel of a thousand.
        """
        if not isinstance(styles, Styles):
            raise UserError(
                f"expected what model.styles(...) returns, got {type(styles).__name__}; "
                "to draw other style vectors: model.synthesize(styles.with_w(w))"
            )
        expected = [self.num_layers, self.config.style_dim]
        if list(styles.w.shape[1:]) != expected or (styles.outfit is None) == self.config.conditional:
            raise UserError(
                f"these styles are of another model: expected w [N, {expected[0]}, {expected[1]}] "
                f"{'with' if self.config.conditional else 'without'} an outfit, got {list(styles.w.shape)} "
                f"{'without' if styles.outfit is None else 'with'} one"
            )
        if not len(styles):
            raise UserError("expected the styles of one picture at least, got none")
        return np.stack([self._renderer.draw(w, styles.outfit, seed) for w, seed in zip(styles.w, styles.seeds)])

    def transfer(
        self,
        source: OutfitLike | int,
        target: OutfitLike | int,
        what: str,
        *,
        seed: int | None = None,
        psi: float | None = None,
        layers: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """The target's picture with the color or the pose of the source's, uint8 [H, W, 3] (1908.08847, section 4.1).

        The style vectors of some layers come from the source. Where conditions also enter as maps, see `Sampler.transfer`.

        Args:
            source: an outfit; a seed for an unconditional model.
            target: the same.
            what: "color" or "pose", which says the layers: those that `outfit-gan evaluate --metrics transfer` found
                for this snapshot, or else the paper's.
            seed: of both pictures, 1 if left out; for a conditional model only.
            psi: as above.
            layers: (begin, end), other layers to copy, from 0, the end not included: --layers 13-18 is (12, 18).
        """
        from tf_outfit_gan.styles import transfer_layers

        found = transfer_layers(what, self.num_layers, self._transfer_split)
        layers = found if layers is None else check_layers(layers, self.num_layers)
        if seed is not None and not self.config.conditional:
            raise UserError("this model is unconditional: source and target are seeds; leave out seed")

        def read(side: OutfitLike | int) -> tuple[Request | None, int]:
            """(`Request`, seed) of an outfit, or of a seed where there are no outfits."""
            outfit, side_seed = (side, 1 if seed is None else seed) if self.config.conditional else (None, side)
            request, [side_seed], _ = self._question(outfit, [side_seed], psi)
            return request, side_seed

        (source_request, source_seed), (target_request, target_seed) = read(source), read(target)
        psi = check_psi(psi, self.config.conditional)
        return self._renderer.transfer(source_request, target_request, source_seed, target_seed, psi, layers)

    def _question(
        self, outfit: Any, seeds: Any, psi: float | None, pose: PoseLike | None = None
    ) -> tuple[Request | None, list[int], float]:
        """(`Request` or None, seeds, psi), read and checked."""
        seeds, psi = check_seeds(seeds), check_psi(psi, self.config.conditional)
        if not self.config.conditional:
            if outfit is not None or pose is not None:
                raise UserError("this model is unconditional: it draws from seeds alone; leave out outfit and pose")
            return None, seeds, psi
        if outfit is None:
            raise UserError("this model is conditional: expected an outfit, such as the path of an outfit.json")
        return read_request(outfit, self.config.condition_size, pose, self.config.slots).checked(), seeds, psi
