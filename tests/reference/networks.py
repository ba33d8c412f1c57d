"""The two networks as functions of their named weights (arXiv 1812.04948, figure 1; 1908.08847, section 3).

Pictures and features are float64 tensors [N, H, W, C], kernels [h, w, in, out].
"""

import numpy as np
import tensorflow as tf

from tests.reference import conditions
from tests.reference.schedule import level_sizes

ROOT_2 = 2**0.5  # The gain of a layer before a leaky ReLU (He et al. 2015).


# --- Arithmetic ---


def leaky_relu(x):
    return tf.where(x > 0, x, 0.2 * x)


def pixel_norm(x, epsilon=1e-8):
    return x / tf.sqrt(tf.reduce_mean(x**2, axis=-1, keepdims=True) + epsilon)


def upsample(x):
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def upsample_smooth(x):
    """Between the middles of two pixels a quarter and three quarters of the way; beyond the edge lies the edge's pixel."""
    for axis in (1, 2):
        count = x.shape[axis]
        before, after = (tf.gather(x, np.clip(np.arange(count) + step, 0, count - 1), axis=axis) for step in (-1, 1))
        pairs = tf.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis=axis + 1)
        x = tf.reshape(pairs, [*x.shape[:axis], 2 * count, *x.shape[axis + 1 :]])
    return x


def downsample(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def fade(old, new, alpha):
    """From the old one at alpha = 0 to the new one at alpha = 1; alpha None = no fade, which needs no old one."""
    return new if alpha is None else (1 - alpha) * old() + alpha * new


def convolve(x, kernel):
    """The sum over a kernel's places, of which each sees the picture from somewhere else; zeros around the picture."""
    size, (_, height, width, _) = len(kernel), x.shape
    padded = tf.pad(x, [[0, 0], [size // 2] * 2, [size // 2] * 2, [0, 0]])
    return sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i, j in np.ndindex(size, size))


def blur(x):
    """Each channel with [1, 2, 1] x [1, 2, 1] / 16."""
    _, height, width, _ = x.shape
    padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return sum(
        a * b * padded[:, i : i + height, j : j + width] / 16 for i, a in enumerate((1, 2, 1)) for j, b in enumerate((1, 2, 1))
    )


# --- Layers with an equalized learning rate (arXiv 1710.10196, section 4.1) ---


def dense(weights, name, x, gain=1.0, lr_multiplier=1.0):
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"]
    return x @ (kernel * gain / len(kernel) ** 0.5 * lr_multiplier) + bias * lr_multiplier


def conv(weights, name, x, gain=ROOT_2, resample=None, fused=False):
    """A convolution; "up": nearest upsampling before it and a blur behind, "down": a blur before and a mean behind."""
    kernel = weights[f"{name}/kernel"]
    kernel = kernel * gain / np.prod(kernel.shape[:3]) ** 0.5
    if resample == "up":
        # The original's "fused" layers are transposed convolutions, which read the kernel backwards.
        x = blur(convolve(upsample(x), kernel[::-1, ::-1] if fused else kernel))
    elif resample == "down":
        x = downsample(convolve(blur(x), kernel))
    else:
        x = convolve(x, kernel)
    return x + weights[f"{name}/bias"]


# --- Conditions ---


def embed(weights, name, model, articles, keypoints):
    """Articles [N, S, h, w, 3] in slot order and heatmaps, by convolutions down to the base, to a vector [N, E]."""
    maps = np.stack([conditions.heatmaps(pose, model.condition_size) for pose in keypoints])
    x = tf.concat([*articles.transpose(1, 0, 2, 3, 4), maps * model.heatmap_gain], axis=-1)
    x = leaky_relu(conv(weights, f"{name}/from_conditions", x))
    for i in range(len(level_sizes(model.condition_size)) - 1):
        x = leaky_relu(conv(weights, f"{name}/down/{i}", x, resample="down"))
    x = leaky_relu(conv(weights, f"{name}/conv", x))
    x = leaky_relu(dense(weights, f"{name}/dense", tf.reshape(x, [len(x), -1]), ROOT_2))
    return dense(weights, f"{name}/out", x)


def condition_maps(model, batch, level, pose, articles):
    """The maps that enter each level up to `level`, a list of [N, H, W, M]; None where no condition enters as maps."""
    if not model.conditional or not (pose == "spatial" or articles == "worn"):
        return None
    entries = [
        conditions.maps_by_level(level_sizes(model.size)[: level + 1], model.slots, *entry, pose == "spatial", articles == "worn")
        for entry in zip(batch["keypoints"], batch["articles"])
    ]
    return [tf.constant(np.stack(maps)) for maps in zip(*entries)]


def worn(model, maps):
    """The articles as they lie over the body and where they do, a list by slot of [N, H, W, 3] and [N, H, W, 1]."""
    articles = tf.split(4 * maps[..., -3 * len(model.slots) :], len(model.slots), axis=-1)
    return [(article, tf.reduce_any(article != 0, axis=-1, keepdims=True)) for article in articles]


# --- The generator ---


def mapping(weights, model, z, embedding=None):
    """Latents [N, Z] and the condition's embedding to w, [N, D]."""
    if embedding is None:
        x = pixel_norm(z)
    elif model.condition_norm == "joint":
        x = pixel_norm(tf.concat([z, embedding], axis=-1))
    else:
        x = tf.concat([pixel_norm(z), pixel_norm(embedding, 1e-2)], axis=-1)
    for i in range(model.mapping_layers):
        x = leaky_relu(dense(weights, f"mapping/hidden/{i}", x, ROOT_2, model.mapping_lr_multiplier))
    return x


def synthesis(weights, model, w, noise, maps, level, alpha):
    """Pictures [N, H, W, 3] of style vectors and noise maps, both lists by layer, and of condition maps by level."""

    def styled(name, x, layer):
        """Noise, leaky ReLU, and AdaIN (section 2, equation 1)."""
        if model.noise_injection:
            x += noise[layer] * weights[f"{name}/noise/strength"]
        x = leaky_relu(x)
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        scale, shift = tf.split(dense(weights, f"{name}/adain/affine", w[layer])[:, None, None], 2, axis=-1)
        return (x - mean) / tf.sqrt(variance + 1e-8) * (scale + 1) + shift

    x, rgb = tf.repeat(weights["synthesis/levels/0/first/constant"], len(w[0]), axis=0), []
    x += weights["synthesis/levels/0/first/bias"]
    for i, size in enumerate(level_sizes(model.size)[: level + 1]):
        name = f"synthesis/levels/{i}"
        if i > 0:
            x = conv(weights, f"{name}/first", x, resample="up", fused=min(size) >= model.fused_from)
        if maps is not None:
            x += conv(weights, f"{name}/from_maps", maps[i], gain=4)
        x = styled(f"{name}/first_style", x, 2 * i)
        x = styled(f"{name}/second_style", conv(weights, f"{name}/second", x), 2 * i + 1)
        shown = conv(weights, f"{name}/to_rgb", x, gain=1)
        if model.maps_to_rgb:
            way = f"{name}/maps_to_rgb"
            hidden = conv(weights, f"{way}/from_features", x) + conv(weights, f"{way}/from_maps", maps[i], gain=4)
            shown += conv(weights, f"{way}/out", leaky_relu(hidden), gain=1)
        rgb.append(shown)
    if model.skips:
        picture = rgb[0]
        for i, added in enumerate(rgb[1:], 1):
            picture = upsample_smooth(picture) + (added if i < level or alpha is None else alpha * added)
    else:
        picture = fade(lambda: upsample(rgb[-2]), rgb[-1], alpha)
    return composed(model, picture, maps[level]) if model.composition else picture


def composed(model, drawn, maps):
    """The mean of own colors and of the articles that lie over a pixel, each weighted by its odds against the own colors."""
    total, weights = drawn[..., :3], 1.0
    for slot, (article, there) in enumerate(worn(model, maps)):
        odds = tf.where(there, tf.exp(drawn[..., 3 + slot, None]), 0.0)
        total, weights = total + odds * article, weights + odds
    return total / weights


# --- The discriminator ---


def features(weights, model, images, maps, level, alpha):
    """[N, F]: what the score is a function of."""

    def enter(images, i):
        x = conv(weights, f"from_rgb/{i}", images)
        if maps is not None:
            x += conv(weights, f"from_maps/{i}", maps[i], gain=4)
        if model.article_differences:
            differences = [tf.where(there, abs(images - article), 0) for article, there in worn(model, maps[i])]
            x += conv(weights, f"from_differences/{i}", tf.concat(differences, axis=-1))
        return leaky_relu(x)

    x = enter(images, level)
    for i in reversed(range(level)):
        x = leaky_relu(conv(weights, f"blocks/{i}/conv", x))
        x = leaky_relu(conv(weights, f"blocks/{i}/conv_down", x, resample="down"))
        if model.skips:
            images = downsample(images)
            x = enter(images, i) + (x if i < level - 1 or alpha is None else alpha * x)
        elif i == level - 1:
            x = fade(lambda: enter(downsample(images), i), x, alpha)

    # Minibatch standard deviation (1710.10196, section 3): one more map, the same for a strided group of pictures.
    count, height, width, _ = x.shape
    groups = count // min(model.stddev_group, count)
    deviation = [tf.math.reduce_variance(x[group::groups], axis=0) for group in range(groups)]
    statistic = [tf.reduce_mean(tf.sqrt(variance + 1e-8)) for variance in deviation]
    x = tf.concat([x, tf.stack([tf.fill([height, width, 1], statistic[n % groups]) for n in range(count)])], axis=-1)
    x = leaky_relu(conv(weights, "conv", x))
    return leaky_relu(dense(weights, "dense", tf.reshape(x, [count, -1]), ROOT_2))


def score(weights, model, features, embedding=None):
    """[N]: a score of the picture alone, and its projection on the conditions (Miyato & Koyama, equation 3)."""
    total = 0.0
    if not model.conditional or model.projection == "full":
        total += dense(weights, "unconditional", features)[:, 0]
    if embedding is not None:
        total += tf.reduce_sum(features * embedding, axis=-1) / features.shape[-1] ** 0.5
    return total
