"""The gate: which figures pass, what is said of those that do not, and which files are no gates."""

import json

import pytest

from tf_outfit_gan.metrics.figure import Figure
from tf_outfit_gan.metrics.gate import GateError, check_gate, read_gate
from tf_outfit_gan.util.errors import UserError

FIGURES = {
    "pose.pck": Figure(0.85, 0.95, 0.3),
    "articles.top.color": Figure(12.0, 0.0, 33.0, higher_is_better=False),
    "edits.top.ratio_outside": Figure(5.0, None, 1.4),
    "edits.bag.ratio_outside": Figure(None),
}


def test_standing_is_the_part_of_the_way_from_floor_to_ceiling():
    assert Figure(12.0, 0.0, 36.0).standing == pytest.approx(2 / 3)
    assert Figure(0.3, 0.95, 0.3).standing == 0 and Figure(0.95, 0.95, 0.3).standing == 1
    assert Figure(1.0, None, 0.0).standing is None and Figure(1.0, 2.0, 2.0).standing is None


def passes(name, **demand):
    try:
        check_gate({name: demand}, FIGURES)
    except GateError:
        return False
    return True


def test_what_passes():
    assert passes("pose.pck", at_least=0.85) and not passes("pose.pck", at_least=0.86)
    assert passes("pose.pck", of_ceiling=0.89) and not passes("pose.pck", of_ceiling=0.9)
    assert passes("articles.top.color", at_most=12) and not passes("articles.top.color", at_most=11.9)
    assert passes("articles.top.color", standing=0.63) and not passes("articles.top.color", standing=0.64)
    assert not passes("edits.top.ratio_outside", standing=0.1)  # It has none.
    assert not passes("edits.bag.ratio_outside", at_least=0) and not passes("pose.typo", at_least=0)
    assert passes("pose.pck", at_least=0.8, at_most=0.9) and not passes("pose.pck", at_least=0.8, at_most=0.81)


def test_all_that_fail_are_named():
    gate = {"pose.pck": {"at_least": 0.9}, "articles.top.color": {"at_most": 20}, "pose.typo": {"at_least": 1}}
    message = "pose.pck 0.85.*ceiling 0.95.*expected at least 0.9; pose.typo was not measured$"
    with pytest.raises(GateError, match=message):
        check_gate(gate, FIGURES)


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "expected JSON"),
        ("[]", "expected an object"),
        ('{"pose.pck": 0.8}', "pose.pck: expected an object of demands"),
        ('{"pose.pck": {}}', "pose.pck: expected an object of demands"),
        ('{"pose.pck": {"atleast": 1}}', "one of at_least, at_most, of_ceiling, standing and a number, found 'atleast': 1"),
        ('{"pose.pck": {"at_least": "1"}}', "found 'at_least': '1'"),
        ('{"pose.pck": {"at_least": true}}', "found 'at_least': True"),
    ],
)
def test_what_is_no_gate(tmp_path, content, message):
    (tmp_path / "gate.json").write_text(content)
    with pytest.raises(UserError, match="gate.json") as error:
        read_gate(tmp_path / "gate.json")
    assert message in str(error.value)


def test_a_gate_is_read(tmp_path):
    gate = {"pose.pck": {"of_ceiling": 0.9, "at_least": 1}}
    (tmp_path / "gate.json").write_text(json.dumps(gate))
    assert read_gate(tmp_path / "gate.json") == gate
    with pytest.raises(UserError, match="No such file"):
        read_gate(tmp_path / "no.json")
