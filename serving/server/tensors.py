"""Arrays, to TensorProtos of the form in which TF Serving answers: typed values, never `tensor_content`.

`tf.make_tensor_proto` packs numbers into `tensor_content`, and clients written for TF Serving read `float_val`.
"""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

FIELDS = {
    tf.float32: "float_val", tf.float64: "double_val", tf.bool: "bool_val", tf.string: "string_val",
    tf.int8: "int_val", tf.int16: "int_val", tf.int32: "int_val", tf.uint8: "int_val", tf.uint16: "int_val",
    tf.int64: "int64_val", tf.uint32: "uint32_val", tf.uint64: "uint64_val",
    tf.half: "half_val", tf.bfloat16: "half_val",
}


def to_tensor_proto(array):
    """Returns the TensorProto of an array; raises `KeyError` for a type without a field of its own."""
    dtype = tf.as_dtype(array.dtype)
    proto = TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(array.shape).as_proto())
    values = array.view(np.uint16) if FIELDS[dtype] == "half_val" else array
    getattr(proto, FIELDS[dtype]).extend(values.ravel().tolist())
    return proto
