"""`benchmarks/gpu.py` runs on a processor, so that nothing in it is untried when a GPU's minutes count."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def run(out, *words, cwd):
    """Runs it as on a machine where the project is not installed: from another folder, by its path alone."""
    command = [sys.executable, str(PROGRAM), str(out), "--preset", "tiny", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def results(out):
    return json.loads((out / "gpu.json").read_text())


def test_a_part_that_fails_is_recorded_and_the_next_one_runs(tmp_path):
    out = tmp_path / "out"
    assert run(out, "--parts", "input,norm", cwd=tmp_path).returncode == 0
    found = results(out)
    assert found["input"]["status"] == "failed with exit code 1, see input.log" and not found["input"]["rows"]
    assert "data: no such folder; the part data makes it" in (out / "input.log").read_text()
    assert found["norm"]["status"] == "done"
    assert [row["dtype"] for row in found["norm"]["rows"]] == ["float32", "bfloat16"]
    page = (out / "gpu.md").read_text()
    assert "## norm" in page and "| shape | dtype | batch_norm_ms | moments_ms |" in page


def test_a_part_is_ended_at_its_limit_and_what_others_found_stays(tmp_path):
    (tmp_path / "gpu.json").write_text(json.dumps({"data": {"status": "done", "seconds": 1, "rows": [{"entries": 9}]}}))
    assert run(tmp_path, "--parts", "devices", "--minutes", "0.01", cwd=tmp_path).returncode == 0
    assert results(tmp_path)["devices"]["status"] == "stopped at its limit"
    assert results(tmp_path)["data"]["rows"] == [{"entries": 9}] and "| entries |" in (tmp_path / "gpu.md").read_text()


def test_an_unknown_part_is_refused(tmp_path):
    done = run(tmp_path, "--parts", "norm,speed", cwd=tmp_path)
    assert done.returncode == 2 and "--parts: unknown speed; expected some of devices, golden" in done.stderr


@pytest.mark.slow
def test_all_parts_run(tmp_path):
    assert run(tmp_path, "--minutes", "40", cwd=tmp_path).returncode == 0
    found = results(tmp_path)
    assert {name: part["status"] for name, part in found.items()} == dict.fromkeys(found, "done") and len(found) == 11

    def rows(name, what="what", value="value"):
        return {row[what]: row.get(value) for row in found[name]["rows"]}

    assert rows("devices")["tensorflow"]
    exact, *rounded = (row["image"] for row in found["golden"]["rows"][:-1])
    assert exact < 1e-5 and max(rounded) < 0.05 and rows("golden", value="exit_code")["tests"] == 0
    assert rows("replicas")["replica_difference"] == 0
    assert rows("resume", "deterministic", "largest_difference") == {"true": 0, "false": 0}
    assert (tmp_path / rows("train")["sheet"]).is_file() and rows("train")["cur_nimg"] == 128
    for name in ("levels", "batches"):
        assert all("error" not in row and row["sec_per_kimg"] > 0 for row in found[name]["rows"]), found[name]
    assert len(found["levels"]["rows"]) == 2 and found["levels"]["rows"][0]["roofline_ratio"] > 0
    assert found["input"]["rows"][0]["cores_needed"] > 0
    assert all(row["pictures_per_sec"] > 0 for row in found["serve"]["rows"] if row["what"] == "throughput")
