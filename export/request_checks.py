"""What a request must hold, and the sentence that a client reads when it does not.

A server does not check the shapes that it is fed, and the likeliest mistakes have the right shape: pixels for keypoints,
base64 for bytes. So all is checked in the graph. Messages are ASCII and speak of the client's own row: what a client
sent comes back only as numbers.
"""

import tensorflow as tf

from tf_outfit_gan.images.decode_in_graph import article_headers, article_problems, first_of, frame_pixels
from tf_outfit_gan.pose.mpii import JOINTS, NUM_JOINTS

# Traced once for all inputs and signatures: a server plans every copy again.
_headers = tf.function(article_headers, autograph=False)
_problems = tf.function(article_problems, autograph=False)

PSI_RANGE = (0, 2)
KEYPOINT_RANGE = (-1, 2)  # In widths and heights: joints may be out of the picture, but not far.
_SIDES = ("source_", "target_")


def kind_of(name):
    """An input's name without its side."""
    for side in _SIDES:
        name = name.removeprefix(side)
    return name


def input_spec(name, config):
    """The `TensorSpec` of an input."""
    shape, dtype = {
        "article_images_bytes": ([None, len(config.slots)], tf.string),
        "keypoints": ([None, NUM_JOINTS, 3], tf.float32),
        "seed": ([None], tf.int64),
        "truncation_psi": ([None], tf.float32),
        "layer_begin": ([None], tf.int32),
        "layer_end": ([None], tf.int32),
        "w": ([None, config.num_layers, config.style_dim], tf.float32),
        "what": ([None], tf.string),
    }[kind_of(name)]
    return tf.TensorSpec(shape, dtype, name)


def row_count_checks(inputs, limits):
    """Assertions on how many rows the inputs have: a request without them has no rows that could be checked."""
    counts = tf.stack([tf.shape(value)[0] for value in inputs.values()])
    # Messages stand first, because a server cuts long ones.
    equal = tf.debugging.Assert(tf.reduce_all(counts == counts[0]),
                                [f"{', '.join(inputs)} must have the same number of rows, got", counts], len(inputs))
    with tf.control_dependencies([equal]):
        some = tf.debugging.Assert(counts[0] > 0, ["a request must have one row at least, got", counts[0]])
        few = tf.debugging.Assert(counts[0] <= limits.max_rows,
                                  [f"a request may have {limits.max_rows} rows at most; send fewer at once. Got", counts[0]])
    return [equal, some, few]


class RowChecks:
    """Collects what each row must fulfil. The sentences are put together only when a row does not.

    Args:
        rows: how many, a scalar tensor.
    """

    def __init__(self, rows):
        self._rows, self._checks = rows, []

    def expect(self, good, sentence):
        """good: bool [N]; sentence: called for string [N], what to say of rows that are not good."""
        self._checks.append((good, sentence))

    def problems(self):
        """string [N]: the first sentence on each row; empty where the row is good."""
        if not self._checks:
            return tf.fill([self._rows], "")
        all_good = tf.reduce_all([tf.reduce_all(good) for good, _ in self._checks])

        def sentences():
            return first_of([tf.where(good, "", sentence()) for good, sentence in self._checks])

        return tf.ensure_shape(tf.cond(all_good, lambda: tf.fill([self._rows], ""), sentences), [None])


def check_rows(inputs, config, num_layers, limits):
    """Checks the values of each row.

    Args:
        inputs: tensors by input name, with equal numbers of rows.
        config: the `ModelConfig`.
        num_layers: the style layers that the model's pictures read.
        limits: `Limits`.

    Returns:
        string [N], empty for good rows, and the `Headers` of article photos by input name.
    """
    checks, headers = RowChecks(tf.shape(next(iter(inputs.values())))[0]), {}
    for name, value in inputs.items():
        kind = kind_of(name)
        if kind == "article_images_bytes":
            headers[name] = _headers(value)
            _check_articles(checks, name, value, headers[name], config, limits)
        elif kind in _CHECKS:
            _CHECKS[kind](checks, name, value)
    if "layer_begin" in inputs:
        begin, end = inputs["layer_begin"], inputs["layer_end"]
        checks.expect((begin >= 0) & (begin < end) & (end <= num_layers), lambda: tf.strings.join(
            [f"layers must satisfy 0 <= layer_begin < layer_end <= {num_layers}, got ", _text(begin), " and ", _text(end)]))
    return checks.problems(), headers


def _check_articles(checks, name, value, headers, config, limits):
    side = name.removesuffix("article_images_bytes")
    names = tuple(f"{side}article {slot}" for slot in config.slots)
    bad = _problems(value, headers, config.condition_size, names)
    checks.expect(bad == b"", lambda: bad)
    pixels = tf.reshape(frame_pixels(headers, config.condition_size), [-1, len(config.slots)])
    total = tf.reduce_sum(pixels, axis=1)
    aspect = ":".join(map(str, config.level_sizes[0]))
    checks.expect(total <= limits.max_article_pixels, lambda: tf.strings.join(
        [f"the {side}articles of a row may have {limits.max_article_pixels} pixels together, each filled up to {aspect} "
         "(height:width); send smaller photos. Got ", _text(total)]))


def _check_keypoints(checks, name, value):
    low, high = KEYPOINT_RANGE
    shown = value[..., 2] > 0
    inside = tf.reduce_all((value[..., :2] >= low) & (value[..., :2] <= high), axis=-1)  # NaN fails both.
    good = inside | ~shown  # [N, K]

    def sentence():
        joint = tf.argmax(tf.cast(~good, tf.int32), axis=1, output_type=tf.int32)
        x, y, _ = tf.unstack(tf.gather(value, joint, batch_dims=1), axis=-1)
        return tf.strings.join([
            f"{name} must be x in widths and y in heights of the picture, from {low} to {high} where v > 0, got x = ", _text(x),
            ", y = ", _text(y), " for ", tf.gather(tf.constant(JOINTS), joint),
            ". If these are pixels, divide x by the picture's width and y by its height"])

    checks.expect(tf.reduce_all(good, axis=1), sentence)


def _check_psi(checks, name, value):
    low, high = PSI_RANGE
    checks.expect((value >= low) & (value <= high), lambda: tf.strings.join(  # NaN fails both.
        [f"{name} must be in [{low}, {high}], got ", _text(value)]))


def _check_w(checks, name, value):
    checks.expect(tf.reduce_all(tf.math.is_finite(value), axis=[1, 2]),
                  lambda: tf.fill(tf.shape(value)[:1], f"{name} must be finite"))


_CHECKS = {"keypoints": _check_keypoints, "truncation_psi": _check_psi, "w": _check_w}


def _text(numbers):
    return tf.strings.as_string(numbers, shortest=True) if numbers.dtype.is_floating else tf.strings.as_string(numbers)
