// Reads and judges a typed number as the course does with a kernel: units.parse, Prediction.parse and feedback.judge, for pages
// that have none. Their words, units and limits stand in globalThis.flWords, which posed.py takes from the course itself.
//
//   flJudge(question, "900 GB/s")   {verdict, sentence, right, ratio, slip}; a verdict of "problem" counts as no answer
//   flShown(question)               {verdict: "shown", sentence}, where the learner asked for the answer
//   flOpened(text)                  what posed.obscured made unreadable
(() => {
  "use strict";

  const words = globalThis.flWords;
  // What Python takes for blank, for a letter or digit, and for a number.
  const BLANK = "[\\t-\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
  const SOLID = BLANK.replace("[", "[^");
  const LETTER = "[\\p{L}\\p{N}_]";
  const NUMBER = "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?";
  const BEFORE = new RegExp(`^${BLANK}+`, "u");
  const BEHIND = new RegExp(`${BLANK}+$`, "u");
  const BLANKS = new RegExp(`${BLANK}+`, "u");
  const UNIT = new RegExp(`^(?:${BLANK.replace("[", "[^\\p{Nd}")}${SOLID}*)?$`, "u");
  const A_SECOND = new RegExp(`(?<!${BLANK})${BLANK}*(?:/|(?<!${LETTER})per(?!${LETTER}))${BLANK}*s(?:ec(?:ond)?)?$`, "iu");
  const ABOUT = new RegExp("^(?:about|around|roughly|approx\\.?|approximately|circa|ca\\.?|nearly|some|~|≈)"
    + `${BLANK}*(?=[\\p{Nd}.])`, "iu");
  const PER_CENT = /per ?cent$/iu;

  class Refused extends Error {}

  function refuse(sentence) {
    throw new Refused(sentence);
  }

  const rstrip = (text) => text.replace(BEHIND, "");
  const strip = (text) => rstrip(text.replace(BEFORE, ""));
  const without = (text, ending) => text.slice(0, text.length - ending.length);

  const NAMED = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

  function quoted(text) {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const shown = (c) => NAMED[c] ?? (c === quote ? `\\${c}` : c !== " " && /[\p{C}\p{Z}]/u.test(c) ? coded(c) : c);
    return quote + [...text].map(shown).join("") + quote;
  }

  function coded(character) {
    const hex = character.codePointAt(0).toString(16);
    const [letter, wide] = hex.length <= 2 ? ["x", 2] : hex.length <= 4 ? ["u", 4] : ["U", 8];
    return `\\${letter}${hex.padStart(wide, "0")}`;
  }

  function short(text) {
    const shown = [...quoted(text)];
    return shown.length <= 60 ? shown.join("") : `${shown.slice(0, 57).join("")}...`;
  }

  // Numbers as text: what lies half way goes to the even digit, as in Python.
  function fixed(value, digits) {
    if (!Number.isFinite(value)) return "inf";
    if (value >= 1e21) return String(BigInt(value));
    const text = value.toFixed(digits);
    const exact = value.toFixed(60);
    const cut = exact.length - 60 + digits + (digits ? 0 : -1);
    const half = /^\.?50*$/.test(exact.slice(cut));
    const down = exact.slice(0, cut);
    return half && "02468".includes(down.at(-1)) ? down : text;
  }

  const factor = (ratio) => ratio < 10 ? fixed(ratio, 1) : fixed(ratio, 0).replace(/\B(?=(\d{3})+$)/g, ",");

  function times(ratio) {
    if (ratio >= 1) return `${factor(ratio)} times`;
    return ratio > 0.5 ? `${fixed(100 * ratio, 0)} % of` : `${factor(1 / ratio)} times smaller than`;
  }

  function parse(text, kind) {
    const example = words.examples[kind];
    const write = `Write a number and a unit, such as '${example}'`;
    if ([...text].length > words.longest) refuse(`text must be a short string such as '${example}'; got ${short(text)}.`);
    if (text.includes(",")) {
      refuse(`${short(text)} has a comma. ${write}, with a point for decimals and nothing between thousands.`);
    }
    const parts = split(strip(text).replace(A_SECOND, "/s"));
    if (!parts) refuse(`${short(text)} is not a number with a unit. ${write}.`);
    const number = computed(parts[0], short(text));
    const unit = abbreviated(parts[1]);
    if (unit === "" && kind !== "ratio") refuse(`${short(text)} has no unit. ${write}.`);
    const value = number * scaled(unit, kind, write);
    if (!Number.isFinite(value)) refuse(`${short(text)} is too large to hold. ${write}.`);
    if (value < 0 && Object.hasOwn(words.kinds.size, unit)) refuse(`${short(text)} is less than no bytes. ${write}.`);
    return value;
  }

  // Each piece is taken once and never given back.
  function split(text) {
    let at = 0;
    const take = (pattern) => {
      const sticky = new RegExp(pattern, "uy");
      sticky.lastIndex = at;
      const found = sticky.exec(text)?.[0];
      at += found?.length ?? 0;
      return found;
    };
    let number = take(`[+-]?${NUMBER}`);
    if (!number) return null;
    for (let more; (more = take(`${BLANK}*[*×/]${BLANK}*${NUMBER}`));) number += more;
    take(`${BLANK}*`);
    return UNIT.test(text.slice(at)) ? [number, text.slice(at)] : null;
  }

  function computed(text, shown) {
    const [first, ...rest] = strip(text.replaceAll("*", "×").replaceAll("×", " × ").replaceAll("/", " / ")).split(BLANKS);
    let value = Number(first);
    for (let i = 0; i < rest.length; i += 2) {
      const by = Number(rest[i + 1]);
      if (rest[i] === "/" && by === 0) refuse(`${shown} divides by zero.`);
      value = rest[i] === "/" ? value / by : value * by;
    }
    return value;
  }

  function abbreviated(unit) {
    const each = unit.endsWith("/s") ? "/s" : "";
    const base = without(unit, each);
    return (Object.hasOwn(words.words, base.toLowerCase()) ? words.words[base.toLowerCase()] : base) + each;
  }

  function scaled(unit, kind, write) {
    if (Object.hasOwn(words.kinds[kind], unit)) return words.kinds[kind][unit];
    for (const [name, table] of Object.entries(words.kinds)) {
      if (Object.hasOwn(table, unit)) refuse(`${quoted(unit)} is a unit of ${name}; a ${kind} is asked for. ${write}.`);
    }
    const names = Object.keys(words.kinds[kind]).filter(Boolean).sort();
    const folded = names.filter((name) => name.toLowerCase() === unit.toLowerCase());
    if (folded.length) {
      refuse(`${short(unit)} could be read in more than one way or is misspelt: did you mean ${folded.join(" or ")}? `
        + `(B is a byte, b a bit.) ${write}.`);
    }
    const cut = [...unit].slice(0, 20).join("");
    const near = closest(cut, names).map(quoted).join(" or ");
    return refuse(`unit ${short(cut)} is not known.${near && ` Did you mean ${near}?`} Usual: ${words.usual[kind]}. ${write}.`);
  }

  // difflib.get_close_matches(word, names, n=2, cutoff=0.6)
  function closest(word, names) {
    const likeness = (name) => 2 * matches([...name], [...word]) / ([...name].length + [...word].length);
    const scored = names.map((name) => [likeness(name), name]).filter(([score]) => score >= 0.6);
    scored.sort(([s, a], [t, b]) => t - s || (a < b ? 1 : -1));
    return scored.slice(0, 2).map(([, name]) => name);
  }

  function matches(a, b) {
    let [best, i, j] = [0, 0, 0];
    let before = [];
    for (let m = 0; m < a.length; m += 1) {
      const now = [];
      for (let n = 0; n < b.length; n += 1) {
        if (a[m] !== b[n]) continue;
        now[n] = (before[n - 1] ?? 0) + 1;
        if (now[n] > best) [best, i, j] = [now[n], m - now[n] + 1, n - now[n] + 1];
      }
      before = now;
    }
    if (!best) return 0;
    return matches(a.slice(0, i), b.slice(0, j)) + best + matches(a.slice(i + best), b.slice(j + best));
  }

  function read(question, text) {
    if ([...text].length > words.longest) return parse(text, question.kind); // which says what is wrong with it
    const bare = strip(text).replace(ABOUT, "");
    const value = question.kind === "ratio" ? counted(question.unit, bare) : parse(bare, question.kind);
    if (value < words.least) refuse(`The answer is more than zero; ${quoted(strip(bare))} is not.`);
    return value;
  }

  function counted(noun, typed) {
    const text = typed.replace(PER_CENT, "%");
    let [number, scale] = [withoutNoun(text, noun), 1];
    for (const [other, by] of Object.entries(words.quantities[noun] ?? {})) {
      if (text.endsWith(other) && !/\p{L}$/u.test(without(text, other))) [number, scale] = [rstrip(without(text, other)), by];
    }
    try {
      if (noun && noun !== "times" && /(?:%|x|times)$/.test(number)) refuse("");
      return scale * parse(number, "ratio");
    } catch (problem) {
      if (!noun || !(problem instanceof Refused)) throw problem;
      return refuse(`${short(text)} is not a number of ${noun}. Write one such as '12 ${noun}'.`);
    }
  }

  function withoutNoun(text, noun) {
    const one = (noun.endsWith("s") ? noun.slice(0, -1) : noun).toLowerCase();
    const ending = one && [`${one}s`, one].find((end) => text.toLowerCase().endsWith(end));
    return rstrip(without(text, ending || ""));
  }

  function nearness(scale, given, answer) {
    const [ratio, apart, limits] = [given / answer, Math.abs(given - answer), words.limits];
    if (scale === "share") {
      const right = Math.min(limits.rightPoints, answer / 5);
      return apart <= right ? "right" : apart <= Math.min(limits.closePoints, answer / 2) ? "close" : "off";
    }
    if (scale === "count") {
      if (apart <= limits.rightShare * answer) return "right";
      return apart <= Math.max(1, limits.closeShare * answer) ? "close" : "off";
    }
    return Math.abs(ratio - 1) <= limits.right ? "right" : 1 / limits.close <= ratio && ratio <= limits.close ? "close" : "off";
  }

  function apart(scale, given, answer) {
    const gap = given - answer;
    const size = Math.abs(gap);
    if (scale === "count" && size <= 1 && Number.isInteger(size)) return gap > 0 ? "one more than" : "one less than";
    if (scale === "share" && nearness(scale, given, answer) === "close") {
      const points = fixed(size, 0);
      return `${points} point${points === "1" ? "" : "s"} ${gap > 0 ? "above" : "below"}`;
    }
    return times(given / answer);
  }

  function slipOf(question, given, text) {
    const binary = (text + question.question).includes("iB");
    let [distance, clause] = [Infinity, ""];
    for (const [ratio, said, onlyBinary] of question.slips) {
      const off = Math.abs(given / question.answer / ratio - 1);
      if ((binary || !onlyBinary) && off < distance) [distance, clause] = [off, said];
    }
    if (distance <= words.limits.same) return clause;
    const fraction = question.scale === "share" && !text.includes("%");
    return fraction && nearness("share", 100 * given, question.answer) !== "off" ? words.fraction : "";
  }

  function judged(question, text) {
    const given = read(question, text);
    const typed = strip(text).split(BLANKS).join(" ");
    const verdict = nearness(question.scale, given, question.answer);
    const ratio = given / question.answer;
    if (verdict === "right") {
      const within = words.within[question.scale];
      const sentence = `Right: your ${typed} agrees with the answer, ${question.shown}${within}.`;
      return { verdict, sentence, right: true, ratio, slip: "" };
    }
    const slip = slipOf(question, given, text);
    const why = slip ? `: ${slip}.` : ".";
    const compared = question.stop ? `our ${typed} is ${verdict === "close" ? "a little " : ""}too ${ratio > 1 ? "large" : "small"}`
      : `our ${typed} is ${apart(question.scale, given, question.answer)} the answer, ${question.shown}`;
    const sentence = (verdict === "close" && !question.stop ? "Close: y" : "Y") + compared + why;
    return { verdict: verdict === "close" ? verdict : slip ? "slip" : "off", sentence, right: false, ratio, slip };
  }

  const opened = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter, at) => letter.charCodeAt(0) ^ ((words.veil + 7 * at) & 255));
    return JSON.parse(new TextDecoder().decode(bytes));
  };
  const question = (given) => typeof given === "string" ? opened(given) : given;

  globalThis.flOpened = opened;

  globalThis.flJudge = (given, text) => {
    const asked = question(given);
    const problem = (sentence) => ({ verdict: "problem", sentence, right: false, ratio: 0, slip: "" });
    if (!strip(text)) return problem(`Type your answer first, such as ${asked.sample}.`);
    try {
      return judged(asked, text);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      return problem(refused.message);
    }
  };

  globalThis.flShown = (given) => {
    const asked = question(given);
    return { verdict: "shown", sentence: asked.stop ? `The answer: ${asked.shown}.` : `The answer is ${asked.shown}.` };
  };
})();
