// Slides: reveal.js as it comes, but that a lab keeps its keys. What a clicker sends turns the slides wherever the focus is,
// and Escape leaves a lab.
(() => {
  "use strict";

  const SMALLEST = 0.4;
  const TURNS = { PageDown: "next", PageUp: "prev" };
  const WORKS = ".fabriclib-lab, form, button, summary";

  addEventListener("keydown", (event) => {
    const turn = TURNS[event.key];
    const leaves = event.key === "Escape" && document.activeElement.closest(WORKS);
    if (!turn && !leaves) return;
    document.activeElement.blur();
    if (turn) Reveal[turn]();
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // A slide that holds more than the wall has room for is written smaller.
  function fit({ currentSlide: slide }) {
    for (let size = 1; size >= SMALLEST; size -= 0.05) {
      slide.style.fontSize = `${size}em`;
      if (slide.scrollHeight <= slide.clientHeight && slide.scrollWidth <= slide.clientWidth) return;
    }
  }

  const refit = () => fit({ currentSlide: Reveal.getCurrentSlide() });
  Reveal.initialize({
    disableLayout: true, hash: true, controls: false, transition: "none", backgroundTransition: "none", scrollActivationWidth: null,
    plugins: [RevealNotes], keyboardCondition: ({ target }) => !target.closest(WORKS),
  }).then(() => {
    Reveal.on("slidechanged", fit);
    addEventListener("resize", refit);
    addEventListener("fl-kept", refit);
    addEventListener("toggle", refit, true);
    refit();
  });
})();
