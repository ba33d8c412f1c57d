"""The step of uladzislau-varabei/stylegan-tf2: what its benchmark mode times, and the average of the generator."""

import os
import sys
import tempfile

# Its code is for Keras 2, which newer TensorFlow has as the package tf_keras.
os.environ["TF_USE_LEGACY_KERAS"] = "1"

RESOLUTION = 6  # log2 of the height.


def version():
    import tensorflow as tf

    return f"TensorFlow {tf.__version__}, Keras 2"


def build(checkout, widths, batch, precision, variant):
    """`variant` is not used; the precision is float32, since its mixed one is float16, for GPUs."""
    sys.path.insert(0, checkout)
    # It writes folders of its own where it runs, and wants pictures in files.
    os.chdir(tempfile.mkdtemp())
    import numpy as np
    import tensorflow as tf
    from PIL import Image

    paths = []
    for index in range(2 * batch):
        paths.append(os.path.abspath(f"{index}.jpg"))
        Image.fromarray(np.random.randint(0, 256, (64, 64, 3), np.uint8)).save(paths[-1])

    from model import BENCHMARK_MODE, STABILIZATION_MODE, StyleGAN, smooth_model_weights

    width = {"fmap_base": widths[-1] << 5, "fmap_max": widths[0]}
    config = {
        "model_name": "benchmark",
        "target_resolution": 64,
        "start_resolution": 4,
        "data_format": "NHWC",
        "use_mixed_precision": False,
        "use_XLA": False,
        "use_GPU_for_Gs": True,
        "mbstd_group_size": 4,
        "batch_sizes": {str(2**level): batch for level in range(2, RESOLUTION + 1)},
        "total_kimages": None,
        **{f"{network}_{name}": value for network in "GD" for name, value in width.items()},
    }
    gan = StyleGAN(config, mode=BENCHMARK_MODE, images_paths=paths, res=RESOLUTION, stage=STABILIZATION_MODE)
    discriminator, generator, average = gan.create_models(RESOLUTION, mode=STABILIZATION_MODE)
    gan.adjust_optimizers_learning_rate(RESOLUTION)
    images = gan.get_images_dataset(RESOLUTION, STABILIZATION_MODE)
    beta = gan.get_Gs_beta(RESOLUTION, STABILIZATION_MODE)
    no, now = tf.Variable(False), tf.Variable(0, dtype=tf.int64)
    smooth = tf.function(smooth_model_weights)

    def step():
        gan.train_step(
            G_model=generator,
            D_model=discriminator,
            G_latents=gan.generate_latents(batch),
            D_latents=gan.generate_latents(batch),
            images=next(images),
            write_scalars_summary=no,
            write_hists_summary=no,
            step=now,
        )
        smooth(average, generator, beta, "/CPU:0")

    return step
