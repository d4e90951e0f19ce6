/* One lab in the browser. Python's side is widget.py; both speak of positions, never of values:
 * a control stands at a position in its list. Everything a lab says is set as text, never as markup.
 *
 *   here -> kernel   {id, values: {control: position}}    never two at a time, the newest waits, older ones are gone
 *   kernel -> here   trait "state" {id, values, columns, sentence, error}
 *   here -> kernel   {want: "vega"}    once a page, answered with the JavaScript of Vega
 */

const PATIENCE_MS = 8000;
const SILENT = "The kernel has not answered yet. It may be busy. If it was restarted: menu Run, "
  + "Run All Above Selected Cell, then run this cell.";

export default {
  render({ model, el }) {
    const setup = model.get("setup");
    const root = make("section", "fabriclib-lab");
    for (const [name, value] of Object.entries(setup.style)) root.style.setProperty(`--fl-${name}`, value);
    root.setAttribute("aria-label", setup.title);

    const sentence = make("p", "fl-sentence");
    sentence.setAttribute("role", "status");
    sentence.setAttribute("aria-live", "polite");
    const talk = conversation(model, () => { sentence.textContent = SILENT; });
    const controls = controlRow(setup.controls, (positions) => talk.ask(positions));
    const table = tableFold();
    const vega = joinVega(model);
    const chart = livingChart(setup, vega.module, () => { table.element.open = true; });

    function show() {
      const state = model.get("state");
      if (!talk.heard(state)) controls.place(state.values); // moved by another view, or by Lab.set
      root.classList.toggle("fl-failed", state.error !== "");
      const text = state.error || state.sentence;
      if (sentence.textContent !== text) sentence.textContent = text;
      if (state.error === "") {
        chart.draw(state.columns);
        table.fill(state.columns);
      }
    }

    root.append(heading(setup), controls.element, chart.element, sentence, folds(setup, table, controls));
    const releaseKeys = keepKeys(root);
    el.append(root);
    chart.draw(model.get("state").columns);
    table.fill(model.get("state").columns);
    show();
    model.on("change:state", show);
    return () => {
      model.off("change:state", show);
      talk.end();
      vega.leave();
      chart.end();
      releaseKeys();
    };
  },
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/* JupyterLab takes arrow keys and letters for commands to the notebook unless the focused element itself says no. Not so the
 * keys that run a cell, and Escape, which leaves the lab: they are decided before JupyterLab, which listens at the document. */
function keepKeys(root) {
  const decide = (event) => {
    if (!root.contains(event.target)) return;
    const runs = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !runs);
    if (event.key === "Escape") root.closest(".jp-Cell")?.focus();
  };
  window.addEventListener("keydown", decide, true);
  return () => window.removeEventListener("keydown", decide, true);
}

function heading(setup) {
  const head = make("div", "fl-head");
  const where = make("span", "fl-where");
  where.setAttribute("role", "img");
  where.setAttribute("aria-label", `Where we are: ${setup.tier}, of ${setup.tiers.join(", ")}`);
  setup.tiers.forEach((tier, i) => {
    if (i > 0) where.append(" > ");
    where.append(setup.tier === "all" || tier === setup.tier ? make("b", "", `[${tier}]`) : tier);
  });
  head.append(make("span", "fl-title", setup.title), where);
  return head;
}

/* ---- controls ---- */

function controlRow(declared, onMove) {
  const element = make("div", "fl-controls");
  const controls = declared.map((control) => (control.kind === "menu" ? menu(control) : slider(control)));
  const positions = () => Object.fromEntries(controls.map((control) => [control.name, control.at()]));
  for (const control of controls) {
    element.append(control.element);
    control.element.addEventListener("input", () => {
      control.show();
      onMove(positions());
    });
  }
  const defaults = Object.fromEntries(declared.map((control) => [control.name, control.default]));
  const place = (wanted) => controls.forEach((control) => control.move(wanted[control.name]));
  const reset = () => {
    place(defaults);
    onMove(positions());
  };
  return { element, place, reset };
}

function slider({ name, label, texts }) {
  const element = make("label", "fl-control");
  const input = make("input");
  Object.assign(input, { type: "range", name, min: 0, max: texts.length - 1, step: 1 });
  const value = make("span", "fl-value");
  value.style.minWidth = `${Math.max(...texts.map((text) => text.length))}ch`;
  value.setAttribute("aria-hidden", "true");
  const show = () => {
    value.textContent = texts[input.valueAsNumber];
    input.setAttribute("aria-valuetext", texts[input.valueAsNumber]);
  };
  element.append(make("span", "fl-label", label), input, value);
  return { name, element, show, at: () => input.valueAsNumber, move: (at) => { input.value = at; show(); } };
}

function menu({ name, label, texts }) {
  const element = make("label", "fl-control");
  const select = make("select");
  select.name = name;
  select.append(...texts.map((text) => make("option", "", text)));
  element.append(make("span", "fl-label", label), select);
  return { name, element, show() {}, at: () => select.selectedIndex, move: (at) => { select.selectedIndex = at; } };
}

/* ---- asking the kernel: one question at a time, the newest wins ---- */

function conversation(model, onSilence) {
  const view = Math.random().toString(36).slice(2);
  let count = 0;
  let inFlight = null;
  let waiting = null;
  let timer;

  function send(values) {
    inFlight = `${view}-${++count}`;
    timer = setTimeout(onSilence, PATIENCE_MS);
    try {
      model.send({ id: inFlight, values });
    } catch { // a kernel that is restarting takes no messages
      inFlight = null;
      onSilence();
    }
  }

  return {
    ask(values) {
      if (inFlight) waiting = values;
      else send(values);
    },
    /* Whether the controls already stand where this state says, or at something newer still. */
    heard(state) {
      if (state.id === inFlight && inFlight) {
        clearTimeout(timer);
        inFlight = null;
        if (waiting) send(waiting);
        waiting = null;
        return true;
      }
      return inFlight !== null;
    },
    end() { clearTimeout(timer); },
  };
}

/* ---- the chart: embedded once, then fed new data ---- */

function livingChart({ spec, names }, vegaModule, onMissing) {
  const element = make("div", "fl-card");
  const box = make("div", "fl-chart");
  element.append(box);
  let columns = null;
  let view = null;
  let finalize = null;
  let drawing = false;
  let stale = false;
  let width = 0;

  async function draw() {
    stale = true;
    if (!view || drawing) return;
    drawing = true;
    while (stale && view) {
      stale = false;
      await view.data(names.live, rows(columns)).runAsync();
    }
    drawing = false;
  }

  async function embed() {
    const { vegaEmbed } = await vegaModule;
    const datasets = { ...spec.datasets, [names.live]: rows(columns) };
    const params = spec.params?.map((param) => (param.name === names.page ? { ...param, value: width } : param));
    stale = false;
    const options = { mode: "vega-lite", renderer: "canvas", actions: false };
    const result = await vegaEmbed(box, { ...spec, datasets, params }, options);
    ({ view, finalize } = result);
    box.flView = view;
    if (stale) await draw();
  }

  // A lab that is not on the page yet, or in a folded cell, has no width: it is drawn when it gets one.
  const observer = new ResizeObserver(() => {
    if (box.clientWidth === 0 || box.clientWidth === width) return;
    const first = width === 0;
    width = box.clientWidth;
    if (view) view.signal(names.page, width).width(width).runAsync();
    else if (first) {
      embed().catch((error) => {
        box.replaceChildren(make("p", "fl-missing", error.message));
        onMissing();
      });
    }
  });
  observer.observe(box);

  return {
    element,
    draw(newest) {
      columns = newest;
      draw();
    },
    end() {
      observer.disconnect();
      finalize?.();
      view = null;
    },
  };
}

function rows(columns) {
  const names = Object.keys(columns);
  const length = names.length ? columns[names[0]].length : 0;
  return Array.from({ length }, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

/* ---- Vega's JavaScript: 0.9 MB, fetched from the kernel by the first lab of a page, shared by all ---- */

function joinVega(model) {
  const page = (globalThis.fabriclibVega ??= promisedVega());
  const ask = () => {
    page.asking = ask;
    model.send({ want: "vega" });
  };
  const receive = (message, buffers) => {
    if (!message.vega) return;
    page.answered = true;
    if (buffers.length) page.resolve(importText(buffers));
    else {
      delete globalThis.fabriclibVega;
      page.reject(new Error(message.sentence));
    }
  };
  model.on("msg:custom", receive);
  if (page.asking) page.queue.push(ask);
  else ask();
  return {
    module: page.module,
    /* A lab that leaves before its answer came, as when a cell runs again, hands the question on. */
    leave() {
      model.off("msg:custom", receive);
      page.queue = page.queue.filter((other) => other !== ask);
      if (page.asking !== ask || page.answered) return;
      page.asking = null;
      page.queue.shift()?.();
    },
  };
}

function promisedVega() {
  const page = { asking: null, answered: false, queue: [] };
  page.module = new Promise((resolve, reject) => Object.assign(page, { resolve, reject }));
  page.module.catch(() => {}); // each lab says so itself, when it wants to draw
  return page;
}

async function importText(buffers) {
  const url = URL.createObjectURL(new Blob(buffers, { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

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
  const reset = make("button", "fl-reset", "reset");
  reset.type = "button";
  reset.addEventListener("click", controls.reset);
  element.append(table.element, leavesOut, sources, reset);
  return element;
}

/* The table is built only while it is open: dragging a slider must not rebuild what nobody sees. */
function tableFold() {
  const element = fold("table");
  const scroll = make("div", "fl-scroll");
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
  if (value === null) return "\u2013";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}
