"""Types of command-line arguments: the one place where their ranges are checked.

A type reads the text of an argument and returns its value; argparse puts the argument's name before the error of a type.
"""

import argparse
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tf_outfit_gan.sizes import parse_size
from tf_outfit_gan.slots import parse_slots
from tf_outfit_gan.util.errors import UserError

T = TypeVar("T")
Number = TypeVar("Number", int, float)


def argument_type(read: Callable[[str], T]) -> Callable[[str], T]:
    """Makes a type of a function of a text that raises `UserError`."""

    @functools.wraps(read)
    def read_argument(text: str) -> T:
        try:
            return read(text)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read_argument


def whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    """The type of a whole number from `least` to `most`."""
    return _number(int, f"a whole number {_range(least, most)}", lambda value: least <= value <= most)


def number(least: float, most: float = math.inf) -> Callable[[str], float]:
    """The type of a number from `least` to `most`."""
    return _number(float, f"a number {_range(least, most)}", lambda value: least <= value <= most)


def _range(least: float, most: float) -> str:
    return f"of {least} or more" if most == math.inf else f"from {least} to {most}"


def _number(kind: type[Number], expected: str, accepts: Callable[[Number], bool]) -> Callable[[str], Number]:
    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not -math.inf < value < math.inf or not accepts(value):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return read


above_zero = _number(float, "a number above 0", lambda value: value > 0)
positive = whole(1)
seed = whole(0, 2**31 - 1)
port = whole(0, 2**16 - 1)
size = argument_type(parse_size)
slots = argument_type(parse_slots)


def parse_seeds(text: str) -> list[int]:
    """Reads the seeds of pictures: "1,2,3" -> [1, 2, 3]. Raises `UserError`."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(-(2**63) <= value < 2**63 for value in found):
        raise UserError(f"expected integers of 64 bits separated by commas, such as 1,2,3, got {text!r}")
    return found


seeds = argument_type(parse_seeds)


def layers(text: str) -> tuple[int, int]:
    """Layers from 1, the last included, as a 0-based half-open range: "13-18" -> (12, 18), "3" -> (2, 3)."""
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"expected FIRST-LAST, from 1, such as 13-18, got {text!r}")
    return int(first) - 1, int(last)


def output_file(*suffixes: str) -> Callable[[str], Path]:
    """The type of a file to write, in an existing folder; its name ends in one of `suffixes`, if there are any."""

    def read(text: str) -> Path:
        path = Path(text)
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"{text}: no such folder {path.parent}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{text}: expected a file, found a folder")
        if suffixes and path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text}: expected a name that ends in {' or '.join(suffixes)}")
        return path

    return read
