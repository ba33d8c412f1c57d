"""What `render` and `request` have in common: which pictures are asked for, of which model, and where they go."""

import argparse
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tf_outfit_gan import outfit_request
from tf_outfit_gan.cli import arguments
from tf_outfit_gan.client import Client
from tf_outfit_gan.client.served_renderer import ServedRenderer
from tf_outfit_gan.data.manifest import Outfit, load_outfits, load_poses
from tf_outfit_gan.outfit_request import MAX_PSI, OUTFIT_HELP, POSE_HELP, PSI_HELP, Request, parse_article
from tf_outfit_gan.rendering.draw import BatchRenderer
from tf_outfit_gan.rendering.plan import NamedOutfit, Plan
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

SHEET, SHEET_PICTURES = "sheet.png", 400  # The file of a contact sheet, and how many pictures it shows at most.
CONDITIONS = ("outfit", "outfits", "add", "remove", "pose", "poses")  # The options for a conditional model.


@dataclasses.dataclass(frozen=True)
class AskedModel:
    """What is asked for pictures, a snapshot or a server, before TensorFlow is imported."""

    name: str
    conditional: bool
    open: Callable[[], BatchRenderer]
    slots: tuple[str, ...] = SLOTS
    condition_size: tuple[int, int] | None = None  # Of entries of a data set; None = the largest that is stored.


def add_picture_arguments(parser: argparse.ArgumentParser, out_help: str) -> None:
    """Adds the options; `out_help` says what becomes of several pictures with --out."""
    outfit = parser.add_argument_group("outfit")
    outfit.add_argument(
        "--outfit",
        action="append",
        default=[],
        metavar="OUTFIT",
        help=OUTFIT_HELP + "; not for an unconditional model; may be given again",
    )
    outfit.add_argument(
        "--outfits",
        metavar="LIST",
        help="many outfits: a file with one outfit.json a line, such as a manifest.jsonl, or a folder of outfit.json files",
    )
    outfit.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="[SLOT=]FILE",
        help="an article to put on, instead of what is in its slot; SLOT may be a word such as jacket, "
        "or left out where the file's name has one; may be given again",
    )
    outfit.add_argument("--remove", action="append", default=[], metavar="SLOT", help="a slot to empty; may be given again")
    outfit.add_argument(
        "--pose",
        action="append",
        default=[],
        metavar="POSE",
        help=POSE_HELP + ", instead of the outfit's own; may be given again",
    )
    outfit.add_argument("--poses", metavar="LIST", help="many poses: a folder of such files, or a file with one a line")
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument(
        "--seed",
        "--seeds",
        dest="seeds",
        type=arguments.seeds,
        default="1",
        metavar="1,2,3",
        help="one picture each (default: %(default)s)",
    )
    sampling.add_argument("--psi", type=arguments.number(0, MAX_PSI), help=PSI_HELP)
    output = parser.add_argument_group("output")
    where = output.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=arguments.output_file(".png"), metavar="picture.png", help=out_help)
    where.add_argument(
        "--out-dir",
        type=Path,
        metavar="DIR",
        help="where each picture becomes a file, with index.jsonl; what is there already is not drawn again",
    )
    output.add_argument(
        "--sheet", action="store_true", help=f"with --out-dir: also DIR/{SHEET}, a contact sheet of the first {SHEET_PICTURES}"
    )
    output.add_argument("--scale", type=arguments.positive, metavar="N", help="enlarge pictures N times, pixel by pixel")
    output.add_argument(
        "--show-conditions", action="store_true", help="articles and pose beside each picture, or each row of a grid"
    )
    output.add_argument("--quiet", action="store_true", help="show no progress bar")


def add_server_arguments(group: argparse._ArgumentGroup) -> None:
    """Adds the options of a server but its address."""
    group.add_argument("--model_name", default="outfit_gan", help="the model's name (default: %(default)s)")
    group.add_argument(
        "--timeout_sec", type=arguments.above_zero, default=120, help="limit of one picture (default: %(default)s)"
    )


def served_model(args: argparse.Namespace, host_port: str) -> AskedModel:
    """The model of a server, taken for a conditional one where conditions are given: the server refuses what does not fit."""
    client = Client(host_port, args.model_name, args.timeout_sec)
    conditional = any(getattr(args, option) for option in CONDITIONS)
    version = client.metadata()["model_spec"].get("version", "")
    name = f"{host_port}/{args.model_name}/{version}"
    return AskedModel(name, conditional, lambda: ServedRenderer(client), client.slots() if conditional else SLOTS)


def read_plan(args: argparse.Namespace, model: AskedModel) -> Plan:
    """Which pictures are asked for; raises `UserError` for mistakes, but for those in pictures of articles."""
    if args.sheet and not args.out_dir:
        raise UserError("--sheet: belongs to --out-dir")
    if not model.conditional:
        if any(getattr(args, option) for option in CONDITIONS):
            options = ", ".join(f"--{option}" for option in CONDITIONS)
            raise UserError(f"{model.name} is an unconditional model: it draws from seeds alone; leave out {options}")
        if args.show_conditions:
            raise UserError(f"--show-conditions: {model.name} is an unconditional model, which has none")
        return Plan(None, [], args.seeds)
    outfits = [*_single_outfits(args, model), *_listed_outfits(args, model)]
    if not outfits:
        raise UserError(f"{model.name} is a conditional model: --outfit is required")
    poses = [(_stem(pose), outfit_request.read_pose(pose)) for pose in args.pose]
    if args.poses:
        poses += load_poses(args.poses)
    return Plan(outfits, poses, args.seeds)


def _single_outfits(args: argparse.Namespace, model: AskedModel) -> Iterator[NamedOutfit]:
    """Those of --outfit: few, and read at once, so that a mistake is reported before the model is loaded."""
    for text in args.outfit:
        outfit = outfit_request.read_request(text, model.condition_size, slots=model.slots)
        outfit = outfit.edited(args.add, args.remove, model.slots)
        if not (args.pose or args.poses):
            outfit.checked()
        yield _stem(text), functools.partial(_known, outfit)


def _known(outfit: Request) -> Request:
    return outfit


def _listed_outfits(args: argparse.Namespace, model: AskedModel) -> Iterator[NamedOutfit]:
    """Those of --outfits: thousands maybe, whose articles are read when it is their turn, and maybe in another process."""
    if not args.outfits:
        return
    add = [f"{slot}={Path(file).absolute()}" for slot, file in (parse_article(text, model.slots) for text in args.add)]
    for name, outfit in load_outfits(args.outfits, model.slots):
        yield name, functools.partial(_read_listed, name, outfit, add, args.remove, model.slots)


def _read_listed(name: str, outfit: Outfit, add: list[str], remove: list[str], slots: Sequence[str]) -> Request:
    return outfit_request.read_articles(name, outfit).edited(add, remove, slots)


def _stem(text: str) -> str:
    """What a file of an outfit or a pose, or an entry DATA:ID, is called."""
    return Path(text).name.removesuffix(".json")
