"""`outfit-gan inspect`: what a catalogue or its records hold, what is odd about them, and a contact sheet."""

import json
import sys
from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.cli.catalogue_arguments import add_catalogue_arguments
from tf_outfit_gan.data import importers
from tf_outfit_gan.data.records import FILENAME, open_dataset
from tf_outfit_gan.util.process_pool import available_cores

EXAMPLE = "data --out sheet.png --odd"
EXAMPLES_SHOWN = 4


def add_arguments(parser):
    parser.add_argument("folder", metavar="FOLDER", help="records that `outfit-gan prepare` wrote, or a catalogue")
    main = parser.add_argument_group("main")
    add_catalogue_arguments(main)
    main.add_argument("--count", type=arguments.positive, default=16, metavar="N", help="entries to show (default: %(default)s)")
    main.add_argument("--odd", action="store_true", help="show only entries with findings")
    performance = parser.add_argument_group("performance")
    performance.add_argument(
        "--workers",
        type=arguments.positive,
        default=available_cores(),
        metavar="N",
        help="processes that open a catalogue's pictures (default: one a core)",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="FILE",
        type=arguments.output_file(".png", ".jpg", ".jpeg"),
        default="sheet.png",
        help="picture to write (default: %(default)s)",
    )
    output.add_argument("--json", action="store_true", help="print the whole report as JSON instead of tables")
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    source = _source(Path(args.folder), args)

    statistics = source.statistics(args.quiet)
    report = {"path": args.folder, **statistics.report()}
    named = _named(report["findings"])
    ids = [entry_id for entry_id, *_ in statistics.entries if not args.odd or entry_id in named]
    rows = source.rows(ids[: args.count])
    if args.json:
        print(json.dumps(report, indent=1))
    else:
        _print_tables(report)
    if rows:
        from tf_outfit_gan.data.inspection.contact_sheet import contact_sheet
        from tf_outfit_gan.viz.montage import save_whole

        save_whole(contact_sheet(rows), args.out)
        print(f"wrote {args.out}", file=sys.stderr if args.json else sys.stdout)


def _source(folder, args):
    from tf_outfit_gan.data.inspection.sources import Catalogue, Records

    if args.format is None and ((folder / FILENAME).exists() or importers.guess(folder) is None):
        return Records(open_dataset(folder))
    manifest = importers.read(folder, args.format, args.slots)
    return Catalogue(manifest, args.slots, args.workers, round(args.max_megapixels * 1e6))


def _named(findings):
    """The ids that findings name."""
    items = [item for name, found in findings.items() if name != "article under several names" for item in found]
    return {entry_id for item in items for entry_id in (item if isinstance(item, list) else [item])}


def _print_tables(report):
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    # A file or a pipe has no width of its own, and a terminal's is followed.
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)

    counts = Table("split", *next(iter(report["counts"].values())))
    for split, numbers in report["counts"].items():
        counts.add_row(split, *map(str, numbers.values()))
    for warning in report["warnings"]:
        console.print(f"[bold]warning:[/bold] {escape(warning)}")
    counts.add_row("distinct", "", "", *map(str, report["distinct_articles"].values()))
    console.print(counts)

    splits = next(iter(report["joints"].values()))
    if splits:
        joints = Table("joint", *(f"{split}, {what}" for split in splits for what in ("present", "outside")))
        for joint, by_split in report["joints"].items():
            joints.add_row(joint, *(f"{share:.1%}" for shares in by_split.values() for share in shares.values()))
        console.print(joints)

    if report["findings"] or report["skipped"]:
        findings = Table("found", "times", "such as")
        for name, items in report["findings"].items():
            examples = [" = ".join(item[:EXAMPLES_SHOWN]) if isinstance(item, list) else item for item in items[:EXAMPLES_SHOWN]]
            findings.add_row(name, str(len(items)), escape(", ".join(examples)))
        for skip in report["skipped"][:EXAMPLES_SHOWN]:
            findings.add_row(
                "set aside", f"{len(report['skipped'])}", escape(f"{skip['listing']} {skip['line']}: {skip['reason']}")
            )
        console.print(findings)
    else:
        console.print("nothing odd was found")
