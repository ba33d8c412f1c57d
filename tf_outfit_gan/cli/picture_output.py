"""Draws what `render` and `request` are asked for, and writes it: one picture, a grid, or a folder of pictures."""

import argparse
from itertools import islice

import numpy as np
from PIL import Image

from tf_outfit_gan.cli.picture_arguments import SHEET, SHEET_PICTURES, AskedModel
from tf_outfit_gan.outfit_request import check_psi
from tf_outfit_gan.rendering.draw import draw
from tf_outfit_gan.rendering.missing import Drawing, draw_missing, draw_missing_on_beam
from tf_outfit_gan.rendering.picture_folder import PictureFolder
from tf_outfit_gan.rendering.plan import Picture, Plan
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from tf_outfit_gan.viz.montage import MIN_HEIGHT, enlarged, montage, save_whole, scaled

SHEET_COLUMNS = 16  # Of a contact sheet, where an outfit has more pictures than that.


def draw_all(args: argparse.Namespace, model: AskedModel, plan: Plan, smallest: bool) -> list[tuple[Picture, Image.Image]]:
    """All pictures of a plan as they are shown, without conditions; raises `UserError` if one cannot be drawn.

    Args:
        smallest: without --scale, leave small pictures as they are.
    """
    psi, found = check_psi(args.psi, model.conditional), []
    with progress("render", len(plan), "pictures", args.quiet) as advance:
        for batch in draw(model.open(), plan.pictures(), psi, plan.faults):
            found += [(picture, _shown(pixels, args, smallest)) for picture, pixels in batch]
            advance(len(batch))
    if plan.faults:
        raise UserError(plan.faults[0])
    return found


def write_folder(args: argparse.Namespace, model: AskedModel, plan: Plan, beam: list[str] | None = None) -> None:
    """Draws the pictures of a plan that --out-dir lacks, and writes its index, and the contact sheet if it is asked for.

    Args:
        beam: options of Apache Beam, whose workers then draw; None = this process draws.

    Raises:
        UserError: in the end, when some could not be drawn.
    """
    plan.check_names()
    folder, psi = PictureFolder(args.out_dir), check_psi(args.psi, model.conditional)
    edits = {name: value for name, value in (("add", args.add), ("remove", args.remove)) if value}
    settings = {"psi": psi, "model": model.name, "scale": args.scale or 1, "conditions": args.show_conditions, **edits}
    drawing = Drawing(model.open, model.slots, settings)
    if beam is not None:
        lines = draw_missing_on_beam(folder, plan, drawing, beam)
    else:
        with progress("render", len(plan), "pictures", args.quiet) as advance:
            lines = draw_missing(folder, plan, drawing, advance)
    folder.finish(lines)
    if args.sheet:
        _write_sheet(folder, [line for line in lines.values() if folder.has(line)], plan.pictures_per_outfit)
    print(args.out_dir)
    if plan.faults:
        raise UserError(f"left out of {args.out_dir}: {len(plan.faults)} outfits or pictures; first: {plan.faults[0]}")


def _shown(pixels: np.ndarray, args: argparse.Namespace, smallest: bool) -> Image.Image:
    image = Image.fromarray(pixels)
    if args.scale or not smallest:
        image = scaled(image, args.scale) if args.scale else enlarged(image)
    return image


def _write_sheet(folder: PictureFolder, lines: list[dict], columns: int) -> None:
    """A row an outfit, where its pictures fit into one."""
    cells = []
    for line in islice(lines, SHEET_PICTURES):
        image = enlarged(Image.open(folder.path / line["file"]))
        image.thumbnail((image.width, MIN_HEIGHT), Image.Resampling.LANCZOS)
        cells.append((image, line["file"].removesuffix(".png")))
    columns = min(columns, SHEET_COLUMNS)
    if cells:
        save_whole(montage([cells[start : start + columns] for start in range(0, len(cells), columns)]), folder.path / SHEET)
