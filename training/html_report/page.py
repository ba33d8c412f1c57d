"""The page of a run: what the template report.html.jinja shows, from a `RunFolder`.

Pictures are inside as data, small enough that the page can be sent around.
"""

import base64
import io
import json
import shlex
import time
from pathlib import Path

import jinja2
from PIL import Image

from tf_outfit_gan.sizes import format_size, levels_of
from tf_outfit_gan.util.progress import format_duration
from training.distribute import environment
from training.html_report.charts import chart

# (title, {label: name in stats.jsonl}). A curve that was never other than 0, such as of what is off, is not drawn.
CHARTS = (
    ("Losses", {"generator": "loss_generator", "discriminator": "loss_discriminator"}),
    ("Scores", {"photos": "score_real", "fakes": "score_fake"}),
    ("Score of mismatched photos", {"": "score_mismatch"}),
    ("R1 penalty", {"": "r1_penalty"}),
    ("Mean sign of the scores", {"photos": "sign_real", "fakes": "sign_fake"}),
    ("Difference between pictures", {"photos": "spread_real", "fakes": "spread_fake"}),
    ("Augmentation", {"p": "ada_probability"}),
    ("Images per second", {"": "images_per_sec"}),
    ("Seconds per kimg, everything included", {"": "sec_per_kimg"}),
    ("Input wait, share of the time", {"": "input_wait"}),
    ("Skipped updates", {"": "skipped_updates"}),
)
# What a record of stats.jsonl holds besides: no statistics, or of no use as a curve.
NO_CURVE = {"time", "cur_nimg", "height", "alpha", "left_sec", "memory_bytes", "warnings", "r1_loss"}
LAST_LINES = 20  # Of the log.
NEWEST_WIDTH, OLDER_WIDTH = 1208, 600  # Pixels, at most.
QUALITY = 82
MOST_GIF_BYTES = 8_000_000


def page(run):
    """The whole page, as text."""
    levels, fades = growth(run)
    middle = [run.grids[0], run.grids[(len(run.grids) - 1) // 2], run.grids[-1]] if len(run.grids) > 1 else []
    return filled(
        "report.html.jinja",
        title=run.path.resolve().name,
        kimg=run.stats[-1]["cur_nimg"] / 1000,
        total_kimg=run.config["training"]["total_kimg"],
        state=state(run),
        written=time.strftime("%Y-%m-%d %H:%M", time.localtime((run.path / "stats.jsonl").stat().st_mtime_ns / 1e9)),
        newest=run.grids and picture(run.grids[-1], NEWEST_WIDTH),
        warnings=run.warnings,
        charts=charts(run),
        levels=levels,
        fades=fades,
        metrics=run.metrics,
        progress_pictures=[picture(path, OLDER_WIDTH) for path in dict.fromkeys(middle)],
        timeline=_timeline(run.timeline),
        timeline_file=run.timeline and run.timeline.name,
        facts=facts(run),
        config=_config(run),
        commands={title: shlex.join(["outfit-gan", *words]) for title, words in commands(run).items()},
        log="\n".join(run.log[-LAST_LINES:]),
    )


def filled(template, **values):
    """A page of this folder's templates, as text."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    templates = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template(template).render(**values)


def state(run):
    """How far the run is, in one sentence."""
    last, total = run.stats[-1], run.config["training"]["total_kimg"]
    kimg, alpha = last["cur_nimg"] / 1000, last.get("alpha", 1.0)
    found = [f"{kimg:.1f} of {total:g} kimg", f"{_size(run, last)} {'stable' if alpha >= 1 else f'fading in, {alpha:.0%}'}"]
    if "images_per_sec" in last:
        found.append(f"{last['images_per_sec']:.1f} images/s")
    if "left_sec" in last and kimg < total:
        growing = "more than " if _size(run, last) != format_size(run.config["model"]["size"]) else ""
        found.append(f"{growing}{format_duration(last['left_sec'])} left at this speed")
    if last.get("memory_bytes"):
        found.append(f"{last['memory_bytes'] / 2**30:.1f} GiB")
    return ", ".join(found)


def growth(run):
    """([(kimg, size)] of each level's start, [(kimg, kimg)] of each fade)."""
    levels, fades = [], []
    for before, record in zip([{}, *run.stats], run.stats):
        start, end = before.get("cur_nimg", 0) / 1000, record["cur_nimg"] / 1000
        if record.get("height") != before.get("height"):
            levels.append((start, _size(run, record)))
        if record.get("alpha", 1.0) < 1:
            fades.append((fades.pop()[0] if fades and fades[-1][1] == start else start, end))
    return levels, fades


def charts(run):
    """The charts of the run's statistics. One of a new loss needs no entry in `CHARTS`: its name is the title."""
    listed = NO_CURVE.union(*(names.values() for _, names in CHARTS))
    others = dict.fromkeys(name for record in run.stats for name in record if name not in listed)
    series = [
        (title, {label: points(run.stats, name) for label, name in names.items()})
        for title, names in (*CHARTS, *((name, {"": name}) for name in others))
    ]
    found = [chart(*one) for one in series if any(value for points in one[1].values() for _, value in points)]
    if len(run.metrics) > 1:
        kinds = {}
        for result in run.metrics:
            kinds.setdefault(f"{result['metric']} at {result['size']}", []).append(result)
        found.append(chart("Distance from the photos", {kind: points(results, "value") for kind, results in kinds.items()}))
    return [one for one in found if one]


def facts(run):
    """Data, settings, machine and time, {title: text}."""
    config, machine = run.config, run.config.get("machine", {})
    found = {"data": config["data"]}
    if config.get("preset"):
        found["preset"] = shlex.join([config["preset"], *_overrides(config)])
    if config.get("command"):
        found["command"] = config["command"]
    if machine:
        found["machine"] = ", ".join([f"{machine['cores']} cores of {machine['cpu']}", *machine["gpus"]])
        own = f"tf-outfit-gan {config['version']}" + (f" ({config['commit']})" if config.get("commit") else "")
        found["software"] = f"{own}, TensorFlow {machine['tensorflow']}, Keras {machine['keras']}, Python {machine['python']}"
    if times := run.messages("first step after"):
        found["time"] = times[-1]
    return found


def commands(run):
    """What to type next, {title: words after "outfit-gan"}."""
    folder, config = str(run.path), run.config
    settings = ["--preset", config["preset"]] if config.get("preset") else ["--config", str(run.path / "config.json")]
    outfit = ["--outfit", "outfit.json"] if config["model"].get("conditional", True) else []
    return {
        "Resume": ["train", folder, "--data", config["data"], *settings, *(_overrides(config) if config.get("preset") else ())],
        "Render": ["render", folder, *outfit, "--seed", "1,2,3", "--out", "picture.png"],
        "Evaluate": ["evaluate", folder, "--data", config["data"]],
        "Export": ["export", folder, f"models/{run.path.resolve().name}"],
    }


def _overrides(config):
    return [word for override in config["overrides"] for word in ("--set", override)]


def _config(run):
    """config.json, without what runs of earlier versions wrote down of the environment and a page may not show."""
    machine = run.config.get("machine", {})
    allowed = machine | {"environment": environment.allowed(machine.get("environment", {}))}
    return json.dumps(run.config | {"machine": allowed}, indent=1)


def points(records, name):
    """[(kimg, value)] of the records that have a number of that name."""
    return [(record["cur_nimg"] / 1000, float(record[name])) for record in records if isinstance(record.get(name), (int, float))]


def _size(run, record):
    """The size of pictures at a record, which has their height."""
    return next((format_size(size) for size in levels_of(run.config["model"]["size"]) if size[0] == record.get("height")), "?")


def picture(path, width):
    """What the template needs of fakes_000400kimg.png: {name, caption, uri, error}."""
    kimg = int(path.stem.removeprefix("fakes_").removesuffix("kimg"))
    found = {"name": path.name, "caption": f"After {kimg} kimg", "uri": None, "error": None}
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image = image.convert("RGB")
    except OSError as error:
        return found | {"error": str(error)}
    image.thumbnail((width, image.height), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=QUALITY)
    return found | {"uri": _uri("image/jpeg", encoded.getvalue())}


def _timeline(path):
    """The timeline as a data URI; None where there is none, or one that is too large for a page."""
    small = path is not None and path.stat().st_size <= MOST_GIF_BYTES
    return _uri("image/gif", path.read_bytes()) if small else None


def _uri(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
