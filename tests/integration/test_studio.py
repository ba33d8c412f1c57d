"""The studio in a real browser, against a real model: what a person does, sees and takes along.

Screenshots lie in the folder that pytest keeps for this module (`pytest --basetemp DIR` names it): shots*/NAME.png.
"""

import base64
import getpass
import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.studio import STUDIO_FOLDERS
from tests.helpers.serving_model import wait_for
from tests.helpers.studio import DRAWN, PHONE, chromium, opened, studio_server, violations
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.outfit_request import read_pose, read_request
from tf_outfit_gan.slots import SLOTS

EXAMPLES = STUDIO_FOLDERS["/studio/examples"]
PREDICT = "**/v1/models/*:predict"


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(browser, tiny_export):
    with studio_server(tiny_export[1]) as running:
        yield running


@pytest.fixture(scope="module")
def url(server):
    return f"http://127.0.0.1:{server.rest_port}/studio"


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    return tmp_path_factory.mktemp("shots")


@pytest.fixture
def page(browser, url):
    """The studio with its first picture; the browser must not complain of anything."""
    complaints = []
    with opened(browser, url, complaints, permissions=["clipboard-read", "clipboard-write"], accept_downloads=True) as page:
        page.wait_for_selector(DRAWN)
        yield page
    assert complaints == []


def picture(page, look="A"):
    """The picture that a look shows, uint8 [H, W, 3]."""
    # The policy allows blobs as pictures, not as what a script fetches: a canvas reads them.
    read = """(look) => {
      const image = document.querySelector(`[data-look=${look}] img`);
      const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth, height: image.naturalHeight });
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/png").split(",")[1];
    }"""
    return pixels(base64.b64decode(page.evaluate(read, look)))


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def copied(page, kind):
    """The active look's request, as its button copies it."""
    page.click(f"[data-copy={kind}]")
    return page.evaluate("navigator.clipboard.readText()")


def row(page):
    """The row that the active look asks for."""
    return json.loads(copied(page, "json"))["instances"][0]


def answer(server, body):
    """What the server draws for a request's body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=60)
    connection.request("POST", "/v1/models/outfit_gan:predict", body)
    (found,) = json.loads(connection.getresponse().read())["predictions"]
    connection.close()
    return pixels(base64.b64decode(found.get("image_bytes", found)["b64"]))


def worn(page):
    """The articles' bytes by slot, as they are sent."""
    sent = (base64.b64decode(article["b64"]) for article in row(page)["article_images_bytes"])
    return {slot: article for slot, article in zip(SLOTS, sent) if article}


def example(name):
    return (EXAMPLES / "articles" / f"{name}.png").read_bytes()


def drag(page, joint, by, steps=8):
    """Drags a joint of the active look by a way in screen pixels."""
    box = page.locator(f".figure.active .joint[aria-label^='{joint}'] .dot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0], y + by[1], steps=steps)
    page.mouse.up()


def settle(page):
    """Waits until the newest state of the active look is drawn whole."""
    page.wait_for_timeout(300)
    page.wait_for_selector(DRAWN)


def test_a_look_is_dressed_posed_and_drawn(page, server, shots):
    first = row(page)
    np.testing.assert_array_equal(picture(page), answer(server, copied(page, "json")))
    outfit = read_request(str(EXAMPLES / "outfits" / "office.json"))
    assert worn(page) == outfit.articles
    np.testing.assert_allclose(first["keypoints"], outfit.keypoints, atol=1e-5)

    page.click("#slot-dress")
    page.click(".card[data-url*=red_wrap]")
    drag(page, "Left wrist", (30, -60))
    settle(page)
    assert worn(page) == {
        "outerwear": example("outerwear_navy_blazer"),
        "dress": example("dress_red_wrap"),
        "shoes": example("shoes_black_pumps"),
        "bag": example("bag_tan_tote"),
    }
    before, after = np.array(first["keypoints"]), np.array(row(page)["keypoints"])
    moved = np.flatnonzero((before != after).any(axis=1))
    assert moved.tolist() == [14, 15]  # The elbow follows the wrist.
    bones = [np.linalg.norm((pose[[13, 14]] - pose[[14, 15]])[:, :2] * [0.75, 1], axis=1) for pose in (before, after)]
    np.testing.assert_allclose(*bones, atol=1e-3)
    np.testing.assert_array_equal(picture(page), answer(server, copied(page, "json")))
    assert violations(page) == []
    page.screenshot(path=shots / "desktop-light.png")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["curl", "python"])
def test_the_copied_command_draws_the_picture(page, tmp_path, what):
    text = copied(page, what)
    command = ["bash", "-c", text] if what == "curl" else [sys.executable, "-c", text]
    subprocess.run(command, cwd=tmp_path, check=True)
    np.testing.assert_array_equal(pixels((tmp_path / "picture.png").read_bytes()), picture(page))


@pytest.mark.slow
def test_two_looks_are_compared_and_mixed(page, server, shots):
    page.click("#compare")
    page.wait_for_selector("[data-look=B][data-level=full]")
    jacket = worn(page)["outerwear"]
    page.click("#look-B")
    page.click("#other-articles button[aria-label*='Navy blazer']")
    settle(page)
    assert worn(page)["outerwear"] == jacket
    for what in ("color", "pose"):
        page.click(f"[data-borrow={what}]")
        settle(page)
        asked = json.loads(copied(page, "json"))
        assert asked["signature_name"] == "transfer"
        np.testing.assert_array_equal(picture(page, "B"), answer(server, json.dumps(asked)))
    # The skeleton is the borrowed one, and who drags it works on a copy of it.
    borrowed = np.array(asked["instances"][0]["source_keypoints"])
    drag(page, "Right wrist", (0, -40))
    settle(page)
    own = row(page)
    assert (np.array(own["keypoints"])[:10] == borrowed[:10]).all()
    page.screenshot(path=shots / "desktop-compare.png")
    page.click("#look-A")
    page.click("#compare")
    assert page.locator("[data-look=B]").is_hidden()


@pytest.mark.slow
def test_seed_and_psi_are_sent(page):
    page.fill("#seed", "42")
    page.press("#seed", "Enter")
    page.locator("#psi").fill("0.5")
    assert {name: row(page)[name] for name in ("seed", "truncation_psi")} == {"seed": 42, "truncation_psi": 0.5}
    page.click("#dice")
    assert row(page)["seed"] != 42


@pytest.mark.slow
def test_steps_are_undone(page):
    first = copied(page, "json")
    drag(page, "Head top", (40, 10))
    page.click("#slot-bag")
    page.click(".card.none")
    last = copied(page, "json")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert copied(page, "json") == first
    page.click("#redo")
    page.click("#redo")
    assert copied(page, "json") == last


@pytest.mark.slow
def test_photos_are_uploaded_dropped_and_pasted(page):
    """A large photo is sent smaller, and what a model reads as it is, as it is."""
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 2000), "teal").save(buffer, "JPEG")
    page.locator("#shelf-cards input[type=file]").set_input_files(
        {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    )
    page.wait_for_selector(".card[aria-label=Mine][aria-pressed=true]")
    with Image.open(io.BytesIO(worn(page)["top"])) as sent:
        assert (sent.format, sent.size) == ("JPEG", (1024, 683))

    give = """([kind, target, name, base64, type]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type }));
      const options = { bubbles: true, cancelable: true };
      const event = kind === "paste" ? new ClipboardEvent(kind, { ...options, clipboardData: transfer })
        : new DragEvent(kind, { ...options, dataTransfer: transfer });
      document.querySelector(target).dispatchEvent(event);
    }"""
    red, green = example("bag_red_handbag"), example("bag_forest_crossbody")
    page.evaluate(give, ["drop", "#slot-bag", "red.png", base64.b64encode(red).decode(), "image/png"])
    page.wait_for_selector(".card[aria-label=Red][aria-pressed=true]")
    assert worn(page)["bag"] == red
    page.evaluate(give, ["paste", "body", "green.png", base64.b64encode(green).decode(), "image/png"])
    page.wait_for_selector(".card[aria-label=Green][aria-pressed=true]")
    assert worn(page)["bag"] == green

    pose = (EXAMPLES / "poses" / "walking.json").read_bytes()
    page.evaluate(give, ["drop", ".figure.active", "walking.json", base64.b64encode(pose).decode(), "application/json"])
    page.wait_for_selector("[aria-label='Pose: Walking'][aria-pressed=true]")
    page.evaluate(give, ["drop", ".figure.active", "note.txt", base64.b64encode(b"hello").decode(), "text/plain"])
    page.wait_for_selector("#toast:has-text('is not a picture')")


@pytest.mark.slow
def test_a_card_is_dragged_onto_the_other_look(page):
    page.click("#compare")
    page.wait_for_selector("[data-look=B][data-level=full]")
    page.drag_and_drop(".card[data-url*=rust_sweater]", "[data-look=B] .frame")
    page.wait_for_selector("[data-look=B] figcaption:has-text('rust sweater')")
    assert worn(page)["top"] == example("top_white_tee")
    page.click("#look-B")
    assert worn(page)["top"] == example("top_rust_sweater")


@pytest.mark.slow
def test_poses_are_saved_and_mirrored(page, tmp_path):
    page.click("[aria-label='Pose: Arm raised']")
    page.click("#pose-mirror")
    with page.expect_download() as saved:
        page.click("#pose-save")
    saved.value.save_as(tmp_path / "pose.json")
    shown = np.array(row(page)["keypoints"])
    np.testing.assert_allclose(read_pose(str(tmp_path / "pose.json")), shown, atol=1e-3)
    original = read_pose(str(EXAMPLES / "poses" / "arm_raised.json"))
    np.testing.assert_allclose(shown[10, :2], [1 - original[15, 0], original[15, 1]], atol=1e-4)


@pytest.mark.slow
def test_sliders_change_the_body_and_nothing_else_of_the_pose(page, shots):
    def body():
        points = np.array(row(page)["keypoints"])[:, :2] * [0.75, 1]  # In heights of the picture.
        bone = lambda a, b: np.linalg.norm(points[a] - points[b])  # noqa: E731
        return {
            "figure": bone(7, 6),
            "shoulders": bone(12, 13) / bone(7, 6),
            "hips": bone(2, 3) / bone(7, 6),
            "arms": (bone(10, 11) + bone(11, 12) + bone(13, 14) + bone(14, 15)) / 2 / bone(7, 6),
            "legs": (bone(0, 1) + bone(1, 2) + bone(3, 4) + bone(4, 5)) / 2 / bone(7, 6),
            "head": bone(8, 9) / bone(7, 6),
        }

    page.click("summary:has-text('Body')")
    before = body()
    page.screenshot(path=shots / "body.png")
    for part in before:
        assert float(page.input_value(f"#body-{part}")) == pytest.approx(before[part], abs=0.006)
        wanted = round(before[part] * 1.1, 3)
        page.fill(f"#body-{part}", str(wanted))
        after = body()
        assert after[part] == pytest.approx(float(page.input_value(f"#body-{part}")), abs=0.001)
        assert after[part] > 1.05 * before[part]
        assert {name: after[name] for name in before if name != part} == pytest.approx(
            {name: before[name] for name in before if name != part}, abs=1e-3
        )
        page.click("#undo")
        assert body() == pytest.approx(before, abs=1e-6)
    # A joint that is left out takes the sliders away that need it.
    page.locator(".figure.active .joint[aria-label^='Right wrist']").dblclick()
    assert page.is_disabled("#body-arms") and not page.is_disabled("#body-legs")


@pytest.mark.slow
def test_the_look_book_keeps_pictures_and_gives_a_sheet(page, tmp_path, shots):
    page.click("#keep")
    kept = row(page)
    page.click("#book-seeds")
    page.wait_for_selector(".page:nth-child(5)")
    page.click("#book-poses")
    page.wait_for_selector(".page:nth-child(13)")
    with page.expect_download() as sheet:
        page.click("#book-sheet")
    sheet.value.save_as(shots / "look-book.png")
    with Image.open(shots / "look-book.png") as found:
        assert np.asarray(found).std() > 10
    page.click("#slot-shoes")
    page.click(".card.none")
    page.click(".page:first-child .open")
    assert row(page) == kept
    page.screenshot(path=shots / "desktop-book.png", full_page=True)
    page.click(".page:first-child [aria-label^=Remove]")
    assert page.locator(".page").count() == 12
    page.click("#book-clear")
    assert page.locator("#book-empty").is_visible()


@pytest.mark.slow
def test_the_keyboard_does_all(page):
    page.keyboard.press("4")
    assert page.locator("#slot-bottom").get_attribute("aria-selected") == "true"
    page.focus("#slot-bottom")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    assert "shoes" not in worn(page)
    before = np.array(row(page)["keypoints"])
    page.focus(".figure.active .joint[tabindex='0']")
    page.keyboard.press("PageDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Right elbow")
    page.keyboard.press("Alt+Shift+ArrowLeft")
    after = np.array(row(page)["keypoints"])
    assert np.flatnonzero((before != after).any(axis=1)).tolist() == [11]
    np.testing.assert_allclose(after[11, 0], before[11, 0] - 0.05 / 0.75, atol=1e-4)
    page.focus(".figure.active .joint[tabindex='0']")
    page.keyboard.press("Delete")
    assert row(page)["keypoints"][11][2] == 0
    page.keyboard.press("c")
    assert page.locator("[data-look=B]").is_visible()
    page.keyboard.press("?")
    page.uncheck("#single-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    assert page.locator("[data-look=B]").is_visible()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, options",
    {
        "desktop-dark": {"color_scheme": "dark"},
        "tablet-light": {"viewport": {"width": 900, "height": 1100}},
        "phone-light": PHONE,
        "phone-dark": PHONE | {"color_scheme": "dark"},
    }.items(),
)
def test_every_screen_shows_all_and_bars_nobody(browser, url, shots, name, options):
    with opened(browser, url, **options) as page:
        page.wait_for_selector(DRAWN)
        page.screenshot(path=shots / f"{name}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#compare")
        page.click("#keep")
        page.wait_for_selector("[data-look=B][data-level=full]")
        assert violations(page) == []
        page.screenshot(path=shots / f"{name}-all.png", full_page=True)
        page.keyboard.press("?")
        assert violations(page) == []


@pytest.mark.slow
def test_a_finger_drags_a_joint(browser, url):
    with opened(browser, url, permissions=["clipboard-read", "clipboard-write"], **PHONE) as page:
        page.wait_for_selector(DRAWN)
        before = row(page)["keypoints"]
        page.evaluate("scrollTo(0, 0)")
        box = page.locator(".figure.active .joint[aria-label^='Right wrist'] .dot").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch = page.context.new_cdp_session(page)
        for kind, dx in (("touchStart", 0), ("touchMove", -10), ("touchMove", -30), ("touchEnd", None)):
            points = [] if dx is None else [{"x": x + dx, "y": y - 20 * (dx < 0)}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        settle(page)
        assert page.evaluate("scrollY") == 0
        assert row(page)["keypoints"] != before


@pytest.mark.slow
def test_the_newest_state_wins(browser, url):
    """Each answer is held up; in the end the picture is that of the last seed, and few others were asked for."""
    asked = []

    def slowly(route):
        asked.append(json.loads(route.request.post_data))
        threading.Event().wait(0.1)
        route.continue_()

    with opened(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.wait_for_selector(DRAWN)
        page.route(PREDICT, slowly)
        # One after the other in the page itself, faster than any answer.
        page.evaluate("""async () => {
          const seed = document.getElementById("seed");
          for (let i = 100; i < 140; i++) {
            seed.value = i;
            seed.dispatchEvent(new Event("change"));
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
        }""")
        settle(page)
        assert asked[-1]["instances"][0]["seed"] == 139 and asked[-1]["signature_name"] == "serving_default"
        assert len(asked) < 20
        assert [body["signature_name"] for body in asked].count("serving_default") == 1


@contextmanager
def served(base_path, *options):
    """Yields the studio's URL of `outfit-gan serve` as a process."""
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", str(base_path), "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"studio (http://\S+)", process.stdout.readline())[1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.slow
def test_a_server_that_goes_away_comes_back(browser, tiny_export, shots):
    with served(tiny_export[1], "--rest_api_port", "0") as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(DRAWN)
    page.click("#dice")
    page.wait_for_selector("#problem:has-text('The server does not answer')")
    assert page.inner_text("#state") == "The server does not answer"
    page.screenshot(path=shots / "away.png")
    assert violations(page) == []
    with served(tiny_export[1], "--rest_api_port", re.search(r":(\d+)", url)[1]):
        page.wait_for_selector("#problem", state="hidden")
        page.wait_for_selector(DRAWN)
        page.wait_for_selector("#state:has-text('version 1')")
        context.close()


@pytest.mark.slow
def test_it_works_as_files_before_another_server(browser, server, tmp_path, shots):
    """With the nginx configuration of docs/studio.md, in another folder and on another port."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("no nginx: apt-get install nginx-light")
    assert main(["studio", str(tmp_path / "studio")]) == 0
    document = (Path(__file__).parents[2] / "docs" / "studio.md").read_text()
    config = re.search(r"```nginx\n(.+?)```", document, re.DOTALL)[1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changes = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "/var/www": str(tmp_path),
        "127.0.0.1:8501": f"127.0.0.1:{server.rest_port}",
    }
    for old, new in changes.items():
        assert old in config
        config = config.replace(old, new)
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"user {getpass.getuser()}; daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include /etc/nginx/mime.types; {places} {config} }}"
    )
    process = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-e", "stderr"])
    complaints = []
    try:
        wait_for(lambda: (tmp_path / "pid").exists())
        with opened(browser, f"http://127.0.0.1:{port}/studio/", complaints) as page:
            page.wait_for_selector(DRAWN)
            page.click("#slot-dress")
            page.click(".card[data-url*=red_wrap]")
            settle(page)
    finally:
        process.terminate()
        process.wait(20)
    assert complaints == []


@pytest.mark.slow
def test_a_refusal_is_said_in_the_servers_words(browser, url, shots):
    def refused(route):
        body = json.loads(route.request.post_data)
        if body["signature_name"] != "describe":
            body["instances"][0]["truncation_psi"] = 3
        route.continue_(post_data=json.dumps(body))

    with opened(browser, url) as page:
        page.wait_for_selector(DRAWN)
        page.route(PREDICT, refused)
        page.click("#dice")
        page.wait_for_selector("#problem:has-text('truncation_psi must be in [0, 2], got 3')")
        page.screenshot(path=shots / "refused.png")
        page.unroute(PREDICT)
        page.click("#dice")
        page.wait_for_selector("#problem", state="hidden")


@pytest.mark.slow
def test_an_unknown_model_is_named(browser, url):
    with opened(browser, f"{url}/?model=nobody") as page:
        page.wait_for_selector("#problem:has-text('No model “nobody”')")
        assert not any(page.locator(part).is_visible() for part in (".wardrobe", ".panel", ".book"))  # They would be empty.
        assert violations(page) == []


@pytest.mark.slow
def test_a_joint_shows_a_preview_while_it_is_dragged(page, record_property):
    """From the joint's move to the decoded picture; a measure of the shipped model is in docs/studio.md."""
    page.evaluate("performance.clearMeasures()")
    for way in ((40, -60), (-60, 30), (30, 40)):
        drag(page, "Left wrist", way, steps=25)
    durations = page.evaluate("performance.getEntriesByName('studio:preview').map((entry) => entry.duration)")
    record_property("preview_ms", sorted(durations))
    assert len(durations) > 5
    if os.getloadavg()[0] <= os.cpu_count():  # Where others work on all cores, the time is theirs.
        assert np.median(durations) < 300


@pytest.mark.slow
def test_an_unconditional_model_has_no_shelf(browser, tmp_path):
    from export.savedmodel import write_savedmodel
    from tests.helpers.exported import write_snapshot

    base_path = tmp_path / "portraits"
    write_savedmodel(write_snapshot(tmp_path / "000400kimg", "conditional=False"), base_path)
    complaints = []
    with (
        studio_server(base_path, "portraits") as server,
        opened(browser, f"http://127.0.0.1:{server.rest_port}/studio", complaints) as page,
    ):
        page.wait_for_selector(DRAWN)
        assert page.locator("#wardrobe").is_hidden() and page.locator("#pose-box").is_hidden()
        page.click("#dice")
        settle(page)
    assert complaints == []
