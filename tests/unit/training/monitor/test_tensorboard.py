"""TensorBoard gets curves in groups, pictures as they were drawn, and settings by which runs differ."""

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
from tensorboard.plugins.hparams import plugin_data_pb2

from training.monitor.tensorboard import TensorBoard, tag


def test_statistics_have_groups():
    names = ("loss_generator", "score_real", "r1_penalty", "images_per_sec", "loss", "metrics/fid")
    assert [tag(name) for name in names] == [
        "loss/generator",
        "score/real",
        "r1/penalty",
        "run/images_per_sec",
        "run/loss",
        "metrics/fid",
    ]


def test_what_is_written_can_be_read(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "grid.png")
    board = TensorBoard(tmp_path)
    board.scalars(8000, {"loss_generator": 1.5})
    board.picture(8000, tmp_path / "grid.png")
    board.settings({"r1_gamma": 3.0, "size": [64, 48], "mirror": True})

    found = EventMultiplexer({"run": str(tmp_path / "tensorboard")}).Reload()
    ((value,), (image,)) = found.Tensors("run", "loss/generator"), found.Tensors("run", "pictures")
    assert (value.step, tf.make_ndarray(value.tensor_proto)) == (8000, 1.5)
    encoded = tf.make_ndarray(image.tensor_proto)[2]  # After its width and height.
    np.testing.assert_array_equal(tf.io.decode_png(encoded), picture)
    metadata = found.SummaryMetadata("run", "_hparams_/session_start_info")
    settings = plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content).session_start_info.hparams
    assert {name: value.WhichOneof("kind") for name, value in settings.items()} == {
        "r1_gamma": "number_value",
        "size": "string_value",
        "mirror": "bool_value",
    }
