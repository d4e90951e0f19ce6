"""A lab's browser side on an empty page of a real Chromium, against a kernel of our own making."""

from contextlib import contextmanager

from fabricbook.stage.widget import LabWidget

STAGE = """
async ({ code, setup, state, stops, vega }) => {
  const front = (await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })))).default;
  globalThis.embedded = [];
  globalThis.drawn = [];
  globalThis.open = (title = setup.title) => {
    const heard = [];
    const model = {
      sent: [], state, stops,
      get: (name) => (name === "setup" ? { ...setup, title } : model[name]),
      on: (name, call) => heard.push([name, call]),
      off: (name, call) => heard.splice(heard.findIndex((h) => h[0] === name && h[1] === call), 1),
      send: (message) => model.sent.push(message),
      tell: (name, ...what) => heard.filter((h) => h[0] === name).forEach((h) => h[1](...what)),
      answer: (changes) => { model.state = { ...model.state, ...changes }; model.tell("change:state"); },
      reply: (changes = {}) => model.answer({ ...model.questions().at(-1), error: "", ...changes }),
      questions: () => model.sent.filter((message) => message.id),
      asksForVega: () => model.sent.filter((message) => message.want === "vega").length,
      sendVega: () => model.tell("msg:custom", { vega: "built" }, [new TextEncoder().encode(vega)]),
      missVega: () => model.tell("msg:custom", { vega: "missing", sentence: "Vega was not built." }, []),
    };
    model.el = document.body.appendChild(document.createElement("div"));
    model.leave = front.render({ model, el: model.el });
    model.find = (selector) => model.el.querySelector(selector);
    model.slide = (to) => {
      model.find("input").value = to;
      model.find("input").dispatchEvent(new Event("input", { bubbles: true }));
    };
    return model;
  };
}
"""
FAKE_VEGA = """
export async function vegaEmbed(box, spec) {
  embedded.push(spec);
  const view = { data(name, rows) { drawn.push(rows); return view; }, async runAsync() {},
    signal() { return view; }, width() { return view; }, height() { return view; }, addEventListener() {} };
  return { view, finalize() {} };
}
"""


@contextmanager
def opened(page, lab, vega: str = FAKE_VEGA):
    """The empty *page*, whose `open()` shows *lab*, draws with the module *vega* and answers as the test says; errors fail it."""
    wrong = []

    def note(error):
        wrong.append(str(error))

    page.on("pageerror", note)
    told = {"code": LabWidget._esm, "setup": lab.widget.setup, "state": lab.widget.state, "stops": lab.widget.stops,
            "vega": vega}
    page.evaluate(STAGE, told)
    page.add_style_tag(content=LabWidget._css)
    yield page
    page.remove_listener("pageerror", note)
    assert wrong == []
