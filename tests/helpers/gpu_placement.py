"""Where the operations of a graph would run on a machine with a GPU, found out on one without.

TensorFlow's build for Linux knows its GPU kernels even where there is no GPU: which types they take, and which of their
inputs and outputs lie in the memory of the host. An operation whose input is computed on the GPU and wanted on the host
holds up everything: the host waits until the GPU has done all that it was given before.
"""

import collections
import functools

import tensorflow as tf
from tensorflow.python.framework import kernels

from training.benchmark.roofline import called_graphs, needed_operations

_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_BRANCHES, _LOOPS = ("If", "StatelessIf"), ("While", "StatelessWhile")
_HANDLES = (tf.resource, tf.variant, tf.string)  # Which lie on the host wherever their operation runs.


class Placement:
    """Follows a traced function through the functions that it calls.

    Args:
        graph: of a concrete function that was traced without devices, but for what is to run on the host.

    Attributes:
        types: {type of operation: how often it is there}.
        without_kernel: names of the operations that no GPU kernel is registered for: they run on the host.
        waits: "producer -> consumer" of every tensor that the host has to wait for.
        unknown_sizes: names of the operations with a result of which only the run knows how long an axis is. A result of
            which not even the number of axes is known, such as a sum that begins as a scalar, is none of them.
    """

    def __init__(self, graph):
        self.types, self.without_kernel, self.waits, self.unknown_sizes = collections.Counter(), [], [], []
        self._follow(graph, [_usual_place(tensor) for tensor in graph.inputs])

    def _follow(self, graph, arguments):
        """Takes whether each argument lies on the host; returns whether each output does."""
        on_host = {tensor.ref(): place for tensor, place in zip(graph.inputs, arguments)}
        needed, constant = needed_operations(graph), set()
        for op in graph.get_operations():
            if op not in needed or op.type in ("Placeholder", "NoOp"):
                continue
            self.types[op.type] += 1
            if any(tensor.shape.rank and None in tensor.shape.as_list() for tensor in op.outputs):
                self.unknown_sizes.append(f"{op.type} {op.name}")
            # TensorFlow computes what depends on constants alone before the graph runs.
            if op.type == "Const" or op.inputs and all(tensor.op in constant for tensor in op.inputs):
                constant.add(op)
            wanted, given = self._places(graph, op, [on_host[tensor.ref()] for tensor in op.inputs])
            for tensor, want in zip(op.inputs, wanted):
                if want and not on_host[tensor.ref()] and tensor.op not in constant:
                    self.waits.append(f"{tensor.op.type} {tensor.name} -> {op.type} {op.name}")
            on_host |= {tensor.ref(): place or tensor.dtype in _HANDLES for tensor, place in zip(op.outputs, given)}
        return [on_host[tensor.ref()] for tensor in graph.outputs]

    def _places(self, graph, op, arguments):
        """([whether an input is wanted on the host], [whether an output is given there])."""
        bodies = list(called_graphs(graph, op))
        if op.type == "Identity":  # TensorFlow removes it.
            return [False], arguments
        if op.type in _CALLS:
            (body,) = bodies
            return [False] * len(arguments), self._follow(body, arguments)
        if op.type in _BRANCHES:
            for body in bodies:
                self._follow(body, arguments[1:])
            return [True] + [False] * len(arguments[1:]), [_usual_place(tensor) for tensor in op.outputs]
        if op.type in _LOOPS:
            places = [_usual_place(tensor) for tensor in op.inputs]
            for body in bodies:
                results = self._follow(body, places)
                if body.outputs[0].dtype == tf.bool and not results[0]:
                    self.waits.append(f"condition {body.outputs[0].name} -> {op.type} {op.name}")
            return [False] * len(arguments), places
        if "CPU" in op.device:
            return [True] * len(op.inputs), [True] * len(op.outputs)
        kernel = _kernel(op)
        if kernel is None:
            self.without_kernel.append(f"{op.type} {op.name}")
            return [True] * len(op.inputs), [True] * len(op.outputs)
        host = set(kernel.host_memory_arg)
        return _by_argument(op, op.op_def.input_arg, host), _by_argument(op, op.op_def.output_arg, host)


def _usual_place(tensor):
    """Whether TensorFlow's control flow on a GPU keeps a tensor of this type on the host."""
    return tensor.dtype == tf.int32 or tensor.dtype in _HANDLES


def _kernel(op):
    """The GPU kernel that takes the types of an operation; None where there is none."""
    fitting = (kernel for kernel in _kernels(op.type) if all(_fits(op, constraint) for constraint in kernel.constraint))
    return next(fitting, None)


@functools.cache
def _kernels(type_):
    """Those for GPUs, and those for any device."""
    found = kernels.get_registered_kernels_for_op(type_).kernel
    return [kernel for kernel in found if kernel.device_type in ("GPU", "DEFAULT") and not kernel.label]


def _fits(op, constraint):
    value = op.get_attr(constraint.name)
    values = value if isinstance(value, list) else [value]
    return all(tf.as_dtype(one).as_datatype_enum in constraint.allowed_values.list.type for one in values)


def _by_argument(op, definitions, host):
    """[whether the argument that it belongs to is in `host`] of each tensor: an argument may be a list of tensors."""
    found = []
    for definition in definitions:
        if definition.number_attr:
            count = op.get_attr(definition.number_attr)
        elif definition.type_list_attr:
            count = len(op.get_attr(definition.type_list_attr))
        else:
            count = 1
        found += [definition.name in host] * count
    return found
