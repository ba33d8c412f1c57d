"""Records without TensorFlow: byte by byte as TensorFlow writes them."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.compiled_messages import check_compiled
from tf_outfit_gan.data import example_pb2
from tf_outfit_gan.data.tfrecord import write_record


def test_a_file_is_as_tensorflow_writes_it(tmp_path):
    random = np.random.default_rng(0)
    records = [random.bytes(size) for size in (0, 1, 7, 8, 255, 1 << 20)] + [b"\0" * 40, b"\xff" * 40]
    with tf.io.TFRecordWriter(str(tmp_path / "expected")) as writer, open(tmp_path / "found", "wb") as file:
        for record in records:
            writer.write(record)
            write_record(file, record)
    assert (tmp_path / "found").read_bytes() == (tmp_path / "expected").read_bytes()


@pytest.mark.parametrize(
    "features",
    [
        {"articles": [b"", b"\xff\xd8", b""]},
        {"keypoints": np.linspace(0, 1, 48, dtype=np.float32), "image": [bytes(300)], "id": ["é".encode()]},
        {},
    ],
)
def test_an_example_is_as_tensorflow_writes_it(features):
    def written(module):
        feature = {
            name: module.Feature(float_list=module.FloatList(value=values))
            if name == "keypoints"
            else module.Feature(bytes_list=module.BytesList(value=values))
            for name, values in features.items()
        }
        return module.Example(features=module.Features(feature=feature)).SerializeToString(deterministic=True)

    assert written(example_pb2) == written(tf.train)


def test_the_compiled_messages_are_those_of_the_source():
    check_compiled(example_pb2, "tf_outfit_gan/data/example.proto")
