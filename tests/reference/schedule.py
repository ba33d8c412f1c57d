"""The schedule of progressive growing: StyleGAN's `training_schedule` (arXiv 1710.10196, section 2)."""

from collections import namedtuple

# alpha: how far the level is faded in; None = the level is stable.
Moment = namedtuple("Moment", "level alpha batch learning_rate")

# The original's total batch by number of GPUs and height of the picture; above the last height it stays.
BATCH = {
    1: {4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4},
    2: {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
    4: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16},
    8: {4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
}
LEARNING_RATE = {4: 0.001, 8: 0.001, 16: 0.001, 32: 0.001, 64: 0.001, 128: 0.0015, 256: 0.002, 512: 0.003}


def level_sizes(size):
    """(height, width) of every level: the base of 4 pixels' height, doubled until the full picture."""
    sizes = [size]
    while sizes[0][0] > 4:
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    return sizes


def moment_at(model, training, gpus, cur_nimg):
    """What is trained after `cur_nimg` images: a level is stable and then the next one fades in, again and again.

    The top level stays to the end. A fade begins at alpha 0 with the new level's batch and learning rate.
    """
    sizes = level_sizes(model.size)
    stable, fade = round(training.stable_kimg * 1000), round(training.fade_kimg * 1000)
    grown, into = divmod(cur_nimg, stable + fade)
    level, alpha = min(training.start_level, len(sizes) - 1) + grown, None
    if into >= stable:
        level, alpha = level + 1, (into - stable) / fade
    if level > len(sizes) - 1:
        level, alpha = len(sizes) - 1, None
    height = sizes[level][0]
    batch, rate = BATCH[gpus], LEARNING_RATE
    return Moment(
        level,
        alpha,
        training.batch_size or batch[min(height, max(batch))],
        training.learning_rate or rate[min(height, max(rate))],
    )
