"""No secret of the environment is written down: not in a run, not on its page, not in a benchmark's file."""

import json

import pytest

from tests.helpers import runs
from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.preparation.prepare import prepare
from training.distribute import environment

QUICK = [f"--set={setting}" for setting in runs.QUICK]
SECRETS = {
    "TF_TOKEN_app_terraform_io": "planted-1",
    "TF_VAR_password": "planted-2",
    "XLA_KEY": "planted-3",
    "OMP_SECRET": "planted-4",
    "AWS_SECRET_ACCESS_KEY": "planted-5",
    "TF_CONFIG": '{"token": "planted-6"}',
}


@pytest.fixture
def planted(monkeypatch):
    for name, value in SECRETS.items():
        if name != "TF_CONFIG":  # Which would start a cluster.
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("KMP_BLOCKTIME", "17")


def test_only_listed_variables_are_allowed():
    assert environment.allowed({**SECRETS, "OMP_NUM_THREADS": "2"}) == {"OMP_NUM_THREADS": "2"}


def test_a_run_its_page_and_a_benchmark_hold_no_secret(planted, tmp_path):
    write_catalogue(tmp_path / "catalogue", 16, (16, 12))
    data = prepare(tmp_path / "catalogue", tmp_path / "data", quiet=True).path
    run, report = tmp_path / "run", tmp_path / "step.json"
    assert main(["train", str(run), "--data", str(data), "--preset", "tiny", *QUICK, "--quiet"]) == 0
    config = json.loads((run / "config.json").read_text())
    assert config["machine"]["environment"]["KMP_BLOCKTIME"] == "17"

    # A run of an earlier version: the page does not repeat what its config.json holds.
    config["machine"]["environment"] |= SECRETS
    (tmp_path / "written").write_bytes((run / "config.json").read_bytes())
    (run / "config.json").write_text(json.dumps(config))
    assert main(["report", str(run)]) == 0
    (run / "config.json").unlink()

    assert main(["benchmark", "step", "--preset", "tiny", *QUICK, "--repeats", "1", "--json", str(report)]) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert report in files and len(files) > 15
    for path in files:
        assert b"planted" not in path.read_bytes(), path
