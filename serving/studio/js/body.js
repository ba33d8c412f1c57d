/** The proportions of a body in a pose: measured, and changed one at a time. */

import { distance, hanging, JOINTS, PARENTS } from "./pose.js";

const SHORTEST = 1e-3; // In heights of the picture.
const joints = (...names) => names.map((name) => JOINTS.indexOf(name));
const [PELVIS, THORAX, HEAD] = joints("pelvis", "thorax", "head_top");
const SHOULDERS = joints("right_shoulder", "left_shoulder");
const HIPS = joints("right_hip", "left_hip");
const ARMS = joints("right_elbow", "left_elbow", "right_wrist", "left_wrist");
const LEGS = joints("right_knee", "left_knee", "right_ankle", "left_ankle");

/**
 * The parts that have a slider. A measure is in lengths of the torso, from thorax to pelvis, and so the same in a small and in a
 * large picture of a person; that of the figure is the torso in heights of the picture. `range` holds what people have, as seen
 * from the front: an arm that points at the camera is short.
 */
export const PARTS = {
  figure: { title: "Figure", range: [0.12, 0.32], joints: [THORAX, PELVIS] },
  shoulders: { title: "Shoulders", range: [0.3, 1.1], joints: SHOULDERS },
  hips: { title: "Hips", range: [0.15, 0.8], joints: HIPS },
  arms: { title: "Arms", range: [0.5, 2], bones: ARMS },
  legs: { title: "Legs", range: [0.8, 2.6], bones: LEGS },
  head: { title: "Head", range: [0.25, 0.8], bones: [HEAD] },
};

/**
 * The measure of a part; null where a joint for it is left out, or where it has no length in the picture, as shoulders that are
 * seen from the side. `aspect` is width / height of the picture.
 */
export function measure(pose, part, aspect) {
  const { joints: ends, bones } = PARTS[part];
  const needed = [THORAX, PELVIS, ...(ends ?? bones), ...(bones ?? []).map((joint) => PARENTS[joint])];
  if (!needed.every((joint) => pose[joint][2])) return null;
  const length = (a, b) => distance(place(pose[a], aspect), place(pose[b], aspect));
  const torso = length(THORAX, PELVIS);
  const sides = bones?.length > 1 ? 2 : 1; // Of one arm, of one leg.
  const own = ends ? length(...ends) : bones.reduce((total, joint) => total + length(joint, PARENTS[joint]), 0) / sides;
  if (torso < SHORTEST || own < SHORTEST) return null;
  return part === "figure" ? torso : own / torso;
}

/** The pose with another measure of a part; bones keep their directions, and what hangs from a joint moves with it. */
export function reshape(pose, part, value, aspect) {
  const factor = value / measure(pose, part, aspect);
  const { joints: ends, bones } = PARTS[part];
  const next = pose.map(([x, y, there]) => [x * aspect, y, there]);
  if (part === "figure") scaleAll(next, factor);
  else if (bones) for (const joint of bones) stretch(next, joint, PARENTS[joint], factor);
  else spread(next, ends, factor);
  return next.map(([x, y, there]) => [x / aspect, y, there]);
}

const place = ([x, y], aspect) => [x * aspect, y];

/** Scales all around the middle of the lowest joints, so that feet stay on the ground. */
function scaleAll(pose, factor) {
  const ground = Math.max(...pose.filter(([, , there]) => there).map(([, y]) => y));
  const middle = pose[PELVIS][0];
  for (const point of pose) {
    point[0] = middle + (point[0] - middle) * factor;
    point[1] = ground + (point[1] - ground) * factor;
  }
}

function stretch(pose, joint, parent, factor) {
  shift(pose, joint, (pose[joint][0] - pose[parent][0]) * (factor - 1), (pose[joint][1] - pose[parent][1]) * (factor - 1));
}

/** Moves two joints apart, or together, around the point between them. */
function spread(pose, [a, b], factor) {
  const [dx, dy] = [0, 1].map((axis) => ((pose[b][axis] - pose[a][axis]) * (factor - 1)) / 2);
  shift(pose, a, -dx, -dy);
  shift(pose, b, dx, dy);
}

function shift(pose, joint, dx, dy) {
  for (const i of hanging(joint)) {
    pose[i][0] += dx;
    pose[i][1] += dy;
  }
}
