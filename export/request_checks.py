"""What a request must hold, and the sentence that a client reads when it does not.

A server does not check the shapes that it is fed, and the likeliest mistakes have the right shape: pixels for keypoints,
base64 for bytes. So all is checked in the graph. Sentences are ASCII, without quotes, which a server would escape. They
speak of one row, and what a client sent comes back only as numbers. Sentences are cheap: they are made for all rows, good
ones too, because a branch would take more operations.
"""

import tensorflow as tf

from export.limits import Limits
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.images.decode_in_graph import article_problems, first_of, frame
from tf_outfit_gan.images.header_in_graph import Headers
from tf_outfit_gan.pose.mpii import JOINTS

PSI_RANGE = (0, 2)
KEYPOINT_RANGE = (-1, 2)  # In widths and heights: joints may be out of the picture, but not far.

Inputs = dict[str, tf.Tensor]


def row_count_checks(inputs: Inputs, limits: Limits) -> list[tf.Operation]:
    """Assertions on how many rows the inputs have: a request without them has no rows that could be checked."""
    counts = tf.stack([tf.shape(value)[0] for value in inputs.values()])
    # Messages stand first, because a server cuts long ones.
    equal = tf.debugging.Assert(
        tf.reduce_all(counts == counts[0]), [f"{', '.join(inputs)} must have the same number of rows, got", counts], len(inputs)
    )
    some = tf.debugging.Assert(counts[0] > 0, ["a request must have one row at least, got", counts[0]])
    few = tf.debugging.Assert(
        counts[0] <= limits.max_rows, [f"a request may have {limits.max_rows} rows at most; send fewer at once. Got", counts[0]]
    )
    return [equal, some, few]


def condition_problems(
    article_bytes: tf.Tensor, headers: Headers | None, keypoints: tf.Tensor, config: ModelConfig, limits: Limits
) -> tf.Tensor:
    """What is wrong with each row's articles, as far as their headers show, and with its pose.

    Args:
        article_bytes: string [N, S].
        headers: their `article_headers`; None where a signature has no articles.
        keypoints: [N, K, 3].

    Returns: string [N]; empty where the row is good.
    """
    problems = [keypoint_problems(keypoints)]
    if headers is not None:
        problems += [article_problems(article_bytes, headers, config.slots), _pixel_problems(headers, config, limits)]
    return first_of(problems)


def _pixel_problems(headers: Headers, config: ModelConfig, limits: Limits) -> tf.Tensor:
    rows, columns = frame(headers.height, headers.width, config.condition_size)
    total = tf.reduce_sum(tf.reshape(rows * columns, [-1, len(config.slots)]), axis=1)
    aspect = ":".join(map(str, config.level_sizes[0]))
    sentence = (
        f"the articles of a row may have {limits.max_article_pixels} pixels together, each filled up to {aspect} "
        "(height:width); send smaller photos. Got " + tf.strings.as_string(total)
    )
    return tf.where(total <= limits.max_article_pixels, "", sentence)


def keypoint_problems(keypoints: tf.Tensor) -> tf.Tensor:
    """string [N] of poses [N, K, 3]: the first joint that is there and out of range."""
    low, high = KEYPOINT_RANGE
    inside = tf.reduce_all((keypoints[..., :2] >= low) & (keypoints[..., :2] <= high), axis=-1)  # NaN fails both.
    bad = ~inside & (keypoints[..., 2] > 0)  # [N, K]
    joint = tf.argmax(tf.cast(bad, tf.int32), axis=1, output_type=tf.int32)
    x, y, _ = tf.unstack(tf.strings.as_string(tf.gather(keypoints, joint, batch_dims=1), shortest=True), axis=1)
    sentence = tf.strings.join(
        [
            f"keypoints must be x in widths and y in heights of the picture, from {low} to {high} where v > 0, got x = ",
            x,
            ", y = ",
            y,
            " for ",
            tf.gather(tf.constant(JOINTS), joint),
            ". If these are pixels, divide x by the width of the picture and y by its height",
        ]
    )
    return tf.where(tf.reduce_any(bad, axis=1), sentence, "")


def number_problems(inputs: Inputs, num_layers: int) -> list[tf.Tensor]:
    """What is wrong with each row's numbers, a list of string [N].

    Args:
        inputs: tensors by input name; those without a rule are passed over.
        num_layers: the style layers that the model's pictures read.
    """
    problems = []
    if "truncation_psi" in inputs:
        (low, high), psi = PSI_RANGE, inputs["truncation_psi"]
        good = (psi >= low) & (psi <= high)  # NaN fails both.
        got = tf.strings.as_string(psi, shortest=True)
        problems.append(tf.where(good, "", f"truncation_psi must be in [{low}, {high}], got " + got))
    if "w" in inputs:
        finite = tf.reduce_all(tf.math.is_finite(inputs["w"]), axis=[1, 2])
        problems.append(tf.where(finite, "", "w must be finite"))
    if "layer_begin" in inputs:
        begin, end = inputs["layer_begin"], inputs["layer_end"]
        good = (begin >= 0) & (begin < end) & (end <= num_layers)
        got = tf.strings.as_string(begin) + " and " + tf.strings.as_string(end)
        rule = f"layers must satisfy 0 <= layer_begin < layer_end <= {num_layers}, got "
        problems.append(tf.where(good, "", rule + got))
    return problems


def of_side(side: str, problems: tf.Tensor) -> tf.Tensor:
    """Says to which side of a transfer the problems of rows belong."""
    return tf.where(problems == b"", "", f"{side}: " + problems)
