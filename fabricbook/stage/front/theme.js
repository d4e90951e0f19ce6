/* ---- light or dark: JupyterLab's theme, or the system's where there is no JupyterLab ---- */

/* Colours are written once, for a light page. `twins` says what each of them is on a dark one. */
function theme(twins, onChange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => {
    const light = document.body.dataset.jpThemeLight;
    return light === undefined ? system.matches : light === "false";
  };
  let dark = isDark();
  const look = () => {
    if (dark === isDark()) return;
    dark = !dark;
    onChange();
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", look);

  function paint(value) {
    if (!dark) return value;
    if (typeof value === "string") return twins[value] ?? value;
    if (Array.isArray(value)) return value.map(paint);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, paint(part)]));
  }

  return {
    paint,
    scheme: () => (dark ? "dark" : "light"),
    end() {
      observer.disconnect();
      system.removeEventListener("change", look);
    },
  };
}
