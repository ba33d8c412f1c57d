"""Draws the pictures of a plan that a folder lacks: in this process, or shared out by Apache Beam.

A worker of Beam's draws a part of the plan at a time, and loads the model once. It finds the snapshot, the articles and the
folder of pictures where the launching machine finds them: on a file system that they share.
"""

import dataclasses
import functools
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from PIL import Image

from tf_outfit_gan.rendering.draw import BatchRenderer, draw
from tf_outfit_gan.rendering.picture_folder import Line, PartOfFolder, PictureFolder
from tf_outfit_gan.rendering.plan import Picture, Plan
from tf_outfit_gan.util.beam import share_out
from tf_outfit_gan.viz.conditions import beside_conditions
from tf_outfit_gan.viz.montage import scaled

_PART = 256  # Pictures: some batches, and little that is lost with a worker.
_loading = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Drawing:
    """How pictures are drawn.

    Attributes:
        open: loads the model; for Beam, `pickle` can write it.
        slots: of the model.
        settings: what the index says of each picture beside its own place: "psi", "scale", "conditions" and others.
    """

    open: Callable[[], BatchRenderer]
    slots: Sequence[str]
    settings: Line

    def shown(self, picture: Picture, image: Image.Image) -> Image.Image:
        """A picture as its file has it."""
        image = scaled(image, self.settings["scale"])
        return beside_conditions(image, picture.request, self.slots) if self.settings["conditions"] else image


def draw_missing(folder: PictureFolder, plan: Plan, drawing: Drawing, advance: Callable[..., None]) -> dict[str, Line]:
    """Draws what the folder lacks.

    Args:
        advance: is called with the number of pictures that are done.

    Returns:
        The lines of the pictures that are asked for, by file, with those of pictures that could not be drawn: see `plan.faults`.
    """
    lines: dict[str, Line] = {}

    def missing() -> Iterator[Picture]:
        for picture in plan.pictures():
            inputs = picture.request.checksum() if picture.request else None
            asked = {"file": picture.file, "outfit": picture.outfit, "pose": picture.pose, "seed": picture.seed}
            lines[picture.file] = asked | drawing.settings | {"inputs": inputs}
            if folder.has(lines[picture.file]):
                advance(1)
            else:
                yield picture

    todo = missing()
    if first := next(todo, None):  # Nothing is missing from a folder that is whole: then no model is loaded.
        for batch in draw(drawing.open(), chain([first], todo), drawing.settings["psi"], plan.faults):
            folder.add([(lines[picture.file], drawing.shown(picture, Image.fromarray(pixels))) for picture, pixels in batch])
            advance(len(batch))
    return lines


def draw_missing_on_beam(folder: PictureFolder, plan: Plan, drawing: Drawing, options: Sequence[str]) -> dict[str, Line]:
    """`draw_missing` by Beam's workers.

    Args:
        plan: its outfits' functions can be pickled, and name files by absolute paths.
        options: Beam's own, see `share_out`, whose errors this raises. The counter "render: pictures" shows the progress.
    """
    place = folder.path.absolute()

    def tasks() -> Iterator[tuple]:
        for part in plan.parts(_PART):
            yield place, {file: folder.lines[file] for file in part.files() if file in folder.lines}, part, drawing

    lines: dict[str, Line] = {}
    for asked, found, faults in share_out(_draw_part, tasks(), place, options, counter=("render", "pictures")):
        lines |= asked
        folder.lines |= found
        plan.faults += [fault for fault in faults if fault not in plan.faults]  # An outfit may be in several parts.
    return lines


def _draw_part(task: tuple, advance: Callable[..., None]) -> tuple[dict[str, Line], dict[str, Line], list[str]]:
    """What a worker of Beam's does: returns the lines asked for, the lines there are now, and the faults."""
    place, found, plan, drawing = task
    folder, opened = PartOfFolder(place, found), functools.partial(_opened, pickle.dumps(drawing.open))
    asked = draw_missing(folder, plan, dataclasses.replace(drawing, open=opened), advance)
    return asked, folder.lines, plan.faults


def _opened(function: bytes) -> BatchRenderer:
    with _loading:  # Several threads of a worker begin with a part at the same time.
        return _open_once(function)


@functools.lru_cache(maxsize=1)
def _open_once(function: bytes) -> BatchRenderer:
    return pickle.loads(function)()
