"""The verb `outfit-gan report`: one self-contained page that shows what a run is and how it is doing.

It needs neither TensorFlow nor a network: the page has no script, and its pictures and curves are part of it.
"""

from tf_outfit_gan.cli import arguments
from tf_outfit_gan.util.atomic import write_whole

EXAMPLE = "runs/dolls --out report.html"


def add_arguments(parser):
    parser.add_argument("folder", metavar="RUN", help="a run's folder; the run may be running")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", type=arguments.output_file(), metavar="FILE", help="the page to write (default: RUN/report.html)"
    )


def run(args):
    from training.html_report.page import page
    from training.run_folder import read_run

    found = read_run(args.folder)
    out = args.out or found.path / "report.html"
    write_whole(out, page(found))
    print(out)
