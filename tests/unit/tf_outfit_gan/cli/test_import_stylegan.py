"""Official StyleGAN pickles: their pictures come out of our snapshot, and nothing of them ever runs."""

import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing._private.utils import runstring

from tests.helpers import official_pickle
from tests.helpers.official import GOLDEN
from tf_outfit_gan import ops, styles
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli import import_stylegan
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.stylegan1 import variable_map
from tf_outfit_gan.stylegan1.conversion import read
from tf_outfit_gan.stylegan1.safe_unpickler import read_pickle
from tf_outfit_gan.stylegan1.sampling import pictures
from tf_outfit_gan.util.errors import UserError

CLOSE = dict(rtol=1e-4, atol=1e-4)


def run(path, target):
    import_stylegan.run(type("args", (), dict(network=str(path), snapshot=str(target))))


def imported(folder, networks, **options):
    """The snapshot of a pickle of these networks, read back from disk."""
    run(official_pickle.dump(networks, folder / "network.pkl", **options), folder / "snapshot")
    return snapshots.load(folder / "snapshot", training=True)


def refusal(path):
    with pytest.raises(UserError) as error:
        read(path)
    assert error.value.exit_code == 2 and "\n" not in str(error.value)
    return str(error.value)


class TestAgreement:
    """The imported snapshot computes what the official code computed: the golden vectors."""

    @pytest.fixture(scope="class", params=[("stylegan1_r32", "0.0"), ("stylegan1_r32_fused", "1.5")], ids=str)
    def case(self, request, tmp_path_factory):
        name, lod = request.param
        networks = official_pickle.golden(name, float(lod))
        return imported(tmp_path_factory.mktemp("import"), networks), np.load(GOLDEN / f"{name}.npz"), lod

    def test_pictures_of_the_same_latents_and_noise(self, case):
        """A partly trained network draws at the level that its lod says; the official one shows it at full size."""
        snapshot, values, lod = case
        drawn = pictures(snapshot, values["out/z"], psi=1)
        assert drawn.shape[1:3] == snapshot.size == (32 >> int(float(lod)),) * 2
        while drawn.shape[1] < 32:
            drawn = ops.upsample(drawn)
        np.testing.assert_allclose(drawn, values[f"lod/{lod}/image"].transpose(0, 2, 3, 1), **CLOSE)

    def test_mixed_styles_at_full_size(self, case):
        snapshot, values, _ = case
        w = snapshot.generator.broadcast(snapshot.generator.style_vectors(tf.constant(values["out/z"])))
        drawn = snapshot.generator.synthesis(styles.mix(w, tf.roll(w, 1, axis=0), 4), snapshot.noise)
        np.testing.assert_allclose(drawn, values["out/image_mixed"].transpose(0, 2, 3, 1), **CLOSE)

    def test_discriminator_and_training_generator(self, case):
        snapshot, values, _ = case
        generator, discriminator = snapshot.training
        scores = discriminator(tf.constant(values["out/real"].transpose(0, 2, 3, 1)))
        np.testing.assert_allclose(scores, values["out/score_real"][:, 0], **CLOSE)
        np.testing.assert_array_equal(generator.synthesis.levels[-1].to_rgb.bias, [1, 2, 3])

    def test_truncation_pulls_to_the_network_s_own_average(self, case):
        snapshot, values, _ = case
        drawn = pictures(snapshot, values["out/z"], psi=0).numpy()
        average = snapshot.generator.broadcast(np.linspace(-1, 1, 32, dtype=np.float32)[None])
        alpha = None if snapshot.alpha == 1 else tf.constant(snapshot.alpha, tf.float32)
        expected = snapshot.generator.synthesis(average, snapshot.noise, level=snapshot.level, alpha=alpha)
        np.testing.assert_allclose(drawn, np.repeat(expected, len(drawn), axis=0), **CLOSE)


@pytest.mark.parametrize("lod, level, alpha", [(0, 1, 1), (0.25, 1, 0.75), (1, 0, 1)])
def test_a_lod_is_a_level_and_an_alpha(tmp_path, lod, level, alpha):
    path = official_pickle.dump(official_pickle.tiny(lod), tmp_path / "p")
    assert read(path)[1] == (level, alpha)


def test_every_variable_of_the_full_size_has_a_place():
    """The parameter counts of the paper's networks."""
    config = ModelConfig(size=(1024, 1024), conditional=False)
    counts = {entry.name: math.prod(entry.shape) for entry in variable_map.generator_entries(config)}
    assert sum(counts.values()) - counts["dlatent_avg"] == 26_219_627
    assert sum(math.prod(entry.shape) for entry in variable_map.discriminator_entries(config)) == 23_087_249


class TestPickles:
    """What pickles say is read as Python and NumPy read it, whoever wrote them."""

    ARRAYS = [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1, 2], ">i4"),
        np.float32(0.5),
        np.array(True),
    ]

    @pytest.mark.parametrize("protocol", [2, 3, 4, 5])
    def test_values_come_back(self, tmp_path, protocol):
        plain = {"a": [1, -(2**40), 1.5, None, True], "b": ("text", b"bytes", {}), "c": official_pickle.EasyDict(d=2)}
        read = read_pickle(official_pickle.dump((plain, self.ARRAYS), tmp_path / "p", protocol))
        assert read[0] == plain and len(read[1]) == len(self.ARRAYS)
        for ours, array in zip(read[1], self.ARRAYS, strict=True):
            np.testing.assert_array_equal(ours.value, array)
            assert ours.value.dtype == array.dtype

    @pytest.mark.parametrize("protocol", [4, 5])
    def test_arrays_of_this_numpy(self, tmp_path, protocol):
        (tmp_path / "p").write_bytes(pickle.dumps(self.ARRAYS, protocol))
        for ours, array in zip(read_pickle(tmp_path / "p"), self.ARRAYS, strict=True):
            np.testing.assert_array_equal(ours.value, array)

    def test_an_array_of_python_2(self, tmp_path):
        """As cPickle of Python 2 writes it: bytes are text, and the memo counts from 1."""
        (tmp_path / "p").write_bytes(
            b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
            b"(K\x01K\x02\x85cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xff"
            b"J\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\x80?\x00\x00\x00\xc0tb."
        )
        np.testing.assert_array_equal(read_pickle(tmp_path / "p").value, np.float32([1, -2]))


class Hostile:
    """Creates a file when it is unpickled; each with another function of another module."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hostile(canary):
    touch = f"touch {canary}"
    return {
        "posix.system": Hostile(os.system, touch),
        "builtins.eval": Hostile(eval, f"open({str(canary)!r}, 'w')"),
        "builtins.getattr": Hostile(getattr, "", "join"),
        "subprocess.Popen": Hostile(subprocess.Popen, touch.split()),
        "numpy.testing._private.utils.runstring": Hostile(runstring, f"open({str(canary)!r}, 'w')", {}),
    }


class TestRefusal:
    """What is not an official StyleGAN is refused by name, and none of it runs."""

    @pytest.mark.parametrize("name", hostile(""))
    @pytest.mark.parametrize("place", ["alone", "keyword", "variable", "objects"])
    def test_foreign_names(self, tmp_path, name, place):
        canary = tmp_path / "canary"
        bomb = hostile(canary)[name]
        networks = official_pickle.tiny()
        if place == "keyword":
            networks[2].state["static_kwargs"]["resolution"] = bomb
        if place in ("variable", "objects"):
            networks[0].state["variables"][0] = ("lod", bomb if place == "variable" else np.array([bomb], object))
        path = official_pickle.dump(bomb if place == "alone" else networks, tmp_path / "network.pkl")
        expected = "an array of 'O8'" if place == "objects" else f"names {name},"
        assert expected in refusal(path)
        assert not canary.exists()

    @pytest.mark.parametrize("name", ["posix.system", "builtins.eval"])
    def test_the_canary_sings_where_a_pickle_runs(self, tmp_path, name):
        pickle.loads(pickle.dumps(hostile(tmp_path / "canary")[name]))
        assert (tmp_path / "canary").exists()

    @pytest.mark.parametrize("start", [b"", b"\x80\x04"])
    def test_names_of_old_protocols(self, tmp_path, start):
        (tmp_path / "p").write_bytes(start + b"cos\nsystem\n(U\x02idtR.")
        assert "names os.system, which no StyleGAN network needs" in refusal(tmp_path / "p")
        (tmp_path / "p").write_bytes(start + b"c\x1b[31m\nsystem\n.")
        assert "\x1b" not in refusal(tmp_path / "p")

    @pytest.mark.parametrize(
        "instructions, text",
        [
            (b"\x82\x01.", "instruction EXT1"),  # A number that stands for a name in a registry.
            (b"Pname\n.", "instruction PERSID"),
            (b"K\x01Q.", "instruction BINPERSID"),
            (b"(U\x02idios\nsystem\n.", "instruction INST"),
            (b"(cnumpy\ndtype\nU\x02f4o.", "instruction OBJ"),
            (b"cnumpy\ndtype\n)}\x92.", "instruction NEWOBJ_EX"),
            (b"\x97.", "instruction NEXT_BUFFER"),
            (b"cnumpy\ndtype\n}U\x08__call__K\x01sb.", "unknown state"),  # Attributes of what was named.
            (b"cnumpy\ndtype\nN}U\x08__call__K\x01s\x86b.", "unknown state"),
            (b"cnumpy\ndtype\nU\x02f4\x85R}b.", "unknown state"),
            (b"cnumpy\ndtype\nU\x02O8\x85R.", "an array of 'O8'"),
            (b"cnumpy\ndtype\nU\x03V99\x85R.", "an array of 'V99'"),
            (b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f4\x85RU\x02ab\x86R.", "2 bytes"),
            (b"U\x02id)R.", "a str where a name belongs"),
            (b"Nr\xff\xff\xff\xff.", "three networks"),  # A memo of 4,294,967,295 places, were it a list.
            (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "no whole pickle"),  # An exabyte of bytes.
            (b"}" + b")" + b"\x85" * 100_000 + b"Ns.", "a tuple where a str belongs"),  # A key too deep to hash.
            (b"]" * 300_000 + b".", "more instructions"),
            (b"0.", "instruction POP"),
            (b"q", "no whole pickle"),
            (b"N", "no whole pickle"),
            (b"(N.", "three networks"),
            (b"N.trailing", "8 bytes follow"),
            (b"N.", "does not hold (G, D, Gs)"),
            (b"NNN\x87.", "does not hold (G, D, Gs)"),
        ],
    )
    def test_hand_made_instructions(self, tmp_path, instructions, text):
        (tmp_path / "p").write_bytes(b"\x80\x04" + instructions)
        assert text in refusal(tmp_path / "p")

    @pytest.mark.parametrize("key", ["blur_filter", "resolution", "something_else"])
    def test_lists_in_lists_that_would_never_end(self, tmp_path, capsys, key):
        """Forty lists, each of which holds the one before twice: a trillion items to compare or to show."""
        networks = official_pickle.tiny()
        for network in networks:
            tower = (key,)
            for _ in range(40):
                tower = (tower, tower)
            network.state["static_kwargs"][key] = tower
        path = official_pickle.dump(networks, tmp_path / "p")
        if key == "something_else":
            run(path, tmp_path / "snapshot")
            assert "ignored, as the original does: 'something_else'" in capsys.readouterr().err
        else:
            assert f"{key} is 'nested lists'" in refusal(path)

    def test_what_is_no_list_of_variables_is_shown_in_short(self, tmp_path):
        networks = official_pickle.tiny()
        tower = []
        for _ in range(40):
            tower = [tower, tower]
        networks[0].state["static_kwargs"] = tower
        assert "static_kwargs are [[" in refusal(official_pickle.dump(networks, tmp_path / "p"))

    @pytest.mark.parametrize(
        "content, text",
        [
            (b"", "no whole pickle"),
            (b"hello", "no whole pickle"),
            (b"PK\x03\x04rest", "a zip archive, as PyTorch writes"),
            (b"\x1f\x8brest", "compressed with gzip"),
            (b"\x89HDF\r\n", "an HDF5 file"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of git-lfs"),
            (b"\x80\x04ctorch_utils.persistence\n_reconstruct_persistent_obj\n.", "PyTorch networks"),
            (None, "no such file"),
        ],
    )
    def test_other_files(self, tmp_path, content, text):
        if content is not None:
            (tmp_path / "p").write_bytes(content)
        assert text in refusal(tmp_path / "p")

    @pytest.mark.parametrize(
        "change, text",
        [
            (dict(label_size=5), "label_size is 5: this system's networks have 0 only"),
            (dict(blur_filter=None), "blur_filter is None"),
            (dict(nonlinearity="relu"), "nonlinearity is 'relu'"),
            (dict(use_noise=False), "use_noise is False"),
            (dict(structure="fixed"), "structure is 'fixed'"),
            (dict(resolution=4), "resolution is 4: expected one of 8, 16"),
            (dict(resolution=2**40), "resolution is 1099511627776"),
            (dict(resolution=16), "the pickle lacks the variable G_synthesis/noise4"),
            (dict(mapping_layers=10**9), "mapping_layers is 1000000000: expected a whole number from 1 to 64"),
            (dict(mapping_layers=2), "the pickle lacks the variable G_mapping/Dense1/weight"),
            (dict(mapping_fmaps=4), "mapping_fmaps is 4 and dlatent_size 2"),
            (dict(fmap_max=4), "float32 [1, 2, 4, 4], expected floats [1, 4, 4, 4]"),
            (dict(fmap_max=8), "fmap_base is 8 and fmap_max 8: this system needs at least twice as much"),
            (dict(fused_scale="yes"), "fused_scale is 'yes'"),
            (dict(mapping_lrmul=math.nan), "mapping_lrmul is nan"),
            (dict(mbstd_group_size=0), "mbstd_group_size is 0"),
        ],
    )
    def test_what_ours_cannot_express(self, tmp_path, change, text):
        networks = official_pickle.tiny()
        for network in networks:
            for part in (network, *network.state["components"].values()):
                part.state["static_kwargs"].update(change)
        assert text in refusal(official_pickle.dump(networks, tmp_path / "p"))

    def test_a_network_with_labels(self, tmp_path):
        networks = official_pickle.golden("stylegan1_r16_labels")
        assert "label_size is 5" in refusal(official_pickle.dump(networks, tmp_path / "p"))

    @pytest.mark.parametrize(
        "change, text",
        [
            (lambda n: n.pop(), "does not hold (G, D, Gs)"),
            (lambda n: n.insert(0, n.pop(1)), "is built by 'D_basic'; expected the StyleGAN of 2018 (G_style)"),
            (lambda n: n[2].state.update(build_func_name="G_main"), "is a StyleGAN2; expected the StyleGAN of 2018"),
            (lambda n: n[0].state.update(build_func_name="G_paper"), "is a Progressive GAN"),
            (lambda n: n[2].state["components"].pop("mapping"), "G_style has the components"),
            (lambda n: n[1].state["static_kwargs"].update(fmap_max=4), "fmap_max is 2 in the generator and 4"),
            (lambda n: n[0].state["static_kwargs"].update(fused_scale=True), "have different keywords"),
            (lambda n: n[1].state["variables"].append(("8x8/Attention", np.ones(1))), "'8x8/Attention'"),
            (lambda n: n[1].state["variables"].pop(), "lacks the variable 4x4/Dense1/bias"),
            (lambda n: n[1].state.update(variables=[("lod", 1)]), "no list of names and arrays"),
            (lambda n: n[2].state["variables"].append(("lod", np.float32(7))), "lod is 7: expected 0 to 1"),
            (lambda n: n[2].state["variables"].append(("dlatent_avg", np.float32([1, math.inf]))), "no finite"),
        ],
    )
    def test_other_networks(self, tmp_path, change, text):
        networks = list(official_pickle.tiny())
        change(networks)
        assert text in refusal(official_pickle.dump(tuple(networks), tmp_path / "p"))


def test_damaged_pickles_are_refused_or_read(tmp_path):
    """Hundreds of pickles with a few wrong bytes, cut off or repeated: one clear line, or weights."""
    whole = official_pickle.dump(official_pickle.tiny(), tmp_path / "whole").read_bytes()
    rng, outcomes = np.random.default_rng(0), []
    names = [i for i in range(len(whole)) if whole[i : i + 1].isalpha()]
    for trial in range(300):
        data = bytearray(whole)
        if trial % 6 == 0:
            data = data[: rng.integers(len(data))]
        elif trial % 6 == 1:
            start, end = sorted(rng.integers(len(data), size=2))
            data[start:end] = data[start:end] * 2
        for place in rng.integers(len(data), size=rng.integers(1, 4)) if len(data) else ():
            data[place] = rng.integers(256)
        if trial % 6 == 2:
            data[rng.choice(names)] = rng.integers(256)
        (tmp_path / "p").write_bytes(data)
        try:
            read(tmp_path / "p")
            outcomes.append("read")
        except UserError as error:
            assert "\n" not in str(error) and str(error).isascii()
            outcomes.append("refused")
    assert outcomes.count("refused") > 100 and outcomes.count("read") > 5


def test_the_command(tmp_path):
    """Exit code, one line, and no snapshot for a hostile file; TensorFlow is not even loaded."""
    canary, bad = tmp_path / "canary", tmp_path / "bad.pkl"
    bad.write_bytes(pickle.dumps(Hostile(os.system, f"touch {canary}")))
    command = [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", "import-stylegan", str(bad)]
    done = subprocess.run([*command, str(tmp_path / "snapshot")], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.endswith(
        f"error: {bad}: the pickle names posix.system, which no StyleGAN network needs: refused, nothing of it ran\n"
    )
    assert "Traceback" not in done.stderr and "tensorflow.python" not in done.stderr
    assert sorted(tmp_path.iterdir()) == [bad]
    (tmp_path / "snapshot").mkdir()
    done = subprocess.run([*command, str(tmp_path / "snapshot")], capture_output=True, text=True)
    assert done.returncode == 2 and "is already there; choose a new name or delete it" in done.stderr


def test_the_output_and_what_the_snapshot_can(tmp_path, capsys):
    networks = official_pickle.tiny()
    networks[2].state["static_kwargs"]["tiled_dlatent"] = True
    snapshot = imported(tmp_path, networks)
    output = capsys.readouterr()
    assert output.err == "ignored, as the original does: 'tiled_dlatent'\n"
    assert "StyleGAN 8x8, drawing 8x8; generator " in output.out
    # It renders by a seed, as every snapshot does.
    renderer = Renderer(snapshot)
    first, again, other = (renderer.picture(None, seed, 0.7) for seed in (1, 1, 2))
    assert first.shape == (8, 8, 3) and np.array_equal(first, again) and not np.array_equal(first, other)
    assert snapshot.cur_nimg == 0 and [m.shape for m in snapshot.noise] == [(1, s, s, 1) for s in (4, 4, 8, 8)]
    (tmp_path / "snapshot" / "noise.npz").write_bytes(b"half")
    with pytest.raises(UserError, match="noise.npz: noise maps do not load"):
        snapshots.load(tmp_path / "snapshot")
