"""A measurement as text: a table of its figures, with what weakens them."""

from tf_outfit_gan.metrics.gate import number

# The least that the authors of the Frechet distance recommend; with fewer pictures it comes out too large.
ENOUGH = 10_000


def report(measurement):
    """The table of one `Measurement`."""
    lines = [
        _row("", "value", "photos", "strangers"),
        *(
            _row(name, number(figure.value), number(figure.ceiling), number(figure.floor), figure.unit)
            for name, figure in measurement.figures.items()
        ),
    ]
    return "\n".join([*lines, "", *_about(measurement)])


def compare(one, other):
    """The table of two `Measurement`s of the same figures, side by side."""
    lines = [
        _row("", "first", "second", "better"),
        *(
            _row(name, number(figure.value), number(other.figures[name].value), _better(figure, other.figures[name]), figure.unit)
            for name, figure in one.figures.items()
            if name in other.figures
        ),
    ]
    return "\n".join([*lines, "", "first:", *_about(one), "", "second:", *_about(other)])


def _row(name, *columns):
    *cells, last = (*columns, "") if len(columns) == 3 else columns
    return f"{name:32}{''.join(f'{cell:>10}' for cell in cells)}  {last}".rstrip()


def _better(one, other):
    if one.value is None or other.value is None or one.value == other.value:
        return "-"
    return "first" if (one.value > other.value) == one.higher_is_better else "second"


def _about(measurement):
    """What was measured, on what, and what weakens it."""
    fields = measurement.fields
    conditions = "each with a photo's articles and pose" if fields["conditional"] else "from seeds alone"
    # A server does not know how long its model was trained.
    kimg = "" if fields["cur_nimg"] is None else f"{fields['cur_nimg'] / 1000:.1f} kimg, "
    fading = "" if fields["alpha"] in (None, 1) else f", its last level faded in to {fields['alpha']:.2f}"
    rows = [
        ("pictures", f"{fields['count']} photos of {fields['split']} and {fields['count']} drawn, {conditions}"),
        (fields["kind"], f"{measurement.name}: {kimg}{fields['size']}{fading}"),
        ("data", fields["data"]),
    ]
    if "features" in fields:
        rows.insert(0, ("features", fields["features"]))
    rows += [("left out", f"{metric}: {reason}") for metric, reason in fields["left_out"].items()]
    if fields["count"] < fields["count_asked"]:
        few = f"all photos of {fields['split']} are used, fewer than the {fields['count_asked']} asked for"
        rows.append(("note", few))
    if "features" in fields and fields["count"] < ENOUGH:
        rows.append(("note", "fewer pictures give a larger Frechet distance: compare with distances of as many only"))
    return [f"{name:10}{value}" for name, value in rows]
