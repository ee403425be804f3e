// How values are written, and how rows are filtered by words and comparisons.

const DASH = "–";

/** A number to four digits, a text as it is, a dash where there is none. */
export function written(value) {
  if (value === null || value === undefined) return DASH;
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(3);
  return String(Number(value.toPrecision(4)));
}

const COMPARISONS = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
};

/** The column that a short name stands for: its own name, or the first that begins so. */
function named(name, columns) {
  return columns.find((column) => column === name) ?? columns.find((c) => c.startsWith(name));
}

/**
 * What a filter asks: words that the texts of a row must contain and numbers that its columns are
 * compared with, such as `nf4 rate<4.6`.
 */
export function understood(filter, numeric) {
  const asked = { words: [], comparisons: [] };
  for (const part of filter.toLowerCase().split(/\s+/).filter(Boolean)) {
    const [, name, sign, number] = part.match(/^([a-z_0-9]+)(<=|>=|<|>|=)(\S+)$/) ?? [];
    const column = name && named(name, numeric);
    if (column && number !== "" && Number.isFinite(Number(number))) {
      asked.comparisons.push({ column, holds: COMPARISONS[sign], number: Number(number) });
    } else {
      asked.words.push(part);
    }
  }
  return asked;
}
