"""Our networks compute what the official StyleGAN code computes: outputs, faded levels, losses and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.official import GOLDEN, Official, rounding_errors
from tf_outfit_gan import losses, ops, styles
from training.optimizer import Adam

CLOSE = dict(rtol=2e-4, atol=2e-5)
NAMES = ["stylegan1_r32", "stylegan1_r32_fused", "stylegan1_r16_labels"]


@pytest.fixture(scope="module", autouse=True)
def without_tf32():
    """GPUs round the factors of float32 products unless they are asked not to."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


@pytest.fixture(scope="module", params=NAMES)
def official(request):
    return Official(request.param)


def latents(official):
    """z, with the label's embedding behind it where there are labels."""
    z = official.values["out/z"]
    if not official.meta["label_size"]:
        return tf.constant(z)
    embedding = official.values["out/label"] @ official.values["var/G_mapping/LabelConcat/weight"]
    return tf.concat([z, embedding], axis=-1)


def score(official, images, **level):
    """D's score; with labels the projection on them, whose weights are the official last dense layer."""
    if not official.meta["label_size"]:
        return official.discriminator(images, **level)
    weight, bias = official.values["var/D/4x4/Dense1/weight"], official.values["var/D/4x4/Dense1/bias"]
    scores = official.discriminator.features(images, **level) @ weight / weight.shape[0] ** 0.5 + bias
    return tf.reduce_sum(scores * official.values["out/label"], axis=-1)


def generate(official, **level):
    return official.generator(latents(official), official.noise(), **level)


def test_style_vectors(official):
    np.testing.assert_allclose(official.generator.style_vectors(latents(official)), official.values["out/w"], **CLOSE)


def test_image(official):
    np.testing.assert_allclose(generate(official), official.images("out/image"), **CLOSE)


def test_mixed_image(official):
    w = official.generator.broadcast(tf.constant(official.values["out/w"]))
    mixed = styles.mix(w, tf.roll(w, 1, axis=0), official.meta["mixing_cutoff"])
    image = official.generator.synthesis(mixed, official.noise())
    np.testing.assert_allclose(image, official.images("out/image_mixed"), **CLOSE)


def test_scores(official):
    real = tf.constant(official.images("out/real"))
    np.testing.assert_allclose(score(official, real), official.values["out/score_real"][:, 0], **CLOSE)
    np.testing.assert_allclose(score(official, generate(official)), official.values["out/score_fake"][:, 0], **CLOSE)


def test_faded_levels(official):
    lods = sorted({key.split("/")[1] for key in official.values.files if key.startswith("lod/")})
    assert len(lods) >= 5
    for lod in lods:
        below, fade = divmod(float(lod), 1)
        level = official.config.num_levels - 1 - int(below)
        alpha = tf.constant(1 - fade, tf.float32) if fade else None
        image, real = generate(official, level=level, alpha=alpha), tf.constant(official.images("out/real"))
        for _ in range(int(below)):  # The official networks show every level at full size.
            image, real = ops.upsample(image), ops.downsample(real)
        np.testing.assert_allclose(image, official.images(f"lod/{lod}/image"), **CLOSE)
        scores = score(official, real, level=level, alpha=alpha)
        np.testing.assert_allclose(scores, official.values[f"lod/{lod}/score_real"][:, 0], **CLOSE)


def test_generator_loss_and_gradients(official):
    names = official.generator_variables()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(losses.generator_loss(score(official, generate(official))))
    np.testing.assert_allclose(loss, official.values["out/g_loss"], **CLOSE)
    assert_gradients(official, "grad_g", names, tape.gradient(loss, [variable.value for _, variable in names]))


def test_discriminator_loss_penalty_and_gradients(official):
    names, real, fake = official.discriminator_variables(), tf.constant(official.images("out/real")), generate(official)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as image_tape:
            image_tape.watch(real)
            real_scores = score(official, real)
        penalty = losses.r1_penalty(image_tape.gradient(real_scores, real))
        loss = tf.reduce_mean(losses.discriminator_loss(real_scores, score(official, fake)))
        total = loss + losses.r1_weight(official.meta["r1_gamma"], 0) * tf.reduce_mean(penalty)
    np.testing.assert_allclose(loss, official.values["out/d_loss"], **CLOSE)
    np.testing.assert_allclose(penalty, official.values["out/r1_per_image"], rtol=1e-3)
    assert_gradients(official, "grad_d", names, tape.gradient(total, [variable.value for _, variable in names]))


def assert_gradients(official, prefix, names, gradients):
    compared = 0
    for (name, _), gradient in zip(names, gradients):
        key = f"{prefix}/{name}"
        if key not in official.values:  # Layers of levels that this output does not use have no gradient.
            assert gradient is None, name
            continue
        expected = official.ours(name, official.values[key])
        # Single values that nearly cancel carry the rounding of long float32 sums: the tensor sets the scale.
        error = np.linalg.norm(gradient - expected) / np.linalg.norm(expected)
        assert error < 5e-3, f"{name}: relative error {error}"
        compared += 1
    assert compared >= 14


# What rounding to 8 and to 11 bits after every layer leaves.
@pytest.mark.parametrize(("precision", "tolerance"), [("mixed_bfloat16", 0.05), ("mixed_float16", 0.006)])
@pytest.mark.parametrize("name", NAMES[:2])
def test_16_bits(name, precision, tolerance):
    assert max(rounding_errors(name, precision).values()) < tolerance


class TestTensorFlowAddons:
    """What users of tensorflow-addons 0.23 had, and what computes the same here."""

    values = np.load(GOLDEN / "tfa_0_23.npz")

    def test_instance_normalization(self):
        x = tf.constant(self.values["instance_norm_x"])
        scale, shift = (tf.tile(self.values[f"instance_norm_{name}"][None], [len(x), 1]) for name in ("gamma", "beta"))
        y = ops.styled_instance_norm(x, scale, shift)
        # tensorflow-addons adds 1e-3 to the variance where StyleGAN adds 1e-8.
        np.testing.assert_allclose(y, self.values["instance_norm_y"], atol=5e-3)

    def test_lazy_adam(self):
        variable = tf.Variable(self.values["adam_var0"])
        optimizer = Adam(tf.distribute.get_strategy(), [variable])
        optimizer.learning_rate.assign(0.01)
        for gradient, expected in zip(self.values["adam_grads"], self.values["adam_vars"]):
            optimizer.apply(tf.constant(gradient))
            np.testing.assert_allclose(variable, expected, rtol=1e-5)

    def test_moving_average(self):
        """The average generator's rule, which tensorflow-addons keeps for each variable."""
        average, found = tf.constant(self.values["adam_var0"]), []
        for value in self.values["adam_vars"]:
            average = ops.lerp(tf.constant(value), average, self.values["moving_average_decay"])
            found.append(average)
        np.testing.assert_allclose(found, self.values["moving_average"], rtol=1e-5)
