/* ---- Vega's JavaScript: 0.9 MB, fetched from the kernel by the first lab of a page, shared by all ---- */

function joinVega(model) {
  const page = (globalThis.fabriclibVega ??= promisedVega());
  const ask = () => {
    page.asking = ask;
    model.send({ want: "vega" });
  };
  const receive = (message, buffers) => {
    if (!message.vega) return;
    page.answered = true;
    if (buffers.length) page.resolve(importText(buffers));
    else {
      delete globalThis.fabriclibVega;
      page.reject(new Error(message.sentence));
    }
  };
  model.on("msg:custom", receive);
  if (page.asking) page.queue.push(ask);
  else ask();
  return {
    module: page.module,
    /* A lab that leaves before its answer came, as when a cell runs again or its kernel dies, hands the question on. */
    leave() {
      model.off("msg:custom", receive);
      page.queue = page.queue.filter((other) => other !== ask);
      if (page.asking !== ask || page.answered) return;
      page.asking = null;
      page.queue.shift()?.();
    },
  };
}

function promisedVega() {
  const page = { asking: null, answered: false, queue: [] };
  page.module = new Promise((resolve, reject) => Object.assign(page, { resolve, reject }));
  page.module.catch(() => {}); // each lab says so itself, when it wants to draw
  return page;
}

async function importText(buffers) {
  const url = URL.createObjectURL(new Blob(buffers, { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
