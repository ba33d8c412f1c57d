"""`outfit-gan verify`: a good export passes, and of a broken one it says what is broken."""

import contextlib
import json
import shutil

import numpy as np
import pytest
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from export import verification
from export.verification import CARD, WARMUP, folder_problems, write_checksums
from export.warmup import read_samples, write_samples
from tf_outfit_gan.cli.main import main


@pytest.fixture
def version(tiny_export, tmp_path):
    """A copy of an exported version, to break; its checksums are those of the whole one until they are written again."""
    return shutil.copytree(tiny_export[1] / "1", tmp_path / "model" / "1")


@pytest.fixture(scope="module")
def loaded(tiny_export):
    """(ask, card, samples) of a good version, which is loaded once."""
    version = tiny_export[1] / "1"
    with verification.loaded(version) as ask:
        yield ask, json.loads((version / CARD).read_text()), read_samples(version / WARMUP)


def test_a_good_export_passes(tiny_export, loaded, capsys, monkeypatch):
    _, base_path = tiny_export
    monkeypatch.setattr(verification, "loaded", lambda folder: contextlib.nullcontext(loaded[0]))  # Loading it takes seconds.
    assert main(["verify", str(base_path), "--snapshot", str(base_path.parent / "000400kimg")]) == 0
    assert capsys.readouterr().out.startswith(f"PASS: {base_path}/1: ")


def flip_a_byte(version):
    (path,) = version.glob("variables/variables.data*")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def lose_the_index(version):
    (version / "variables" / "variables.index").unlink()


def changed_graph(change):
    """Breaks the graph and writes the checksums again, as a tool that converts models would."""

    def break_it(version):
        model = SavedModel.FromString((version / "saved_model.pb").read_bytes())
        change(model.meta_graphs[0])
        (version / "saved_model.pb").write_bytes(model.SerializeToString())
        write_checksums(version)

    return break_it


def changed_card(change):
    def break_it(version):
        card = json.loads((version / CARD).read_text())
        change(card)
        (version / CARD).write_text(json.dumps(card))
        write_checksums(version)

    return break_it


def changed_samples(change):
    def break_it(version):
        write_samples(version / WARMUP, change(read_samples(version / WARMUP)))
        write_checksums(version)

    return break_it


def call_python(graph):
    graph.graph_def.library.function[0].node_def.add(name="asked", op="EagerPyFunc")


def compile_with_xla(graph):
    graph.graph_def.library.function[0].attr["_XlaMustCompile"].b = True


def drop_the_batch(graph):
    del graph.signature_def["style"].outputs["w"].tensor_shape.dim[0]


@pytest.mark.parametrize(
    "break_it, text",
    [
        (flip_a_byte, "variables/variables.data-00000-of-00001 is not the file that was exported: its SHA-256 differs"),
        (lose_the_index, "variables/variables.index is missing"),
        (lambda version: (version / "saved_model.pb").unlink(), "saved_model.pb is missing"),
        (lambda version: (version / CARD).write_text("{"), "does not read: "),
        (changed_graph(call_python), "the graph has the operation EagerPyFunc"),
        (changed_graph(compile_with_xla), "must be compiled by XLA, which a server does not do"),
        (changed_graph(drop_the_batch), "signature style: w has no row for each row of a request"),
        (changed_graph(lambda graph: graph.signature_def.pop("preview")), "signature preview is missing, and model.json has it"),
        (changed_card(lambda card: card["signatures"].pop("style")), "signature style is not in model.json"),
        (changed_samples(lambda samples: samples[1:]), "no request with its answer for signature serving_default"),
    ],
)
def test_a_broken_folder_is_described(version, break_it, text):
    break_it(version)
    assert any(text in problem for problem in folder_problems(version)), folder_problems(version)


def test_the_command_fails_with_what_is_wrong(version, capsys):
    lose_the_index(version)
    assert main(["verify", str(version.parent)]) == 1
    out, error = capsys.readouterr()
    assert "variables/variables.index is missing" in out and error.startswith("outfit-gan verify: error: FAIL: ")
    assert main(["verify", str(version.parent), "--version", "2"]) == 2
    assert "no version 2; there are 1" in capsys.readouterr().err
    assert main(["verify", str(version)]) == 2
    assert "no version here" in capsys.readouterr().err


def test_another_answer_than_recorded_is_found(loaded):
    ask, _, samples = loaded
    style = next(i for i, (name, *_) in enumerate(samples) if name == "style")
    name, inputs, outputs = samples[style]
    samples = samples.copy()
    samples[style] = name, inputs, {"w": outputs["w"] + 0.1}
    samples.append(("style", {**inputs, "truncation_psi": np.float32([9])}, outputs))
    assert list(verification.answer_problems(ask, samples[style:])) == [
        "signature style has another w than was recorded",
        "signature style fails: assertion failed: [row 0: truncation_psi must be in [0, 2], got 9]",
    ]


@pytest.mark.parametrize(
    "break_it, text",
    [
        (
            lambda ask, name, inputs: ask(name, inputs | {"seed": inputs["seed"] * 0}),
            "two seeds have the same",
        ),
        (
            lambda ask, name, inputs: ask(name, inputs | {"seed": inputs["seed"] + len(inputs["seed"])}),
            "depends on the other rows",
        ),
        (
            lambda ask, name, inputs: ask(name, inputs | {"keypoints": inputs["keypoints"] * 0}),
            "keypoints in pixels: not refused",
        ),
        (lambda ask, name, inputs: ask(name, {key: value[:64] for key, value in inputs.items()}), "more rows than are allowed"),
    ],
)
def test_a_broken_promise_is_found(loaded, break_it, text):
    """Models that behave otherwise, made of a good one by changing what it is asked."""
    ask, card, samples = loaded
    problems = list(verification.behavior_problems(lambda name, inputs: break_it(ask, name, inputs), card, samples))
    assert any(text in problem for problem in problems), problems


def test_a_model_of_single_rows_is_asked_for_single_rows(loaded):
    ask, card, samples = loaded
    asked = []

    def single(name, inputs):
        asked.append(len(inputs["seed"]))
        return ask(name, inputs)

    limits = {"max_rows": 1, "max_article_pixels": 2**25}
    problems = list(verification.behavior_problems(single, card | {"limits": limits}, samples))
    assert problems == ["more rows than are allowed: not refused"]  # By the model that really answers.
    assert asked.count(2) == 1 and set(asked) == {1, 2}


def test_another_snapshot_is_found(tiny_export, loaded):
    snapshot, _ = tiny_export
    _, card, samples = loaded
    _, inputs, outputs = next(sample for sample in samples if sample[0] == "serving_default")
    bias = snapshot.generator.synthesis.levels[-1].to_rgb.bias
    was = bias.numpy()
    try:
        bias.assign(was + 0.2)
        problems = list(verification.snapshot_problems(inputs, outputs, card, snapshot))
    finally:
        bias.assign(was)
    assert problems == [f"the {what} are not those of the snapshot 000400kimg" for what in ("weights", "pictures")]
