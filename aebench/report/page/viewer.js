// The viewer: two pictures of one image over each other, flipped or slid, with what was measured of them below.

/**
 * Bring the viewer to life.
 * @param {any} data
 * @returns {(image: string, setting: string) => void} shows a picture, of the image already shown where none is named
 */
function startViewer(data) {
  const names = Object.keys(data.pictures);
  const [image, sideA, sideB, size] = ["image", "side-a", "side-b", "size"].map(byId);
  if (!image || !names.length) return () => {};
  const [stage, slide, flip] = ["stage", "slide", "flip"].map(byId);

  /** @param {HTMLSelectElement} select @param {string} wanted */
  function fill(select, wanted) {
    const own = data.pictures[image.value];
    const groups = data.curves[data.metrics[0].column][image.value].map((curve) => {
      const options = curve.settings.map((i) => data.settings[i]).filter((setting) => setting in own).map((setting) =>
        html("option", { value: setting }, own[setting][1] ? setting : `${setting} (linked)`));
      return options.length ? html("optgroup", { label: data.variants[curve.variant].name }, ...options) : "";
    });
    select.replaceChildren(...("" in own ? [html("option", { value: "" }, "original")] : []), ...groups);
    select.value = wanted in own ? wanted : usual(own);
  }

  /** @returns {string} the setting that is shown first: one that is in the page */
  function usual(own) {
    const settings = Object.keys(own).filter((setting) => setting);
    return settings.find((setting) => own[setting][1]) ?? settings[0] ?? "";
  }

  function show() {
    for (const [side, select] of [["a", sideA], ["b", sideB]]) {
      const setting = select.value;
      const [path, embedded] = data.pictures[image.value][setting];
      const picture = byId(`img-${side}`);
      picture.dataset.path = decodeURI(path);
      picture.src = embedded || path;
      const said = measured(image.value, setting);
      picture.alt = `${image.value}, ${setting || "original"}${said ? `, ${said}` : ""}`;
      byId(`caption-${side}`).replaceChildren(
        html("b", {}, `${side.toUpperCase()}: ${setting || "original"}`), html("br", {}), said || "what was given to the encoder",
      );
    }
    byId("picture-error").textContent = "";
  }

  /** @returns {string} rate and qualities of an image at a setting */
  function measured(name, setting) {
    const found = [];
    for (const metric of data.metrics) {
      for (const curve of data.curves[metric.column][name]) {
        const index = curve.settings.findIndex((i) => data.settings[i] === setting);
        if (index < 0) continue;
        if (!found.length) found.push(`${curve.bpp[index]} bpp`);
        found.push(`${metric.label} ${curve.quality[index]}`);
      }
    }
    return found.join(", ");
  }

  function place() {
    const share = Number(slide.value);
    stage.style.setProperty("--share", `${share}%`);
    byId("divider").hidden = share === 0 || share === 100;
    slide.setAttribute("aria-valuetext", `${share} % of A`);
    const showsB = share < 50;
    flip.setAttribute("aria-pressed", String(showsB));
    flip.textContent = showsB ? "Flip to A" : "Flip to B";
    byId("caption-a").classList.toggle("shown", share > 0);
    byId("caption-b").classList.toggle("shown", share < 100);
  }

  function zoom() {
    const factor = Number(size.value);
    stage.className = factor ? "stage zoom" : "stage fit";
    for (const picture of stage.querySelectorAll("img")) {
      picture.style.width = factor ? `${picture.naturalWidth * factor / (factor === 1 ? devicePixelRatio : 1)}px` : "";
    }
  }

  function turn() {
    slide.value = Number(slide.value) < 50 ? "100" : "0";
    place();
  }

  function choose() {
    fill(sideA, sideA.value);
    fill(sideB, sideB.value || usual(data.pictures[image.value]));
    show();
  }

  image.append(...names.map((name) => html("option", { value: name }, name)));
  image.value = names.find((name) => Object.values(data.pictures[name]).some(([, embedded]) => embedded)) ?? names[0];
  image.addEventListener("change", choose);
  sideA.addEventListener("change", show);
  sideB.addEventListener("change", show);
  size.addEventListener("change", zoom);
  slide.addEventListener("input", place);
  flip.addEventListener("click", turn);
  for (const picture of stage.querySelectorAll("img")) {
    picture.addEventListener("load", zoom);
    picture.addEventListener("error", () => {
      byId("picture-error").textContent =
        `${picture.alt} is not in this page but in the folder of the run, as ${picture.dataset.path}, and is not found there.`;
    });
  }
  startStage(stage, slide, place, turn);
  choose();
  place();
  zoom();
  return (name, setting) => {
    if (name in data.pictures) image.value = name;
    if (!(setting in data.pictures[image.value])) return;
    choose();
    sideB.value = setting;
    slide.value = "0";
    show();
    place();
    byId("pictures").scrollIntoView();
    flip.focus({ preventScroll: true });
  };
}

/** Let keys flip and slide, and a dragged pointer slide. */
function startStage(stage, slide, place, turn) {
  const section = byId("pictures");
  section.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "f" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLSelectElement) return; // there a letter chooses an option
    event.preventDefault();
    turn();
  });
  const frame = stage.querySelector(".frame");
  const drag = (/** @type {PointerEvent} */ event) => {
    const box = frame.getBoundingClientRect();
    slide.value = String(Math.round((100 * (event.clientX - box.left)) / box.width));
    place();
  };
  frame.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "mouse" && event.button === 0) drag(event);
  });
  frame.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) drag(event);
  });
}
