"""What a collective costs, where one algorithm overtakes another, and what busbw says about a wire."""

from fabriclib import units
from fabriclib.collectives import busbw, lower_bound
from fabriclib.collectives.cost import sent

from ...course.declare import Exercise, Prediction
from .tables import BUFFER, GPUS, RANKS, RATE, SECONDS, START, doubling, fewer_buffers, more_starts, ring, ring_overtakes

_ALGBW = BUFFER / SECONDS


PREDICTIONS = [
    Prediction(
        "cost.crossover",
        "{{ GPUS }} ranks, {{ si(START, 's') }} to start a message, {{ si(RATE, 'B/s') }}. From which buffer size on is the ring "
        "faster than recursive doubling?",
        "size", ring_overtakes,
        "The ring needs {{ ring.messages }} starts against {{ doubling.messages }}: {{ si(more_starts * START, 's') }} more. "
        "Recursive doubling sends {{ digits(doubling.sent) }} buffers against {{ digits(ring.sent, 3) }}: "
        "{{ digits(fewer_buffers, 3) }} more. {{ si(more_starts * START, 's') }} at {{ si(RATE, 'B/s') }} are "
        "{{ si(more_starts * START * RATE) }}, and {{ digits(fewer_buffers, 3) }} buffers are as many bytes when a buffer "
        "has {{ si(ring_overtakes()) }}.",
        slips={
            "that forgets that the ring sends bytes too, {{ digits(ring.sent, 3) }} buffers; the two differ by "
            "{{ digits(fewer_buffers, 3) }} buffers":
                lambda: more_starts * START * RATE / doubling.sent,
            "that forgets that recursive doubling has {{ doubling.messages }} starts of its own; the two differ by "
            "{{ more_starts }} starts":
                lambda: ring.messages * START * RATE / fewer_buffers,
            "those are the bytes that {{ more_starts }} starts are worth; it takes {{ digits(fewer_buffers, 3) }} buffers to "
            "send so many":
                lambda: more_starts * START * RATE,
            "that is n-half of one message; here {{ more_starts }} starts are set against {{ digits(fewer_buffers, 3) }} buffers":
                lambda: START * RATE,
        },
    ),
    Prediction(
        "cost.busbw",
        "{{ GPUS }} GPUs add up {{ si(BUFFER) }} each with an all-reduce; it takes {{ si(SECONDS, 's') }}. Which bus bandwidth "
        "(busbw) does the benchmark print?",
        "rate", lambda: busbw("all_reduce", BUFFER, SECONDS, GPUS),
        "{{ si(BUFFER) }} in {{ si(SECONDS, 's') }} is an algbw of {{ si(BUFFER / SECONDS, 'B/s') }}; times 2 x 7/8 it is the "
        "busbw. With a ring, each GPU's port really sent at that rate. With another algorithm it did not.",
        slips={
            "that is the algbw; busbw multiplies it by 2 (p - 1)/p": lambda: _ALGBW,
            "that counts one half of the all-reduce; the sums are also handed round": lambda: 7 / 8 * _ALGBW,
            "a rank does not send all of the buffer twice, but 7/8 of it": lambda: 2 * _ALGBW,
        },
    ),
    Prediction(
        "cost.in-network",
        "Now the switches can add: each of the {{ GPUS }} GPUs sends its buffer up once and receives the finished sum once, at "
        "the same time. How many times as fast as a ring can an all-reduce of a very large buffer become, at most?",
        "ratio", lambda: ring.sent / sent("all_reduce", "sharp", GPUS),
        "A ring sends 2 x 7/8 = {{ digits(ring.sent, 3) }} buffers through every port, in each direction. With switches that "
        "add, one buffer each way is enough: {{ digits(ring.sent, 3) }} times as fast, and never more than 2, however many GPUs "
        "there are.",
        slips={
            "that is the limit for very many GPUs; for 8 it is 2 x 7/8": 2.0,
            "that counts all GPUs together; each has a port of its own, and what counts is the bytes through one": 8.0,
            "that is what NVLS reaches: a GPU there sends a little more than its buffer, as the lab below shows":
                lambda: ring.sent / sent("all_reduce", "nvls", GPUS),
            "that is one half of the ring's work: 7/8 of a buffer to add up, and as much again to hand round": 7 / 8,
        },
    ),
]

EXERCISES = [
    Exercise(
        "cost.crossover",
        "Write crossover_size: the buffer, in bytes, from which on a ring beats recursive doubling.",
        "crossover_size",
        ring_overtakes,
        "import math\n\n\n"
        "def crossover_size(ranks, alpha, rate):\n"
        "    more_starts = 2 * (ranks - 1) - math.log2(ranks)\n"
        "    fewer_buffers = math.log2(ranks) - 2 * (ranks - 1) / ranks\n"
        "    return more_starts * alpha * rate / fewer_buffers\n",
        cases=[(8, START, RATE), (64, 2 * units.us, 25 * units.GB), (1024, 10 * units.us, 50 * units.GB)],
        wrong=[
            ("(2 * (ranks - 1) - np.log2(ranks)) * alpha * rate / np.log2(ranks)",
             "This lets the ring send no bytes. It sends 2 (p - 1)/p buffers: divide by the difference of the two."),
            ("2 * (ranks - 1) * alpha * rate / (np.log2(ranks) - 2 * (ranks - 1) / ranks)",
             "This lets recursive doubling start no message. It starts lg p of them: take the difference of the two."),
            ("(2 * (ranks - 1) - np.log2(ranks)) * alpha / rate / (np.log2(ranks) - 2 * (ranks - 1) / ranks)",
             "Check the units: seconds divided by bytes per second is no number of bytes. A start is worth alpha * rate bytes."),
            ("(ranks - 1 - np.log2(ranks)) * alpha * rate / (np.log2(ranks) - (ranks - 1) / ranks)",
             "This is half a ring. It goes round twice: p - 1 steps to add up, p - 1 to hand the sums round."),
            ("(2 * (ranks - 1) - np.log2(ranks)) * alpha * rate / (np.log2(ranks) - 2)",
             "Nearly. The ring does not send 2 buffers: a rank keeps the piece that it owns, so it sends 2 (p - 1)/p."),
            ("(2 * (ranks - 1) - np.log(ranks)) * alpha * rate / (np.log(ranks) - 2 * (ranks - 1) / ranks)",
             "This is the natural logarithm. The number of ranks that are reached doubles in every step: take math.log2."),
            ("alpha * rate",
             "This is n-half of one message. Set the time of the one equal to the time of the other, and solve for n."),
        ],
    ),
    Exercise(
        "cost.busbw",
        "Write all_reduce_busbw: the bus bandwidth of an all-reduce, in bytes per second.",
        "all_reduce_busbw",
        lambda nbytes, seconds, ranks: busbw("all_reduce", nbytes, seconds, ranks),
        "def all_reduce_busbw(nbytes, seconds, ranks):\n"
        "    algbw = nbytes / seconds\n"
        "    return algbw * 2 * (ranks - 1) / ranks\n",
        cases=[(BUFFER, SECONDS, 8), (BUFFER, SECONDS, 2), (16 * units.GiB, 1.0, RANKS)],
        wrong=[
            ("nbytes / seconds", "This is algbw. busbw multiplies it by what a ring sends: 2 (p - 1)/p buffers."),
            ("nbytes / seconds * (ranks - 1) / ranks",
             "This is the factor of an all-gather. An all-reduce adds up and hands round: twice that."),
            ("2 * nbytes / seconds", "Nearly: a rank keeps one of its p pieces, so the factor is 2 (p - 1)/p and not 2."),
            ("8 * nbytes / seconds * 2 * (ranks - 1) / ranks",
             "This is in bits per second. The benchmark prints bytes: no factor of 8."),
            ("nbytes / seconds * ranks / (2 * (ranks - 1))",
             "Upside down: a ring sends more than one buffer, 2 (p - 1)/p of them, so busbw is more than algbw."),
            ("nbytes / seconds * 2 * (ranks - 1)",
             "This counts the traffic of all ranks together. busbw is about one port: divide by the number of ranks."),
        ],
    ),
    Exercise(
        "cost.bound",
        "Write least_seconds: the time below which no all-reduce can go when only the ranks add.",
        "least_seconds",
        lambda nbytes, ranks, alpha, rate: lower_bound("all_reduce", nbytes=nbytes, ranks=ranks, alpha=alpha, beta=1 / rate),
        "import math\n\n\n"
        "def least_seconds(nbytes, ranks, alpha, rate):\n"
        "    latency = math.ceil(math.log2(ranks)) * alpha\n"
        "    bandwidth = 2 * (ranks - 1) / ranks * nbytes / rate\n"
        "    return max(latency, bandwidth)\n",
        cases=[(units.KiB, RANKS, START, RATE), (units.GiB, RANKS, START, RATE),
               (256 * units.KiB, 8, 2 * units.us, RATE), (16 * units.KiB, 6, 5 * units.us, 100 * units.GB)],
        wrong=[
            ("np.ceil(np.log2(ranks)) * alpha + 2 * (ranks - 1) / ranks * nbytes / rate",
             "Each of the two is a limit on its own; nothing says that they must be paid one after the other. Take the larger."),
            ("2 * (ranks - 1) / ranks * nbytes / rate",
             "For a small buffer that is too low: news of one rank reaches at most twice as many ranks in every step."),
            ("np.ceil(np.log2(ranks)) * alpha",
             "For a large buffer that is too low: 2 (p - 1)/p buffers must pass through every port."),
            ("max(2 * (ranks - 1) * alpha, 2 * (ranks - 1) / ranks * nbytes / rate)",
             "Those are the starts of a ring. A tree reaches all ranks in fewer: the number reached can double in every step."),
            ("max(np.ceil(np.log(ranks)) * alpha, 2 * (ranks - 1) / ranks * nbytes / rate)",
             "This is the natural logarithm. The number of ranks reached doubles in every step: take math.log2."),
            ("max(np.floor(np.log2(ranks)) * alpha, 2 * (ranks - 1) / ranks * nbytes / rate)",
             "Rounded down, the last ranks are not reached: round up."),
            ("max(np.log2(ranks) * alpha, 2 * (ranks - 1) / ranks * nbytes / rate)",
             "Right where the ranks are a power of two. There are no half steps: round the logarithm up."),
            ("max(np.ceil(np.log2(ranks)) * alpha, nbytes / rate)",
             "That is the bound where switches add. If only ranks add, 2 (p - 1)/p buffers pass through every port."),
            ("min(np.ceil(np.log2(ranks)) * alpha, 2 * (ranks - 1) / ranks * nbytes / rate)",
             "Both limits hold at once, so the later one counts: the larger of the two."),
        ],
    ),
]
