"""Why models outgrew one chip, and what the wiring does to one all-reduce."""

from fabriclib import catalog, units
from fabriclib.collectives import collective_time

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from ...stage.words import grouped
from .tables import (
    FASTER,
    GPUS,
    GRADIENT,
    LOGGED,
    MORE,
    NVLINK,
    WIDER,
    WIRES,
    h100,
    logged,
    peak,
    ring_seconds,
    training_flop,
    upgraded,
)


def seconds_on_one_chip() -> float:
    """The training arithmetic of Llama 3 405B at one H100's peak."""
    return training_flop("llama3") / peak


PREDICTIONS = [
    Prediction(
        "start_here.one-chip",
        "One H100 works day and night at the full speed of its datasheet. How long does it need to train Llama 3 405B "
        "({{ digits(llama_parameters / 1e9, 3) }} billion parameters, {{ digits(llama_tokens / 1e12, 3) }} million million "
        "tokens)? A number and a unit.",
        "time", seconds_on_one_chip,
        "6 operations for every parameter and every token are {{ digits(training_flop('llama3') / 1e25) }} × 10²⁵, "
        "and an H100 does just under 10¹⁵ a second. It would not even fit: at 2 bytes a parameter the model alone is "
        "{{ si(2 * llama_parameters) }}, many times an H100's memory. So the work is cut up over thousands of chips, and from "
        "then on the chips must talk.",
        slips={"that is 1 operation a parameter and token; forward and backward pass together take about 6":
               lambda: seconds_on_one_chip() / 6},
        example="3 days",
    ),
    Prediction(
        "start_here.all-reduce",
        "Eight GPUs have each computed a gradient for a model of {{ digits(GRADIENT / 2e9) }} billion parameters, 2 bytes a "
        "parameter: {{ si(GRADIENT) }}. They add the eight up, so that each holds the sum (an all-reduce). Each GPU can send "
        "{{ si(h100.bandwidth(), 'B/s') }} and receive {{ si(h100.bandwidth(), 'B/s') }} at the same time. How long does it "
        "take, if they share the work as well as they can?",
        "time", lambda: ring_seconds(h100),
        "In a ring of 8 every GPU sends 2 x 7/8 of the buffer, {{ si(ring_share * GRADIENT) }}, at "
        "{{ si(h100.bandwidth(), 'B/s') }}: once for adding up, once for handing the sums round. The starts of the "
        "{{ 2 * (GPUS - 1) }} steps, {{ si(2 * (GPUS - 1) * h100.latency, 's') }} in all, do not matter here.",
        slips={
            "that sends the buffer once; an all-reduce adds up first and hands the sums round after, nearly twice the bytes":
                lambda: GRADIENT / h100.bandwidth(),
            "that sends all eight gradients over one wire; in a ring each GPU sends only 2 x 7/8 of one":
                lambda: 8 * GRADIENT / h100.bandwidth(),
            "that hands each GPU the seven other gradients whole; if each adds up one eighth for all, far fewer bytes travel":
                lambda: 7 * GRADIENT / h100.bandwidth(),
            "that collects all at one GPU and sends the sum to seven: its wire is busy, and the other seven wires wait":
                lambda: 2 * 7 * GRADIENT / h100.bandwidth(),
            "that is three rounds of swapping whole buffers in pairs; pieces of a buffer need fewer bytes":
                lambda: 3 * GRADIENT / h100.bandwidth(),
            "that is half of it: either the sums are not handed round yet, or the rates of both directions are added up":
                lambda: ring_seconds(h100) / 2,
        },
    ),
]


def _over_each_wire(all_reduce_seconds) -> str:
    over = [units.format(all_reduce_seconds(GRADIENT, GPUS, wire.bandwidth()), "s") for wire in WIRES.values()]
    grown = all_reduce_seconds(GRADIENT, 64, h100.bandwidth()) / all_reduce_seconds(GRADIENT, GPUS, h100.bandwidth()) - 1
    return (f"With your function: {units.format(GRADIENT)} over {GPUS} GPUs take {over[0]} over NVLink, {over[1]} over PCIe and "
            f"{over[2]} over Ethernet; 64 GPUs on NVLink would need only {units.portion(grown)} more.")


_PLANS = FASTER, WIDER, NVLINK, MORE
_KINDS = dict(zip(("NVLink", "PCIe", "Ethernet"), WIRES.values(), strict=True))
_NONE = "none of the three"


def _in_the_log() -> str:
    """The wire on which the messages take as long as in the log."""
    fits = (name for name, wire in _KINDS.items() if abs(wire.time(LOGGED) / logged - 1).max() < 0.01)
    return next(fits, _NONE)


def _of_the_log(wire) -> str:
    start, last = (units.format(seconds, "s") for seconds in (logged[0], logged[-1]))
    return (f"So it is {wire}: {start} for {LOGGED[0]} bytes are all start, and {units.format(LOGGED[-1])} in {last} are "
            f"{units.format(LOGGED[-1] / logged[-1], 'B/s')}.")


def _of_each_plan(plan) -> str:
    gains = ", ".join(f"{one} {units.portion(upgraded(one) / upgraded() - 1)}" for one in (FASTER, WIDER, NVLINK))
    return (f"Choosing {plan}, a GPU reads {upgraded(plan):,.0f} tokens a second instead of {upgraded():,.0f}. What each change "
            f"brings: {gains}. {MORE.capitalize()} read more together, and each of them a little less.")


EXERCISES = [
    Exercise(
        "start_here.ring",
        "Write all_reduce_seconds: the time of a ring all-reduce when latency does not matter.",
        "all_reduce_seconds",
        lambda nbytes, gpus, rate: collective_time("all_reduce", "ring", nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / rate),
        "def all_reduce_seconds(nbytes, gpus, rate):\n"
        "    sent = 2 * (gpus - 1) / gpus * nbytes\n"
        "    return sent / rate\n",
        cases=[(14 * units.GB, 8, 450 * units.GB), (14 * units.GB, 2, 50 * units.GB), (units.GiB, 64, 25 * units.GB)],
        wrong=[
            ("nbytes / rate",
             "This sends the buffer once. Count what one GPU sends in the two halves of the ring: (gpus - 1) pieces to "
             "add up, and (gpus - 1) pieces to hand the sums round; a piece is nbytes / gpus."),
            ("(gpus - 1) / gpus * nbytes / rate",
             "This is half of it. Either the second half of the ring is missing (the sums must still reach everybody), or the "
             "rate was doubled for two directions (a GPU sends with the rate of one)."),
            ("(gpus - 1) * nbytes / rate",
             "This hands every GPU the others' whole buffers. In a ring only pieces travel, nbytes / gpus: 2 (gpus - 1) times."),
            ("2 * nbytes / gpus / rate",
             "This is one step of each half. Each half takes gpus - 1 steps, with a piece in every step."),
            ("2 * nbytes / rate",
             "Nearly. A GPU does not send the piece that it ends up owning: it sends gpus - 1 of the gpus pieces, twice."),
            ("2 * (gpus - 1) * nbytes / rate",
             "This sends the whole buffer in every step. In a ring a step moves one piece: nbytes / gpus."),
            ("gpus * nbytes / rate",
             "This sends every GPU's whole buffer over one wire. Each GPU has a wire of its own, and sends only pieces: count "
             "those of one GPU."),
            ("2 * (gpus - 1) / gpus * nbytes * rate", "Check the units: bytes times bytes per second is no time. Divide."),
            ("8 * 2 * (gpus - 1) / gpus * nbytes / rate",
             "The rate is in bytes a second and the size in bytes: no factor of 8 is needed."),
        ],
        nudge="Count what one GPU sends: so many pieces in each half of the ring, each an equal part of the buffer.",
        half="def all_reduce_seconds(nbytes, gpus, rate):\n"
             "    piece = nbytes / gpus\n"
             "    pieces = ...  # that one GPU sends, in both halves\n"
             "    return ...\n",
        follows=_over_each_wire,
    ),
    Exercise(
        "start_here.log",
        "Set wire: over which wire did the messages of the log travel?",
        "wire", _in_the_log, 'wire = "PCIe"\n', options=[*_KINDS, _NONE],
        wrong=[
            ("'NVLink'", "Set the lab to the largest message of the log: NVLink takes a fraction of that time."),
            ("'Ethernet'", "For the large message it could nearly be. Now look at the smallest one: how long does Ethernet take "
                           "before its first byte is there?"),
            ("'none of the three'", "Set the lab to each of the three messages: one of the wires takes just as long every time."),
        ],
        nudge="A message has a start and a rate: the smallest one of the log shows the first, the largest one the second.",
        half="start = ...  # what the smallest message takes\n"
             "rate = ...  # the bytes of the largest over its time\n"
             "wire = ...  # that whose dots stand there in the lab\n",
        follows=_of_the_log,
    ),
    Exercise(
        "start_here.upgrade",
        "Set change: with which one change does a GPU read most tokens a second?",
        "change", lambda: max(_PLANS, key=upgraded), 'change = "NVLink"\n', options=_PLANS,
        wrong=[
            (repr(FASTER), "Computing then takes half as long, and the sum as long as ever. Half a step was the sum: halve the "
                           "other half and see what is left."),
            (repr(WIDER), "A good one: half of the sum's time is gone. But there is a wire that leaves even less of it."),
            (repr(MORE), "They read twice as much together. But each of them waits for a ring that is a little longer, and "
                         "reads a little less than before."),
        ],
        nudge="Add up the two parts of a step after each change: computing, then the sum. You have a function for the second.",
        half="computing = ...  # seconds, from the sentence above\n"
             "summing = all_reduce_seconds(...)\n"
             "step = ...  # and the same for the other changes\n"
             "change = ...\n",
        follows=_of_each_plan,
    ),
]


def _chips_and_models() -> str:
    model = training_flop("llama3") / training_flop("gpt3")
    chip = peak / catalog.figure("a100-peak").value
    return (f"From GPT-3 (2020) to Llama 3 405B (2024) the training arithmetic grew {model:.0f} times; from A100 to H100, the "
            f"chips of those years, the peak rate grew {chip:.1f} times. One H100 would need "
            f"{grouped(units.format(seconds_on_one_chip(), 's'))} for Llama 3. The qualification: two models and two chips show "
            "a gap, not the law of its growth.")


VERDICTS = [Verdict("a", "holds with a qualification", _chips_and_models)]
