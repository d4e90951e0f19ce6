"""What the labs of lesson "Where the joules go" ask."""

from ...course.stops import Choice, Find, Number
from .tables import COPIES, COPPER, H100, LIGHT, NVLINK, ONE_SWITCH, STAGES, TENSOR, TOO_DEAR, TRAINED, USUAL, USUAL_GPUS

# ---- a cluster's watts

_GPUS, _REST, _NVLINK, _NETWORK = "GPUs", "the rest of the servers", "NVLink switches", "the network"
_GROUPS = {_GPUS: ("GPUs",), _REST: ("rest of the servers",), _NVLINK: ("NVLink switches",),
           _NETWORK: ("NICs", "switches", "links to GPUs", "links between switches")}


def _each(see, **at) -> dict[str, float]:
    """Return {part: watts a GPU} of the chosen size."""
    table, gpus = see(**at), (see.at | at)["gpus"]
    rows = zip(table["part"], table["gpus"], table["kind"], table["watts a GPU"], strict=True)
    return {kind: watts for part, size, kind, watts in rows if part == "all" and size == gpus}


def _second(see) -> str:
    each = _each(see)
    sums = {group: sum(each[part] for part in some) for group, some in _GROUPS.items()}
    return sorted(sums, key=lambda group: -sums[group])[1]


_PAIRS = {"switches and the links between them": ("switches", "links between switches"),
          "NICs and links to GPUs": ("NICs", "links to GPUs"), "GPUs and servers": ("GPUs", "rest of the servers")}


def _growing(see) -> str:
    before, after = _each(see, gpus=2048), _each(see, gpus=4096)
    return max(_PAIRS, key=lambda pair: sum(after[part] - before[part] for part in _PAIRS[pair]))


def _by_copper(see) -> float:
    return sum(_each(see, leaves=LIGHT).values()) - sum(_each(see, leaves=COPPER).values())


CLUSTER = (
    Choice("second", "Each bar is a cluster; below, what moves bytes is drawn once more, larger.",
           "What draws the most after the GPUs?", options=[_REST, _NVLINK, _NETWORK], answer=_second,
           at={"gpus": 1024, "machine": H100, "leaves": LIGHT},
           hints={_NETWORK: "Add up its four colours in the upper row.", _NVLINK: "Look at the upper row."},
           saw="CPUs, memory, fans, losses, and what the maker plans for and nobody sees drawn: {{ si(rest, 'W') }} a GPU, "
               "{{ digits(rest * THOUSAND / one_thousand.network) }} times the network."),
    Choice("tier", "Step from 2,048 to 4,096 GPUs, and watch the lower row.", "What grows?", options=list(_PAIRS),
           answer=_growing, at={"gpus": 2048, "machine": H100, "leaves": LIGHT},
           hints={"NICs and links to GPUs": "A GPU has one NIC and one link to a leaf, in any cluster.",
                  "GPUs and servers": "Compare the upper bars."},
           saw="A third tier: two more switch ports for each GPU, and a link between them with a module at each end."),
    Number("copper", "Take copper to the leaves.", "How many watts does that save for each GPU?", kind="power", answer=_by_copper,
           at={"gpus": 1024, "machine": H100, "leaves": LIGHT},
           slips={"that is one end of the link; it has two": lambda see: _by_copper(see) / 2},
           saw="That is {{ portion(by_copper / one_thousand.network) }} of what the network drew, and "
               "{{ digits(100 * by_copper / one_thousand.watts, 2) }} % of the whole. Lesson {{ number('fabrics') }} divided by "
               "the network with copper: {{ portion(by_copper / (one_thousand.network - by_copper)) }}. The same watts, the same "
               "method."),
)


# ---- copper and optics

def _watts(see, **at) -> float:
    table = see(**at)
    return table["W"][table["part"].index("here")]


def _copper_ends(see) -> bool:
    table = see()
    here = table["name"][table["part"].index("here")]
    metres = see.values["metres"]
    further = metres[metres.index(see.at["metres"]) + 1] if see.at["metres"] < metres[-1] else None
    beyond = see(metres=further) if further else None
    after = beyond["name"][beyond["part"].index("here")] if beyond and "here" in beyond["part"] else ""
    return "copper" in here and "copper" not in after


REACH = (
    Find("last", "Each line is a cable: how far it reaches, and what its two ends draw. Make the link longer.",
         "What is the longest link that copper, of either sort, still makes? Stop there.", control="metres",
         at={"metres": 0.5, "speed": "800 Gb/s", "optics": USUAL}, accepts=_copper_ends,
         hint="The dot is to stand at the end of the longer copper line.",
         saw="A rack is two metres high, so copper stays in it or reaches the next one. At twice the rate a lane it is shorter "
             "still."),
    Number("jump", "One step further it must be optics.", "How many times as many watts as with the longest copper?",
           kind="ratio", unit="times", at={"metres": 5.0, "speed": "800 Gb/s", "optics": USUAL},
           answer=lambda see: _watts(see, metres=7.0) / _watts(see, metres=5.0),
           slips={"that is against passive copper, which ended before":
                  lambda see: _watts(see, metres=7.0) / _watts(see, metres=3.0)},
           saw="And {{ digits(reaching(7.0, '800 Gb/s', USUAL)['W'] / (2 * plain.power)) }} times as many as passive copper. "
               "Linear modules, in the menu, nearly halve it."),
)


# ---- a byte

def _joules(see, way: str, **at) -> float:
    table = see(**at)
    return next(joules for part, name, joules in zip(table["part"], table["way"], table["J"], strict=True)
                if part == "way" and name == way)


def _first_beyond(see) -> bool:
    """The largest of these shares at which a byte over one switch takes more than TOO_DEAR."""
    def beyond(use) -> bool:
        return _joules(see, ONE_SWITCH, use=use) > TOO_DEAR

    uses, use = see.values["use"], see.at["use"]
    return beyond(use) and all(not beyond(other) for other in uses if other > use)


WAYS = (
    Number("ratio", "A row for each way from chip to chip, all of them full: the share of the rate in use is 1.",
           "How many times as many joules as over NVLink does a byte take over optics and one switch?",
           kind="ratio", unit="times", at={"use": 1.0}, answer=lambda see: _joules(see, ONE_SWITCH) / _joules(see, NVLINK),
           slips={"that is against copper": lambda see: _joules(see, "copper over one switch") / _joules(see, NVLINK)},
           saw="Half of it is the NICs, which are processors: more than the light itself."),
    Find("idle", "Now let the ways stand idle: lower the share of the rate that is in use.",
         "At which of these shares does a byte over optics and one switch first take more than "
         "{{ si(TOO_DEAR, 'J') }}? Stop there.", control="use",
         at={"use": 1.0}, accepts=_first_beyond, hint="Its circle is to pass {{ si(TOO_DEAR, 'J') }}, and not one step more.",
         saw="Ten times as idle is ten times as dear. An idle link beats any difference between technologies."),
)


# ---- a step

def _total(see, machine: str, **at) -> float:
    table = see(**at)
    return sum(joules for part, name, joules in zip(table["part"], table["machine"], table["joules"], strict=True)
               if part == "bar" and name == machine)


def _hardly(see) -> str:
    return min(TRAINED, key=lambda machine: _total(see, machine, near=STAGES) / _total(see, machine, near=TENSOR))


STEP = (
    Choice("waits", "Each bar is a machine. Grey computes; the other colours belong to wires, or wait.",
           "On the H100, what takes the most after computing?",
           options=["waiting for wires", "NVLink switches", "network"], field="kind",
           answer=lambda see: max(("waiting for wires", "NVLink switches", "network"), key=lambda kind: _of_h100(see, kind)),
           at={"near": TENSOR, "gpus": USUAL_GPUS, "machine": H100},
           hints={"network": "It is the last piece. Compare it with the red one.",
                  "NVLink switches": "Compare the coloured pieces."},
           saw="GPUs that wait for wires take nearly as much as all wires together."),
    Number("seats", "Seat the copies together, so that tensor groups talk over the network.",
           "How many times as many joules does a token take on the B200?", kind="ratio", unit="times",
           at={"near": TENSOR, "gpus": USUAL_GPUS, "machine": "DGX B200"},
           answer=lambda see: _total(see, "DGX B200", near=COPIES) / _total(see, "DGX B200", near=TENSOR),
           slips={"that is the H100's": lambda see: _total(see, H100, near=COPIES) / _total(see, H100, near=TENSOR)},
           saw="The wires draw as many watts as before, only for longer. What grew is the red part: the faster the GPU, the "
               "dearer its waiting."),
    Choice("hardly", "Now the stages together. Go back and forth between the two.", "Which machine hardly notices?",
           options=list(TRAINED), answer=_hardly,
           field="machine", at={"near": STAGES, "gpus": USUAL_GPUS, "machine": H100},
           hints={name: "Compare its bar with the one for tensor groups." for name in TRAINED if name != "GB200 NVL72"},
           saw="A rack is one domain of {{ rack_gpus }}: the tensor group stays on its links whoever sits next to it."),
)


def _of_h100(see, kind: str) -> float:
    table = see()
    rows = zip(table["part"], table["machine"], table["kind"], table["joules"], strict=True)
    return next(joules for part, name, what, joules in rows if (part, name, what) == ("bar", H100, kind))
