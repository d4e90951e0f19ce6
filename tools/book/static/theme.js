// Before anything is drawn: the theme that was chosen, else the system's.
document.body.dataset.theme = (() => {
  try {
    return localStorage.getItem("theme") || "auto";
  } catch {
    return "auto";
  }
})();
