"""The floor of a training step: its own convolutions and matrix products alone."""

import tensorflow as tf

from training.benchmark import graph_cost


class Floor:
    """Runs the convolutions and matrix products of a graph one after another, and nothing else.

    They are the very operations of the graph: their shapes, types, strides and padding, on random numbers. Depthwise
    convolutions are left out: a blur is no more part of the floor than a normalization.

    TensorFlow removes, merges or precomputes what it can. Nothing of that can happen here: all inputs are arguments,
    one element of each result is read, and each operation waits for the one before. Reading that element is the only
    work added. Operations with an input of the same shape share one tensor, made once, so no time goes into filling
    memory; results are released at once, as a step releases them.

    Args:
        graph: a traced training step.
    """

    def __init__(self, graph):
        self.ops = [op for op in graph_cost.products(graph) if not graph_cost.is_depthwise(op)]
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
