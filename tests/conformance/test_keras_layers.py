"""What Keras promises of a layer, for every layer and network: one list, many promises."""

import dataclasses
import importlib
import inspect
import json
import pkgutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan import layers, networks
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.networks import Discriminator, Generator
from tf_outfit_gan.networks.blocks import DownBlock, StyledLayer
from tf_outfit_gan.networks.condition_maps import MapsToRGB
from tf_outfit_gan.networks.embedding import Embedding
from tf_outfit_gan.networks.mapping import Mapping
from tf_outfit_gan.networks.synthesis import Synthesis, SynthesisLevel

N = 4
# Two levels, 4x3 and 8x6: while the second one fades in, every weight has a part in the picture.
CONFIG = ModelConfig(
    size=(8, 6),
    condition_size=(8, 6),
    condition_norm="apart",
    pose_path="spatial",
    article_path="worn",
    discriminator_pose="spatial",
    slots=("top", "bag"),
    latent_dim=4,
    style_dim=5,
    embedding_dim=3,
    mapping_layers=2,
    fmap_base=16,
    fmap_max=4,
    stddev_group=2,
)
UNCONDITIONAL = dataclasses.replace(CONFIG, conditional=False)
MAPPED = dataclasses.replace(CONFIG, maps_to_rgb=True, article_differences=True)
COMPOSED = dataclasses.replace(MAPPED, composition=True)
SKIPS = dataclasses.replace(UNCONDITIONAL, skips=True, noise_injection=False)
NOISE = [(4, 3, 1)] * 2 + [(8, 6, 1)] * 2
MAPS = [(4, 3, 37), (8, 6, 37)]  # 16 joints, 15 bones, and 3 channels for each of two slots.
CONDITIONS = dict(articles=(2, 8, 6, 3), keypoints=(16, 3))
COMPARES = "minibatch standard deviation compares the pictures of a group"


@dataclasses.dataclass
class Case:
    """A tiny layer.

    Attributes:
        layer: its class.
        arguments: of its `__init__`.
        inputs: of its call: shapes without the batch, lists of shapes, and values of other arguments.
        output: its output's shape without the batch.
        float32: whether its output is float32 in every precision.
        mixes_rows: why a row of the output depends on other rows, where it does.
        called_apart: its layer that its call leaves to a method of its own.
    """

    layer: type
    arguments: dict
    inputs: dict
    output: tuple
    float32: bool = False
    mixes_rows: str = ""
    called_apart: str | None = None

    def make(self, **kwargs):
        return self.layer(**self.arguments, **kwargs)

    def values(self, batch=N):
        """Inputs of a batch, the same at every call."""
        rng = np.random.default_rng(1)

        def value(spec):
            if isinstance(spec, list):
                return [value(part) for part in spec]
            # Between 0 and 1, as the joints of a pose.
            return tf.constant(rng.uniform(size=(batch, *spec)), tf.float32) if isinstance(spec, tuple) else spec

        return {name: batch if spec is int else value(spec) for name, spec in self.inputs.items()}


CASES = [
    Case(layers.AdaIN, dict(), dict(x=(4, 3, 2), w=(5,)), (4, 3, 2)),
    Case(layers.AdaIN, dict(norm_kernel="moments"), dict(x=(4, 3, 2), w=(5,)), (4, 3, 2)),
    Case(layers.EqualizedConv2D, dict(filters=3, kernel_size=1), dict(x=(4, 3, 2)), (4, 3, 3)),
    Case(layers.EqualizedConv2D, dict(filters=3, kernel_size=3, resample="up", flip=True), dict(x=(4, 3, 2)), (8, 6, 3)),
    Case(layers.EqualizedConv2D, dict(filters=3, kernel_size=3, resample="down", gain=1.0), dict(x=(8, 6, 2)), (4, 3, 3)),
    Case(layers.EqualizedDense, dict(units=3, gain=2**0.5, lr_multiplier=0.1), dict(x=(2,)), (3,)),
    Case(layers.LearnedConstant, dict(size=(4, 3), channels=2), dict(batch=int), (4, 3, 2)),
    Case(layers.MinibatchStdDev, dict(group_size=2), dict(x=(4, 3, 2)), (4, 3, 3), mixes_rows=COMPARES),
    Case(layers.NoiseInjection, dict(), dict(x=(4, 3, 2), noise=(4, 3, 1)), (4, 3, 2)),
    Case(StyledLayer, dict(channels=2, style_dim=5), dict(x=(4, 3, 2), w=(5,), noise=(4, 3, 1)), (4, 3, 2)),
    Case(DownBlock, dict(in_channels=2, out_channels=3), dict(x=(8, 6, 2)), (4, 3, 3)),
    Case(
        Mapping,
        dict(latent_dim=4, embedding_dim=3, style_dim=5, num_layers=2, lr_multiplier=0.1, condition_norm="apart"),
        dict(latents=(4,), embedding=(3,)),
        (5,),
    ),
    Case(Embedding, dict(config=CONFIG, width=4), dict(articles=(2, 8, 6, 3), heatmaps=(8, 6, 16)), (4,)),
    Case(
        SynthesisLevel,
        dict(config=CONFIG, level=1),
        dict(x=(4, 3, 4), first_w=(5,), second_w=(5,), first_noise=(8, 6, 1), second_noise=(8, 6, 1), maps=(8, 6, 37)),
        (8, 6, 4),
        called_apart="to_rgb",
    ),
    Case(MapsToRGB, dict(config=MAPPED, level=1), dict(x=(8, 6, 4), maps=(8, 6, 37)), (8, 6, 3)),
    Case(
        Synthesis,
        dict(config=CONFIG, recompute_from=8, norm_kernel="moments"),
        dict(w=(4, 5), noise=NOISE, maps=MAPS, level=1, alpha=0.5),
        (8, 6, 3),
        float32=True,
    ),
    *(
        Case(Generator, dict(config=config), dict(latents=(4,), noise=NOISE, **given, alpha=0.5), (8, 6, 3), float32=True)
        for config, given in (
            (CONFIG, CONDITIONS),
            (MAPPED, CONDITIONS),
            (COMPOSED, CONDITIONS),
            (UNCONDITIONAL, {}),
            (SKIPS, {}),
        )
    ),
    *(
        Case(
            Discriminator,
            dict(config=config),
            dict(images=(8, 6, 3), embedding=(4,), maps=MAPS, alpha=0.5),
            (),
            float32=True,
            mixes_rows=COMPARES,
            called_apart="embedding",
        )
        for config in (CONFIG, MAPPED)
    ),
    *(
        Case(Discriminator, dict(config=config), dict(images=(8, 6, 3), alpha=0.5), (), float32=True, mixes_rows=COMPARES)
        for config in (UNCONDITIONAL, SKIPS)
    ),
]
LAYERS = [pytest.param(case, id=f"{case.layer.__name__}-{i}") for i, case in enumerate(CASES)]
NETWORKS = [param for param in LAYERS if issubclass(param.values[0].layer, keras.Model)]


@pytest.fixture(scope="module")
def made():
    """Gives the layer of a case with other weights than its first ones; the tests share it."""
    found = {}

    def get(case):
        if id(case) not in found:
            layer = found[id(case)] = case.make()
            layer(**case.values())
            rng = np.random.default_rng(2)
            layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
        return found[id(case)]

    return get


def symbolic_output(layer, case):
    """What Keras foresees of the output."""

    def symbol(value):
        return keras.KerasTensor((None, *value.shape[1:])) if tf.is_tensor(value) else value

    return layer(**tf.nest.map_structure(symbol, case.values()))


def test_every_layer_and_network_is_in_the_list():
    found = set()
    for package in (layers, networks):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            found |= {
                value
                for value in vars(module).values()
                if inspect.isclass(value) and issubclass(value, keras.layers.Layer) and value.__module__ == info.name
            }
    assert found == {case.layer for case in CASES}


@pytest.mark.parametrize("case", LAYERS)
def test_it_builds_once_and_its_output_has_the_shape_that_it_says(case):
    layer = case.make()
    output = layer(**case.values())
    assert layer.built and output.shape == (N, *case.output)
    weights = [id(weight) for weight in layer.weights]
    layer(**case.values(batch=2))
    assert [id(weight) for weight in layer.weights] == weights
    assert symbolic_output(layer, case).shape[1:] == case.output


@pytest.mark.parametrize("case", LAYERS)
def test_its_config_makes_the_same_layer(case, made):
    layer = made(case)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is case.layer and again is not layer
    assert json.loads(json.dumps(keras.saving.serialize_keras_object(again))) == config
    again(**case.values())
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(**case.values()), layer(**case.values()))


@pytest.mark.parametrize("case", LAYERS)
def test_it_is_saved_and_loaded(case, made, tmp_path):
    layer = made(case)
    keras.saving.save_model(layer, tmp_path / "layer.keras")
    again = keras.saving.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(again(**case.values()), layer(**case.values()))


@pytest.mark.parametrize("case", LAYERS)
def test_every_weight_learns(case, made):
    layer = made(case)
    with tf.GradientTape() as tape:
        output = layer(**case.values())
        loss = tf.reduce_sum(output * tf.random.stateless_normal(output.shape, [1, 2]))
    apart = getattr(layer, case.called_apart).trainable_weights if case.called_apart else []
    gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
    for weight, gradient in zip(layer.trainable_weights, gradients):
        if any(weight is other for other in apart):
            assert gradient is None, weight.path
        else:
            assert np.isfinite(gradient).all() and np.any(gradient != 0), weight.path


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("case", LAYERS)
def test_mixed_precision(case, dtype):
    layer = case.make(dtype=dtype)
    output = layer(**case.values())
    expected = "float32" if case.float32 else dtype.removeprefix("mixed_")
    assert output.dtype.name == symbolic_output(layer, case).dtype == expected
    assert np.isfinite(np.float32(output)).all()
    assert all(weight.dtype == "float32" for weight in layer.weights)
    assert case.layer.from_config(layer.get_config()).dtype_policy.name == dtype


@pytest.mark.parametrize("case", LAYERS)
def test_a_graph_computes_what_eager_does(case, made):
    layer = made(case)
    np.testing.assert_allclose(tf.function(layer)(**case.values()), layer(**case.values()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", LAYERS)
def test_a_row_depends_on_its_own_inputs_alone(case, made):
    layer, values = made(case), case.values()
    whole = layer(**values)
    halves = []
    for rows in (slice(0, N // 2), slice(N // 2, N)):
        half = tf.nest.map_structure(lambda value: value[rows] if tf.is_tensor(value) else value, values)
        halves.append(layer(**half | {name: N // 2 for name, spec in case.inputs.items() if spec is int}))
    same = np.allclose(np.concatenate(halves), whole, rtol=1e-4, atol=1e-5)
    assert same != bool(case.mixes_rows), case.mixes_rows


@pytest.mark.parametrize("case", NETWORKS)
def test_a_summary_shows_shapes(case, made):
    lines = []
    made(case).summary(line_length=130, print_fn=lines.append)
    summary = "\n".join(lines)
    assert "(None, 8, 6, 3)" in summary or "(None, 8, 6, 4)" in summary
    assert "?" not in summary


@pytest.mark.parametrize("case", NETWORKS)
def test_a_network_saves_itself(case, made, tmp_path):
    made(case).save(tmp_path / "network.keras")
    assert keras.saving.load_model(tmp_path / "network.keras").config == case.arguments["config"]
