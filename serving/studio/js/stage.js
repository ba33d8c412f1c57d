/** The pictures in the middle: one look, or both beside each other, with the skeleton of the active one. */

import { html, title, words } from "./dom.js";
import { Renderer } from "./renderer.js";
import { requestOf } from "./requests.js";
import { Skeleton } from "./skeleton.js";

export const NAMES = ["A", "B"];

export class Stage {
  /** `dropped(transfer, index)` is called with what was dropped on a look, `failed(error)` with a `ServerError`. */
  constructor(element, looks, api, description, { dropped, failed, drawn }) {
    Object.assign(this, { element, looks, description });
    const [height, width] = description.size;
    this.figures = NAMES.map((name, index) => {
      const figure = new Figure(name, index, width / height, looks, dropped);
      figure.renderer = new Renderer(api, {
        show: async (blob, level, state) => {
          await figure.show(blob, level, state);
          drawn(index);
        },
        busy: (whether) => figure.element.classList.toggle("busy", whether),
        failed,
      });
      return figure;
    });
    document.body.style.setProperty("--aspect", width / height);
    element.replaceChildren(...this.figures.map((figure) => figure.element));
    looks.addEventListener("change", () => this.update());
    this.update();
  }

  update() {
    const { looks } = this;
    this.element.classList.toggle("compared", looks.compared);
    this.figures.forEach((figure, index) => {
      const shown = looks.compared || index === looks.active;
      const look = looks.all[index];
      figure.element.hidden = !shown;
      figure.element.classList.toggle("active", index === looks.active);
      figure.describe(look);
      figure.skeleton.draw(looks.poseOf(index));
      if (!shown) return figure.renderer.stop();
      const request = requestOf(this.description, look, looks.all[1 - index]);
      figure.renderer.want({ request, changing: looks.changing && index === looks.active, asked: performance.now() });
    });
  }

  /** Asks again for what failed. */
  retry() {
    for (const figure of this.figures) if (!figure.element.hidden) figure.renderer.retry();
  }

  /** The whole picture of a look if it is drawn: {url, blob}. */
  picture(index) {
    return this.figures[index].whole;
  }
}

class Figure {
  whole = null;

  constructor(name, index, aspect, looks, dropped) {
    Object.assign(this, { name, index });
    this.image = html("img", { class: "picture", alt: "", draggable: "false" });
    this.tag = html("span", { class: "tag", hidden: true }, "Preview");
    this.caption = html("figcaption", { class: "caption" });
    this.skeleton = new Skeleton(aspect, (pose, phase) => {
      if (phase === "begin") looks.beginGroup();
      else if (phase === "end") looks.endGroup();
      else looks.change(looks.all[index].borrow === "pose" ? { pose, borrow: null } : { pose }, index);
    });
    const frame = html("div", { class: "frame" }, this.image, this.skeleton.element, this.tag, html("div", { class: "progress" }));
    this.element = html(
      "figure",
      {
        class: "figure",
        "data-look": name,
        onpointerdown: () => looks.active === index || looks.activate(index),
        ondragover: (event) => {
          event.preventDefault();
          this.element.classList.add("over");
        },
        ondragleave: () => this.element.classList.remove("over"),
        ondrop: (event) => {
          event.preventDefault();
          event.stopPropagation();
          this.element.classList.remove("over");
          dropped(event.dataTransfer, index);
        },
      },
      frame,
      this.caption,
    );
  }

  /** Shows a picture once it is decoded, so that nothing flickers, and notes how long it took since it was asked for. */
  async show(blob, level, { asked }) {
    const url = URL.createObjectURL(blob);
    const next = new Image();
    next.src = url;
    await next.decode();
    const last = this.image.src;
    this.image.src = url;
    this.tag.hidden = level === "full";
    this.element.dataset.level = level;
    if (last && last !== this.whole?.url) URL.revokeObjectURL(last);
    if (level === "full") {
      if (this.whole) URL.revokeObjectURL(this.whole.url);
      this.whole = { url, blob };
    }
    performance.measure(`studio:${level}`, { start: asked, end: performance.now() });
  }

  /** Says what a look wears. */
  describe(look) {
    if (look.articles === this.described) return;
    this.described = look.articles;
    const worn = Object.values(look.articles).map((article) => words(article.name));
    const outfit = worn.length ? worn.join(", ") : "no articles";
    this.image.alt = `Look ${this.name}: ${outfit}`;
    this.caption.replaceChildren(
      html("strong", {}, `Look ${this.name}`),
      html("span", {}, title(outfit)),
    );
  }
}
