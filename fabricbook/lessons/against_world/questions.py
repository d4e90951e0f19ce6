"""The model beside published measurements: where a time comes from, and how far off a prediction may be."""

from fabriclib import units
from fabriclib.collectives.cost import sent
from fabriclib.measurements import published
from fabriclib.prediction import predict

from ...course.declare import Exercise, Prediction
from .tables import BETS, GPUS, SMALL, h100, off_by, over_algbw, p5, steps, two_servers

PREDICTIONS = [
    Prediction(
        "against_world.small",
        "A published table, eight H100 of one server, a process for each: they sum 8 bytes. The wire needs less than a "
        "thousandth of a microsecond for them, and the {{ steps }} steps of a ring cost {{ si(h100.latency, 's') }} each. What "
        "time does the table say?",
        "time", lambda: float(published("h100x8-dgx-nvls-ar")["seconds"].iloc[0]),
        "A collective costs the GPUs some time whatever it does, before its first step and after its last, and a step takes "
        "longer than the wire alone: flags are set and waited for. fabriclib's model says {{ si(base, 's', 2) }} once and "
        "{{ steps }} times {{ si(step, 's', 2) }}; with the rest of starting the kernels that is {{ si(smallest, 's') }}. Most "
        "of the start hides behind the round before. Where one process starts eight kernels in turn, it does not.",
        slips={
            "that is the wire's steps alone; the GPUs take time of their own": lambda: steps * h100.latency,
            "that is a single step; the sum passes round the ring twice": h100.latency,
            "that is the wire alone; getting going costs far more": lambda: SMALL / h100.bandwidth(),
        },
        example="0.2 ms",
    ),
    Prediction(
        "against_world.nic",
        "Two AWS p5 servers of eight H100 sum 16 GiB, by a tree. Each server's network ports carry "
        "{{ si(p5.node_rate, 'B/s') }} each way. The log says: busbw {{ si(two_servers.busbw, 'B/s') }}. More than the ports can "
        "carry! At what rate did the data really leave a server?",
        "rate", lambda: two_servers.nbytes / two_servers.seconds,
        "Between two servers the library uses a tree: each server sends its sum to the other once, so what leaves is the buffer, "
        "once. That is algbw. busbw multiplies it by 2 (p - 1) / p = {{ digits(over_algbw, 4) }}, as if a ring had carried it.",
        slips={
            "that is busbw itself, which assumes a ring; no port can carry more than its line rate": lambda: two_servers.busbw,
            "that is what the ports could carry; the log says how long it took": lambda: p5.node_rate,
            "that multiplies by the factor of busbw; divide by it": lambda: two_servers.busbw * over_algbw,
        },
        per_direction=True, example="100 GB/s",
    ),
    Prediction(
        "against_world.error",
        "fabriclib's model is set beside published tables of one server. For each table its constants are fitted without any "
        "measurement of the same site. On average it is off by {{ portion(off_by('up to 64 KiB')) }} up to 64 KiB, "
        "{{ portion(off_by('between')) }} between, and {{ portion(off_by('from 64 MiB')) }} from 64 MiB. Of the "
        "{{ one_server | length }} tables {{ large_only }} hold messages from 64 MiB only, the others mostly all sizes. By how "
        "many % is it off on average over the tables, each with all its sizes?",
        "ratio", lambda: 100 * off_by("all sizes"),
        "Many tables count with their large messages only, which pulls the mean down. The same kind of "
        "machine measured at two sites differs by several per cent itself, so not all of it can be cured.",
        slips={
            "that is where the model stands between 64 KiB and 64 MiB, its worst; the other messages pull it down":
                lambda: 100 * off_by("between"),
            "that is about where the model stands from 64 MiB on; the other tables bring their small and middle messages":
                lambda: 100 * off_by("from 64 MiB"),
        },
        unit="%", example="50 %",
    ),
]


def _left_a_server(seconds) -> str:
    took = seconds(two_servers.nbytes, two_servers.busbw, two_servers.ranks)
    return (f"With your function: the two AWS p5 servers took {units.format(took, 's')} for 16 GiB, so "
            f"{units.format(two_servers.nbytes / took, 'B/s')} left each of them, of {units.format(p5.node_rate, 'B/s')} that "
            "its ports carry.")


def _one_and_two(half_size) -> str:
    one, two = (half_size(run["nbytes"].tolist(), run["seconds"].tolist())
                for run in map(published, ("h100x8-dgx-nvls-ar", "h100x16-p5-ar")))
    return (f"By your function eight H100 reach half of their best rate at {units.format(one)}, and two AWS p5 servers at "
            f"{units.format(two)}: what is dearer to start pays off later.")


def _line_rate_alone(off) -> str:
    run = published("h100x8-dgx-nvls-ar")
    nbytes, measured = run["nbytes"].to_numpy(), run["seconds"].tolist()
    wire = sent("all_reduce", "ring", GPUS) * nbytes / h100.bandwidth()
    alone, whole = (off(times.tolist(), measured) for times in (wire, predict("dgx-h100", "all_reduce", nbytes).seconds))
    return (f"By your measure, on eight H100, bytes over the line rate of a ring are {units.portion(alone)} off, and the whole "
            f"model {units.portion(whole)}.")


def _how_safe(safest) -> str:
    errors = {bet: error() for bet, error in BETS.items()}
    worst = max(errors, key=errors.__getitem__)
    return (f"At sites whose tables no constant saw it is off by {units.portion(errors[safest])} in the mean; {worst} are the "
            f"worst of the four, with {units.portion(errors[worst])}.")


EXERCISES = [
    Exercise(
        "against_world.seconds",
        "Write seconds: how long an all-reduce of nbytes on so many ranks took, if the log shows its busbw in bytes per second.",
        "seconds",
        lambda nbytes, busbw, ranks: 2 * (ranks - 1) / ranks * nbytes / busbw,
        "def seconds(nbytes, busbw, ranks):\n"
        "    algbw = busbw * ranks / (2 * (ranks - 1))\n"
        "    return nbytes / algbw\n",
        cases=[(2**30, 470 * units.GB, 8), (2**34, 487 * units.GB, 16), (2**20, 76 * units.GB, 4)],
        wrong=[
            ("nbytes / busbw", "That would be right for algbw. busbw is algbw times 2 (p - 1) / p."),
            ("nbytes / (busbw * 2 * (ranks - 1) / ranks)",
             "The factor makes busbw out of algbw. To come back, divide busbw by it."),
            ("(ranks - 1) / ranks * nbytes / busbw", "That is the factor of an all-gather. An all-reduce has twice that."),
            ("busbw / nbytes", "That is upside down: a time is bytes over bytes per second."),
            ("2 * (ranks - 1) * nbytes / busbw", "This sends the whole buffer in every step. The factor is 2 (p - 1) / p."),
            ("2 * nbytes / busbw", "Nearly, for many ranks. The exact factor is 2 (p - 1) / p."),
        ],
        nudge="busbw is algbw times a factor: take that away again, and a time is bytes over what is left.",
        half="def seconds(nbytes, busbw, ranks):\n    algbw = busbw / ...\n    return ...\n",
        follows=_left_a_server,
    ),
    Exercise(
        "against_world.half",
        "Write half_size: the first size of a table at which half of the table's best rate is reached. nbytes and seconds are "
        "two lists, smallest message first.",
        "half_size",
        lambda nbytes, seconds: next(
            n for n, t in zip(nbytes, seconds, strict=True)
            if n / t >= max(m / u for m, u in zip(nbytes, seconds, strict=True)) / 2),
        "def half_size(nbytes, seconds):\n"
        "    rates = [n / t for n, t in zip(nbytes, seconds)]\n"
        "    for n, rate in zip(nbytes, rates):\n"
        "        if rate >= max(rates) / 2:\n"
        "            return n\n",
        cases=[([2**20, 2**22, 2**24, 2**30], [2.7e-5, 5.4e-5, 1.24e-4, 4.03e-3]),
               ([2**20, 2**22, 2**24, 2**26], [1.23e-4, 1.69e-4, 2.98e-4, 6e-4]),
               ([8, 64], [1e-5, 1e-5]), ([2**20, 2**23, 2**27, 2**30], [1.6e-5, 4.5e-5, 4e-4, 1e-2])],
        wrong=[
            ("max(n / t for n, t in zip(nbytes, seconds)) / 2", "That is half of the best rate. Asked for is the first size "
                                                                "whose rate reaches it."),
            ("def half_size(nbytes, seconds):\n"
             "    rates = [n / t for n, t in zip(nbytes, seconds)]\n"
             "    return next(row for row, rate in enumerate(rates) if rate >= max(rates) / 2)\n",
             "That is the number of the row. Return the size in it: nbytes[i]."),
            ("max(zip(nbytes, seconds), key=lambda row: row[0] / row[1])[0]",
             "That is the size of the best rate itself. Ask for the first one that reaches half of that rate."),
            ("next(n for n, t in zip(nbytes, seconds) if n / t >= nbytes[-1] / seconds[-1] / 2)",
             "That takes the last row for the best. In some tables the rate falls again: take the largest of all rates."),
            ("max(nbytes) / 2", "That is half of the largest size. Ask for half of the best rate, nbytes / seconds."),
            ("next(n for n, t in zip(nbytes, seconds) if t >= max(seconds) / 2)",
             "That is where half of the longest time is reached. A rate is nbytes / seconds."),
            ("next(n for n, t in zip(nbytes, seconds) if n / t >= nbytes[0] / seconds[0] / 2)",
             "That compares with the rate of the first row. Compare with the best of all rows."),
            ("max(n for n, t in zip(nbytes, seconds) if n / t <= max(m / u for m, u in zip(nbytes, seconds)) / 2)",
             "That is the last size still below half of the best rate. The question is for the first that reaches it."),
        ],
        nudge="A rate for each row, the best of all of them, and then the first row that comes to half of it.",
        half="def half_size(nbytes, seconds):\n"
             "    rates = [n / t for n, t in zip(nbytes, seconds)]\n"
             "    enough = ...\n"
             "    for n, rate in zip(nbytes, rates):\n"
             "        if ...:\n"
             "            return n\n",
        follows=_one_and_two,
    ),
    Exercise(
        "against_world.off",
        "Write off: how far predictions are from measurements, as the mean absolute relative error. Both are lists of seconds.",
        "off",
        lambda predicted, measured: sum(abs(p / m - 1) for p, m in zip(predicted, measured, strict=True)) / len(measured),
        "def off(predicted, measured):\n"
        "    errors = [abs(p / m - 1) for p, m in zip(predicted, measured)]\n"
        "    return sum(errors) / len(errors)\n",
        cases=[([1.1e-5, 8e-4], [1e-5, 1e-3]), ([2e-5, 1e-2, 1.0], [1e-5, 1.2e-2, 0.8]), ([3e-6], [6e-6])],
        wrong=[
            ("sum(p / m - 1 for p, m in zip(predicted, measured)) / len(measured)",
             "There, too long and too short cancel. Take the size of each error before adding."),
            ("abs(sum(predicted) - sum(measured)) / sum(measured)",
             "There the largest message decides alone: it lasts a thousand times as long. Take the error of each row first."),
            ("sum(abs(m / p - 1) for p, m in zip(predicted, measured)) / len(measured)",
             "That takes the prediction for the truth. Divide by what was measured."),
            ("100 * sum(abs(p / m - 1) for p, m in zip(predicted, measured)) / len(measured)",
             "That is in per cent. Return the share itself, a hundredth of that."),
            ("sum(abs(p - m) for p, m in zip(predicted, measured)) / len(measured)",
             "That is a mean of seconds: it is not relative. Divide each error by what was measured."),
            ("abs(sum(p / m - 1 for p, m in zip(predicted, measured))) / len(measured)",
             "There, too long and too short have cancelled before abs. Take abs of each row's error."),
            ("max(abs(p / m - 1) for p, m in zip(predicted, measured))", "That is the worst row. Asked for is the mean of all."),
            ("sum(abs(p / m - 1) for p, m in zip(predicted, measured))", "That is the sum. Divide by the number of rows."),
        ],
        nudge="Three things must not happen: that errors cancel, that the longest time decides alone, and that the "
              "prediction counts as the truth.",
        half="def off(predicted, measured):\n"
             "    errors = [... for p, m in zip(predicted, measured)]\n"
             "    return sum(errors) / len(errors)\n",
        follows=_line_rate_alone,
    ),
    Exercise(
        "against_world.trust",
        "Four predictions for machines that the model has not seen. On which would you bet most? Set safest to it.",
        "safest",
        lambda: min(BETS, key=lambda bet: BETS[bet]()),
        'safest = "large messages, one server"\n',
        options=list(BETS),
        wrong=[
            ('"middle messages, one server"',
             "There a library changes its protocols, and each does so elsewhere: off by "
             "{{ portion(BETS['middle messages, one server']()) }} in the mean."),
            ('"small messages, several servers"',
             "What a message costs to start differs from network to network: off by "
             "{{ portion(BETS['small messages, several servers']()) }} in the mean."),
            ('"large messages, several servers"',
             "Nearly: off by {{ portion(BETS['large messages, several servers']()) }}. What is there besides the rate of the "
             "network's ports?"),
        ],
        nudge="Look at the broad bars of the lab with all tables: in which columns are they lowest, and with how many servers?",
        half="safest = ...  # where the rate of a link decides, and nothing else can interfere\n",
        follows=_how_safe,
    ),
]
