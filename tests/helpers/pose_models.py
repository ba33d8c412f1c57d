"""Stand-ins for pose models, in the true forms of their files: where each puts the joints shows what it saw."""

import tensorflow as tf


def brightest_pixel(folder, size=(32, 32), batch=None):
    """A SavedModel of heatmaps: each joint's map is the picture's red, 0 for black and 1 for white."""
    module = tf.Module()
    module.heatmaps = tf.function(
        lambda image: {"heatmaps": tf.tile((image[..., :1] + 1) / 2, [1, 1, 1, 16])},
        input_signature=[tf.TensorSpec([batch, *size, 3], tf.float32, name="image")],
    )
    tf.saved_model.save(module, str(folder), {"serving_default": module.heatmaps})
    return folder


def _movenet_joints(input):
    """Joint i at y = 0.5, x = i / 16; its score is the picture's largest value in 255ths."""
    score = tf.reduce_max(tf.cast(input, tf.float32)) / 255
    return {"output_0": tf.stack([tf.fill([17], 0.5), tf.range(17.0) / 16, tf.fill([17], score)], axis=-1)[None, None]}


def movenet(folder):
    """MoveNet as a SavedModel, which takes int32."""
    module = tf.Module()
    module.joints = tf.function(_movenet_joints, [tf.TensorSpec([1, 192, 192, 3], tf.int32, name="input")])
    tf.saved_model.save(module, str(folder), {"serving_default": module.joints})
    return folder


def movenet_lite(path):
    """MoveNet as a .tflite file that takes uint8."""
    return _lite(path, _movenet_joints, tf.TensorSpec([1, 64, 64, 3], tf.uint8))


def blazepose_lite(path, person=1.0):
    """BlazePose as a .tflite file: point i at x = i, y = 2 i pixels, its presence sure if the picture is white."""

    def landmarks(image):
        i, white = tf.range(39.0), tf.reduce_mean(image)
        points = tf.stack([i, 2 * i, i * 0, i * 0 - 9, tf.fill([39], 40 * white - 20)], axis=-1)  # [39, 5]
        return {"Identity": tf.reshape(points, [1, 195]), "Identity_1": tf.fill([1, 1], person * white)}

    return _lite(path, landmarks, tf.TensorSpec([1, 256, 256, 3], tf.float32))


def _lite(path, function, spec):
    concrete = tf.function(function).get_concrete_function(spec)
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
    return path
