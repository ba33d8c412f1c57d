"""A run's pictures inside its page: as data, and small enough that the page can be sent around."""

import base64
import io
from html import escape

from PIL import Image

NEWEST_WIDTH, OLDER_WIDTH = 1208, 600  # Pixels, at most.
QUALITY = 82
MOST_GIF_BYTES = 8_000_000


def newest(run):
    """The newest grid, and what can be seen on it."""
    if not run.grids:
        return '<p>No pictures yet: the first come with the first snapshot.</p>'
    under = " under the same articles and poses" if run.config["model"].get("conditional", True) else ""
    caption = f"{_kimg(run.grids[-1])}: the same seeds{under} every time, drawn by the averaged generator."
    return _picture(run.grids[-1], NEWEST_WIDTH, caption)


def growing(run):
    """The first, a middle and the newest grid side by side, and the timeline."""
    if len(run.grids) < 2:
        return ""
    chosen = sorted({0, (len(run.grids) - 1) // 2, len(run.grids) - 1})
    parts = "".join(_picture(run.grids[index], OLDER_WIDTH, _kimg(run.grids[index])) for index in chosen)
    return f'<h2>How it came</h2><div class="row">{parts}</div>{_timeline(run.timeline)}'


def _timeline(path):
    """The moving picture, which moves only for those who ask for it."""
    if path is None:
        return ""
    if path.stat().st_size > MOST_GIF_BYTES:
        return f"<p>The timeline, {escape(path.name)}, is too large for this page.</p>"
    alt = "The same outfits drawn again and again, from the first snapshot to the last"
    uri = _uri("image/gif", path.read_bytes())
    return f'<details><summary>Watch it learn</summary><img src="{uri}" alt="{alt}"></details>'


def _kimg(path):
    """fakes_000400kimg.png -> "After 400 kimg"."""
    return f"After {int(path.stem.removeprefix('fakes_').removesuffix('kimg'))} kimg"


def _picture(path, width, caption):
    try:
        with Image.open(path) as image:
            image = image.convert("RGB")
    except OSError as error:
        return f"<p>{escape(path.name)}: no picture ({escape(str(error))})</p>"
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    caption = escape(caption)
    uri = _uri("image/jpeg", encoded.getvalue())
    return f'<figure><img src="{uri}" alt="{caption}" width="{image.width}"><figcaption>{caption}</figcaption></figure>'


def _uri(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
