"""Types of command-line arguments: what they read, and what they refuse."""

import argparse
from pathlib import Path

import pytest

from tf_outfit_gan.cli import arguments


@pytest.mark.parametrize(
    "read, text, expected",
    [
        (arguments.positive, "7", 7),
        (arguments.whole(0, 3), "3", 3),
        (arguments.whole(0, 3), "0", 0),
        (arguments.number(0, 2), "0.5", 0.5),
        (arguments.number(0, 2), "2", 2.0),
        (arguments.above_zero, "1e-3", 0.001),
        (arguments.port, "65535", 65535),
        (arguments.size, "1024x768", (1024, 768)),
        (arguments.seeds, "1,-2, 3", [1, -2, 3]),
        (arguments.layers, "13-18", (12, 18)),
        (arguments.layers, "3", (2, 3)),
        (arguments.output_file(".png"), "picture.PNG", Path("picture.PNG")),
    ],
)
def test_values(read, text, expected):
    assert read(text) == expected and type(read(text)) is type(expected)


@pytest.mark.parametrize(
    "read, text, message",
    [
        (arguments.positive, "0", "expected a whole number of 1 or more, got '0'"),
        (arguments.positive, "1.5", "expected a whole number of 1 or more, got '1.5'"),
        (arguments.seed, str(2**31), f"expected a whole number from 0 to {2**31 - 1}"),
        (arguments.port, "65536", "from 0 to 65535"),
        (arguments.number(0, 2), "2.1", "expected a number from 0 to 2, got '2.1'"),
        (arguments.number(0), "nan", "expected a number of 0 or more, got 'nan'"),
        (arguments.above_zero, "0", "expected a number above 0, got '0'"),
        (arguments.above_zero, "inf", "expected a number above 0, got 'inf'"),
        (arguments.size, "1024", "expected HEIGHTxWIDTH"),
        (arguments.seeds, "1,", "expected integers of 64 bits separated by commas"),
        (arguments.seeds, "1.5", "expected integers of 64 bits"),
        (arguments.seeds, str(2**63), "expected integers of 64 bits"),
        (arguments.layers, "0-2", "expected FIRST-LAST, from 1"),
        (arguments.layers, "3-2", "expected FIRST-LAST, from 1"),
        (arguments.layers, "low", "expected FIRST-LAST, from 1, such as 13-18, got 'low'"),
        (arguments.output_file(), "nowhere/file", "nowhere/file: no such folder nowhere"),
        (arguments.output_file(), ".", "expected a file, found a folder"),
        (arguments.output_file(".png", ".jpg"), "picture.gif", "expected a name that ends in .png or .jpg"),
    ],
)
def test_refusals(read, text, message):
    with pytest.raises(argparse.ArgumentTypeError) as error:
        read(text)
    assert message in str(error.value)
