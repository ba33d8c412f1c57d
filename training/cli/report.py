"""The verb `outfit-gan report`: one self-contained page that shows what a run is and how it is doing, or compares runs.

It needs neither TensorFlow nor a network, unless the run lies in a bucket: the page has no script, and its pictures and
curves are part of it.
"""

from pathlib import Path

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.atomic import write_whole

EXAMPLE = "runs/dolls --out report.html"
REMOTE = ("folders",)


def add_arguments(parser):
    parser.add_argument(
        "folders", metavar="RUN", nargs="+", help="a run's folder; the run may be running; several are compared side by side"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        type=arguments.output_file(),
        metavar="FILE",
        help="the page to write (default: RUN/report.html; for several runs comparison.html here)",
    )


def run(args):
    from training.html_report.comparison import comparison
    from training.html_report.page import page
    from training.run_folder import read_run

    runs = [read_run(folder) for folder in args.folders]
    if len(runs) == 1:
        out, text = runs[0].path / "report.html", page(runs[0])
    else:
        out, text = Path("comparison.html"), comparison(runs)
    write_whole(args.out or out, text)
    print(args.out or out)
