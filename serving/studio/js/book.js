/** The look-book: pictures that were kept, with the looks they are of, and a sheet of them to take along. */

import { announce, download, html, words } from "./dom.js";
import { icon } from "./icons.js";
import { requestOf } from "./requests.js";

const CELL_HEIGHT = 480;
const GAP = 24;
const LINE = 22;

export class Book {
  entries = [];

  constructor(element, looks, api, description, { count, failed }) {
    Object.assign(this, { element, looks, api, description, count, failed });
    this.draw();
  }

  /** Keeps a picture of a look. */
  keep(look, other, blob) {
    this.entries.push({ look, other, blob, url: URL.createObjectURL(blob) });
    this.draw();
  }

  /** Draws the active look with other seeds or in other poses, one after the other, and keeps the pictures. */
  async keepAll(variants) {
    const { look, other } = this.looks;
    announce(`Drawing ${variants.length} pictures`);
    for (const fields of variants) {
      const changed = { ...look, ...fields };
      try {
        this.keep(changed, other, await this.api.picture(...requestOf(this.description, changed, other)));
      } catch (error) {
        this.failed(error);
        return;
      }
    }
    announce(`${variants.length} pictures are in the look-book`);
  }

  clear() {
    for (const entry of this.entries) URL.revokeObjectURL(entry.url);
    this.entries = [];
    this.draw();
  }

  draw() {
    const cards = this.entries.map((entry, index) =>
      html(
        "li",
        { class: "page" },
        html(
          "button",
          { type: "button", class: "open", title: "Work on this look again", "aria-label": `${caption(entry)}: work on it again`, onclick: () => this.looks.change(entry.look) },
          html("img", { src: entry.url, alt: "" }),
        ),
        html("span", { class: "name" }, caption(entry)),
        html(
          "span",
          { class: "tools" },
          html("button", { type: "button", class: "icon-button small", "aria-label": `Download ${caption(entry)}`, onclick: () => download(entry.blob, fileName(entry, index)) }, icon("download")),
          html("button", { type: "button", class: "icon-button small", "aria-label": `Remove ${caption(entry)}`, onclick: () => this.#remove(entry) }, icon("none")),
        ),
      ),
    );
    this.element.replaceChildren(...cards);
    this.count(this.entries.length);
  }

  #remove(entry) {
    URL.revokeObjectURL(entry.url);
    this.entries = this.entries.filter((other) => other !== entry);
    this.draw();
  }

  /** One picture of all pages, with captions. */
  async sheet() {
    const pictures = await Promise.all(this.entries.map((entry) => createImageBitmap(entry.blob)));
    const columns = Math.min(pictures.length, Math.ceil(Math.sqrt(pictures.length * 1.6)));
    const rows = Math.ceil(pictures.length / columns);
    const [height, width] = this.description.size;
    const cell = { height: Math.max(CELL_HEIGHT, height) };
    cell.width = Math.round((cell.height * width) / height);
    const canvas = html("canvas", {
      width: columns * (cell.width + GAP) + GAP,
      height: rows * (cell.height + LINE + GAP) + GAP,
    });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = "high";
    context.font = "15px system-ui, sans-serif";
    pictures.forEach((picture, i) => {
      const [x, y] = [GAP + (i % columns) * (cell.width + GAP), GAP + Math.floor(i / columns) * (cell.height + LINE + GAP)];
      context.drawImage(picture, x, y, cell.width, cell.height);
      context.fillStyle = "#555";
      context.fillText(shortened(caption(this.entries[i]), context, cell.width), x, y + cell.height + LINE - 3);
    });
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
}

/** A text that is no wider than a width, with an ellipsis where it had to be cut. */
function shortened(text, context, width) {
  const fits = (candidate) => context.measureText(candidate).width <= width;
  if (fits(text)) return text;
  let length = text.length;
  while (length && !fits(`${text.slice(0, length)} …`)) length--;
  return `${text.slice(0, length).replace(/[, ]+$/, "")} …`;
}

function caption({ look }) {
  const worn = Object.values(look.articles).map((article) => words(article.name));
  return `Seed ${look.seed} · ${worn.join(", ") || "no articles"}`;
}

const fileName = (entry, index) => `look-${String(index + 1).padStart(2, "0")}-seed-${entry.look.seed}.${entry.blob.type === "image/jpeg" ? "jpg" : "png"}`;
