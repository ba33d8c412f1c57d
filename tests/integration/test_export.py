"""The export: what a server finds in it, what it answers, and that nothing but a good and whole one is published."""

import contextlib
import dataclasses
import io
import json
import subprocess
import sys
from collections import Counter

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from export import savedmodel
from export.limits import Limits
from export.savedmodel import write_savedmodel
from export.signatures import make_signatures, map_inputs, preview_level
from export.verification import WARMUP
from export.warmup import read_samples
from tests.helpers.exported import make_snapshot, photo, tiny_renderer, write_outfit, write_snapshot
from tests.helpers.serving_model import predict_request, running_server, stubs, wait_for
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.client import Client
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.outfit_request import Request, read_request
from tf_outfit_gan.snapshot import weights_checksum

CONDITIONS = {"article_images_bytes": ("string", [None, 6]), "keypoints": ("float32", [None, 16, 3])}


SIGNATURES = {
    "serving_default",
    "render_jpeg",
    "render_status",
    "preview",
    "style",
    "synthesize",
    "transfer",
    "style_mix",
    "describe",
}


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    """The same of an unconditional model that is halfway from 4x3 to 8x6, beside older versions and other things.

    It is exported by the command, whose output is the third.
    """
    base_path = tmp_path_factory.mktemp("unconditional") / "generator"
    for name in ("3", "00000012", "notes"):
        (base_path / name).mkdir(parents=True)
    snapshot = write_snapshot(base_path.parent / "000400kimg", "conditional=false", level=1, alpha=0.5)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["export", str(base_path.parent), str(base_path), "--warmup-batch-sizes", "1,3"]) == 0
    return snapshot, base_path, out.getvalue()


@pytest.fixture(scope="module")
def server(tiny_export):
    with running_server(tiny_export[1]) as running:
        yield running


@pytest.fixture(scope="module")
def ask(server):
    """Asks over gRPC: ask(arrays, signature) -> the outputs."""
    with stubs(server.port) as (predictions, _):
        yield lambda arrays, signature="serving_default": predictions.Predict(predict_request(arrays, signature)).outputs


@pytest.fixture(scope="module")
def predict(ask):
    """The same: predict(arrays, signature) -> decoded pictures [N, H, W, 3]."""

    def pictures(arrays, signature="serving_default"):
        return np.stack([opened(image) for image in ask(arrays, signature)["image_bytes"].string_val])

    return pictures


def opened(image):
    return np.asarray(Image.open(io.BytesIO(image)))


def rows(*seeds):
    """The inputs of serving_default; PNG and JPEG, and four articles missing."""
    articles = np.full([len(seeds), 6], b"", object)
    for row, seed in enumerate(seeds):
        for slot, kind in ((1, "PNG"), (3, "JPEG")):
            out = io.BytesIO()
            photo(seed + slot).save(out, kind)
            articles[row, slot] = out.getvalue()
    keypoints = np.stack([np.random.default_rng(seed).uniform(0, 1, (16, 3)) for seed in seeds]).astype(np.float32)
    keypoints[..., 2] = 1
    return {
        "article_images_bytes": articles,
        "keypoints": keypoints,
        "seed": np.array(seeds, np.int64),
        "truncation_psi": np.full(len(seeds), 0.8, np.float32),
    }


def mix_rows(begin, end):
    source, target = rows(4), rows(5)
    inputs = {
        f"{side}_{name}": value
        for side, given in (("source", source), ("target", target))
        for name, value in given.items()
        if name != "truncation_psi"
    }
    return inputs | {
        "truncation_psi": source["truncation_psi"],
        "layer_begin": np.array([begin], np.int32),
        "layer_end": np.array([end], np.int32),
    }


def card(version):
    return json.loads((version / "assets.extra" / "model.json").read_text())


def test_the_graph_does_not_depend_on_the_devices_of_the_machine_that_exports(monkeypatch):
    snapshot = make_snapshot("size=8x6", "conditional=false")

    def operations():
        graph = make_signatures(snapshot, Limits.of_size(snapshot.size), {})["serving_default"].graph.as_graph_def()
        nodes = [*graph.node, *(node for body in graph.library.function for node in body.node_def)]
        return sorted(node.op for node in nodes)

    here = operations()
    assert here.count("FusedBatchNormV3") == 4
    for lists in ("get_visible_devices", "list_physical_devices"):
        monkeypatch.setattr(tf.config, lists, lambda kind=None: [tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")])
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: [tf.config.LogicalDevice("/device:GPU:0", "GPU")])
    assert operations() == here


def test_the_card_tells_what_servers_are_asked(tiny_export):
    found = card(tiny_export[1] / "1")
    assert found["size"] == found["condition_size"] == [16, 12] and found["cur_nimg"] == 400_000
    assert found["slots"] == ["outerwear", "top", "dress", "bottom", "shoes", "bag"]
    assert found["layers"] == {"count": 6, "color": [4, 6], "colour": [4, 6], "pose": [0, 1]}
    numbers = {"seed": ("int64", [None]), "truncation_psi": ("float32", [None])}
    layers = {"layer_begin": ("int32", [None]), "layer_end": ("int32", [None])}
    sides = {
        f"{side}_{name}": spec for side in ("source", "target") for name, spec in (CONDITIONS | {"seed": numbers["seed"]}).items()
    }
    image = {"image_bytes": ("string", [None])}
    request, mix = CONDITIONS | numbers, sides | layers | {"truncation_psi": numbers["truncation_psi"]}
    w = {"w": ("float32", [None, 6, 8])}
    expected = {
        "serving_default": (request, image | {"seed": ("int64", [None])}),
        "render_jpeg": (request, image),
        "render_status": (request, image | {"status": ("string", [None])}),
        "preview": (request, image),
        "style": (request, w),
        "synthesize": (w | CONDITIONS | {"seed": numbers["seed"]}, image),
        "transfer": (mix, image),
        "style_mix": (mix, image),
        "describe": ({"what": ("string", [None])}, {"description_bytes": ("string", [None]), "what": ("string", [None])}),
    }
    assert {
        name: tuple(
            {key: (spec["dtype"], spec["shape"]) for key, spec in part.items()}
            for part in (found["signatures"][name][side] for side in ("inputs", "outputs"))
        )
        for name in found["signatures"]
    } == expected


def test_the_server_lists_the_signatures_of_the_card(tiny_export, server):
    served = Client(f"localhost:{server.rest_port}", "gen").metadata()["signature_def"]
    del served["__saved_model_init_op"]
    described = card(tiny_export[1] / "1")["signatures"]
    assert served.keys() == described.keys()
    for name, signature in served.items():
        for side in ("inputs", "outputs"):
            infos, specs = signature[side], described[name][side]
            assert {key: [int(dim["size"]) for dim in info["tensor_shape"]["dim"]] for key, info in infos.items()} == {
                key: [-1 if size is None else size for size in spec["shape"]] for key, spec in specs.items()
            }
            assert {key: info["dtype"] for key, info in infos.items()} == {
                key: f"DT_{spec['dtype'].upper()}".replace("FLOAT32", "FLOAT") for key, spec in specs.items()
            }


def test_every_weight_is_stored_once(tiny_export):
    snapshot, base_path = tiny_export
    stored = tf.train.load_checkpoint(str(base_path / "1/variables/variables")).get_variable_to_shape_map()
    del stored["_CHECKPOINTABLE_OBJECT_GRAPH"]
    # A stable picture does not read how the levels below would be shown, a kernel and a bias each; a preview reads one.
    read = len(snapshot.generator.variables) - 2 * (snapshot.config.num_levels - 2)
    assert len(stored) == read
    model = SavedModel.FromString((base_path / "1/saved_model.pb").read_bytes())
    graph = model.meta_graphs[0].graph_def
    nodes = [graph.node, *(function.node_def for function in graph.library.function)]
    operations = [node.op for part in nodes for node in part]
    assert operations.count("VarHandleOp") == read
    # What the server's runtime does not have, or would draw differently each time.
    assert not {op for op in operations if "PyFunc" in op or op in ("RandomStandardNormal", "RandomUniform")}
    assert b"_XlaMustCompile" not in model.SerializeToString()
    assert not graph.library.gradient and not graph.library.registered_gradients


def test_served_is_rendered(tiny_export, server, tmp_path):
    snapshot, _ = tiny_export
    outfit = write_outfit(tmp_path / "outfit.json", 6)
    served = Client(f"localhost:{server.rest_port}", "gen").render(outfit, seeds=[1, -2], psi=0.9)
    request, renderer = read_request(str(outfit), snapshot.config.condition_size), tiny_renderer()
    for picture, seed in zip(served, (1, -2)):
        np.testing.assert_array_equal(picture, renderer.picture(request, seed, 0.9))
        assert picture.std() > 20  # There is something in it to agree about.


def test_one_seed_is_one_picture_alone_or_in_a_batch(predict):
    together = predict(rows(7, 5, 9)).astype(int)
    # Kernels for another number of rows may sum in another order, which may round a pixel otherwise, by one step.
    difference = np.abs(together[1] - predict(rows(5))[0])
    assert difference.max() <= 1 and difference.mean() < 0.01
    assert np.abs(together[0] - together[1]).mean() > 10


def test_style_mix_is_transfer(tiny_export, predict, ask):
    snapshot, _ = tiny_export
    source, target = rows(4), rows(5)

    def request(inputs):
        articles = dict(zip(snapshot.config.slots, inputs["article_images_bytes"][0]))
        return Request("", articles, inputs["keypoints"][0])

    expected = tiny_renderer().transfer(request(source), request(target), 4, 5, 0.8, (4, 6))
    for name in ("style_mix", "transfer"):
        assert np.abs(predict(mix_rows(4, 6), name)[0].astype(int) - expected).max() <= 1


def test_a_transfer_says_which_side_is_wrong(ask):
    for name, side, text in [
        ("keypoints", "source", "row 0: source: keypoints must be x in widths"),
        ("article_images_bytes", "target", "row 0: target: article outerwear is no picture"),
    ]:
        inputs = mix_rows(4, 6)
        inputs[f"{side}_{name}"][0, 0] = 99 if name == "keypoints" else b"text"
        with pytest.raises(grpc.RpcError, match=text):
            ask(inputs, "transfer")


def test_style_and_synthesize_are_a_picture_in_two_steps(predict, ask):
    inputs = rows(7, 5)
    w = tf.make_ndarray(ask(inputs, "style")["w"])
    request = {name: inputs[name] for name in ("article_images_bytes", "keypoints", "seed")} | {"w": w}
    assert np.abs(predict(request, "synthesize").astype(int) - predict(inputs)).max() <= 1
    # The maps are drawn from the outfit and the pose given, not from those of w.
    other = predict(request | {"keypoints": rows(8, 9)["keypoints"]}, "synthesize")
    assert np.abs(other.astype(int) - predict(inputs)).mean() > 1
    w[1, 2, 3] = np.inf
    with pytest.raises(grpc.RpcError, match="row 1: w must be finite"):
        ask(request, "synthesize")


def test_a_jpeg_is_the_same_picture(predict, ask):
    expected = opened(tf.io.encode_jpeg(predict(rows(7))[0], quality=95).numpy()).astype(int)
    image = ask(rows(7), "render_jpeg")["image_bytes"].string_val[0]
    assert image.startswith(b"\xff\xd8") and np.abs(opened(image) - expected).mean() < 1


def test_a_preview_is_a_lower_level_of_the_network(tiny_export, predict):
    snapshot, _ = tiny_export
    inputs = rows(7)
    lower = Renderer(dataclasses.replace(snapshot, level=0))
    request = Request("", dict(zip(snapshot.config.slots, inputs["article_images_bytes"][0])), inputs["keypoints"][0])
    expected = lower.picture(request, 7, 0.8)
    assert expected.shape == (4, 3, 3)
    assert np.abs(predict(inputs, "preview")[0].astype(int) - expected).max() <= 1


def test_no_preview_of_a_level_that_was_never_shown(tiny_export):
    snapshot, _ = tiny_export
    assert preview_level(snapshot) == 0
    bias = snapshot.generator.synthesis.levels[0].to_rgb.bias
    was = bias.numpy()
    try:
        bias.assign(0 * was)
        assert preview_level(snapshot) == 1
    finally:
        bias.assign(was)


@pytest.mark.parametrize(
    "paths, names",
    [
        (("style", "style"), ()),
        (("spatial", "style"), ("keypoints",)),
        (("style", "worn"), ("article_images_bytes", "keypoints")),  # Articles are laid over the pose.
    ],
)
def test_synthesize_takes_what_enters_as_maps(paths, names):
    config, _ = from_preset("tiny", [f"pose_path={paths[0]}", f"article_path={paths[1]}"])
    assert map_inputs(config) == names


def test_describe_answers_in_json(tiny_export, ask):
    answers = ask({"what": np.array([b"", b"limits"])}, "describe")["description_bytes"].string_val
    everything, limits = map(json.loads, answers)
    assert limits == everything["limits"] == {"max_rows": 64, "max_article_pixels": 2**25}
    assert everything["keypoints"]["joints"][:2] == ["right_ankle", "right_knee"] and everything["version"]
    assert everything["weights_sha256"] == weights_checksum(tiny_export[0])
    assert everything.items() <= card(tiny_export[1] / "1").items()


def test_one_bad_row_leaves_the_others_their_pictures(predict, ask):
    inputs = rows(1, 2, 3, 4)
    inputs["truncation_psi"][0] = 9
    inputs["article_images_bytes"][1, 3] = inputs["article_images_bytes"][1, 3][:-40]  # Its header is whole.
    inputs["keypoints"][2, 5] = 380, 120, 1
    answer = ask(inputs, "render_status")
    status = [text.decode() for text in answer["status"].string_val]
    assert status[:2] == ["truncation_psi must be in [0, 2], got 9", "article bottom is damaged: its end is missing"]
    assert status[2].startswith("keypoints must be x in widths and y in heights") and status[3] == ""
    pictures = answer["image_bytes"].string_val
    assert pictures[:3] == [b""] * 3
    assert np.abs(opened(pictures[3]).astype(int) - predict(rows(4))[0]).max() <= 1


def changed(**changes):
    def change(inputs):
        return inputs | {name: value(inputs[name].copy()) for name, value in changes.items()}

    return change


def with_value(index, value):
    def change(array):
        array[index] = value
        return array

    return change


def blank(height, width):
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "PNG")
    return out.getvalue()


def test_articles_at_their_limit_are_drawn(predict):
    predict(changed(article_images_bytes=with_value((0, 2), blank(4000, 3000)))(rows(1)))


@pytest.mark.parametrize(
    "change, text",
    [
        (changed(truncation_psi=with_value(0, 2.5)), r"row 0: truncation_psi must be in \[0, 2\], got 2.5\]"),
        (changed(truncation_psi=with_value(1, np.nan)), "row 1: truncation_psi must be in"),
        (changed(keypoints=with_value((1, 3, 0), np.nan)), "row 1: keypoints must be x in widths .* got x = nan, "),
        (
            changed(keypoints=with_value((1, 3, slice(2)), (380, 512))),
            "where v > 0, got x = 380, y = 512 for left_hip. If these are pixels, divide x by the width of the picture",
        ),
        (changed(keypoints=with_value((0, 3, 1), -1.01)), "from -1 to 2 where v > 0, got x = "),
        (lambda inputs: rows(*range(65)), r"a request may have 64 rows at most; send fewer at once. Got\] \[65\]"),
        (
            changed(article_images_bytes=with_value((1, slice(3)), blank(4000, 3000))),
            "row 1: the articles of a row may have 33554432 pixels together, .* Got 36001200",
        ),
        (
            changed(article_images_bytes=with_value((1, 2), blank(8000, 1))),
            "Got 48002400",
        ),  # 8000x6000 when filled up, and two of 40x30.
        (changed(keypoints=lambda x: x[:, :15]), r"\[2,15,3\] is not compatible with expected shape \[\?,16,3\]"),
        (changed(article_images_bytes=lambda x: x[:, :5]), r"\[2,5\] is not compatible with expected shape \[\?,6\]"),
        (changed(seed=lambda x: x[0]), "is not compatible with expected shape"),
        (
            changed(seed=lambda x: x[:1]),
            r"article_images_bytes, keypoints, seed, truncation_psi must have the same number of rows, got\] \[2 2 1 2\]",
        ),
        (lambda inputs: {name: value[:0] for name, value in inputs.items()}, "must have one row at least"),
        (changed(article_images_bytes=with_value((0, 2), b"just text")), "row 0: article dress is no picture"),
        (changed(article_images_bytes=with_value((0, 2), b"\xff\xfe\xfd")), "begins with the bytes ff fe fd"),
        (changed(seed=lambda x: x.astype(np.int32)), "to be int64 but int32 is provided"),
    ],
)
def test_wrong_inputs_are_refused_in_words(predict, change, text):
    with pytest.raises(grpc.RpcError, match=text) as error:
        predict(change(rows(1, 2)))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("begin, end", [(-1, 2), (2, 2), (0, 7)])
def test_wrong_layers_are_refused_in_words(predict, begin, end):
    with pytest.raises(grpc.RpcError, match=rf"layer_begin < layer_end <= 6, got {begin} and {end}\]") as error:
        predict(mix_rows(begin, end), "style_mix")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_joint_that_is_not_there_may_hold_anything(predict):
    hidden = changed(keypoints=with_value((0, 3), (np.nan, np.inf, 0)))(rows(1))
    np.testing.assert_array_equal(predict(hidden), predict(changed(keypoints=with_value((0, 3), 0))(rows(1))))


def test_an_unconditional_model_draws_from_seeds_at_the_level_it_has_reached(unconditional):
    snapshot, base_path, _ = unconditional
    loaded = tf.saved_model.load(str(base_path / "13")).signatures
    assert set(loaded) == SIGNATURES | {"generate_unconditional"}
    answers = loaded["describe"](what=tf.constant(["conditional", "size"]))["description_bytes"]
    assert [json.loads(answer) for answer in answers.numpy()] == [False, [8, 6]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="what: expected one of slots, "):
        loaded["describe"](what=tf.constant(["hats"]))
    assert card(base_path / "13")["size"] == [8, 6]
    inputs = {"seed": tf.constant([3], tf.int64), "truncation_psi": tf.constant([0.7])}
    pictures = [
        tf.io.decode_png(loaded[name](**inputs)["image_bytes"][0]) for name in ("serving_default", "generate_unconditional")
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], Renderer(snapshot).picture(None, 3, 0.7))


def test_a_server_warms_up_with_every_signature_and_batch_size(unconditional):
    samples = read_samples(unconditional[1] / "13" / WARMUP)
    assert Counter((name, len(next(iter(inputs.values())))) for name, inputs, _ in samples) == Counter(
        [(name, 1) for name in (*SIGNATURES, "generate_unconditional")] + [("serving_default", 3)]
    )


@pytest.mark.parametrize(
    "option, text",
    [
        (("--version", "12"), "has that version already, and a published version never changes; choose another one, or leave"),
        (("--version", str(2**63)), "expected a number from 1 to 9223372036854775807"),
        (("--warmup-batch-sizes", "2,65"), "--warmup-batch-sizes 1,2,65: expected 1 to 64, the rows that a request may have"),
        (("--max-rows", "0"), "--max-rows: expected a whole number of 1 or more, got '0'"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(unconditional, capsys, option, text):
    _, base_path, _ = unconditional
    assert main(["export", str(base_path.parent), str(base_path), *option]) == 2
    assert text in capsys.readouterr().err


def test_nothing_is_left_beside_a_version(unconditional):
    assert {path.name for path in unconditional[1].iterdir()} == {"3", "00000012", "notes", "13"}


def test_leftovers_of_killed_exports_go_and_those_of_live_ones_stay(tmp_path):
    base_path = tmp_path / "model"
    for name in (".tmp-dead", ".tmp-live", "1"):
        (base_path / name).mkdir(parents=True)
    with savedmodel._locked(base_path / ".tmp-live"), savedmodel._staging_folder(base_path) as staging:
        assert {path.name for path in base_path.iterdir()} == {".tmp-live", "1", staging.name}
        with savedmodel._staging_folder(base_path) as other:
            assert staging.exists() and other.exists()
    assert {path.name for path in base_path.iterdir()} == {".tmp-live", "1"}


def test_a_model_that_answers_otherwise_is_not_published(unconditional, tmp_path, monkeypatch):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, "seed")])
    def draws_the_time(seed):
        shades = tf.math.floormod(tf.timestamp() * tf.range(1e3, 37e3, 1e3, tf.float64), 256)
        picture = tf.reshape(tf.cast(shades, tf.uint8), [4, 3, 3])
        return {"image_bytes": tf.io.encode_png(picture)[tf.newaxis], "seed": seed}

    signatures = ("serving_default", "transfer")
    functions = {name: draws_the_time.get_concrete_function() for name in signatures}
    monkeypatch.setattr(savedmodel, "make_signatures", lambda *args: functions)
    with pytest.raises(RuntimeError, match="draws another picture than the snapshot; nothing was published"):
        write_savedmodel(unconditional[0], tmp_path / "model")
    assert list((tmp_path / "model").iterdir()) == []


def test_a_killed_export_publishes_nothing(unconditional, tmp_path):
    run = str(unconditional[1].parent)
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "export", run, str(tmp_path / "model")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: list(tmp_path.glob("model/.tmp-*/saved_model.pb")), timeout_sec=60)
    finally:
        process.kill()
        process.wait()
    assert [path.name[:5] for path in (tmp_path / "model").iterdir()] == [".tmp-"]


def test_the_command_tells_what_it_did_and_how_to_serve_it(unconditional):
    _, base_path, out = unconditional
    lines = out.splitlines()
    assert lines[0].startswith(f"exported generator version 13 to {base_path}/13: ")
    assert "8x6 pictures after 400 kimg" in lines[0]
    assert lines[1] == f"serve it: outfit-gan serve {base_path}"


@pytest.mark.parametrize(
    "snapshot, models, text",
    [
        ("missing", "model", "missing: no snapshot here; expected a snapshot folder or a run folder with snapshots/"),
        ("snapshot", "file", "file: expected a folder for the versions of a model"),
        ("snapshot", "s3://bucket/model", "has no file system for s3://; load a plugin that was built for it"),
        ("snapshot", "version", "version is one version of a model; give the folder that it lies in"),
    ],
)
def test_wrong_paths_are_one_line(unconditional, tmp_path, capsys, monkeypatch, snapshot, models, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "version").mkdir()
    (tmp_path / "version" / "saved_model.pb").write_text("")
    snapshot = str(unconditional[1].parent / "000400kimg") if snapshot == "snapshot" else snapshot
    assert main(["export", snapshot, models]) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
