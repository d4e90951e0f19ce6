/* ---- stops without a kernel: judged by what Python said to every answer, and kept by kept.js ---- */

const DONE = ["right", "shown"];

/* `place` says where in the grid positions are. */
const judges = {
  choice: ({ said, none }) => (given) => (Object.hasOwn(said, given) ? said[given] : none),
  number: ({ question }) => (given) => {
    const { verdict, right, sentence } = flJudge(question, given);
    return verdict === "problem" ? ["", sentence, ""] : [right ? "right" : "wrong", sentence, given];
  },
  find: ({ found }, place) => {
    const at = coded(found);
    return (given) => JSON.parse(at(place(given)));
  },
};

function stopsOf(declared, place) {
  const said = {};
  const stops = Object.fromEntries(declared.map((stop) => [stop.key, { ...stop, judge: judges[stop.kind](stop, place) }]));
  const entry = ({ kept }) => ({ outcome: "", given: "", tries: 0, ...flKept.get("stops", kept) });
  const done = (stop) => DONE.includes(entry(stop).outcome);
  return {
    states: () => declared.map(({ key, kept, saw }) => {
      const { outcome, given } = entry({ kept });
      return { key, outcome, given, sentence: said[key] ?? "", saw: DONE.includes(outcome) ? saw : "" };
    }),
    answer(key, given) {
      const stop = stops[key];
      const [outcome, sentence, judged] = stop.judge(given);
      if (outcome && !done(stop)) flKept.record("stops", stop.kept, { outcome, given: judged, tries: entry(stop).tries + 1 });
      said[key] = sentence;
    },
    /* Tells the answer; the positions to which it moves controls, or null. */
    show(key) {
      const stop = stops[key];
      if (!done(stop)) flKept.record("stops", stop.kept, { ...entry(stop), outcome: "shown" });
      said[key] = stop.shown;
      return stop.moves;
    },
  };
}
