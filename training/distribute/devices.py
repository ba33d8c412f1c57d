"""The machine: which of its devices are used, and a description of it for run folders and benchmarks."""

import os
import platform
from pathlib import Path

import keras
import tensorflow as tf

from tf_outfit_gan.util.errors import UserError
from training.distribute import environment


def choose_devices(names):
    """Leaves TensorFlow the devices that were asked for; called before it uses any.

    Args:
        names: "cpu", "gpu" for all GPUs, "gpu:0,gpu:2" for some of them; None = whatever there is.
    """
    if names is None:
        return
    gpus = tf.config.list_physical_devices("GPU")
    choices = {"cpu": [], **({"gpu": gpus} if gpus else {}), **{f"gpu:{index}": [gpu] for index, gpu in enumerate(gpus)}}
    asked = names.split(",")
    for name in asked:
        if name not in choices:
            raise UserError(f"--devices {name}: TensorFlow finds no such device here; choose one of {', '.join(choices)}")
    if len(set(asked)) < len(asked) or len(asked) > 1 and {"cpu", "gpu"} & set(asked):
        raise UserError(f"--devices {names}: expected cpu, gpu for all GPUs, or some of them, such as gpu:0,gpu:2")
    tf.config.set_visible_devices(sum((choices[name] for name in asked), []), "GPU")


def set_numerics(config):
    """Sets TensorFlow's switches of the whole process as a `TrainingConfig` asks; called before graphs are traced."""
    tf.config.experimental.enable_tensor_float_32_execution(config.tf32)
    if config.deterministic:  # TensorFlow has no public way back.
        tf.config.experimental.enable_op_determinism()


def describe():
    """What a reader of a figure wants to know of the machine, for JSON."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpus = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.get_visible_devices("GPU")]
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "gpus": [gpu.get("device_name", "unknown") for gpu in gpus],
        # As TensorFlow is configured: 0 = as many threads as cores.
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "load_average": list(os.getloadavg()),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "environment": environment.allowed(),
    }


def _cpu_model():
    """The name of the processor: Python knows it on some systems only."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
