/* What of a lab cannot be read as it stands on the page: a list of sentences, empty where all is well. */
const pen = document.createElement("canvas").getContext("2d");

function widthOf(text, font) {
  pen.font = font;
  return pen.measureText(text).width;
}

function said(lab) {
  const found = [];
  const { left, right } = lab.getBoundingClientRect();
  for (const element of lab.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (!box.width || element.closest(".fl-card")) continue;
    const name = `${element.className || element.tagName} "${element.textContent.slice(0, 30)}"`;
    if (box.left < left || box.right > right + 0.5) found.push(`${name} leaves the lab by ${Math.round(box.right - right)} px`);
    if (getComputedStyle(element).overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) found.push(`${name} is cut`);
    if (element.placeholder) {
      const style = getComputedStyle(element);
      const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      if (widthOf(element.placeholder, style.font) > room) found.push(`"${element.placeholder}" does not fit its box`);
    }
    if (element.tagName === "SELECT" && right - left > 400) { // a telephone shows choices in a list of its own
      const style = getComputedStyle(element);
      const longest = widthOf(element.selectedOptions[0].text, style.font);
      if (longest + 24 > element.clientWidth) found.push(`${name} hides ${Math.round(longest + 24 - element.clientWidth)} px of a choice`);
    }
  }
  for (const slide of lab.querySelectorAll(".fl-slide")) {
    const [input, value] = [...slide.children].map((child) => child.getBoundingClientRect());
    if (value.top > input.bottom) found.push(`"${slide.textContent}" stands below its slider`);
  }
  const screen = lab.querySelector(".fl-screen");
  if (screen.scrollHeight > screen.clientHeight + 6) { // what has the focus is outlined by five
    found.push(`the screen holds ${screen.scrollHeight - screen.clientHeight} px too much`);
  }
  return found;
}

/* Every text of the drawing that shows, with its box in pixels of the drawing. */
function texts(view) {
  const found = [];
  const [dx, dy] = view.origin();
  const walk = (mark, x, y) => {
    for (const item of mark.items ?? []) {
      if (mark.marktype === "group") for (const inner of item.items) walk(inner, x + (item.x || 0), y + (item.y || 0));
      if (mark.marktype !== "text" || !item.text?.toString() || item.opacity === 0 || item.fillOpacity === 0 || !item.fontSize) continue;
      const { x1, y1, x2, y2 } = item.bounds;
      const lines = Array.isArray(item.text) ? item.text : String(item.text).split(item.lineBreak ?? /$^/);
      const font = `${item.fontStyle ?? ""} ${item.fontWeight ?? ""} ${item.fontSize}px ${item.font ?? "sans-serif"}`;
      const long = Math.max(...lines.map((line) => widthOf(line, font)));
      found.push({ text: lines.join(" "), cut: item.limit > 0 && long > item.limit + 1, size: item.fontSize, edge: Boolean(item.stroke),
                   slanted: Boolean(item.angle % 90), box: [x + x1 + dx, y + y1 + dy, x + x2 + dx, y + y2 + dy] });
    }
  };
  walk(view.scenegraph().root, 0, 0);
  return found;
}

function drawn(lab, least) {
  const chart = lab.querySelector(".fl-chart");
  const { clientWidth: width, clientHeight: height } = chart;
  const found = [];
  const all = texts(chart.flView);
  for (const { text, cut, size, edge, box: [x1, y1, x2, y2] } of all) {
    const out = Math.max(-x1, -y1, x2 - width, y2 - height) - (edge ? 3 : 0);
    if (out > 1.5) found.push(`"${text}" leaves the drawing by ${Math.round(out)} px`);
    if (cut) found.push(`"${text}" is cut`);
    if (size < least) found.push(`"${text}" is written in ${size} px`);
  }
  return found;
}

/* Pairs of different texts that cover one another by more than a third of the smaller one. */
function overlaps(lab) {
  const all = texts(lab.querySelector(".fl-chart").flView).filter(({ slanted }) => !slanted); // whose box is mostly empty
  const found = [];
  all.forEach(({ text, box }, i) => all.slice(i + 1).forEach((other) => {
    if (other.text === text) return;
    const [w, h] = [0, 1].map((axis) => Math.min(box[axis + 2], other.box[axis + 2]) - Math.max(box[axis], other.box[axis]));
    const area = Math.min(...[box, other.box].map(([a, b, c, d]) => (c - a) * (d - b)));
    if (w > 0 && h > 0 && w * h > 0.33 * area) found.push(`"${text}" and "${other.text}" cover one another`);
  }));
  return found;
}

globalThis.complaints = (lab, most, least) => {
  const height = Math.round(lab.getBoundingClientRect().height);
  const tall = height > most ? [`${height} px high`] : [];
  return [...tall, ...said(lab), ...drawn(lab, least), ...overlaps(lab)];
};
