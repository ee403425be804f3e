// Which rows a choice leads to, and which of them stand out.
import { length, readers } from "explorer/columns";

const SEPARATOR = "\u0000";
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** A set of rows with the scopes that lead to parts of it. */
export class Rows {
  constructor(dataset) {
    Object.assign(this, dataset);
    this.at = readers(dataset.rows);
    this.limitAt = readers(dataset.limits);
    this.scopeAt = readers(dataset.scopes);
    this.scopeCount = length(dataset.scopes);
    this.columns = dataset.facets.map((facet) => facet.column);
    this.known = new Map();
    for (let scope = 0; scope < this.scopeCount; scope++) {
      this.known.set(this.columns.map((c) => this.scopeAt[c](scope)).join(SEPARATOR), scope);
    }
    this.place = new Map(dataset.families.map((family, place) => [family.name, place]));
    this.seriesOf = this.#series();
  }

  /** Series of each family, sorted. */
  #series() {
    const found = new Map(this.families.map((family) => [family.name, new Set()]));
    const count = length(this.rows);
    for (let row = 0; row < count; row++) found.get(this.at.family(row)).add(this.at.series(row));
    return new Map([...found].map(([family, names]) => [family, [...names].sort(inOrder)]));
  }

  /** Values that a facet may have once those before it are chosen: all together first. */
  options(place, chosen) {
    const found = new Set();
    for (let scope = 0; scope < this.scopeCount; scope++) {
      const agrees = this.columns
        .slice(0, place)
        .every((column) => this.scopeAt[column](scope) === chosen[column]);
      if (agrees) found.add(this.scopeAt[this.columns[place]](scope));
    }
    const values = [...found];
    return this.facets[place].all_label || values.some((value) => !Number.isNaN(Number(value)))
      ? values.sort(inOrder)
      : values;
  }

  /** A whole choice from a wish: what is not there is replaced by what is chosen unasked. */
  choice(wish) {
    const chosen = {};
    this.facets.forEach((facet, place) => {
      const options = this.options(place, chosen);
      const preferred = [wish[facet.column], facet.all_label ? "" : facet.first, options[0]];
      chosen[facet.column] = preferred.find((value) => options.includes(value));
    });
    return chosen;
  }

  /** The scope of a whole choice. */
  scope(chosen) {
    return this.known.get(this.columns.map((column) => chosen[column]).join(SEPARATOR));
  }

  /** Places of the rows of a scope. */
  rowsOf(scope) {
    const first = this.scopeAt.first_row(scope);
    return Array.from({ length: this.scopeAt.rows(scope) }, (_, place) => first + place);
  }

  /** Places of the measurements that the scope of a choice averages. */
  finestRows(chosen) {
    const last = this.columns.at(-1);
    const others = this.columns.slice(0, -1);
    const found = [];
    for (let scope = 0; scope < this.scopeCount; scope++) {
      const beneath = others.every((column) => this.scopeAt[column](scope) === chosen[column]);
      const wanted = chosen[last] || this.scopeAt[last](scope);
      if (beneath && wanted && this.scopeAt[last](scope) === wanted && this.scopeAt.finest(scope)) {
        for (const row of this.rowsOf(scope)) found.push(row);
      }
    }
    return found;
  }

  /** Limits of a scope for one quantity, as rows of a plot. */
  limitsOf(scope, quantity) {
    const first = this.scopeAt.first_limit(scope);
    const found = [];
    for (let row = first; row < first + this.scopeAt.limits(scope); row++) {
      const y = this.limitAt.y(row);
      if (this.limitAt.quantity(row) !== quantity || y === null) continue;
      found.push({ limit: this.limitAt.limit(row), x: this.limitAt.x(row), y });
    }
    return found;
  }

  /** What tells a row from the others of its scope. */
  key(row) {
    return `${this.at.series(row)}@${this.at.at(row)}`;
  }
}
