"""What of a cluster's watts is network, what idle wires cost, and the bill: the questions, and the last part of claim l."""

from fabriclib import units
from fabriclib.energy import TRAINING

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    H100,
    HALL,
    RACK,
    SAVINGS,
    SPEEDS,
    STAGES,
    THOUSAND,
    USUAL,
    USUAL_GPUS,
    cables,
    moved,
    of_wires,
    one_thousand,
    total,
    waited,
    watts_and_seconds,
)

B200 = "DGX B200"

PREDICTIONS = [
    Prediction(
        "energy_and_cost.share",
        "{{ thousands(THOUSAND) }} H100 in DGX servers, joined on rails, with optics at both ends of every link. What share "
        "of all that they draw is the network: NICs, switches and modules?",
        "ratio", lambda: 100 * float(one_thousand.share),
        "{{ si(one_thousand.network, 'W') }} of {{ si(one_thousand.watts, 'W') }}, "
        "{{ si(one_thousand.network / THOUSAND, 'W') }} of a GPU's {{ si(one_thousand.per_gpu, 'W') }}. Of the servers' part "
        "the NVLink switches draw "
        "{{ si(one_thousand.parts['NVLink switches'] / THOUSAND, 'W') }}.",
        slips={"that counts the NVLink switches too; they are in the servers": lambda: 100 * float(one_thousand.wiring),
               "that is of the GPUs' watts alone; the servers around them draw too":
                   lambda: 100 * float(one_thousand.network / one_thousand.parts["GPUs"])},
        unit="%", example="40 %",
    ),
    Prediction(
        "energy_and_cost.idle",
        "Links, switches and NICs are taken to draw the same whether or not a byte passes. Llama 3 70B is trained on "
        "{{ USUAL_GPUS }} H100. Suppose that each of its bytes cost only what it costs on a wire that is full all the time. What "
        "share would that be of what NVLink switches and network draw in a step?",
        "ratio", lambda: 100 * moved(),
        "They are idle or half empty for the rest. A step moves {{ si(sent_each('NVLink')) }} a GPU over NVLink and "
        "{{ si(sent_each('network')) }} over the network, in bursts; in between all of them wait for work.",
        unit="%", example="30 %",
    ),
]


def _of_wires(gpus, wires, computing, waiting) -> float:
    return 1 - gpus * computing / ((gpus + wires) * (computing + waiting))


def _bill(servers, network, load, hours, price) -> float:
    return (load * servers + network) * hours / 1000 * price


def _cable_for(metres, cables) -> str:
    return min((watts, name) for name, reach, watts in cables if reach >= metres)[1]


def _of_ours(of_wires) -> str:
    shares = [units.portion(of_wires(*watts_and_seconds(machine))) for machine in (H100, B200)]
    return (f"With your function: of the joules of a token that is trained on, wires have {shares[0]} with H100 and "
            f"{shares[1]} with B200: what they draw, and what the GPUs burn that wait for them.")


def _a_year(bill) -> str:
    hours = 365.25 * 24
    network = float(one_thousand.network)
    servers = float(one_thousand.watts) - network
    whole, wires = (bill(*case, TRAINING, hours, 0.1) / 1e6 for case in ((servers, network), (0.0, network)))
    return (f"With your function: {THOUSAND:,} H100 that train all year, at a tenth of a dollar a kWh, cost {whole:.2g} million "
            f"US$ of energy, the network {wires:.2g} million of them. The hall's cooling comes on top.")


_A_LINK = (next(iter(SPEEDS)), USUAL)


def _a_hall(cable_for) -> str:
    near, far = 2.0, 20.0
    found = cables(*_A_LINK)
    listed = list(zip(found["id"], found["reach (m)"], found["W"], strict=True))
    drawn = {name: watts for name, _, watts in listed}
    inside, across = (drawn[cable_for(metres, listed)] for metres in (near, far))
    return (f"By your rule a link of {_A_LINK[0]} takes {inside:.2g} W over {near:g} m and {across:.2g} W over {far:g} m. Over "
            f"{HALL:,} links the difference is {units.format(HALL * (across - inside), 'W')}: leaves in the racks, or at the end "
            "of the row.")


_CABLES = [("copper", 3.0, 0.2), ("amplified", 5.0, 3.0), ("multimode", 50.0, 30.0), ("single mode", 100.0, 34.0),
           ("linear", 500.0, 17.0)]


def _most_saved(saving) -> str:
    one, copper = (units.portion(SAVINGS[what]()) for what in (saving, "copper to the leaves"))
    return (f"It saves {one} of a token's joules, copper {copper}. With B200, whose waiting is {units.portion(waited(B200))}, it "
            "would be more: the faster the GPU, the more a faster wire saves.")


EXERCISES = [
    Exercise(
        "energy_and_cost.of-wires",
        "Write of_wires: the share of a step's joules that perfect wires would save. They draw nothing, and nobody waits for "
        "them. gpus and wires are watts, computing and waiting the seconds of a step; GPUs draw the same while they wait.",
        "of_wires",
        _of_wires,
        "def of_wires(gpus, wires, computing, waiting):\n"
        "    now = (gpus + wires) * (computing + waiting)\n"
        "    left = gpus * computing\n"
        "    return 1 - left / now\n",
        cases=[(1000.0, 150.0, 8.0, 1.0), (700.0, 80.0, 2.0, 2.0), (1200.0, 0.0, 3.0, 0.5), (1000.0, 200.0, 5.0, 0.0)],
        wrong=[
            ("wires / (gpus + wires)", "That is what they draw. The GPUs that wait for them burn joules too."),
            ("waiting / (computing + waiting)",
             "That is the share of the time. And the wires draw watts of their own, all the time."),
            ("(wires * (computing + waiting) + gpus * waiting) / (gpus * computing)",
             "Those joules, but as a share of what is left. Divide by all that the step takes now."),
            ("wires * waiting / ((gpus + wires) * (computing + waiting))",
             "The wires draw their watts while the GPUs compute, too; and while they wait, the GPUs draw theirs."),
            ("wires / (gpus + wires) + waiting / (computing + waiting)",
             "Nearly. What the wires draw while the GPUs wait is in both shares: it is saved only once."),
        ],
        nudge="Work out the joules of a step as it is, and of one with perfect wires. What is saved is the difference.",
        half="def of_wires(gpus, wires, computing, waiting):\n"
             "    now = (gpus + wires) * (computing + waiting)\n"
             "    left = ...  # who still draws, and for how long?\n"
             "    return ...\n",
        follows=_of_ours,
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
            ("min((watts, name) for name, reach, watts in cables)[1]",
             "That is the most frugal of all, even if it does not reach."),
            ("min((reach, name) for name, reach, watts in cables if reach >= metres)[1]",
             "That takes the shortest that reaches. One that reaches further may draw less: compare watts."),
            ("min((watts, name) for name, reach, watts in cables if reach > metres)[1]",
             "A cable of just that length reaches too."),
            ("max((reach, name) for name, reach, watts in cables if reach >= metres)[1]",
             "That takes the one that reaches furthest. Compare watts."),
        ],
        nudge="Strike out what does not reach, and compare watts of what is left.",
        half="def cable_for(metres, cables):\n"
             "    reaching = [(watts, name) for name, reach, watts in cables if ...]\n"
             "    return ...\n",
        follows=_a_hall,
    ),
    Exercise(
        "energy_and_cost.bill",
        "Write bill: the US dollars of some hours, when servers draw a share of their most and the network all of it.",
        "bill",
        _bill,
        "def bill(servers, network, load, hours, price):\n    watts = load * servers + network\n"
        "    return watts / 1000 * hours * price\n",
        cases=[(1.28e6, 82e3, 0.76, 8766, 0.1), (1e6, 0.0, 1.0, 24, 0.25), (0.0, 1e5, 0.5, 100, 0.08)],
        wrong=[
            ("load * (servers + network) / 1000 * hours * price", "The network draws all of its watts, whatever the load."),
            ("(load * servers + network) * hours * price", "A price is for a kWh: a thousand watts for an hour."),
            ("(servers + network) / 1000 * hours * price", "That is the nameplate. The servers draw a share of it."),
            ("(load * servers + network) / 1000 * hours * 3600 * price",
             "Watts times hours are watt-hours; no seconds are needed."),
            ("(load * servers + network) / 1000 * price", "That is one hour."),
        ],
        nudge="Watts that are drawn all the time, times hours, is what a meter counts. Which watts are that, of servers and of "
              "the network?",
        half="def bill(servers, network, load, hours, price):\n"
             "    watts = ... + network\n"
             "    kwh = watts / ... * hours\n"
             "    return kwh * price\n",
        follows=_a_year,
    ),
    Exercise(
        "energy_and_cost.saving",
        "{{ USUAL_GPUS }} H100 train {{ llama.name }}. What saves most joules of each token? Set saving to it.",
        "saving",
        lambda: max(SAVINGS, key=lambda what: SAVINGS[what]()),
        'saving = "wires that halve the waiting"\n',
        options=list(SAVINGS),
        wrong=[
            ('"copper to the leaves"',
             "It saves {{ portion(SAVINGS['copper to the leaves']()) }}, and nearly for nothing; but the network draws little "
             "beside the GPUs."),
            ('"linear modules to the leaves"',
             "They draw half of what others do, and save {{ portion(SAVINGS['linear modules to the leaves']()) }}."),
            ('"stages together, and tensor groups over servers"',
             "Wires that draw as much, in the wrong place: the GPUs would wait longer, and burn joules meanwhile."),
        ],
        nudge="Joules are watts times seconds: look for what shortens the step, not only for what draws less.",
        half="waiting = ...  # the share of a token's joules that goes into GPUs that wait: the lab says it\n"
             "modules = ...  # the share of a cluster's watts that the links to its GPUs draw\nsaving = ...\n",
        follows=_most_saved,
    ),
]


def _last_third() -> str:
    own, spread = total(H100), total(H100, STAGES)
    fast, fast_spread, rack = total(B200), total(B200, STAGES), total(RACK, STAGES)
    return (f"On {USUAL_GPUS} H100 a token of Llama 3 70B takes {own:.3g} J, and perfect wires, which draw nothing and are "
            f"never waited for, would save {units.portion(of_wires(H100))} of it: half of that is waiting "
            f"({units.portion(waited(H100))}). Wires in the wrong place cost more: with tensor groups on the network it is "
            f"{units.portion(spread / own - 1)} more, on B200 {units.portion(fast_spread / fast - 1)}, and in a rack that is one "
            f"domain nothing. From H100 to B200 a token falls to {units.portion(fast / own)}, and to "
            f"{units.portion(rack / own)} in the rack: most of that is the chips.")


VERDICTS = [Verdict("l", "holds with a qualification", _last_third, part="energy")]
