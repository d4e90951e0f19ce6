/* ---- what all files here build on: elements, texts that break where they may, keys that JupyterLab is not to take ---- */

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/* A number stays on one line with the word after it, its unit as a rule, with its sign, and with a name before it. */
function unbroken(text) {
  return text.replace(/(?<=\d) (?=\D)|(?<=[×÷]) |(?<=\b[A-Z]\w*) (?=\d)/g, "\u00a0");
}

function runsCell({ key, shiftKey, ctrlKey, metaKey, altKey }) {
  return key === "Enter" && (shiftKey || ctrlKey || metaKey || altKey);
}

/* JupyterLab takes arrow keys and letters for commands to the notebook unless the focused element itself says no. Not so the
 * keys that run a cell, and Escape, which leaves the lab: they are decided before JupyterLab, which listens at the document. */
function keepKeys(root) {
  const decide = (event) => {
    if (!root.contains(event.target)) return;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !runsCell(event));
    if (event.key === "Escape") root.closest(".jp-Cell")?.focus();
  };
  window.addEventListener("keydown", decide, true);
  return () => window.removeEventListener("keydown", decide, true);
}
