/* ---- asking the kernel: one question at a time, the newest wins ---- */

function conversation(model, onSilence) {
  const view = Math.random().toString(36).slice(2);
  let count = 0;
  let inFlight = null;
  let waiting = null;
  let timer;

  function send(values) {
    inFlight = `${view}-${++count}`;
    timer = setTimeout(onSilence, PATIENCE_MS);
    try {
      model.send({ id: inFlight, values });
    } catch { // a kernel that is restarting takes no messages
      clearTimeout(timer);
      inFlight = null;
      onSilence();
    }
  }

  return {
    ask(values) {
      if (inFlight) waiting = values;
      else send(values);
    },
    /* Whether the controls already stand where this state says, or at something newer still. */
    heard(state) {
      if (state.id === inFlight && inFlight) {
        clearTimeout(timer);
        inFlight = null;
        if (waiting) send(waiting);
        waiting = null;
        return true;
      }
      return inFlight !== null;
    },
    end() { clearTimeout(timer); },
  };
}
