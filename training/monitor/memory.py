"""How much memory a run takes: of its accelerators, or of this process where a processor trains."""

import os
from pathlib import Path


def resident_bytes():
    """Memory of this process, or 0 where the system does not report it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def training_bytes():
    """The peak of the fullest GPU since the start; without GPUs, what the process holds now."""
    import tensorflow as tf

    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in gpus]
    return max(peaks, default=0) or resident_bytes()
