"""The page of the figures and tables, in Markdown."""

from tf_outfit_gan.metrics.gate import number
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.styles import transfer_layers


def about(path, snapshot):
    """One model in words, for its captions."""
    psi = "no truncation" if snapshot.config.conditional else "psi 0.7"
    return f"Model: `{path}`, {snapshot.cur_nimg / 1000:.1f} kimg, {format_size(snapshot.size)} pixels, {psi}."


def layers_table(num_layers, split):
    """Table 1: which layers come from where; `split` is the one that `evaluate` found, or None for the paper's shares."""

    def layers(begin, end):
        return "-" if begin == end else str(end) if end - begin == 1 else f"{begin + 1}-{end}"

    color, pose = (transfer_layers(what, num_layers, split) for what in ("color", "pose"))
    origin = "the paper's shares" if split is None else "as `outfit-gan evaluate --metrics transfer` found for this model"
    return "\n".join(
        [
            "| transfer | layers from the source | layers from the target |",
            "|---|---|---|",
            f"| color | {layers(*color)} | {layers(0, color[0])} |",
            f"| pose | {layers(*pose)} | {layers(pose[1], num_layers)} |",
            "",
            f"Of {num_layers} layers, counted from 1; {origin}. Where conditions also enter as maps, the maps' pose goes with "
            "layer 1, and their articles with the last layer.",
        ]
    )


def distances_table(measurements):
    """Table 2: the Frechet distance of each `Measurement`."""
    rows = []
    for found in measurements:
        fields, figure = found.fields, found.figures["distribution.frechet_distance"]
        kind = "conditional" if fields["conditional"] else "unconditional"
        kimg = f"{fields['cur_nimg'] / 1000:.1f}"
        rows.append(f"| {kind} | {fields['metric']} {number(figure.value)} | {fields['count']} | {kimg} | `{found.name}` |")
    features = "; ".join(dict.fromkeys(found.fields["features"] for found in measurements))
    return "\n".join(
        [
            "| model | distance | photos, and as many pictures | kimg | snapshot |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"Features: {features}. No truncation. Distances compare with those of the same features, the same photos and as "
            "many pictures only, so not with the FIDs of the paper, which are of its own photos.",
        ]
    )


def page(title, command, sections, left_out):
    """The whole page.

    Args:
        title: what the models are called.
        command: draws all of it again.
        sections: {heading: list of Markdown}, shown in the order of the headings.
        left_out: [(what, why)].
    """
    parts = [
        f"# Figures and tables of {title}",
        "Figures 3 to 5 and tables 1 and 2 of [Yildirim et al., 2019](https://arxiv.org/abs/1908.08847), for other models and "
        "photos than the paper's. This command draws them; another `--seed` gives other pictures:",
        f"    {command}",
    ]
    for heading in sorted(sections):
        parts += [f"## {heading}", *sections[heading]]
    if left_out:
        parts += ["## Left out", "\n".join(f"- {what}: {why}." for what, why in left_out)]
    return "\n\n".join(parts) + "\n"
