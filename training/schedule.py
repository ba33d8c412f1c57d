"""The schedule of progressive growing: what is trained at which image count, as StyleGAN does it (arXiv 1710.10196)."""

import dataclasses

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError

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
    """A stretch of the run in which one level fades in or is stable."""

    index: int  # From 0.
    level: int
    fading: bool
    start_nimg: int
    end_nimg: int
    fade_nimg: tuple  # (start, end) of fading in; a run may end before that does.
    size: tuple  # (height, width) of the level.
    batch: int  # Over all replicas.
    micro_batch: int  # Pictures that a replica computes together.
    learning_rate: float

    @property
    def state(self):
        """In words, for people."""
        return "fading in" if self.fading else "stable"

    def alpha(self, cur_nimg):
        """How far the level is faded in: 0 to 1."""
        start, end = self.fade_nimg
        return min((cur_nimg - start) / (end - start), 1.0) if self.fading else 1.0


@dataclasses.dataclass(frozen=True)
class Stage:
    """What selects a traced step: a level, fading in or stable, and how many pictures a replica sees."""

    level: int
    fading: bool
    replica_batch: int
    replicas: int
    micro_batch: int = 0  # The pictures of a micro-batch, of which a replica computes one at a time; 0 = all.

    @property
    def batch(self):
        return self.replica_batch * self.replicas

    @property
    def micro_batch_size(self):
        """Pictures that a replica computes together."""
        return self.micro_batch or self.replica_batch

    @property
    def num_micro_batches(self):
        """The micro-batches of an update, one after another."""
        return self.replica_batch // self.micro_batch_size


def periods(model_config, config, replicas):
    """All periods of a run: the start level stable, then each next one fading in and stable; the last ends the run.

    Raises:
        UserError: when the batch of a level cannot be shared out, or has no neighbors to exchange conditions with;
            better now than weeks later, when the level begins.
    """
    total, fade, stable = (round(kimg * 1000) for kimg in (config.total_kimg, config.fade_kimg, config.stable_kimg))
    start_level = min(config.start_level, model_config.num_levels - 1)
    stretches = [(start_level, False, stable)]
    for level in range(start_level + 1, model_config.num_levels):
        stretches += [(level, True, fade), (level, False, stable)]
    found, start = [], 0
    for number, (level, fading, length) in enumerate(stretches, 1):
        end = total if number == len(stretches) else min(start + length, total)
        if end > start:
            size, group = model_config.level_sizes[level], model_config.stddev_group
            batch = batch_size(config, size[0], replicas, group)
            micro = micro_batch(config, batch // replicas, group)
            if micro < 2 and config.mismatch_weight and model_config.conditional:
                raise UserError(
                    f"{format_size(size)}: mismatch_weight {config.mismatch_weight:g} takes wrong conditions from another "
                    f"picture of the batch, but a micro-batch has {micro}; set batch_size to "
                    f"{2 * replicas} or more, or mismatch_weight=0"
                )
            rate = learning_rate(config, size[0])
            fade_nimg = start, start + length
            found.append(Period(len(found), level, fading, start, end, fade_nimg, size, batch, micro, rate))
        start = end
    return found


def period_at(cur_nimg, all_periods):
    """The period that trains image number `cur_nimg`."""
    return next(period for period in all_periods if cur_nimg < period.end_nimg)


def picture_cost(model_config, level):
    """What one picture of a level costs to train on, relative to another level: multiplications, about.

    Of the convolutions, pixels times products of feature maps: two of each level up to this one; and, in a conditional model,
    one of each level of the embedding networks, which see articles and pose at one size at every level.
    """
    sizes, channels = model_config.level_sizes, model_config.channels

    def products(level):
        """(Of the convolution from the level below, of that within the level)."""
        pixels = sizes[level][0] * sizes[level][1]
        return pixels * channels(max(level - 1, 0)) * channels(level), pixels * channels(level) ** 2

    grown = sum(sum(products(below)) for below in range(level + 1))
    if not model_config.conditional:
        return grown
    return grown + sum(products(below)[0] for below in range(sizes.index(model_config.condition_size) + 1))


def left_sec(model_config, all_periods, cur_nimg, level, images_per_sec):
    """Seconds that the rest of a run takes, growing included, from the images a second that were measured at a level."""
    cost = sum(
        (period.end_nimg - max(period.start_nimg, cur_nimg)) * picture_cost(model_config, period.level)
        for period in all_periods
        if period.end_nimg > cur_nimg
    )
    return cost / picture_cost(model_config, level) / images_per_sec


def batch_size(config, height, replicas, stddev_group):
    """The total batch of a level: the configured one, or StyleGAN's.

    Raises:
        UserError: when a replica's share is not whole, or no whole number of minibatch-stddev groups.
    """
    batch = config.batch_size
    if not batch:
        table = _BATCHES[max(count for count in _BATCHES if count <= replicas)]
        # For numbers of replicas that StyleGAN has no batch for, the next smaller one that can be shared out.
        share = max(_at_height(table, height) // replicas, 1)
        share -= share % stddev_group if share > stddev_group else 0
        return share * replicas
    share = batch // replicas
    if batch % replicas or (share > stddev_group and share % stddev_group):
        raise UserError(
            f"batch_size {batch} over {replicas} replica(s): each replica needs a whole share, and of more than "
            f"{stddev_group} pictures a multiple of {stddev_group}; try --set batch_size={stddev_group * replicas}"
        )
    return batch


def micro_batch(config, share, stddev_group):
    """The pictures of a micro-batch: the configured number, at most all of a replica's share.

    Raises:
        UserError: when it does not divide the share, or is no whole number of minibatch-stddev groups.
    """
    micro = config.micro_batch or share
    if micro >= share:
        return share
    if share % micro or micro % stddev_group:
        raise UserError(
            f"micro_batch {micro}: expected to divide the {share} pictures of a replica, and a multiple of "
            f"stddev_group {stddev_group}; try --set micro_batch={stddev_group if share % stddev_group == 0 else 0}"
        )
    return micro


def learning_rate(config, height):
    """The learning rate of a level, of both networks: the configured one, or StyleGAN's."""
    return config.learning_rate or _at_height(_LEARNING_RATES, height)


def _at_height(table, height):
    return table[min((h for h in table if h >= height), default=max(table))]


def table(model_config, config, replicas):
    """The periods as lines of text, for a person."""
    rows = [("period", "level", "size", "state", "kimg", "batch", "micro-batch", "learning rate")]
    for period in periods(model_config, config, replicas):
        micro = f"{replicas} x {period.micro_batch}"
        kimg = f"{period.start_nimg / 1000:g} to {period.end_nimg / 1000:g}"
        rows.append(
            (
                str(period.index),
                str(period.level),
                format_size(period.size),
                period.state,
                kimg,
                str(period.batch),
                micro,
                f"{period.learning_rate:g}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
