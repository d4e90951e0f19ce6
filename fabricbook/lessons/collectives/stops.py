"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.measurements import error

from ...course.stops import Choice, Find, Number
from .tables import expected_step, fitted_step, near_step, staircase

# ---- the stepper ----

_RING, _DOUBLING, _RABENSEIFNER = (f"all_reduce, {name}" for name in ("ring", "recursive_doubling", "rabenseifner"))
_ADDED, _REPLACED, _SWAPPED = "It is added to what is there", "It replaces what is there", "Two ranks swap their chunks"


def _ticks(table: dict, rank: int) -> int:
    """How many chunks of a rank are complete."""
    return sum(tick == "✓" for r, tick in zip(table["rank"], table["tick"], strict=True) if r == rank)


def _arrives_next(see) -> str:
    """The chunk that reaches rank 3 in the step after this one."""
    table = see(step=see.at["step"] + 1)
    rows = zip(table["rank"], table["chunk"], table["arrived from"], strict=True)
    return next(str(chunk) for rank, chunk, sender in rows if rank == 3 and sender)


def _first_complete(see) -> bool:
    """The first step after which every rank has a complete chunk."""
    def least(step):
        table = see(step=step)
        return min(_ticks(table, rank) for rank in range(see.at["ranks"]))

    return see.at["step"] > 0 and least(see.at["step"] - 1) == 0 < least(see.at["step"])


def _then(see) -> str:
    """What the chunks do that arrive in the next step: what is there afterwards is what was sent, or that and what was there."""
    before, after = see(), see(step=see.at["step"] + 1)
    held = dict(zip(zip(before["rank"], before["chunk"], strict=True), before["contributions"], strict=True))
    new = [(rank, chunk, holds) for rank, chunk, holds, sender in zip(
        after["rank"], after["chunk"], after["contributions"], after["arrived from"], strict=True) if sender]
    ranks = see.at["ranks"]
    return _REPLACED if all(holds == held[(rank - 1) % ranks, chunk] for rank, chunk, holds in new) else _ADDED


def _steps(see, ranks: int) -> int:
    """The first step after which so many ranks hold nothing but complete chunks."""
    return next(step for step in see.values["step"] if all(see(ranks=ranks, step=step)["tick"]))


STEPPER = (
    Choice("next", "Rank 3 has just got something: the cell with the thick border. Say where it will get the next thing, then "
           "take the step (›), or click the cell.",
           "Into which column?", options=["7", "6", "5", "0"], answer=_arrives_next, field="chunk",
           at={"algorithm": _RING, "ranks": 8, "step": 3},
           hints={"7": "There it has got something just now.", "0": "Follow the borders of one row from step 1 on.",
                  "5": "One step only: look at rank 3 alone."},
           saw="In each step one column to the left: a rank sends on what it has just received."),
    Find("finished", "Go on. A chunk is finished (✓) when its number is that of the ranks.",
         "After which step has every rank a finished chunk for the first time? Stop there.", control="step",
         accepts=_first_complete, at={"algorithm": _RING, "ranks": 8, "step": 0},
         hint="Look for the ticks: one in each row, and a step earlier none.",
         saw="Every rank has one, each another. Adding up is over."),
    Choice("half", "From that step take one more, and compare what arrives with what was in the cell.",
           "What happens to what arrives from now on?", options=[_ADDED, _REPLACED, _SWAPPED], answer=_then,
           at={"algorithm": _RING, "ranks": 8, "step": 7},
           hints={_ADDED: "Then the number would be a sum: read it before and after.",
                  _SWAPPED: "Look at the sender's row: does it get anything from the same rank?"},
           saw="A finished chunk needs no more adding: in the second half it is only handed round."),
    Find("halving", "Now Rabenseifner's way: half of the buffer goes, then a quarter, then an eighth, and back.",
         "After which step has every rank a finished chunk for the first time? Stop there.", control="step",
         accepts=_first_complete, at={"algorithm": _RABENSEIFNER, "ranks": 8, "step": 0},
         hint="Look for the ticks: one in each row, and a step earlier none.",
         saw="Much sooner than the ring, and a rank sends no more bytes: read the end of both sentences."),
    Number("six", "Recursive doubling swaps whole buffers: one column. 8 ranks take "
           "{{ counts('all_reduce', 'recursive_doubling').messages }} steps. Say what you expect of 6, then move the slider.",
           "How many steps do 6 ranks take?", kind="ratio", unit="steps", example="9 steps",
           answer=lambda see: _steps(see, 6), at={"algorithm": _DOUBLING, "ranks": 8, "step": 0},
           slips={"fewer ranks, but two of them find no partner; look at the first and the last step": lambda see: _steps(see, 8),
                  "that is what 4 ranks take, and two more want to be served": lambda see: _steps(see, 4)},
           saw="One more than 8 ranks: two of the 6 hand their buffer to a neighbour first, and get the result from it last."),
)

# ---- who talks ----

_ADD_COPY, _COPY_ADD, _SAME = "First it is added, then copied", "First it is copied, then added", "It is added both times"
_NONE, _HALF, _EVERY = "None", "Half of the ranks", "All of the ranks"


def _rows(table: dict, *columns: str) -> list[tuple]:
    return list(zip(*(table[column] for column in columns), strict=True))


def _last_partner(see) -> str:
    rows = _rows(see(), "leaves", "sender", "receiver")
    return str(max((leaves, receiver) for leaves, sender, receiver in rows if sender == 0)[1])


def _silent(see) -> int:
    """How many ranks never send."""
    return see.at["ranks"] - len(set(see()["sender"]))


def _rounds(see) -> str:
    """What its receivers do with the followed chunk, in the order of its steps."""
    path = [does for _, does in sorted((leaves, does) for leaves, does, followed in _rows(see(), "leaves", "does", "followed")
                                       if followed == "yes")]
    return {True: {True: _SAME, False: _ADD_COPY}, False: {True: _COPY_ADD, False: _SAME}}[path[0].startswith("adds")][
        path[-1].startswith("adds")]


def _pass_on(see, chunk: str) -> set[int]:
    """The ranks that hand the finished sum of a chunk on, but for the root, which nobody hands it to."""
    rows = [(sender, receiver) for sender, receiver, does, followed in
            _rows(see(follow=chunk), "sender", "receiver", "does", "followed") if followed == "yes" and does == "copies"]
    return {sender for sender, _ in rows} & {receiver for _, receiver in rows}


def _in_both(see) -> str:
    both = len(_pass_on(see, "chunk 0") & _pass_on(see, "chunk 1"))
    return _NONE if both == 0 else _EVERY if both == see.at["ranks"] else _HALF


WHO_TALKS = (
    Choice("butterfly", "Recursive doubling: the picture is called a butterfly. Follow the lines of rank 0 from left to right.",
           "With which rank does it swap in the last step?", options=["1", "2", "4", "7"], answer=_last_partner,
           at={"algorithm": _DOUBLING, "ranks": 8},
           hints={"1": "That is its first partner.", "2": "That is its partner in the middle.",
                  "7": "The last step is the one at the right: which line leaves row 0 there?"},
           saw="Partners are 1, 2, 4 apart. In a building, the far ones may be far indeed; all lines of the ring but one go to "
               "the next row."),
    Choice("round", "The ring: click a line, and follow its chunk with the slider.",
           "It goes round nearly twice. What is done with it where it arrives?",
           options=[_SAME, _COPY_ADD, _ADD_COPY], answer=_rounds,
           at={"algorithm": _RING, "ranks": 8, "follow": "chunk 0"},
           hints={_SAME: "Compare the colours and dashes of both halves.", _COPY_ADD: "Time runs from left to right."},
           saw="Solid, then dashed: once round to be added up, once more to be handed out."),
    Number("leaves", "A broadcast by a binomial tree: those who have it double in every step.",
           "How many of the 8 ranks never send anything?", kind="ratio", unit="ranks", example="2 ranks", answer=_silent,
           at={"algorithm": "broadcast, binomial", "ranks": 8},
           slips={"that is all but rank 0; look for lines that leave other rows": lambda see: see.at["ranks"] - 1},
           saw="Half of the ranks are at the ends of a tree: their wires carry nothing on."),
    Choice("trees", "The double tree: follow chunk 0, then chunk 1, and look at the dashed lines.",
           "Which ranks receive the sum and pass it on in both trees?", options=[_EVERY, _HALF, _NONE], answer=_in_both,
           at={"algorithm": "all_reduce, double_tree", "ranks": 8, "follow": "chunk 0"},
           hints={_EVERY: "Find a rank that receives a dashed line and sends none.",
                  _HALF: "Note the ranks that do so for chunk 0, and look for the same ones with chunk 1."},
           saw="Two trees share the work: who passes on in one is at an end of the other. A real library cuts the halves into "
               "many more chunks, so that they flow one behind the other."),
)

# ---- the staircase ----

_STEEP, _FLAT, _LOW = "Too steep, and it begins too low", "Too flat, and it begins too high", "It only begins too low"
_ENDS, _MIDDLE, _ALL_BELOW = "Those at the ends", "Those in the middle", "All of them"


def _errors(see, **at) -> np.ndarray:
    table, (_, steps, seconds) = see(**at), staircase()
    return error(np.interp(steps, table["steps"], table["model"]), seconds)


def _wrong_with(see) -> str:
    (start, *_, end), (base, per_step) = see()["model"], fitted_step()
    slope = (end - start) / see()["steps"][-1]
    return _LOW if abs(slope / per_step - 1) < 0.1 else _STEEP if slope > per_step and start < base else _FLAT


def _least(see) -> bool:
    """The start with the smallest worst error."""
    worst = {base: abs(_errors(see, base=base)).max() for base in see.values["base"]}
    return see.at["base"] == min(worst, key=worst.get)


def _pattern(see) -> str:
    """Where the points lie below the line: where it says too much."""
    below = _errors(see) > 1e-9
    return _ALL_BELOW if below.all() else _ENDS if below[0] or below[-1] else _MIDDLE


STAIRCASE = (
    Choice("author", "The line is what the author expected: {{ si(expected_step, 's') }} for each step, and nothing before.",
           "What is wrong with it?", options=[_FLAT, _STEEP, _LOW], answer=_wrong_with,
           at={"base": 0.0, "per_step": expected_step},
           hints={_FLAT: "At 2 GPUs, is the line above the diamond or below?",
                  _LOW: "Then moving it up as it is would do: would it, at the right end?"},
           saw="Something is paid before the first step, and a step costs less than he thought."),
    Find("start", "Take {{ si(near_step, 's') }} for each step, and move what comes before.",
         "With which start is the worst error smallest? Stop there.", control="base", accepts=_least,
         at={"base": 0.0, "per_step": near_step},
         hint="Read the worst error in the sentence; beyond the best start it grows again.",
         saw="Two constants, and all seven times fit within a twentieth."),
    Choice("pattern", "Stay there, and look at the diamonds one by one, from left to right.",
           "Which lie below the line?", options=[_ENDS, _MIDDLE, _ALL_BELOW], answer=_pattern,
           at={"base": 5.5 * units.us, "per_step": near_step},
           hints={_ENDS: "Look at the leftmost diamond, then at the third.", _ALL_BELOW: "Look at the leftmost diamond."},
           saw="The error that is left has a pattern: the picture further down shows it larger. Two "
               "constants cannot give it, and one run of seven points cannot explain it."),
)
