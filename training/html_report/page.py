"""The page of a run: its parts are functions from a `RunFolder` to HTML, and everything a run has written is escaped.

Pictures are inside as data, small enough that the page can be sent around.
"""

import base64
import io
import json
import shlex
import time
from html import escape

from PIL import Image

from tf_outfit_gan.sizes import format_size, levels_of
from tf_outfit_gan.util.progress import format_duration
from training.distribute import environment
from training.html_report.charts import chart

# (title, {label: name in stats.jsonl}). A curve that was never other than 0, such as of what is off, is not drawn.
CHARTS = (
    ("Losses", {"generator": "loss_generator", "discriminator": "loss_discriminator"}),
    ("Scores", {"of photos": "score_real", "of fakes": "score_fake", "of mismatched photos": "score_mismatch"}),
    ("R1 penalty", {"": "r1_penalty"}),
    ("Mean signs of the scores", {"of photos": "sign_real", "of fakes": "sign_fake"}),
    ("How much pictures differ", {"photos": "spread_real", "fakes": "spread_fake"}),
    ("Augmentation", {"p": "ada_probability"}),
    ("Images a second", {"": "images_per_sec"}),
    ("Seconds a kimg, all in all", {"": "sec_per_kimg"}),
    ("Waiting for data, share of the time", {"": "input_wait"}),
    ("Skipped updates", {"": "skipped_updates"}),
)
# What a record of stats.jsonl holds besides: no statistics, or of no use as a curve.
_NO_CURVE = {"time", "cur_nimg", "height", "alpha", "left_sec", "memory_bytes", "warnings", "r1_loss"}
LAST_LINES, LAST_WARNINGS, LAST_METRICS = 20, 12, 12

# In light and dark, on a desk and on a phone.
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --quiet: #5c6675; --line: #d5dae2; --ground: #f3f5f8;
  --c0: #0b62c4; --c1: #b3440b; --c2: #16794a; --c3: #7b3fb5; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181f; --ink: #e6e9ee; --quiet: #9aa5b4; --line: #333c49;
  --ground: #1e242e; --c0: #6db0ff; --c1: #ff9d66; --c2: #5fd39a; --c3: #c59bf2; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 16px; }
h1 { margin: 0 0 8px; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 32px 0 8px; font-size: 1.2rem; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; }
figcaption, .quiet { color: var(--quiet); font-size: 0.9rem; }
figcaption b { color: var(--ink); }
progress { width: 100%; height: 14px; }
.row { display: grid; gap: 20px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
.wide { overflow-x: auto; }
pre { margin: 0; padding: 8px 10px; overflow-x: auto; background: var(--ground); font-size: 0.85rem; }
table { border-collapse: collapse; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
dt { margin-top: 8px; font-weight: 600; }
dd { margin: 0; }
summary { margin: 8px 0; cursor: pointer; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { fill: var(--quiet); font-size: 12px; }
.chart .small { font-size: 10px; }
.rule { stroke: var(--line); stroke-width: 1; }
.mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3; }
.fade { fill: var(--ground); }
polyline { fill: none; stroke-width: 1.6; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 6 3; } .s2 { stroke: var(--c2); stroke-dasharray: 2 2; }
.s3 { stroke: var(--c3); stroke-dasharray: 9 3 2 3; }
circle { stroke: none; }
circle.s0 { fill: var(--c0); } circle.s1 { fill: var(--c1); } circle.s2 { fill: var(--c2); } circle.s3 { fill: var(--c3); }
.k0, .k1, .k2, .k3 { margin-right: 10px; white-space: nowrap; }
.k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); } .k3 { color: var(--c3); }
"""

NEWEST_WIDTH, OLDER_WIDTH = 1208, 600  # Pixels, at most.
QUALITY = 82
MOST_GIF_BYTES = 8_000_000


def page(run):
    """The whole page, as text."""
    name = escape(run.path.resolve().name)
    parts = (
        head(run),
        f"<h2>Newest pictures</h2>{newest_pictures(run)}",
        warnings(run),
        "<h2>Curves</h2><p class='quiet'>Over kimg, thousand photos shown. Lines mark a new size; it fades in "
        f"where the ground is shaded.</p><div class='row'>{curves(run)}</div>",
        measured(run),
        growth(run),
        what_it_is(run),
        commands(run),
        ending(run),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing is fetched from anywhere, and a browser holds the page to it.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        f"style-src 'unsafe-inline'\"><style>{STYLE}</style></head>\n<body><main><h1>{name}</h1>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main></body></html>\n"
    )


def head(run):
    """How far it is, in one sentence and a bar."""
    last, total = run.stats[-1], run.config["training"]["total_kimg"]
    kimg = last["cur_nimg"] / 1000
    alpha = last.get("alpha", 1.0)
    state = "stable" if alpha >= 1 else f"fading in, {alpha:.0%}"
    facts = [f"{kimg:.1f} of {total:g} kimg", f"{_size(run, last)} {state}"]
    if "images_per_sec" in last:
        facts.append(f"{last['images_per_sec']:.1f} images/s")
    if "left_sec" in last and kimg < total:
        growing = "more than " if _size(run, last) != format_size(run.config["model"]["size"]) else ""
        facts.append(f"{growing}{format_duration(last['left_sec'])} left at this speed")
    if last.get("memory_bytes"):
        facts.append(f"{last['memory_bytes'] / 2**30:.1f} GiB")
    written = time.strftime("%Y-%m-%d %H:%M", time.localtime((run.path / "stats.jsonl").stat().st_mtime))
    return (
        f'<p><progress value="{min(kimg, total):g}" max="{total:g}" aria-label="progress"></progress></p>'
        f"<p>{escape(', '.join(facts))}. <span class='quiet'>As of {written}.</span></p>"
    )


def curves(run):
    """The charts of the run's statistics, with its sizes marked."""
    marks, fades = [], []
    for before, record in zip([{}, *run.stats], run.stats):
        kimg = record["cur_nimg"] / 1000
        begun = before.get("cur_nimg", 0) / 1000
        if record.get("height") != before.get("height"):
            marks.append((begun, _size(run, record)))
        if record.get("alpha", 1.0) < 1:
            fading_since = fades.pop()[0] if fades and fades[-1][1] == begun else begun
            fades.append((fading_since, kimg))
    drawn = []
    # A statistic of a new loss needs no entry above: it gets a chart under its own name.
    listed = _NO_CURVE.union(*(names.values() for _, names in CHARTS))
    others = dict.fromkeys(name for record in run.stats for name in record if name not in listed)
    for title, names in (*CHARTS, *((name, {"": name}) for name in others)):
        series = {label: _points(run.stats, name) for label, name in names.items()}
        if any(value for points in series.values() for _, value in points):
            drawn.append(chart(title, series, marks, fades))
    if len(run.metrics) > 1:
        series = {
            label: _points(run.metrics, "value", label)
            for label in dict.fromkeys(f"{result['metric']} at {result['size']}" for result in run.metrics)
        }
        drawn.append(chart("Distance from the photos", series, marks, fades))
    return "".join(drawn)


def measured(run):
    """The distances that were measured during the training."""
    if not run.metrics:
        return ""
    rows = "".join(
        _row(
            "td",
            f"{result['cur_nimg'] / 1000:.0f}",
            result["size"],
            f"{result['value']:.4f}",
            result["count"],
            result["snapshot"],
        )
        for result in run.metrics[-LAST_METRICS:]
    )
    last = run.metrics[-1]
    return (
        f"<h2>Measured</h2><p>{escape(last['metric'])} with {escape(last['features'])}; smaller is better, and "
        f"only distances of one size and as many pictures compare.</p><div class='wide'><table>"
        f"{_row('th', 'kimg', 'size', 'distance', 'pictures', 'snapshot')}{rows}</table></div>"
    )


def warnings(run):
    lines = run.log_lines("warning")
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[-LAST_WARNINGS:])
    before = f"<p>The last {LAST_WARNINGS} of {len(lines)}.</p>" if len(lines) > LAST_WARNINGS else ""
    return f"<h2>Warnings</h2>{before}<ul>{items}</ul>"


def what_it_is(run):
    """Configuration, data and machine."""
    machine = run.config.get("machine", {})
    rows = {"data": run.config["data"]}
    if run.config.get("preset"):
        rows["preset"] = " ".join([run.config["preset"], *(f"--set {override}" for override in run.config["overrides"])])
    if run.config.get("command"):
        rows["command"] = run.config["command"]
    if machine:
        rows["machine"] = ", ".join([f"{machine['cores']} cores of {machine['cpu']}", *machine["gpus"]])
        rows["software"] = f"TensorFlow {machine['tensorflow']}, Keras {machine['keras']}, Python {machine['python']}"
    times = run.log_lines("first step after")
    if times:
        rows["time"] = times[-1]
    table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    # Runs of earlier versions wrote more of the environment down than a page may show.
    shown = {**run.config, "machine": {**machine, "environment": environment.allowed(machine.get("environment", {}))}}
    full = escape(json.dumps(shown, indent=1))
    return (
        f"<h2>What it is</h2><div class='wide'><table>{table}</table></div>"
        f"<details><summary>config.json</summary><pre>{full}</pre></details>"
    )


def commands(run):
    """What to type next."""
    folder, data = str(run.path), run.config["data"]
    outfit = ["--outfit", "outfit.json"] if run.config["model"].get("conditional", True) else []
    rows = {}
    if run.config.get("preset"):
        settings = [word for override in run.config["overrides"] for word in ("--set", override)]
        rows["Go on"] = ["train", folder, "--data", data, "--preset", run.config["preset"], *settings]
    rows |= {
        "Draw pictures": ["render", folder, *outfit, "--seed", "1,2,3", "--out", "picture.png"],
        "Measure": ["evaluate", folder, "--data", data],
        "Hand over": ["export", folder, f"models/{run.path.resolve().name}"],
    }
    items = "".join(
        f"<dt>{title}</dt><dd><pre>{escape(shlex.join(['outfit-gan', *words]))}</pre></dd>" for title, words in rows.items()
    )
    return f"<h2>Commands</h2><dl>{items}</dl>"


def ending(run):
    """The end of the log."""
    lines = escape("\n".join(run.log[-LAST_LINES:]))
    return f"<h2>The end of the log</h2><pre>{lines}</pre>" if lines else ""


def _row(kind, *cells):
    return "<tr>" + "".join(f"<{kind}>{escape(str(cell))}</{kind}>" for cell in cells) + "</tr>"


def _points(records, name, kind=None):
    """[(kimg, value)] of the records that have a number of that name; of one kind of metric alone if that is given."""
    return [
        (record["cur_nimg"] / 1000, float(record[name]))
        for record in records
        if isinstance(record.get(name), (int, float)) and (kind is None or f"{record['metric']} at {record['size']}" == kind)
    ]


def _size(run, record):
    """The size of pictures at a record, which has their height."""
    for size in levels_of(run.config["model"]["size"]):
        if size[0] == record.get("height"):
            return format_size(size)
    return "?"


def newest_pictures(run):
    """The newest grid, and what can be seen on it."""
    if not run.grids:
        return "<p>No pictures yet: the first come with the first snapshot.</p>"
    under = " under the same articles and poses" if run.config["model"].get("conditional", True) else ""
    caption = f"{_kimg(run.grids[-1])}: the same seeds{under} every time, drawn by the averaged generator."
    return _picture(run.grids[-1], NEWEST_WIDTH, caption)


def growth(run):
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
