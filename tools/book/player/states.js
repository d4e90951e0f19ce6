/* ---- what a lab shows at each place of its controls, as packing.py wrote it ---- */

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

const listed = (runs) => runs.flatMap((one) => (Array.isArray(one) ? Array(one[0]).fill(one[1]) : [one]));

/* The line that stands at each place of the grid, or null. */
function coded([lines, codes]) {
  const texts = lines.split("\n");
  let seen = 0;
  const at = listed(codes).map((code) => {
    if (code < 0) return null;
    if (code === 0) seen += 1;
    return texts[code === 0 ? seen - 1 : seen - code];
  });
  return (place) => at[place];
}

/* Answers positions with a state, as the widget does with a kernel; what goes wrong leaves the table as it was `before`. */
function grid({ sizes, columns, sentences, errors, ends }, names) {
  const [sentence, error, end] = [sentences, errors, ends].map(coded);
  const contents = Object.entries(columns).map(([name, told]) => [name, coded(told)]);
  const place = (positions) => names.reduce((at, name, i) => at * sizes[i] + positions[name], 0);

  function within(positions) {
    const last = JSON.parse(end(place(positions)));
    return [last && Object.fromEntries(names.map((name) => [name, Math.min(positions[name], last[name])])), last];
  }

  return {
    place: (positions) => place(within(positions)[0] ?? positions),
    state(positions, before) {
      const [values, last] = within(positions);
      const at = place(values ?? positions);
      const moved = { ...before, values: values ?? positions, ends: last ?? before.ends, error: error(at) };
      if (moved.error) return moved;
      const shown = contents.map(([name, told]) => [name, told(at)]).filter(([, text]) => text !== null);
      const table = Object.fromEntries(shown.map(([name, text]) => [name, listed(JSON.parse(text))]));
      return { ...moved, columns: table, sentence: sentence(at) };
    },
  };
}
