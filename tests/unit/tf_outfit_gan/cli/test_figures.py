"""`outfit-gan figures`: the pages of both kinds of models, what they hold and what they leave out."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.exported import tiny_renderer, write_snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.viz.montage import GAP, MIN_HEIGHT

SIZE = (16, 12)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with data of 40 dolls and two snapshots."""
    folder = tmp_path_factory.mktemp("figures")
    write_catalogue(folder / "shop", 40, SIZE)
    prepare(folder / "shop", folder / "data", workers=1, quiet=True)
    write_snapshot(folder / "conditional")
    write_snapshot(folder / "unconditional", "conditional=false", level=0)
    return folder


def test_both_models_make_one_page(models, tmp_path):
    words = ["--data", str(models / "data"), "--split", "train", "--count", "8", "--quiet"]
    out = tmp_path / "new" / "figures"
    assert main(["figures", str(models / "unconditional"), str(models / "conditional"), *words, "--out", str(out)]) == 0
    page = (out / "README.md").read_text()
    headings = [line.split(":")[0] for line in page.splitlines() if line.startswith("## ")]
    assert headings == ["## Figure 3", "## Figure 4", "## Figure 5", "## Table 1", "## Table 2"]
    pictures = {f"figure-{n}-{kind}.png" for n in (3, 4) for kind in ("conditional", "unconditional")}
    pictures.add("figure-5-conditional.png")
    assert {path.name for path in out.glob("*.png")} == pictures
    assert all(page.count(f"]({name})") == 1 for name in pictures)
    assert f"Model: `{models / 'conditional'}`, 400.0 kimg, 16x12 pixels, no truncation." in page
    assert f"Model: `{models / 'unconditional'}`, 400.0 kimg, 4x3 pixels, psi 0.7." in page

    # The first sample is what `render` draws of the first entry.
    entry = page.partition("Two outfits")[2].partition("poses of the entries ")[2].partition(",")[0]
    request = read_request(f"{models / 'data'}:{entry}", SIZE)
    expected = tiny_renderer().picture(request, 1, 1.0)
    step = MIN_HEIGHT // SIZE[0]
    with Image.open(out / "figure-3-conditional.png") as sheet:
        shown = np.asarray(sheet)[GAP : GAP + SIZE[0] * step : step, GAP : GAP + SIZE[1] * step : step]
    np.testing.assert_array_equal(shown, expected)

    # The distance is that of `evaluate`.
    result = tmp_path / "result.json"
    assert main(["evaluate", str(models / "conditional"), *words, "--json", str(result)]) == 0
    value = json.loads(result.read_text())["value"]
    assert f"| conditional | Frechet distance {value:.4g} | 8 | 400.0 |" in page


def test_an_unconditional_model_alone_leaves_the_outfits_out(models, tmp_path):
    words = ["--data", str(models / "data"), "--count", "2", "--out", str(tmp_path), "--quiet"]
    assert main(["figures", str(models / "unconditional"), *words]) == 0
    page = (tmp_path / "README.md").read_text()
    assert "- Figure 5: outfits in poses, edited article by article: only a conditional model wears outfits." in page
    assert {path.name for path in tmp_path.glob("*.png")} == {"figure-3-unconditional.png", "figure-4-unconditional.png"}


def test_wrong_input_is_refused_before_anything_is_drawn(models, tmp_path, capsys):
    def refused(*snapshots, out=tmp_path / "out"):
        words = ["figures", *map(str, snapshots), "--data", str(models / "data"), "--out", str(out), "--quiet"]
        assert main(words) == 2 and not (tmp_path / "out").exists()
        return capsys.readouterr().err

    assert "expected one snapshot, or a conditional and an unconditional one" in refused(*[models / "conditional"] * 2)
    assert "no snapshot here" in refused(tmp_path)
    (tmp_path / "file").touch()
    assert "--out" in refused(models / "unconditional", out=tmp_path / "file" / "figures")
    write_snapshot(tmp_path / "other", "slots=top,bottom")
    assert "was trained with top, bottom" in refused(tmp_path / "other")
