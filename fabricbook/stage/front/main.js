/* One lab in the browser. Python's side is widget.py, which joins the files of this folder into one module; both speak of positions, never of values:
 * a control stands at a position in its list. Everything a lab says is set as text, never as markup.
 *
 *   here -> kernel   {id, values: {control: position}}    never two at a time, the newest waits, older ones are gone
 *   kernel -> here   trait "state" {id, values, ends, columns, sentence, error}
 *   here -> kernel   {id, stop, given} or {id, stop, show: true}
 *   kernel -> here   trait "stops" {id, states: [{key, outcome, given, sentence, saw}]}
 *   here -> kernel   {want: "vega"}    once a page, answered with the JavaScript of Vega
 */

const PATIENCE_MS = 8000;
const SILENT = "The kernel has not answered yet. It may be busy. If it was restarted: menu Run, "
  + "Run All Above Selected Cell, then run this cell.";

export default {
  render({ model, el }) {
    const setup = model.get("setup");
    const root = make("div", "fabriclib-lab"); // no section: a section of a deck is a slide
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", setup.title);

    const sentence = make("p", "fl-sentence");
    sentence.setAttribute("role", "status");
    sentence.setAttribute("aria-live", "polite");
    const talk = conversation(model, () => { sentence.textContent = SILENT; });
    let smoothly = false; // whether the newest move may glide
    const controls = controlRow(setup.controls, (positions, gently = false) => {
      smoothly = gently;
      talk.ask(positions);
    });
    const table = tableFold(setup.table);
    const vega = joinVega(model);
    const colours = theme(setup.dark, restyle);
    const chart = livingChart(setup, colours, vega.module, () => { table.element.open = true; }, (box) => {
      touch(box, setup.controls, controls, root, () => model.get("state").columns);
    });
    const room = fitWindow(root);
    const stage = stageMode(root, () => {
      room.measure();
      chart.restyle();
    });
    const picture = glider(setup.glides, chart.draw);

    function show() {
      const state = model.get("state");
      const asked = talk.heard(state);
      controls.end(state.ends);
      if (!asked) controls.place(state.values); // moved by another view, or by Lab.set
      root.classList.toggle("fl-failed", state.error !== "");
      const text = unbroken(state.error || state.sentence);
      if (sentence.textContent !== text) sentence.textContent = text;
      if (state.error === "") {
        picture.show(state.columns, asked && smoothly);
        table.fill(state.columns);
      }
      controls.answered();
    }

    function restyle() {
      root.style.colorScheme = colours.scheme();
      for (const [name, value] of Object.entries(colours.paint(setup.style))) root.style.setProperty(`--fl-${name}`, value);
      chart.restyle();
    }

    // Told once the page has lost the kernel; the mark that ipywidgets sets then, anywidget's views do not get.
    const gone = () => {
      root.classList.add("fl-gone");
      vega.leave();
    };

    const body = make("div", "fl-body");
    const stops = setup.stops.length ? stopPanel(model, setup.stops, controls, root) : null;
    if (stops) body.append(stops.element);
    body.append(chart.element);
    const screen = make("div", "fl-screen");
    screen.append(heading(setup, stage.button), sentence, controls.element, body);
    root.append(screen, folds(setup, table, controls));
    restyle();
    const releaseKeys = keepKeys(root);
    el.append(root);
    picture.show(model.get("state").columns);
    table.fill(model.get("state").columns);
    show();
    model.on("change:state", show);
    model.on("comm_live_update", gone);
    return () => {
      model.off("comm_live_update", gone);
      model.off("change:state", show);
      talk.end();
      controls.pause();
      picture.end();
      stops?.end();
      vega.leave();
      chart.end();
      colours.end();
      stage.end();
      room.end();
      releaseKeys();
    };
  },
};

function heading(setup, enlarge) {
  const head = make("div", "fl-head");
  const where = make("span", "fl-where");
  where.setAttribute("role", "img");
  where.setAttribute("aria-label", `Where we are: ${setup.tier}, of ${setup.tiers.join(", ")}`);
  setup.tiers.forEach((tier, i) => {
    if (i > 0) where.append(" > ");
    where.append(setup.tier === "all" || tier === setup.tier ? make("b", "", `[${tier}]`) : tier);
  });
  head.append(make("span", "fl-title", setup.title), where, enlarge);
  return head;
}
