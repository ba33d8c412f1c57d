"""Every question of the client to a real export, over both ports: the answers are those of the model itself."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

import tf_outfit_gan as og
from export.savedmodel import write_savedmodel
from tests.helpers.exported import write_outfit, write_snapshot
from tests.helpers.serving_model import running_server
from tf_outfit_gan.util.errors import UserError


@pytest.fixture(scope="module")
def model(tiny_export):
    return og.load(tiny_export[1].parent / "000400kimg")


@pytest.fixture(scope="module")
def server(tiny_export):
    with running_server(tiny_export[1]) as running:
        yield running


@pytest.fixture(scope="module", params=["rest", "grpc"])
def address(server, request):
    return f"http://localhost:{server.rest_port}" if request.param == "rest" else f"grpc://localhost:{server.port}"


@pytest.fixture(scope="module")
def outfits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outfits")
    (folder / "a").mkdir()
    return write_outfit(folder / "outfit.json", 1), write_outfit(folder / "a" / "outfit.json", 2, ("dress.png",))


def assert_same(pictures, expected, steps=1):
    """Kernels of an export may sum in another order: so many steps of 255."""
    assert pictures.shape == expected.shape and pictures.dtype == np.uint8
    assert np.abs(pictures.astype(int) - expected).max() <= steps


def test_pictures_are_the_models(address, model, outfits):
    with og.Client(address, "gen") as client:
        expected = model.render(outfits[0], [1, 2], psi=0.8, pose=outfits[1])
        assert_same(client.render(outfits[0], [1, 2], psi=0.8, pose=outfits[1]), expected)
        jpeg = [Image.open(io.BytesIO(file)) for file in client.render_jpeg(outfits[0], [1, 2], psi=0.8, pose=outfits[1])]
        assert {image.format for image in jpeg} == {"JPEG"}
        brightness = np.stack([np.asarray(image.convert("L"), float) for image in jpeg])  # JPEG keeps colors at half the size.
        own = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in expected])
        assert np.abs(brightness - own).mean() < 8 < np.abs(brightness - own[::-1]).mean()
        assert client.preview(outfits[0], [1, 2]).shape[0] == 2


def test_a_batch_has_the_pictures_of_single_requests(address, server, outfits):
    one_by_one = og.Client(address, "gen").render_png(outfits[0], range(5))
    assert og.Client(address, "gen", batch_size=2).render_png(outfits[0], range(5)) == one_by_one
    assert len(set(one_by_one)) == 5


def test_styles_are_the_models_and_can_be_edited(address, model, outfits):
    client = og.Client(address, "gen", batch_size=2)
    styles, expected = (one.styles(outfits[0], [1, 2, 3], psi=0.8) for one in (client, model))
    np.testing.assert_allclose(styles.w, expected.w, atol=1e-5)
    assert_same(client.synthesize(styles), model.render(outfits[0], [1, 2, 3], psi=0.8))
    edited = styles.with_w(styles.w[[1, 1, 1]])
    assert_same(client.synthesize(edited), model.synthesize(edited))
    with pytest.raises(UserError, match="expected what client.styles"):
        client.synthesize(styles.w)


@pytest.mark.parametrize("how", [{}, {"layers": (1, 4), "seed": 3, "psi": 0.5}])
def test_transfer_is_the_models(address, model, outfits, how):
    client = og.Client(address, "gen")
    for what in ("color", "pose"):
        assert_same(client.transfer(*outfits, what, **how)[None], model.transfer(*outfits, what, **how)[None])


@pytest.mark.parametrize(
    "what, how, text",
    [
        ("shape", {}, "unknown transfer 'shape'"),
        ("color", {"layers": (3, 99)}, r"layers \(3, 99\): expected .* end <= 6"),
        ("color", {"layers": "ab"}, "layers 'ab': expected"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(server, outfits, what, how, text):
    with pytest.raises(UserError, match=text):
        og.Client(f"localhost:{server.rest_port}", "gen").transfer(*outfits, what, **how)


def test_an_unconditional_model_answers_to_seeds(tmp_path):
    snapshot = write_snapshot(tmp_path / "000400kimg", "conditional=false")
    write_savedmodel(snapshot, tmp_path / "gen")
    model = og.load(tmp_path / "000400kimg")
    with running_server(tmp_path / "gen") as server:
        client = og.Client(f"localhost:{server.rest_port}", "gen")
        assert_same(client.render(seeds=[1, 2]), model.render(seeds=[1, 2]))
        assert_same(client.synthesize(client.styles(seeds=[1, 2])), model.render(seeds=[1, 2]))
        assert_same(client.transfer(1, 2, "color")[None], model.transfer(1, 2, "color")[None])
        # Over REST, too, an outfit that no picture would show is refused.
        for address in (f"http://localhost:{server.rest_port}", f"grpc://localhost:{server.port}"):
            with pytest.raises(og.RefusedError, match="INVALID_ARGUMENT"):
                og.Client(address, "gen").render({}, pose=[[0.5, 0.5, 1.0]] * 16)
        with pytest.raises(UserError, match="leave out seed"):
            client.transfer(1, 2, "color", seed=3)


def test_asyncio_programs_ask_for_many_pictures_at_once(address, outfits):
    async def ask():
        async with og.AsyncClient(address, "gen", concurrency=3) as client:
            pictures = await asyncio.gather(*(client.render_png(outfits[0], seed) for seed in range(6)))
            return [picture for [picture] in pictures], await client.slots(), await client.describe()

    pictures, slots, facts = asyncio.run(ask())
    client = og.Client(address, "gen")
    assert pictures == client.render_png(outfits[0], range(6))
    assert slots == client.slots() and facts == client.describe() and facts["layers"]["count"] == 6
