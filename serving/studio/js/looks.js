/**
 * The two looks that a person works on, and how they change.
 *
 * A look is never changed in place: it has `articles` ({slot: article}), `pose` ([[x, y, v], ...]), `seed`, `psi` and
 * `borrow`: null, or "color" or "pose", which it takes from the other look by copying style layers. An article is
 * {name, url, b64}: a picture to show and its bytes to send.
 */

const MAX_UNDO = 100;

export class Looks extends EventTarget {
  #past = [];
  #future = [];
  #grouped = false;

  constructor(first, second) {
    super();
    this.all = [first, second];
    this.active = 0;
    this.compared = false;
  }

  get look() {
    return this.all[this.active];
  }

  get other() {
    return this.all[1 - this.active];
  }

  /** The pose that a look is drawn in: its own, or the one that it borrows. */
  poseOf(index) {
    const look = this.all[index];
    return look.borrow === "pose" ? this.all[1 - index].pose : look.pose;
  }

  /** Changes the active look, or the one of an index. */
  change(fields, index = this.active) {
    this.#remember();
    this.all = this.all.map((look, i) => (i === index ? { ...look, ...fields } : look));
    this.#notify();
  }

  /** Wears an article; null takes off what the slot has. */
  wear(slot, article, index = this.active) {
    const { [slot]: _, ...articles } = this.all[index].articles;
    this.change({ articles: article ? { ...articles, [slot]: article } : articles }, index);
  }

  /** Makes all changes until `endGroup` one step of undo: those of one drag. */
  beginGroup() {
    this.#remember();
    this.#grouped = true;
  }

  endGroup() {
    this.#grouped = false;
    this.#notify();
  }

  get changing() {
    return this.#grouped;
  }

  activate(index) {
    this.active = index;
    this.#notify();
  }

  compare(compared) {
    this.compared = compared;
    this.#notify();
  }

  undo() {
    return this.#step(this.#past, this.#future);
  }

  redo() {
    return this.#step(this.#future, this.#past);
  }

  #step(from, to) {
    if (!from.length) return false;
    to.push(this.all);
    this.all = from.pop();
    this.#notify();
    return true;
  }

  #remember() {
    if (this.#grouped) return;
    this.#past.push(this.all);
    if (this.#past.length > MAX_UNDO) this.#past.shift();
    this.#future = [];
  }

  #notify() {
    this.dispatchEvent(new Event("change"));
  }
}
