/**
 * Draws the newest state of a look, as it changes: a preview at once, the whole picture when the hand rests.
 *
 * There is one request at a time, and none for states that are no more. A preview under way is waited for, as it takes a
 * moment and shows the drag; a whole picture under way is given up for the preview of a newer state.
 */

// How long a state stays as it is before its whole picture is asked for: longer while a joint is held.
const REST_MS = 160;
const HELD_REST_MS = 600;

export class Renderer {
  #wanted = null;
  #drawn = null;
  #working = null;
  #timer = 0;

  /**
   * `api` draws; `show(blob, level, state)` is called with each picture, `busy(whether)` around the work, and
   * `failed(error)` with a `ServerError`.
   */
  constructor(api, { show, busy, failed }) {
    Object.assign(this, { api, show, busy, failed });
  }

  /** Asks for a state: {request: [signature, row], changing}; `changing` says that more changes are likely. */
  want(state) {
    const key = JSON.stringify(state.request);
    const same = key === this.#wanted?.key;
    if (same && state.changing === this.#wanted.changing) return;
    this.#wanted = { ...state, key, since: same ? this.#wanted.since : performance.now() };
    if (this.#working?.level === "full" && this.#working.key !== key) this.#working.abort.abort();
    this.#next();
  }

  /** Asks again for what failed. */
  retry() {
    this.#next();
  }

  /** Gives up what is under way, and wants nothing. */
  stop() {
    this.#wanted = null;
    this.#working?.abort.abort();
  }

  async #next() {
    clearTimeout(this.#timer);
    if (this.#working || !this.#wanted) return;
    const state = this.#wanted;
    const level = this.#levelFor(state);
    if (!level) return;
    const rest = (state.changing ? HELD_REST_MS : REST_MS) - (performance.now() - state.since);
    if (level === "full" && rest > 0) {
      this.#timer = setTimeout(() => this.#next(), rest);
      return;
    }
    this.#working = { key: state.key, level, abort: new AbortController() };
    this.busy(true);
    try {
      const [signature, row] = state.request;
      const blob = await this.api.picture(level === "preview" ? "preview" : signature, row, this.#working.abort.signal);
      this.#drawn = { key: state.key, level };
      await this.show(blob, level, state);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.#working = null;
        this.busy(false);
        // Words about a state that is no more would confuse.
        if (this.#wanted === state || error.kind === "away") this.failed(error);
        else this.#next();
        return;
      }
    }
    this.#working = null;
    this.busy(false);
    this.#next();
  }

  /** What is to be drawn of a state next: "preview", "full" or null. */
  #levelFor(state) {
    const done = this.#drawn?.key === state.key ? this.#drawn.level : null;
    if (done === "full") return null;
    if (!done && state.request[0] !== "transfer") return "preview";
    return "full";
  }
}
