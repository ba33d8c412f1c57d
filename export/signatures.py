"""The questions that an exported model answers: encoded photos and numbers in, PNG bytes out.

Inputs are checked in the graph, because a server does not check the shapes that it is fed: what is wrong comes back to
the client as INVALID_ARGUMENT with a sentence. Every check is a control dependency of what follows.
"""

import functools
import inspect
import json
from collections.abc import Callable

import tensorflow as tf

from tf_outfit_gan import pixels
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.snapshot import Snapshot

PSI_RANGE = (0, 2)
DESCRIBE = "describe"

Outputs = dict[str, tf.Tensor]
Endpoint = Callable[..., Outputs]


def make_signatures(sampler: Sampler) -> dict[str, tuple[Endpoint, list[tf.TensorSpec]]]:
    """The signatures of a model by name: (function, list of its `TensorSpec`s).

    Images leave as strings in an output whose name ends in `_bytes`, which is how TF Serving's REST API knows to encode
    them. Layers are 0-based and half-open; `style_mix` draws with the noise of the target.
    """
    functions = _conditional(sampler) if sampler.config.conditional else _unconditional(sampler)
    return {name: _checked(function, sampler) for name, function in functions.items()}


def make_description(snapshot: Snapshot) -> tuple[Endpoint, list[tf.TensorSpec]]:
    """The signature `describe` of a model: (function, list of its `TensorSpec`s).

    TF Serving's metadata has the inputs' shapes and not what they mean. Asked for one of the model's facts by name, it
    answers in JSON: slots, condition_size, conditional, and size, that of the pictures: a growing model has not its last one.
    """
    config = snapshot.config
    facts = {name: json.dumps(getattr(config, name)) for name in ("slots", "condition_size", "conditional")}
    facts["size"] = json.dumps(snapshot.size)

    def describe(what: tf.Tensor) -> Outputs:
        asked = what[:, None] == tf.constant(list(facts))  # [N, facts]
        known = tf.debugging.Assert(tf.reduce_all(tf.reduce_any(asked, axis=1)), [f"what: expected one of {', '.join(facts)}"])
        with tf.control_dependencies([known]):
            answers = tf.gather(tf.constant(list(facts.values())), tf.argmax(asked, axis=1))
        return {"description_bytes": answers, "what": tf.identity(what)}

    return describe, [tf.TensorSpec([None], tf.string, "what")]


def _conditional(sampler: Sampler) -> dict[str, Endpoint]:
    def articles(images: tf.Tensor) -> tf.Tensor:
        return decode_articles(images, sampler.config.condition_size)

    def serving_default(
        article_images_bytes: tf.Tensor, keypoints: tf.Tensor, seed: tf.Tensor, truncation_psi: tf.Tensor
    ) -> Outputs:
        picture = sampler.picture(seed, articles(article_images_bytes), keypoints, truncation_psi)
        return {"image_bytes": _png(picture), "seed": seed}

    def style_mix(
        source_article_images_bytes: tf.Tensor,
        source_keypoints: tf.Tensor,
        source_seed: tf.Tensor,
        target_article_images_bytes: tf.Tensor,
        target_keypoints: tf.Tensor,
        target_seed: tf.Tensor,
        layer_begin: tf.Tensor,
        layer_end: tf.Tensor,
        truncation_psi: tf.Tensor,
    ) -> Outputs:
        source = source_seed, articles(source_article_images_bytes), source_keypoints
        target = target_seed, articles(target_article_images_bytes), target_keypoints
        return {"image_bytes": _png(sampler.transfer(source, target, (layer_begin, layer_end), truncation_psi))}

    return {"serving_default": serving_default, "style_mix": style_mix}


def _unconditional(sampler: Sampler) -> dict[str, Endpoint]:
    def generate_unconditional(seed: tf.Tensor, truncation_psi: tf.Tensor) -> Outputs:
        return {"image_bytes": _png(sampler.picture(seed, psi=truncation_psi)), "seed": seed}

    def style_mix(
        source_seed: tf.Tensor, target_seed: tf.Tensor, layer_begin: tf.Tensor, layer_end: tf.Tensor, truncation_psi: tf.Tensor
    ) -> Outputs:
        layers = layer_begin, layer_end
        source, target = (source_seed, None, None), (target_seed, None, None)
        return {"image_bytes": _png(sampler.transfer(source, target, layers, truncation_psi))}

    # The first one is also saved under the name serving_default.
    return {"generate_unconditional": generate_unconditional, "style_mix": style_mix}


def _png(picture: tf.Tensor) -> tf.Tensor:
    """[N, H, W, 3] -> string [N]. The default compression takes ten times as long, for a fifth fewer bytes."""
    return tf.io.encode_png(pixels.to_uint8(picture), compression=1)


def _checked(function: Endpoint, sampler: Sampler) -> tuple[Endpoint, list[tf.TensorSpec]]:
    """Puts the checks that an input's name asks for before a function; returns it with its specs."""
    names = list(inspect.signature(function).parameters)
    specs = [_spec(name, sampler.config) for name in names]

    @functools.wraps(function)
    def checked(*values: tf.Tensor) -> Outputs:
        inputs = {spec.name: tf.ensure_shape(value, spec.shape) for spec, value in zip(specs, values)}
        # The rows first: only then can values be compared row by row.
        with tf.control_dependencies(_row_checks(inputs)):
            value_checks = _value_checks(inputs, sampler.num_layers)
        with tf.control_dependencies(value_checks):
            return function(**{name: tf.identity(value) for name, value in inputs.items()})

    return checked, specs


def _kind(name: str) -> str:
    return name.removeprefix("source_").removeprefix("target_")


def _spec(name: str, config: ModelConfig) -> tf.TensorSpec:
    shape, dtype = {
        "article_images_bytes": ([None, len(config.slots)], tf.string),
        "keypoints": ([None, NUM_JOINTS, 3], tf.float32),
        "seed": ([None], tf.int64),
        "truncation_psi": ([None], tf.float32),
        "layer_begin": ([None], tf.int32),
        "layer_end": ([None], tf.int32),
    }[_kind(name)]
    return tf.TensorSpec(shape, dtype, name)


def _row_checks(inputs: dict[str, tf.Tensor]) -> list[tf.Operation]:
    """Assertions on how many rows the inputs have; messages stand first, because a server cuts long ones."""
    counts = tf.stack([tf.shape(value)[0] for value in inputs.values()])
    equal = tf.debugging.Assert(
        tf.reduce_all(counts == counts[0]), [f"{', '.join(inputs)} must have the same number of rows, got", counts], len(inputs)
    )
    some = tf.debugging.Assert(counts[0] > 0, ["a request must have one row at least, got", counts[0]])
    return [equal, some]


def _value_checks(inputs: dict[str, tf.Tensor], num_layers: int) -> list[tf.Operation]:
    """Assertions on what the inputs hold."""
    checks = []

    def check(good: tf.Tensor, *message: str | tf.Tensor) -> None:
        checks.append(tf.debugging.Assert(tf.reduce_all(good), message))

    for name, value in inputs.items():
        if _kind(name) == "keypoints":
            finite = tf.math.is_finite(value) | ~(value[..., 2:] > 0)
            check(finite, f"{name} must be finite where v > 0, got", tf.boolean_mask(value, ~finite))
    low, high = PSI_RANGE
    psi = inputs["truncation_psi"]
    check((psi >= low) & (psi <= high), f"truncation_psi must be in [{low}, {high}], got", psi)  # NaN fails both.
    if "layer_begin" in inputs:
        begin, end = inputs["layer_begin"], inputs["layer_end"]
        check(
            (begin >= 0) & (begin < end) & (end <= num_layers),
            f"layers must satisfy 0 <= layer_begin < layer_end <= {num_layers}, got",
            begin,
            end,
        )
    return checks
