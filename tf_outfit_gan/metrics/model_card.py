"""A model card: what a model is, how well it does, and how that was found out (Mitchell et al., arXiv 1810.03993)."""

import shlex

from tf_outfit_gan.metrics.gate import number


def model_card(measurement):
    """The card of a `Measurement`, in Markdown."""
    fields = measurement.fields
    kind = "articles and a body pose to a photo" if fields["conditional"] else "random numbers to a photo"
    rows = [
        f"| {name} | {number(figure.value)} | {number(figure.ceiling)} | {number(figure.floor)} | {figure.unit} |"
        for name, figure in measurement.figures.items()
    ]
    trained = "" if fields["cur_nimg"] is None else f", after {fields['cur_nimg'] / 1000:.0f} thousand training images"
    features = [f"Features: {fields['features']}."] if "features" in fields else []
    return "\n".join(
        [
            f"# Model card: {measurement.name}",
            "",
            f"A StyleGAN that maps {kind}, {fields['size']} pixels (height x width){trained}.",
            "",
            "## Figures",
            "",
            f"{fields['count']} entries of the split {fields['split']} of `{fields['data']}`, seed {fields['seed']}, no "
            "truncation. *Photos* is what the photos themselves reach, measured in the same way: the ceiling. *Strangers* "
            "is what photos of other entries reach: the floor.",
            *features,
            "",
            "| figure | model | photos | strangers | unit |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "## How to measure it again",
            "",
            f"    {_command(measurement)}",
            "",
            "Two runs with one seed give the same figures.",
            "",
            "## Limits",
            "",
            "It draws what its training data show, and nothing else: their poses, cuts, backgrounds and people. The "
            "figures say nothing of other data.",
            "",
        ]
    )


def _command(measurement):
    fields = measurement.fields
    options = {
        "data": fields["data"],
        "split": fields["split"],
        "count": fields["count"],
        "seed": fields["seed"],
        **fields["files"],
        **({"model_name": fields["model_name"]} if "model_name" in fields else {}),
        "metrics": ",".join(fields["metrics"]),
    }
    return " ".join(
        [
            "outfit-gan evaluate",
            shlex.quote(measurement.name),
            *(f"--{name} {shlex.quote(str(value))}" for name, value in options.items()),
        ]
    )
