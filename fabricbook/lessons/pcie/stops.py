"""What the labs of this lesson ask."""

from __future__ import annotations

import math

import numpy as np

from ...course.stops import Choice, Find, Number
from ...stage import tiers
from . import box
from .tables import MEASURED_ON, chosen, settings

# ---- what is left for data ----

_WRITES, _READS = "writes", "reads, so many under way"
_PACKET, _FULLER, _SAME = "It falls: one packet more", "It rises: a fuller packet", "It stays as it is"
_MUCH, _LITTLE, _NOTHING = "Nearly as much as the link", "About twice as much", "Hardly anything"


def _here(see, what: str, **controls) -> float:
    """The share in % at the chosen size, of writes or of reads."""
    table = see(**controls)
    return next(here for name, here in zip(table["what"], table["here"], strict=True) if name == what and not np.isnan(here))


def _one_byte_more(see) -> str:
    """What one byte more does to the share of writes."""
    before, after = _here(see, _WRITES), _here(see, _WRITES, nbytes=see.at["nbytes"] + 1)
    more = math.ceil((see.at["nbytes"] + 1) / see.at["payload"]) > see.at["nbytes"] / see.at["payload"]
    return _SAME if before == after else _FULLER if after > before else _PACKET if more else _SAME


def _gains_little(see) -> bool:
    """The first payload with which the headers of large writes take less than a twentieth of the line."""
    def lost(payload):
        return 100 - _here(see, _WRITES, payload=payload)

    smaller = max((size for size in see.values["payload"] if size < see.at["payload"]), default=None)
    return lost(see.at["payload"]) < 5 and smaller is not None and lost(smaller) >= 5


def _faster_link(see) -> str:
    """What small reads gain on a link several times as fast."""
    def got(wire):
        return _here(see, _READS, wire=wire) * chosen(wire).line

    gain, most = got("PCIe 5 x16") / got(MEASURED_ON), chosen("PCIe 5 x16").line / chosen(MEASURED_ON).line
    return _NOTHING if gain < 1.1 else _MUCH if gain > 0.8 * most else _LITTLE


def _fewest(see) -> bool:
    """The fewest reads under way that get all the link has for reads."""
    def share(requests):
        return _here(see, _READS, requests=requests)

    most = share(max(see.values["requests"]))
    return share(see.at["requests"]) >= 0.999 * most and share(see.at["requests"] / 2) < 0.999 * most


PAYLOAD = (
    Choice("byte", "One payload holds {{ settings.mps }} bytes. Move the transfer a step up, to one byte more.",
           "What happens to the share of writes?", options=[_FULLER, _SAME, _PACKET], answer=_one_byte_more,
           at={"nbytes": settings.mps},
           hints={_FULLER: "Follow the circle on the line of writes: does it move up?",
                  _SAME: "Set it up, move one step, and read the share in brackets."},
           saw="The one byte needs a packet of its own, with a whole header. So the lines drop after each full payload."),
    Find("payload", "Now large transfers. Make the largest payload larger, step by step.",
         "With which do writes first get more than {{ portion(0.95) }} of the line? Stop there.",
         control="payload", accepts=_gains_little, at={"payload": 128, "nbytes": 4096},
         hint="Read the share of writes in brackets: it is to be above {{ portion(0.95) }}, and not yet one step before.",
         saw="Each doubling saves half of what is left to save. Most systems set no more than this."),
    Choice("faster", "Reads of {{ see.at['nbytes'] }} bytes. Change the link from PCIe 3 x8 to PCIe 5 x16, "
                     "{{ digits(slot.line / chosen(MEASURED_ON).line) }} times as fast.",
           "What do the reads gain, in bytes a second?", options=[_MUCH, _LITTLE, _NOTHING], answer=_faster_link,
           at={"wire": MEASURED_ON, "nbytes": 64},
           hints={_MUCH: "Compare the GB/s of reads in the sentence, before and after.",
                  _LITTLE: "Compare the GB/s of reads in the sentence, before and after."},
           saw="A write is sent and forgotten; a read waits for its answer. With few under way the wire waits too, and a faster "
               "one waits just as long."),
    Find("fill", "PCIe 5 x16, reads of 512 bytes, one under way. Add more, until the lines of reads meet at the circle.",
         "How many at least fill the link?", control="requests", accepts=_fewest,
         at={"wire": "PCIe 5 x16", "nbytes": 512, "requests": 1},
         hint="The dashed line has to reach the dotted one at the circle, and one step earlier not yet.",
         saw="So many must be asked for and not yet here. A slower link needs fewer."),
)

# ---- place the parts ----

_NONE, _ONE, _ALL = "None", "One below each CPU", "All"


def _uplinks(see) -> str:
    """How many of the cables from CPUs to switches are in use."""
    table = see()
    rows = zip(table["part"], table["from"], table["to"], table["state"], strict=True)
    used = [state != tiers.IDLE for part, a, b, state in rows if part == "cable" and {a[:2], b[:2]} == {"cp", "sw"}]
    return _ALL if all(used) else _ONE if any(used) else _NONE


def _of_gpu(see, column: str = "GB/s used", **controls) -> float:
    """The least that stands in a column for the cables of GPUs."""
    table = see(**controls)
    return min(found for part, a, b, found in zip(table["part"], table["from"], table["to"], table[column], strict=True)
               if part == "cable" and (a + b).count("gpu") == 1)


def _can_be_built(see) -> bool:
    return not box.overbooked(see.at["switches"], see.at["nics"], see.at["uplink"])


def _whole_cable(see) -> bool:
    """Whether switches leave each GPU the whole of its cable on the way to its CPU."""
    return see.at["switches"] > 0 and _of_gpu(see) > 0.99 * _of_gpu(see, "GB/s one way")


TREE = (
    Choice("idle", "Each GPU sends to the NIC beside it. Look at the cables from the switches up to the CPUs.",
           "How many of these uplinks carry anything?", options=[_NONE, _ONE, _ALL], answer=_uplinks,
           at={"switches": 4, "nics": box.BESIDE, "traffic": box.TO_NIC},
           hints={_ONE: "A cable in use is thick. Follow the thick ones: where do they end?",
                  _ALL: "A cable in use is thick. Follow the thick ones: where do they end?"},
           saw="The traffic turns round in the switch. No CPU notices, and no two pairs share anything."),
    Number("away", "Click a CPU: now the NICs hang there.", "Which share of its rate does a GPU keep?", kind="ratio", unit="%",
           answer=lambda see: 100 * _of_gpu(see, nics=box.ON_CPUS) / _of_gpu(see),
           at={"switches": 4, "nics": box.BESIDE, "traffic": box.TO_NIC},
           saw="Two GPUs share each uplink, and the way leads through the CPU. Place decides, not the NIC."),
    Find("without", "No switches. Everything dashed asks for lanes that are not there.",
         "What must become of the NICs so that this can be built?",
         control="nics", accepts=_can_be_built, at={"switches": 0, "nics": box.BESIDE},
         hint="Not yet: read the sum above, and see what asks for the most.",
         saw="A CPU alone has lanes for its GPUs and SSDs, and for no NICs. That is what switches are for."),
    Find("fits", "Two switches, and all devices below them: this time the switches lack lanes.",
         "Which uplink makes it fit?", control="uplink", accepts=_can_be_built,
         at={"switches": 2, "nics": box.BESIDE, "uplink": "x16"},
         hint="Not yet: read the sum above. Devices and uplink share the lanes of the switch.",
         saw="It fits, and now a great many lanes share each one of the uplink: a bargain only for traffic that stays below."),
    Find("shared", "All GPUs send to their CPU at once, and there are no NICs. Add switches.",
         "With how many does each GPU get the whole of its cable?", control="switches", accepts=_whole_cable,
         at={"switches": 2, "nics": box.NONE, "uplink": "x16", "traffic": box.TO_CPU},
         hint="Look at what is dashed: the cables of the GPUs, or the uplinks above? And there must be a switch.",
         saw="Only with a switch for each GPU: below a switch there is room, and above it all share one uplink."),
)

# ---- who reaches whom ----

_BELOW, _ABOVE, _EVERY = "Those of one switch only", "All but those of one switch", "All"
_EIGHT, _WITHOUT, _BOTH = "With eight switches", "Without switches", "Both are as fast"


def _other_nic(see) -> str:
    """The other NIC that GPU 0 reaches by one switch."""
    table = see()
    return next(to for a, to, way in zip(table["from"], table["to"], table["way"], strict=True)
                if a == "G0" and way == "PIX" and to.startswith("N") and to != "N0")


def _changed(see) -> str:
    """Which squares change where the uplinks get narrow."""
    before, after = see(), see(uplink="x8")
    rows = list(zip(before["way"], before["cell"], after["cell"], strict=True))
    changed = {way for way, one, other in rows if one != other}
    every = {way for way, _, _ in rows if way}
    return _EVERY if changed == every else _ABOVE if changed == every - {"PIX"} else _BELOW


def _least(see, switches: int) -> float:
    return min(float(cell) for cell in see(switches=switches)["cell"] if cell)


def _slowest(see) -> bool:
    return see.at["switches"] == min(see.values["switches"], key=lambda switches: _least(see, switches))


def _fastest(see) -> str:
    eight, none = _least(see, 8), _least(see, 0)
    return _BOTH if math.isclose(eight, none, rel_tol=0.01) else _EIGHT if eight > none else _WITHOUT


MATRIX = (
    Choice("nic", "Each square is a way. Read the row of G0, GPU 0, under the NICs.",
           "Besides N0, which NIC does it reach by one switch? Click its square.", options=["N1", "N2", "N4", "N7"],
           answer=_other_nic, field="to", at={"switches": 4},
           hints={"N2": "Read that square: its way leads through a CPU.",
                  "N4": "Read that square: its way leads through both CPUs.",
                  "N7": "Read that square: its way leads through both CPUs."},
           saw="These are the NICs that GPU 0 should use. The words are those that nvidia-smi prints."),
    Choice("alone", "Now GB/s, one pair at a time. Narrow the uplinks from x16 to x8.", "Which squares get slower?",
           options=[_BELOW, _ABOVE, _EVERY], answer=_changed,
           at={"switches": 4, "shown": "GB/s, one pair alone", "uplink": "x16"},
           hints={_BELOW: "Compare the numbers in the squares of each colour, before and after.",
                  _EVERY: "Compare the numbers in the squares of each colour, before and after."},
           saw="Whatever leaves a switch goes through an uplink. With x16 one pair alone does not feel it."),
    Find("slowest", "Now all GPUs send to all others at once, without NICs. Move the number of switches.",
         "With how many is the slowest copy slowest? Stop there.", control="switches", accepts=_slowest,
         at={"switches": 4, "nics": box.NONE, "shown": "GB/s, all GPUs at once"},
         hint="Read the smallest number in the squares with each number of switches.",
         saw="One pair alone was as fast here as anywhere. Test a server with all pairs at once."),
    Choice("fastest", "Still all at once. Compare eight switches, one for each GPU, with none at all.",
           "With which is the slowest copy faster?", options=[_EIGHT, _WITHOUT, _BOTH], answer=_fastest,
           at={"switches": 8, "nics": box.NONE, "shown": "GB/s, all GPUs at once"},
           hints={_EIGHT: "Read the squares with none, too.", _WITHOUT: "Read the squares with eight, too."},
           saw="In both, each GPU has the way to the CPU to itself. A switch makes room; it makes no copy faster."),
)
