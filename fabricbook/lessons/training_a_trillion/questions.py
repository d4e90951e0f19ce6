"""What a trillion parameters fill, what a wrong neighbour costs, and who waits: the questions and the verdict on claim l."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BATCH,
    CHANGES,
    COPIES,
    GPUS,
    GRADIENT,
    MICRO_BATCHES,
    STAGES,
    TENSOR,
    TOKENS,
    WEIGHT,
    a100,
    gpus_for_states,
    hardware,
    measured,
    mfu,
    misplaced,
    most_gpus,
    nvlink,
    paper,
    port,
    states_of,
    trillion,
    used,
    waiting,
    what_changed,
    wires,
)

PAPER_WAITS = waiting(STAGES, MICRO_BATCHES)

PREDICTIONS = [
    Prediction(
        "training_a_trillion.states",
        "A model has {{ digits(trillion.params / 1e12, 3) }} trillion parameters. For each one keeps {{ WEIGHT }} bytes "
        "of weight, {{ GRADIENT }} of gradient and {{ OPTIMISER }} that the optimiser remembers. How many A100 of "
        "{{ si(a100.memory) }} does it take to hold just these, once?",
        "ratio", lambda: gpus_for_states(),
        "{{ si(states) }} of states, cut into pieces of {{ si(a100.memory) }}. And that is one copy, before any text is read.",
        slips={"that holds the weights alone": lambda: gpus_for_states(each=WEIGHT),
               "that holds weights and gradients, and the optimiser takes the most":
                   lambda: gpus_for_states(each=WEIGHT + GRADIENT)},
        unit="GPUs", example="30 GPUs",
    ),
    Prediction(
        "training_a_trillion.neighbours",
        "By the model a step of the paper's job takes {{ digits(paper.seconds, 3) }} s. For {{ digits(paper.parts.tp, 2) }} s of "
        "it the {{ TENSOR }} GPUs of a tensor group wait for each other, over NVLinks of {{ si(nvlink.line, 'B/s') }} in one "
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


def _how_far_it_grows(most_gpus) -> str:
    one, two, more = (most_gpus(TENSOR, STAGES, pieces, batch, 0.05)
                      for pieces, batch in ((1, BATCH), (2, BATCH), (1, 2 * BATCH)))
    return (f"With your function: if a twentieth may be bubble, the paper's split and batch feed {one:,} GPUs, with 2 pieces a "
            f"stage {two:,}, with twice the batch {more:,}. The paper took {GPUS:,} and waited {units.portion(PAPER_WAITS)}.")


def _what_was_counted(counted) -> str:
    printed, model = (counted(share, trillion.params, TOKENS, measured, GPUS, a100.bf16) for share in (hardware, used))
    return (f"With your function: behind the {units.portion(hardware)} that the paper prints stand {printed:.3g} operations, and "
            f"{model:.3g} would be the MFU, {units.portion(used)}. The pass that is recomputed adds 2, the scores of attention "
            "the rest.")


def _what_it_cost(changed) -> str:
    before, after = float(paper.seconds), float(CHANGES[changed]().seconds)
    return (f"The step went from {before:.4g} to {after:.4g} s: the sums of the groups are short, but twice as many copies have "
            f"{MICRO_BATCHES // 2} micro-batches each, twice as long, and {STAGES - 1} of them are bubble as before.")


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
        nudge="Of a parameter's bytes, which does every copy keep for itself, and which only a part of?",
        half="def states(params, parts, copies):\n    of_a_parameter = 2 + 2 + ...\n    return of_a_parameter * ...\n",
        follows=_who_holds_what,
    ),
    Exercise(
        "training_a_trillion.most-gpus",
        "Write most_gpus: how many GPUs a job may have at most, in whole copies, if at most a given share of a step is to be "
        "bubble.",
        "most_gpus",
        most_gpus,
        "def most_gpus(tensor, stages, pieces, batch, share):\n"
        "    waiting = (stages - 1) / pieces  # as long as so many micro-batches\n"
        "    needed = waiting * (1 - share) / share  # micro-batches of a copy\n"
        "    return tensor * stages * int(batch / needed)\n",
        cases=[(8, 64, 1, 3072, 0.11), (8, 64, 2, 3072, 0.1), (8, 16, 4, 3072, 0.05), (4, 8, 1, 1024, 0.25)],
        wrong=[
            ("tensor * stages * int(batch / ((stages - 1) / pieces / share))",
             "That divides the waiting by the work alone, as many papers print it. Here it is a share of all of the step."),
            ("tensor * stages * int(batch / ((stages - 1) * (1 - share) / share))",
             "Pieces divide the waiting: with more of them fewer micro-batches will do."),
            ("int(batch / ((stages - 1) / pieces * (1 - share) / share))",
             "Those are copies. Each takes tensor times stages GPUs."),
            ("tensor * stages * int(batch / (stages / pieces * (1 - share) / share))",
             "A pipeline of a single stage waits for nobody: it is stages - 1."),
            ("tensor * stages * batch / ((stages - 1) / pieces * (1 - share) / share)",
             "Nearly. There is no part of a copy: round the copies down before they are multiplied."),
            ("tensor * stages * batch",
             "That gives every text a copy of its own, with one micro-batch each: nearly all is bubble."),
        ],
        nudge="Work backwards: how long is the waiting, counted in micro-batches? How many must a copy have beside it? How many "
              "copies does the batch feed then?",
        half="def most_gpus(tensor, stages, pieces, batch, share):\n"
             "    waiting = (stages - 1) / pieces  # as long as so many micro-batches\n"
             "    needed = ...  # micro-batches of a copy: waiting / (needed + waiting) is the share\n"
             "    copies = ...\n"
             "    return tensor * stages * copies\n",
        follows=_how_far_it_grows,
    ),
    Exercise(
        "training_a_trillion.mfu",
        "Write counted: how many operations for each parameter and token stand behind a printed share of the peak.",
        "counted",
        lambda share, params, tokens, seconds, gpus, peak: 6 * share / mfu(params, tokens, seconds, gpus, peak),
        "def counted(share, params, tokens, seconds, gpus, peak):\n"
        "    possible = seconds * gpus * peak\n"
        "    return share * possible / (params * tokens)\n",
        cases=[(0.52, 1e12, 6.3e6, 100.0, 3072, 312e12), (0.51, 405e9, 16.8e6, 5.0, 16384, 989e12),
               (0.67, 8e9, 4e6, 6.0, 64, 989e12)],
        wrong=[
            ("6 * params * tokens / (seconds * gpus * peak)",
             "That is the MFU, by 6 operations. Here a share is printed, and you ask what was counted for it."),
            ("share * seconds * peak / (params * tokens)", "All GPUs together have gpus times the peak of one."),
            ("params * tokens / (share * seconds * gpus * peak)",
             "Upside down: operations that were counted, over parameters times tokens."),
            ("seconds * gpus * peak / (params * tokens)", "That is what they could have computed. Counted was a share of it."),
            ("share * gpus * peak / (params * tokens)", "That is for one second. A step takes so many of them."),
            ("share * seconds * gpus * peak", "Those are all. How many are they for one parameter and one token?"),
            ("round(share * seconds * gpus * peak / (params * tokens))",
             "Do not round: how near it is to 6 or to 8 says how sure you can be."),
        ],
        nudge="First all that the GPUs could have computed in that time, then the share of it that was counted; then divide.",
        half="def counted(share, params, tokens, seconds, gpus, peak):\n"
             "    possible = ...  # operations of all GPUs in that time\n"
             "    return share * possible / ...\n",
        follows=_what_was_counted,
    ),
    Exercise(
        "training_a_trillion.changed",
        "What was changed between the two runs? Set changed to it.",
        "changed",
        what_changed,
        'changed = "tensor groups of 4"\n',
        options=list(CHANGES),
        wrong=[
            ('"tensor groups over servers"',
             "Then a group would wait for its sums over the network, ten times as long as before. Here it waits less."),
            ('"a spine narrowed to an eighth"',
             "Only what stages say crosses the spine. That wait hardly moved; what did?"),
            ('"half as many stages"',
             "Half the stages are twice the copies: each has half the micro-batches, and the bubble stays as it is. Here it "
             "doubled."),
        ],
        nudge="One wait fell and another rose. Who talks in the one, and what is the other made of?",
        half="changed = ...  # fewer GPUs in a sum, and more copies that share the texts\n",
        follows=_what_it_cost,
    ),
]


def _first_third() -> str:
    share = wires(paper) / float(paper.seconds)
    return (f"A trillion parameters need the memory of {gpus_for_states()} GPUs at least, and that "
            f"takes wires. On {GPUS:,} A100, well placed, waiting for them is {units.portion(share)} of a step, and perfect ones "
            f"would save no more; with tensor groups on the network the step takes {units.portion(misplaced - 1)} longer. Wires "
            "make it possible, and better ones a little faster. Answers and energy come in later lessons.")


VERDICTS = [Verdict("l", "holds with a qualification", _first_third, part="training")]
