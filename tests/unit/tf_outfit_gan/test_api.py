"""The model from Python: it draws what the command line draws, edits do what they say, mistakes are one line."""

import json
import subprocess
import sys

import numpy as np
import pytest

import tf_outfit_gan as og
from tests.helpers.exported import photo, points, tiny_renderer, write_outfit, write_snapshot
from tf_outfit_gan.outfit_request import read_request

SIZE = (16, 12)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with two outfits."""
    folder = tmp_path_factory.mktemp("run")
    write_snapshot(folder / "snapshots" / "000400kimg")
    for seed, name in ((1, "a"), (2, "b")):
        (folder / name).mkdir()
        write_outfit(folder / name / "outfit.json", seed)
    return folder


@pytest.fixture(scope="module")
def model(run):
    return og.load(run)


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    """A model halfway in its growth, which draws with 4 of its 6 layers."""
    folder = tmp_path_factory.mktemp("unconditional") / "000400kimg"
    write_snapshot(folder, "conditional=false", level=1)
    return og.load(folder)


@pytest.fixture
def outfits(run):
    return run / "a" / "outfit.json", run / "b" / "outfit.json"


def near(found, expected):
    """Equal but for the rounding of another graph."""
    difference = np.abs(np.int16(found) - expected)
    return difference.max() <= 1 and difference.mean() < 0.01


# The package.


def test_the_package_imports_nothing_and_knows_its_version():
    code = (
        "import sys; before = {*sys.modules}\n"
        "import tf_outfit_gan as og\n"
        "assert not {'tensorflow', 'keras', 'numpy', 'PIL'} & {*sys.modules}\n"
        "assert len({*sys.modules} - before) < 30, {*sys.modules} - before\n"
        "assert {'load', 'Client', 'Model', 'UserError'} <= {*dir(og)}\n"
        "og.Client, og.Model, og.UserError\n"
        "assert not {'tensorflow', 'keras', 'grpc'} & {*sys.modules}\n"
        "print(og.__version__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    version = subprocess.run(
        [sys.executable, "-m", "tf_outfit_gan.cli.main", "--version"], check=True, capture_output=True, text=True
    )
    assert version.stdout == f"outfit-gan {done.stdout.strip()}\n"
    assert og.__version__ == done.stdout.strip()
    with pytest.raises(AttributeError, match="module 'tf_outfit_gan' has no attribute 'lode'"):
        og.lode  # noqa: B018


# What is drawn.


def test_render_draws_what_the_command_draws(model, outfits):
    images = model.render(outfits[0], seeds=[3, 1, 3], psi=0.6)
    assert images.shape == (3, *SIZE, 3) and images.dtype == np.uint8
    request = read_request(outfits[0], SIZE)
    np.testing.assert_array_equal(images[:2], [tiny_renderer().picture(request, seed, 0.6) for seed in (3, 1)])
    np.testing.assert_array_equal(images[2], images[0])
    # A path may be text, one seed a number, and psi left out is 1.
    np.testing.assert_array_equal(model.render(str(outfits[0]), 3), model.render(outfits[0], np.array([3]), psi=1))
    assert repr(model) == "<Model 000400kimg: 16x12, slots outerwear, top, dress, bottom, shoes, bag>"


def test_a_pose_takes_the_place_of_the_outfits_own(model, outfits):
    posed = model.render(outfits[0], pose=outfits[1])
    other = json.loads(outfits[1].read_text())["keypoints"]
    fields = json.loads(outfits[0].read_text())
    articles = {slot: outfits[0].parent / file for slot, file in fields["articles"].items()}
    np.testing.assert_array_equal(posed, model.render({"articles": articles, "keypoints": other}))
    assert np.abs(np.int16(posed) - model.render(outfits[0])).max() > 12


def test_styles_are_drawn_as_they_would_have_been(model, unconditional, outfits):
    styles = model.styles(outfits[0], seeds=[1, 2], psi=0.8)
    assert styles.w.shape == (2, 6, 8) and styles.w.dtype == np.float32 and styles.seeds == (1, 2)
    assert near(model.synthesize(styles), model.render(outfits[0], seeds=[1, 2], psi=0.8))
    styles = unconditional.styles(seeds=[1, 2])
    assert styles.w.shape == (2, 4, 8)
    assert near(unconditional.synthesize(styles), unconditional.render(seeds=[1, 2]))
    # Truncation is in w.
    average = model.styles(outfits[0], seeds=[1, 2], psi=0).w
    np.testing.assert_allclose(average[0], average[1], atol=1e-6)


def test_a_way_between_two_styles_begins_and_ends_at_them(model, outfits):
    pair = model.styles(outfits[0], seeds=[1, 2])
    ways = np.linspace(0, 1, 3, dtype=np.float32)[:, None, None]
    steps = pair[[0, 0, 0]].with_w(pair.w[0] + ways * (pair.w[1] - pair.w[0]))
    drawn = model.synthesize(steps)
    assert near(drawn[0], model.render(outfits[0], seeds=1)[0])
    assert near(drawn[2], model.synthesize(pair[:1].with_w(pair.w[1:]))[0])
    assert not near(drawn[1], drawn[0]) and not near(drawn[1], drawn[2])
    # The seeds stay what they were: they are the noise.
    assert steps.seeds == (1, 1, 1) and len(pair[1]) == 1 and pair[1].seeds == (2,)


def test_style_vectors_of_one_outfit_do_not_undress_another(model, outfits):
    """Where conditions also enter as maps, w alone does not make a picture: the outfit travels along."""
    a, b = (model.styles(outfit, seeds=[1]) for outfit in outfits)
    mixed = model.synthesize(b.with_w(a.w))
    assert not near(mixed, model.synthesize(a)) and not near(mixed, model.synthesize(b))


@pytest.mark.parametrize("what, layers", [("color", (4, 6)), ("colour", (4, 6)), ("pose", (0, 1))])
def test_transfer_copies_the_layers_of_what_is_asked_for(model, outfits, what, layers):
    source, target = (read_request(outfit, SIZE) for outfit in outfits)
    expected = tiny_renderer().transfer(source, target, 5, 5, 0.9, layers)
    image = model.transfer(source=outfits[0], target=outfits[1], what=what, seed=5, psi=0.9)
    assert image.shape == (*SIZE, 3)
    np.testing.assert_array_equal(image, expected)
    np.testing.assert_array_equal(model.transfer(*outfits, what, seed=5, psi=0.9, layers=layers), expected)


def test_transfer_uses_what_evaluate_found(run, outfits, tmp_path):
    from tf_outfit_gan.snapshot import save_transfer_split

    write_snapshot(tmp_path / "000400kimg")
    save_transfer_split(tmp_path / "000400kimg", 3)
    found = og.load(tmp_path).transfer(*outfits, "color")
    requests = [read_request(outfit, SIZE) for outfit in outfits]
    np.testing.assert_array_equal(found, tiny_renderer().transfer(*requests, 1, 1, 1.0, (3, 6)))


def test_an_unconditional_model_transfers_between_seeds(unconditional):
    everything = unconditional.transfer(1, 2, "color", layers=(0, 4))
    source, target = unconditional.render(seeds=[1, 2])
    assert np.abs(np.int16(everything) - source).mean() < np.abs(np.int16(everything) - target).mean()
    assert not near(unconditional.transfer(1, 2, "pose"), target)


# Mistakes.


@pytest.mark.parametrize(
    "ask, text",
    [
        (lambda m: m.render(), "this model is conditional: expected an outfit"),
        (lambda m: m.render("gone.json"), "gone.json: expected an outfit file, no such file"),
        (lambda m: m.render(3), "expected an outfit: the path of an outfit.json, DATA:ID or a dict, got 3"),
        (lambda m: m.render({"top": photo(1)}), "the outfit: has no keypoints; a conditional model needs a pose: add them"),
        (lambda m: m.render({"hat": photo(1), "keypoints": points(1)}), "unknown slot 'hat'"),
        (lambda m: m.render({"articles": [1]}), "'articles' must be a dict of slots and pictures"),
        (lambda m: m.render({"top": 3}), "top: expected a picture's path or bytes, a Pillow image or an array, got 3"),
        (lambda m: m.render({"top": b"text"}), "top: expected a picture such as PNG or JPEG"),
        (lambda m: m.render({"top": "gone.png"}), "gone.png: no such file"),
        (lambda m: m.render({"top": np.zeros([8, 8, 3])}), "top: .*an array float64 .8, 8, 3.; expected uint8 .H, W."),
        (lambda m: m.render({"top": np.zeros([1, 1, 3], np.uint8)}), "top: .*1x1 pixels"),
        (lambda m: m.render({"top": {"image": "a.png", "mask": "b.png"}}), "'classes' must be a list"),
        (lambda m: m.render({}, pose=[[1, 2, 3]]), "a pose must be an array .16, 3., got ..1, 2, 3.."),
        (lambda m: m.render({}, pose=np.full([16, 3], 100.0)), "far outside the picture: expected x in widths"),
        (lambda m: m.render({}, pose=np.zeros([16, 3])), "hold no person"),
        (lambda m: m.render({}, pose=3.5), "a pose must be an array .16, 3., got 3.5"),
        (lambda m: m.render({}, pose={"keypoints": None}), "a pose must be an array .16, 3., got None"),
        (lambda m: m.render({}, pose={"points": []}), "'keypoints' must be an object with format, points and size"),
        (lambda m: m.render({}, pose={"points": [[1, 2, 3]], "size": (8, 6)}), "16 times"),
        (lambda m: m.render({}, seeds=[]), "seeds .*: expected one or more integers of 64 bits"),
        (lambda m: m.render({}, seeds=1.5), "seeds 1.5: expected one or more integers"),
        (lambda m: m.render({}, seeds=np.array(1.0)), "seeds array.1.*: expected one or more integers"),
        (lambda m: m.transfer({}, {}, "pose", seed=[1, 2]), "seeds ..1, 2..: expected one or more integers"),
        (lambda m: m.render({}, seeds="1,2"), "seeds '1,2': expected one or more integers"),
        (lambda m: m.render({}, psi=3), "psi 3: expected a number from 0 to 2"),
        (lambda m: m.render({}, psi="much"), "psi 'much': expected a number from 0 to 2"),
        (lambda m: m.transfer({}, {}, "hue"), "unknown transfer 'hue': expected color or pose"),
        (lambda m: m.transfer({}, {}, "pose", layers=(2, 9)), "layers .2, 9.: expected .begin, end. with .* <= 6"),
        (lambda m: m.transfer({}, {}, "pose", layers=3), "layers 3: expected .begin, end."),
        (lambda m: m.synthesize(np.zeros([1, 6, 8])), "expected what model.styles.* returns, got ndarray; .*with_w"),
    ],
)
def test_a_mistake_is_one_line(model, ask, text):
    with pytest.raises(og.UserError, match=text) as error:
        ask(model)
    assert "\n" not in str(error.value)


def test_styles_of_another_model_or_shape_are_refused(model, unconditional, outfits):
    styles = model.styles(outfits[0], seeds=[1])
    with pytest.raises(og.UserError, match=r"w: expected style vectors \[1, 6, 8\], got shape \[2, 6, 8\]"):
        styles.with_w(np.zeros([2, 6, 8]))
    with pytest.raises(og.UserError, match=r"another model: expected w \[N, 4, 8\] without an outfit, got \[1, 6, 8\]"):
        unconditional.synthesize(styles)
    with pytest.raises(og.UserError, match="expected the styles of one picture at least"):
        model.synthesize(styles[:0])


def test_an_unconditional_model_takes_seeds_alone(unconditional, outfits):
    with pytest.raises(og.UserError, match="unconditional: it draws from seeds alone; leave out outfit and pose"):
        unconditional.render(outfits[0])
    with pytest.raises(og.UserError, match="source and target are seeds; leave out seed"):
        unconditional.transfer(1, 2, "pose", seed=1)
    with pytest.raises(og.UserError, match="seeds .'a.json'.: expected one or more integers"):
        unconditional.transfer("a.json", 2, "pose")


def test_a_wrong_path_is_an_error_before_tensorflow_is_imported(tmp_path):
    code = (
        "import sys, tf_outfit_gan as og\n"
        "try: og.load(sys.argv[1])\n"
        "except og.UserError as error: print(error, 'tensorflow' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True)
    assert done.stdout.startswith(f"{tmp_path}: no snapshot here; expected") and done.stdout.endswith(" False\n")


def test_keras_on_another_backend_is_named(run, monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(og.UserError, match="imported with the backend jax.*set KERAS_BACKEND=tensorflow"):
        og.load(run)
