"""What the labs of this lesson ask."""

from __future__ import annotations

from itertools import pairwise

from fabriclib import signals

from ...course.stops import Choice, Find, Number
from .tables import GENERATIONS, START, amplified, furthest, last_open, seen

# ---- the channel, part by part ----

_BASEBOARD, _SLOT = "GPU baseboard", "card in a slot"
_TRACE = "GETEK, 12 inches"
_MODULE, _CABLE, _PACKAGE = (signals.part(id).name for id in ("module", "twinax", "cpu-package"))
_BEST, _SECOND, _NO_BOARD = "The best one can", "The two best can", "None of them can"


def _longest(see) -> str:
    """The part that loses most; a bar may be drawn in two pieces."""
    table, lost = see(), {}
    for part, name, start, end in zip(table["part"], table["name"], table["from"], table["to"], strict=True):
        if part == "bar":
            lost[name] = lost.get(name, 0.0) + end - start
    return max(lost, key=lambda name: lost[name])


def _fits(see, **controls) -> bool:
    return "beyond it" not in see(**controls)["state"]


def _first_beyond(control: str):
    """Accept the first value of *control* with which the channel crosses the line."""
    def accepts(see) -> bool:
        values = list(see.values[control])
        before = values[:values.index(see.at[control])]
        return not _fits(see) and all(_fits(see, **{control: value}) for value in before)

    return accepts


def _boards(see) -> str:
    """How many of the boards bring the channel within the line without a retimer."""
    return {0: _NO_BOARD, 1: _BEST, 2: _SECOND}[sum(_fits(see, board=board) for board in see.values["board"])]


def _enough(see) -> bool:
    """The fewest retimers with which it fits."""
    return _fits(see) and not _fits(see, retimers=see.at["retimers"] - 1)


LOSS = (
    Choice("longest", "PCIe 3. Read the bars from top to bottom, as the signal travels.", "Which part loses most? Click its bar.",
           options=[_PACKAGE, f"{_CABLE}, 50 cm", _TRACE, _MODULE], answer=_longest, field="name",
           at={"channel": _BASEBOARD, "generation": "PCIe 3", "board": "GETEK", "retimers": 0},
           hints={_PACKAGE: "Compare how long the bars are, not how far right they end.",
                  f"{_CABLE}, 50 cm": "Compare how long the bars are, not how long the parts are.",
                  _MODULE: "Compare how long the bars are, not how far right they end."},
           saw="The board. Half a metre of this cable loses as much as about two inches of it: that is why there are cables in "
               "servers."),
    Find("cross", "Raise the generation, step by step.", "At which does the signal first cross the dashed line? Stop there.",
         control="generation", accepts=_first_beyond("generation"),
         at={"channel": _BASEBOARD, "generation": "PCIe 3", "board": "GETEK", "retimers": 0},
         hint="The first one with a bar in the other colour.",
         saw="The parts and the inches stayed the same. The frequency rose to {{ digits(pcie5.nyquist / units.GHz) }} GHz, each "
             "part lost more than three times as much, and the budget grew by less than two thirds."),
    Choice("money", "Stay at PCIe 5, and try the boards.", "Can money for a better board replace the retimer here?",
           options=[_BEST, _SECOND, _NO_BOARD], answer=_boards,
           at={"channel": _BASEBOARD, "generation": "PCIe 5", "board": "GETEK", "retimers": 0},
           hints={_BEST: "Move the slider to its left end, and look at the end of the last bar.",
                  _SECOND: "Try the two at the left end of the slider: where does the last bar end?"},
           saw="Even the best comes out beyond the line: packages, connectors and module take their part on any board."),
    Find("slot", "Now the card in a slot, at PCIe 5, without a retimer. Move the board's slider to the right.",
         "Which is the first that does not do?", control="board", accepts=_first_beyond("board"),
         at={"channel": _SLOT, "generation": "PCIe 5", "board": "Megtron 6", "retimers": 0},
         hint="Read the sentence: it says by how much the loss is too much, or that it fits.",
         saw="All others do without a retimer. \"PCIe 5 needs retimers\" is no law: it depends on inches and board."),
    Find("many", "Back to the GPU baseboard, on the board that loses most.", "How many retimers does it need?",
         control="retimers", accepts=_enough,
         at={"channel": _BASEBOARD, "generation": "PCIe 5", "board": "tetra-functional FR4", "retimers": 0},
         hint="It fits when nothing lies beyond the dashed line, and one fewer must not be enough.",
         saw="After each retimer the loss starts again from zero. Two are all that a link may have; at PCIe 5 no "
             "channel here needs more."),
)

# ---- one retimer, along the channel ----

_JUMPS, _SLOPES, _CABLES = "At packages and connectors", "Along the boards", "Along the cable"
_INCHES, _DECIBELS, _ENDS = "Half-way in inches", "Half-way in decibels", "At the GPU's end"


def _ends(see, **controls) -> tuple[float, float]:
    """The dB of the stretch before the retimer, and of the one after it."""
    table = see(**controls)
    before, after = (db for part, db in zip(table["part"], table["dB"], strict=True) if part == "end")
    return before, after


def _steepest(see) -> str:
    """Where the line rises without going on to the right."""
    table = see()
    rows = zip(table["part"], table["stretch"], table["x"], table["dB"], strict=True)
    way = [(x, db) for part, stretch, x, db in rows if part == "way" and stretch == "after"]
    return _JUMPS if any(x == x2 and db2 > db + 1 for (x, db), (x2, db2) in pairwise(way)) else _SLOPES


def _within(see) -> bool:
    asked = signals.standard(GENERATIONS[see.at["generation"]])
    return max(_ends(see)) <= asked.usable


def _worst(see, spot) -> float:
    return max(_ends(see, retimer=spot))


def _best(see) -> bool:
    return _worst(see, see.at["retimer"]) == min(_worst(see, spot) for spot in see.values["retimer"])


def _half_way(see) -> str:
    """What the best place halves: the two stretches alike in dB, or in inches."""
    spots = see.values["retimer"]
    best = min(spots, key=lambda spot: _worst(see, spot))
    before, after = _ends(see, retimer=best)
    return _ENDS if best == spots[-1] else _DECIBELS if abs(before - after) < 2 else _INCHES


PLACE = (
    Choice("jumps", "The line is the loss, from the CPU at the left to the GPU.", "Where does it rise by a jump?",
           options=[_SLOPES, _CABLES, _JUMPS], answer=_steepest,
           hints={_SLOPES: "There it rises steadily, inch by inch. Where is it upright?",
                  _CABLES: "There it hardly rises. Where is it upright?"},
           saw="Boards lose by the inch, a cable little, and packages and connectors at once. At the retimer it starts again."),
    Find("fits", "Near the CPU the retimer leaves too much behind it. Drag it, or move the slider.",
         "Find a place where it fits.", control="retimer", accepts=_within,
         at={"generation": "PCIe 5", "board": "GETEK", "retimer": 3},
         hint="Both stretches must end below the dashed line.",
         saw="It needs a board to sit on, so not the cable. On real servers, too, most are reported on the baseboard."),
    Find("best", "Now for the most room to spare.", "Where is the worse of the two stretches as short as it can be?",
         control="retimer", accepts=_best, at={"generation": "PCIe 5", "board": "GETEK", "retimer": 36},
         hint="The worse one counts: move the retimer until both are as nearly alike as they get.",
         saw="A step to either side, and one of the two gets longer."),
    Choice("half", "Look at the place you found, and at the two numbers.", "Where is the best place?",
           options=[_INCHES, _DECIBELS, _ENDS], answer=_half_way, at={"generation": "PCIe 5", "board": "GETEK", "retimer": 27},
           hints={_INCHES: "The whole way is some {{ see.values['retimer'][-1] }} inches. Is the best place in its middle?",
                  _ENDS: "Drag it there: which stretch is then the worse one?"},
           saw="The worse stretch counts, so both should lose alike. At the end it would leave the first as long as before."),
)

# ---- the eye ----

_NOISE, _PAST = "The lines got thick", "The lines go everywhere"


def _openings(see, **controls) -> int:
    return see(**controls)["part"].count("opening")


def _open(see, **controls) -> bool:
    return _openings(see, **controls) > 0


def _closed_by(see) -> str:
    """What takes more of the opening: the noise, or what is left of earlier symbols."""
    at = see.at
    found = seen(GENERATIONS[at["generation"]], at["inches"], at["equaliser"], at["helper"])[1]
    past = 2 * found.memory
    return _PAST if past * found.swing > (1 - found.memory * 2) * found.swing - found.height else _NOISE


def _last_open(see) -> bool:
    return see.at["inches"] == max(inches for inches in see.values["inches"] if _open(see, inches=inches))


_TWO_HINTS = {_NOISE: "Look at single lines: are they thick, or thin and many?",
              _PAST: "Look at single lines: are they thin and many, or thick?"}

EYE = (
    Number("eyes", "The upright bar is what stays open between two voltages. Go from PCIe 5 to PCIe 6.",
           "How many openings are there now?", kind="ratio", unit="openings", example="2 openings",
           answer=lambda see: _openings(see, generation="PCIe 6"), at={"generation": "PCIe 5", "inches": START},
           slips={"that is the number of voltages; an opening lies between two": 4},
           saw="Four voltages have three gaps, each a third as high. That closes eyes from PCIe 5 to 6, at the same frequency."),
    Find("last", "PCIe 5. Make the board longer, or press play, and watch the eye close.",
         "Which is the longest board with an open eye?", control="inches", accepts=_last_open,
         at={"generation": "PCIe 5", "inches": START}, hint="One inch more, and the picture says that it is closed.",
         saw="A fast pattern keeps {{ portion(10 ** (-seen('pcie5', last_open(), 'on', 'nothing')[0] / 20)) }} of its "
             "{{ digits(1e3 * pcie5.swing, 3) }} mV there, and the receiver still tells 0 from 1."),
    Choice("noise", "Now a little beyond that, with the equaliser on.", "What has closed this eye?",
           options=[_NOISE, _PAST], answer=_closed_by, at={"generation": "PCIe 5", "inches": last_open() + 1},
           hints={_PAST: _TWO_HINTS[_PAST]},
           saw="The signal is so small that the receiver amplifies its own noise with it: the thicker the lines, the more."),
    Choice("past", "PCIe 3, the equaliser off, {{ first_shut() }} inches: closed as well.", "And what has closed this one?",
           options=[_NOISE, _PAST], answer=_closed_by, at={"generation": "PCIe 3", "inches": furthest("pcie3", "off") + 1,
                                                           "equaliser": "off"},
           hints={_NOISE: _TWO_HINTS[_NOISE]},
           saw="The past: each line is on its way from another one. Of random bits {{ wrong('pcie3', first_shut(), 'off') }} are "
               "wrong, of those that end a long run all. An equaliser undoes this, and cannot undo noise."),
    Find("helper", "PCIe 5 and a board far too long. Try what can sit in its middle.", "Which of the two opens the eye?",
         control="helper", accepts=_open, at={"generation": "PCIe 5", "inches": amplified() + 3},
         hint="Still closed. Look at the lines: did it make them thinner?",
         saw="A redriver amplifies the noise with the signal; up to {{ amplified() }} inches that is enough. A retimer decides "
             "each bit and sends it anew."),
)
