// Start: the theme, the tables, and where there are curves the chart and the viewer.

/** The system's theme until the reader asks for the other; remembered where the browser allows it. */
function startTheme() {
  const button = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const memory = {
    read: () => { try { return localStorage.getItem("aebench-theme"); } catch { return null; } },
    write: (/** @type {string} */ theme) => { try { localStorage.setItem("aebench-theme", theme); } catch { /* only for this visit */ } },
  };
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  const stored = memory.read();
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    memory.write(root.dataset.theme);
    name();
  });
  system.addEventListener("change", name);
  button.hidden = false;
  name();
}

const data = JSON.parse(byId("data").textContent);
startTheme();
startTables();
if (data.metrics.length) startChart(data, startViewer(data));
