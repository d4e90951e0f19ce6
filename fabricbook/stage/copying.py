"""A button that puts a text onto the reader's clipboard; where a browser does not let it, the text is shown, selected."""

from __future__ import annotations

import anywidget
import traitlets


class CopyButton(anywidget.AnyWidget):
    """A button with a *label*; pressed, it copies *text*. The text is data: it is never shown but as the value of a textarea."""

    _esm = """
function render({ model, el }) {
  const button = el.appendChild(document.createElement("button"));
  const said = el.appendChild(document.createElement("span"));
  const shown = el.appendChild(document.createElement("textarea"));
  button.className = "jupyter-button widget-button";
  button.textContent = model.get("label");
  said.setAttribute("role", "status");
  shown.readOnly = true;
  shown.setAttribute("aria-label", "the text to copy");
  const renew = () => {
    shown.value = model.get("text");
    shown.hidden = true;
    said.textContent = "";
    button.disabled = !shown.value;
  };
  const copied = async () => {
    try {
      await navigator.clipboard.writeText(shown.value);
      return true;
    } catch {
      shown.hidden = false;  // without https, or where the reader said no, there is no clipboard to write to
      shown.focus();
      shown.select();
      return document.execCommand("copy");
    }
  };
  button.onclick = async () => {
    said.textContent = await copied() ? "Copied." : "Press Ctrl+C, on a Mac \u2318C, to copy it.";
  };
  model.on("change:text", renew);
  renew();
  return () => model.off("change:text", renew);
}
export default { render };
"""
    _css = """
.fl-copy button { width: auto; padding: 0 10px; margin: 2px; }
.fl-copy button:disabled { opacity: 0.5; cursor: not-allowed; }
.fl-copy span { margin-left: 8px; }
.fl-copy textarea { width: 98%; height: 16em; margin-top: 6px; font: 12px/1.35 monospace; white-space: pre;
  color: var(--jp-content-font-color1); background: var(--jp-cell-editor-background); }
.fl-copy textarea:not([hidden]) { display: block; }
"""
    label = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)

    def __init__(self, label: str) -> None:
        super().__init__(label=label)
        self.add_class("fl-copy")
