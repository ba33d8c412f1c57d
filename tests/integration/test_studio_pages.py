"""The files of the studio, over a real socket: what is served, with which headers, and what is not."""

import http.client
import json
import re
from pathlib import Path

import pytest

from serving.server.pages import CONTENT_SECURITY_POLICY
from serving.studio import STUDIO_FOLDERS
from tests.helpers.serving_model import write_model
from tests.helpers.studio import studio_server
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.pose.mpii import JOINTS, MIRROR, PARENTS

STUDIO = STUDIO_FOLDERS["/studio"]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """ask(path, method) -> (status, headers, content), over one kept-alive connection."""
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "1")
    with studio_server(base_path, "gen") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)

        def ask(path, method="GET"):
            connection.putrequest(method, path, skip_accept_encoding=True)
            connection.endheaders()
            response = connection.getresponse()
            return response.status, response.headers, response.read()

        yield ask
        connection.close()


def test_the_page_has_its_type_and_its_policy(ask):
    status, headers, content = ask("/studio/?model=gen")
    assert status == 200 and content == (STUDIO / "index.html").read_bytes()
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_a_static_page_has_the_same_policy(ask):
    """A header cannot be sent by those who only copy files; what a page itself may say, it says."""
    page = (STUDIO / "index.html").read_text()
    (own,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.+?)"', page)
    assert f"{own}; frame-ancestors 'none'" == CONTENT_SECURITY_POLICY


def test_the_folders_name_leads_to_the_page(ask):
    status, headers, _ = ask("/studio")
    assert (status, headers["Location"]) == (301, "/studio/")


@pytest.mark.parametrize(
    "path, kind",
    {
        "studio.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml",
        "js/main.js": "text/javascript; charset=utf-8",
        "examples/index.json": "application/json",
        "examples/articles/top_white_tee.png": "image/png",
    }.items(),
)
def test_files_have_their_types(ask, path, kind):
    status, headers, content = ask(f"/studio/{path}")
    assert (status, headers["Content-Type"]) == (200, kind) and content
    assert ask(f"/studio/{path}", "HEAD")[::2] == (200, b"")


def test_the_settings_name_the_model(ask):
    assert json.loads(ask("/studio/settings.json")[2]) == {"model": "gen"}


@pytest.mark.parametrize(
    "path",
    [
        "/studio/../server/rest.py",
        "/studio/js/../../../README.md",
        "/studio/%2e%2e/server/rest.py",
        "/studio/..%2fserver%2frest.py",
        "/studio/examples/../../../pyproject.toml",
        "/studio//etc/passwd",
        "/studio/%00",
        "/studio/__init__.py",
        "/studio/js/",
        "/studio/missing.js",
        "/studiojs/main.js",
        "/etc/passwd",
        "/",
    ],
)
def test_no_path_leads_out_of_the_folders(ask, path):
    assert ask(path)[0] == 404


def test_pages_are_only_read(ask):
    assert ask("/studio/", "POST")[0] == 404
    assert ask("/studio/", "DELETE")[0] == 404


def test_the_api_is_as_before(ask):
    assert ask("/v1/models/gen")[0] == 200


def test_the_page_names_only_its_own_files(ask):
    for file in STUDIO.rglob("*.*"):
        if file.suffix not in (".html", ".css", ".js", ".svg"):
            continue
        text = file.read_text()
        assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/)[a-z]+\.[a-z]", text), file
        named = re.findall(r'(?:src|href)="([^#"]+)"', text) + re.findall(r'from "(.+?)"', text)
        for name in named:
            assert (file.parent / name).is_file(), f"{file}: {name}"


def test_the_page_knows_the_joints():
    text = (STUDIO / "js" / "pose.js").read_text()

    def list_of(name):
        return json.loads(re.sub(r",\s*\]", "]", re.search(rf"const {name} = (\[.+?\]);", text, re.DOTALL)[1]))

    assert list_of("JOINTS") == list(JOINTS)
    assert list_of("PARENTS") == list(PARENTS)
    assert list_of("MIRRORED") == list(MIRROR)


def test_the_verb_writes_what_the_server_serves(tmp_path, ask, capsys):
    out = tmp_path / "www"
    assert main(["studio", str(out), "--model_name", "gen"]) == 0
    files = [file.relative_to(out) for file in out.rglob("*") if file.is_file()]
    assert Path("js/main.js") in files and not [file for file in files if file.suffix == ".py"]
    for file in files:
        assert ask(f"/studio/{file}")[2] == (out / file).read_bytes(), file


def test_the_verb_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["studio", str(tmp_path)]) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
