// The page: the address says what is shown, and every choice becomes the address.
import * as controls from "explorer/controls";
import { ends, lines, Plot, points } from "explorer/plot";
import { describe } from "explorer/point";
import { Rows } from "explorer/rows";
import { fragment, parse } from "explorer/state";
import { csv, fill, filtered, pageCount, pageOf, sorted } from "explorer/table";
import { written } from "explorer/words";

const $ = (id) => document.getElementById(id);
const content = JSON.parse($("content").textContent);
const known = new Map();
const dark = matchMedia("(prefers-color-scheme: dark)");
const ENDS = ["x-low", "x-high", "y-low", "y-high"];

/** A set of rows, prepared when it is first looked at. */
function rowsOf(name) {
  if (!known.has(name)) known.set(name, new Rows(content.datasets[name]));
  return known.get(name);
}

let state = parse(location.hash);
let now = null;

/** What the state means: the view, the quantity, the choice and its rows. */
function resolved() {
  const view = content.views.find(({ name }) => name === state.view) ?? content.views[0];
  const number = Math.max(0, view.quantities.findIndex(({ column }) => column === state.quantity));
  const rows = rowsOf(view.dataset);
  const chosen = rows.choice(state.facets);
  const scope = rows.scope(chosen);
  const isKnown = (family) => rows.place.has(family);
  return {
    view,
    quantity: view.quantities[number],
    chart: view.charts[number],
    rows,
    chosen,
    scope,
    places: rows.rowsOf(scope),
    without: state.without.filter(isKnown),
    single: state.single.filter((name) => [...rows.seriesOf.values()].flat().includes(name)),
  };
}

/** Change the state and show it; what is typed replaces the address, all else adds to the history. */
function change(changes, typed = false) {
  const wanted = fragment({ ...state, ...changes });
  if (wanted === fragment(state)) return;
  if (typed) history.replaceState(null, "", wanted);
  else history.pushState(null, "", wanted);
  state = parse(wanted);
  show();
}

const toggled = (list, name, on) => (on ? [...list, name] : list.filter((other) => other !== name));

/** The end of an axis that was asked for; undefined where none was, or no number. */
function asked(name) {
  const text = state[name];
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

function theme() {
  return content.themes[state.theme] ? state.theme : dark.matches ? "dark" : "light";
}

/** Another view keeps what it also knows: the families and, of the same rows, the choice. */
function addressOf(view) {
  const same = view.dataset === now.view.dataset;
  const kept = same
    ? { facets: state.facets, without: state.without, single: state.single, point: state.point }
    : { facets: {}, without: [], single: [], point: "" };
  return fragment({ ...parse(""), theme: state.theme, view: view.name, ...kept });
}

function showControls() {
  const { view, quantity, rows, chosen } = now;
  document.documentElement.dataset.theme = theme();
  $("theme").value = content.themes[state.theme] ? state.theme : "";
  controls.views($("views"), content.views, view, addressOf);
  $("title").textContent = view.title;
  $("note").textContent = view.note;
  controls.facets($("facets"), rows, chosen, (column, value) => {
    const facets = { ...chosen, [column]: value };
    change({ facets: rows.choice(facets), point: "", page: "" });
  });
  controls.quantities($("quantity"), view.quantities, quantity);
  const style = {
    colours: rows.colours[theme()],
    shapes: content.shapes,
    dashes: content.dashes,
  };
  $("families-title").textContent = rows.familiesLabel;
  controls.families($("family-list"), rows, now, style, {
    show: (family, on) => change({ without: toggled(state.without, family, !on), page: "" }),
    single: (name, on) => change({ single: toggled(state.single, name, on) }),
  });
  const levels = quantity.level ? [{ label: quantity.level, dashes: [3, 1.5] }] : rows.drawnLimits;
  const named = quantity.level ? levels : levels.filter(({ name }) => now.limits.some((l) => l.limit === name));
  controls.limits($("limits"), named, content.themes[theme()].ink);
  for (const id of ENDS) {
    const input = $(id);
    if (input !== document.activeElement) input.value = asked(id.replace("-", "")) ?? "";
  }
}

function showPlot() {
  const { view, quantity, chart, rows, places } = now;
  const styles = { shapes: content.shapes.length, dashes: content.dashes.length };
  const drawn = points(rows, places, view, quantity, now, styles);
  const axes = ends(drawn, now.limits, view, quantity, {
    xlow: asked("xlow"),
    xhigh: asked("xhigh"),
    ylow: asked("ylow"),
    yhigh: asked("yhigh"),
  });
  const [xLow, xHigh, yLow, yHigh] = axes;
  const within = ({ x, y }) => x >= xLow && x <= xHigh && y >= yLow && y <= yHigh;
  now.drawn = drawn.filter(within);
  now.point = now.drawn.find(({ row }) => rows.key(row) === state.point);
  const data = {
    lines: lines(drawn, now.single.length > 0, view.longest_step),
    points: now.drawn,
    limits: now.limits,
    chosen: now.point ? [now.point] : [],
  };
  const signals = Object.fromEntries(content.ends.map((name, place) => [name, axes[place]]));
  const name = `${view.name} ${quantity.column} ${theme()}`;
  say(drawn.length - now.drawn.length);
  return plot.show(name, chart, rows.plotConfig[theme()], data, signals);
}

/** One sentence on what the plot shows. */
function say(outside) {
  const { rows, chosen, scope, drawn } = now;
  const what = rows.facets
    .filter(({ column }) => chosen[column])
    .map(({ column, label }) => `${label} ${chosen[column]}`);
  const tensors = rows.scopeAt.tensors(scope);
  const mean = tensors > 1 ? `, averaged over ${tensors} tensors, each by its weights` : "";
  const count = `${drawn.length} ${drawn.length === 1 ? "point" : "points"}`;
  const beyond = outside ? `; ${outside} beyond the axes` : "";
  const none = drawn.length ? "" : " Nothing is left to draw: tick a family or widen the axes.";
  $("status").textContent = `${what.join(", ")}${mean}: ${count}${beyond}.${none}`;
}

function showTable() {
  const { rows, chosen, scope, places } = now;
  const averaged = !rows.scopeAt.finest(scope);
  $("finest-choice").hidden = !averaged;
  $("finest").value = averaged ? state.finest : "";
  const all = averaged && state.finest ? rows.finestRows(chosen) : places;
  now.listed = sorted(rows, filtered(rows, all, state.filter, now.without), state.sort);
  const pages = pageCount(now.listed.length);
  const page = Math.min(Math.max(1, Math.trunc(Number(state.page)) || 1), pages);
  const focused = document.activeElement?.dataset?.column;
  fill($("table"), rows, pageOf(now.listed, page), state.sort, {
    sort: (sort) => change({ sort, page: "" }),
    choose: (row) => choose(row),
  });
  if (focused) $("table").querySelector(`[data-column="${CSS.escape(focused)}"]`).focus();
  $("count").textContent = `${now.listed.length} of ${all.length} rows`;
  $("page").textContent = `Page ${page} of ${pages}`;
  $("previous").disabled = page === 1;
  $("next").disabled = page === pages;
  now.page = page;
  if ($("filter") !== document.activeElement) $("filter").value = state.filter;
  const example = rows.fields.find(({ column }) => /rate|rms/.test(column)).column;
  $("filter-hint").textContent =
    `Words, and comparisons with the columns of the CSV such as ${example}<4.6; ` +
    "the beginning of a column's name is enough.";
}

/** Show a row: in the plot where it is drawn, else the tensor that it is of. */
function choose(row) {
  const { rows, places } = now;
  const point = rows.key(row);
  if (places.includes(row)) change({ point });
  else change({ facets: { ...now.chosen, tensor: rows.at.tensor(row) }, finest: "", point, page: "" });
}

/** Everything, from the state. */
async function show() {
  now = resolved();
  const { rows, scope, quantity } = now;
  now.limits = quantity.level
    ? [{ limit: rows.drawnLimits[1].name, x: null, y: 0 }]
    : rows.limitsOf(scope, quantity.column);
  showControls();
  const drawing = showPlot();
  describe($("point"), rows, now.places.find((row) => rows.key(row) === state.point));
  showTable();
  await drawing;
  performance.mark("drawn");
}

/** Go from the chosen point to the next: along its line, or to the neighbouring line. */
function step(event) {
  const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const across = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  const bold = now.drawn.filter((point) => point.bold);
  if ((!along && !across) || !bold.length) return;
  event.preventDefault();
  const lineOf = (point) => (now.single.length ? point.series : point.family);
  const order = bold.sort((a, b) => a.x - b.x || a.y - b.y);
  const from = order.find(({ row }) => row === now.point?.row);
  if (!from) {
    choose(order[0].row);
    return;
  }
  if (along) {
    const line = order.filter((point) => lineOf(point) === lineOf(from));
    choose((line[line.indexOf(from) + along] ?? from).row);
    return;
  }
  const others = order.filter((p) => lineOf(p) !== lineOf(from) && across * (p.y - from.y) > 0);
  const away = ({ x, y }) => Math.abs(x - from.x) * 1e3 + Math.abs(Math.log(y / from.y) || 0);
  const next = others.reduce((best, p) => (best && away(best) <= away(p) ? best : p), null);
  choose((next ?? from).row);
}

/** Hand a text to the browser as a file. */
function save(text, type, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Where there is little room the plot comes first; a list that was opened stays so.
$("choices").open = matchMedia("(min-width: 56rem)").matches;
const plot = new Plot($("plot"), choose);
$("plot").addEventListener("keydown", step);
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("theme").addEventListener("change", (event) => change({ theme: event.target.value }));
$("quantity").addEventListener("change", (event) =>
  change({ quantity: event.target.value, ylow: "", yhigh: "" }));
for (const id of ENDS) {
  $(id).addEventListener("input", (event) =>
    change({ [id.replace("-", "")]: event.target.value }, true));
}
$("finest").addEventListener("change", (event) => change({ finest: event.target.value, page: "" }));
$("filter").addEventListener("input", (event) =>
  change({ filter: event.target.value, page: "" }, true));
$("reset").addEventListener("click", () => change({ without: [], single: [] }));
$("previous").addEventListener("click", () => change({ page: String(now.page - 1) }));
$("next").addEventListener("click", () => change({ page: String(now.page + 1) }));
$("download").addEventListener("click", () =>
  save(csv(now.rows, now.listed), "text/csv", `${now.view.name}.csv`));
$("save").addEventListener("click", async () =>
  save(await plot.svg(), "image/svg+xml", `${now.view.name}.svg`));
document.querySelector("[data-skip]").addEventListener("click", (event) => {
  event.preventDefault();
  $("plot").focus();
});
dark.addEventListener("change", show);
addEventListener("popstate", () => {
  state = parse(location.hash);
  show();
});
await show();
