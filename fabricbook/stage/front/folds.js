/* ---- below the chart: its table, what the model leaves out, its sources, and back to the beginning ---- */

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
function tableFold(told) {
  const element = fold("table");
  const scroll = make("div", "fl-scroll");
  scroll.tabIndex = 0; // the arrow keys scroll it
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "table");
  element.append(scroll);
  let columns = {};
  const build = () => {
    if (element.open) scroll.replaceChildren(htmlTable(columns, told));
  };
  element.addEventListener("toggle", build);
  return { element, fill(newest) { columns = newest; build(); } };
}

const isBlank = (value) => value === null || value === undefined || value === "";

function htmlTable(columns, { hides, units, titles }) {
  const names = Object.keys(columns).filter((name) => !hides.includes(name) && !columns[name].every(isBlank));
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const name of names) {
    const cell = make("th", "", titles[name] ?? name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of readable(rows(columns), names)) {
    const line = body.insertRow();
    for (const name of names) {
      line.append(make("td", typeof row[name] === "number" ? "fl-number" : "", shown(row[name], units[name])));
    }
  }
  return table;
}

/* Rows that tell something, each once: what only the picture needs says in these columns no number, or what it belongs to alone. */
function readable(all, names) {
  const numbers = names.filter((name) => all.some((row) => typeof row[name] === "number"));
  const seen = new Set();
  return all.filter((row) => {
    const told = names.filter((name) => !isBlank(row[name]));
    const key = JSON.stringify(names.map((name) => row[name]));
    if (told.length < Math.min(2, names.length) || (numbers.length && !numbers.some((name) => told.includes(name))) || seen.has(key)) return false;
    return seen.add(key);
  });
}

function shown(value, unit) {
  if (isBlank(value)) return "\u2013";
  if (typeof value !== "number") return String(value);
  return unit ? inUnit(value, unit) : rounded(value);
}

const rounded = (value) => String(Number.isInteger(value) ? value : Number(Number(value.toPrecision(4)).toFixed(9)));

/* A number of a base unit as an axis writes it: sizes in binary units, all else with a prefix. */
function inUnit(value, unit) {
  const [base, prefixes] = unit === "B" ? [1024, ["", "Ki", "Mi", "Gi", "Ti"]] : [1000, ["p", "n", "\u00b5", "m", "", "k", "M", "G", "T"]];
  const middle = prefixes.indexOf("");
  const power = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value) * (1 + 1e-9)) / Math.log(base));
  const prefix = Math.min(Math.max(power, -middle), prefixes.length - 1 - middle);
  return `${rounded(value / base ** prefix)} ${prefixes[prefix + middle]}${unit}`;
}
