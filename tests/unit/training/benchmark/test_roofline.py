"""What `outfit-gan benchmark step` counts, and that its figures fit together."""

import json

import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tf_outfit_gan.cli.main import main
from training.benchmark.roofline import Roofline, flops, products


def traced(function, *shapes, dtype=tf.float32):
    return tf.function(function).get_concrete_function(*(tf.TensorSpec(shape, dtype) for shape in shapes)).graph


def counted(graph):
    """[(type, operations)] of all products."""
    return [(op.type, flops(op)) for op in products(graph)]


def test_a_convolution_and_both_gradients():
    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.nn.conv2d(x, kernel, 2, "SAME")
        return y, tape.gradient(y, [x, kernel])

    # [2, 8, 6, 3] -> [2, 4, 3, 5]: 120 results, each a sum over 3 x 3 x 3.
    expected = 2 * 120 * 27
    assert sorted(counted(traced(gradients, [2, 8, 6, 3], [3, 3, 3, 5]))) == [
        ("Conv2D", expected),
        ("Conv2DBackpropFilter", expected),
        ("Conv2DBackpropInput", expected),
    ]


def test_a_depthwise_convolution_sums_over_its_kernel_only():
    graph = traced(lambda x, kernel: tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME"), [2, 4, 4, 7], [3, 3, 7, 1])
    assert counted(graph) == [("DepthwiseConv2dNative", 2 * (2 * 4 * 4 * 7) * 9)]
    assert not Roofline(graph).ops


@pytest.mark.parametrize("transpose", [False, True])
def test_matrix_products(transpose):
    a, b = ([11, 5], [11, 7]) if transpose else ([5, 11], [11, 7])
    assert counted(traced(lambda a, b: tf.matmul(a, b, transpose_a=transpose), a, b)) == [("MatMul", 2 * 5 * 7 * 11)]
    many = traced(lambda a, b: tf.matmul(a, b, transpose_a=transpose), [3, *a], [3, *b])
    assert counted(many) == [("BatchMatMulV2", 3 * 2 * 5 * 7 * 11)]


def test_what_no_result_needs_does_not_count():
    def wasteful(x):
        tf.matmul(x, x)
        return tf.matmul(x, x, transpose_a=True)

    graph = tf.function(wasteful).get_concrete_function(tf.TensorSpec([4, 4])).graph
    assert [op.get_attr("transpose_a") for op in products(graph)] == [True]


def test_functions_loops_and_branches():
    @tf.function
    def product(x):
        return x @ x

    def program(x, count):
        for _ in tf.range(count):  # Counts as one iteration.
            x = product(x)
        if tf.reduce_sum(x) > 0:  # The dearer branch counts.
            x = product(x) @ x
        return product(x)

    graph = tf.function(program).get_concrete_function(tf.TensorSpec([4, 4]), tf.TensorSpec([], tf.int32)).graph
    assert counted(graph) == [("MatMul", 128)] * 4


def test_a_shape_that_is_not_known_is_refused_by_name():
    with pytest.raises(ValueError, match="matmul.*not known"):
        counted(traced(lambda x: x @ x, [None, None]))


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_the_roofline_runs_every_product(dtype):
    def program(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.nn.conv2d(x, kernel, 1, "SAME")
            y = tf.nn.conv2d(tf.nn.relu(y), kernel, 1, "SAME")
        return y, tape.gradient(y, [x, kernel])

    roofline = Roofline(traced(program, [2, 8, 8, 4], [3, 3, 4, 4], dtype=dtype))
    # The first convolution and the second are alike, and so are their gradients: none may be merged or removed.
    assert len(roofline.ops) == 6
    context.context().enable_graph_collection()
    roofline().numpy()
    collected = context.context().export_run_metadata()
    context.context().disable_graph_collection()
    ran = [node.op for graphs in collected.function_graphs for node in graphs.post_optimization_graph.node]
    assert sum("Conv2D" in name for name in ran) == 6


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("benchmark") / "step.json"
    model = ["--preset", "tiny", "--set", "conditional=false", "--level", "4x3", "--batch", "4", "--r1-interval", "4"]
    assert main(["benchmark", "step", *model, "--repeats", "2", "--profile", "--json", str(path)]) == 0
    return json.loads(path.read_text())


def test_the_verb_writes_figures_that_fit_together(measured):
    assert (measured["size"], measured["batch"], measured["r1_interval"]) == ("4x3", 4, 4)
    step = measured["step_ms"]
    assert 0 < step["min"] <= step["median"]
    assert measured["images_per_sec"] == pytest.approx(measured["batch"] * 1000 / step["median"])
    assert sum(measured["phases_ms"].values()) == pytest.approx(step["median"])
    assert min(measured["phases_ms"][name] for name in ("discriminator", "r1", "generator")) > 0
    assert measured["roofline_ratio"]["median"] == pytest.approx(step["median"] / measured["roofline_ms"]["median"])
    gflop = measured["gflop_per_image"]
    assert gflop["total"] == pytest.approx(gflop["convolutions"] + gflop["matrix_products"] + gflop["depthwise"])
    assert min(gflop["convolutions"], gflop["matrix_products"]) > 0 == gflop["depthwise"]  # The base has no blur.
    profile = measured["profile_ms"]
    for product in ("MatMul", "Conv2D"):  # Where oneDNN runs them they have longer names.
        assert any(product in type_ for type_ in profile)
    assert list(profile.values()) == sorted(profile.values(), reverse=True) and min(profile.values()) >= 0
    assert measured["machine"]["cores"] >= 1 and measured["machine"]["tensorflow"] == tf.__version__


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--preset", "nope"], "--preset: invalid choice: 'nope'"),
        (["--preset", "tiny", "--level", "64x48"], "--level 64x48: the model has no such level; choose one of 0 = 4x3"),
        (["--preset", "tiny", "--level", "3"], "--level 3"),
        (["--preset", "tiny", "--batch", "0"], "--batch: expected a whole number of 1 or more"),
        (["--preset", "tiny", "--precision", "float8"], "--precision: invalid choice: 'float8'"),
        (["--preset", "tiny", "--r1-interval", "0"], "--r1-interval: expected a whole number of 1 or more"),
        (["--preset", "tiny", "--json", "no-such-folder/step.json"], "no-such-folder/step.json"),
        (["--preset", "tiny", "--set", "micro_batch=4"], "give --batch 4 for the time of one micro-batch"),
        (["--preset", "tiny", "--batch", "6"], "batch_size 6 over 1 replica"),
        (["--preset", "tiny", "--devices", "tpu"], "--devices tpu: TensorFlow finds no such device here; choose one of cpu"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, message, capsys):
    assert main(["benchmark", "step", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
