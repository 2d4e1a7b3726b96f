// Drawing primitives: SVG elements, and the markers that aebench/report/style.py names in matplotlib's notation.

/** @typedef {{name: string, marker: string, dashes: number[], published: boolean}} Variant */

const SVG = "http://www.w3.org/2000/svg";

/** Corners of each marker around 0, 0 at radius 1; the circle has none. @type {Record<string, number[][]>} */
const CORNERS = {
  s: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  D: [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]],
  "^": [[0, -1.15], [1.1, 0.85], [-1.1, 0.85]],
  v: [[0, 1.15], [1.1, -0.85], [-1.1, -0.85]],
  "<": [[-1.15, 0], [0.85, -1.1], [0.85, 1.1]],
  ">": [[1.15, 0], [-0.85, -1.1], [-0.85, 1.1]],
  P: plus(0),
  X: plus(Math.PI / 4),
  h: regular(6),
  p: regular(5),
};

/** @param {number} turn radians @returns {number[][]} a thick plus */
function plus(turn) {
  const [thin, long] = [0.4, 1.15];
  const arm = [[-thin, -long], [thin, -long], [thin, -thin]];
  return [0, 1, 2, 3].flatMap((quarter) => arm.map(([x, y]) => {
    const angle = turn + (quarter * Math.PI) / 2;
    return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
  }));
}

/** @param {number} corners @returns {number[][]} a regular polygon on its tip */
function regular(corners) {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
    return [1.1 * Math.cos(angle), 1.1 * Math.sin(angle)];
  });
}

/**
 * Make an SVG element.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/**
 * Make the marker of a curve; published curves have none.
 * @param {string} marker
 * @param {number} x @param {number} y centre @param {number} size radius
 * @returns {SVGElement}
 */
function mark(marker, x, y, size) {
  const corners = CORNERS[marker];
  if (marker === "o") return svg("circle", { class: "mark", cx: x, cy: y, r: size });
  if (!corners) return svg("circle", { class: "mark", cx: x, cy: y, r: size / 2 });
  const points = corners.map(([dx, dy]) => `${(x + dx * size).toFixed(2)},${(y + dy * size).toFixed(2)}`);
  return svg("polygon", { class: "mark", points: points.join(" ") });
}

/**
 * Draw the line of a curve with its dashes, which are in units of its width.
 * @param {string} path @param {Variant} variant
 * @returns {SVGElement}
 */
function line(path, variant) {
  const width = variant.published ? 1.3 : 1.8;
  return svg("path", {
    class: variant.published ? "curve published" : "curve",
    d: path,
    "stroke-dasharray": variant.dashes.map((length) => length * width).join(" ") || "none",
  });
}

/**
 * Make an HTML element.
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
function html(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Find an element by its id. @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);
