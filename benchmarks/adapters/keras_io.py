"""The step of the keras.io example "Face image generation with StyleGAN": its classes, without its downloads."""

import ast
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

FILE = "examples/generative/stylegan.py"
WIDEST = 512  # Of its generator and discriminator, which have their widths written down.
UNUSED = ("gdown", "matplotlib", "zipfile")  # For its data and its pictures.


def version():
    import keras
    import tensorflow as tf

    return f"TensorFlow {tf.__version__}, Keras {keras.__version__}"


def build(checkout, widths, batch, precision, variant):
    """`variant` is "eager", as the example asks for with TensorFlow, or "graph": its step in a `tf.function`."""
    import keras
    import tensorflow as tf

    example = _definitions(Path(checkout) / FILE, WIDEST // widths[0])
    keras.config.set_dtype_policy(precision)
    gan = example["StyleGAN"](start_res=4, target_res=64)
    adam = {"learning_rate": 0.001, "beta_1": 0.0, "beta_2": 0.99, "epsilon": 1e-8}
    gan.compile(
        steps_per_epoch=1,
        phase="STABLE",
        res=64,
        d_optimizer=keras.optimizers.Adam(**adam),
        g_optimizer=keras.optimizers.Adam(**adam),
        run_eagerly=True,
    )
    gan.d_optimizer.build(gan.discriminator.trainable_variables)
    gan.g_optimizer.build(gan.mapping.trainable_variables + gan.generator.trainable_variables)
    images = tf.random.uniform([batch, 64, 64, 3], -1, 1)
    train = gan.train_step if variant == "eager" else tf.function(gan.train_step)

    def step():
        train((images,))["g_loss"].numpy()

    return step


def _definitions(path, divisor):
    """Runs the example's imports, functions and classes alone, with its widths divided by a number.

    One thing is mended: it writes the shape of a vector as a number, `Input(shape=512)`, which Keras 3 refuses.
    """
    tree = ast.parse(path.read_text())
    kept = [
        node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        or (isinstance(node, (ast.Import, ast.ImportFrom)) and not any(name in ast.unparse(node) for name in UNUSED))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "self.filter_nums":
            node.value.values = [ast.Constant(width.value // divisor) for width in node.value.values]
        elif isinstance(node, ast.keyword) and node.arg == "shape" and isinstance(node.value, ast.Constant):
            node.value = ast.Tuple([node.value], ast.Load())
    names = {}
    exec(compile(ast.fix_missing_locations(ast.Module(kept, [])), path, "exec"), names)
    return names
