// The chart: which curves are shown, and which point is read, by pointer or keyboard.

const REACH = 36;

/**
 * Bring the chart to life.
 * @param {any} data what aebench/report/page/chart.py wrote
 * @param {(image: string, setting: string) => void} open shows a picture
 */
function startChart(data, open) {
  const plot = byId("plot");
  const tip = html("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  const state = { metric: 0, image: "", axis: "log", hidden: new Set(), /** @type {any} */ at: null };
  let drawn = { element: svg("svg", {}), spots: /** @type {Spot[]} */ ([]), height: 0 };

  const curvesOf = () => data.curves[data.metrics[state.metric].column][state.image] ?? [];
  const shownCurves = () => curvesOf().filter((/** @type {Curve} */ curve) => !state.hidden.has(curve.variant));

  function draw() {
    const metric = data.metrics[state.metric];
    const width = Math.max(280, Math.floor(plot.clientWidth));
    drawn = drawPlot(shownCurves(), data.variants, { axis: state.axis, label: metric.axis, width });
    plot.replaceChildren(drawn.element, tip);
    const of = state.image || metric.mean;
    plot.setAttribute("aria-label", `Rate-distortion curves, ${metric.label}, ${of}`);
    byId("chart-note").textContent = noteOf(metric);
    byId("points-table").replaceChildren(pointsTable(shownCurves(), data, `${metric.label}, ${of}`));
    focusOn(state.at && drawn.spots.find((spot) => isSame(spot, state.at)), true);
  }

  function noteOf(metric) {
    const said = [state.image ? `One image: ${state.image}.` : metric.note];
    const lossless = shownCurves().flatMap((curve) => curve.settings.filter((_, i) => curve.y[i] === null));
    if (lossless.length) {
      said.push(`Without a place on the axis, being lossless: ${lossless.map((i) => data.settings[i]).join(", ")}.`);
    }
    const missing = data.variants.filter((variant, i) => !variant.published && !curvesOf().some((c) => c.variant === i));
    if (missing.length) said.push(`Without a curve here: ${missing.map((variant) => variant.name).join(", ")}.`);
    return said.join(" ");
  }

  /** @param {Spot | null | undefined} spot @param {boolean} [quiet] leave what is read out as it is, if it still holds */
  function focusOn(spot, quiet) {
    drawn.element.querySelectorAll(".ring, .cross").forEach((old) => old.remove());
    drawn.element.querySelectorAll("[data-variant]").forEach((group) => {
      group.classList.toggle("dim", Boolean(spot) && Number(group.getAttribute("data-variant")) !== spot?.curve.variant);
    });
    tip.hidden = !spot;
    state.at = spot ?? null;
    if (!spot) {
      if (quiet) byId("readout").textContent = "";
      return;
    }
    const bottom = drawn.height - MARGIN.bottom;
    drawn.element.append(
      svg("path", { class: "cross", fill: "none", d: `M${MARGIN.left} ${spot.y}H${spot.x}V${bottom}` }),
      svg("circle", { class: "ring", cx: spot.x, cy: spot.y, r: 8 }),
    );
    const said = textsOf(spot.curve, spot.index, data);
    tip.replaceChildren(html("b", {}, said.name), `${said.bpp} bpp`, html("br", {}), said.quality);
    const right = spot.x > plot.clientWidth / 2;
    tip.style.left = `${Math.max(0, right ? spot.x - 14 - tip.offsetWidth : spot.x + 14)}px`;
    tip.style.top = `${Math.max(0, Math.min(spot.y - tip.offsetHeight / 2, drawn.height - tip.offsetHeight))}px`;
    const metric = data.metrics[state.metric];
    byId("readout").textContent =
      `${said.name}: ${said.bpp} bpp, ${metric.label} ${said.quality}, ${state.image || metric.mean}`;
  }

  /** @param {PointerEvent | MouseEvent} event @returns {Spot | undefined} the nearest point in reach */
  function under(event) {
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const away = (/** @type {Spot} */ spot) => Math.hypot(spot.x - x, spot.y - y);
    const near = drawn.spots.reduce((best, spot) => (best && away(best) <= away(spot) ? best : spot), drawn.spots[0]);
    return near && away(near) <= REACH ? near : undefined;
  }

  /** @param {string} key @returns {Spot | undefined} where a key leads */
  function next(key) {
    const { spots } = drawn;
    const at = state.at ?? null;
    if (!at) return spots[0];
    const own = spots.filter((spot) => spot.curve === at.curve);
    const index = own.findIndex((spot) => spot.index === at.index);
    if (key === "ArrowRight") return own[Math.min(index + 1, own.length - 1)];
    if (key === "ArrowLeft") return own[Math.max(index - 1, 0)];
    if (key === "Home") return own[0];
    if (key === "End") return own[own.length - 1];
    const curves = [...new Set(spots.map((spot) => spot.curve))];
    const step = key === "ArrowDown" ? 1 : -1;
    const curve = curves[(curves.indexOf(at.curve) + step + curves.length) % curves.length];
    return spots.filter((spot) => spot.curve === curve)
      .reduce((best, spot) => (Math.abs(spot.x - at.x) < Math.abs(best.x - at.x) ? spot : best));
  }

  function openAt() {
    const setting = state.at && data.settings[state.at.curve.settings[state.at.index]];
    if (setting) open(state.image, setting);
  }

  plot.addEventListener("pointermove", (event) => focusOn(under(event)));
  plot.addEventListener("pointerdown", (event) => focusOn(under(event)));
  plot.addEventListener("pointerleave", () => focusOn(null));
  plot.addEventListener("click", (event) => { if (under(event)) openAt(); });
  plot.addEventListener("keydown", (event) => {
    if (["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
      event.preventDefault();
      focusOn(next(event.key));
    } else if (event.key === "Enter") {
      openAt();
    } else if (event.key === "Escape") {
      focusOn(null, true);
    }
  });
  startControls(data, state, draw);
  let width = 0;
  new ResizeObserver(() => {
    if (plot.clientWidth === width) return;
    width = plot.clientWidth;
    draw();
  }).observe(plot);
}

/** Fill the selects and the legend, and redraw when they change. */
function startControls(data, state, draw) {
  const metric = byId("metric");
  metric.append(...data.metrics.map((m, i) => html("option", { value: String(i) }, m.label)));
  const image = byId("chart-image");
  const nameMean = () => { image.options[0].textContent = data.metrics[state.metric].mean; };
  image.append(html("option", { value: "" }), ...data.images.map((name) => html("option", { value: name }, name)));
  nameMean();
  metric.addEventListener("change", () => { state.metric = Number(metric.value); nameMean(); draw(); });
  image.addEventListener("change", () => { state.image = image.value; draw(); });
  byId("axis").addEventListener("change", () => { state.axis = byId("axis").value; draw(); });
  byId("legend").append(...data.variants.map((variant, i) => {
    const box = /** @type {HTMLInputElement} */ (html("input", { type: "checkbox", checked: "" }));
    box.addEventListener("change", () => {
      if (box.checked) state.hidden.delete(i);
      else state.hidden.add(i);
      draw();
    });
    const sample = svg("svg", { viewBox: "0 0 34 16", class: `v${i}`, "aria-hidden": "true" });
    sample.append(line("M0 8H34", variant), mark(variant.marker, 17, 8, 4));
    const name = html("span", variant.published ? { class: "published" } : {},
      variant.published ? `${variant.name} (published)` : variant.name);
    return html("label", {}, box, sample, name);
  }));
}

/** @returns {{name: string, bpp: string, quality: string}} what is said of a point */
function textsOf(curve, index, data) {
  const variant = data.variants[curve.variant];
  const setting = data.settings[curve.settings[index]];
  return { name: setting ?? `${variant.name} (published)`, bpp: curve.bpp[index], quality: curve.quality[index] };
}

/** @returns {HTMLElement} the curves as a table */
function pointsTable(curves, data, caption) {
  const head = html("tr", {}, ...["setting", "bpp", "quality"].map((text, i) =>
    html("th", { scope: "col", ...(i ? {} : { class: "name" }) }, text)));
  const rows = curves.flatMap((curve) => curve.bpp.map((_, i) => {
    const said = textsOf(curve, i, data);
    return html("tr", {}, html("th", { scope: "row" }, said.name), html("td", {}, said.bpp), html("td", {}, said.quality));
  }));
  return html("table", {}, html("caption", {}, html("span", {}, caption)), html("thead", {}, head), html("tbody", {}, ...rows));
}

/** @returns {boolean} whether two points are the same one in two drawings */
function isSame(a, b) {
  return a.curve.variant === b.curve.variant && a.curve.settings[a.index] === b.curve.settings[b.index];
}
