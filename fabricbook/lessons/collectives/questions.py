"""A collective is a list of steps; count them, look at them, write one."""

import numpy as np

from fabriclib import units
from fabriclib.collectives import schedule

from ...course.declare import Exercise, Prediction
from ...course.story import GRADIENT
from . import own
from .tables import WAYS, counts, traced

PREDICTIONS = [
    Prediction(
        "collectives.ring-steps",
        "Eight ranks stand in a ring, and in each step every rank passes one chunk (an eighth of its buffer) on to the next. "
        "After how many steps does every rank hold the whole sum?",
        "ratio", lambda: counts("all_reduce", "ring").messages,
        "Seven steps to add up: a chunk starts at one rank and must visit the other seven. Seven more to hand the finished "
        "chunks round. Each half takes p - 1 steps and not p, because the rank where a chunk starts needs no message.",
        slips={
            "that is the first half, after which each rank has one finished chunk; the sums must still go round":
                lambda: counts("reduce_scatter", "ring").messages,
            "that is 2 p; a chunk need not be sent to the rank where it starts, so each half takes p - 1": 16,
            "that is 2 p - 1, as a comment in the library Open MPI has it; each half takes p - 1": 15,
            "that is one round of p; there are two halves, of p - 1 steps each": 8,
        },
        unit="steps",
    ),
    Prediction(
        "collectives.doubling",
        "Another way, for 8 ranks: in each step two ranks swap their whole buffers and add what they get; first with the "
        "neighbour, then two apart, then four apart. Then all are done. How many times its own buffer has each rank sent?",
        "ratio", lambda: counts("all_reduce", "recursive_doubling").sent,
        "Three steps, and the whole buffer in each. The ring takes many more steps but sends only "
        "{{ digits(counts('all_reduce', 'ring').sent, 3) }} buffers: here fewer steps are paid for in bytes. A third way, "
        "Rabenseifner's, sends {{ digits(counts('all_reduce', 'rabenseifner').sent, 3) }} buffers in "
        "{{ counts('all_reduce', 'rabenseifner').messages }} steps.",
        slips={
            "that is what the ring sends, in chunks; here the whole buffer goes in every step":
                lambda: counts("all_reduce", "ring").sent,
            "that is everybody's buffer to everybody; after each swap a rank passes on sums, not single buffers":
                lambda: counts("all_reduce", "one_shot").sent,
            "that is two steps; after two, a rank has the sum of four ranks only": 2,
            "that is one step; after one, a rank has the sum of two ranks only": 1,
        },
        unit="buffers",
    ),
    Prediction(
        "collectives.tree",
        "Rank 0 has a message for all of 64 ranks (a broadcast). In each step every rank that has it may send it to one that has "
        "not. After how many steps has everybody got it, at the earliest?",
        "ratio", lambda: counts("broadcast", "binomial", 64).messages,
        "Those who have it double in every step: 1, 2, 4, 8, 16, 32, 64. Nothing is faster while a rank sends to one at a time.",
        slips={
            "that is rank 0 telling one after the other; those who have it already can help": 63,
            "that is half of the ranks; every step doubles those who have it": 32,
            "after that many steps only half of them have it": 5,
            "that counts the ranks that have it at the start as a step": 7,
        },
        unit="steps",
    ),
]


def _buffers(ranks: int, length: int) -> list:
    """One array of whole numbers a rank; the seed is fixed, so every check is the same."""
    return list(np.random.default_rng(100 * ranks + length).integers(1, 100, (ranks, length)))


_RING = """def ring_all_reduce(buffers):
    p = len(buffers)
    chunks = [np.array_split(buffer.copy(), p) for buffer in buffers]
    for step in range(p - 1):
        for rank in range(p):
            c = {sent}
            chunks[(rank + 1) % p][c] {put} chunks[rank][c]
    for step in range({second}):
        for rank in range(p):
            c = (rank - step) % p
            chunks[(rank + 1) % p][c] {put_again} chunks[rank][c]
    return [np.concatenate(mine){end} for mine in chunks]
"""


def _ring(sent="(rank - 1 - step) % p", put="+=", second="p - 1", put_again="=", end="") -> str:
    """Source text of a ring: the solution, or with one place changed a wrong answer."""
    return _RING.format(sent=sent, put=put, second=second, put_again=put_again, end=end)


def not_by_ring(all_reduce) -> str:
    """Return what shows that a right all-reduce moved chunks elsewhere than to the next rank, or "" if nothing does.

    It is run on numbers that remember. In a ring each sum grows by the neighbour only: ranks 2, 3, 4 and then 5; and the sums
    of different chunks begin at different ranks. A function that cannot add such numbers is taken at its word.
    """
    p = 4
    sums: list[set] = [set() for _ in range(2 * p)]  # of each number of a buffer
    try:
        all_reduce(own.marked(p, sums))
    except Exception:
        return ""
    pairs = [pair for made in sums for pair in made]
    if any(not _follows(a, b, p) and not _follows(b, a, p) for a, b in pairs):
        return ("The sums are right, but they did not go round a ring: somewhere a rank adds what did not come from the rank "
                "before it. In each step a rank may only pass a chunk on to the next, (rank + 1) % p.")
    both_ways = pairs + [(b, a) for a, b in pairs]
    begins = {came for came, own in both_ways if len(came) == 1 and _follows(came, own, p)}
    if pairs and len(begins) < p:
        return ("The sums are right, but every chunk was added up in the same order of ranks, so while one rank adds the others "
                "wait. In a ring each chunk begins at another rank: cut the buffers, and let all ranks send in every step.")
    return ""


def _follows(came: frozenset, own: frozenset, p: int) -> bool:
    """Whether *own* is one rank's, and *came* has gone round the ring as far as the rank before it."""
    return len(own) == 1 and came == {(min(own) - 1 - back) % p for back in range(len(came))}


def _one_lower_each(sent_chunk) -> str:
    first, *later = (sent_chunk(0, step, 8) for step in range(7))
    return (f"With your function: rank 0 sends chunk {first}, then {', '.join(map(str, later))}; never chunk 0, which it ends up "
            "owning.")


def _ones_around(ring_all_reduce) -> str:
    p = 16
    result = ring_all_reduce([np.ones(p, dtype=int) for _ in range(p)])
    sent = schedule("all_reduce", "ring", ranks=p).counts().sent
    return (f"With your function: {p} ranks that bring ones all end with {result[-1][0]} in every place, and each has sent "
            f"{sent:.3g} buffers; its whole buffer to all others would have been {p - 1}.")


def _heard_from(partner) -> str:
    heard, steps = {0}, 10
    for step in range(steps):
        heard |= {partner(rank, step) for rank in heard}
    return (f"With your function: after {steps} steps rank 0 has heard from {len(heard):,} ranks, and its last partner was rank "
            f"{partner(0, steps - 1)}. A ring of so many takes {2 * (len(heard) - 1):,} steps.")


def _as_much_as_a_ring(algorithm) -> str:
    one, ring = (counts("all_reduce", name) for name in (WAYS[algorithm], "ring"))
    return (f"In {one.messages} steps it sends {units.format(one.sent * GRADIENT)}; a ring sends "
            f"{units.format(ring.sent * GRADIENT)} too, in {ring.messages}.")


EXERCISES = [
    Exercise(
        "collectives.chunk",
        "Write sent_chunk: the number of the chunk that a rank sends in a step of the ring's first half. Steps count from 0, and "
        "after the last of them, step p - 2, rank r must hold chunk r complete.",
        "sent_chunk",
        lambda rank, step, p: (rank - 1 - step) % p,
        "def sent_chunk(rank, step, p):\n    return (rank - 1 - step) % p\n",
        cases=[(0, 0, 8), (3, 1, 8), (2, 4, 5), (7, 6, 8), (1, 2, 4)],
        wrong=[
            ("(rank - step) % p",
             "This is a ring too, but in it rank r ends with chunk r + 1 complete. Chunk r must end at rank r, so rank r never "
             "sends it in this half: it begins with the one before, r - 1."),
            ("(rank + 1 + step) % p",
             "That runs against the ring. Data goes from rank r to rank r + 1, and what a rank sends next is what it has just "
             "received: the numbers fall from step to step, and the first is r - 1."),
            ("(rank + step) % p",
             "The numbers must fall: in the next step a rank sends what it has just received, and that is the chunk its left "
             "neighbour sent, one lower. And rank r does not begin with chunk r."),
            ("rank - 1 - step",
             "Nearly: chunks are numbered 0 to p - 1, and a number below 0 goes round. Take the remainder, % p."),
            ("(rank - 1 - step) % (p - 1)",
             "There are p chunks, not p - 1: it is the steps that are p - 1, because a rank sends every chunk but its own."),
            ("(rank - 1) % p",
             "That sends the same chunk in every step. After the first, a rank must pass on what it has just received."),
            ("step",
             "Here all ranks send the same chunk in a step. In a ring each sends another, so the number depends on rank too."),
        ],
        nudge="In the stepper follow one rank: which chunk goes first, and does the number rise or fall from step to step?",
        half="def sent_chunk(rank, step, p):\n"
             "    first = ...  # not its own: that one it will own in the end\n"
             "    return (first - ...) % p\n",
        follows=_one_lower_each,
    ),
    Exercise(
        "collectives.ring",
        "Write ring_all_reduce: buffers is a list of NumPy arrays, one a rank, all equally long. Cut each into p chunks, move "
        "them round the ring, and return the list of all ranks' results.",
        "ring_all_reduce",
        lambda buffers: schedule("all_reduce", "ring", ranks=len(buffers)).run(buffers),
        _ring(),
        cases=[(_buffers(4, 8),), (_buffers(3, 10),), (_buffers(8, 64),), (_buffers(5, 3),), (_buffers(2, 1),)],
        wrong=[
            (_ring(second="0"),
             "Only the first half: each rank has one finished chunk, its own. Hand the finished chunks round: p - 1 more steps, "
             "in which what arrives overwrites (=) and is not added."),
            (_ring(sent="(rank - step) % p"),
             "Each sum lacks one rank's numbers. Either your first half has p - 2 steps instead of p - 1, or it begins with "
             "chunk r: then rank r ends with chunk r + 1 complete, and the second half takes chunk r for the finished one."),
            (_ring(second="p - 2"),
             "One step too few in the second half: each rank has one chunk that is still not finished."),
            (_ring(put="="),
             "Every chunk you return is one rank's own numbers, and no sum. Either the first half overwrites (=) where it must "
             "add (+=), or the second begins with chunk r - 1: after the first half the finished one is chunk r."),
            (_ring(put_again="+="),
             "Your second half adds (+=), as the first does. But what arrives there is finished, and replaces the old (=)."),
            ("sum(buffers)",
             "That is one sum. Every rank must hold its own: return a list with one array for each."),
            (_ring(sent="step"),
             "In your step all ranks send the same chunk, and one after the other: what rank 1 passes on already holds what it "
             "got from rank 0 in this very step. In a real step all send at once. If every rank sends another chunk, "
             "(rank - 1 - step) % p, none is read after it was changed in the same step."),
            ("[buffer.copy() for buffer in buffers]",
             "Nothing has been added yet: every rank still has its own numbers. In each of p - 1 steps every rank adds one of "
             "its chunks to its right neighbour's (+=); then p - 1 more steps hand the finished ones round (=)."),
            (_ring(end=" / p"),
             "That is the average. An all-reduce returns the sum; who wants the average divides afterwards."),
        ],
        nudge="The first half you have already: what sent_chunk says, added to the right neighbour's. In the second half "
              "every rank begins with the chunk that it has finished.",
        half="def ring_all_reduce(buffers):\n"
             "    p = len(buffers)\n"
             "    chunks = [np.array_split(buffer.copy(), p) for buffer in buffers]\n"
             "    for step in range(p - 1):\n"
             "        for rank in range(p):\n"
             "            c = ...  # as in sent_chunk\n"
             "            chunks[(rank + 1) % p][c] += chunks[rank][c]\n"
             "    ...  # once more round, and what arrives is finished\n"
             "    return [np.concatenate(mine) for mine in chunks]\n",
        demand=not_by_ring,
        lacks=own.lacking,
        plays=own.play,
        follows=_ones_around,
    ),
    Exercise(
        "collectives.partner",
        "Write partner: the rank that a rank swaps with in a step of recursive doubling. In step 0 the two are neighbours (0 and "
        "1, 2 and 3), in step 1 two apart, in step 2 four apart.",
        "partner",
        lambda rank, step: rank ^ 2**step,
        "def partner(rank, step):\n    return rank ^ 2**step\n",
        cases=[(0, 0), (1, 0), (5, 1), (6, 2), (3, 2), (13, 3)],
        wrong=[
            ("rank + 2**step",
             "Right for the lower one of each pair only. The upper one must come back: the partner of the partner is the rank "
             "itself. Flip one bit of its number instead of adding: Python writes that rank ^ 2**step."),
            ("(rank + 2**step) % 8",
             "Right for the lower one of each pair only, and going round does not help the upper one: it must come back to the "
             "lower. Flip one bit of the rank's number: rank ^ 2**step."),
            ("rank - 2**step",
             "Right for the upper one of each pair only; the lower one would look below itself. Flip one bit of the rank's "
             "number: rank ^ 2**step."),
            ("rank ^ step",
             "Bit number step has the value 2**step, and that is how far apart the two are. Here every rank is its own partner "
             "in step 0."),
            ("rank ^ (step + 1)",
             "Right in steps 0 and 1, wrong from step 2 on: the distance doubles, 1, 2, 4; it does not grow by one."),
            ("rank ^ 2 * step", "Twice the step is not two to the power of the step: write 2**step."),
            ("rank ** 2 ** step", "In Python ** is a power. To flip a bit (exclusive or) write ^."),
        ],
        nudge="Write a rank and its partner below each other in binary: in which digits do they differ in step 0, and in "
              "step 1?",
        half="def partner(rank, step):\n    digit = ...  # 1, 2, 4, as the steps go\n    return rank ^ digit\n",
        follows=_heard_from,
    ),
    Exercise(
        "collectives.trace",
        "Which algorithm left this trace? Set algorithm to its name.",
        "algorithm",
        traced,
        'algorithm = "Rabenseifner"\n',
        options=list(WAYS),
        wrong=[
            ('"ring"', "In a ring all pieces are of one size, and all go to the same neighbour. Here the receivers change."),
            ('"recursive doubling"',
             "The partners fit. But there the whole buffer goes in every step; here the first piece is half of it."),
            ('"two-shot"', "That sends to all seven others in one step. Here there is one receiver in each."),
        ],
        nudge="Two things are to be seen: to whom it goes, and whether the pieces stay as large as they are.",
        half="algorithm = ...  # half of the buffer first, then half of that, and back again\n",
        follows=_as_much_as_a_ring,
    ),
]
