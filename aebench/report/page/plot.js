// The plot itself: scales, axes, curves. It draws what it is given and knows no control.

/**
 * @typedef {{variant: number, settings: number[], x: (number|null)[], y: (number|null)[], bpp: string[],
 *   quality: string[]}} Curve
 * @typedef {{curve: Curve, index: number, x: number, y: number}} Spot a point and where it lies, in pixels
 * @typedef {{low: number, high: number, log: boolean}} Range
 */

const MARGIN = { top: 10, right: 14, bottom: 46, left: 54 };
const NEAR = 2;

/**
 * Draw curves into a fresh SVG.
 * @param {Curve[]} curves @param {Variant[]} variants
 * @param {{axis: string, label: string, width: number}} how
 * @returns {{element: SVGElement, spots: Spot[], height: number}}
 */
function drawPlot(curves, variants, how) {
  const height = Math.round(Math.min(Math.max(how.width * 0.6, 300), 520));
  const root = svg("svg", { viewBox: `0 0 ${how.width} ${height}`, width: how.width, height, "aria-hidden": "true" });
  const points = curves.flatMap(placed).filter(([x]) => how.axis !== "near" || x <= NEAR);
  const rates = rangeOf(points.map(([x]) => x), how.axis);
  const qualities = rangeOf(points.map(([, y]) => y), "quality");
  const toX = scale(rates, MARGIN.left, how.width - MARGIN.right);
  const toY = scale(qualities, height - MARGIN.bottom, MARGIN.top);
  drawAxes(root, { rates, qualities, toX, toY, height, ...how });

  const area = svg("clipPath", { id: "area" });
  area.append(svg("rect", {
    x: MARGIN.left - 6, y: 0, width: how.width - MARGIN.left - MARGIN.right + 12, height: height - MARGIN.bottom + 6,
  }));
  const layer = svg("g", { "clip-path": "url(#area)" });
  root.append(area, layer);
  const spots = curves.flatMap((curve) => drawCurve(layer, curve, variants[curve.variant], toX, toY));
  const visible = spots.filter(({ x, y }) => x <= how.width - MARGIN.right + 1 && y <= height - MARGIN.bottom + 1);
  return { element: root, spots: visible, height };
}

/** @param {Curve} curve @returns {number[][]} x, y and index of the points that have a place */
function placed(curve) {
  return /** @type {number[][]} */ (curve.x.map((x, i) => [x, curve.y[i], i]).filter(([x, y]) => x !== null && y !== null));
}

/** @returns {Spot[]} */
function drawCurve(layer, curve, variant, toX, toY) {
  const group = svg("g", { class: `v${curve.variant}`, "data-variant": curve.variant });
  const spots = placed(curve).map(([x, y, index]) => ({ curve, index, x: toX(x), y: toY(y) }));
  const path = spots.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  group.append(line(path || "M0 0", variant), ...spots.map(({ x, y }) => mark(variant.marker, x, y, 4)));
  layer.append(group);
  return spots;
}

/** @param {number[]} values @param {string} kind @returns {Range} */
function rangeOf(values, kind) {
  const log = kind === "log";
  if (!values.length) return { low: log ? 0.1 : 0, high: 1, log };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (log) return { low: least / 1.15, high: most * 1.15, log };
  if (kind === "quality") {
    const room = Math.max((most - least) * 0.05, 0.05);
    return { low: least - room, high: most + room, log };
  }
  return { low: 0, high: kind === "near" ? Math.min(NEAR, most * 1.05) : most * 1.05, log };
}

/** @param {Range} range @returns {(value: number) => number} */
function scale({ low, high, log }, from, to) {
  const bend = log ? Math.log : (/** @type {number} */ value) => value;
  return (value) => from + ((bend(value) - bend(low)) / (bend(high) - bend(low) || 1)) * (to - from);
}

/** @param {Range} range @param {number} most @returns {number[]} round values inside the range */
function ticks({ low, high, log }, most) {
  if (log) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const digit of [1, 2, 5]) all.push(Number(`${digit}e${power}`));
    }
    const inside = all.filter((value) => value >= low && value <= high);
    const tens = inside.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6));
    return inside.length > most && tens.length > 1 ? tens : inside;
  }
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function drawAxes(root, { rates, qualities, toX, toY, width, height, label }) {
  const bottom = height - MARGIN.bottom;
  for (const value of ticks(rates, Math.max(3, Math.floor(width / 55)))) {
    const x = toX(value);
    root.append(
      svg("line", { class: "grid", x1: x, x2: x, y1: MARGIN.top, y2: bottom }),
      svg("text", { x, y: bottom + 18, "text-anchor": "middle" }, String(value)),
    );
  }
  for (const value of ticks(qualities, Math.floor(height / 50))) {
    const y = toY(value);
    root.append(
      svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }),
      svg("text", { x: MARGIN.left - 7, y: y + 4, "text-anchor": "end" }, String(value)),
    );
  }
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  root.append(
    svg("path", { class: "axis", fill: "none", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${width - MARGIN.right}` }),
    svg("text", { class: "title", x: middle, y: height - 8, "text-anchor": "middle" },
      `rate (bits per pixel${rates.log ? ", logarithmic" : ""})`),
    svg("text", {
      class: "title", "text-anchor": "middle", transform: `translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)`,
    }, label),
  );
}
