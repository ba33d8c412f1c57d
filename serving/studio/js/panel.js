/** What a look has beside its articles: the pose to start from, seed and variety, what it takes from the other look. */

import { measure, PARTS, reshape } from "./body.js";
import { announce, byId, download, html, svg, title } from "./dom.js";
import { BONES, mirrored, readPose, sideOf, writePose } from "./pose.js";
import { asCurl, asJson, asPython, requestOf } from "./requests.js";

const MAX_RANDOM_SEED = 10000;

/** The poses to start from, and the pose's file. `poses` is {name: pose}. */
export function posePanel(element, looks, description, poses) {
  const buttons = Object.entries(poses).map(([name, pose]) =>
    html(
      "button",
      { type: "button", class: "pose", title: title(name), "aria-label": `Pose: ${title(name)}`, onclick: () => looks.change({ pose, borrow: null }) },
      stickFigure(pose, description.size),
    ),
  );
  element.replaceChildren(...buttons);
  byId("pose-mirror").addEventListener("click", () => looks.change({ pose: mirrored(looks.poseOf(looks.active)), borrow: null }));
  byId("pose-save").addEventListener("click", () => {
    download(new Blob([writePose(looks.poseOf(looks.active), description.size)], { type: "application/json" }), "pose.json");
  });
  const input = byId("pose-file");
  byId("pose-open").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    await openPose(input.files[0], looks);
    input.value = "";
  });
  const draw = () => {
    const now = JSON.stringify(looks.poseOf(looks.active));
    Object.values(poses).forEach((pose, i) => buttons[i].setAttribute("aria-pressed", JSON.stringify(pose) === now));
  };
  looks.addEventListener("change", draw);
  draw();
}

/** A slider for each proportion of the body. */
export function bodyPanel(element, looks, description) {
  const [height, width] = description.size;
  const aspect = width / height;
  const sliders = Object.entries(PARTS).map(([part, { title: text, range }]) => {
    const input = html("input", { type: "range", id: `body-${part}`, min: range[0], max: range[1], step: 0.005 });
    followed(input, looks, (value) => looks.change({ pose: reshape(looks.poseOf(looks.active), part, value, aspect), borrow: null }));
    element.append(html("div", { class: "field wide" }, html("label", { for: input.id }, text), input));
    return [part, input];
  });
  const draw = () => {
    for (const [part, input] of sliders) {
      const value = measure(looks.poseOf(looks.active), part, aspect);
      input.disabled = value === null;
      // A slider that is dragged keeps its own value: a measure beyond its range would move it.
      if (value !== null && !(looks.changing && document.activeElement === input)) input.value = value;
    }
  };
  looks.addEventListener("change", draw);
  draw();
}

/** Makes the drag of a range input one step of undo. */
function followed(input, looks, changed) {
  input.addEventListener("pointerdown", () => looks.beginGroup());
  input.addEventListener("input", () => changed(input.valueAsNumber));
  for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => looks.endGroup());
}

/** Takes the pose of a file or of its text. */
export async function openPose(file, looks, index = looks.active) {
  try {
    looks.change({ pose: readPose(JSON.parse(typeof file === "string" ? file : await file.text())), borrow: null }, index);
    announce("Pose opened");
  } catch (error) {
    announce(`This is no pose that the studio reads: ${error.message}.`);
  }
}

function stickFigure(pose, [height, width]) {
  const scale = 64 / height;
  const at = ([x, y]) => [x * width * scale, y * 64];
  const bones = BONES.map(([joint, parent]) => {
    const [[x1, y1], [x2, y2]] = [at(pose[joint]), at(pose[parent])];
    return svg("line", { x1, y1, x2, y2, class: `bone ${sideOf(joint)}` });
  });
  const [hx, hy] = [8, 9].map((joint) => at(pose[joint])).reduce(([a, b], [c, d]) => [(a + c) / 2, (b + d) / 2]);
  const head = svg("circle", { cx: hx, cy: hy, r: 3.4, class: "head" });
  return svg("svg", { viewBox: `0 0 ${width * scale} 64`, "aria-hidden": "true" }, ...bones, head);
}

/** Seed and psi. */
export function variationPanel(looks, description) {
  const [seed, psi, shown] = ["seed", "psi", "psi-shown"].map(byId);
  const [low, high] = description.truncation_psi ?? [0, 2];
  Object.assign(psi, { min: low, max: high });
  seed.addEventListener("change", () => looks.change({ seed: Math.max(0, Math.min(2 ** 31 - 1, Math.trunc(seed.valueAsNumber) || 0)) }));
  byId("dice").addEventListener("click", () => randomSeed(looks));
  followed(psi, looks, (value) => looks.change({ psi: value }));
  const draw = () => {
    seed.value = looks.look.seed;
    psi.value = looks.look.psi;
    shown.value = looks.look.psi.toFixed(2);
  };
  looks.addEventListener("change", draw);
  draw();
}

export const randomSeed = (looks) => looks.change({ seed: Math.floor(Math.random() * MAX_RANDOM_SEED) });

/** What the active look takes from the other one: articles, colors, pose. */
export function otherPanel(looks, description, wear) {
  const shelf = byId("other-articles");
  const borrows = [...document.querySelectorAll("[data-borrow]")];
  for (const button of borrows) {
    const what = button.dataset.borrow;
    button.addEventListener("click", () => looks.change({ borrow: looks.look.borrow === what ? null : what }));
  }
  let shown = [];
  const draw = () => {
    const seen = [looks.active, looks.look.articles, looks.look.borrow, looks.other.articles];
    if (seen.every((value, i) => value === shown[i])) return;
    shown = seen;
    const name = "BA"[looks.active];
    for (const place of document.querySelectorAll("[data-other]")) place.textContent = name;
    const articles = description.slots.filter((slot) => looks.other.articles[slot]).map((slot) => [slot, looks.other.articles[slot]]);
    const cards = articles.map(([slot, article]) => {
      const text = `${title(article.name)} of look ${name}`;
      const worn = looks.look.articles[slot]?.url === article.url;
      const label = worn ? `${text}, worn here too` : `Wear the ${text}`;
      const press = () => (worn ? looks.wear(slot, null) : wear(slot, article));
      return html(
        "button",
        { type: "button", class: "card", title: text, "aria-label": label, "aria-pressed": worn, onclick: press },
        html("img", { src: article.url, alt: "", draggable: "false" }),
      );
    });
    const focused = [...shelf.children].indexOf(document.activeElement);
    shelf.replaceChildren(...(cards.length ? cards : [html("p", { class: "hint" }, `Look ${name} wears nothing yet.`)]));
    shelf.children[focused]?.focus();
    for (const button of borrows) button.setAttribute("aria-pressed", looks.look.borrow === button.dataset.borrow);
  };
  looks.addEventListener("change", draw);
  draw();
}

/** The request of the active look, copied for other programs. */
export function requestPanel(looks, description, api) {
  const texts = { json: (_, ...request) => asJson(...request), curl: asCurl, python: asPython };
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = texts[button.dataset.copy](api.url, ...requestOf(description, looks.look, looks.other));
      await copy(text);
      announce(`Copied as ${button.textContent.trim()}`);
    });
  }
}

/** Copies a text, also where the page came over plain HTTP and the clipboard's own interface is missing. */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = html("textarea", { class: "visually-hidden" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
