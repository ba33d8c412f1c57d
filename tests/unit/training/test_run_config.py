"""What a run is made of: compared when it resumes, and refused in one line."""

import json
from dataclasses import replace

import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.errors import UserError
from training.run_config import keep_config

SETTINGS = {"training": {"batch": 4, "tick": 1}}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Two of one shape: the second has another photo in the place of one."""
    folder = tmp_path_factory.mktemp("data")
    found = []
    for name, first in (("one", 0), ("other", 1)):
        shop = write_catalogue(folder / name, 4, (4, 3))
        if first:
            (shop / "e001.png").write_bytes((shop / "e002.png").read_bytes())
        found.append(prepare(shop, folder / f"{name}-data", workers=1, quiet=True))
    return found


def written(folder):
    return json.loads((folder / "config.json").read_text())


def test_settings_that_decide_are_compared_and_others_written_anew(datasets, tmp_path):
    data = datasets[0]
    assert keep_config(tmp_path, data, SETTINGS, {"about": "a"}) == []
    assert keep_config(tmp_path, data, {"training": {"batch": 4, "tick": 2}}, {"about": "b"}, free=("tick",)) == []
    assert written(tmp_path)["training"]["tick"] == 2 and written(tmp_path)["about"] == "b"
    with pytest.raises(UserError, match="holds a run with batch=4, asked for 5: resume it with its own settings"):
        keep_config(tmp_path, data, {"training": {"batch": 5, "tick": 2}}, {})
    # A setting that came later had its default before.
    later = {"training": {"batch": 4, "tick": 2, "new": 0}}
    with pytest.raises(UserError, match="new=1, asked for 0"):
        keep_config(tmp_path, data, later, {}, defaults={"training": {"new": 1}})
    keep_config(tmp_path, data, later, {}, defaults={"training": {"new": 0}}, writes=False)
    assert "new" not in written(tmp_path)["training"]


def test_the_checksum_is_that_of_the_content_wherever_it_lies(datasets, tmp_path):
    one, other = datasets
    assert one.checksum != other.checksum and len(one.checksum) == 64
    assert replace(one, path=tmp_path).checksum == one.checksum
    assert replace(one, slots=one.slots[::-1]).checksum != one.checksum


def test_other_data_of_the_same_shape_are_refused_or_accepted_by_name(datasets, tmp_path):
    one, other = datasets
    assert one.levels == other.levels and one.count("train") == other.count("train")
    keep_config(tmp_path, one, SETTINGS, {})
    with pytest.raises(UserError) as error:
        keep_config(tmp_path, other, SETTINGS, {})
    assert str(error.value).startswith(f"{tmp_path}: {other.path} (checksum {other.checksum[:12]}) is not the data of this run, ")
    assert str(error.value).endswith("resume it with its own, or add --accept-data to go on with these")
    assert written(tmp_path)["data_checksum"] == one.checksum
    (line,) = keep_config(tmp_path, other, SETTINGS, {}, accept_data=True)
    assert line.endswith(f"{one.path} (checksum {one.checksum[:12]}); going on with it, as --accept-data asks")
    assert keep_config(tmp_path, other, SETTINGS, {}) == []  # They are the run's now.


def test_a_run_of_an_earlier_version_has_no_checksum_and_gets_one(datasets, tmp_path):
    keep_config(tmp_path, datasets[0], SETTINGS, {})
    fields = written(tmp_path)
    del fields["data_checksum"]
    (tmp_path / "config.json").write_text(json.dumps(fields))
    assert keep_config(tmp_path, datasets[0], SETTINGS, {}) == []
    assert written(tmp_path)["data_checksum"] == datasets[0].checksum


@pytest.mark.parametrize(
    "content, words", [(None, "no such file, but"), ("{", "not valid JSON"), ("[]", "expected a JSON object")]
)
def test_checkpoints_without_their_settings_are_left_alone(datasets, tmp_path, content, words):
    (tmp_path / "checkpoints" / "000000008img").mkdir(parents=True)
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match=f"config.json: {words}.*bring the file back"):
        keep_config(tmp_path, datasets[0], SETTINGS, {})
    assert (tmp_path / "config.json").exists() == (content is not None)
