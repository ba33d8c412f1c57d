"""A folder of pictures, and index.jsonl, which has a line for each: its file, and what it was drawn from.

A line is written after its file. So what has a line and is whole need not be drawn again, whenever an earlier call ended.
"""

import json
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
        self._lines = _read_index(path / INDEX)

    def has(self, line: Line) -> bool:
        """Whether the picture of a line of the index is there, drawn from what the line says."""
        return self._lines.get(line["file"]) == line and _is_whole(self.path / line["file"])

    def add(self, pictures: list[tuple[Line, Image.Image]]) -> None:
        """Writes some pictures, then their lines."""
        with ThreadPoolExecutor(_WRITERS) as threads:
            list(threads.map(lambda item: save_whole(item[1], self.path / item[0]["file"], compress_level=1), pictures))
        with open(self.path / INDEX, "a", encoding="utf-8") as index:
            index.writelines(_text(line) for line, _ in pictures)
        self._lines |= {line["file"]: line for line, _ in pictures}

    def finish(self, files: Iterable[str]) -> None:
        """Writes the index in the order of these files, those of earlier calls behind them; a file has one line."""
        order = dict.fromkeys([*files, *self._lines])
        write_whole(self.path / INDEX, "".join(_text(self._lines[file]) for file in order if file in self._lines))


def _text(line: Line) -> str:
    return json.dumps(line) + "\n"


def _read_index(path: Path) -> dict[str, Line]:
    """The last line of each file, by its name; what a kill cut off is left out, and removed from the file."""
    lines: dict[str, Line] = {}
    if not path.exists():
        return lines
    for text in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            line = json.loads(text)
            lines[line["file"]] = line
        except (ValueError, TypeError, KeyError):
            continue
    write_whole(path, "".join(map(_text, lines.values())))
    return lines


def _is_whole(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            file.seek(-len(_PNG_END), 2)
            return file.read() == _PNG_END
    except OSError:  # It is missing, or shorter than that.
        return False
