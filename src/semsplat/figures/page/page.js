"use strict";
// Links that open what they lead to, tables that sort, the ledger's filters, light and dark.

function reveal() {
  const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!place) return;
  for (let box = place; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
  place.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

function orderOf(cell) {
  const text = cell.dataset.order ?? cell.textContent.trim();
  const number = parseFloat(text);
  return Number.isNaN(number) ? text.toLowerCase() : number;
}
function compare(a, b) {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? -1 : 1;
}
function sortBy(head) {
  const table = head.closest("table"), index = head.cellIndex;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (down ? -1 : 1) * compare(orderOf(a.cells[index]), orderOf(b.cells[index])));
  table.tBodies[0].append(...rows);
}
for (const head of document.querySelectorAll("table[data-sortable] thead th")) {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => sortBy(head));
}

const filters = [...document.querySelectorAll("[data-filter]")];
function applyFilters(event) {
  const wanted = Object.fromEntries(filters.map((f) => [f.dataset.filter, f.value.trim().toLowerCase()]));
  const rows = [...document.querySelectorAll(".ledger tbody tr")];
  for (const row of rows) {
    const fits = (key) => !wanted[key] || row.dataset[key].toLowerCase() === wanted[key];
    row.hidden = !(fits("paper") && fits("verdict") && row.textContent.toLowerCase().includes(wanted.words));
    const folded = row.closest("details");
    if (event && folded && !row.hidden) folded.open = true; // who looks for it sees it
  }
  document.getElementById("count").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
}
for (const filter of filters)
  for (const event of ["input", "change"]) filter.addEventListener(event, applyFilters);
if (filters.length) applyFilters();

const THEME = "semsplat-theme", theme = document.getElementById("theme");
function remembered(value) {
  try { // a browser may keep nothing of files
    if (value) localStorage.setItem(THEME, value);
    return localStorage.getItem(THEME);
  } catch { return null; }
}
function paint(value) {
  document.documentElement.dataset.theme = value;
  theme.textContent = value === "dark" ? "Light" : "Dark";
  theme.setAttribute("aria-label", `${theme.textContent} colours`);
}
const dark = matchMedia("(prefers-color-scheme: dark)");
paint(remembered() ?? (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => remembered() || paint(dark.matches ? "dark" : "light"));
theme.addEventListener("click", () => {
  const value = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  remembered(value);
  paint(value);
});
