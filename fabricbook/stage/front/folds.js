/* ---- below the chart ---- */

function fold(name) {
  const element = make("details", "fl-fold");
  element.append(make("summary", "", name));
  return element;
}

function folds(setup, table, controls) {
  const element = make("div", "fl-folds");
  const leavesOut = fold("what the model leaves out");
  leavesOut.append(make("p", "", setup.leaves_out));
  const sources = fold("sources");
  sources.append(...setup.sources.map((source) => make("p", "", source)));
  element.append(table.element, leavesOut, sources);
  if (setup.controls.length) element.append(pushButton("fl-reset", "reset", controls.reset));
  return element;
}

/* The table is built only while it is open: dragging a slider must not rebuild what nobody sees. */
function tableFold() {
  const element = fold("table");
  const scroll = make("div", "fl-scroll");
  scroll.tabIndex = 0; // the arrow keys scroll it
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "table");
  element.append(scroll);
  let columns = {};
  const build = () => {
    if (element.open) scroll.replaceChildren(htmlTable(columns));
  };
  element.addEventListener("toggle", build);
  return { element, fill(newest) { columns = newest; build(); } };
}

function htmlTable(columns) {
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const name of Object.keys(columns)) {
    const cell = make("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows(columns)) {
    const line = body.insertRow();
    for (const value of Object.values(row)) {
      line.append(make("td", typeof value === "number" ? "fl-number" : "", shown(value)));
    }
  }
  return table;
}

function shown(value) {
  if (value === null || value === undefined) return "\u2013";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}
