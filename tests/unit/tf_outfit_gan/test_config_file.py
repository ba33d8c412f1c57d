"""Settings in a file: what `train --dry-run --json` writes is read back; wrong names and values are refused."""

import json

import pytest
import yaml

from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import PRESETS, from_preset
from tf_outfit_gan.config_file import read_settings
from tf_outfit_gan.util.errors import UserError
from training.cli.settings import settings_of


class Arguments:
    """What the options of a verb hold."""

    def __init__(self, config, *overrides):
        self.preset, self.config, self.set = None, config, overrides


def written(folder, fields, name="settings.json"):
    path = folder / name
    path.write_text(json.dumps(fields) if name.endswith("json") else yaml.safe_dump(fields))
    return path


@pytest.mark.parametrize("preset", PRESETS)
def test_a_dry_run_writes_what_config_reads(preset, tmp_path, capsys):
    changes = ["--set", "r1_gamma=0.5", "--set", "mirror=false", "--set", "adam_beta2=1e-05"]
    assert main(["train", "run", "--data", "data", "--preset", preset, *changes, "--dry-run", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    expected = from_preset(preset, ("r1_gamma=0.5", "mirror=false", "adam_beta2=1e-05"))
    for name in ("settings.json", "settings.yaml"):
        path = written(tmp_path, fields, name)
        *found, chosen = settings_of(Arguments(path))
        assert tuple(found) == expected and "start_level" in chosen
    # And the verb reads it: it writes the same again.
    assert main(["train", "run", "--data", "data", "--config", str(path), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fields


def test_a_file_changes_a_preset_and_set_changes_both(tmp_path):
    path = written(tmp_path, {"preset": "128x96", "model": {"fmap_max": 64}, "training": {"seed": 1, "total_kimg": 5}})
    model, training, chosen = settings_of(Arguments(path, "seed=2"))
    assert (model, training) == from_preset("128x96", ("fmap_max=64", "seed=2", "total_kimg=5"))
    assert chosen == {"fmap_max", "seed", "total_kimg"}
    # Without a preset the others are the paper's, and a string may be what --set takes.
    path.write_text('{"model": {"size": "512x384"}}')
    assert settings_of(Arguments(path))[0] == from_preset("paper", ("size=512x384",))[0]


def test_the_configuration_of_a_run_is_one(tmp_path):
    run = {"data": "data", "init": None, "preset": "tiny", "overrides": ["seed=3"], "command": "outfit-gan train", "version": "1"}
    path = written(tmp_path, run | {"machine": {}, "model": {}, "training": {"seed": 3}}, "config.json")
    assert settings_of(Arguments(path))[:2] == from_preset("tiny", ("seed=3",))


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"traning": {}}, "unknown key 'traning': did you mean training?"),
        ({"training": {"r1_gama": 3}}, "unknown key 'r1_gama': did you mean r1_gamma"),
        ({"model": {"r1_gamma": 3}}, "unknown key 'r1_gamma': it belongs in training"),
        ({"fmap_max": 3}, "unknown key 'fmap_max': it belongs in model"),
        ({"model": {"anything": 3}}, "unknown key 'anything': expected one of size, conditional"),
        ({"preset": "64x49"}, "unknown preset '64x49': did you mean 64x48?"),
        ({"training": {"seed": 1.5}}, "seed: expected a value such as 8, got 1.5"),
        ({"training": {"seed": True}}, "seed: expected a value such as 8, got True"),
        ({"training": {"mirror": 1}}, "mirror: expected a value such as true or false, got 1"),
        ({"training": {"r1_gamma": float("nan")}}, "r1_gamma: expected a value such as 0.5, got nan"),
        ({"training": {"r1_gamma": "much"}}, "r1_gamma: expected a value such as 0.5, got 'much'"),
        ({"model": {"size": [64]}}, "size: expected a value such as 128x96, got (64,)"),
        ({"model": {"slots": [1]}}, "slots: expected a value such as top,bottom, got (1,)"),
        ({"model": 3}, "model: expected names and values, got 3"),
    ],
)
def test_mistakes_name_the_file_and_the_key(fields, message, tmp_path):
    for name in ("settings.json", "settings.yml"):
        path = written(tmp_path, fields, name)
        with pytest.raises(UserError) as error:
            read_settings(path)
        assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("s.json", "{", "not valid JSON"),
        ("s.yaml", "a: [", "not valid YAML"),
        ("s.yaml", "text", "expected names and values"),
        ("s.json", '{"model": {}, "model": {}}', "the key 'model' stands twice"),
    ],
)
def test_files_that_are_none(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        read_settings(tmp_path / name)
    with pytest.raises(UserError, match="no such file"):
        read_settings(tmp_path / "nothing.json")


def test_preset_and_config_exclude_each_other(tmp_path, capsys):
    path = str(written(tmp_path, {}))
    assert main(["train", "run", "--data", "data", "--preset", "tiny", "--config", path]) == 2
    assert "not allowed with argument --preset" in capsys.readouterr().err
    assert main(["train", "run", "--data", "data", "--json"]) == 2
    assert "--json: writes the settings of a dry run; add --dry-run" in capsys.readouterr().err
