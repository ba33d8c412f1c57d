"""A folder of pictures, and index.jsonl, which has a line for each: its file, and what it was drawn from.

A line is written after its file. So what has a line and is whole need not be drawn again, whenever an earlier call ended.
"""

import json
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from tf_outfit_gan.util.atomic import clear_partials, write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.montage import save_whole

INDEX = "index.jsonl"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_WRITERS = 8  # Threads: encoding leaves Python's lock, and the disk takes its time for each file.

Line = dict[str, Any]


class PictureFolder:
    """Writes pictures with their index, and knows those of earlier calls.

    Args:
        path: of the folder; made where it is missing.

    Attributes:
        lines: of the index, by file.

    Raises:
        UserError: when there can be no such folder, or its index cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path}: expected a folder ({error.strerror})") from None
        clear_partials(path)
        self.lines, self._index = _read_index(path), path / INDEX

    def has(self, line: Line) -> bool:
        """Whether the picture of a line of the index is there, drawn from what the line says."""
        return self.lines.get(line["file"]) == line and _is_whole(self.path / line["file"])

    def add(self, pictures: list[tuple[Line, Image.Image]]) -> None:
        """Writes some pictures, then their lines."""
        with ThreadPoolExecutor(_WRITERS) as threads:
            list(threads.map(lambda item: save_whole(item[1], self.path / item[0]["file"], compress_level=1), pictures))
        with open(self._index, "a", encoding="utf-8") as index:
            index.writelines(_text(line) for line, _ in pictures)
        self.lines |= {line["file"]: line for line, _ in pictures}

    def finish(self, files: Iterable[str]) -> None:
        """Writes the index in the order of these files, those of earlier calls behind them; a file has one line."""
        order = dict.fromkeys([*files, *self.lines])
        _write_index(self.path, [self.lines[file] for file in order if file in self.lines])


class PartOfFolder(PictureFolder):
    """A folder for a process that draws some of its pictures while others draw the rest.

    It has an index of its own, which ends in the common one when all are done, or when a `PictureFolder` is opened.

    Args:
        path: of the folder.
        lines: what is known of the pictures that are asked for.
    """

    def __init__(self, path: Path, lines: dict[str, Line]) -> None:
        self.path, self.lines, self._index = path, lines, path / f".{uuid.uuid4().hex}.{INDEX}"


def _text(line: Line) -> str:
    return json.dumps(line) + "\n"


def _read_index(folder: Path) -> dict[str, Line]:
    """The last line of each file, by its name; what a kill cut off is left out, and removed from the index."""
    lines: dict[str, Line] = {}
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in (*folder.glob(INDEX), *_parts(folder))]
    for text in "\n".join(texts).split("\n"):
        try:
            line = json.loads(text)
            lines[line["file"]] = line
        except (ValueError, TypeError, KeyError):
            continue
    if texts:
        _write_index(folder, lines.values())
    return lines


def _write_index(folder: Path, lines: Iterable[Line]) -> None:
    """Writes the index, which then has the lines of all parts."""
    parts = list(_parts(folder))
    write_whole(folder / INDEX, "".join(map(_text, lines)))
    for part in parts:
        part.unlink(missing_ok=True)


def _parts(folder: Path) -> Iterable[Path]:
    return folder.glob(f".*.{INDEX}")


def _is_whole(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            file.seek(-len(_PNG_END), 2)
            return file.read() == _PNG_END
    except OSError:  # It is missing, or shorter than that.
        return False
