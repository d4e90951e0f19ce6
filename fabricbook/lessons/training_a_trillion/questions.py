"""What a trillion parameters fill, what a wrong neighbour costs, and who waits: the questions and the verdict on claim l."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    COPIES,
    GPUS,
    MICRO_BATCHES,
    STAGES,
    TENSOR,
    TOKENS,
    a100,
    gpus_for_states,
    hardware,
    measured,
    mfu,
    misplaced,
    nvlink,
    paper,
    port,
    states_of,
    trillion,
    waiting,
    wires,
)

PREDICTIONS = [
    Prediction(
        "training_a_trillion.states",
        "A model has {{ digits(trillion.params / 1e12, 3) }} trillion parameters. For each one keeps {{ WEIGHT }} bytes "
        "of weight, {{ GRADIENT }} of gradient and {{ OPTIMISER }} that the optimiser remembers. How many A100 of "
        "{{ si(a100.memory) }} does it take to hold just these, once?",
        "ratio", lambda: gpus_for_states(),
        "{{ si(states) }} of states, cut into pieces of {{ si(a100.memory) }}. And that is one copy, before any text is read.",
        slips={"that holds the weights alone": lambda: trillion.params * 2 / a100.memory,
               "that holds weights and gradients, and the optimiser takes the most": lambda: trillion.params * 4 / a100.memory},
        unit="GPUs", example="30 GPUs",
    ),
    Prediction(
        "training_a_trillion.neighbours",
        "In the paper's job a step takes {{ digits(paper.seconds, 3) }} s. For {{ digits(paper.parts.tp, 2) }} s of it the "
        "{{ TENSOR }} GPUs of a tensor group wait for each other, over NVLinks of {{ si(nvlink.line, 'B/s') }} in one "
        "server. Now seat the GPUs otherwise: those of a group stand in {{ TENSOR }} servers, and each has its network port of "
        "{{ si(port.line, 'B/s') }}. How many times as long does a step take?",
        "ratio", lambda: misplaced,
        "The group's wait grows from {{ digits(paper.parts.tp, 2) }} to {{ digits(step(near=STAGES_NEAR).parts.tp, 2) }} s, "
        "{{ digits(step(near=STAGES_NEAR).parts.tp / paper.parts.tp) }} times, and not as many times as the port is thinner: "
        "NVLink gives a collective less of its rate. The bubble grows too.",
        slips={"that is how many times as thin the port is; only the waiting grows, and the computing stays":
                   lambda: nvlink.line / port.line},
        unit="times", example="3 times",
    ),
]


def _who_holds_what(states) -> str:
    alone, shared, fewer, both = (units.format(states(trillion.params, *case)) for case in (
        (TENSOR * STAGES, 1), (TENSOR * STAGES, COPIES), (128, 1), (128, GPUS // 128)))
    return (f"With your function: cut into {TENSOR * STAGES} parts, {alone} of states lie on a GPU; with the "
            f"optimiser's shared out among {COPIES} copies {shared}. In 128 parts it is "
            f"{fewer}, or shared out {both}: that fits.")


def _who_waits(share_waiting) -> str:
    shares = [units.portion(share_waiting(STAGES, *case)) for case in ((MICRO_BATCHES, 1), (MICRO_BATCHES, 2), (STAGES, 1))]
    return (f"With your function: {STAGES} stages with {MICRO_BATCHES} micro-batches wait {shares[0]} of the step, with 2 pieces "
            f"each {shares[1]}; with only {STAGES} micro-batches {shares[2]}.")


def _what_is_used(utilisation) -> str:
    found = utilisation(trillion.params, TOKENS, measured, GPUS, a100.bf16)
    return (f"With your function: the paper's {measured:.4g} s are an MFU of {units.portion(found)}. Add the pass that is "
            f"recomputed and the scores of attention, and it is the {units.portion(hardware)} that the paper prints.")


EXERCISES = [
    Exercise(
        "training_a_trillion.zero",
        "Write states: the bytes of weights, gradients and optimiser states on a GPU, with the optimiser's shared out among the "
        "copies (ZeRO-1).",
        "states",
        states_of,
        "def states(params, parts, copies):\n    return (2 + 2 + 12 / copies) * params / parts\n",
        cases=[(1e12, 512, 1), (1e12, 512, 6), (7.5e9, 1, 64), (405e9, 128, 24)],
        wrong=[
            ("16 * params / parts", "That is without ZeRO-1: the 12 bytes of the optimiser are divided among the copies."),
            ("16 / copies * params / parts", "That shares out everything (ZeRO-3). ZeRO-1 shares the optimiser's bytes only."),
            ("(2 + 14 / copies) * params / parts", "That shares out the gradients too (ZeRO-2). Here each copy keeps its own."),
            ("(2 + 2 + 12 / copies) * params", "And the model is cut into parts: each GPU has one."),
            ("(2 + 2 + 12 * copies) * params / parts", "The more copies there are, the less each has to keep."),
        ],
        follows=_who_holds_what,
    ),
    Exercise(
        "training_a_trillion.bubble",
        "Write share_waiting: the share of a step that a GPU waits for the pipeline.",
        "share_waiting",
        waiting,
        "def share_waiting(stages, micro_batches, pieces):\n    extra = (stages - 1) / (pieces * micro_batches)\n"
        "    return extra / (1 + extra)\n",
        cases=[(64, 512, 1), (64, 512, 2), (8, 8, 1), (16, 48, 4)],
        wrong=[
            ("(stages - 1) / (pieces * micro_batches)",
             "That is the waiting over the time without it, as many papers print it. Divide by all of the step."),
            ("(stages - 1) / (micro_batches + stages - 1)", "That is right for one piece a stage. Pieces divide the waiting."),
            ("stages / (pieces * micro_batches + stages)", "A pipeline of a single stage waits for nobody: it is stages - 1."),
            ("(stages - 1) / (pieces * (micro_batches + stages - 1))",
             "Pieces make the waiting shorter, not the work: micro_batches of work, (stages - 1) / pieces of waiting."),
            ("1 / stages", "How much passes through the pipeline while it is full? Count the micro-batches."),
        ],
        follows=_who_waits,
    ),
    Exercise(
        "training_a_trillion.mfu",
        "Write utilisation: the MFU of a step, by 6 operations for each parameter and token.",
        "utilisation",
        mfu,
        "def utilisation(params, tokens, seconds, gpus, peak):\n    return 6 * params * tokens / (seconds * gpus * peak)\n",
        cases=[(1e12, 6.3e6, 100.0, 3072, 312e12), (405e9, 16.8e6, 5.0, 16384, 989e12), (8e9, 4e6, 2.0, 64, 989e12)],
        wrong=[
            ("8 * params * tokens / (seconds * gpus * peak)",
             "That counts the recomputed pass too: what the hardware does. The M is for model: what had to be computed."),
            ("2 * params * tokens / (seconds * gpus * peak)", "That is the way forward alone. Backward takes twice as much."),
            ("6 * params * tokens / (seconds * peak)", "All GPUs together have gpus times the peak of one."),
            ("seconds * gpus * peak / (6 * params * tokens)", "Upside down: what was needed over what could have been done."),
            ("6 * params * tokens / (gpus * peak)", "That is the time it takes at the peak. Divide it by the time that it took."),
        ],
        follows=_what_is_used,
    ),
]


def _first_third() -> str:
    share = wires(paper) / float(paper.seconds)
    return (f"A trillion parameters need the memory of {gpus_for_states()} GPUs at least, and that "
            f"takes wires. On {GPUS:,} A100, well placed, waiting for them is {units.portion(share)} of a step, and perfect ones "
            f"would save no more; with tensor groups on the network the step takes {units.portion(misplaced - 1)} longer. Wires "
            "make it possible, and better ones a little faster. Answers and energy come in later lessons.")


VERDICTS = [Verdict("l", "holds with a qualification", _first_third, part="training")]
