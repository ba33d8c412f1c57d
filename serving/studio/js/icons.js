/** Line drawings, 24x24: what an empty slot is for, and what buttons do. */

import { svg } from "./dom.js";

const PATHS = {
  outerwear: "M9 3 5.5 5 3 11l2.6 1L7 9.5V21h4.2L12 8l.8 13H17V9.5l1.4 2.5 2.6-1-2.5-6L15 3l-3 4.5z",
  top: "M8.5 4 3.5 7l1.6 4L7 10.2V20h10v-9.8l1.9.8 1.6-4-5-3c-.6 1.5-1.9 2.3-3.5 2.3S9.1 5.5 8.5 4z",
  dress: "M9 3v4.200L9.8 11 6 21h12l-3.8-10L15 7.200V3M9 5.500c1 1.5 5 1.5 6 0M9.8 11h4.4",
  bottom: "M7.5 3h9l1.5 18h-4.200L12 9.5 10.2 21H6zM7.3 6h9.4",
  shoes: "M3 8v9h18v-2.200c0-1.6-2-2.3-4-2.6-2.3-.4-3.6-1.7-4.7-3.900C10.5 9.7 6 9.7 3 8zM3 14.200h5.500M21 15H9",
  bag: "M4.5 9.500h15L21 20H3zM8.5 12V7.500a3.5 3.5 0 0 1 7 0V12",
  hanger: "M12 9.500V8.200a2 2 0 1 0-2-2M12 9.5 3 16c-.8.7-.4 2 .7 2h16.600c1.1 0 1.5-1.3.7-2z",
  none: "M5 5l14 14M19 5 5 19",
  upload: "M12 16V4.500M7.5 9 12 4.5 16.5 9M4.5 15v4.500h15V15",
  dice: "M4 7h3l9 10h4M4 17h3l2.5-2.800M13.5 9.8 16 7h4M17.5 4.5 20 7l-2.5 2.500M17.5 14.5 20 17l-2.5 2.5",
  undo: "M8.5 5 4 9.5 8.5 14M4.5 9.500H14a5 5 0 0 1 0 10h-3",
  redo: "M15.5 5 20 9.5 15.5 14M19.5 9.500H10a5 5 0 0 0 0 10h3",
  keep: "M7 4h10v16.500L12 17l-5 3.500z",
  download: "M12 4.500V16M7.5 11.5 12 16l4.5-4.500M4.5 19.500h15",
  mirror: "M12 3v18M9 7 3.5 17H9zM15 7l5.5 10H15z",
  pose: "M12 3.500a1.8 1.8 0 1 0 .01 0M12 7v7M6.5 9.5 12 8.500l5.5-2M12 14l-3.5 7M12 14l3.5 7",
  help: "M9 9.200a3 3 0 1 1 4.2 2.800c-.9.4-1.2 1-1.2 2M12 17.500h.01",
};

/** The drawing of a name; one of a slot that has none is a hanger. */
export function icon(name) {
  const path = svg("path", { d: PATHS[name] ?? PATHS.hanger });
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, path);
}
