// Tables: sorting by a click on a head, scrolling by keyboard where they are too wide, BD-rate by metric.

function startTables() {
  for (const table of document.querySelectorAll("table[data-sortable]")) makeSortable(/** @type {any} */ (table));
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const wide = target.scrollWidth > target.clientWidth + 1;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"]]) {
      if (wide) target.setAttribute(name, value);
      else target.removeAttribute(name);
    }
  }));
  document.querySelectorAll(".table .scroll").forEach((element) => watch.observe(element));
  const choice = byId("bd-metric");
  if (!choice) return;
  const chooseMetric = () => {
    for (const table of byId("bd-tables").children) table.hidden = table.dataset.metric !== choice.value;
  };
  byId("bd-controls").hidden = choice.options.length < 2;
  choice.addEventListener("change", chooseMetric);
  chooseMetric();
}

/** @param {HTMLTableElement} table */
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = html("button", { type: "button" }, ...head.childNodes);
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sortRows(table.tBodies[0], column, up ? 1 : -1);
    });
  });
}

/** Sort by number where the column has any, else by text; cells without a number go last. */
function sortRows(body, column, sign) {
  const rows = [...body.rows];
  const value = (row) => row.cells[column].dataset.value;
  const numeric = rows.some((row) => value(row) !== undefined);
  const number = (row) => (value(row) === "inf" ? Infinity : Number(value(row)));
  rows.sort((a, b) => {
    if (!numeric) return sign * a.cells[column].textContent.localeCompare(b.cells[column].textContent, "en", { numeric: true });
    if (value(a) === undefined || value(b) === undefined) return Number(value(a) === undefined) - Number(value(b) === undefined);
    return number(a) === number(b) ? 0 : sign * (number(a) < number(b) ? -1 : 1);
  });
  body.append(...rows);
}
