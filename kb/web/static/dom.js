// Elements without a framework. Text goes in as text; only `prose.js` ever parses HTML.

export const $ = (id) => document.getElementById(id);

/** An element. `props` are properties, or attributes where the name has a dash; undefined, null and false are left out. */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) made.addEventListener(type, listener);
    else if (name === "class") made.className = value;
    else if (name.includes("-") || name === "role" || name === "lang") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

const SHAPES = {
  left: "M12 4.5 6.5 10l5.5 5.5",
  sun: "M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM10 1.5V3m0 14v1.5M18.5 10H17M3 10H1.5m14.5-6-1 1M5 15l-1 1m12 0-1-1M5 5 4 4",
  bell: "M10 2.5a5 5 0 0 0-5 5c0 4.5-1.5 6-1.5 6h13s-1.5-1.5-1.5-6a5 5 0 0 0-5-5ZM8.3 16.5a1.9 1.9 0 0 0 3.4 0",
  moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z",
};

/** A decorative icon; what it means has to stand beside it or in a label. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
