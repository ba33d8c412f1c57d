"""The phases of a training step: what each computes on one replica, as losses and gradients, before anything is changed.

A step runs the discriminator's phase and the generator's. R1 belongs to every discriminator phase, as in StyleGAN, or
is a phase of its own every so many steps: the lazy form of arXiv 1912.04958, appendix B.
"""

import collections
import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from tf_outfit_gan import losses, ops, styles
from tf_outfit_gan.randomness import OTHER_LATENT
from training.augment import Augmentation, Unaltered
from training.mismatch import with_wrong_part

# What a picture is drawn or scored under: embedding [N, F] and condition maps, a list of [N, H, W, M]; None where there is none.
Conditions = collections.namedtuple("Conditions", "embedding maps")


@dataclasses.dataclass(frozen=True)
class Phase:
    """One update of one network in a step.

    `loss` takes the stage, one replica's batch, its `BatchDraws`, the fade's alpha (None when stable) and the optimizer's loss
    scale, and returns (statistics, gradients): sums over the replica's pictures divided by the global batch, so that summing
    over replicas gives the mean. The gradients, and they alone, are multiplied by the loss scale. Statistics are by name, in
    the order of their computation: the scalars among them go to stats.jsonl, TensorBoard and the report.
    """

    name: str
    network: str  # Whose weights it updates: "generator" or "discriminator".
    interval: int  # Every so many steps; 0 = never.
    loss: Callable


class Phases:
    """The phases of a step, and what they have in common.

    Args:
        generator, discriminator: the networks.
        config: the `TrainingConfig`.
        ada_probability: the variable of adaptive augmentation.
    """

    def __init__(self, generator, discriminator, config, ada_probability):
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self.ada_probability = ada_probability
        self.model_config = generator.config
        # R1 is a part of every discriminator phase, or a phase of its own.
        lazy = config.r1_interval if config.r1_interval > 1 else 0
        self.all = (
            Phase("discriminator", "discriminator", 1, self.discriminator_phase),
            Phase("r1", "discriminator", lazy, self.r1_phase),
            Phase("generator", "generator", 1, self.generator_phase),
        )

    def discriminator_phase(self, stage, batch, draws, alpha, loss_scale=1.0):
        """The discriminator's loss on reals and on fakes of the same conditions; with R1 unless that is lazy."""
        real = self._fade(batch["image"], alpha)
        fake, _ = self._fake(stage, self._conditions(self.generator, stage, batch, Unaltered()), draws, alpha)
        seen = self._augmentation(stage, draws)
        with tf.GradientTape() as tape:
            own = self._conditions(self.discriminator, stage, batch, seen)
            wrong, is_wrong = self._wrong_conditions(stage, batch, own, seen, draws)
            penalty, pictures = 0.0, [(seen.images(fake), own.maps)]
            if wrong and wrong.maps is not None:
                pictures.append((seen.images(real), wrong.maps))
            if self.config.r1_interval == 1:
                real_features, penalty = self._penalized_features(stage, real, own, seen, alpha, loss_scale)
                fake_features, *wrong_features = self._joint_features(stage, pictures, alpha)
            else:
                pictures.insert(0, (seen.images(real), own.maps))
                real_features, fake_features, *wrong_features = self._joint_features(stage, pictures, alpha)
            real_scores = self.discriminator.score(real_features, own.embedding)
            fake_scores = self.discriminator.score(fake_features, own.embedding)
            loss = losses.discriminator_loss(real_scores, fake_scores)
            if wrong:
                # Where conditions enter through the embedding alone, the photo's features do not depend on them.
                (features,) = wrong_features or [real_features]
                wrong_scores = self.discriminator.score(features, wrong.embedding)
                loss += self.config.mismatch_weight * is_wrong * losses.mismatch_loss(wrong_scores)
            total = tf.reduce_sum(loss + self.r1_weight(stage) * penalty) / stage.batch
        statistics = {
            "score_real": real_scores,
            "score_fake": fake_scores,
            "sign_real": tf.sign(real_scores - self._chance()),
            "sign_fake": tf.sign(fake_scores - self._chance()),
            "spread_real": self._spread(real),
            "spread_fake": self._spread(fake),
        }
        if wrong:
            statistics["score_mismatch"] = wrong_scores
        if self.config.r1_interval == 1:
            statistics |= self._r1_statistics(stage, penalty)
        statistics["loss_discriminator"] = loss
        return _mean(statistics, stage), self._gradients(tape, total, self.discriminator, loss_scale)

    def r1_phase(self, stage, batch, draws, alpha, loss_scale=1.0):
        """R1 alone, weighted by the interval that it stands for."""
        real = self._fade(batch["image"], alpha)
        seen = self._augmentation(stage, draws)
        with tf.GradientTape() as tape:
            own = self._conditions(self.discriminator, stage, batch, seen)
            _, penalty = self._penalized_features(stage, real, own, seen, alpha, loss_scale)
            total = tf.reduce_sum(penalty) * self.r1_weight(stage) * self.config.r1_interval / stage.batch
        statistics = self._r1_statistics(stage, penalty)
        return _mean(statistics, stage), self._gradients(tape, total, self.discriminator, loss_scale)

    def generator_phase(self, stage, batch, draws, alpha, loss_scale=1.0):
        """Fakes that the discriminator takes for real, under conditions drawn from the data. Reports w [D], too."""
        seen = self._augmentation(stage, draws)
        with tf.GradientTape() as tape:
            given = self._conditions(self.generator, stage, batch, Unaltered())
            fake, w = self._fake(stage, given, draws, alpha)
            own = self._conditions(self.discriminator, stage, batch, seen)
            scores = self.discriminator(seen.images(fake), own.embedding, level=stage.level, alpha=alpha, maps=own.maps)
            loss = losses.generator_loss(scores)
            statistics = {"loss_generator": loss, "w": w}
            if self.config.paired_weight and self.model_config.conditional:
                other, _ = self._fake(stage, given, draws.again(), alpha)
                score = losses.energy_score(fake, other, self._fade(batch["image"], alpha))
                loss += self.config.paired_weight * score
                statistics["paired_score"] = score
            total = tf.reduce_sum(loss) / stage.batch
        return _mean(statistics, stage), self._gradients(tape, total, self.generator, loss_scale)

    def _fake(self, stage, given, draws, alpha):
        """Pictures with style mixing: one cutoff a batch, both latents under one condition; and the first one's w."""
        generator, sizes = self.generator, self.model_config.level_sizes[: stage.level + 1]
        first_w = generator.mapping(draws.latents(self.model_config.latent_dim), given.embedding)
        w = generator.broadcast(first_w)
        if self.config.mixing_probability:
            other = generator.mapping(draws.latents(self.model_config.latent_dim, OTHER_LATENT), given.embedding)
            cutoff = draws.mixing_cutoff(self.config.mixing_probability, 2 * len(sizes))
            w = styles.mix(w, generator.broadcast(other), cutoff)
        return generator.synthesis(w, draws.noise(sizes), given.maps, level=stage.level, alpha=alpha), first_w

    def _augmentation(self, stage, draws):
        """How the discriminator sees this batch."""
        if not self.config.ada_target:
            return Unaltered()
        return Augmentation(self.ada_probability, draws, self.model_config.level_sizes[stage.level])

    def _chance(self):
        """The score of a discriminator that distinguishes nothing: 0, or less where photos count as fakes, too."""
        return -math.log(1 + self.config.mismatch_weight) if self.model_config.conditional else 0.0

    def _conditions(self, network, stage, batch, seen):
        """What a network is given of a batch's articles and poses, as it is to see them."""
        if not self.model_config.conditional:
            return Conditions(None, None)
        batch = seen.conditions(batch)
        given = batch["articles"], batch["keypoints"]
        return Conditions(network.embed(*given), network.condition_maps(*given, stage.level))

    def _wrong_conditions(self, stage, batch, own, seen, draws):
        """Conditions that the photos do not show, and [N] 1 where they really differ; (None, None) without mismatch."""
        if not (self.config.mismatch_weight and self.model_config.conditional):
            return None, None
        if self.config.mismatch == "parts":
            wrong, differs = with_wrong_part(batch, draws)
            return self._conditions(self.discriminator, stage, wrong, seen), differs
        return tf.nest.map_structure(lambda x: None if x is None else tf.roll(x, 1, axis=0), own), 1.0

    def _fade(self, real, alpha):
        """Reals lose the detail that the fading level does not draw yet."""
        if alpha is None:
            return real
        upsample = ops.upsample_smooth if self.model_config.skips else ops.upsample
        return ops.lerp(upsample(ops.downsample(real)), real, alpha)

    def _penalized_features(self, stage, real, own, seen, alpha, loss_scale):
        """Features of reals, and the R1 penalty of their scores: its gradient is taken at the unaltered pictures."""
        with tf.GradientTape() as tape:
            tape.watch(real)
            features = self.discriminator.features(seen.images(real), stage.level, alpha, own.maps)
            scores = self.discriminator.score(features, own.embedding)
        # This gradient passes through the network too: it is scaled on its way like every other.
        gradient = tape.gradient(scores, real, tf.fill(tf.shape(scores), loss_scale)) / loss_scale
        return features, losses.r1_penalty(gradient)

    def _joint_features(self, stage, pictures, alpha):
        """Features of k kinds of pictures, such as reals and fakes, from one pass, which takes less time than k.

        The kinds alternate in the batch: a minibatch-stddev group, which takes every so many-th picture, then holds one
        kind only, and the same ones as in a pass of their own; given that each kind fills its groups.

        Args:
            pictures: a list of (images [N, H, W, 3], their condition maps).

        Returns:
            A list of [N, F].
        """
        if stage.micro_batch_size % self.model_config.stddev_group:
            return [self.discriminator.features(images, stage.level, alpha, maps) for images, maps in pictures]

        def alternating(*kinds):
            if kinds[0] is None:
                return None
            return tf.reshape(tf.stack(kinds, axis=1), [-1, *kinds[0].shape[1:]])  # [kN, ...]

        images, maps = tf.nest.map_structure(alternating, *pictures)
        features = self.discriminator.features(images, stage.level, alpha, maps)
        return tf.unstack(tf.reshape(features, [-1, len(pictures), features.shape[-1]]), axis=1)

    def _r1_statistics(self, stage, penalty):
        """The penalty, and its part in the loss.

        In float16 the scaled gradient overflows now and then: that step is skipped, and is no divergence.
        """
        if self.config.precision == "mixed_float16":
            penalty = tf.where(tf.math.is_finite(penalty), penalty, 0.0)
        return {"r1_penalty": penalty, "r1_loss": penalty * self.r1_weight(stage)}

    def _spread(self, images):
        """How much each picture differs from its neighbor in the batch, [N, H, W, 3] -> [N]: mean absolute difference.

        At the size of level 1, some 8x6 pixels, where noise and fine detail do not count.
        """
        factor = images.shape[1] // self.model_config.level_sizes[:2][-1][0]
        if factor > 1:
            images = tf.nn.avg_pool2d(images, factor, factor, "VALID")
        return tf.reduce_mean(tf.abs(images - tf.roll(images, 1, axis=0)), axis=[1, 2, 3])

    def r1_weight(self, stage):
        """What a squared gradient is multiplied by in the loss."""
        return losses.r1_weight(self.config.r1_gamma, self.model_config.num_levels - 1 - stage.level)

    @staticmethod
    def _gradients(tape, total, network, loss_scale):
        """The gradients of the network's trainable variables; None for the layers that the level does not use."""
        variables = [variable.value for variable in network.trainable_variables]
        return tape.gradient(total, variables, tf.convert_to_tensor(loss_scale))


def _mean(statistics, stage):
    return {name: tf.reduce_sum(values, axis=0) / stage.batch for name, values in statistics.items()}
