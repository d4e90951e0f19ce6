"""A step as bars: which pipeline stage computes when, and which wire it waits for."""

from __future__ import annotations

import numpy as np

from ..checks import together, whole

WORDS = {"matrices": "matrix products", "attention": "attention", "elementwise": "small operations, at the rate of the memory",
         "tp": "tensor parallelism", "cp": "context parallelism", "ep": "sending tokens to experts and back",
         "host": "launching the experts' kernels", "pp": "passing activations from stage to stage",
         "bubble": "waiting for the pipeline to fill and drain", "dp": "gradients and weights", "optimiser": "the optimiser"}
COMPUTE = ("matrices", "attention", "elementwise")
AFTER = ("dp", "optimiser")
MOST_STAGES, MOST_PIECES = 8, 8


def bubble(stages, micro_batches, virtual=1):
    """Return how long a pipeline waits, as a share of the time without waiting, and of the time with it.

    Papers print either: (p - 1) / (v m), as Megatron and Llama 3 do, or (p - 1) / (v m + p - 1). Numbers or arrays.

    >>> [round(share, 4) for share in bubble(64, 512)]
    [0.123, 0.1096]
    """
    stages, micro_batches, virtual = together(stages=whole("stages", stages), micro_batches=whole("micro_batches", micro_batches),
                                              virtual=whole("virtual", virtual))
    ideal = (stages - 1) / (virtual * micro_batches)
    return ideal, ideal / (1 + ideal)


def bars(parts: dict[str, float], stages: int, virtual: int, micro_batches: int, places: dict[str, str]):
    """Return the bars of a step as a DataFrame: stage, part, start, end, words, where.

    *parts* are seconds as TrainingStep has them. Stage i waits i stages for its first micro-batch, and i after its last one went
    back. The stages before the last wait between, too: for the first micro-batch to come back, and for each of the last ones.
    """
    import pandas as pd

    rows = []
    for stage in np.unique(np.linspace(0, stages - 1, min(stages, MOST_STAGES)).round().astype(int)).tolist():
        clock = 0.0
        for part, seconds in _of_stage(parts, stage, stages, micro_batches):
            if seconds > 0:
                rows.append((stage + 1, part, clock, clock + seconds))
                clock += seconds
    found = pd.DataFrame(rows, columns=["stage", "part", "start", "end"])
    found["words"] = found["part"].map({"compute": "computing"} | WORDS)
    found["where"] = found["part"].map(places | ({"dp": places["dp+cp"]} if "dp+cp" in places else {})).fillna("")
    return found


def _of_stage(parts, stage: int, stages: int, micro_batches: int):
    """Yield (part, seconds) of what one stage does, one after the other."""
    busy = {"compute": sum(parts[part] for part in COMPUTE)} | {
        part: seconds for part, seconds in parts.items() if part not in (*COMPUTE, *AFTER, "bubble")}
    one = parts["bubble"] / (stages - 1) if stages > 1 else 0.0  # what a stage further on waits longer
    behind = stages - 1 - stage
    # So many go forward before the first comes back, a third of the work each. The waits between the last ways back are drawn
    # as one, in the middle of these: a third of the work, too.
    ends = min((behind + 1) / micro_batches, 1.0) / 3 if behind else 0.0
    pieces = min(micro_batches, MOST_PIECES)
    shares = [ends, *[(1 - 2 * ends) / pieces] * pieces, ends]
    waits = {0: stage * one / 3, 1: behind * one * 2 / 3, len(shares) - 1: behind * one / 3}
    for at, share in enumerate(shares):
        yield "bubble", waits.get(at, 0.0)
        for part, seconds in busy.items():
            yield part, share * seconds
    yield "bubble", stage * one * 2 / 3
    for part in AFTER:
        yield part, parts[part]
