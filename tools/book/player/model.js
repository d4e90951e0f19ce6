/* ---- what stands where a kernel would: front/main.js says what is asked of it ---- */

function modelOf(told) {
  const states = grid(told.states, told.setup.controls.map(({ name }) => name));
  const stops = stopsOf(told.stops, states.place);
  const heard = [];
  const traits = { setup: told.setup, stops: { id: null, states: stops.states() } };
  const tell = (name) => heard.filter(([other]) => other === name).forEach(([, call]) => call());

  function move(id, positions) {
    traits.state = { ...states.state({ ...traits.state.values, ...positions }, traits.state), id };
    tell("change:state");
  }

  function stop({ id, stop: key, given, show }) {
    const moves = show ? stops.show(key) : stops.answer(key, given);
    traits.stops = { id, states: stops.states() };
    tell("change:stops");
    if (moves) move(null, moves);
  }

  const defaults = Object.fromEntries(told.setup.controls.map((control) => [control.name, control.default]));
  traits.state = states.state(defaults, { id: null, ends: {}, columns: {}, sentence: "" });
  return {
    get: (name) => traits[name],
    on: (name, call) => heard.push([name, call]),
    off: (name, call) => heard.splice(heard.findIndex((one) => one[0] === name && one[1] === call), 1),
    send(message) {
      if ("stop" in message) stop(message);
      else if ("values" in message) move(message.id, message.values);
    },
    reread: () => {
      traits.stops = { id: null, states: stops.states() };
      tell("change:stops");
    },
  };
}
