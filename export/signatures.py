"""The questions that an exported model answers: encoded photos and numbers in, encoded pictures out.

`docs/serving.md` lists them for clients. Inputs are checked in the graph, see `request_checks`; every check is a control
dependency of what follows.
"""

import inspect
import json

import tensorflow as tf

from export.request_checks import check_rows, input_spec, row_count_checks
from tf_outfit_gan import ops, pixels
from tf_outfit_gan.images.decode_in_graph import decode_checked, decode_tolerantly, first_of, first_text

# Traced once, as in `request_checks`.
_decode = tf.function(decode_checked, autograph=False)

JPEG_QUALITY = 95
PREVIEW_HALVINGS = 2
# The signature whose rows fail one by one: for servers that put strangers' requests into one batch.
STATUS_SIGNATURE = "render_status"
ALIASES = {"style_mix": "transfer"}  # Names that clients know from earlier exports.


def make_signatures(painter, limits, description):
    """The signatures of a model by name, as traced functions; an alias is the very same one.

    Images leave as strings in an output whose name ends in `_bytes`, which is how TF Serving's REST API knows to encode
    them. All outputs have a row for each row of the inputs, as a server's batching demands.

    Args:
        painter: a `Painter`.
        limits: `Limits`.
        description: what `describe` answers, a JSON object.
    """
    config = painter.config
    # Traced once: the signatures share them, and the graph holds one copy of the generator for each.
    picture, styles, transferred = (tf.function(method, autograph=False) for method in (
        painter.picture, painter.style_vectors, painter.transfer))
    drawn = tf.function(lambda w, seed, articles, keypoints: painter.draw(
        w, seed, painter.condition_maps(articles, keypoints)), autograph=False)

    def render(given):
        return picture(*_side(given), given["truncation_psi"])

    def synthesize(given):
        seed, articles, keypoints = _side(given)
        return drawn(given["w"], seed, articles, keypoints)

    def transfer(given):
        sides = _side(given, "source_"), _side(given, "target_")
        return transferred(*sides, (given["layer_begin"], given["layer_end"]), given["truncation_psi"])

    def preview(given):
        small = render(given)
        for _ in range(min(PREVIEW_HALVINGS, painter.level)):
            small = ops.downsample(small)
        return {"image_bytes": _png(small)}

    conditions = ("article_images_bytes", "keypoints") if config.conditional else ()
    request = (*conditions, "seed", "truncation_psi")
    style = ("w", *_map_inputs(config), "seed")
    sides = [side + name for side in ("source_", "target_") for name in (*conditions, "seed")]
    mix = (*sides, "layer_begin", "layer_end", "truncation_psi")
    table = {
        "serving_default": (request, lambda given: {"image_bytes": _png(render(given)), "seed": given["seed"]}),
        "render_jpeg": (request, lambda given: {"image_bytes": _jpeg(render(given))}),
        "render_tensor": (request, lambda given: {"image": pixels.to_uint8(render(given))}),
        STATUS_SIGNATURE: (request, lambda given: {"image_bytes": _png(render(given))}),
        "preview": (request, preview),
        "style": (request, lambda given: {"w": styles(*_side(given), given["truncation_psi"])}),
        "synthesize": (style, lambda given: {"image_bytes": _png(synthesize(given))}),
        "synthesize_tensor": (style, lambda given: {"image": pixels.to_uint8(synthesize(given))}),
        "transfer": (mix, lambda given: {"image_bytes": _png(transfer(given))}),
        "transfer_tensor": (mix, lambda given: {"image": pixels.to_uint8(transfer(given))}),
        "describe": (("what",), lambda given: {"description": _describe(given["what"], description)}),
    }
    functions = {name: _checked(*signature, painter, limits, tolerant=name == STATUS_SIGNATURE)
                 for name, signature in table.items()}
    aliases = ALIASES if config.conditional else ALIASES | {"generate_unconditional": "serving_default"}
    return functions | {alias: functions[name] for alias, name in aliases.items()}


def input_specs(function):
    """The `TensorSpec`s of a signature's inputs."""
    return list(function.structured_input_signature[1].values()) or list(function.structured_input_signature[0])


def _map_inputs(config):
    """The conditions that `synthesize` needs beside w: those that enter the picture as maps.

    An input that is not needed is not there, so nobody can believe in it; one that is needed cannot be left out. Worn
    articles are laid over the pose.
    """
    maps = config.generator_maps
    return (*(("article_images_bytes",) if maps["worn"] else ()), *(("keypoints",) if maps["pose"] or maps["worn"] else ()))


def _side(given, side=""):
    """(seeds, articles, keypoints) of one side of a request; None for what the signature does not have."""
    return given[f"{side}seed"], given.get(f"{side}article_images_bytes"), given.get(f"{side}keypoints")


def _png(picture):
    """[N, H, W, 3] -> string [N]. The default compression takes ten times as long, for a fifth fewer bytes."""
    return tf.io.encode_png(pixels.to_uint8(picture), compression=1)


def _jpeg(picture):
    return tf.map_fn(lambda image: tf.io.encode_jpeg(image, quality=JPEG_QUALITY), pixels.to_uint8(picture),
                     fn_output_signature=tf.TensorSpec([], tf.string))


def _describe(what, description):
    """The description, or one member of it, as JSON. string [N] -> [N]."""
    texts = {"": json.dumps(description), **{name: json.dumps(member) for name, member in description.items()}}
    asked = what[:, None] == tf.constant(list(texts))  # [N, members]
    known = tf.debugging.Assert(tf.reduce_all(tf.reduce_any(asked, axis=1)),
                                [f"what must be empty, for all, or one of {', '.join(description)}"])
    with tf.control_dependencies([known]):
        return tf.gather(tf.constant(list(texts.values())), tf.argmax(asked, axis=1))


def _checked(names, function, painter, limits, tolerant=False):
    """Puts the checks that its inputs' names ask for before a function, and traces it.

    Args:
        names: of the inputs.
        function: called with tensors by input name, articles decoded; returns tensors by output name.
        tolerant: a bad row does not fail the request: it has no picture and says in `status` why.
    """
    config = painter.config
    specs = [input_spec(name, config) for name in names]

    def signature(*values):
        inputs = {spec.name: tf.ensure_shape(value, spec.shape) for spec, value in zip(specs, values)}
        with tf.control_dependencies(row_count_checks(inputs, limits)):
            inputs = {name: tf.identity(value) for name, value in inputs.items()}
        problems, headers = check_rows(inputs, config, painter.num_layers, limits)
        if tolerant:
            return _tolerated(function, inputs, headers, problems, config)
        good = tf.debugging.Assert(tf.reduce_all(problems == b""), [first_text(problems)])
        with tf.control_dependencies([good]):
            given = {name: tf.identity(value) for name, value in inputs.items()}
        for name, header in headers.items():
            given[name] = _decode(given[name], header, config.condition_size)
        return function(given)

    # The names of a tf.function's arguments are those of the signature's inputs.
    signature.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])
    return tf.function(signature, input_signature=specs, autograph=False).get_concrete_function()


def _tolerated(function, inputs, headers, problems, config):
    """Draws the good rows; a bad one draws what nothing is wrong with, which is thrown away."""
    good, given = problems == b"", {}
    for name, value in inputs.items():
        is_good = tf.reshape(good, [-1] + [1] * (len(value.shape) - 1))
        given[name] = tf.where(is_good, value, tf.zeros_like(value))
    for name, header in headers.items():
        given[name], whole = decode_tolerantly(given[name], header, config.condition_size)
        damaged = [tf.where(is_whole, "", f"article {slot} is damaged: it cannot be decoded")
                   for slot, is_whole in zip(config.slots, tf.unstack(whole, axis=1))]
        problems = first_of([problems, *damaged])
    outputs = function(given)
    return {name: tf.where(problems == b"", value, "") for name, value in outputs.items()} | {"status": problems}
