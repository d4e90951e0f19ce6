// What a page of the book asks, and how it shows what kept.js keeps.
(() => {
  "use strict";

  const { SECTIONS, plain, sound, all, keep, get, record, notice } = flKept;
  const MOST = 5_000_000; // characters of a file that is read
  const MARKS = { right: "✓", close: "≈", slip: "✗", off: "✗", shown: "→", problem: "!" };

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  function element(name, css, text) {
    const made = document.createElement(name);
    made.className = css;
    made.textContent = text;
    return made;
  }

  function sentence(verdict, text, more = "") {
    const said = element("div", `fl-sentence fl-${verdict}`, "");
    const mark = element("b", "", MARKS[verdict]);
    mark.ariaHidden = "true";
    const first = element("div", "", "");
    first.append(mark, ` ${text}`);
    said.append(first);
    if (more) said.append(element("div", "", more));
    return said;
  }

  // A prediction: asked, judged, kept with every earlier attempt, and changed or cleared on demand.
  function predict(form) {
    const { key } = form.dataset;
    const question = flOpened(form.dataset.sealed);
    const typed = form.querySelector("input");
    const told = form.querySelector(".fl-told");
    const button = (name) => form.querySelector(`[data-do="${name}"]`);
    let changing = false;

    function attempts() {
      const entries = get("attempts", key)?.entries;
      const kept = Array.isArray(entries) ? entries.filter(plain) : [];
      const now = get("predictions", key);
      return now && !same(now, kept.at(-1)) ? [...kept, now] : kept;
    }

    function answer(entry) {
      const kept = attempts();
      if (entry && !same(entry, kept.at(-1))) kept.push(entry);
      changing = false;
      record("attempts", key, { entries: kept });
      record("predictions", key, entry);
      (entry ? button("change") : typed).focus();
    }

    function verdict(entry) {
      const judged = typeof entry.typed === "string" ? flJudge(question, entry.typed) : { verdict: "problem" };
      const said = judged.verdict === "problem" ? flShown(question) : judged;
      const parts = [sentence(said.verdict, said.sentence, question.explain)];
      const earlier = attempts().filter((old) => old.typed && !same(old, entry)).map((old) => String(old.typed));
      if (earlier.length) parts.push(element("div", "fl-notice", `Earlier: ${earlier.join(", ")}`));
      return parts;
    }

    function refresh() {
      const entry = get("predictions", key);
      const asking = !entry || changing;
      form.querySelector(".fl-ask").hidden = !asking;
      form.querySelector(".fl-again").hidden = asking;
      button("back").hidden = Boolean(entry) || !attempts().length;
      told.replaceChildren(...(entry ? verdict(entry) : []));
      if (notice()) told.append(element("div", "fl-notice", notice()));
      if (!changing) typed.value = entry?.typed ?? "";
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const judged = flJudge(question, typed.value);
      if (judged.verdict === "problem") told.replaceChildren(sentence("problem", judged.sentence));
      else answer({ typed: typed.value });
    });
    button("show").addEventListener("click", () => answer({ shown: true }));
    button("back").addEventListener("click", () => answer(attempts().at(-1)));
    button("clear").addEventListener("click", () => answer(null));
    button("change").addEventListener("click", () => {
      changing = true;
      refresh();
      typed.focus();
    });
    return refresh;
  }

  // A decision: what is said to an option is shown, and kept; once right, it stays so.
  function decision(box) {
    const { key } = box.dataset;
    const said = flOpened(box.dataset.sealed);
    const options = [...box.querySelectorAll("li button")];
    let last = null;

    function choose(given) {
      const before = get("exercises", key);
      const tries = Number.isInteger(before?.tries) ? before.tries : 0;
      last = given;
      if (said[given][0]) record("exercises", key, { passed: true, given });
      else if (!before?.passed) record("exercises", key, { outcome: "wrong", tries: tries + 1, given });
      refresh();
    }

    function chosen(entry) {
      const given = last ?? entry.given;
      if (Object.hasOwn(said, given)) return given;
      return entry.passed ? Object.keys(said).find((option) => said[option][0]) : null;
    }

    function refresh() {
      const entry = get("exercises", key);
      if (!entry) last = null;
      const given = entry && chosen(entry);
      const [right, text, follows] = given ? said[given] : [];
      box.querySelector(".fl-told").replaceChildren(...(given ? [sentence(right ? "right" : "off", text, follows)] : []));
      options.forEach((one) => one.setAttribute("aria-pressed", String(one.textContent === given)));
    }

    options.forEach((one) => one.addEventListener("click", () => choose(one.textContent)));
    return refresh;
  }

  function nudge(details) {
    const [summary, told] = details.children;
    summary.addEventListener("click", () => { told.textContent = flOpened(details.dataset.sealed); });
    return () => {};
  }

  function gate(details) {
    let was = null;
    return () => {
      const open = Boolean(get("predictions", details.dataset.key));
      if (open !== was) details.open = open;
      details.classList.toggle("fl-open", open);
      was = open;
    };
  }

  function claim(item) {
    const buttons = [...item.querySelectorAll("[data-vote]")];
    const believed = () => get("claims", item.dataset.claim)?.believed;
    buttons.forEach((one) => one.addEventListener("click", () => {
      const vote = one.dataset.vote;
      record("claims", item.dataset.claim, believed() === vote ? null : { believed: vote });
    }));
    return () => buttons.forEach((one) => one.setAttribute("aria-pressed", String(believed() === one.dataset.vote)));
  }

  function noted(cell) {
    return () => {
      const vote = get("claims", cell.dataset.noted)?.believed;
      cell.textContent = ["yes", "no"].includes(vote) ? vote : "";
    };
  }

  function progress(box) {
    const lessons = [...box.querySelectorAll("[data-asked]")];
    const done = (asked) => {
      const [section, key] = asked.split(":");
      const entry = get(section, key);
      return entry && entry.outcome !== "wrong";
    };
    return () => {
      const counts = lessons.map((line) => line.dataset.asked.split(" ").filter(Boolean))
        .map((asked) => [asked.filter(done).length, asked.length]);
      const last = Math.max(0, counts.findLastIndex(([some]) => some));
      const here = [...lessons.keys()].slice(last).find((at) => counts[at][0] < counts[at][1]) ?? -1;
      lessons.forEach((line, at) => {
        line.querySelector(".fl-done").textContent = `${counts[at][0]} of ${counts[at][1]}`;
        line.classList.toggle("fl-here", at === here);
      });
      const answered = counts.reduce((sum, [some]) => sum + some, 0);
      const link = lessons[here]?.querySelector("a").cloneNode(true);
      const said = box.querySelector("p");
      said.replaceChildren(answered ? `${answered} questions answered. ` : "Nothing answered yet. ");
      if (link) said.append(answered ? "Continue at " : "Begin at ", link, ".");
    };
  }

  function given(row) {
    return () => {
      const { section, key } = row.dataset;
      const entry = get(section, key);
      row.hidden = !entry;
      const told = entry?.typed ?? entry?.given ?? "";
      const how = entry?.shown || entry?.outcome === "shown" ? "shown" : entry?.passed ? "passed" : entry?.outcome ?? "";
      row.lastElementChild.textContent = [told, how].filter(Boolean).join(", ");
    };
  }

  function keeping(row) {
    const said = document.querySelector(".fl-kept");
    const file = row.querySelector("input");
    const reset = row.querySelector('[data-do="reset"]');
    row.querySelector('[data-do="export"]').addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${JSON.stringify(all(), null, 1)}\n`], { type: "application/json" }));
      link.download = "progress.json";
      link.click();
      URL.revokeObjectURL(link.href);
      said.textContent = "Exported as progress.json.";
    });
    file.addEventListener("change", async () => {
      const text = file.files[0].size > MOST ? "" : await file.files[0].text();
      const read = text && sound(text);
      file.value = "";
      if (!read) {
        said.textContent = "That file holds no answers of this course; nothing was changed.";
        return;
      }
      const now = all();
      const joined = SECTIONS.map((section) => [section, { ...read[section], ...now[section] }]);
      keep({ ...now, ...Object.fromEntries(joined.filter(([, entries]) => Object.keys(entries).length)) });
      said.textContent = `Imported. What was answered here already stays. ${notice()}`.trim();
    });
    reset.addEventListener("click", () => {
      const sure = reset.dataset.sure === "yes";
      reset.dataset.sure = sure ? "" : "yes";
      reset.textContent = sure ? "Clear all" : "Really clear all answers?";
      if (sure) keep({});
      said.textContent = sure ? "Cleared." : "";
    });
    return () => { said.textContent = notice(); };
  }

  // The pages' theme is a name on the body, and "auto" is the system's; what draws in a page asks the root for the one that holds.
  function themed() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const tell = () => {
      const { theme } = document.body.dataset;
      document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    };
    new MutationObserver(tell).observe(document.body, { attributeFilter: ["data-theme"] });
    dark.addEventListener("change", tell);
    tell();
  }

  const KINDS = {
    "form.fl-predict": predict, ".fl-decision": decision, ".fl-nudge": nudge, "details.fl-gate": gate, "[data-claim]": claim, "[data-noted]": noted,
    ".fl-progress": progress, "tr[data-section]": given, ".fl-keeping": keeping,
  };
  themed();
  const refreshers = Object.entries(KINDS).flatMap(([css, begin]) => [...document.querySelectorAll(css)].map(begin));
  const refresh = () => refreshers.forEach((one) => one());
  addEventListener("fl-kept", refresh);
  refresh();
})();
