/** The slots of the outfit, and the shelf of articles of one of them. */

import { announce, html, title, words } from "./dom.js";
import { icon } from "./icons.js";
import { articleOf, fetchArticle } from "./photos.js";

/** What one garment takes the place of, where a model has these slots. */
const INSTEAD = { dress: ["top", "bottom"], top: ["dress"], bottom: ["dress"] };

export class Shelf {
  #shown = null;

  /** `names` are the examples by slot. */
  constructor(rail, shelf, slots, looks, names) {
    Object.assign(this, { rail, shelf, slots, looks, slot: slots[Math.min(1, slots.length - 1)] });
    this.examples = Object.fromEntries(
      slots.map((slot) => [
        slot,
        (names[slot] ?? []).map((name) => ({ name, url: `examples/articles/${slot}_${name}.png`, example: true })),
      ]),
    );
    this.own = Object.fromEntries(slots.map((slot) => [slot, []]));
    this.input = html("input", {
      type: "file",
      accept: "image/*",
      multiple: true,
      class: "visually-hidden",
      tabindex: -1,
      "aria-hidden": "true",
      onchange: () => {
        this.add([...this.input.files]);
        this.input.value = "";
      },
    });
    looks.addEventListener("change", () => this.draw());
    this.build();
  }

  build() {
    this.rail.replaceChildren(...this.slots.map((slot, index) => this.#tab(slot, index)));
    this.open(this.slot);
  }

  /** Shows the shelf of a slot. */
  open(slot) {
    this.slot = slot;
    this.shelf.setAttribute("aria-labelledby", `slot-${slot}`);
    const upload = html(
      "button",
      { class: "card upload", type: "button", title: "Or drop a photo anywhere, or paste it", onclick: () => this.input.click() },
      icon("upload"),
      html("span", {}, "Add a photo"),
    );
    const none = html("button", { class: "card none", type: "button", onclick: () => this.looks.wear(slot, null) }, icon("none"), html("span", {}, "None"));
    const cards = [...this.own[slot], ...this.examples[slot]].map((article) => this.#card(slot, article));
    this.shelf.replaceChildren(upload, this.input, none, ...cards);
    this.#shown = null;
    this.draw();
  }

  draw() {
    const { articles } = this.looks.look;
    if (articles === this.#shown) return; // Joints move often, and articles do not.
    this.#shown = articles;
    for (const tab of this.rail.children) {
      const slot = tab.dataset.slot;
      const worn = articles[slot];
      const selected = slot === this.slot;
      tab.setAttribute("aria-selected", selected);
      tab.tabIndex = selected ? 0 : -1;
      tab.setAttribute("aria-label", `${title(slot)}: ${worn ? words(worn.name) : "none"}`);
      const picture = tab.querySelector(".thumb");
      picture.replaceChildren(worn ? html("img", { src: worn.url, alt: "", draggable: "false" }) : icon(slot));
      picture.classList.toggle("empty", !worn);
    }
    for (const card of this.shelf.querySelectorAll("button.card:not(.upload)")) {
      card.setAttribute("aria-pressed", card.dataset.url ? articles[this.slot]?.url === card.dataset.url : !articles[this.slot]);
    }
  }

  /** Puts photos on the shelf of a slot, and wears the last of them. */
  async add(files, slot = this.slot, index = this.looks.active) {
    for (const file of files) {
      try {
        const name = file.name?.replace(/\.[^.]+$/, "") || "photo";
        const article = await articleOf(file, name);
        this.own[slot].unshift(article);
        this.wear(slot, article, index);
      } catch (error) {
        announce(error.message);
        return;
      }
    }
    this.open(slot);
  }

  /** Wears an article; `layered` keeps what the garment usually takes the place of. */
  async wear(slot, article, index = this.looks.active, layered = false) {
    if (!article.b64) {
      try {
        Object.assign(article, await fetchArticle(article.url, article.name));
      } catch (error) {
        announce(error.message);
        return;
      }
    }
    const { articles } = this.looks.all[index];
    const replaced = layered ? [] : (INSTEAD[slot] ?? []).filter((other) => articles[other]);
    const kept = Object.entries(articles).filter(([other]) => !replaced.includes(other));
    this.looks.change({ articles: { ...Object.fromEntries(kept), [slot]: article } }, index);
    const instead = replaced.length ? ` instead of the ${replaced.join(" and the ")}` : "";
    announce(`${title(article.name)}${instead}`);
  }

  /** The article of a key that a card was dragged with. */
  find(url) {
    for (const slot of this.slots) {
      const article = [...this.own[slot], ...this.examples[slot]].find((candidate) => candidate.url === url);
      if (article) return { slot, article };
    }
    return null;
  }

  /** Reads examples whole, for a look to start with. */
  async read(names) {
    const entries = Object.entries(names).map(async ([slot, name]) => {
      const article = this.examples[slot]?.find((candidate) => candidate.name === name);
      if (article && !article.b64) Object.assign(article, await fetchArticle(article.url, name));
      return [slot, article];
    });
    return Object.fromEntries((await Promise.all(entries)).filter(([, article]) => article));
  }

  #tab(slot, index) {
    return html(
      "button",
      {
        type: "button",
        role: "tab",
        id: `slot-${slot}`,
        class: "slot",
        "data-slot": slot,
        "aria-controls": "shelf-cards",
        onclick: () => this.open(slot),
        onkeydown: (event) => this.#key(event, index),
        ondragover: (event) => {
          event.preventDefault();
          if (this.slot !== slot && event.dataTransfer.types.includes("Files")) this.open(slot);
        },
        ondrop: (event) => {
          if (!event.dataTransfer.files.length) return;
          event.preventDefault();
          event.stopPropagation();
          this.add([...event.dataTransfer.files], slot);
        },
      },
      html("span", { class: "thumb" }),
      html("span", { class: "name" }, title(slot)),
    );
  }

  #card(slot, article) {
    const text = title(article.name);
    return html(
      "button",
      {
        class: "card",
        type: "button",
        draggable: "true",
        title: text,
        "aria-label": text,
        "data-url": article.url,
        ondragstart: (event) => event.dataTransfer.setData("text/plain", article.url),
        onclick: (event) => {
          const worn = this.looks.look.articles[slot]?.url === article.url;
          if (worn) this.looks.wear(slot, null);
          else this.wear(slot, article, this.looks.active, event.shiftKey);
        },
      },
      html("img", { src: article.url, alt: "", loading: "lazy", draggable: "false" }),
    );
  }

  #key(event, index) {
    const moves = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
    if (event.key in moves) {
      const next = (index + moves[event.key] + this.slots.length) % this.slots.length;
      this.open(this.slots[next]);
      this.rail.children[next].focus();
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.looks.wear(this.slots[index], null);
    } else {
      return;
    }
    event.preventDefault();
  }
}
