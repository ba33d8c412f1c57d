"""Gradient checkpointing: a layer that keeps its inputs only, and is computed again in the backward pass (arXiv
1604.06174)."""

import tensorflow as tf


def recomputed(layer):
    """Returns a function that does what the built Keras layer does, and holds less memory until the backward pass.

    Its inputs are tensors, its output is one tensor. It has gradients of the first order only: it cannot be part of
    what R1 differentiates.
    """

    def call(*inputs):
        # TensorFlow's own function knows TensorFlow's variables and not Keras's: weights enter as tensors.
        weights = [tf.convert_to_tensor(variable.value) for variable in layer.trainable_variables]
        count = len(weights)
        function = tf.recompute_grad(lambda *tensors: layer.stateless_call(tensors[:count], [], *tensors[count:])[0])
        return function(*weights, *inputs)

    return call
