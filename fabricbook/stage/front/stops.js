/* ---- stops: what the lab asks, one at a time; the kernel judges every answer ---- */

/* `controls` places and moves; a click on a mark of the picture arrives as "fl-mark", a key of the stage as "fl-go". */
function stopPanel(model, declared, controls, root) {
  const element = make("div", "fl-stops");
  element.setAttribute("role", "group"); // a landmark of each lab is enough
  element.setAttribute("aria-label", "Stops");
  const tabs = make("div", "fl-stop-tabs");
  const asks = answerer(model);
  const stops = declared.map((stop, i) => oneStop(stop, i < declared.length - 1, {
    answer: (given) => asks.send({ stop: stop.key, given }, stops[i].say),
    tell: () => asks.send({ stop: stop.key, show: true }, stops[i].say),
    next: () => open(i + 1, true),
    controls,
  }));
  const buttons = declared.map((_, i) => {
    const button = pushButton("fl-stop-tab", String(i + 1), () => open(i, false));
    tabs.append(button);
    return button;
  });
  element.append(tabs, ...stops.map((stop) => stop.element));
  let now = 0;

  function open(i, focus) {
    now = i;
    stops.forEach((stop, at) => { stop.element.hidden = at !== i; });
    buttons.forEach((button, at) => button.setAttribute("aria-current", at === i ? "step" : "false"));
    if (focus) stops[i].focus();
  }

  function show() {
    const { id, states } = model.get("stops");
    const answered = asks.heard(id);
    states.forEach((state, i) => {
      stops[i].show(state);
      const done = isDone(state);
      buttons[i].className = `fl-stop-tab ${done ? "fl-done" : ""}`;
      buttons[i].setAttribute("aria-label", `Stop ${i + 1}${done ? ", done" : ""}`);
    });
    if (answered) stops[now].answered(states[now]);
  }

  const pick = ({ detail }) => stops[now].pick(detail.row);
  const go = ({ detail }) => open(Math.min(Math.max(now + detail, 0), stops.length - 1), element.contains(document.activeElement));
  root.addEventListener("fl-mark", pick);
  root.addEventListener("fl-go", go);
  model.on("change:stops", show);
  show();
  open(Math.max(model.get("stops").states.findIndex((state) => !isDone(state)), 0), false);
  return {
    element,
    end() {
      asks.end();
      model.off("change:stops", show);
    },
  };
}

function isDone({ outcome }) {
  return outcome === "right" || outcome === "shown";
}

/* One stop: what to do, the question, the fields of its kind, what is said to the answer. */
function oneStop(declared, more, { answer, tell, next, controls }) {
  const element = make("div", "fl-stop");
  const doing = make("p", "fl-do", unbroken(declared.do));
  if (Object.keys(declared.at).length) doing.append(" ", pushButton("fl-set", "set it up", () => controls.go(declared.at)));
  const form = make("form", "fl-ask");
  const fields = { choice: choiceFields, number: numberField, find: findField }[declared.kind](declared, controls);
  const check = make("button", "fl-check", declared.kind === "find" ? "here" : "check");
  check.type = "submit";
  const row = make("div", "fl-stop-row");
  const onward = pushButton("fl-next", "next", next);
  row.append(...fields.inline, check, onward, pushButton("fl-tell", "show me", tell));
  form.append(make("p", "fl-question", unbroken(declared.ask)), ...fields.above, row);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(fields.given());
  });
  const told = make("p", "fl-told");
  const said = make("span", "fl-said");
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  const saw = make("span", "fl-saw");
  told.append(said, " ", saw);
  element.append(doing, form, told);
  const say = (text) => {
    const shown = unbroken(text);
    if (said.textContent !== shown) said.textContent = shown;
  };
  let first = true;
  return {
    element, say,
    pick: (row_) => fields.pick?.(row_),
    focus: () => (element.querySelector(".fl-set") ?? fields.focus() ?? check).focus(),
    show(state) {
      if (first) fields.fill?.(state.given);
      first = false;
      say(state.sentence);
      element.dataset.outcome = state.outcome;
      saw.textContent = unbroken(state.saw);
      onward.hidden = !isDone(state) || !more;
    },
    /* A second Enter goes on: the hand need not leave the keyboard. */
    answered(state) {
      told.scrollIntoView({ block: "nearest" }); // a panel may be lower than what it says
      if (isDone(state) && more && element.contains(document.activeElement)) onward.focus();
    },
  };
}

function choiceFields({ key, ask, options, field }) {
  const group = make("div", "fl-options");
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", ask);
  const name = `${key}-${Math.random().toString(36).slice(2)}`; // one group of its own in every view
  const inputs = options.map((option) => {
    const label = make("label", "fl-option");
    const input = make("input");
    Object.assign(input, { type: "radio", name, value: option });
    label.append(input, unbroken(option));
    group.append(label);
    return input;
  });
  const choose = (option) => inputs.forEach((input) => { input.checked = input.value === option; });
  return {
    above: [group], inline: [],
    given: () => inputs.find((input) => input.checked)?.value ?? "",
    fill: choose,
    pick: (row) => { if (field && options.includes(String(row[field]))) choose(String(row[field])); },
    focus: () => inputs.find((input) => input.checked) ?? inputs[0],
  };
}

function numberField({ ask, example }) {
  const input = make("input", "fl-number-field");
  const placeholder = `such as ${example}`;
  Object.assign(input, { type: "text", placeholder, size: placeholder.length, autocomplete: "off", spellcheck: false });
  input.setAttribute("aria-label", ask);
  // JupyterLab keeps the line break of an Enter from every box of a cell, and the browser's own submission goes with it.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || runsCell(event) || event.isComposing) return;
    event.preventDefault();
    input.form.requestSubmit();
  });
  return { above: [], inline: [input], given: () => input.value, fill: (given) => { input.value = given; }, focus: () => input };
}

function findField(_, controls) {
  return { above: [], inline: [], given: controls.positions, focus: () => null };
}

function pushButton(className, text, clicked) {
  const button = make("button", className, text);
  button.type = "button";
  button.addEventListener("click", clicked);
  return button;
}

/* Sends answers; says so where the kernel is silent. */
function answerer(model) {
  const view = Math.random().toString(36).slice(2);
  let count = 0;
  let open = null;
  let timer;
  return {
    send(message, say) {
      clearTimeout(timer);
      open = `stop-${view}-${++count}`;
      timer = setTimeout(() => say(SILENT), PATIENCE_MS);
      try {
        model.send({ id: open, ...message });
      } catch { // a kernel that is restarting takes no messages
        clearTimeout(timer);
        say(SILENT);
      }
    },
    heard(id) {
      if (id === null || id !== open) return false;
      clearTimeout(timer);
      return true;
    },
    end() { clearTimeout(timer); },
  };
}
