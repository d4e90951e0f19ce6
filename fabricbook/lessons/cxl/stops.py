"""What the labs of this lesson ask."""

from __future__ import annotations

import numpy as np

from ...course.stops import Choice, Find, Number
from .tables import large_flit, small_flit

LOCAL, DIRECT, POOLED = "local DRAM", "CXL, CPU port", "CXL, pooled"
MIX = "your mix"


# ---- a mix of memories ----

def _cell(table: dict, memory: str, column: str) -> float:
    return table[column][table["memory"].index(memory)]


def _full(see) -> str:
    """The memory that delivers all it can."""
    table = see()
    return next(memory for memory in (LOCAL, DIRECT, POOLED)
                if np.isclose(_cell(table, memory, "used (GB/s)"), _cell(table, memory, "able (GB/s)")))


def _best(see) -> bool:
    """The share with which the mix delivers most."""
    rates = {share: _cell(see(cxl=share), MIX, "able (GB/s)") for share in see.values["cxl"]}
    return rates[see.at["cxl"]] == max(rates.values())


_FALLS, _LATE, _RISES = "It falls, then rises", "It rises once the card is full", "It rises from the first per cent on"


def _latency_does(see) -> str:
    """What the average load does while the share to CXL grows up to the best."""
    waits = [_cell(see(cxl=share), MIX, "mix (ns)") for share in see.values["cxl"]]
    steps = np.diff(waits)
    return _RISES if (steps > 0).all() else _FALLS if steps[0] < 0 else _LATE


def _longer(see, pooled: int) -> float:
    """By how much the average load is longer with *pooled* per cent of the accesses to the pool, in per cent."""
    return 100 * (_cell(see(pooled=pooled), MIX, "mix (ns)") / _cell(see(), MIX, "mix (ns)") - 1)


_SENT = 5  # per cent of the accesses to the pool

MEMORY_MIX = (
    Choice("full", "A fifth of the accesses goes to CXL. Look at the right: what each memory could deliver, and what it does.",
           "Which memory is full?", options=[LOCAL, DIRECT, POOLED], answer=_full, field="memory",
           at={"cxl": 20, "pooled": 0, "ports": 1},
           hints={LOCAL: "Its frame is half empty: it waits for another one.", POOLED: "Nothing is sent there."},
           saw="The card is full, and local DRAM waits for it: the mix delivers less than local DRAM alone."),
    Find("best", "Change the share that goes to CXL.", "At which share does the mix deliver most? Stop there.", control="cxl",
         accepts=_best, at={"cxl": 20, "pooled": 0, "ports": 1},
         hint="Read what they deliver together, and compare with a per cent more and a per cent less.",
         saw="Both memories are full at once. Any smaller share adds a little rate, one beyond "
             "{{ digits(100 * direct.bandwidth // local.bandwidth) }} % takes some away."),
    Choice("latency", "Now move the share from nothing to the most, and watch the blue dot at the left.",
           "What does the average load do?", options=[_FALLS, _LATE, _RISES], answer=_latency_does,
           at={"cxl": 0, "pooled": 0, "ports": 1},
           hints={_FALLS: "Move it by one per cent: to which side does the dot go?",
                  _LATE: "Does it wait at a small share, before the card is full?"},
           saw="Every load that goes to the card waits longer. More rate never means a shorter wait."),
    Find("ports", "Give the card four ports: it delivers four times as much.", "Which share is best now?", control="cxl",
         accepts=_best, at={"cxl": 20, "pooled": 0, "ports": 4},
         hint="Read what they deliver together: a per cent more or less must be worse.",
         saw="The best split goes by the rates: {{ portion(best_share(4)) }} instead of {{ portion(best_share()) }}."),
    Number("pool", "Nothing to CXL. Send a twentieth of the accesses to the pool instead.",
           "By how many per cent does the average load get longer?", kind="ratio", unit="%",
           answer=lambda see: _longer(see, _SENT), at={"cxl": 0, "pooled": 0, "ports": 1},
           slips={"that is the share of the accesses; each of them takes several times as long": _SENT,
                  "that is what the loads to the pool take; without it they would take a part of that anyway":
                      lambda see: _SENT * _cell(see(), POOLED, "usual (ns)") / _cell(see(), LOCAL, "usual (ns)")},
           saw="A load from the pool takes {{ digits(pooled.latency / local.latency) }} times as long as one from local DRAM, so "
               "a few of them are felt."),
)


# ---- who owns the line ----

ONE, THREE = "type 1: caches the host's memory", "type 3: memory for the host"
CONSUMER, PING_PONG, READ = "producer and consumer", "ping-pong: both write", "written once, then read"


def _messages(see, **at) -> list[int]:
    """How many messages each access costs, played to the end."""
    table = see(step=max(see.values["step"]), **at)
    return [int(state) for state, word in zip(table["state"], table["word"], strict=True) if word == "sent"]


_EVERY, _WRITES, _FIRST = "Each of them", "The writes only", "The first two only"
_NEVER, _SECOND, _SHARED = "No", "Yes, from the second write on", "Yes, once both had it"


def _costly(see) -> str:
    sent = _messages(see)
    return _EVERY if all(sent) else _FIRST if not any(sent[2:]) else _WRITES


def _cheaper(see) -> str:
    sent = _messages(see)
    return _NEVER if min(sent) >= sent[0] else _SECOND if sent[1] < sent[0] else _SHARED


def _first_free(see) -> bool:
    return see.at["step"] == 1 + _messages(see).index(0)


_NO_CACHE, _FEWER, _WIRE = "The device has no copy to give up", "There are fewer writes", "It has a faster wire"


def _saved_by(see) -> str:
    """Why a device of type 3 costs fewer messages: none of its cells shows a copy."""
    table = see(device=THREE, step=max(see.values["step"]))
    return _NO_CACHE if "no cache" in table["word"] and sum(_messages(see, device=THREE)) < sum(_messages(see)) else _FEWER


COHERENCE_TRACE = (
    Choice("costs", "One writes, the other reads, in turn. Before each step say what will happen, then press ›, to the end.",
           "Which accesses cost messages?", options=[_EVERY, _WRITES, _FIRST], answer=_costly,
           at={"device": ONE, "scenario": CONSUMER, "step": 0},
           hints={_WRITES: "Look at the last column beside the reads.", _FIRST: "Look at the last column further down."},
           saw="The write takes the line away from the reader, and the read fetches it back: every time."),
    Choice("both", "Now both write in turn. Play it.", "Does a write ever become cheaper than the first?",
           options=[_SECOND, _SHARED, _NEVER], answer=_cheaper, at={"device": ONE, "scenario": PING_PONG, "step": 0},
           hints={_SECOND: "Compare the last column of the first row and the next.",
                  _SHARED: "Compare the last column at the top and at the bottom."},
           saw="{{ ping_pong(8) // 8 }} messages a write, for ever. That is no fault of CXL: any coherent link must carry the "
               "line to whoever writes next."),
    Find("free", "Written once, then read by both. Step on.", "Which is the first access that costs nothing? Stop there.",
         control="step", accepts=_first_free, at={"device": ONE, "scenario": READ, "step": 0},
         hint="Look for the first row with no message in the last column.",
         saw="Now both caches share a copy, and reading it asks nobody. Reading together is free after the first time."),
    Choice("type3", "Both write again. Play it with type 1, then change the device to type 3, memory alone.",
           "Where have the messages gone?", options=[_WIRE, _NO_CACHE, _FEWER], answer=_saved_by,
           at={"device": ONE, "scenario": PING_PONG, "step": 8},
           hints={_WIRE: "The picture counts messages, not time. Look at the column of the device.",
                  _FEWER: "Count the rows that write."},
           saw="Without a cache nobody disputes the line with the host: what is left are plain loads and stores."),
)


# ---- lines in flits ----

SMALL, LARGE = f"{small_flit:.0f}-byte flit", f"{large_flit:.0f}-byte flit"


def _shares(see, flit: str, **at) -> np.ndarray:
    table = see(**at)
    return np.array([share for name, share in zip(table["flit"], table["share"], strict=True) if name == flit])


def _first_dip(see) -> bool:
    """The first number of lines that gets less of a small flit than one line fewer does."""
    return see.at["lines"] == see.values["lines"][1 + int(np.flatnonzero(np.diff(_shares(see, SMALL)) < 0)[0])]


_BEGUN, _HEADERS, _LINE = "A flit has just been begun", "Its header is longer there", "A line no longer fits a slot"


def _dips_because(see) -> str:
    """At each dip of the large flit it holds the lines of one flit more than before: few of its slots are filled."""
    shares, lines = _shares(see, LARGE), np.array(see.values["lines"])
    flits = np.rint(64 * lines / (shares / 100) / large_flit)
    dips = np.flatnonzero(np.diff(shares) < 0)
    return _BEGUN if (np.diff(flits)[dips] > 0).all() else _HEADERS


_APART = 10  # points


def _near(see) -> bool:
    """The first number of lines from which on the two flits are never more than ten points apart."""
    apart = np.abs(_shares(see, SMALL) - _shares(see, LARGE)) > _APART
    return see.at["lines"] == see.values["lines"][int(np.flatnonzero(apart)[-1]) + 1]


_MOST, _ALIKE, _LEAST = "The long runs of lines", "All alike", "The line alone"


def _gain_more(see) -> str:
    """Whose share in small flits grows most when one message announces three lines."""
    gain = _shares(see, SMALL, covers=3) - _shares(see, SMALL, covers=1)
    return _LEAST if gain[0] == max(gain) else _MOST if gain[-1] > gain[0] + 1 else _ALIKE


FLIT_SHARE = (
    Find("dip", "Send one line, then more and more of them, in flits of {{ digits(small_flit) }} bytes.",
         "At which number of lines does their share first fall? Stop there.", control="lines", accepts=_first_dip,
         at={"lines": 1, "covers": 1}, hint="Follow the solid curve from the left to its first step down.",
         saw="Four lines and their four messages fill five flits exactly; a fifth line begins a new one."),
    Choice("why", "Look at the dips of the dashed curve.", "What is special about these numbers of lines?",
           options=[_HEADERS, _BEGUN, _LINE], answer=_dips_because, at={"lines": 4, "covers": 1},
           hints={_HEADERS: "A flit's header is always as long.", _LINE: "A line takes four slots, whatever its number."},
           saw="A flit goes out whole. The larger it is, the more of it is left empty."),
    Find("near", "Go on to the right.",
         "From how many lines on are the two never more than ten points apart? Stop at the fewest.", control="lines",
         accepts=_near, at={"lines": 1, "covers": 1},
         hint="Read both shares in the sentence; one line fewer must be more than ten apart.",
         saw="So for long runs it hardly matters which flit it is: the large one was not made for a better share."),
    Choice("covers", "Let one message announce three lines instead of one.", "Who gains from it?",
           options=[_LEAST, _ALIKE, _MOST], answer=_gain_more, at={"lines": 12, "covers": 1},
           hints={_LEAST: "A line alone needs its message all the same.", _ALIKE: "Watch the left end and the right end."},
           saw="Slots that carried messages carry lines: long runs come near the dashed line, a line alone gains nothing."),
)
