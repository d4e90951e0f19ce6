/* ---- the row of controls: sliders and menus that stand at positions, and say when one of them moves ---- */

function controlRow(declared, onMove) {
  const element = make("div", "fl-controls");
  const kinds = { menu, slider, steps };
  const controls = declared.map((control) => kinds[control.kind](control));
  const byName = Object.fromEntries(controls.map((control) => [control.name, control]));
  const positions = () => Object.fromEntries(controls.map((control) => [control.name, control.at()]));
  const pause = () => controls.forEach((control) => control.pause?.());
  const place = (wanted) => controls.forEach((control) => control.move(wanted[control.name] ?? control.at()));
  declared.forEach(({ picks, drags, carries }, i) => {
    const { element: row } = controls[i];
    if (picks || drags) row.querySelector(".fl-label").append(make("span", "fl-hint", drags || carries ? " or drag" : " or click"));
    element.append(row);
    row.addEventListener("input", () => {
      pause();
      controls[i].show();
      onMove(positions(), controls[i].gentle?.());
    });
    row.addEventListener("fl-step", () => {
      controls.forEach((other) => other !== controls[i] && other.pause?.());
      onMove(positions(), true);
    });
  });
  const defaults = Object.fromEntries(declared.map((control) => [control.name, control.default]));
  /* Moves the named controls as a learner would, in one leap: the picture glides there. */
  const go = (wanted, gently = true) => {
    pause();
    place(wanted);
    onMove(positions(), gently);
  };
  return {
    element, positions, place, pause, go,
    reset: () => go(defaults, false),
    end: (last) => Object.entries(last).forEach(([name, at]) => byName[name].end?.(at)),
    answered: () => controls.forEach((control) => control.answered?.()),
  };
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
  const slide = make("span", "fl-slide"); // a value stands beside its slider, whatever the label takes
  slide.append(input, value);
  element.append(make("span", "fl-label", label), slide);
  return {
    name, element, input, show,
    at: () => input.valueAsNumber,
    move: (at) => { input.value = at; show(); },
    end: (last) => { // the browser brings a value beyond it back
      Object.assign(input, { max: last, disabled: last === 0 });
      show();
    },
  };
}

function menu({ name, label, texts }) {
  const element = make("label", "fl-control");
  const select = make("select");
  select.name = name;
  select.append(...texts.map((text) => make("option", "", text)));
  element.append(make("span", "fl-label", label), select);
  return { name, element, show() {}, at: () => select.selectedIndex, move: (at) => { select.selectedIndex = at; } };
}
