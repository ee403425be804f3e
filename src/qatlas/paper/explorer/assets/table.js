// Rows as a table: filtered, sorted, a page at a time; and as CSV.
import { isNumeric } from "explorer/columns";
import { understood, written } from "explorer/words";

const PAGE = 50;
const LEFT_OUT = "job";

/** Places of the rows that a filter and the shown families leave. */
export function filtered(rows, places, filter, without) {
  const numeric = rows.fields.map((f) => f.column).filter((c) => isNumeric(rows.rows[c]));
  const texts = rows.fields.map((f) => f.column).filter((c) => !isNumeric(rows.rows[c]));
  const { words, comparisons } = understood(filter, numeric);
  return places.filter((row) => {
    if (without.includes(rows.at.family(row))) return false;
    const holds = comparisons.every(({ column, holds, number }) => {
      const value = rows.at[column](row);
      return value !== null && holds(value, number);
    });
    if (!holds || !words.length) return holds;
    const said = texts.map((column) => rows.at[column](row)).join(" ").toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/** The same rows by a column, what is missing last; a minus before its name turns the order. */
export function sorted(rows, places, sort) {
  const column = sort.replace(/^-/, "");
  const read = rows.at[column];
  if (!read) return places;
  const turn = sort.startsWith("-") ? -1 : 1;
  const values = new Map(places.map((row) => [row, read(row)]));
  return [...places].sort((one, other) => {
    const [a, b] = [values.get(one), values.get(other)];
    if (a === b) return one - other;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -turn : turn;
  });
}

/** How many pages so many rows take. */
export const pageCount = (count) => Math.max(1, Math.ceil(count / PAGE));

/** The rows of a page, counted from one. */
export const pageOf = (places, page) => places.slice((page - 1) * PAGE, page * PAGE);

/** Fill the table; `acts` has what a click on a heading and on a row's name does. */
export function fill(table, rows, places, sort, acts) {
  const head = document.createElement("thead");
  const headings = head.insertRow();
  for (const { column, label } of rows.fields) {
    const cell = document.createElement("th");
    cell.scope = "col";
    const order = sort === column ? "ascending" : sort === `-${column}` ? "descending" : "none";
    cell.setAttribute("aria-sort", order);
    const button = cell.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = label;
    button.dataset.column = column;
    button.addEventListener("click", () => acts.sort(order === "ascending" ? `-${column}` : column));
    headings.append(cell);
  }
  const last = document.createElement("th");
  last.scope = "col";
  last.textContent = "made by";
  headings.append(last);
  const body = document.createElement("tbody");
  for (const row of places) body.append(line(rows, row, acts));
  table.replaceChildren(head, body);
}

function line(rows, row, acts) {
  const made = document.createElement("tr");
  for (const { column } of rows.fields) {
    const value = rows.at[column](row);
    if (column === "series") {
      const name = document.createElement("th");
      name.scope = "row";
      const button = name.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = value;
      button.addEventListener("click", () => acts.choose(row));
      made.append(name);
      continue;
    }
    const cell = made.insertCell();
    cell.textContent = written(value);
    if (isNumeric(rows.rows[column])) cell.className = "number";
  }
  made.insertCell().append(...links(rows, row));
  return made;
}

/** Links to what the job of a row took and to its log; the words for an average of several. */
export function links(rows, row) {
  const job = rows.at[LEFT_OUT](row);
  if (job === null) return ["several jobs"];
  return [["job", ".benchmark.tsv"], ["log", ".log"]].flatMap(([words, suffix], place) => {
    const link = document.createElement("a");
    const parts = `${rows.jobs[job]}${suffix}`.split("/").map(encodeURIComponent);
    link.href = `../${parts.join("/")}`;
    link.textContent = words;
    link.setAttribute("aria-label", `${words} ${rows.jobs[job]}`);
    return place ? [" ", link] : [link];
  });
}

const quoted = (value) => {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Rows as CSV (RFC 4180) with the names of the columns, and what made each. */
export function csv(rows, places) {
  const columns = rows.fields.map((field) => field.column);
  const made = (row) => rows.jobs[rows.at[LEFT_OUT](row)] ?? "";
  const body = places.map((row) => [...columns.map((c) => rows.at[c](row)), made(row)]);
  return [[...columns, LEFT_OUT], ...body].map((r) => r.map(quoted).join(",")).join("\r\n") + "\r\n";
}
