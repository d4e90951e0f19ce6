"""How long and how many watts, before anything is drawn; a plan that is frugal, one that is kept, and one change that helps."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from .tables import (
    DAY,
    LESS,
    NARROWED,
    PLAN,
    WEAK,
    at_peak,
    changed,
    first_change,
    frugal,
    h100,
    kept,
    listed,
    offered,
    power,
    seconds,
    trillion,
)

PREDICTIONS = [
    Prediction(
        "capstone.days",
        "A model of {{ digits(model.params / 1e9, 3) }} billion parameters is to be trained on {{ digits(TOKENS / 1e12, 2) }} "
        "million million tokens, with 6 operations for each parameter and token. You have {{ thousands(PLAN.gpus) }} H100 of "
        "{{ digits(h100.bf16 / 1e12, 3) }} million million operations a second. Of these a good job gets "
        "{{ portion(used) }}, all waiting and all failures counted. How many days does it take?",
        "time", lambda: seconds,
        "At the peak it would be {{ si(at_peak, 's') }}. Divided by {{ portion(used) }} it is {{ digits(seconds / DAY, 3) }} "
        "days, and the brief allows {{ digits(dense.deadline / DAY) }}. Our eight GPUs would take "
        "{{ si(seconds * PLAN.gpus / story.GPUS, 's', 2) }}.",
        slips={"that is at the peak, which no job reaches": lambda: at_peak,
               "that counts the way forward alone": lambda: seconds / 3},
        example="10 days",
    ),
    Prediction(
        "capstone.watts",
        "A server of eight H100 has {{ si(nameplate, 'W') }} on its nameplate. {{ thousands(PLAN.gpus) }} GPUs are joined by "
        "rails that are not narrowed, with optics. The network's part of all the power, NICs counted, is "
        "{{ portion(power.share) }}. How much does the cluster draw?",
        "power", lambda: float(power.watts),
        "{{ PLAN.gpus // 8 }} servers, and {{ portion(power.share) }} of the whole for what joins them. The hall of the first "
        "brief feeds {{ si(dense.watts, 'W') }}: {{ thousands((dense.watts / power.per_gpu)|int) }} such GPUs, no more.",
        slips={"that is the GPUs alone; a server has fans, CPUs and memory": lambda: PLAN.gpus * h100.watts,
               "that is one server; there are many": lambda: power.watts / (PLAN.gpus / 8)},
        example="400 kW",
    ),
]


def _frugal_of_all(frugal) -> str:
    plans = listed(trillion.id)
    name = frugal(plans)
    watts = next(drawn for said, _, drawn in plans if said == name)
    passing = sum(margin >= 1 for _, margin, _ in plans)
    return (f"With your function: of {len(plans)} plans for the trillion {passing} pass, and the most frugal is {name}, with "
            f"{units.format(watts, 'W')} of the {units.format(trillion.watts, 'W')} that there are.")


def _of_offer(offer) -> str:
    found = offered(offer)
    return (f"Your offer takes {found.needs['time'] / DAY:.3g} days of {trillion.deadline / DAY:.0f} and "
            f"{units.format(found.needs['power'], 'W')} of {units.format(LESS, 'W')}: half as many GPUs as A and B, kept at work "
            f"by {found.plan.spare} servers that stand by and a second plane.")


def _of_change(change) -> str:
    after, twice = changed(*change), changed("gpus", 2 * WEAK.gpus)
    return (f"With your change the smallest margin goes to {after.value:.2f}, and nothing has to be bought; with twice the GPUs "
            f"it would be {twice.value:.2f}, and {twice.binding} would bind.")


def _of_network(network) -> str:
    found = NARROWED[network]()
    others = ", ".join(f"{NARROWED[name]().value:.2f}" for name in NARROWED if name != network)
    return (f"Its smallest margin is {found.value:.2f}, of {found.binding}; the others come to {others}. It is narrowed as much, "
            "but a lost cable does not stop the job: what that saves pays for what is lost.")


EXERCISES = [
    Exercise(
        "capstone.frugal",
        "Write frugal: the name of the plan that passes with the fewest watts, or 'none' if none passes. Each plan is (name, "
        "smallest margin, watts).",
        "frugal",
        frugal,
        "def frugal(plans):\n    good = [plan for plan in plans if plan[1] >= 1]\n"
        "    return min(good, key=lambda plan: plan[2])[0] if good else 'none'\n",
        cases=[([("A", 1.4, 1_900_000), ("B", 0.9, 1_100_000), ("C", 1.1, 1_300_000)],),
               ([("A", 1.0, 1_200_000), ("B", 1.8, 1_900_000)],),
               ([("A", 0.8, 1_200_000), ("B", 0.99, 700_000)],)],
        wrong=[
            ("min(plans, key=lambda plan: plan[2])[0]",
             "That is the most frugal of all, and it does not pass: look at the margins."),
            ("max(plans, key=lambda plan: plan[1])[0]",
             "That has the most margin. Asked are the fewest watts, of those that pass."),
            ("max([plan for plan in plans if plan[1] >= 1], key=lambda plan: plan[2], default=['none'])[0]",
             "That draws the most of those that pass."),
            ("min([plan for plan in plans if plan[1] > 1], key=lambda plan: plan[2], default=['none'])[0]",
             "A margin of exactly 1 is enough."),
            ("min([plan for plan in plans if plan[1] >= 1], key=lambda plan: plan[2])[0]",
             "That is right while a plan passes. Where none does, return 'none'."),
        ],
        nudge="First keep those that pass, then look for the fewest watts. And what if none is left?",
        half="def frugal(plans):\n"
             "    good = [plan for plan in plans if ...]\n"
             "    return min(good, key=...)[0] if good else ...\n",
        follows=_frugal_of_all,
    ),
    Exercise(
        "capstone.offer",
        "The hall of the trillion gets {{ si(LESS, 'W') }}, not {{ si(trillion.watts, 'W') }}; the deadline stays. Set offer to "
        "the letter of the plan that keeps all limits.",
        "offer",
        kept,
        "offer = 'D'\n",
        wrong=[
            ("'A'", "It is the fastest, and draws more than the hall now gives."),
            ("'B'", "It draws less than A, and still more than the hall now gives."),
            ("'C'", "The hall can feed it. How many days does it take, and how many are there?"),
        ],
        nudge="Strike out what the hall cannot feed, then what comes too late.",
        half="power = {'A': ..., 'B': ..., 'C': ..., 'D': ...}  # from the table, in W\nin_time = ...\noffer = ...\n",
        follows=_of_offer,
    ),
    Exercise(
        "capstone.change",
        "Set change to the one change that helps this plan most, a field and its new value, such as ('gpus', 2048).",
        "change",
        first_change,
        "change = ('tp', 1)\n",
        wrong=[
            ("('gpus', 2048)", "It would be done in time, and draw more than there is. What makes it slow as it is?"),
            ("('optics', 'linear modules')", "Power is not what binds: watts that are saved make nothing faster."),
            ("('fabric', 'two planes')", "A lost cable would not stop it. But how often is one lost, of so few?"),
            ("('spare', 8)", "Two spare servers are enough for so few GPUs."),
            ("('pp', 16)", "That is a better split, but not by enough. Whom does a tensor group wait for?"),
            ("('system', 'gb200-nvl72')", "Newer machines are faster, but with this split not by enough. And what do they cost?"),
        ],
        nudge="Time binds. A tensor group waits for its sums in every layer, a stage only hands on. Which field makes fewer "
              "wait, and costs nothing?",
        half="change = ('tp', ...)  # a mixture's matrices are small: how many GPUs must share them?\n",
        follows=_of_change,
    ),
    Exercise(
        "capstone.network",
        "The mixture's plan on {{ thousands(narrow_plan.gpus) }} H100, and switches for a network that is narrowed 4:1. "
        "What do you take? Set network to it.",
        "network",
        lambda: max(NARROWED, key=lambda name: NARROWED[name]().value),
        'network = "two planes, narrowed"\n',
        options=list(NARROWED),
        wrong=[
            ('"rack switches, narrowed"',
             "Then nearly all that leaves a rack goes up, through a quarter of the ports; and tokens go everywhere."),
            ('"rails, narrowed"',
             "That is better: what goes along a rail need not go up. But {{ digits(NARROWED['rails, narrowed']().value, 2) }} is "
             "not enough."),
            ('"rails, not narrowed, paid for by the spare servers"',
             "The network would do. But with none standing by, the job waits for every repair."),
        ],
        nudge="Set each of them in the lab on networks, and read the smallest margin. Which of them touches what binds?",
        half="plan = fl.capstone.Plan('dgx-h100', gpus=2048, tp=2, pp=8, fabric=..., oversubscription=4.0, spare=2)\n"
             "worth = fl.capstone.score('mixture', plan).value\nnetwork = ...\n",
        follows=_of_network,
    ),
]
