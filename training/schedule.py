"""The schedule of progressive growing: what is trained at which image count, as StyleGAN does it (arXiv 1710.10196)."""

import dataclasses

from tf_outfit_gan.errors import UserError

# StyleGAN's total batch by number of GPUs and height of the level; higher levels keep the last one.
_BATCHES = {
    1: {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4},
    2: {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
    4: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16},
    8: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
}
_LEARNING_RATES = {64: 0.001, 128: 0.0015, 256: 0.002, 512: 0.003}


@dataclasses.dataclass(frozen=True)
class Period:
    """A stretch of the run in which one level fades in or is stable. `index` counts them from 0."""

    index: int
    level: int
    fading: bool
    start_nimg: int
    end_nimg: int

    def alpha(self, cur_nimg):
        """How far the level is faded in: 0 to 1."""
        return min((cur_nimg - self.start_nimg) / (self.end_nimg - self.start_nimg), 1.0) if self.fading else 1.0


def periods(num_levels, config):
    """All periods of a run: the start level stable, then each next level fading in and stable; the last one ends the run."""
    total, fade, stable = (round(kimg * 1000) for kimg in (config.total_kimg, config.fade_kimg, config.stable_kimg))
    start_level = min(config.start_level, num_levels - 1)
    stretches = [(start_level, False, stable)]
    for level in range(start_level + 1, num_levels):
        stretches += [(level, True, fade), (level, False, stable)]
    found, start = [], 0
    for index, (level, fading, length) in enumerate(stretches):
        end = total if index == len(stretches) - 1 else min(start + length, total)
        if end > start:
            found.append(Period(len(found), level, fading, start, end))
        start = end
    return found


def period_at(cur_nimg, all_periods):
    """The period that trains image number `cur_nimg`."""
    return next(period for period in all_periods if cur_nimg < period.end_nimg)


def batch_size(config, height, replicas, stddev_group):
    """The total batch of a level: the configured one, or StyleGAN's.

    Raises:
        UserError: when a replica's share is not whole, or no whole number of minibatch-stddev groups.
    """
    batch = config.batch_size
    if not batch:
        table = _BATCHES[max(count for count in _BATCHES if count <= replicas)]
        batch = _at_height(table, height)
        batch = max(batch // replicas, 1) * replicas  # For 3 or 6 replicas, say.
    share = batch // replicas
    if batch % replicas or (share > stddev_group and share % stddev_group):
        raise UserError(
            f"batch_size {batch} over {replicas} replica(s): each replica needs a whole share, and of more than "
            f"{stddev_group} pictures a multiple of {stddev_group}; try --set batch_size={stddev_group * replicas}"
        )
    return batch


def learning_rate(config, height):
    """The learning rate of a level, of both networks: the configured one, or StyleGAN's."""
    return config.learning_rate or _at_height(_LEARNING_RATES, height)


def _at_height(table, height):
    return table[min((h for h in table if h >= height), default=max(table))]
