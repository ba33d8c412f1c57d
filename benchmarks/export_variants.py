"""Other forms of an exported graph: weights as constants, which fold, and bfloat16. Whether they gain time, and what they cost.

    python benchmarks/export_variants.py SNAPSHOT               # "shipped" is the model that comes with the package

Each form is `serving_default` alone in a SavedModel, loaded as a server does. Calls are paired: the form that an export has
and the others in turn, so that other work on the machine meets all. Pictures are compared with those of the export's form.
"""

import argparse
import contextlib
import dataclasses
import io
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from export.description import input_specs
from export.limits import Limits
from export.signatures import make_signatures
from export.verification import loaded
from export.warmup import sample_inputs
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.networks import build_generator

# (precision, whether weights are constants) by form. The first is that of an export.
FORMS = {
    "as exported": ("float32", False),
    "constants": ("float32", True),
    "bfloat16": ("mixed_bfloat16", False),
    "bfloat16, constants": ("mixed_bfloat16", True),
}
MAIN = "serving_default"
OPTIONS = tf.saved_model.SaveOptions(experimental_custom_gradients=False)  # As of an export.


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", help='a snapshot, a run, or "shipped"')
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="rows of a request (default: 1 8)")
    parser.add_argument("--count", type=int, default=50, help="calls of each form (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as sessions:
        specs = write_forms(snapshots.load(args.snapshot), Path(folder))
        asks = {form: sessions.enter_context(loaded(Path(folder) / form)) for form in FORMS}
        for rows in args.rows:
            inputs = sample_inputs(specs, rows)
            print(f"\nRows of a request: {rows}. Times by those of the exported form, medians of {args.count} pairs.\n")
            print("| form | ms | time | processor time | steps of 255 at worst | on average |\n|---|---|---|---|---|---|")
            for row in compared(
                {form: lambda ask=ask: ask(MAIN, inputs)["image_bytes"] for form, ask in asks.items()}, args.count
            ):
                print("| {} | {:.1f} | {:.3f} | {:.3f} | {} | {:.2f} |".format(*row))


def write_forms(snapshot, folder):
    """Writes each form's SavedModel to a folder of its name; returns the `TensorSpec`s of the inputs by name."""
    for precision in dict.fromkeys(precision for precision, _ in FORMS.values()):
        generator = build_generator(snapshot.config, precision)
        generator.set_weights(snapshot.generator.get_weights())
        same = dataclasses.replace(snapshot, generator=generator)
        render = make_signatures(same, Limits.of_size(snapshot.size), {})[MAIN]
        model = tf.Module()
        model.weights = [variable.value for variable in generator.variables]
        for form, (of_precision, constants) in FORMS.items():
            if of_precision == precision:
                function = with_constants(render) if constants else render
                tf.saved_model.save(model, str(folder / form), {MAIN: function}, OPTIONS)
    return input_specs(render)


def with_constants(render):
    """The function with its weights as constants, under the same names of inputs and outputs."""
    folded = convert_variables_to_constants_v2(render)
    names = sorted(render.structured_outputs)  # The order in which a function's dictionary is flattened.
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in input_specs(render).items()]
    function = tf.function(lambda *values: dict(zip(names, folded(*values))), input_signature=signature, autograph=False)
    return function.get_concrete_function()


def compared(asks, count):
    """A row for each form: name, ms, time and processor time by those of the first, differences of the pictures.

    Args:
        asks: functions that return encoded pictures, by form.
        count: calls of each.
    """
    pictures = {form: decoded(ask()) for form, ask in asks.items()}
    clock, worked = ({form: [] for form in asks} for _ in range(2))
    for _ in range(count):
        for form, ask in asks.items():
            begin = time.perf_counter(), time.process_time()
            ask()
            clock[form].append(time.perf_counter() - begin[0])
            worked[form].append(time.process_time() - begin[1])
    first = next(iter(asks))
    for form in asks:
        ratios = [statistics.median(np.divide(times[form], times[first])) for times in (clock, worked)]
        steps = np.abs(pictures[form] - pictures[first])
        yield form, 1000 * statistics.median(clock[form]), *ratios, steps.max(), steps.mean()


def decoded(encoded):
    """Pictures as int [N, H, W, 3]."""
    return np.stack([np.asarray(Image.open(io.BytesIO(data)), int) for data in encoded])


if __name__ == "__main__":
    main()
