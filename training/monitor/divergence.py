"""Detection of divergence (values that are not finite) and of out-of-memory errors: both end a run, by name."""

import re

from tf_outfit_gan.sizes import format_size
from training.step_statistics import first_failure, skipped_updates

# With `nonfinite=skip`: when so many updates in a row had to be skipped, nothing is learned any more.
MOST_SKIPPED = 100


class Diverged(RuntimeError):
    """A quantity of the training is not finite any more."""

    exit_code = 1


class OutOfMemory(RuntimeError):
    """A step needs more memory than there is."""

    exit_code = 1


class FiniteGuard:
    """Checks the statistics of each call, before anything of its steps is saved.

    Args:
        nonfinite: "stop", or "skip": the optimizer has skipped the update, and the run continues.
    """

    def __init__(self, nonfinite):
        self._stops, self._in_a_row = nonfinite == "stop", 0

    def check(self, sums, names, steps):
        """Raises `Diverged` where the run is to end.

        Args:
            sums: `Sums` of a call.
            names: {name: phase} of its statistics.
            steps: of the call.
        """
        failure = first_failure(sums, names)
        skipped = skipped_updates(sums, names)
        self._in_a_row = self._in_a_row + skipped if skipped >= steps else 0
        if failure and (self._stops or self._in_a_row >= MOST_SKIPPED):
            what, nimg = failure
            row = "" if self._stops else f", and {self._in_a_row} updates in a row had to be skipped"
            skip = ", or resume with --set nonfinite=skip if this is rare" if self._stops else ""
            raise Diverged(
                f"{what} is not finite in the step after {nimg:,} images{row}: the training has diverged; nothing of "
                "it was saved. Start another run with --init and a snapshot of this one, and a lower learning_rate or "
                f"a higher r1_gamma{skip}"
            )


def complaint_about_memory(error):
    """What TensorFlow says about memory that is lacking; None for others, also of the same class, as a full disk's."""
    found = re.search(r"(\bOOM\b|[Oo]ut of memory|ran out of memory|[Ff]ailed to allocate).*", error.message or "")
    return found and found[0]


def out_of_memory(complaint, stage, size, config, stddev_group):
    """The `OutOfMemory` of a `Stage` whose pictures have this size."""
    smaller = [n for n in range(stddev_group, stage.micro_batch_size, stddev_group) if stage.replica_batch % n == 0]
    advice = [f"micro_batch={smaller[-1]}"] if smaller else []
    if not 0 < config.recompute_from <= size[0]:
        advice.append(f"recompute_from={size[0]}")
    here = f"run the same command with --set {' or --set '.join(advice)}, which may change in a run; " if advice else ""
    state = " fading in" if stage.fading else ""
    return OutOfMemory(
        f"out of memory at {format_size(size)}{state} with a micro-batch of {stage.micro_batch_size} in {config.precision} "
        f"({complaint}): {here}in a new run, precision=mixed_bfloat16 or a smaller batch_size help, too"
    )
