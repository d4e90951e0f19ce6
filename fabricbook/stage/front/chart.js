/* ---- the chart: embedded for each look of the page, in between fed new data ---- */

function livingChart({ spec: text, names }, colours, vegaModule, onMissing, onView) {
  const spec = JSON.parse(text);
  const element = make("div", "fl-card");
  const box = make("div", "fl-chart");
  element.append(box);
  element.style.setProperty("--fl-natural", `${spec.height}px`);
  let columns = null;
  let view = null;
  let finalize = null;
  let drawing = false;
  let stale = false;
  let size = { width: 0, height: 0 };
  let newest = 0; // embeddings asked for: one that is overtaken is thrown away

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

  function outfitted() {
    const datasets = { ...spec.datasets, [names.live]: rows(columns) };
    const params = spec.params?.map((param) => (param.name === names.page ? { ...param, value: size.width } : param));
    return { ...colours.paint(spec), ...size, autosize: { type: "fit", contains: "padding" }, datasets, params };
  }

  async function embed() {
    const own = ++newest;
    const [{ vegaEmbed }] = await Promise.all([vegaModule, broadFont()]);
    if (own !== newest) return;
    close();
    stale = false;
    const inside = make("div");
    box.replaceChildren(inside);
    const made = await vegaEmbed(inside, outfitted(), { mode: "vega-lite", renderer: renderer(), actions: false });
    if (own !== newest) return made.finalize();
    ({ view, finalize } = made);
    inside.querySelector("svg")?.setAttribute("aria-hidden", "true"); // its marks have no names; what is around it has the description
    box.flView = view;
    onView(box);
    if (stale) await draw();
  }

  /* Enlarged, a canvas would be a blurred picture of itself. */
  const renderer = () => (isStaged(element.closest(".fabriclib-lab")) ? "svg" : "canvas");

  function close() {
    finalize?.();
    view = finalize = box.flView = null;
  }

  const show = () => embed().catch((error) => {
    box.replaceChildren(make("p", "fl-missing", error.message));
    onMissing();
  });

  // A lab that is not on the page yet, or in a folded cell, has no size: it is drawn when it gets one.
  const observer = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = box;
    if (!width || !height || (width === size.width && height === size.height)) return;
    size = { width, height };
    if (view) view.signal(names.page, width).width(width).height(height).runAsync();
    else if (!newest) show();
  });
  observer.observe(box);

  return {
    element,
    draw(latest) {
      columns = latest;
      draw();
    },
    restyle() { if (newest) show(); },
    end() {
      newest += 1;
      observer.disconnect();
      close();
    },
  };
}

/* A canvas does not wait for a font, and is not drawn again when one comes: see lab.css. */
const broadFont = () => Promise.allSettled(["", "bold "].map((weight) => document.fonts.load(`${weight}14px "fabriclib broad"`)));

function rows(columns) {
  const names = Object.keys(columns);
  const length = names.length ? columns[names[0]].length : 0;
  return Array.from({ length }, (_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}
