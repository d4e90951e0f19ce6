/* ---- steps that play, pictures that glide, marks that can be clicked and dragged ---- */

const BEAT_MS = 900;
const GLIDE_MS = 250;

/* A slider with buttons. Playing never runs ahead of the kernel: the next beat begins when the last step was answered. */
function steps(declared) {
  const { label, verb } = declared;
  const line = slider(declared);
  const element = make("div", "fl-control fl-steps");
  const buttons = make("span", "fl-buttons");
  const play = make("button", "fl-play");
  let playing = false;
  let beat;

  const last = () => Number(line.input.max);
  const step = (to) => {
    line.move(to);
    mark();
    element.dispatchEvent(new CustomEvent("fl-step"));
  };
  const pressed = (to) => () => {
    pause();
    if (to() !== line.at()) step(to());
  };
  const back = button("‹", `previous ${label}`, pressed(() => Math.max(0, line.at() - 1)));
  const next = verb
    ? button(verb[0].toUpperCase() + verb.slice(1), verb, pressed(() => (line.at() < last() ? line.at() + 1 : 0)))
    : button("›", `next ${label}`, pressed(() => Math.min(last(), line.at() + 1)));
  next.classList.toggle("fl-verb", Boolean(verb));

  function mark() {
    back.setAttribute("aria-disabled", line.at() === 0);
    next.setAttribute("aria-disabled", !verb && line.at() === last());
    play.textContent = playing ? "pause" : verb ? "keep going" : "play";
    play.setAttribute("aria-label", `${playing ? "pause" : "play"} ${label}`);
  }
  function pause() {
    clearTimeout(beat);
    playing = false;
    mark();
  }
  function go() {
    if (line.at() >= last()) pause();
    else step(line.at() + 1);
  }
  play.type = "button";
  play.addEventListener("click", () => {
    if (playing) return pause();
    playing = true;
    if (line.at() >= last()) step(0);
    else go();
  });
  buttons.append(...(verb ? [next, play] : [back, next, play]));
  element.append(line.element, buttons);
  line.element.classList.remove("fl-control");
  return {
    ...line, element, pause,
    gentle: () => !line.input.matches(":active"),
    show: () => { line.show(); mark(); },
    move: (at) => { line.move(at); mark(); },
    end: (at) => { line.end(at); mark(); },
    answered() {
      if (!playing) return;
      if (line.at() >= last()) pause();
      else {
        clearTimeout(beat);
        beat = setTimeout(go, BEAT_MS);
      }
    },
  };
}

function button(text, label, onClick) {
  const element = make("button", "", text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}

/* Draws tables; from one to the next of as many rows the columns *names* move smoothly, if that is wanted. */
function glider(names, draw) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let shown = null;
  let frame;

  function show(columns, smoothly = false) {
    cancelAnimationFrame(frame);
    const from = shown;
    const glides = smoothly && !still.matches && !document.hidden && names.length > 0 && from
      && names.every((name) => from[name].length === columns[name].length);
    if (!glides) {
      draw(shown = columns);
      return;
    }
    const start = performance.now();
    const next = (now) => {
      const part = Math.max(0, (now - start) / GLIDE_MS);
      draw(shown = part < 1 ? between(from, columns, names, part * part * (3 - 2 * part)) : columns);
      if (part < 1) frame = requestAnimationFrame(next);
    };
    frame = requestAnimationFrame(next);
  }
  return { show, end: () => cancelAnimationFrame(frame) };
}

function between(from, to, names, part) {
  const moved = names.map((name) => [name, to[name].map((value, i) => {
    const before = from[name][i];
    return typeof value === "number" && typeof before === "number" ? before + part * (value - before) : value;
  })]);
  return { ...to, ...Object.fromEntries(moved) };
}

/* A click on a mark says "fl-mark" and moves the controls that its row names; a drag moves those that lie along an axis. */
function touch(box, declared, controls, root, columns) {
  const view = box.flView;
  const picked = (row) => Object.fromEntries(declared.filter(({ picks }) => picks && row && picks in row)
    .map(({ name, picks, values, texts }) => [name, values.findIndex((value, i) => [value, texts[i]].includes(row[picks]))])
    .filter(([, at]) => at >= 0));
  const carriable = declared.filter(({ carries }) => carries);
  carrying(box, carriable, picked, controls);
  view.addEventListener("click", (_event, item) => {
    const row = Object.fromEntries(Object.entries(item?.datum ?? {}).filter(([name]) => name in columns())); // no helpers of Vega
    if (Object.keys(row).length === 0) return;
    root.dispatchEvent(new CustomEvent("fl-mark", { bubbles: true, detail: { row } }));
    const wanted = picked(row);
    if (Object.keys(wanted).length) controls.go(wanted);
  });
  view.addEventListener("pointermove", (_event, item) => {
    box.classList.toggle("fl-clickable", Object.keys(picked(item?.datum)).length > 0);
    box.classList.toggle("fl-liftable", carriable.some(({ carries }) => item?.datum?.[carries]));
  });
  const along = declared.filter(({ drags }) => drags);
  if (along.length > 0) dragging(box, along, controls);
}

/* A mark that can be carried follows the pointer, and is let go on the mark that says where it is then. A finger scrolls, and
 * clicks instead. */
function carrying(box, declared, picked, controls) {
  const view = box.flView;
  let held = null;
  const follow = ({ clientX, clientY }) => {
    const { left, top, width } = box.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top].map((pixels) => pixels * box.clientWidth / width); // if enlarged
    if (held) Object.assign(held.element.style, { left: `${x}px`, top: `${y}px` });
  };
  view.addEventListener("pointerdown", (event, item) => {
    const control = declared.find(({ carries }) => item?.datum?.[carries]);
    if (!control || event.pointerType === "touch") return;
    event.target.closest("canvas, svg").setPointerCapture(event.pointerId);
    held = { name: control.name, element: make("span", "fl-held", item.datum[control.carries]) };
    box.append(held.element);
    follow(event);
  });
  view.addEventListener("pointermove", follow);
  view.addEventListener("pointerup", (_event, item) => {
    if (!held) return;
    held.element.remove();
    const { [held.name]: wanted } = picked(item?.datum);
    if (wanted !== undefined) controls.go({ [held.name]: wanted });
    held = null;
  });
}

function dragging(box, along, controls) {
  const view = box.flView;
  const move = (event) => {
    if (!event.target.closest("canvas, svg").hasPointerCapture(event.pointerId)) return;
    const now = controls.positions();
    const wanted = Object.fromEntries(along.map(({ name, drags, values }) => [name, nearest(view, drags, values, event)]));
    if (along.some(({ name }) => wanted[name] !== now[name])) controls.go(wanted, false);
  };
  box.style.touchAction = along.length > 1 ? "none" : along[0].drags === "x" ? "pan-y" : "pan-x";
  box.classList.add("fl-draggable");
  view.addEventListener("pointerdown", (event) => {
    event.target.closest("canvas, svg").setPointerCapture(event.pointerId);
    move(event);
  });
  view.addEventListener("pointermove", move);
}

/* The position of the value that stands nearest to the pointer along an axis, as the eye measures: in pixels. */
function nearest(view, axis, values, event) {
  const scale = view.scale(axis);
  const drawing = event.target.closest("canvas, svg");
  const { left, top, width } = drawing.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top].map((pixels) => pixels * drawing.clientWidth / width); // if enlarged
  const at = axis === "x" ? x - view.origin()[0] : y - view.origin()[1];
  const away = values.map((value) => Math.abs(scale(value) + (scale.bandwidth?.() ?? 0) / 2 - at));
  return away.indexOf(Math.min(...away));
}
