/* ---- where a lab stands: as high as the notebook's window, its top in sight once it was run, alone on a projector ---- */

const ROOM = { least: 480, most: 860, margin: 26 };

/* Tell the style sheet how high the lab may be: as what scrolls it is, or the window. */
function fitWindow(root) {
  let scroller = null;
  const measure = () => {
    const left = (scroller?.clientHeight ?? window.innerHeight) - ROOM.margin;
    const height = isStaged(root) ? window.innerHeight / root.style.zoom : Math.min(ROOM.most, left);
    root.style.setProperty("--fl-room", `${Math.max(ROOM.least, height)}px`);
  };
  const observer = new ResizeObserver(measure);
  const found = whenShown(root, () => {
    scroller = scrolling(root);
    observer.observe(scroller ?? document.documentElement);
    measure();
    comeIntoSight(root);
  });
  return {
    measure,
    end() {
      observer.disconnect();
      found();
    },
  };
}

/* Bring a lab into sight whose cell the learner has just run, by itself: it is the active one, or the one before it, and none
 * other waits for the kernel. Running all cells, or opening a page on which labs live already, moves nothing. */
function comeIntoSight(root) {
  const cell = root.closest(".jp-Cell");
  const notebook = root.closest(".jp-Notebook");
  const active = notebook?.querySelector(".jp-Cell.jp-mod-active");
  if (!active || (active !== cell && active !== cell.nextElementSibling)) return;
  const waits = [...notebook.querySelectorAll(".jp-InputPrompt")].some((prompt) => prompt.textContent === "[*]:" && !cell.contains(prompt));
  if (!waits) root.scrollIntoView({ block: "start" });
}

function scrolling(element) {
  for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(up).overflowY) && up.closest(".jp-Cell") === null) return up;
  }
  return null;
}

/* A lab is made before it is put on the page. */
function whenShown(root, call) {
  const observer = new ResizeObserver(() => {
    if (!root.isConnected || !root.clientWidth) return;
    observer.disconnect();
    call();
  });
  observer.observe(root);
  return () => observer.disconnect();
}

/* ---- alone on the whole screen, large enough for the last row of a room ---- */

const STAGE = {
  key: "f",
  width: 1200, // pixels of a lab that fills the screen, each as large as it takes
  least: 1.5,
  most: 3,
  title: "Show this lab alone and large. Key: f; Escape leaves; the arrow keys go to the previous and the next stop.",
};

const isStaged = (root) => root.classList.contains("fl-staged");

function stageMode(root, onChange) {
  const button = make("button", "fl-enlarge", "full screen");
  Object.assign(button, { type: "button", title: STAGE.title });
  const fills = () => document.fullscreenElement === root;
  const toggle = () => (fills() ? document.exitFullscreen() : root.requestFullscreen().catch(() => {}));

  function changed() {
    const now = fills() || Boolean(root.closest(".fl-slide")); // a slide is the lab's from the beginning
    if (!now && !isStaged(root)) return;
    root.classList.toggle("fl-staged", now);
    const least = fills() ? STAGE.least : 0; // a slide may be a small picture of itself, beside the speaker's notes
    root.style.zoom = now ? Math.min(STAGE.most, Math.max(least, window.innerWidth / STAGE.width)) : "";
    if (fills()) root.focus();
    onChange();
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, target } = event;
    const typing = target.matches("select, textarea, input:not([type=range], [type=radio], [type=checkbox])");
    const delta = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (key === STAGE.key && !typing) toggle();
    else if (delta && isStaged(root) && !target.matches("select, textarea, input")) {
      root.dispatchEvent(new CustomEvent("fl-go", { detail: delta }));
    } else return;
    event.preventDefault();
  }

  root.tabIndex = -1;
  root.addEventListener("keydown", pressed);
  button.addEventListener("click", toggle);
  document.addEventListener("fullscreenchange", changed);
  window.addEventListener("resize", changed);
  const found = whenShown(root, changed);
  return {
    button,
    end() {
      document.removeEventListener("fullscreenchange", changed);
      window.removeEventListener("resize", changed);
      found();
    },
  };
}
