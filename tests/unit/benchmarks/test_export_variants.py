"""benchmarks/export_variants.py: every form draws the model's pictures, and constants draw the same ones."""

import pytest

from benchmarks import export_variants
from tests.helpers.exported import write_snapshot


@pytest.mark.slow
def test_a_row_for_each_form(tmp_path, monkeypatch, capsys):
    write_snapshot(tmp_path / "000400kimg")
    monkeypatch.setattr("sys.argv", ["export_variants", str(tmp_path / "000400kimg"), "--rows", "2", "--count", "1"])
    export_variants.main()
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[-len(export_variants.FORMS) :]]
    assert [row[0] for row in rows] == list(export_variants.FORMS)
    worst = [int(row[4]) for row in rows]
    assert worst[0] == 0 and worst[1] <= 1 and 1 <= worst[2] <= 10 and 1 <= worst[3] <= 10, worst
