"""This project's step; its checkout is its own folder."""

import sys


def version():
    import tensorflow as tf

    return f"TensorFlow {tf.__version__}"


def build(checkout, widths, batch, precision, variant):
    """`variant` is the interval of R1 in steps."""
    sys.path.insert(0, checkout)
    from tf_outfit_gan.config import from_preset
    from training.benchmark.step import TimedStep

    model_config, config = from_preset(
        "paper-unconditional",
        [
            "size=64x64",
            f"fmap_base={widths[-1] << 5}",
            f"fmap_max={widths[0]}",
            f"r1_interval={variant}",
            f"precision={precision}",
        ],
    )
    assert tuple(map(model_config.channels, range(model_config.num_levels))) == widths
    return TimedStep(model_config, config, model_config.num_levels - 1, batch).seconds
