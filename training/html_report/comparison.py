"""Runs side by side: the settings that differ, pictures at equal kimg, metrics, and each statistic's curves in one chart."""

import json

from tf_outfit_gan.util.errors import UserError
from training.html_report.charts import chart
from training.html_report.page import CHARTS, NO_CURVE, OLDER_WIDTH, filled, picture, points, state

MOST = 6  # Runs on a page, as many as there are colors.


def comparison(runs):
    """The page of two runs or more, each a `RunFolder`, as text; raises `UserError` for more than `MOST`."""
    if len(runs) > MOST:
        raise UserError(f"{len(runs)} runs: a page compares {MOST} at most")
    named = _named(runs)
    pictures_title, pictures = _pictures(named)
    return filled(
        "comparison.html.jinja",
        title=" / ".join(named),
        runs={name: state(run) for name, run in named.items()},
        differences=differences(runs),
        pictures_title=pictures_title,
        pictures={name: path and picture(path, OLDER_WIDTH) for name, path in pictures.items()},
        metrics={name: run.metrics[-1] for name, run in named.items() if run.metrics},
        charts=charts(named),
    )


def differences(runs):
    """{setting: its value in each run} of those that are not the same in all; a dash where a run has none."""
    settings = [
        {**run.config["model"], **run.config["training"]}
        | {name: run.config.get(name) for name in ("data", "data_checksum", "init", "version")}
        for run in runs
    ]
    names = dict.fromkeys(name for one in settings for name in one)
    found = {name: [_shown(one[name]) if name in one else "-" for one in settings] for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _shown(value):
    """A setting's value as text, the same for 3 and 3.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def charts(named):
    """A chart for each statistic of {name: run}, with a curve for each run."""
    titles = {name: f"{title}: {label}" if label else title for title, names in CHARTS for label, name in names.items()}
    statistics = dict.fromkeys([*titles, *(name for run in named.values() for record in run.stats for name in record)])
    found = []
    for statistic in statistics:
        series = {name: points(run.stats, statistic) for name, run in named.items()}
        if statistic not in NO_CURVE and any(value for curve in series.values() for _, value in curve):
            found.append(chart(titles.get(statistic, statistic), series))
    return [one for one in found if one]


def _pictures(named):
    """(what they are, {name: path of a grid or None}): of the last kimg that all runs have grids of, else the newest ones."""
    grids = {name: {path.name: path for path in run.grids} for name, run in named.items()}
    common = set.intersection(*(set(paths) for paths in grids.values()))
    if common:
        last = max(common)
        kimg = int(last.removeprefix("fakes_").removesuffix("kimg.png"))
        return f"After {kimg} kimg, the last that all have.", {name: paths[last] for name, paths in grids.items()}
    if not any(grids.values()):
        return "", {}
    newest = {name: run.grids[-1] if run.grids else None for name, run in named.items()}
    return "The newest of each run: they have none of the same kimg.", newest


def _named(runs):
    """{name: run}: the folder's name, or the shortest end of its path that no other run has."""
    for length in range(1, max(len(run.path.resolve().parts) for run in runs) + 1):
        named = {"/".join(run.path.resolve().parts[-length:]): run for run in runs}
        if len(named) == len(runs):
            return named
    raise UserError(f"{runs[0].path}: is given twice; expected different runs")
