"""What a call of `train` is asked for, beside the configurations of model and training."""

import dataclasses
import time
from collections.abc import Callable

ACCEPT_DATA_HELP = "resume a run with other data than it was trained on so far; the log says so"


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """None of it changes what a model learns, but for `init`."""

    time_limit_sec: float | None = None  # Stop after this long, with a checkpoint and a snapshot; None = no limit.
    quiet: bool = False  # Nothing on the terminal.
    data_service: str | None = None  # Address of a tf.data service that reads and decodes; None = this machine does.
    inception: str | None = None  # Weights file of InceptionV3 to measure with; None = other features.
    accept_data: bool = False  # Go on with other data than the run was trained on so far.
    init: str | None = None  # A snapshot whose weights a fresh run starts with, from `resolve_init`; None = random ones.
    saved: Callable[[], list[str]] | None = None  # Called when something was saved; returns warnings for the log.
    started: float = dataclasses.field(default_factory=time.monotonic)  # When the call was asked for, `time.monotonic`.
    # How the configurations came about, for config.json and the report; None = not from a preset.
    preset: str | None = None
    overrides: tuple[str, ...] = ()
