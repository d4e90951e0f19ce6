/* ---- labs come alive where the reader gets near them: <div class="fl-lab" data-lab="alpha-beta">a picture of it</div> ---- */

const HERE = new URL(".", document.currentScript.src);
const NO_VEGA = "The chart cannot be drawn: vega.js is missing beside player.js. The table below works without it.";
const arrived = {};
const documents = {};

/* A page from a file may load scripts, and nothing else. */
function script(address) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    Object.assign(element, { src: new URL(address, HERE), onload: resolve, onerror: reject });
    document.head.append(element);
  });
}

/* Each lab's own script calls this. */
globalThis.flLab = (name, text) => { arrived[name] = text; };

function documentOf(name) {
  documents[name] ??= script(`labs/${name}.js`).then(() => unpacked(arrived[name]));
  return documents[name];
}

/* As vega.js of the stage has it, where the kernel has sent the module. */
function loadVega() {
  const embedding = script("vega.js").then(() => ({ vegaEmbed: globalThis.flVegaEmbed }), () => { throw new Error(NO_VEGA); });
  embedding.catch(() => {}); // each lab says so itself, when it wants to draw
  return { module: embedding, queue: [], asking: true, answered: true };
}

async function enliven(place) {
  globalThis.fabriclibVega ??= loadVega();
  const told = await documentOf(place.dataset.lab);
  const model = modelOf(told);
  front.render({ model, el: place });
  if (told.thinning) place.append(Object.assign(document.createElement("p"), { className: "fl-thinned", textContent: told.thinning }));
  place.classList.add("fl-alive");
  addEventListener("fl-kept", model.reread);
}

/* The pages' theme, told to the labs as JupyterLab tells its own. */
function followTheme() {
  const tell = () => {
    const named = document.documentElement.dataset.theme ?? document.body.dataset.theme;
    if (named === "dark" || named === "light") document.body.dataset.jpThemeLight = String(named === "light");
    else delete document.body.dataset.jpThemeLight;
  };
  const watch = new MutationObserver(tell);
  [document.documentElement, document.body].forEach((element) => watch.observe(element, { attributeFilter: ["data-theme"] }));
  tell();
}

function start() {
  followTheme();
  const near = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    near.unobserve(target);
    enliven(target).catch((problem) => console.error(`lab ${target.dataset.lab}:`, problem)); // its picture stays
  }), { rootMargin: "100% 0px" });
  document.querySelectorAll(".fl-lab[data-lab]").forEach((place) => near.observe(place));
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
else start();
