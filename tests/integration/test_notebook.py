"""docs/tutorial.ipynb from its first cell to its last, but for sizes, time and ports."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"
SMALLER = {"--count 400": "--count 60", "--time-limit 2": "--time-limit 0.3"}


def free_ports():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    grpc_port, rest_port = free_ports()
    changes = SMALLER | {"8500": str(grpc_port), "8501": str(rest_port)}
    notebook = nbformat.read(NOTEBOOK, 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for before in changes:
        assert any(before in cell.source for cell in code), before
    for cell in code:
        for before, after in changes.items():
            cell.source = cell.source.replace(before, after)
    client = nbclient.NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    pictures = [output for cell in code for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == sum(cell.source.splitlines()[-1].startswith("show(") for cell in code) >= 7
    assert json.loads(code[-1].outputs[-1]["data"]["text/plain"]) <= 1


def test_the_notebook_is_stored_with_its_pictures_and_without_traces():
    text = NOTEBOOK.read_text()
    notebook = json.loads(text)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shown = [cell for cell in code if cell["source"][-1].startswith("show(")]
    assert len(shown) >= 7 and all("image/jpeg" in cell["outputs"][-1]["data"] for cell in shown)
    assert not any(output.get("name") == "stderr" for cell in code for output in cell["outputs"])
    assert "/tmp/" not in text and len(text) < 1_000_000
