"""The roofline of a training step: its own convolutions and matrix products alone, and their floating point operations."""

import math

import tensorflow as tf

# Operations of these types may run one of several graphs.
_BRANCHING = ("If", "StatelessIf", "Case", "StatelessCase")

# The multiplications of each type. A kernel is [h, w, in, out], and [h, w, in, multiplier] when depthwise. Every
# element on the output's side of a convolution meets h x w x in elements of the kernel (h x w when depthwise), in the
# forward pass as in both gradients: there the output's side is the third input, and the filter's gradient is the result.
_MULTIPLICATIONS = {
    "Conv2D": lambda op: _size(op.outputs[0]) * _size(op.inputs[1], 0, 1, 2),
    "Conv2DBackpropInput": lambda op: _size(op.inputs[2]) * _size(op.inputs[1], 0, 1, 2),
    "Conv2DBackpropFilter": lambda op: _size(op.inputs[2]) * _size(op.outputs[0], 0, 1, 2),
    "DepthwiseConv2dNative": lambda op: _size(op.outputs[0]) * _size(op.inputs[1], 0, 1),
    "DepthwiseConv2dNativeBackpropInput": lambda op: _size(op.inputs[2]) * _size(op.inputs[1], 0, 1),
    "DepthwiseConv2dNativeBackpropFilter": lambda op: _size(op.inputs[2]) * _size(op.outputs[0], 0, 1),
    "MatMul": lambda op: _matmul(op, "transpose_a"),
    "BatchMatMulV2": lambda op: _matmul(op, "adj_x"),
}


class Roofline:
    """Runs the convolutions and matrix products of a graph one after another, and nothing else.

    They are the very operations of the graph: their shapes, types, strides and padding, on random numbers. Depthwise
    convolutions are left out: a blur is no more part of the roofline than a normalization.

    TensorFlow removes, merges or precomputes what it can. Nothing of that can happen here: all inputs are arguments,
    one element of each result is read, and each operation waits for the one before. Reading that element is the only
    work added. Operations with an input of the same shape share one tensor, made once, so no time goes into filling
    memory; results are released immediately, as a step releases them.

    Args:
        graph: a traced training step.
    """

    def __init__(self, graph):
        self.ops = [op for op in products(graph) if not is_depthwise(op)]
        self._inputs = {}
        for op in self.ops:
            for tensor in op.inputs:
                if tensor.dtype.is_floating and _key(op, tensor) not in self._inputs:
                    with tf.device(op.device):
                        values = tf.cast(tf.random.normal(tensor.shape), tensor.dtype)
                    self._inputs[_key(op, tensor)] = values
        self._function = tf.function(self._run)

    def __call__(self):
        """Runs all of them once. Returns a scalar, which is there when all are done."""
        return self._function(list(self._inputs.values()))

    @tf.autograph.experimental.do_not_convert
    def _run(self, inputs):
        pool = dict(zip(self._inputs, inputs))
        last, read = {}, []
        for op in self.ops:
            waits = [last[op.device]] if op.device in last else []
            with tf.device(op.device), tf.control_dependencies(waits):
                result = _again(op, pool)
                last[op.device] = result[(0,) * result.shape.rank]
            read.append(last[op.device])
        by_type = [[value for value in read if value.dtype == dtype] for dtype in {value.dtype for value in read}]
        return tf.add_n([tf.cast(tf.add_n(values), tf.float32) for values in by_type])


def _key(op, tensor):
    return tuple(tensor.shape), tensor.dtype, op.device


def _again(op, pool):
    """The same operation on the pool's tensors."""
    arguments = {}
    for definition, tensor in zip(op.op_def.input_arg, op.inputs):
        if tensor.dtype.is_floating:
            arguments[definition.name] = pool[_key(op, tensor)]
        else:
            # The sizes of a gradient's result.
            arguments[definition.name] = tf.constant(op.outputs[0].shape.as_list(), tensor.dtype)
    # Types follow from the inputs, and names with an underscore are notes of the runtime.
    for attribute in op.op_def.attr:
        if attribute.type != "type" and not attribute.name.startswith("_"):
            arguments[attribute.name] = op.get_attr(attribute.name)
    return getattr(tf.raw_ops, op.type)(**arguments)


def products(graph):
    """The convolutions and matrix products of a graph, in the order of tracing; functions that it calls included.

    A loop counts as one iteration, as their number is known only when it runs; of several branches the most
    expensive one counts. What no result needs does not count: gradients are traced that nobody reads, and TensorFlow
    removes them.

    Args:
        graph: a `tf.Graph`, such as a concrete function's `graph`.

    Returns:
        A list of `tf.Operation`. One that is called twice is in it twice.
    """
    found = []
    needed = needed_operations(graph)
    for op in graph.get_operations():
        if op not in needed:
            continue
        if op.type in _MULTIPLICATIONS:
            found.append(op)
        elif bodies := [products(body) for body in called_graphs(graph, op)]:
            chosen = [max(bodies, key=total_flops)] if op.type in _BRANCHING else bodies
            found += [inner for body in chosen for inner in body]
    return found


def total_flops(ops):
    return sum(map(flops, ops))


def flops(op):
    """Floating point operations of one product: a multiplication and an addition are two.

    What a convolution multiplies with its padding counts, as is usual.

    Raises:
        ValueError: when a shape is not known before the graph runs.
    """
    return 2 * _MULTIPLICATIONS[op.type](op)


def is_depthwise(op):
    return op.type.startswith("Depthwise")


def needed_operations(graph):
    """The operations that a function's results or its effects depend on; all those of a graph that is no function."""
    if not hasattr(graph, "control_outputs"):
        return set(graph.get_operations())
    found, left = set(), [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while left:
        op = left.pop()
        if op not in found:
            found.add(op)
            left += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return found


def called_graphs(graph, op):
    """The graphs of the functions that an operation calls."""
    for attribute in op.node_def.attr.values():
        for function in (attribute.func, *attribute.list.func):
            if function.name:
                # TensorFlow has no public way from a function's name to its graph.
                yield graph._get_function(function.name).graph


def _size(tensor, *axes):
    """The elements of a tensor, or the product of some of its axes."""
    if not tensor.shape.is_fully_defined():
        raise ValueError(
            f"{tensor.name}: its shape {tensor.shape} is not known before the graph runs: trace it with batches of a known size"
        )
    return math.prod(tensor.shape[axis] for axis in axes) if axes else tensor.shape.num_elements()


def _matmul(op, transpose):
    # Every element of the product is a sum over the columns of the first matrix, or its rows when it is transposed.
    return _size(op.outputs[0]) * _size(op.inputs[0], -2 if op.get_attr(transpose) else -1)
