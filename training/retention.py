"""What a run keeps of its snapshots and grids, and how large its folder becomes.

The newest few stay, and a history that gets thinner as it grows; what was measured as the best stays in any case.
"""

import math
import shutil

from tf_outfit_gan.util.atomic import remove_folder
from training import checkpoint

RECENT = 4  # The newest so many stay, whatever the history.
TICK_BYTES = 2000  # Of a tick in stats.jsonl, log.txt and TensorBoard, about.


def kept(kimgs, most):
    """Of the moments of a run, those that stay: `most` of them at most; 0 = all.

    These are the newest `RECENT`, and of the others the first one in each span of 1, 2, 4, 8 ... kimg, in the shortest
    spans of which there are few enough. The first one of a long span is the first one of a short one, too: a run that is
    thinned again and again has all that one thinning at its end would keep.
    """
    kimgs = sorted(kimgs)
    if not most or len(kimgs) <= most:
        return kimgs
    recent = kimgs[-min(RECENT, most) :]
    older, room, span = kimgs[: -len(recent)], most - len(recent), 1
    if not room:
        return recent
    while len(firsts := {kimg // span: kimg for kimg in reversed(older)}) > room:
        span *= 2
    return sorted([*firsts.values(), *recent])


class Retention:
    """Removes what a run need not keep.

    Args:
        folder: of the run.
        config: the `TrainingConfig`.
    """

    def __init__(self, folder, config):
        self._folder, self._config = folder, config

    def surplus(self, best=()):
        """The folders and files that go, with the next snapshot at the latest.

        Args:
            best: moments in kimg that stay in any case.
        """
        found = _by_kimg(self._folder.glob("snapshots/[0-9]*kimg"))
        grids = _by_kimg(self._folder.glob("fakes_[0-9]*kimg.png"))
        training = {kimg: path / "training" for kimg, path in found.items() if (path / "training").is_dir()}
        gone = []
        for paths, most in (
            (found, self._config.keep_snapshots),
            (training, self._config.keep_training),
            (grids, self._config.keep_grids),
        ):
            stay = {*kept(paths, most), *best}
            gone += [path for kimg, path in sorted(paths.items()) if kimg not in stay and path.parent not in gone]
        return gone

    def prune(self, best=()):
        """Removes the surplus; returns a line for the log, or none."""
        gone = self.surplus(best)
        for path in gone:
            remove_folder(path) if path.is_dir() else path.unlink()
        if not gone:
            return []
        names = ", ".join(str(path.relative_to(self._folder)) for path in gone)
        return [f"removed {names} (keep_snapshots, keep_training and keep_grids; 0 keeps all)"]

    def forecast(self, generator, discriminator):
        """A line for the log: what the folder holds when the run is done, and how much room there is.

        A grid of fakes is about as large as RUN/reals.png; before a run there is none, and grids are not counted.
        """
        config = self._config
        count = math.ceil(config.total_kimg / config.snapshot_kimg)
        kimgs = {int(min(place * config.snapshot_kimg, config.total_kimg)) for place in range(1, count + 1)}
        snapshots, training, grids = (
            len(kept(kimgs, most)) for most in (config.keep_snapshots, config.keep_training, config.keep_grids)
        )
        memory = _memory_bytes(generator, discriminator)
        generator, discriminator = map(_weight_bytes, (generator, discriminator))
        reals = self._folder / "reals.png"
        grid = reals.stat().st_size if reals.exists() else 0
        total = (
            snapshots * generator
            + min(training, snapshots) * (generator + discriminator)
            + grids * grid
            + checkpoint.KEPT * memory
            + config.total_kimg / config.tick_kimg * TICK_BYTES
        )
        place = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(place).free
        grids = f"{grids} grids of {_size(grid)}" if grid else f"{grids} grids (not counted)"
        return (
            f"when done, {self._folder} holds about {_size(total)}: {snapshots} snapshots of {_size(generator)}, "
            f"{min(training, snapshots)} with training networks of {_size(generator + discriminator)}, {grids}, "
            f"{checkpoint.KEPT} checkpoints of {_size(memory)}; {_size(free)} are free"
        )


def memory_forecast(generator, discriminator):
    """A line for people: how large the networks are, and what training keeps on each device, at least."""
    generator_size, discriminator_size = (_count(network.count_params()) for network in (generator, discriminator))
    return (
        f"generator {generator_size} weights, discriminator {discriminator_size}; each device keeps "
        f"{_size(_memory_bytes(generator, discriminator))} of weights, averages and moments; gradients and "
        "the activations of a batch come on top (less of them: micro_batch, recompute_from)"
    )


def _by_kimg(paths):
    """{kimg: path} of names such as 000400kimg and fakes_000400kimg.png."""
    return {int(path.name.removeprefix("fakes_").partition("kimg")[0]): path for path in paths}


def _memory_bytes(generator, discriminator):
    """The average and both networks, whose optimizers keep one moment of each weight."""
    generator, discriminator = map(_weight_bytes, (generator, discriminator))
    return generator + 2 * (generator + discriminator)


def _weight_bytes(network):
    return sum(4 * math.prod(weight.shape) for weight in network.weights)


def _count(weights):
    return f"{weights / 1e6:.1f} M" if weights >= 1e5 else f"{weights:,}"


def _size(count):
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
