"""`outfit-gan figures`: the paper's figures 3 to 5 and tables 1 and 2 (arXiv 1908.08847), from any snapshot."""

import shlex
import sys
from pathlib import Path

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from tf_outfit_gan.viz.montage import save_whole

EXAMPLE = "runs/dolls runs/unconditional --data other-data --split train --out figures"
REMOTE = ("snapshots", "data")

# Each seed gives pictures so many seeds of their own.
SEEDS = 1000


def add_arguments(parser):
    parser.add_argument(
        "snapshots",
        metavar="SNAPSHOT",
        nargs="+",
        help="snapshot folder, or a run folder for its newest one; a conditional and an unconditional one, or one of them",
    )
    main = parser.add_argument_group("main")
    main.add_argument(
        "--data", metavar="DATA", required=True, help="folder that `outfit-gan prepare` wrote: gives outfits, poses and photos"
    )
    main.add_argument("--split", choices=SPLITS, default="test", help="whose entries are used (default: %(default)s)")
    main.add_argument(
        "--count",
        type=arguments.whole(2),
        default=10_000,
        metavar="N",
        help="photos and drawn pictures of table 2 (default: %(default)s, or all photos if there are fewer)",
    )
    main.add_argument("--inception", metavar="FILE", help="features of table 2, as for evaluate")
    main.add_argument("--pose-model", metavar="FILE", help="features of table 2, as for evaluate")
    main.add_argument("--seed", type=arguments.seed, default=0, help="another seed draws other pictures (default: %(default)s)")
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the PNG files and README.md")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    # Check: mistakes are reported before TensorFlow is imported.
    paths = [snapshots.newest(path) for path in args.snapshots]
    kinds = [snapshots.read(path).config.conditional for path in paths]
    if len(set(kinds)) < len(kinds):
        raise UserError(f"{' '.join(args.snapshots)}: expected one snapshot, or a conditional and an unconditional one")
    protocol = Protocol(
        ("distribution",), args.split, args.count, args.seed, inception=args.inception, pose_model=args.pose_model
    )
    dataset = open_dataset(args.data)

    # Load, and check what the data and the models say.
    from tf_outfit_gan.metrics.subject import of_snapshot

    loaded = {path: snapshots.load(path) for path in paths}
    subjects = [of_snapshot(path, snapshot) for path, snapshot in loaded.items()]
    for subject in subjects:
        protocol.check(subject, dataset)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {args.out}: expected a folder ({error.strerror})") from None

    # Draw, measure, and write.
    from tf_outfit_gan.metrics.measure import measure
    from tf_outfit_gan.paper_figures.page import distances_table, page

    sections, left_out = {}, _kinds_left_out(kinds)
    for path, snapshot in loaded.items():
        _draw(path, snapshot, dataset, args, sections, left_out)
    with progress("evaluate", len(subjects) * min(args.count, dataset.count(args.split)), "pictures", args.quiet) as advance:
        measurements = [measure(subject, dataset, protocol, advance) for subject in subjects]
    sections["Table 2: distances between pictures and photos"] = [distances_table(measurements)]
    command = shlex.join(["outfit-gan", *sys.argv[1:]])
    write_whole(args.out / "README.md", page(" and ".join(map(str, args.snapshots)), command, sections, left_out))
    print(args.out / "README.md")


def _draw(path, snapshot, dataset, args, sections, left_out):
    """Writes the sheets of one model and adds what the page says of them."""
    from tf_outfit_gan.api import Model
    from tf_outfit_gan.paper_figures.outfits import ENTRIES, read_outfits
    from tf_outfit_gan.paper_figures.page import about, layers_table
    from tf_outfit_gan.paper_figures.sheets import draw_sheets

    config, split, text = snapshot.config, snapshots.transfer_split(path), about(path, snapshot)
    outfits = read_outfits(dataset, args.split, config.condition_size, args.seed) if config.conditional else None
    kind = "conditional" if config.conditional else "unconditional"
    for heading, sheet in draw_sheets(Model(snapshot, split), outfits, args.seed * SEEDS + 1):
        if sheet is None:
            left_out.append((heading, f"of {ENTRIES} entries no two wear the same slots but for one"))
            continue
        file = args.out / f"{heading.partition(':')[0].lower().replace(' ', '-')}-{kind}.png"
        save_whole(sheet.image, file)
        print(file)
        sections.setdefault(heading, []).append(f"![{heading}]({file.name})\n\n{sheet.caption} {text}")
    table = f"{layers_table(snapshot.num_layers, split)} {text}"
    sections.setdefault("Table 1: layers that a transfer copies", []).append(table)


def _kinds_left_out(kinds):
    """What the page lacks for want of a model: [(what, why)]."""
    left_out = []
    if False not in kinds:
        left_out.append(("Figures 3 and 4 and table 2 of an unconditional model", "no unconditional snapshot was named"))
    if True not in kinds:
        left_out.append(("Figures 3 and 4 and table 2 of a conditional model", "no conditional snapshot was named"))
        left_out.append(("Figure 5: outfits in poses, edited article by article", "only a conditional model wears outfits"))
    return left_out
