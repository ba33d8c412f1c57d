"""A posed figure in its picture: the coordinate systems that body parts and garments are drawn in.

Garments use nothing else, so that they follow every pose, and so that a packshot is the same garment on a figure whose
pose is that of cloth laid flat.
"""

from functools import cache

import numpy as np

from tf_outfit_gan.data.paperdoll import pose as p
from tf_outfit_gan.data.paperdoll.body import Body
from tf_outfit_gan.data.paperdoll.geometry import Limb, Warp, blend, unit_vector


class Torso:
    """Places on the trunk: x in body units across (the person's left is positive), t along from shoulders 0 to hips 1.

    t < 0 goes up the neck, t > 1 hangs down below the hips.
    """

    DEPTH = 0.62  # Of the trunk's cross-section, in parts of its width.
    _T = np.linspace(-0.5, 2.3, 71)

    def __init__(self, joints, body, unit, yaw):
        self.unit, self.body = unit, body
        self.thorax, self.pelvis = joints[p.THORAX], joints[p.PELVIS]
        self.shoulder_axis = unit_vector(joints[p.SHOULDER[1]] - joints[p.SHOULDER[0]])
        self.hip_axis = unit_vector(joints[p.HIP[1]] - joints[p.HIP[0]])
        # Of a figure seen from behind, all that is said of its front holds for its back.
        self.faces = 1 if np.cos(np.radians(yaw)) > 0 else -1
        self.cos, self.sin = abs(np.cos(np.radians(yaw))), np.sin(np.radians(yaw))
        self.squeeze = np.hypot(self.cos, self.DEPTH * self.sin)  # What turning leaves of the silhouette's width.
        self.length = abs(self.pelvis - self.thorax)
        self.up = unit_vector(joints[p.UPPER_NECK] - self.thorax)
        self._spine, self._across = self._tabulate()

    def _tabulate(self):
        """Returns the center line and the direction across at the places t of `_T`."""
        t = self._T
        c = np.clip(t, 0, 1)
        # A Hermite curve that leaves the shoulder line and meets the hip line at right angles.
        down = 1j * self.faces * self.length
        start, end = down * self.shoulder_axis, down * self.hip_axis
        spine = (
            (1 + 2 * c) * (1 - c) ** 2 * self.thorax
            + c * (1 - c) ** 2 * start
            + c**2 * (3 - 2 * c) * self.pelvis
            - c**2 * (1 - c) * end
        )
        spine += np.maximum(t - 1, 0) * (0.5 * end + 0.5j * self.length) + np.maximum(-t, 0) * (self.length * self.up)
        # Cloth that hangs below the hips levels out.
        across = blend(blend(self.shoulder_axis, self.hip_axis, c), self.faces, np.clip(t - 1, 0, 1))
        return spine, across / abs(across)

    def at(self, x, t):
        """Returns the places of the silhouette's plane at x [N] and t [N] (or numbers)."""
        return np.interp(t, self._T, self._spine) + self.unit * self.squeeze * x * np.interp(t, self._T, self._across)

    def front(self, x, t, depth=1.0):
        """Returns places on the front of the body, which turns with it; at depth 0 they lie in its middle plane."""
        half = 1.06 * self.body.chest
        bulge = np.sqrt(np.maximum(1 - (x / half) ** 2, 0)) * depth * (self.DEPTH * half)
        across = self.unit * (x * self.cos + bulge * self.sin)
        return np.interp(t, self._T, self._spine) + across * np.interp(t, self._T, self._across)

    def warp(self):
        """Returns the texture coordinates of cloth on the trunk: u from the shoulder line, v from the middle."""
        joints = [self.thorax, *self.at(0.0, np.array([0.6, 1.0, 2.0])).tolist()]
        return Warp(joints, self.unit, self.squeeze)


class Figure:
    """Sixteen joints as places, the torso, and limbs by side (0 right, 1 left).

    Without a `place` (x of the middle and y of the ground, in picture heights) it stands at the origin, 1 high. A
    figure that is not `fine` leaves out shades, seams and fingers: small pictures show none, and are drawn by the
    thousand.
    """

    def __init__(self, body, pose, heels=0.0, height=1.0, place=None, fine=True):
        self.body, self.pose, self.heels, self.fine = body, pose, heels, fine
        joints, self.feet, self.lifts = p.solve(body, pose, heels)
        depths = joints[:, 2]
        self.unit, shift = _fit(joints, height, place) if place else (1.0, 0.0)
        self.joints = ((joints[:, 0] + 1j * joints[:, 1]) * self.unit + shift).tolist()
        self.torso = Torso(self.joints, body, self.unit, pose.yaw)
        self.faces = self.torso.faces  # 1 towards the camera, -1 away from it.
        self.arms = [self._limb(i, (p.SHOULDER, p.ELBOW, p.WRIST), body.arm_radii()) for i in (0, 1)]
        self.legs = [self._limb(i, (p.HIP, p.KNEE, p.ANKLE), body.leg_radii()) for i in (0, 1)]
        # The arms that pass behind the trunk: those of the far side, and hands behind the head.
        hidden = "behind_head" if self.faces > 0 else None
        self.behind = [pose.gestures[i] == hidden or depths[p.ELBOW[i]] + depths[p.WRIST[i]] < -0.06 for i in (0, 1)]
        self.far_leg = int(depths[p.ANKLE[1]] < depths[p.ANKLE[0]])
        self.near = int(np.sin(np.radians(pose.yaw)) < 0)

    def _limb(self, i, chain, radii):
        return Limb([self.joints[joint[i]] for joint in chain], self.unit, self.faces * p.SIGN[i], radii, self.fine)

    def keypoints(self, size, zoom=1.0, shift=0j):
        """Returns [16, 3]: x and y in pixels of a picture of `size` (height, width), and 1 for a point inside it.

        `zoom` and `shift` map the figure's places to the picture's, as a `Canvas` does.
        """
        height, width = size
        joints = (np.array(self.joints) * zoom + shift) * height
        inside = (joints.real >= 0) & (joints.real <= width) & (joints.imag >= 0) & (joints.imag <= height)
        return np.stack([joints.real, joints.imag, inside], axis=1)


def _fit(joints, height, place):
    """Returns scale and shift that stand a figure in its picture with all it holds, `height` high if there is room."""
    hands = 0.085  # A hand reaches beyond its wrist.
    arms = joints[[*p.WRIST, *p.ELBOW]]
    left, right = min(arms[:, 0].min() - hands, -0.13), max(arms[:, 0].max() + hands, 0.13)
    top = min(arms[:, 1].min() - hands, joints[p.HEAD_TOP, 1] - 0.035)
    unit = min(height, (place[1] - 0.025) / -top, 0.71 / (right - left))
    x = place[0] - 0.5 * (0.35 * (left + right) + 0.65 * joints[p.HEAD_TOP, 0]) * unit
    x = min(max(x, 0.02 - left * unit), 0.73 - right * unit)
    return unit, complex(x, place[1])


@cache
def laid_flat(fine):
    """Returns the figure that packshots are built on."""
    return Figure(Body(), p.Pose(), fine=fine)
