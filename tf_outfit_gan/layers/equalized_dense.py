"""Dense layer with equalized learning rate (arXiv 1710.10196, section 4.1)."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class EqualizedDense(keras.layers.Layer):
    """Matrix product whose weights are scaled at run time, so that all layers learn at the same speed.

    Args:
        units: width of the output.
        gain: sqrt(2) before a leaky ReLU, 1 before nothing.
        lr_multiplier: weights and biases learn this much slower or faster than the optimizer's rate.

    Input shape: [N, fan_in]. Output shape: [N, units].
    """

    def __init__(self, units, gain=1.0, lr_multiplier=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.gain, self.lr_multiplier = units, gain, lr_multiplier

    def build(self, input_shape):
        fan_in = input_shape[-1]
        self.scale = self.gain / fan_in**0.5 * self.lr_multiplier
        initializer = keras.initializers.RandomNormal(stddev=1 / self.lr_multiplier)
        # The scale is applied in float32, before the cast to the compute type: so Keras must not cast the variables.
        self.kernel = self.add_weight(shape=(fan_in, self.units), initializer=initializer, name="kernel", autocast=False)
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias", autocast=False)

    def call(self, x):
        kernel = tf.cast(self.kernel * self.scale, self.compute_dtype)
        return tf.matmul(x, kernel) + tf.cast(self.bias * self.lr_multiplier, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], self.units
