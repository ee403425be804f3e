// Columns of a table as Python's `columns.encode` writes them.

/** A function from a row's place to its value: a number or null, true or false, or a text. */
function reader(column) {
  if (column.numbers) return (row) => column.numbers[row];
  if (column.truths) return (row) => column.truths[row] === 1;
  return (row) => column.values[column.places[row]] ?? null;
}

/** How many rows a table has. */
export function length(table) {
  const [first] = Object.values(table);
  return first ? (first.numbers ?? first.truths ?? first.places).length : 0;
}

/** Readers of all columns of a table, by their names. */
export function readers(table) {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, reader(column)]));
}

/** Whether a column holds numbers. */
export const isNumeric = (column) => column?.numbers !== undefined;
