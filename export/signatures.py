"""The questions that an exported model answers: encoded photos and numbers in, encoded pictures out.

`docs/serving.md` lists them for clients. Inputs are checked in the graph, see `request_checks`; every check is a control
dependency of what follows. What several signatures need is traced once, and they call it: a server plans the operations of
each signature anew, and takes half a second for a thousand of them.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import tensorflow as tf

from export.limits import Limits
from export.request_checks import Inputs, condition_problems, number_problems, of_side, row_count_checks
from tf_outfit_gan import pixels
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.images.decode_in_graph import article_headers, decode_checked, first_of, first_problem
from tf_outfit_gan.images.header_in_graph import NO_KIND, ends_whole
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.snapshot import Snapshot

JPEG_QUALITY = 95
PREVIEW_HALVINGS = 2
DESCRIBE = "describe"
# The signature whose rows fail one by one: for servers that put requests of several clients into one batch.
STATUS = "render_status"
# Names that clients know from earlier exports, by signature.
ALIASES = {"transfer": "style_mix"}
UNCONDITIONAL_ALIASES = ALIASES | {"serving_default": "generate_unconditional"}

CONDITIONS = ("article_images_bytes", "keypoints")
SIDES = ("source", "target")

Signature: TypeAlias = tf.types.experimental.ConcreteFunction
Endpoint = Callable[[Inputs], Inputs]


def make_signatures(snapshot: Snapshot, limits: Limits, description: Mapping[str, object]) -> dict[str, Signature]:
    """The signatures of a snapshot's model by name, as traced functions without their `ALIASES`.

    Images leave as strings in an output whose name ends in `_bytes`, which is how TF Serving's REST API knows to encode
    them. All outputs have a row for each row of the inputs, as a server's batching demands.

    Args:
        snapshot: the `Snapshot`.
        limits: `Limits`.
        description: what `describe` answers, a JSON object.
    """
    return _Signatures(snapshot, limits).by_name() | {DESCRIBE: _description(description)}


def aliases(conditional: bool) -> dict[str, str]:
    """Other names of signatures, by signature."""
    return ALIASES if conditional else UNCONDITIONAL_ALIASES


def preview_level(snapshot: Snapshot) -> int:
    """The level that `preview` draws: a quarter of the height, or the next larger one that was ever trained to be shown.

    The layer that shows a level starts with biases of zero, and training moves them. With skips it shows only what the level
    adds, and nothing below the highest level is meant to be seen.
    """
    if snapshot.config.skips:
        return snapshot.level
    for level in range(max(0, snapshot.level - PREVIEW_HALVINGS), snapshot.level):
        if np.any(snapshot.generator.synthesis.levels[level].to_rgb.bias.numpy()):
            return level
    return snapshot.level


def map_inputs(config: ModelConfig) -> tuple[str, ...]:
    """The conditions that `synthesize` takes beside w: those that enter the picture as maps.

    A condition without an effect is no input. Articles in maps need the pose, over which they are laid.
    """
    maps = config.generator_maps
    names = {"article_images_bytes": maps["worn"], "keypoints": maps["pose"] or maps["worn"]}
    return tuple(name for name, enters in names.items() if enters)


class _SharedSampler(Sampler):
    """A `Sampler` whose methods are traced once for all signatures that call them."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        for name in ("style_vectors", "condition_maps", "draw"):
            setattr(self, name, tf.function(getattr(self, name), autograph=False))


class _Signatures:
    """Traces the signatures of one snapshot."""

    def __init__(self, snapshot: Snapshot, limits: Limits) -> None:
        self._config, self._limits = snapshot.config, limits
        self._sampler = _SharedSampler(snapshot)
        low = preview_level(snapshot)
        stable = dataclasses.replace(snapshot, level=low, alpha=1.0)
        self._low_sampler = self._sampler if low == snapshot.level else _SharedSampler(stable)
        self._read = tf.function(self._read_conditions, autograph=False)
        self._decode = tf.function(self._decode_articles, autograph=False)

    def by_name(self) -> dict[str, Signature]:
        conditions = CONDITIONS if self._config.conditional else ()
        request = (*conditions, "seed", "truncation_psi")
        sides = tuple(f"{side}_{name}" for side in SIDES for name in (*conditions, "seed"))
        mix = (*sides, "layer_begin", "layer_end", "truncation_psi")
        return {
            "serving_default": self._trace(request, lambda given: _png(self._render(given)) | {"seed": given["seed"]}),
            "render_jpeg": self._trace(request, lambda given: _jpeg(self._render(given))),
            STATUS: self._trace_by_row(request, lambda given: _png(self._render(given))),
            "preview": self._trace(request, lambda given: _png(self._preview(given))),
            "style": self._trace(request, lambda given: {"w": self._styles(given)}),
            "synthesize": self._trace(("w", *map_inputs(self._config), "seed"), lambda given: _png(self._synthesize(given))),
            "transfer": self._trace(mix, lambda given: _png(self._transfer(given))),
        }

    # What the signatures compute, of checked inputs: articles are decoded.

    def _styles(self, given: Inputs) -> tf.Tensor:
        w = self._sampler.style_vectors(given["seed"], *_conditions(given), given["truncation_psi"])
        return w[:, : self._sampler.num_layers]

    def _synthesize(self, given: Inputs) -> tf.Tensor:
        return self._draw(self._sampler, given["w"], given)

    def _render(self, given: Inputs) -> tf.Tensor:
        return self._draw(self._sampler, self._styles(given), given)

    def _preview(self, given: Inputs) -> tf.Tensor:
        return self._draw(self._low_sampler, self._styles(given), given)

    def _draw(self, sampler: Sampler, w: tf.Tensor, given: Inputs) -> tf.Tensor:
        maps = sampler.condition_maps(*_conditions(given)) if map_inputs(self._config) else None
        return sampler.draw(w, given["seed"], maps)

    def _transfer(self, given: Inputs) -> tf.Tensor:
        source, target = ((given[f"{side}_seed"], *_conditions(given, f"{side}_")) for side in SIDES)
        return self._sampler.transfer(source, target, (given["layer_begin"], given["layer_end"]), given["truncation_psi"])

    # Checks before what they compute.

    def _trace(self, names: tuple[str, ...], function: Endpoint) -> Signature:
        """A signature that refuses a request for its first bad row."""

        def signature(inputs: Inputs) -> Inputs:
            inputs = self._counted(inputs)
            problems, headers = self._problems(inputs)
            good = tf.debugging.Assert(tf.reduce_all(problems == b""), [first_problem(problems)])
            with tf.control_dependencies([good]):
                given = {name: tf.identity(value) for name, value in inputs.items()}
            return function(self._decoded(given, headers))

        return self._traced(names, signature)

    def _trace_by_row(self, names: tuple[str, ...], function: Endpoint) -> Signature:
        """A signature that says of each row in `status` what is wrong with it; a bad row has empty outputs.

        In its place an empty outfit is drawn, with which nothing is wrong. An article that is damaged behind a good header
        and before a good end still fails the request: no operation catches a decoder's error.
        """

        def signature(inputs: Inputs) -> Inputs:
            inputs = self._counted(inputs)
            problems, headers = self._problems(inputs)
            if "article_images_bytes" in inputs:
                problems = first_of([problems, *self._cut_off(inputs["article_images_bytes"], headers)])
            good = problems == b""
            given = {name: _zero_where_bad(good, value) for name, value in inputs.items()}
            if headers is not None:
                of_row = tf.repeat(good, len(self._config.slots))
                headers = headers._replace(kind=tf.where(of_row, headers.kind, NO_KIND))
            outputs = function(self._decoded(given, headers))
            return {name: tf.where(good, value, "") for name, value in outputs.items()} | {"status": problems}

        return self._traced(names, signature)

    def _traced(self, names: tuple[str, ...], signature: Endpoint) -> Signature:
        specs = {name: self._spec(name) for name in names}
        return tf.function(signature, input_signature=[specs], autograph=False).get_concrete_function()

    def _spec(self, name: str) -> tf.TensorSpec:
        shape, dtype = {
            "article_images_bytes": ([None, len(self._config.slots)], tf.string),
            "keypoints": ([None, NUM_JOINTS, 3], tf.float32),
            "seed": ([None], tf.int64),
            "truncation_psi": ([None], tf.float32),
            "layer_begin": ([None], tf.int32),
            "layer_end": ([None], tf.int32),
            "w": ([None, self._sampler.num_layers, self._config.style_dim], tf.float32),
        }[name.removeprefix("source_").removeprefix("target_")]
        return tf.TensorSpec(shape, dtype, name)

    def _counted(self, inputs: Inputs) -> Inputs:
        """Inputs of the shapes that they must have, and of equal, allowed numbers of rows."""
        inputs = {name: tf.ensure_shape(value, self._spec(name).shape) for name, value in inputs.items()}
        with tf.control_dependencies(row_count_checks(inputs, self._limits)):
            return {name: tf.identity(value) for name, value in inputs.items()}

    def _problems(self, inputs: Inputs) -> tuple[tf.Tensor, tf.Tensor | None]:
        """(what is wrong with each row, string [N], and the `Headers` of all articles or None).

        The two sides of a transfer are read as one batch, the source's rows first.
        """
        problems, headers = number_problems(inputs, self._sampler.num_layers), None
        articles, keypoints = (_both_sides(inputs, name) for name in CONDITIONS)
        if keypoints is not None:
            found, headers = self._read(articles, keypoints)
            if "keypoints" in inputs:
                problems.append(found)
            else:
                problems += [of_side(side, part) for side, part in zip(SIDES, tf.split(found, 2))]
        return first_of(problems), headers

    def _read_conditions(self, articles: tf.Tensor | None, keypoints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        headers = None if articles is None else article_headers(articles)
        return condition_problems(articles, headers, keypoints, self._config, self._limits), headers

    def _cut_off(self, articles: tf.Tensor, headers: tf.Tensor) -> list[tf.Tensor]:
        whole = tf.reshape(ends_whole(tf.reshape(articles, [-1]), headers.kind), [-1, len(self._config.slots)])
        return [
            tf.where(is_whole, "", f"article {slot} is damaged: its end is missing")
            for slot, is_whole in zip(self._config.slots, tf.unstack(whole, axis=1))
        ]

    def _decoded(self, given: Inputs, headers: tf.Tensor | None) -> Inputs:
        """Inputs whose articles are tensors."""
        articles = _both_sides(given, "article_images_bytes")
        if articles is None:
            return given
        decoded = self._decode(articles, headers)
        if "article_images_bytes" in given:
            return given | {"article_images_bytes": decoded}
        return given | {f"{side}_article_images_bytes": part for side, part in zip(SIDES, tf.split(decoded, 2))}

    def _decode_articles(self, articles: tf.Tensor, headers: tf.Tensor) -> tf.Tensor:
        return decode_checked(articles, headers, self._config.condition_size)


def _conditions(given: Inputs, side: str = "") -> tuple[tf.Tensor | None, tf.Tensor | None]:
    """(articles, keypoints) of one side of a request; None for what the signature does not have."""
    articles, keypoints = (given.get(f"{side}{name}") for name in CONDITIONS)
    return articles, keypoints


def _both_sides(inputs: Inputs, name: str) -> tf.Tensor | None:
    """An input, or those of the two sides of a transfer one after the other; None if there is neither."""
    if name in inputs:
        return inputs[name]
    parts = [inputs[f"{side}_{name}"] for side in SIDES if f"{side}_{name}" in inputs]
    return tf.concat(parts, axis=0) if parts else None


def _zero_where_bad(good: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """A value of an input whose bad rows are zeros, or empty strings."""
    return tf.where(tf.reshape(good, [-1] + [1] * (len(value.shape) - 1)), value, tf.zeros_like(value))


def _png(picture: tf.Tensor) -> Inputs:
    """[N, H, W, 3] -> string [N]. The default compression takes ten times as long, for a fifth fewer bytes."""
    return {"image_bytes": tf.io.encode_png(pixels.to_uint8(picture), compression=1)}


def _jpeg(picture: tf.Tensor) -> Inputs:
    encoded = tf.map_fn(
        lambda image: tf.io.encode_jpeg(image, quality=JPEG_QUALITY),
        pixels.to_uint8(picture),
        fn_output_signature=tf.TensorSpec([], tf.string),
    )
    return {"image_bytes": encoded}


def _description(description: Mapping[str, object]) -> Signature:
    """The signature `describe`: asked for a member of the description by name, or for all by an empty one, it answers in JSON.

    TF Serving's metadata has the inputs' shapes and not what they mean.
    """
    texts = {"": json.dumps(description)} | {name: json.dumps(member) for name, member in description.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "what")], autograph=False)
    def describe(what: tf.Tensor) -> Inputs:
        asked = what[:, None] == tf.constant(list(texts))  # [N, members]
        known = tf.debugging.Assert(
            tf.reduce_all(tf.reduce_any(asked, axis=1)), [f"what: expected one of {', '.join(description)}, or nothing for all"]
        )
        with tf.control_dependencies([known]):
            answers = tf.gather(tf.constant(list(texts.values())), tf.argmax(asked, axis=1))
        return {"description_bytes": answers, "what": tf.identity(what)}

    return describe.get_concrete_function()
