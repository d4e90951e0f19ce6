"""A log of one's own: what its columns say, where it contradicts itself, and what its curve resembles."""

from fabriclib import catalog, units
from fabriclib.diagnosis import broken
from fabriclib.machines import port
from fabriclib.prediction import predict

from ...course.declare import Exercise, Prediction
from .examples import RUNS
from .tables import CAUSES, TICKET_CAUSES, first_suspect, one_nic, sharp, ticket_compared

PREDICTIONS = [
    Prediction(
        "bring_your_own.ranks",
        "A page shows the log of an all-reduce \"on 64 GPUs\". The last row of its table says, in MB/s: algbw "
        "{{ printed(sharp.nbytes / sharp.seconds) }} and busbw {{ printed(sharp.busbw) }}. How many GPUs took part?",
        "ratio", lambda: sharp.ranks,
        "busbw over algbw is 2 (p - 1) / p for an all-reduce of p GPUs, whatever else happened: a figure that no page can get "
        "wrong. Here it is {{ digits(over_algbw(sharp.ranks), 4) }}, and that is {{ sharp.ranks }} GPUs: twelve servers of "
        "eight.",
        slips={
            "that is what the page says; with 64 GPUs busbw would be {{ digits(over_algbw(64), 4) }} times algbw": lambda: 64,
            "that is the number of servers, if each has eight": lambda: sharp.ranks / 8,
            "that leaves out the 2: the factor of an all-reduce is 2 (p - 1) / p": lambda: sharp.ranks / 2,
        },
        unit="GPUs", example="8 GPUs",
    ),
    Prediction(
        "bring_your_own.one-nic",
        "Four servers with eight H100 and eight NICs each run an all-reduce. By mistake every server sends through one NIC only. "
        "A buffer of 16 GiB now takes {{ digits(one_nic(2**34)) }} times as long. How many times as long does one of 1 KiB take?",
        "ratio", lambda: one_nic(2**10),
        "Hardly longer at all. A small message spends its time in starts, steps and hops, and a hop through one NIC takes as "
        "long as a hop through eight. Whoever tests with small messages only will not notice that seven of eight NICs are idle.",
        slips={
            "that is what happens to large buffers, which fill a NIC; 1 KiB fills nothing": lambda: one_nic(2**34),
            "that is the ratio of the NICs; it holds where the rate of the NICs sets the time": lambda: 8,
        },
        unit="times", example="3 times",
    ),
    Prediction(
        "bring_your_own.ill",
        "How many of the {{ RUNS | length }} runs are ill?",
        "ratio", lambda: sum(bool(catalog.row("measurement_tables", table)["cause"]) for table in RUNS.values()),
        "A and E are slow at both ends: TCP. C and G get slower at the far right: large machines, shared networks. D is the "
        "hardest: one size only, and not much slower than predicted. But within a few per cent it takes what a ring takes, and "
        "this server's switch can add. F is a little slow in the middle, as healthy runs are, and B and H are as predicted.",
        slips={
            "D is easily missed: one diamond, just above the line. Accuse NVLS off, and look again": lambda: 4,
            "those are A and E, the loud ones; look at the last diamonds of C and G, and accuse NVLS off in D": lambda: 2,
            "some are ill in few diamonds only: look at the last ones of C and G, and accuse NVLS off in D": lambda: 3,
            "healthy runs leave the line too; half as long again in the middle is the model's own error": lambda: 7,
            "F looks a little slow in the middle, but no more than healthy runs do; the model is weakest there": lambda: 6,
        },
        unit="runs", example="8 runs",
    ),
]

_NIC = port("ib-ndr").rate
_MANY = 16 * units.GiB


def _of_the_page(ranks_of) -> str:
    algbw = sharp.nbytes / sharp.seconds
    return (f"By your function the page's log, algbw {units.format(algbw, 'B/s')} and busbw {units.format(sharp.busbw, 'B/s')}, "
            f"is of {ranks_of(algbw, sharp.busbw)} GPUs, whatever the page says.")


def _at_work(nics_in_use) -> str:
    slow = float(broken("one-nic", "dgx-h100", "all_reduce", _MANY, nodes=4)[0])
    well = float(predict("dgx-h100", "all_reduce", _MANY, nodes=4).seconds)
    ill, healthy = (nics_in_use(_MANY, seconds, 32, _NIC) for seconds in (slow, well))
    return (f"By your function four DGX H100 that take {units.format(slow, 's')} for 16 GiB have {ill:.2g} NICs at work each; "
            f"healthy ones take {units.format(well, 's')}, and that is {healthy:.2g} NICs.")


def _to_be_looked_at(cause) -> str:
    found = next(one for one in ticket_compared().causes if one.name == cause)
    return (f"The diagnosis, which knows {len(CAUSES)} causes, names it first as well. Where to look, it says too: "
            f"{found.check[0].lower()}{found.check[1:].rstrip('.?')}.")


EXERCISES = [
    Exercise(
        "bring_your_own.ranks-of",
        "Write ranks_of: how many GPUs took part in an all-reduce, from its printed algbw and busbw.",
        "ranks_of",
        lambda algbw, busbw: round(2 / (2 - busbw / algbw)),
        "def ranks_of(algbw, busbw):\n"
        "    factor = busbw / algbw\n"
        "    return round(2 / (2 - factor))\n",
        cases=[(195.31, 386.56), (126.90, 237.94), (48.71, 94.38), (131.26, 229.71), (20.62, 36.08)],
        wrong=[
            ("2 / (2 - busbw / algbw)", "Nearly. Printed figures are rounded, so this is no whole number; a number of GPUs is. "
                                        "Round it."),
            ("round(1 / (2 - busbw / algbw))", "The 2 got lost on the way: from f = 2 (p - 1) / p follows p = 2 / (2 - f)."),
            ("round(1 / (1 - busbw / algbw))", "That solves f = (p - 1) / p, the factor of an all-gather. An all-reduce has "
                                               "twice that."),
            ("round(2 / (2 - algbw / busbw))", "This gives 1 for every log. The factor is busbw / algbw, not the other way "
                                               "round; and from f = 2 - 2 / p get p by itself."),
            ("int(2 / (2 - busbw / algbw))", "Nearly. int cuts off, and from rounded figures a little less than 8 may come: "
                                             "that is 8. Use round."),
            ("round(busbw / algbw)", "That is the factor 2 (p - 1) / p itself, rounded. Solve it for p."),
        ],
        nudge="Call the quotient of the two f. In f = 2 (p - 1) / p the p stands twice: divide it out, and solve.",
        half="def ranks_of(algbw, busbw):\n    factor = busbw / algbw  # 2 - 2 / p\n    return ...\n",
        follows=_of_the_page,
    ),
    Exercise(
        "bring_your_own.nics-in-use",
        "Write nics_in_use: how many NICs of a given rate a ring must have had to be as fast as measured.",
        "nics_in_use",
        lambda nbytes, seconds, ranks, nic: 2 * (ranks - 1) / ranks * nbytes / seconds / nic,
        "def nics_in_use(nbytes, seconds, ranks, nic):\n"
        "    sent = 2 * (ranks - 1) / ranks * nbytes\n"
        "    return sent / seconds / nic\n",
        cases=[(2.0**33, 0.359, 32, _NIC), (2.0**33, 0.045, 32, _NIC), (2.0**30, 0.0521, 8, 25e9), (2.0**30, 0.0113, 16, 25e9)],
        wrong=[
            ("nbytes / seconds / nic", "That divides algbw by the rate of a NIC. In a ring 2 (p - 1) / p times the buffer leaves "
                                       "each server."),
            ("(ranks - 1) / ranks * nbytes / seconds / nic", "That is half of an all-reduce: its reduce-scatter. The all-gather "
                                                             "sends as much again."),
            ("2 * (ranks - 1) * nbytes / seconds / nic", "This sends the whole buffer in every step. In a ring a step moves one "
                                                         "part, nbytes / ranks."),
            ("2 * (ranks - 1) / ranks * nbytes / seconds / nic / ranks", "Each server sends that much, however many ranks "
                                                                         "there are: divide by ranks only once."),
            ("2 * (ranks - 1) / ranks * nbytes / nic", "Those are seconds: how long one NIC would take. Divide by the seconds "
                                                       "measured."),
            ("2 * nbytes / seconds / nic", "Nearly: a rank keeps its own part, so it is 2 (p - 1) / p times the buffer."),
            ("8 * 2 * (ranks - 1) / ranks * nbytes / seconds / nic", "The rate is in bytes per second already: no factor of 8."),
            ("nic * seconds * ranks / (2 * (ranks - 1) * nbytes)", "That is upside down: the bytes sent in a second, over what "
                                                                   "one NIC sends in a second."),
        ],
        nudge="How many bytes left a server, in how many seconds? And how many of these does one NIC send in a second?",
        half="def nics_in_use(nbytes, seconds, ranks, nic):\n"
             "    sent = ...  # by each server\n"
             "    return sent / ... / nic\n",
        follows=_at_work,
    ),
    Exercise(
        "bring_your_own.ticket",
        "Four servers of eight H100 are too slow. Set cause to what you would look at first.",
        "cause",
        first_suspect,
        'cause = "bad rank order"\n',
        options=TICKET_CAUSES,
        wrong=[
            ('"TCP instead of RDMA"',
             "That is slow at both ends, too. But the large messages would take ten times as long again."),
            ('"NICs missing"',
             "The right end fits. But a hop through one NIC takes as long as through eight: small messages would be in time."),
            ('"congestion at scale"',
             "That is seen at the far right alone. Here the smallest messages are late already."),
            ('"GPUDirect RDMA off"', "The detour through host memory costs rate, but not so much of it at the right end."),
        ],
        nudge="Read the table of faults by its columns: which of them lose so much at the right, and which of these at the left?",
        half="cause = ...  # slow at both ends: every step of the ring now crosses the network\n",
        follows=_to_be_looked_at,
    ),
]
