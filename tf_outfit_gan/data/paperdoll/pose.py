"""Poses: a skeleton in three dimensions, turned, seen from slightly above, with its feet on the ground.

Keypoints follow MPII-16. Angles are in degrees; an abduction lifts a limb sideways away from the body, a flexion lifts
it forwards. Index 0 of a pair is the person's right side, 1 the left.
"""

import math
from dataclasses import dataclass

import numpy as np

# MPII-16 by side: (right, left).
ANKLE, KNEE, HIP = (0, 5), (1, 4), (2, 3)
WRIST, ELBOW, SHOULDER = (10, 15), (11, 14), (12, 13)
PELVIS, THORAX, UPPER_NECK, HEAD_TOP = 6, 7, 8, 9
SIGN = (-1, 1)

PITCH = math.sin(math.radians(6))  # How far what is nearer to the camera lies lower in the picture.

# Legs: (abduction, flexion, the knee's bend, the shin's abduction besides the thigh's) of the standing and of the other
# leg, and the odds of the stance.
STANCES = {
    "straight": (((3.5, 0, 1, -1), (3.5, 2, 2, -1)), 0.18),
    "contrapposto": (((-1, 0, 0, -1), (9, 14, 24, 1)), 0.28),
    "wide": (((9, 0, 1, 0), (10, 2, 3, 0)), 0.14),
    "step": (((1, 16, 3, -1), (1, -12, 16, 0)), 0.18),
    "crossed": (((-2, -2, 0, 1), (-8, 10, 7, -3)), 0.10),
    "knee_in": (((2, 0, 0, 0), (-4, 18, 34, 11)), 0.12),
}
# How an arm is held, and how often.
GESTURES = {
    "relaxed": 0.30,
    "swing": 0.12,
    "hip": 0.19,
    "across": 0.08,
    "raised": 0.05,
    "out": 0.08,
    "pocket": 0.08,
    "chest": 0.06,
    "behind_head": 0.04,
}


@dataclass(frozen=True)
class Pose:
    """What `solve` needs to place the joints; the standard pose is that of an article laid flat."""

    yaw: float = 0.0
    hip_roll: float = 0.0  # Positive lifts the person's right hip.
    shoulder_roll: float = 0.0
    lean: float = 0.0
    head_tilt: float = 0.0
    head_yaw: float = 0.0
    legs: tuple = ((4, 0, 0, 0), (4, 0, 0, 0))
    toes: tuple = (18.0, 18.0)  # How far each foot points outwards.
    gestures: tuple = ("flat", "flat")
    jitters: tuple = ((0.5, 0.5), (0.5, 0.5))  # Each arm's variation, 0 to 1.


def choose(chance, odds):
    """Returns the key of {key: odds} that `chance` in [0, 1) falls on."""
    chance *= sum(odds.values())
    for key, share in odds.items():
        chance -= share
        if chance < 0:
            return key
    return key


def draw_pose(rng):
    """Draws a pose; the number of draws is always the same, whatever comes out."""
    chance = rng.random(24).tolist()
    stance = choose(chance[0], {name: odds for name, (_, odds) in STANCES.items()})
    standing = int(chance[1] < 0.5)
    yaw = (0.3 if chance[2] < 0.35 else 1.0) * 50 * (2 * chance[3] - 1)
    gestures = [choose(chance[4], GESTURES), choose(chance[5], GESTURES)]
    roll, shoulders, lean, tilt, look = chance[6:11]
    wiggle = np.reshape(chance[11:19], (2, 4)) * 2 - 1
    legs = (np.array(STANCES[stance][0]) + wiggle * (1.5, 3, 3, 1)).tolist()
    # The hip over the standing leg rises, the shoulder over it sinks.
    lifts = {"contrapposto": 3 + 4 * roll, "knee_in": 2 + 3 * roll, "crossed": 2 + 2 * roll}
    lift = -SIGN[standing] * lifts.get(stance, 1.5 * roll - 0.75)
    # An arm on the far side of a turned body does not cross it.
    for i, sign in enumerate(SIGN):
        if sign * yaw > 14 and gestures[i] in ("across", "chest", "behind_head"):
            gestures[i] = "relaxed"
    if gestures[0] == gestures[1] and gestures[0] in ("across", "chest", "raised", "out"):
        gestures[1] = "relaxed"
    return Pose(
        yaw=yaw,
        hip_roll=lift,
        shoulder_roll=-lift * (0.2 + 0.6 * shoulders),
        lean=3 * (2 * lean - 1),
        head_tilt=6 * (2 * tilt - 1),
        head_yaw=0.5 * yaw + 14 * (2 * look - 1),
        legs=tuple(legs if standing == 0 else legs[::-1]),
        toes=(12 + 22 * chance[19], 12 + 22 * chance[20]),
        gestures=tuple(gestures),
        jitters=tuple(map(tuple, rng.random((2, 2)).tolist())),
    )


def _direction(abduction, flexion, sign):
    a, f = math.radians(abduction), math.radians(flexion)
    return np.array([sign * math.sin(a), math.cos(a) * math.cos(f), math.cos(a) * math.sin(f)])


def _reach(shoulder, target, upper, fore, pole):
    """Returns elbow and wrist of an arm whose hand reaches for a target; its elbow points to the pole."""
    span = target - shoulder
    length = math.sqrt(span @ span)
    distance = min(max(length, abs(upper - fore) + 0.01), 0.995 * (upper + fore))
    span = span / length
    along = (distance**2 + upper**2 - fore**2) / (2 * distance)
    aside = pole - span * (pole @ span)
    elbow = shoulder + along * span + math.sqrt(max(upper**2 - along**2, 0) / (aside @ aside)) * aside
    return elbow, shoulder + distance * span


def _arm(gesture, jitter, sign, shoulder, thorax, head_top, body):
    """Returns elbow and wrist in the body's own frame, whose origin is the pelvis."""
    upper, fore = 0.53 * body.arm, 0.47 * body.arm
    j, k = jitter

    def swung(first, second):
        elbow = shoulder + upper * _direction(*first, sign)
        return elbow, elbow + fore * _direction(*second, sign)

    def reached(x, y, z, pole):
        return _reach(shoulder, np.array([sign * x, y, z]), upper, fore, np.array([sign * pole[0], *pole[1:]]))

    if gesture == "flat":
        return swung((17, 0), (11, 0))
    if gesture == "relaxed":
        return swung((9 + 8 * j, -4 + 6 * k), (5 + 7 * j, 8 + 10 * k))
    if gesture == "swing":
        forward = 26 * (2 * k - 1)
        return swung((8 + 6 * j, forward), (7 + 5 * j, forward + 16 + 16 * j))
    if gesture == "hip":
        return reached(body.hips + 0.006, -0.055 - 0.04 * j, 0.025, (1, 0, -0.6 + 0.8 * k))
    if gesture == "across":
        return reached(0.01 - 0.05 * j, -0.08 - 0.06 * k, 0.10, (0.9, 0.6, -0.2))
    if gesture == "raised":
        return swung((100 + 35 * j, 8), (150 + 25 * k, 10))
    if gesture == "out":
        return swung((26 + 24 * j, 5), (18 + 40 * k, 14))
    if gesture == "pocket":
        return reached(body.hips + 0.004, 0.01 + 0.015 * j, 0.03, (1, 0, -0.9))
    if gesture == "chest":
        return reached(0.05 + 0.03 * j, thorax[1] + 0.05 + 0.05 * k, 0.09, (0.8, 0.7, 0.1))
    return reached(0.055, head_top[1] + 0.055 + 0.02 * j, -0.03, (1, -0.25, 0.1))  # behind_head


def solve(body, pose, heels=0.0):
    """Returns joints [16, 3] in body units (x, y as seen; a larger z is nearer), feet [2, 3] and their lifts [2].

    `feet` are the directions in which the toes point; a lift is how far an ankle is raised off the ground. `heels` is
    the height of the shoes' heels. The ground is at y = 0 below the lower foot; the middle of the hips has x = 0.
    """
    joints, feet = np.zeros((16, 3)), np.zeros((2, 3))
    angles = (pose.hip_roll, pose.shoulder_roll, pose.lean, pose.yaw)
    roll, shoulder_roll, lean, turn = (math.radians(angle) for angle in angles)
    tilt = math.radians(0.5 * pose.lean + pose.head_tilt)
    along_spine = np.array([math.sin(lean), -math.cos(lean), 0])
    upright = np.array([math.sin(tilt), -math.cos(tilt), 0.06])
    joints[THORAX] = body.torso * along_spine
    length = 1 - body.ANKLE - body.leg - body.torso
    joints[UPPER_NECK] = joints[THORAX] + 0.5 * (1 - body.rise) * length * (upright + along_spine + (0, 0, 0.1))
    joints[HEAD_TOP] = joints[UPPER_NECK] + body.rise * length * upright
    for i, sign in enumerate(SIGN):
        abduction, flexion, bend, aside = pose.legs[i]
        joints[HIP[i]] = sign * body.hip_joint * np.array([math.cos(roll), math.sin(roll), 0])
        joints[KNEE[i]] = joints[HIP[i]] + 0.50 * body.leg * _direction(abduction, flexion, sign)
        joints[ANKLE[i]] = joints[KNEE[i]] + 0.50 * body.leg * _direction(abduction + aside, flexion - bend, sign)
        across = np.array([math.cos(shoulder_roll), math.sin(shoulder_roll), 0])
        joints[SHOULDER[i]] = joints[THORAX] + sign * body.shoulder * across
        joints[ELBOW[i]], joints[WRIST[i]] = _arm(
            pose.gestures[i], pose.jitters[i], sign, joints[SHOULDER[i]], joints[THORAX], joints[HEAD_TOP], body
        )
        feet[i] = _direction(pose.toes[i], 90, sign)
    ankles = joints[list(ANKLE), 1]
    lifts = ankles.max() - ankles
    turned = np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]])
    joints, feet = joints @ turned.T, feet @ turned.T
    joints[:, 1] += PITCH * joints[:, 2]
    joints[:, 1] -= joints[list(ANKLE), 1].max() + body.ANKLE + heels
    return joints, feet, lifts
