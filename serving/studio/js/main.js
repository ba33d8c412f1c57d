/** Puts the page together: connects to the model, then shows the looks, the shelf and everything that changes them. */

import { Api, ServerError } from "./api.js";
import { Book } from "./book.js";
import { announce, byId, download, html } from "./dom.js";
import { icon } from "./icons.js";
import { Looks } from "./looks.js";
import { bodyPanel, openPose, otherPanel, posePanel, randomSeed, requestPanel, variationPanel } from "./panel.js";
import { readPose } from "./pose.js";
import { Shelf } from "./shelf.js";
import { shortcuts } from "./shortcuts.js";
import { NAMES, Stage } from "./stage.js";

const RETRY_MS = 3000;
const RETRIED = ["away", "loading", "busy"];
const START = ["office", "weekend"]; // Of the examples' outfits.

for (const place of document.querySelectorAll("[data-icon]")) place.prepend(icon(place.dataset.icon));
await start();

async function start() {
  const api = new Api(await modelName());
  byId("model").textContent = api.model;
  document.title = `${api.model} · Studio`;
  const description = await connected(api);
  const [index, poses, outfits] = await examples();
  const pose = Object.values(poses)[0];
  const psi = description.conditional ? 1 : 0.7;
  const looks = new Looks(...[0, 1].map((i) => ({ articles: {}, pose: outfits[i]?.pose ?? pose, seed: i + 1, psi, borrow: null })));
  document.body.classList.toggle("unconditional", !description.conditional);
  document.body.classList.add("ready");

  const shelf = new Shelf(byId("rail"), byId("shelf-cards"), description.slots, looks, description.conditional ? index.articles : {});
  const worn = await Promise.all(outfits.map((outfit) => shelf.read(outfit.articles)));
  looks.all = looks.all.map((look, i) => ({ ...look, articles: worn[i] ?? {} }));
  shelf.draw();

  const take = (transfer, at) => received(transfer, at, shelf, looks);
  let stage;
  const failed = (error) => fail(error, async () => {
    await connected(api);
    stage.retry();
  });
  stage = new Stage(byId("stage"), looks, api, description, { dropped: take, failed, drawn: () => hideProblem() });
  posePanel(byId("poses"), looks, description, poses);
  bodyPanel(byId("body"), looks, description);
  variationPanel(looks, description);
  otherPanel(looks, description, (slot, article) => shelf.wear(slot, article));
  requestPanel(looks, description, api);
  const actions = bookPanel(looks, api, description, stage, poses, failed);
  lookButtons(looks);
  Object.assign(actions, {
    a: () => looks.activate(0),
    b: () => looks.activate(1),
    c: () => looks.compare(!looks.compared),
    j: () => toggleSkeleton(),
    r: () => randomSeed(looks),
    "?": () => byId("help").showModal(),
    ...Object.fromEntries(description.slots.slice(0, 9).map((slot, i) => [String(i + 1), () => shelf.open(slot)])),
  });
  const step = (whether, text) => announce(whether ? text : "Nothing more to take back or repeat");
  const [undo, redo] = [() => step(looks.undo(), "Undone"), () => step(looks.redo(), "Done again")];
  shortcuts(actions, { undo, redo, enabled: () => byId("single-keys").checked });
  for (const [id, action] of Object.entries({ undo, redo, skeleton: toggleSkeleton, "help-button": actions["?"] })) {
    byId(id).addEventListener("click", action);
  }
  const toDocument = (event, transfer) => {
    if (event.target.closest?.("input, textarea, dialog") || !transfer) return;
    if (take(transfer, looks.active)) event.preventDefault();
  };
  document.addEventListener("paste", (event) => toDocument(event, event.clipboardData));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => toDocument(event, event.dataTransfer));
}

/** The model's name: of the address, or else of the settings beside the page. */
async function modelName() {
  const asked = new URLSearchParams(location.search).get("model");
  if (asked) return asked;
  const settings = await fetch("settings.json").then((response) => response.json(), () => ({}));
  return settings.model ?? "outfit_gan";
}

/** Waits until the model answers, and says meanwhile what is the matter; returns what it is. */
async function connected(api) {
  for (;;) {
    try {
      const version = await api.version();
      const description = await api.describe();
      const [height, width] = description.size;
      showState("ready", `version ${version} · ${height}x${width}`);
      hideProblem();
      return description;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      await new Promise((resolve) => {
        fail(error, resolve);
      });
    }
  }
}

/** Shows what went wrong, and does `again` at a click, or by itself where that may help. */
function fail(error, again) {
  if (!(error instanceof ServerError)) throw error;
  if (error.kind !== "refused") showState(error.kind, error.heading);
  const box = byId("problem");
  const button = html("button", { type: "button", class: "button", onclick: () => once() }, "Try again");
  // The same words are not read out again and again.
  if (box.dataset.text !== error.message) {
    box.replaceChildren(html("div", {}, html("strong", {}, error.heading), html("p", {}, error.detail)), button);
    box.dataset.text = error.message;
  } else {
    box.lastChild.replaceWith(button);
  }
  box.hidden = false;
  clearTimeout(fail.timer);
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(fail.timer);
    again();
  };
  if (RETRIED.includes(error.kind)) fail.timer = setTimeout(once, RETRY_MS);
}

/** The dot beside the model's name, and its words. */
function showState(state, text) {
  byId("state").textContent = text;
  byId("state").dataset.state = state;
}

function hideProblem() {
  const box = byId("problem");
  box.hidden = true;
  box.dataset.text = "";
}

/** [index, poses by name, outfits of `START`] of the examples; a page without them starts empty-handed. */
async function examples() {
  const read = async (name) => (await fetch(`examples/${name}.json`)).json();
  try {
    const index = await read("index");
    const poses = await Promise.all(index.poses.map(async (name) => [name, readPose(await read(`poses/${name}`))]));
    const outfits = await Promise.all(START.filter((name) => index.outfits.includes(name)).map((name) => read(`outfits/${name}`)));
    const named = outfits.map((outfit) => ({
      pose: readPose(outfit),
      articles: Object.fromEntries(
        Object.entries(outfit.articles).map(([slot, file]) => [slot, file.replace(/^.*\//, "").slice(slot.length + 1, -4)]),
      ),
    }));
    return [index, Object.fromEntries(poses), named];
  } catch {
    announce("The examples are not beside the page; add photos of your own.");
    return [{ articles: {} }, { standing: STANDING }, []];
  }
}

const STANDING = [
  [0.42, 0.9], [0.43, 0.72], [0.45, 0.53], [0.55, 0.53], [0.57, 0.72], [0.58, 0.9], [0.5, 0.53], [0.5, 0.27],
  [0.5, 0.21], [0.5, 0.08], [0.32, 0.54], [0.36, 0.41], [0.39, 0.28], [0.61, 0.28], [0.64, 0.41], [0.68, 0.54],
].map(([x, y]) => [x, y, 1]);

/** Takes photos, a card of the shelf or a pose, dropped or pasted; returns whether it was one of them. */
function received(transfer, at, shelf, looks) {
  const files = [...transfer.files];
  const pose = files.find((file) => file.name.endsWith(".json"));
  const text = transfer.getData("text/plain");
  const card = shelf.find(text);
  if (pose) openPose(pose, looks, at);
  else if (files.length) shelf.add(files, shelf.slot, at);
  else if (card) shelf.wear(card.slot, card.article, at);
  else if (text.trimStart().startsWith("{")) openPose(text, looks, at);
  else return false;
  return true;
}

function lookButtons(looks) {
  const buttons = NAMES.map((name) => byId(`look-${name}`));
  buttons.forEach((button, index) => button.addEventListener("click", () => looks.activate(index)));
  byId("compare").addEventListener("click", () => looks.compare(!looks.compared));
  const draw = () => {
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", index === looks.active));
    byId("compare").setAttribute("aria-pressed", looks.compared);
  };
  looks.addEventListener("change", draw);
  draw();
}

function toggleSkeleton() {
  const shown = document.body.classList.toggle("no-skeleton");
  byId("skeleton").setAttribute("aria-pressed", !shown);
}

/** The look-book and its buttons; returns the actions that have keys. */
function bookPanel(looks, api, description, stage, poses, failed) {
  const needPages = ["book-sheet", "book-clear"].map(byId);
  const count = (pages) => {
    byId("book-count").textContent = pages || "";
    byId("book-empty").hidden = pages > 0;
    for (const button of needPages) button.disabled = !pages;
  };
  const book = new Book(byId("book-pages"), looks, api, description, { count, failed });
  const keep = () => {
    const picture = stage.picture(looks.active);
    if (!picture) return announce("Wait for the picture");
    book.keep(looks.look, looks.other, picture.blob);
    announce("Kept in the look-book");
  };
  const save = () => {
    const picture = stage.picture(looks.active);
    if (picture) download(picture.blob, `look-${NAMES[looks.active]}-seed-${looks.look.seed}.png`);
  };
  const seeds = () => book.keepAll([1, 2, 3, 4].map((more) => ({ seed: looks.look.seed + more })));
  const everyPose = () => book.keepAll(Object.values(poses).map((pose) => ({ pose, borrow: null })));
  const sheet = async () => download(await book.sheet(), "look-book.png");
  const clicks = { keep, save, "book-seeds": seeds, "book-poses": everyPose, "book-sheet": sheet, "book-clear": () => book.clear() };
  for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener("click", action);
  return { l: keep, s: save };
}
