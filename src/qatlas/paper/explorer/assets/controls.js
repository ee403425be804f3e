// Everything to choose with.

const SVG = "http://www.w3.org/2000/svg";

function option(value, label, chosen) {
  const made = new Option(label, value);
  made.selected = value === chosen;
  return made;
}

/** Links to the views, each with its own address. */
export function views(element, all, current, address) {
  element.replaceChildren(
    ...all.map((view) => {
      const item = document.createElement("li");
      const link = item.appendChild(document.createElement("a"));
      link.textContent = view.title;
      link.href = address(view);
      if (view.name === current.name) link.setAttribute("aria-current", "page");
      return item;
    }),
  );
}

/** A list to choose from for every facet that has several values. */
export function facets(element, rows, chosen, onChange) {
  const legend = element.firstElementChild;
  const made = rows.facets.map((facet, place) => {
    const options = rows.options(place, chosen);
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.dataset.facet = facet.column;
    for (const value of options) {
      select.append(option(value, value || facet.all_label, chosen[facet.column]));
    }
    select.disabled = options.length < 2;
    select.addEventListener("change", () => onChange(facet.column, select.value));
    label.append(`${facet.label} `, select);
    return label;
  });
  element.replaceChildren(legend, ...made);
}

/** The list of what may be drawn upright; `label` names each. */
export function quantities(select, all, chosen) {
  select.replaceChildren(...all.map((q) => option(q.column, q.label, chosen.column)));
  select.disabled = all.length < 2;
}

/** A marker on a line, as the plot has it. */
function swatch(colour, shape, dashes) {
  const image = document.createElementNS(SVG, "svg");
  image.setAttribute("viewBox", "-14 -7 28 14");
  image.setAttribute("aria-hidden", "true");
  const line = image.appendChild(document.createElementNS(SVG, "path"));
  line.setAttribute("d", "M-14,0H14");
  line.setAttribute("stroke", colour);
  line.setAttribute("stroke-width", "2");
  line.setAttribute("stroke-dasharray", dashes.join(" "));
  if (shape) {
    const marker = image.appendChild(document.createElementNS(SVG, "path"));
    marker.setAttribute("d", shape);
    marker.setAttribute("transform", "scale(4.5)");
    marker.setAttribute("fill", colour);
  }
  return image;
}

function box(text, checked, onChange, image) {
  const label = document.createElement("label");
  const input = label.appendChild(document.createElement("input"));
  input.type = "checkbox";
  input.checked = checked;
  input.addEventListener("change", () => onChange(input.checked));
  if (image) label.append(image);
  label.append(text);
  return label;
}

/** Families with their colours, to leave out, and below each its grids, to single out. */
export function families(element, rows, state, style, acts) {
  const open = new Set([...element.querySelectorAll("details[open]")].map((d) => d.dataset.family));
  const focused = document.activeElement?.closest?.("#family-list label")?.textContent;
  element.replaceChildren(
    ...rows.families.map((family, place) => {
      const series = rows.seriesOf.get(family.name);
      const colour = style.colours[place];
      const item = document.createElement("div");
      item.className = "family";
      const shown = !state.without.includes(family.name);
      const image = swatch(colour, style.shapes[place % style.shapes.length], style.dashes[0]);
      item.append(box(family.label, shown, (on) => acts.show(family.name, on), image));
      const details = item.appendChild(document.createElement("details"));
      details.dataset.family = family.name;
      details.open = open.has(family.name) || series.some((name) => state.single.includes(name));
      const summary = details.appendChild(document.createElement("summary"));
      summary.textContent = `${series.length} ${rows.seriesLabel}${series.length === 1 ? "" : "s"}`;
      summary.setAttribute("aria-label", `${family.label}: ${summary.textContent} to single out`);
      details.append(
        ...series.map((name, number) => {
          const own = swatch(
            colour,
            style.shapes[number % style.shapes.length],
            style.dashes[number % style.dashes.length],
          );
          return box(name, state.single.includes(name), (on) => acts.single(name, on), own);
        }),
      );
      return item;
    }),
  );
  // The list is made anew, but who came here with the keyboard stays.
  if (focused !== undefined) {
    const labels = [...element.querySelectorAll("label")];
    labels.find((label) => label.textContent === focused)?.firstElementChild.focus();
  }
}

/** The legend of dashed lines. */
export function limits(element, drawn, ink) {
  element.replaceChildren(
    ...drawn.map(({ label, dashes }) => {
      const item = document.createElement("li");
      item.append(swatch(ink, null, dashes), label);
      return item;
    }),
  );
}
