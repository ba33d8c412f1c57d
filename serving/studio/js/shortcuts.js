/** Single keys for what is done often; they can be turned off, for those who speak to their computer. */

/** `actions` is {key: function}; `undo` and `redo` go by Ctrl or Cmd as everywhere. */
export function shortcuts(actions, { undo, redo, enabled }) {
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    const writes = event.target.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select, dialog");
    if (writes || event.altKey || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") (event.shiftKey ? redo : undo)();
      else if (key === "y") redo();
      else return;
    } else {
      if (!enabled() || !actions[key]) return;
      actions[key]();
    }
    event.preventDefault();
  });
}
