"""The run: steps of discriminator, R1, generator and averages, as the papers have them."""

import numpy as np
import tensorflow as tf

from tests.reference import data, networks
from tests.reference.augmentation import Alterations, adapted
from tests.reference.draws import DISCRIMINATOR, GENERATOR, R1, Draws
from tests.reference.networks import downsample, fade, upsample, upsample_smooth
from tests.reference.schedule import level_sizes, moment_at


class Adam:
    """Adam (arXiv 1412.6980, algorithm 1) with beta1 = 0, over named weights."""

    def __init__(self, weights, beta2):
        self.beta2 = beta2
        self.moments = {name: np.zeros(value.shape) for name, value in weights.items()}
        self.updates = 0

    def reset(self):
        self.moments = {name: 0 * moment for name, moment in self.moments.items()}
        self.updates = 0

    def update(self, weights, gradients, learning_rate):
        self.updates += 1
        for name, gradient in gradients.items():
            moment = self.beta2 * self.moments[name] + (1 - self.beta2) * gradient**2
            self.moments[name] = moment
            weights[name] = weights[name] - learning_rate * gradient / (np.sqrt(moment / (1 - self.beta2**self.updates)) + 1e-8)


class Run:
    """A run from given weights.

    Args:
        model, training: the configurations.
        weights: {"generator" | "discriminator" | "average": {name: array}}.
        stored: {(height, width): what `data.entry` takes}, in the order of the records.
        entries, window: for `data.order`.
        replicas, micro_batches: share a batch among them. A picture's neighbors are those of its share; nothing else depends
            on how many there are.
    """

    def __init__(self, model, training, weights, stored, entries, window, replicas=1, micro_batches=1):
        self.model, self.training, self.stored = model, training, stored
        self.replicas, self.shares = replicas, replicas * micro_batches
        self.generator, self.discriminator, self.average = (
            {name: np.float64(value) for name, value in weights[network].items()}
            for network in ("generator", "discriminator", "average")
        )
        # With lazy R1 the discriminator has interval + 1 updates where it had interval (1912.04958, appendix B).
        lazy = 1 if training.r1_interval == 1 else training.r1_interval / (training.r1_interval + 1)
        self.generator_adam = Adam(_trainable(self.generator), training.adam_beta2)
        self.discriminator_adam = Adam(self.discriminator, training.adam_beta2**lazy)
        self.lazy, self.ada_probability = lazy, 0.0
        self.order = data.order(entries, training.seed, window)
        self.cur_nimg, self.period = 0, None

    def step(self):
        """Trains one batch. Returns its statistics, {name: mean}; those of R1 only where it had R1."""
        training, statistics = self.training, {}
        moment = moment_at(self.model, training, self.replicas, self.cur_nimg)
        period = moment.level, moment.alpha is not None
        if period != self.period:  # Adam starts afresh when a fade begins and when it ends.
            self.generator_adam.reset(), self.discriminator_adam.reset()
            self.period = period
        batch = self._batch(moment)
        slow_rate = moment.learning_rate * self.lazy

        gradients, found = self._phase(DISCRIMINATOR, moment, batch)
        self.discriminator_adam.update(self.discriminator, gradients, slow_rate)
        statistics |= found
        if training.r1_interval > 1 and self.cur_nimg // moment.batch % training.r1_interval == 0:
            gradients, found = self._phase(R1, moment, batch)
            self.discriminator_adam.update(self.discriminator, gradients, slow_rate)
            statistics |= found
        gradients, found = self._phase(GENERATOR, moment, batch)
        self.generator_adam.update(self.generator, gradients, moment.learning_rate)
        statistics |= found

        # The center of truncation, and the average of the generator, whose weights halve every so many images.
        w = statistics.pop("w")
        self.generator["mapping/w_avg"] = 0.995 * self.generator["mapping/w_avg"] + 0.005 * w
        keep = 0.5 ** (moment.batch / (training.ema_halflife_kimg * 1000))
        for name, value in self.generator.items():
            self.average[name] = keep * self.average[name] + (1 - keep) * value
        self.average["mapping/w_avg"] = self.generator["mapping/w_avg"]
        if training.ada_target:
            self.ada_probability = adapted(self.ada_probability, statistics["sign_real"], moment.batch, training)
            statistics["ada_probability"] = self.ada_probability
        self.cur_nimg += moment.batch
        return statistics

    def standing(self):
        """Where the run stands after a step: the height of the level that it trained, and how far that is faded in."""
        level, fading = self.period
        now = moment_at(self.model, self.training, self.replicas, self.cur_nimg)
        alpha = now.alpha if fading and now.level == level and now.alpha is not None else 1.0
        return {"height": level_sizes(self.model.size)[level][0], "alpha": alpha}

    def _batch(self, moment):
        stored = self.stored[level_sizes(self.model.size)[moment.level]]
        drawn = [next(self.order) for _ in range(moment.batch)]
        entries = [data.entry(stored, record, self.training.mirror and coin < 0.5) for record, coin in drawn]
        return {name: np.stack([entry[name] for entry in entries]) for name in entries[0]}

    def _phase(self, phase, moment, batch):
        """The gradients and statistics of a phase, as means over the batch. Shares take every so many-th entry."""
        loss_of = {DISCRIMINATOR: self._discriminator_loss, R1: self._r1_loss, GENERATOR: self._generator_loss}[phase]
        weights = _trainable(self.generator) if phase == GENERATOR else self.discriminator
        draws = Draws(self.training.seed, self.cur_nimg, phase, moment.batch)
        gradients, means = {name: 0.0 for name in weights}, {}
        for share in range(self.shares):
            rows = slice(share, None, self.shares)
            with tf.GradientTape() as tape:
                watched = {name: tf.constant(value) for name, value in weights.items()}
                tape.watch(watched)
                own = {name: values[rows] for name, values in batch.items()}
                loss, statistics = loss_of(watched, moment, own, draws, rows)
                total = tf.reduce_sum(loss) / moment.batch
            found = tape.gradient(total, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            for name, gradient in found.items():
                gradients[name] = gradients[name] + gradient.numpy()
            for name, values in statistics.items():
                means[name] = means.get(name, 0.0) + np.sum(values, axis=0) / moment.batch
        return gradients, means

    # --- What each phase computes for a share, one value a picture ---

    def _discriminator_loss(self, weights, moment, batch, draws, rows):
        """softplus(-D(real)) + softplus(D(fake)) (arXiv 1406.2661, section 3), and what is added to it."""
        model, training = self.model, self.training
        seen = self._alterations(moment, draws, rows)
        real = self._faded(batch["image"], moment)
        fake, _ = self._fakes(self.generator, moment, batch, draws, rows)
        own = self._conditions(weights, moment, seen.conditions(batch))
        real_scores = self._scores(weights, moment, seen.images(real), own)
        fake_scores = self._scores(weights, moment, seen.images(fake), own)
        loss = tf.nn.softplus(-real_scores) + tf.nn.softplus(fake_scores)
        chance, statistics = 0.0, {}
        if training.mismatch_weight and model.conditional:
            # A photo under wrong conditions is no answer to them (1605.05396, algorithm 1): it counts as a fake.
            wrong, differs = self._wrong_conditions(weights, moment, batch, own, seen, draws, rows)
            wrong_scores = self._scores(weights, moment, seen.images(real), wrong)
            loss += training.mismatch_weight * differs * tf.nn.softplus(wrong_scores)
            chance = -np.log(1 + training.mismatch_weight)
            statistics["score_mismatch"] = wrong_scores
        statistics |= {
            "loss_discriminator": loss,
            "score_real": real_scores,
            "score_fake": fake_scores,
            "sign_real": np.sign(real_scores - chance),
            "sign_fake": np.sign(fake_scores - chance),
            "spread_real": self._spread(real),
            "spread_fake": self._spread(fake),
        }
        if training.r1_interval == 1:
            penalty = self._r1_penalty(weights, moment, real, seen, own)
            loss += self._r1_weight(moment) * penalty
            statistics |= {"r1_penalty": penalty, "r1_loss": self._r1_weight(moment) * penalty}
        return loss, statistics

    def _r1_loss(self, weights, moment, batch, draws, rows):
        """R1 alone, as strong as all the steps that had none."""
        seen = self._alterations(moment, draws, rows)
        own = self._conditions(weights, moment, seen.conditions(batch))
        penalty = self._r1_penalty(weights, moment, self._faded(batch["image"], moment), seen, own)
        statistics = {"r1_penalty": penalty, "r1_loss": self._r1_weight(moment) * penalty}
        return self.training.r1_interval * self._r1_weight(moment) * penalty, statistics

    def _generator_loss(self, weights, moment, batch, draws, rows):
        """softplus(-D(fake)) (1406.2661, section 3: the non-saturating loss)."""
        seen = self._alterations(moment, draws, rows)
        fake, w = self._fakes(weights, moment, batch, draws, rows)
        own = self._conditions(self.discriminator, moment, seen.conditions(batch))
        loss = tf.nn.softplus(-self._scores(self.discriminator, moment, seen.images(fake), own))
        statistics = {"loss_generator": loss, "w": w}
        if self.training.paired_weight and self.model.conditional:
            again = Draws(self.training.seed, self.cur_nimg, GENERATOR, moment.batch, again=True)
            other, _ = self._fakes(weights, moment, batch, again, rows)
            statistics["paired_score"] = self._energy_score(fake, other, self._faded(batch["image"], moment))
            loss += self.training.paired_weight * statistics["paired_score"]
        return loss, statistics

    # --- Their parts ---

    def _fakes(self, weights, moment, batch, draws, rows):
        """Pictures with style mixing (1812.04948, section 3.1) under the batch's conditions, and the first w."""
        model, sizes = self.model, level_sizes(self.model.size)[: moment.level + 1]
        embedding = None
        if model.conditional:
            embedding = networks.embed(weights, "embedding", model, batch["articles"], batch["keypoints"])
        first, second = (
            networks.mapping(weights, model, draw(model.latent_dim)[rows], embedding)
            for draw in (draws.first_latents, draws.second_latents)
        )
        cutoff = draws.mixing_cutoff(self.training.mixing_probability, 2 * len(sizes))
        w = [first if layer < cutoff else second for layer in range(2 * len(sizes))]
        noise = [draws.noise(layer, sizes[layer // 2])[rows] for layer in range(2 * len(sizes))]
        maps = networks.condition_maps(model, batch, moment.level, model.pose_path, model.article_path)
        return networks.synthesis(weights, model, w, noise, maps, moment.level, moment.alpha), first

    def _faded(self, real, moment):
        """Photos lose the detail that the fading level does not draw yet."""
        real = tf.constant(real)
        enlarge = upsample_smooth if self.model.skips else upsample
        return fade(lambda: enlarge(downsample(real)), real, moment.alpha)

    def _conditions(self, weights, moment, batch):
        """(embedding, maps) under which the discriminator scores a batch."""
        model = self.model
        if not model.conditional:
            return None, None
        return (
            networks.embed(weights, "embedding", model, batch["articles"], batch["keypoints"]),
            networks.condition_maps(model, batch, moment.level, model.discriminator_pose, model.article_path),
        )

    def _scores(self, weights, moment, images, conditions):
        embedding, maps = conditions
        found = networks.features(weights, self.model, images, maps, moment.level, moment.alpha)
        return networks.score(weights, self.model, found, embedding)

    def _wrong_conditions(self, weights, moment, batch, own, seen, draws, rows):
        """Conditions of the neighbor before in the share, and [N] 1 where they differ from the own ones, else 0.

        All of them, "entry"; or of its "parts", the pose or one of the articles that differ, half of the time each.
        """
        if self.training.mismatch == "entry":
            embedding, maps = own
            return (tf.roll(embedding, 1, 0), maps and [tf.roll(level, 1, 0) for level in maps]), 1.0
        articles, keypoints = batch["articles"].copy(), batch["keypoints"].copy()
        differs = np.zeros(len(articles))
        for n, numbers in enumerate(draws.mismatch(1 + articles.shape[1])[rows]):
            others = [
                slot for slot in range(articles.shape[1]) if (batch["articles"][n, slot] != batch["articles"][n - 1, slot]).any()
            ]
            if numbers[0] < 0.5:
                keypoints[n] = batch["keypoints"][n - 1]
                differs[n] = (keypoints[n] != batch["keypoints"][n]).any()
            elif others:
                slot = max(others, key=lambda slot: numbers[1 + slot])
                articles[n, slot] = batch["articles"][n - 1, slot]
                differs[n] = 1
        wrong = seen.conditions({"articles": articles, "keypoints": keypoints})
        return self._conditions(weights, moment, wrong), differs

    def _energy_score(self, one, other, photo):
        """The mean over sizes and pixels of (|x - y| + |x' - y| - |x - x'|) / 2, of colors (Gneiting and Raftery 2007, 22)."""
        scores = []
        while True:
            apart = [
                tf.reduce_mean(tf.sqrt(tf.reduce_sum(d**2, -1) + 1e-6), [1, 2]) for d in (one - photo, other - photo, one - other)
            ]
            scores.append((apart[0] + apart[1] - apart[2]) / 2)
            if one.shape[1] <= 8:
                return tf.add_n(scores) / len(scores)
            one, other, photo = downsample(one), downsample(other), downsample(photo)

    def _r1_penalty(self, weights, moment, real, seen, own):
        """The squared norm of the score's gradient at the photo (1801.04406, equation 9)."""
        with tf.GradientTape() as tape:
            tape.watch(real)
            scores = self._scores(weights, moment, seen.images(real), own)
        return tf.reduce_sum(tape.gradient(scores, real) ** 2, axis=[1, 2, 3])

    def _r1_weight(self, moment):
        """gamma / 2. The original's gradient is that of the full-size, repeated picture: 4^lod times smaller."""
        lod = len(level_sizes(self.model.size)) - 1 - moment.level
        return self.training.r1_gamma / 2 / 4**lod

    def _alterations(self, moment, draws, rows):
        if not self.training.ada_target:
            return _Unaltered()
        size = level_sizes(self.model.size)[moment.level]
        return Alterations(self.ada_probability, draws.alterations(16)[rows], size)

    def _spread(self, images):
        """How much a picture differs from the one before it, at 8 pixels' height or below."""
        while images.shape[1] > 8:
            images = downsample(images)
        return tf.reduce_mean(tf.abs(images - tf.roll(images, 1, 0)), axis=[1, 2, 3])


class _Unaltered:
    images = conditions = staticmethod(lambda seen: seen)


def _trainable(weights):
    return {name: value for name, value in weights.items() if name != "mapping/w_avg"}
