// The reader's answers, kept in this browser in the form of the course's own record, progress.json: {section: {key: entry}}.
// "fl-kept" is told to the window whenever they change.
(() => {
  "use strict";

  const KEPT = "fabricbook";
  const SECTIONS = ["predictions", "exercises", "attempts", "claims", "stops"];
  let unsaved = null; // what the browser will not keep

  const plain = (thing) => thing !== null && typeof thing === "object" && !Array.isArray(thing);

  function stored() {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  }

  function sound(text) {
    try {
      const record = JSON.parse(text ?? "{}");
      return plain(record) && SECTIONS.every((section) => plain(record[section] ?? {})) ? record : null;
    } catch {
      return null;
    }
  }

  let notice = sound(stored()) ? "" : "Your earlier answers cannot be read: what this browser has kept of them is damaged.";

  function putAside(damaged) {
    let number = 1;
    while (localStorage.getItem(`${KEPT}.damaged-${number}`) !== null) number += 1;
    localStorage.setItem(`${KEPT}.damaged-${number}`, damaged);
    notice = `Your earlier answers were damaged; this browser keeps them as ${KEPT}.damaged-${number}, and a new record begins.`;
  }

  function all() {
    return unsaved ?? sound(stored()) ?? {};
  }

  function keep(record) {
    try {
      if (!sound(stored())) putAside(stored());
      localStorage.setItem(KEPT, JSON.stringify(record));
      unsaved = null;
    } catch {
      unsaved = record;
      notice = "This browser keeps no answers; they last until the page is closed.";
    }
    window.dispatchEvent(new Event("fl-kept"));
  }

  function get(section, key) {
    const entries = all()[section] ?? {};
    return Object.hasOwn(entries, key) && plain(entries[key]) ? entries[key] : null;
  }

  function record(section, key, entry) {
    const now = all();
    const entries = { ...now[section] };
    delete entries[key];
    keep({ ...now, [section]: entry ? { ...entries, [key]: entry } : entries });
  }

  addEventListener("storage", (event) => event.key === KEPT && window.dispatchEvent(new Event("fl-kept")));

  globalThis.flKept = { SECTIONS, plain, sound, all, keep, get, record, notice: () => notice };
})();
