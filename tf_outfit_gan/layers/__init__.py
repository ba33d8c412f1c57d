"""Keras layers of StyleGAN, one a file."""

from tf_outfit_gan.layers.adain import AdaIN
from tf_outfit_gan.layers.equalized_conv2d import EqualizedConv2D
from tf_outfit_gan.layers.equalized_dense import EqualizedDense
from tf_outfit_gan.layers.learned_constant import LearnedConstant
from tf_outfit_gan.layers.minibatch_stddev import MinibatchStdDev
from tf_outfit_gan.layers.noise_injection import NoiseInjection

__all__ = ["AdaIN", "EqualizedConv2D", "EqualizedDense", "LearnedConstant", "MinibatchStdDev", "NoiseInjection"]
