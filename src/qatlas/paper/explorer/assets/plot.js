// What a plot is filled with, and the plot itself.
import { written } from "explorer/words";

/** Rows of a scope as points of a plot: in reach of its axes, with the words of their tooltips. */
function point(rows, row, view, quantity, bold, style) {
  const at = (column) => rows.at[column]?.(row) ?? null;
  const known = rows.fields.filter(({ column, tip }) => tip && at(column) !== null && at(column) !== 0);
  return {
    row,
    x: at(view.x),
    y: at(quantity.column),
    low: at(`${quantity.column}_low`),
    high: at(`${quantity.column}_high`),
    family: at("family"),
    bold,
    ...style,
    label: `${at("series")}: ${view.x_label} ${written(at(view.x))}, ` +
      `${quantity.label} ${written(at(quantity.column))}`,
    tip: Object.fromEntries(known.map(({ column, tip }) => [tip, written(at(column))])),
  };
}

const drawable = (value, axis) => value !== null && (axis !== "log" || value > 0);

/** Points of a scope, those of single grids bold, or the best of each family if none is. */
export function points(rows, places, view, quantity, { without, single }, styleCount) {
  const found = [];
  for (const row of places) {
    const family = rows.at.family(row);
    const series = rows.at.series(row);
    const [x, y] = [rows.at[view.x](row), rows.at[quantity.column](row)];
    if (without.includes(family)) continue;
    if (!drawable(x, view.x_axis) || !drawable(y, quantity.axis)) continue;
    const own = single.length > 0;
    const place = own ? rows.seriesOf.get(family).indexOf(series) : rows.place.get(family);
    found.push(point(rows, row, view, quantity, own ? single.includes(series) : rows.at.best(row), {
      shape: String(place % styleCount.shapes),
      dash: String(own ? place % styleCount.dashes : 0),
      series,
    }));
  }
  return found;
}

/** Lines through points: every series pale, and what stands out, a series or a family, bold. */
export function lines(drawn, bySeries, longestStep) {
  const curves = new Map();
  const add = (name, point, bold) => {
    if (!curves.has(name)) curves.set(name, []);
    curves.get(name).push({ x: point.x, y: point.y, family: point.family, dash: point.dash, bold,
      line: name });
  };
  const repeated = families(drawn);
  for (const point of drawn) {
    add(`pale ${point.series}`, point, false);
    if (!point.bold) continue;
    if (bySeries) add(`bold ${point.series}`, point, true);
    // The grids of a family that are single points are no curve.
    else if (repeated.has(point.family)) add(`bold ${point.family}`, point, true);
  }
  return [...curves.values()].flatMap((curve) => pieces(curve, longestStep));
}

/** Families that have a series of several points. */
function families(drawn) {
  const seen = new Set();
  const found = new Set();
  for (const { series, family } of drawn) {
    if (seen.has(series)) found.add(family);
    seen.add(series);
  }
  return found;
}

/** A curve in order of x, cut where its points are further apart than a line may say. */
function pieces(curve, longestStep) {
  const sorted = curve.sort((a, b) => a.x - b.x);
  let piece = 0;
  return sorted.map((point, place) => {
    const step = place ? point.x - sorted[place - 1].x : 0;
    if (longestStep !== null && step > longestStep) piece += 1;
    return { ...point, piece };
  });
}

/** Where the axes end: as asked, or around all that is drawn. */
export function ends(drawn, limits, view, quantity, asked) {
  const xs = drawn.map((point) => point.x);
  const [xLow, xHigh] = view.x_axis === "log"
    ? aroundLog(xs, 1.15, null)
    : [0, around([...xs, 0], null)[1]];
  const x = [asked.xlow ?? xLow, asked.xhigh ?? xHigh];
  const seen = drawn.filter((point) => point.x >= x[0] && point.x <= x[1]);
  const levels = limits.filter((limit) => limit.x === null).map((limit) => limit.y);
  const first = levels[0];
  const ceiling = quantity.ceiling ??
    (quantity.ceiling_over_level && first ? quantity.ceiling_over_level * first : null);
  const ys = seen.map((point) => point.y).concat(levels);
  const [yLow, yHigh] = quantity.axis === "log" ? aroundLog(ys, 1.5, ceiling) : around(ys, ceiling);
  return [...x, asked.ylow ?? yLow, asked.yhigh ?? yHigh];
}

/** The ends of a logarithmic axis: so many times beyond its values, up to a ceiling. */
function aroundLog(values, times, ceiling) {
  if (!values.length) return [0.1, 10];
  const high = Math.max(...values) * times;
  return [Math.min(...values) / times, Math.min(high, ceiling ?? high)];
}

/** The ends of a linear axis: a little beyond its values, up to a ceiling. */
function around(values, ceiling) {
  if (!values.length) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || 1) / 40;
  return [low - margin, Math.min(high + margin, ceiling ?? Infinity)];
}

/** The plot on the page. */
export class Plot {
  #view = null;
  #drawn = "";

  constructor(element, onChoice) {
    this.element = element;
    this.onChoice = onChoice;
  }

  /** Draw data with a specification; the plot is made anew only if that or the colours changed. */
  async show(name, chart, config, data, signals) {
    if (name !== this.#drawn) {
      this.#view?.finalize();
      const made = await globalThis.vegaEmbed(this.element, chart, {
        actions: false,
        renderer: "svg",
        config,
        tooltip: { theme: "explorer" },
      });
      this.#view = made.view;
      this.#drawn = name;
      this.#view.addEventListener("click", (_, item) => {
        const datum = item?.datum?.datum ?? item?.datum;
        if (datum?.row !== undefined) this.onChoice(datum.row);
      });
    }
    for (const [signal, value] of Object.entries(signals)) this.#view.signal(signal, value);
    for (const [set, rows] of Object.entries(data)) this.#view.data(set, rows);
    await this.#view.runAsync();
  }

  /** The plot as an SVG image. */
  svg() {
    return this.#view.toSVG();
  }
}
