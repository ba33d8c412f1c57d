/** The skeleton over a picture: joints that mouse, touch and arrow keys drag. */

import { svg, title } from "./dom.js";
import { BONES, JOINTS, moveJoint, sideOf } from "./pose.js";

const HEIGHT = 1000; // Of the drawing's own units; its width follows from the picture's aspect.
const STEP = 0.01;

export class Skeleton {
  #handles = [];
  #bones = [];
  #focused = 10;

  /** `edited(pose, phase)` is called with "begin", "move" and "end" of a drag. */
  constructor(aspect, edited) {
    Object.assign(this, { aspect, edited, pose: null });
    this.#bones = BONES.map(([joint]) => svg("line", { class: `bone ${sideOf(joint)}` }));
    this.#handles = JOINTS.map((name, joint) =>
      svg(
        "g",
        {
          class: `joint ${sideOf(joint)}`,
          role: "button",
          "aria-roledescription": "joint",
          "aria-describedby": "joint-help",
          onpointerdown: (event) => this.#drag(event, joint),
          onkeydown: (event) => this.#key(event, joint),
          onfocus: () => this.#focus(joint),
          ondblclick: () => this.#toggle(joint),
        },
        svg("title", {}, title(name)),
        svg("circle", { class: "hit" }),
        svg("circle", { class: "dot" }),
      ),
    );
    this.element = svg(
      "svg",
      { class: "skeleton", viewBox: `0 0 ${HEIGHT * aspect} ${HEIGHT}`, role: "group", "aria-label": "Skeleton" },
      ...this.#bones,
      ...this.#handles,
    );
    new ResizeObserver(() => this.draw(this.pose)).observe(this.element);
  }

  draw(pose) {
    this.pose = pose;
    const unit = HEIGHT / (this.element.getBoundingClientRect().height || HEIGHT); // Drawing units of a screen's pixel.
    if (!pose) return;
    const place = ([x, y]) => [x * HEIGHT * this.aspect, y * HEIGHT];
    BONES.forEach(([joint, parent], i) => {
      const [[x1, y1], [x2, y2]] = [place(pose[joint]), place(pose[parent])];
      const there = pose[joint][2] && pose[parent][2];
      set(this.#bones[i], { x1, y1, x2, y2, "stroke-width": 2.5 * unit, visibility: there ? "visible" : "hidden" });
    });
    this.#handles.forEach((handle, joint) => {
      const [cx, cy] = place(pose[joint]);
      const [, hit, dot] = handle.children;
      set(hit, { cx, cy, r: 15 * unit });
      set(dot, { cx, cy, r: 5.5 * unit, "stroke-width": 2 * unit });
      handle.classList.toggle("absent", !pose[joint][2]);
      set(handle, { "aria-label": label(pose, joint), tabindex: joint === this.#focused ? 0 : -1 });
    });
  }

  #focus(joint) {
    this.#focused = joint;
    this.#handles.forEach((handle, i) => set(handle, { tabindex: i === joint ? 0 : -1 }));
  }

  #drag(event, joint) {
    if (event.button) return;
    event.preventDefault();
    const handle = this.#handles[joint];
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(event.pointerId);
    const begun = this.pose;
    const frame = this.element.getBoundingClientRect();
    const at = (e) => [(e.clientX - frame.left) / frame.width, (e.clientY - frame.top) / frame.height];
    const grip = at(event); // A joint keeps its distance from the finger that took it.
    const [x0, y0] = begun[joint];
    const move = (e) => {
      const [x, y] = at(e);
      this.edited(moveJoint(begun, joint, [x0 + x - grip[0], y0 + y - grip[1]], this.aspect, e.altKey), "move");
    };
    const end = () => {
      handle.removeEventListener("pointermove", move);
      handle.classList.remove("held");
      this.edited(this.pose, "end");
    };
    handle.classList.add("held");
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", end, { once: true });
    this.edited(begun, "begin");
  }

  #key(event, joint) {
    const step = (event.shiftKey ? 5 : 1) * STEP;
    const [x, y] = this.pose[joint];
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const turns = { PageDown: 1, PageUp: -1 };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      this.edited(moveJoint(this.pose, joint, [x + dx / this.aspect, y + dy], this.aspect, event.altKey), "step");
    } else if (event.key in turns) {
      const next = (joint + turns[event.key] + JOINTS.length) % JOINTS.length;
      this.#handles[next].focus();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.#toggle(joint);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Takes a joint out of the pose, or puts it back: a model draws what it does not know as it likes. */
  #toggle(joint) {
    const pose = this.pose.map(([x, y, there], i) => [x, y, i === joint ? 1 - there : there]);
    if (pose.some(([, , there]) => there)) this.edited(pose, "step");
  }
}

function label(pose, joint) {
  const [x, y, there] = pose[joint];
  const share = (value) => Math.round(100 * value);
  return `${title(JOINTS[joint])}, ${there ? "" : "left out, "}${share(x)} % from the left, ${share(y)} % from the top`;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
