"""ONNX and LiteRT files: run by their own runtimes, fed as their page says, they draw the snapshot's pictures."""

import json

import numpy as np
import pytest
import tensorflow as tf

from export import portable
from tests.helpers.exported import make_snapshot, write_outfit, write_snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.randomness import seeded_latents, seeded_noise
from tf_outfit_gan.util.errors import UserError

SEEDS = np.array([4, 9, 12])


def run(folder, name, arrays):
    """One file in its own runtime, with the inputs that it names."""
    if (folder / f"{name}.onnx").exists():
        import onnxruntime

        session = onnxruntime.InferenceSession(str(folder / f"{name}.onnx"))
        names = {entry.name for entry in session.get_inputs()}
        return session.run(None, {key: value for key, value in arrays.items() if key in names})[0]
    interpreter = tf.lite.Interpreter(str(folder / f"{name}.tflite"))
    for entry in interpreter.get_input_details():
        interpreter.resize_tensor_input(entry["index"], arrays[entry["name"]].shape)
    interpreter.allocate_tensors()
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], arrays[entry["name"]])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def draw(folder, snapshot, request, psi):
    """The pictures of `SEEDS`, by both files one after the other."""
    config = snapshot.config
    sizes = config.level_sizes[: snapshot.level + 1]
    arrays = {"z": seeded_latents(SEEDS, config.latent_dim).numpy(), "truncation_psi": np.full(len(SEEDS), psi, "f4")}
    arrays |= {f"noise_{layer}": noise.numpy() for layer, noise in enumerate(seeded_noise(SEEDS, sizes))}
    if request:
        row = tf.constant([[request.articles.get(slot, b"") for slot in config.slots]])
        arrays["articles"] = np.repeat(decode_articles(row, config.condition_size, config.slots).numpy(), len(SEEDS), axis=0)
        arrays["keypoints"] = np.repeat(request.keypoints[None], len(SEEDS), axis=0)
    return run(folder, "synthesize", arrays | {"w": run(folder, "style", arrays)})


@pytest.mark.parametrize("kind", ["onnx", "litert"])
@pytest.mark.parametrize(
    "overrides, where",
    [
        (("noise_injection=false",), {}),
        (("conditional=false",), {"level": 1, "alpha": 0.5}),
        (("article_path=style", "pose_path=style"), {}),
    ],
)
def test_the_files_draw_the_snapshots_pictures(tmp_path, kind, overrides, where):
    snapshot = make_snapshot(*overrides, **where)
    folder = portable.write_portable(snapshot, tmp_path / "portable", kind)
    request = read_request(write_outfit(tmp_path / "outfit.json", 1)) if snapshot.config.conditional else None
    pictures = draw(folder, snapshot, request, 0.8)
    renderer = Renderer(snapshot)
    expected = np.stack([renderer.picture(request, seed, 0.8) for seed in SEEDS])
    assert pictures.shape == expected.shape and pictures.dtype == np.uint8
    assert np.abs(pictures.astype(int) - expected).max() <= 1
    about = json.loads((folder / "model.json").read_text())
    style = about["files"]["style." + ("onnx" if kind == "onnx" else "tflite")]
    assert style["outputs"]["w"]["shape"] == [None, snapshot.num_layers, snapshot.config.style_dim]
    assert all(one["meaning"] for file in about["files"].values() for one in file["inputs"].values())
    assert about["size"] == list(snapshot.size) and "limits" not in about


def test_the_command_writes_a_new_folder_only(tmp_path, capsys):
    write_snapshot(tmp_path / "000400kimg", "conditional=false")
    words = ["export", str(tmp_path / "000400kimg"), str(tmp_path / "out"), "--format", "litert"]
    assert main(words) == 0
    assert "model.json, style.tflite, synthesize.tflite" in capsys.readouterr().out
    assert main(words) == 2
    assert "out: exists; expected a new name" in capsys.readouterr().err
    assert main([*words, "--max-rows", "2"]) == 2
    assert "--format litert: takes no other option" in capsys.readouterr().err


def test_a_file_that_computes_something_else_is_not_written(tmp_path, monkeypatch):
    suffix, convert, run = portable.FORMATS["litert"]
    monkeypatch.setitem(portable.FORMATS, "litert", (suffix, convert, lambda *given: run(*given) + 0.01))
    with pytest.raises(RuntimeError, match="style.tflite: differs from the snapshot by 0.0.*nothing was written"):
        portable.write_portable(make_snapshot("conditional=false"), tmp_path / "out", "litert")
    assert not list(tmp_path.iterdir())


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(UserError, match="ONNX files need the package tf2onnx: pip install 'tf-outfit-gan.onnx.'"):
        portable.write_portable(make_snapshot("conditional=false"), tmp_path / "out", "onnx")
