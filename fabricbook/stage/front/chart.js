/* ---- the chart: embedded once, then fed new data ---- */

function livingChart({ spec, names }, vegaModule, onMissing, onView) {
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
    onView(box);
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
