"""What of a cluster's watts is network, what idle wires cost, and the bill: the questions, and the last part of claim l."""

from fabriclib import units
from fabriclib.energy import TRAINING

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    H100,
    RACK,
    SPEEDS,
    STAGES,
    THOUSAND,
    USUAL,
    USUAL_GPUS,
    cables,
    module,
    moved,
    of_wires,
    one_thousand,
    total,
    waited,
)

B200 = "DGX B200"

PREDICTIONS = [
    Prediction(
        "energy_and_cost.share",
        "{{ '{:,}'.format(THOUSAND) }} H100 in DGX servers, joined on rails, with optics at both ends of every link. What share "
        "of all "
        "that they draw is the network: NICs, switches and modules?",
        "ratio", lambda: 100 * float(one_thousand.share),
        "{{ si(one_thousand.network, 'W') }} of {{ si(one_thousand.watts, 'W') }}, "
        "{{ si(one_thousand.network / THOUSAND, 'W') }} "
        "of a GPU's {{ si(one_thousand.per_gpu, 'W') }}. The NVLink switches inside the servers draw nearly as much again.",
        slips={"that counts the NVLink switches too; they are in the servers": lambda: 100 * float(one_thousand.wiring),
               "that is of the GPUs' watts alone; servers draw nearly as much again":
                   lambda: 100 * float(one_thousand.network / one_thousand.parts["GPUs"])},
        unit="%", example="40 %",
    ),
    Prediction(
        "energy_and_cost.idle",
        "Links, switches and NICs are taken to draw the same whether or not a byte passes. Llama 3 70B is trained on "
        "{{ USUAL_GPUS }} H100. "
        "If its "
        "bytes could take just what they need on wires that are full all the time, which share would that be of what NVLink "
        "switches and network draw in a step?",
        "ratio", lambda: 100 * moved(),
        "They are idle or half empty for the rest. A step moves {{ si(sent_each('NVLink')) }} a GPU over "
        "NVLink and "
        "{{ si(sent_each('network')) }} over the network, in bursts; in between all of them wait for work.",
        unit="%", example="30 %",
    ),
]


def _per_byte(watts, rate, use) -> float:
    return watts / rate / use


def _bill(servers, network, load, hours, price) -> float:
    return (load * servers + network) * hours / 1000 * price


def _cable_for(metres, cables) -> str:
    return min((watts, name) for name, reach, watts in cables if reach >= metres)[1]


def _a_module_at_work(per_byte) -> str:
    rate = module.carries.line
    full, tenth = (units.format(per_byte(module.power, rate, use), "J") for use in (1.0, 0.1))
    return (f"With your function: a module of {module.power:g} W takes {full} for a byte when its link is full, {tenth} when a "
            f"tenth of "
            f"it is used. Better optics halve the first number; better software divides the second by ten.")


def _a_year(bill) -> str:
    hours = 365.25 * 24
    network = float(one_thousand.network)
    servers = float(one_thousand.watts) - network
    whole, wires = (bill(*case, TRAINING, hours, 0.1) / 1e6 for case in ((servers, network), (0.0, network)))
    return (f"With your function: {THOUSAND:,} H100 that train all year, at a tenth of a dollar a kWh, cost {whole:.2g} million "
            f"US$ of "
            f"energy, the network {wires:.2g} million of them. The hall's cooling comes on top.")


_A_LINK = (next(iter(SPEEDS)), USUAL)


def _a_hall(cable_for) -> str:
    near, far, many = 2.0, 20.0, 16_384
    found = cables(*_A_LINK)
    listed = list(zip(found["id"], found["reach (m)"], found["W"], strict=True))
    drawn = {name: watts for name, _, watts in listed}
    inside, across = (drawn[cable_for(metres, listed)] for metres in (near, far))
    return (f"By your rule a link of {near:g} m takes {inside:.2g} W and one of {far:g} m {across:.2g} W. Of {many:,} links it "
            f"is "
            f"{units.format(many * (across - inside), 'W')} whether the leaves stand in the racks or at the end of the row.")


_CABLES = [("copper", 3.0, 0.2), ("amplified", 5.0, 3.0), ("multimode", 50.0, 30.0), ("single mode", 100.0, 34.0),
           ("linear", 500.0, 17.0)]

EXERCISES = [
    Exercise(
        "energy_and_cost.per-byte",
        "Write per_byte: the joules of a byte that passes a part of some watts and some rate, of which a share is used.",
        "per_byte",
        _per_byte,
        "def per_byte(watts, rate, use):\n    return watts / (rate * use)\n",
        cases=[(17.0, 100e9, 1.0), (913.0, 6.4e12, 0.5), (120.0, 1.6e12, 0.05), (25.0, 50e9, 0.25)],
        wrong=[
            ("watts / rate * use", "The fewer bytes pass, the more watts each has to carry: divide by the share."),
            ("watts * rate * use", "A watt is a joule a second. How many bytes pass in that second?"),
            ("watts / rate", "That is a full one. Here only a share of the rate is used."),
            ("watts / (8 * rate * use)", "The rate is in bytes a second already."),
            ("rate * use / watts", "Upside down: those are the bytes for a joule."),
        ],
        follows=_a_module_at_work,
    ),
    Exercise(
        "energy_and_cost.cable-for",
        "Write cable_for, a decision: the name of the cable with the fewest watts, of those that reach.",
        "cable_for",
        _cable_for,
        "def cable_for(metres, cables):\n"
        "    reaching = [(watts, name) for name, reach, watts in cables if reach >= metres]\n"
        "    return min(reaching)[1]\n",
        cases=[(2.0, _CABLES), (3.0, _CABLES), (4.0, _CABLES), (80.0, _CABLES[:4]), (20.0, _CABLES)],
        wrong=[
            ("min((watts, name) for name, reach, watts in cables)[1]", "That is the most frugal of all, even if it does not "
                                                                       "reach."),
            ("min((reach, name) for name, reach, watts in cables if reach >= metres)[1]",
             "That takes the shortest that reaches. One that reaches further may draw less: compare watts."),
            ("min((watts, name) for name, reach, watts in cables if reach > metres)[1]",
             "A cable of just that length reaches too."),
            ("max((reach, name) for name, reach, watts in cables if reach >= metres)[1]",
             "That takes the one that reaches furthest. Compare watts."),
        ],
        follows=_a_hall,
    ),
    Exercise(
        "energy_and_cost.bill",
        "Write bill: the US dollars of some hours, when servers draw a share of their most and the network all of it.",
        "bill",
        _bill,
        "def bill(servers, network, load, hours, price):\n    watts = load * servers + network\n    return watts / 1000 * hours "
        "* price\n",
        cases=[(1.28e6, 82e3, 0.76, 8766, 0.1), (1e6, 0.0, 1.0, 24, 0.25), (0.0, 1e5, 0.5, 100, 0.08)],
        wrong=[
            ("load * (servers + network) / 1000 * hours * price", "The network draws all of its watts, whatever the load."),
            ("(load * servers + network) * hours * price", "A price is for a kWh: a thousand watts for an hour."),
            ("(servers + network) / 1000 * hours * price", "That is the nameplate. The servers draw a share of it."),
            ("(load * servers + network) / 1000 * hours * 3600 * price", "Watts times hours are watt-hours; no seconds are "
                                                                         "needed."),
            ("(load * servers + network) / 1000 * price", "That is one hour."),
        ],
        follows=_a_year,
    ),
]


def _last_third() -> str:
    own, spread = total(H100), total(H100, STAGES)
    fast, fast_spread, rack = total(B200), total(B200, STAGES), total(RACK, STAGES)
    return (f"On {USUAL_GPUS} H100 a token of Llama 3 70B takes {own:.3g} J, and perfect wires, which draw nothing and are "
            f"never waited "
            f"for, would save {units.portion(of_wires(H100))} of it: half of that is waiting ({units.portion(waited(H100))}). "
            f"Wires in the "
            f"wrong place cost more: with tensor groups on the network it is {units.portion(spread / own - 1)} more, on B200 "
            f"{units.portion(fast_spread / fast - 1)}, and in a rack that is one domain nothing. From H100 to B200 a token "
            f"falls to "
            f"{units.portion(fast / own)}, and to {units.portion(rack / own)} in the rack: most of that is the chips.")


VERDICTS = [Verdict("l", "holds with a qualification", _last_third, part="energy")]
