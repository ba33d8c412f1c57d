/** Sixteen joints, MPII order, as [x in widths, y in heights, 1 = there]: how they hang together and move. */

export const JOINTS = [
  "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
  "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
];
export const PARENTS = [1, 2, 6, 6, 3, 4, 6, 6, 7, 8, 11, 12, 7, 7, 13, 14];
export const BONES = PARENTS.map((parent, joint) => [joint, parent]).filter(([joint, parent]) => joint !== parent);
const MIRRORED = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10];

/** The person's side that a joint is of: "right", "left" or "middle". */
export const sideOf = (joint) => JOINTS[joint].match(/^(right|left)/)?.[0] ?? "middle";

/** A pose of a file: {"points", "size"} in pixels of a picture, or a file with such "keypoints". */
export function readPose(file) {
  const { points, size, format = "mpii16" } = file.keypoints ?? file;
  const good = Array.isArray(points) && points.length === 16 && points.every((point) => point.length === 3) && size?.length === 2;
  if (!good || format !== "mpii16") throw new Error("expected 16 points in the mpii16 format, and the size of their picture");
  const [height, width] = size;
  return points.map(([x, y, there]) => [x / width, y / height, there > 0 ? 1 : 0]);
}

/** The content of a pose's file, which `outfit-gan render --pose` reads, for pictures of a [height, width]. */
export function writePose(pose, [height, width]) {
  // Small pictures have few pixels; the size of a file is only what its points are measured in.
  const scale = Math.max(1, Math.ceil(1024 / height));
  const size = [height * scale, width * scale];
  const points = pose.map(([x, y, there]) => [round(x * size[1]), round(y * size[0]), there]);
  return JSON.stringify({ format: "mpii16", points, size });
}

const round = (value) => Math.round(value * 100) / 100;

/** A pose turned left to right. */
export const mirrored = (pose) => MIRRORED.map((joint) => [1 - pose[joint][0], pose[joint][1], pose[joint][2]]);

/** The joints that hang from a joint, itself included. */
export function hanging(joint) {
  if (joint === 6) return JOINTS.map((_, i) => i);
  return JOINTS.map((_, i) => i).filter((i) => {
    for (let at = i; at !== 6; at = PARENTS[at]) if (at === joint) return true;
    return false;
  });
}

/**
 * Moves a joint to a place and returns the new pose.
 *
 * Bones keep their lengths: a wrist or an ankle bends its elbow or knee, an elbow or a knee swings around its parent, all
 * others carry what hangs from them. With `free` the joint moves alone, and its bones stretch. `aspect` is width / height.
 */
export function moveJoint(pose, joint, [x, y], aspect, free = false) {
  const next = pose.map((point) => [...point]);
  const target = [clamp(x), clamp(y)];
  if (free) {
    next[joint].splice(0, 2, ...target);
    return next;
  }
  const place = (i) => [pose[i][0] * aspect, pose[i][1]];
  const put = (i, [px, py]) => next[i].splice(0, 2, px / aspect, py);
  const goal = [target[0] * aspect, target[1]];
  const parent = PARENTS[joint];
  const name = JOINTS[joint];
  if (/wrist|ankle/.test(name)) {
    const root = PARENTS[parent];
    const [middle, end] = bend(place(root), place(parent), place(joint), goal);
    put(parent, middle);
    put(joint, end);
    return next;
  }
  const swings = /elbow|knee|head/.test(name);
  const end = swings ? toward(place(parent), goal, distance(place(parent), place(joint))) : goal;
  const shift = [end[0] - place(joint)[0], end[1] - place(joint)[1]];
  for (const i of hanging(joint)) put(i, [place(i)[0] + shift[0], place(i)[1] + shift[1]]);
  return next;
}

/** Two bones of fixed length that reach for a goal: the places of the middle joint and the end, bent to the same side. */
function bend(root, middle, end, goal) {
  const upper = distance(root, middle), lower = distance(middle, end);
  const span = Math.min(Math.max(distance(root, goal), Math.abs(upper - lower) + 1e-4), upper + lower - 1e-4);
  const reached = toward(root, goal, span);
  const along = (span ** 2 + upper ** 2 - lower ** 2) / (2 * span);
  const aside = Math.sqrt(Math.max(upper ** 2 - along ** 2, 0));
  const [ux, uy] = [(reached[0] - root[0]) / span, (reached[1] - root[1]) / span];
  const turn = (end[0] - root[0]) * (middle[1] - root[1]) - (end[1] - root[1]) * (middle[0] - root[0]);
  const side = turn < 0 ? -1 : 1;
  return [[root[0] + along * ux - side * aside * uy, root[1] + along * uy + side * aside * ux], reached];
}

function toward(from, to, length) {
  const span = distance(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * length) / span, from[1] + ((to[1] - from[1]) * length) / span];
}

export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const clamp = (value) => Math.min(Math.max(value, 0), 1);
