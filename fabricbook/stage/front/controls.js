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
