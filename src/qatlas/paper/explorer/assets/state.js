// What is shown, as the address says it: a view can be shared by its address.

// Texts, each empty unless it was chosen.
const TEXTS = ["view", "quantity", "xlow", "xhigh", "ylow", "yhigh", "finest", "filter", "sort",
  "page", "point", "theme"];
const LISTS = ["without", "single"];
const FACET = "of.";

/** The state that an address's fragment says; what it does not name is empty. */
export function parse(fragment) {
  const found = new URLSearchParams(fragment.replace(/^#/, ""));
  const state = { facets: {} };
  for (const name of TEXTS) state[name] = found.get(name) ?? "";
  for (const name of LISTS) state[name] = found.getAll(name);
  for (const [name, value] of found) {
    if (name.startsWith(FACET)) state.facets[name.slice(FACET.length)] = value;
  }
  return state;
}

/** The fragment that says a state. */
export function fragment(state) {
  const said = new URLSearchParams();
  for (const name of TEXTS) if (state[name]) said.set(name, state[name]);
  for (const [name, value] of Object.entries(state.facets)) {
    if (value) said.set(FACET + name, value);
  }
  for (const name of LISTS) for (const value of state[name]) said.append(name, value);
  return `#${said}`;
}
