// What scrolls sideways is among what the Tab key reaches, as long as it does.
(() => {
  "use strict";

  const seen = new ResizeObserver((changed) => changed.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll(".fl-output, .table-wrapper").forEach((one) => seen.observe(one));
})();
