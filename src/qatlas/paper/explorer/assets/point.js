// The chosen point in words.
import { links } from "explorer/table";
import { written } from "explorer/words";

/** Fill an element with all that is known of a row; empty it for none. */
export function describe(element, rows, row) {
  element.hidden = row === undefined;
  if (row === undefined) {
    element.replaceChildren();
    return;
  }
  const title = document.createElement("h3");
  title.textContent = `${rows.at.series(row)}, ${written(rows.at.at(row))} ${rows.atLabel}`;
  const list = document.createElement("dl");
  for (const { column, label } of rows.fields) {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = label;
    value.textContent = written(rows.at[column](row));
    const pair = document.createElement("div");
    pair.append(term, value);
    list.append(pair);
  }
  const made = document.createElement("p");
  made.append("Made by: ", ...links(rows, row));
  element.replaceChildren(title, list, made);
}
