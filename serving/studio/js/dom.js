/** Elements, made in one line each. */

const SVG = "http://www.w3.org/2000/svg";

/** Finds the element of an id. */
export const byId = (id) => document.getElementById(id);

/** Makes an HTML element; properties that start with "on" are listeners, the others are attributes. */
export function html(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** Makes an SVG element, in the same way. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Reads a name of the API for people: "left_hip" is "left hip". */
export const words = (name) => name.replaceAll("_", " ");

/** The same with a capital. */
export const title = (name) => words(name).replace(/^./, (letter) => letter.toUpperCase());

/** Says something to a screen reader, and to all others for a moment. */
export function announce(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => place.classList.remove("shown"), 2600);
}

/** Hands a file to the person who uses the page. */
export function download(blob, name) {
  const link = html("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
