"""A posed figure in its picture: the coordinate systems that body parts and garments are drawn in.

Garments use nothing else, so that they follow every pose, and so that a packshot is the same garment on a figure whose
pose is that of cloth laid flat.
"""

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.geometry import Limb, Warp, unit_vector


class Torso:
    """Places on the trunk: x in body units across (the person's left is positive), t along from shoulders 0 to hips 1.

    t < 0 goes up the neck, t > 1 hangs down below the hips.
    """

    DEPTH = 0.62  # Of the trunk's cross-section, in parts of its width.

    def __init__(self, joints, body, unit, yaw):
        self.unit, self.body = unit, body
        self.thorax, self.pelvis, self.neck = joints[p.THORAX], joints[p.PELVIS], joints[p.UPPER_NECK]
        self.shoulder_axis = unit_vector(joints[p.SHOULDER[1]] - joints[p.SHOULDER[0]])
        self.hip_axis = unit_vector(joints[p.HIP[1]] - joints[p.HIP[0]])
        cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
        self.cos, self.sin = cos, sin
        self.squeeze = np.hypot(cos, self.DEPTH * sin)  # What turning leaves of the silhouette's width.
        self.length = np.hypot(*(self.pelvis - self.thorax))
        self.up = unit_vector(self.neck - self.thorax)

    def _spine(self, t):
        t = t[:, None]
        # A Hermite curve that leaves the shoulder line and meets the hip line at right angles.
        start = np.array([-self.shoulder_axis[1], self.shoulder_axis[0]]) * self.length
        end = np.array([-self.hip_axis[1], self.hip_axis[0]]) * self.length
        c = np.clip(t, 0, 1)
        inside = ((1 + 2 * c) * (1 - c) ** 2 * self.thorax + c * (1 - c) ** 2 * start
                  + c**2 * (3 - 2 * c) * self.pelvis - c**2 * (1 - c) * end)
        below = np.maximum(t - 1, 0) * (0.5 * end + 0.5 * np.array([0, self.length]))
        above = np.maximum(-t, 0) * self.length * self.up
        return inside + below + above

    def _across(self, t):
        c = np.clip(t, 0, 1)[:, None]
        axis = (1 - c) * self.shoulder_axis + c * self.hip_axis
        # Cloth that hangs below the hips levels out.
        level = np.clip(t - 1, 0, 1)[:, None]
        axis = (1 - level) * axis + level * np.array([1.0, 0.0])
        return axis / np.hypot(axis[:, 0], axis[:, 1])[:, None]

    def at(self, x, t):
        """Returns points [N, 2] of the silhouette's plane."""
        x, t = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
        return self._spine(t) + (self.unit * self.squeeze * x)[:, None] * self._across(t)

    def front(self, x, t, depth=1.0):
        """Returns points [N, 2] on the front of the body, which turns with it; depth 0 lies in its middle plane."""
        x, t, depth = np.broadcast_arrays(*(np.asarray(a, float) for a in (x, t, depth)))
        half = 1.06 * self.body.chest
        bulge = np.sqrt(np.maximum(1 - (x / half) ** 2, 0)) * depth * self.DEPTH * half
        return self._spine(t) + (self.unit * (x * self.cos + bulge * self.sin))[:, None] * self._across(t)

    def warp(self):
        """Returns the texture coordinates of cloth on the trunk: u from the shoulder line, v from the middle."""
        joints = np.stack([self.thorax, self.at([0], [0.6])[0], self.at([0], [1.0])[0], self.at([0], [2.0])[0]])
        return Warp(joints, self.unit, self.squeeze)


class Figure:
    """Joints [16, 2] in picture heights, the torso, and limbs by side (0 right, 1 left)."""

    def __init__(self, body, pose, heels=0.0, height=1.0, place=None):
        self.body, self.pose, self.heels = body, pose, heels
        joints, self.feet, self.lifts = p.solve(body, pose, heels)
        self.depths = joints[:, 2]
        reach = self._fit(joints, body, height, place) if place else (1.0, np.zeros(2))
        self.unit, shift = reach
        self.joints = joints[:, :2] * self.unit + shift
        self.yaw = pose.yaw
        self.torso = Torso(self.joints, body, self.unit, pose.yaw)
        self.arms = [self._limb(i, (p.SHOULDER, p.ELBOW, p.WRIST), body.arm_radii()) for i in (0, 1)]
        self.legs = [self._limb(i, (p.HIP, p.KNEE, p.ANKLE), body.leg_radii()) for i in (0, 1)]
        # The arms that pass behind the trunk: those of the far side, and hands behind the head.
        self.behind = [self._is_behind(i) for i in (0, 1)]
        self.far_leg = int(self.depths[p.ANKLE[1]] < self.depths[p.ANKLE[0]])
        self.near = int(np.sin(np.radians(pose.yaw)) < 0)

    def _limb(self, i, chain, radii):
        return Limb(self.joints[[joint[i] for joint in chain]], self.unit, p.SIGN[i], radii)

    def _is_behind(self, i):
        if self.pose.gestures[i] in ("behind_head", "raised"):
            return True
        return self.depths[p.ELBOW[i]] + self.depths[p.WRIST[i]] < -0.06

    @staticmethod
    def _fit(joints, body, height, place):
        """Returns scale and shift that stand the figure on `place` (x of its middle, y of the ground), inside the picture."""
        hands = 0.085  # A hand reaches beyond its wrist.
        wrists = joints[[*p.WRIST, *p.ELBOW]]
        left, right = min(wrists[:, 0].min() - hands, -0.13), max(wrists[:, 0].max() + hands, 0.13)
        top = min(wrists[:, 1].min() - hands, joints[p.HEAD_TOP, 1] - 0.035)
        unit = min(height, (place[1] - 0.025) / -top, 0.70 / (right - left))
        middle = 0.35 * (left + right) / 2 + 0.65 * joints[p.HEAD_TOP, 0] * 0.5
        x = np.clip(place[0] - middle * unit, 0.02 - left * unit, 0.73 - right * unit)
        return unit, np.array([x, place[1]])

    def keypoints(self, size):
        """Returns [16, 3]: x and y in pixels of a picture of `size` (height, width), and 1 where the point lies in it."""
        height, width = size
        points = np.concatenate([self.joints * height, np.ones((16, 1))], axis=1)
        inside = (points[:, 0] >= 0) & (points[:, 0] <= width) & (points[:, 1] >= 0) & (points[:, 1] <= height)
        points[:, 2] = inside
        return points


def laid_flat():
    """Returns the figure that packshots are built on."""
    return Figure(Body(), p.Pose())
