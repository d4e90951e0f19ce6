"""What a collective costs, where one algorithm overtakes another, and what busbw says about a wire."""

from fabriclib import units
from fabriclib.collectives import busbw
from fabriclib.collectives.cost import sent
from fabriclib.measurements import largest

from ...course.declare import Exercise, Prediction
from ...course.story import GRADIENT
from .tables import (
    BUFFER,
    ENTRIES,
    GPUS,
    LITTLE,
    PLAIN_TREE,
    RANKS,
    RATE,
    REMEDIES,
    SECONDS,
    START,
    doubling,
    fewer_buffers,
    h100,
    logged,
    messages_and_buffers,
    more_starts,
    of_ring,
    overtakes,
    pair,
    ring,
    ring_overtakes,
)

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

_RING, _DOUBLING, _RABENSEIFNER = (pair(name, GPUS) for name in ("ring", "recursive_doubling", "rabenseifner"))


def _more_ranks(overtakes) -> str:
    sizes = {ranks: overtakes(pair("recursive_doubling", ranks), pair("ring", ranks), START, RATE) for ranks in (GPUS, 1024)}
    few, many = sizes
    return (f"With your function: on {few} ranks the ring overtakes recursive doubling at {units.format(sizes[few])}, on "
            f"{many:,} only at {units.format(sizes[many])}; Rabenseifner's way it never overtakes.")


def _below_the_wire(port_rate) -> str:
    printed = largest("h100x8-dgx-nvls-ar").busbw
    really = port_rate(printed, GPUS, sent("all_reduce", "nvls", GPUS))
    return (f"With your function: behind the {units.format(printed, 'B/s')} that were printed for NVLS a port moved "
            f"{units.format(really, 'B/s')}, {units.portion(really / h100.bandwidth())} of the wire: no law is broken.")


def _the_wire_was_full(ran) -> str:
    buffers = messages_and_buffers(ran)[1]
    printed = busbw("all_reduce", BUFFER, buffers * BUFFER / RATE, GPUS)
    return (f"A port sent {buffers:g} buffers, at its full {units.format(RATE, 'B/s')}: that busbw cannot pass "
            f"{units.format(printed, 'B/s')} is the algorithm's doing. No cable has to be changed.")


def _for_the_gradient(remedy) -> str:
    little, *large = (units.format(REMEDIES[what](nbytes), "s") for what, nbytes in (
        (remedy, LITTLE), (remedy, GRADIENT), ("a link twice as fast", GRADIENT)))
    return (f"The {units.format(LITTLE)} then take {little}, not {units.format(of_ring(LITTLE), 's')}. Of our "
            f"{units.format(GRADIENT)} it leaves {large[0]} of {units.format(of_ring(GRADIENT), 's')}: there it is the link "
            f"that helps, with {large[1]}.")


_CROSSING = "(second[0] - first[0]) * alpha * rate / (first[1] - second[1])"
_EDGES = ("0.0 if second[0] <= first[0] and second[1] <= first[1] else np.inf if first[1] <= second[1] else ")

EXERCISES = [
    Exercise(
        "cost.crossover",
        "Write overtakes: each algorithm is a pair, its messages one after the other and the buffers that a rank sends. Return "
        "the buffer, in bytes, from which on the second is the faster one: 0 if it has no more of either, math.inf if it "
        "never gets ahead for good.",
        "overtakes",
        overtakes,
        "import math\n\n\n"
        "def overtakes(first, second, alpha, rate):\n"
        "    more_starts = second[0] - first[0]\n"
        "    fewer_buffers = first[1] - second[1]\n"
        "    if more_starts <= 0 and fewer_buffers >= 0:\n"
        "        return 0.0\n"
        "    if fewer_buffers <= 0:\n"
        "        return math.inf\n"
        "    return more_starts * alpha * rate / fewer_buffers\n",
        cases=[(_DOUBLING, _RING, START, RATE), (pair("recursive_doubling", 1024), pair("ring", 1024), 10 * units.us, RATE),
               (_RING, _RABENSEIFNER, START, RATE), (_RABENSEIFNER, _RING, START, RATE), (_RING, _DOUBLING, START, RATE)],
        wrong=[
            ("np.inf if first[1] == second[1] else " + _CROSSING,
             "Two cases are left. If both send as many bytes, the messages decide at every size: 0 or math.inf. And if the "
             "second sends more, the lines do cross, but from there on the first is ahead."),
            ("0.0 if second[0] <= first[0] and second[1] <= first[1] else np.inf if first[1] == second[1] else " + _CROSSING,
             "Nearly. If the second has fewer messages and sends more bytes, the lines do cross, but the second is ahead "
             "before that size and not from there on."),
            ("np.inf if first[1] <= second[1] else " + _CROSSING,
             "Nearly. If both send as many bytes and the second has fewer messages, it is ahead from the first byte on."),
            (_EDGES + "second[0] * alpha * rate / (first[1] - second[1])",
             "This lets the first algorithm start no message. Take the difference of the two."),
            (_EDGES + "(second[0] - first[0]) * alpha * rate / first[1]",
             "This lets the second algorithm send no bytes. Divide by the difference of the two."),
            (_EDGES + "(second[0] - first[0]) * alpha / rate / (first[1] - second[1])",
             "Check the units: seconds divided by bytes per second is no number of bytes. A start is worth alpha * rate bytes."),
            (_EDGES + "(second[0] - first[0]) * alpha / (first[1] - second[1])",
             "Those are seconds. A start is worth alpha * rate bytes."),
            ("alpha * rate",
             "This is n-half of one message. Set the time of the one equal to the time of the other, and solve for n."),
        ],
        nudge="Write both times as starts plus bytes, and set them equal. Then ask for which pairs there is nothing to "
              "solve.",
        half="import math\n"
             "\n"
             "\n"
             "def overtakes(first, second, alpha, rate):\n"
             "    more_starts = second[0] - first[0]\n"
             "    fewer_buffers = ...\n"
             "    if ...:  # no more of either\n"
             "        return 0.0\n"
             "    if ...:  # never ahead for good\n"
             "        return math.inf\n"
             "    return ...  # where fewer_buffers save what more_starts cost\n",
        follows=_more_ranks,
    ),
    Exercise(
        "cost.busbw",
        "Write port_rate: the bytes per second that a port really moved, from the busbw that was printed for an all-reduce, the "
        "number of ranks, and the buffers that a rank sends with the algorithm that ran.",
        "port_rate",
        lambda busbw, ranks, sent: busbw * sent * ranks / (2 * (ranks - 1)),
        "def port_rate(busbw, ranks, sent):\n"
        "    algbw = busbw / (2 * (ranks - 1) / ranks)\n"
        "    return algbw * sent\n",
        cases=[(480 * units.GB, GPUS, sent("all_reduce", "nvls", GPUS)), (300 * units.GB, 4, 2.0),
               (50 * units.GB, RANKS, sent("all_reduce", "ring", RANKS))],
        wrong=[
            ("busbw", "That is so for a ring only, for which busbw is made. Another algorithm sends another number of buffers."),
            ("busbw * sent", "busbw counts the buffers already, as if a ring had run: first divide its 2 (p - 1)/p out again."),
            ("busbw * ranks / (2 * (ranks - 1))", "That is the algbw, buffer over time. The port sent that many times over."),
            ("busbw * 2 * (ranks - 1) / ranks * sent",
             "Upside down: busbw has been multiplied by 2 (p - 1)/p already, so divide by it to get back to the algbw."),
            ("busbw * sent / 2", "Nearly: a ring does not send 2 buffers but 2 (p - 1)/p of them."),
            ("busbw * sent * ranks / (ranks - 1)", "That is the factor of an all-gather. An all-reduce goes round twice."),
            ("busbw * 2 * (ranks - 1) / ranks / sent",
             "Upside down: who sends more buffers in the same time moves more bytes a second, not fewer."),
        ],
        nudge="Go back to the time first: what did the benchmark multiply by, and what should it have multiplied by for "
              "this algorithm?",
        half="def port_rate(busbw, ranks, sent):\n    algbw = busbw / ...\n    return algbw * ...\n",
        follows=_below_the_wire,
    ),
    Exercise(
        "cost.log",
        "Which algorithm ran? Set ran to its name.",
        "ran",
        logged,
        'ran = "plain tree"\n',
        options=[*ENTRIES][:3] + [PLAIN_TREE],
        wrong=[
            ('"ring"', "Look at the smallest buffer: of its time only starts are left. A ring has {{ ring.messages }} of them."),
            ('"recursive doubling"',
             "Look at the smallest buffer: of its time only starts are left, and too many for {{ doubling.messages }} steps."),
            ('"Rabenseifner"',
             "The starts fit. Now look at the largest buffer: Rabenseifner's way sends as few bytes as a ring, so its busbw "
             "would be the rate of the port."),
        ],
        nudge="The two ends of the log say two things: the first row how many messages follow one another, the last how many "
              "buffers a port sends.",
        half="starts = ...  # the time of the smallest buffer over that of a start\n"
             "buffers = ...  # the time of the largest, times the rate, over its bytes\nran = ...\n",
        follows=_the_wire_was_full,
    ),
    Exercise(
        "cost.remedy",
        "A job sums {{ si(LITTLE) }} on {{ RANKS }} ranks by a ring, a thousand times a second. What helps most? Set remedy to "
        "that.",
        "remedy",
        lambda: min(REMEDIES, key=lambda remedy: REMEDIES[remedy](LITTLE)),
        'remedy = "another algorithm"\n',
        options=list(REMEDIES),
        wrong=[
            ('"a link twice as fast"',
             "The bytes take {{ si(2 * LITTLE / RATE, 's') }} of {{ si(of_ring(LITTLE), 's') }}. What are the others?"),
            ('"starts half as long"',
             "That halves the time. But does it take so many starts? Look at the lower bound for {{ RANKS }} ranks."),
            ('"half as many GPUs"',
             "That halves the starts of a ring, and the GPUs that work. The lower bound asks for far fewer starts, with all."),
        ],
        nudge="First find out which part of the ring's time is the larger one, starts or bytes; then how few of them would do.",
        half=f"starts = 2 * ({RANKS} - 1)  # of {units.format(START, 's')} each\n"
             f"least = ...  # the bound has ceil(log2({RANKS})) of them\n"
             "bytes_take = ...\nremedy = ...\n",
        follows=_for_the_gradient,
    ),
]
