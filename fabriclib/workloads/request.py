"""request: how long a request takes, its first token and each further one, and where the time goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, count, plain
from ..prediction.constants import Constants, fitted
from .job import meeting
from .memory import total
from .passes import PARTS, parts_of, passes
from .serving import AXES, Serving, check_fits, memory, rules, serving

WORDS = {"weights": "reading the weights", "cache": "reading keys and values", "compute": "computing",
         "host": "launching kernels", "starts": "starting all-reduces", "bytes": "the bytes of all-reduces",
         "experts": "sending tokens to experts and back", "passing": "passing from stage to stage"}


@dataclass(frozen=True, repr=False)
class Request:
    """Requests served together: numbers for one case, arrays for many.

    Fields:
        seconds: from the start to the last token. first_token: to the first one, the prefill. per_token: each further one.
        parts: {part: seconds}, which add up to seconds; token_parts: those of one further token, which add up to per_token.
        memory: bytes on one GPU; memory_parts: weights, and keys and values ("cache").
        job: what was asked for, checked.
    """

    seconds: Numbers
    first_token: Numbers
    per_token: Numbers
    parts: dict[str, Numbers]
    token_parts: dict[str, Numbers]
    memory: Numbers
    memory_parts: dict[str, Numbers]
    job: Serving

    @property
    def tokens_per_second(self):
        """Tokens that all requests together get in a second, prefill and all."""
        shape = np.shape(self.seconds)
        return plain(np.asarray(self.job.batch * self.job.output / np.ravel(self.seconds)).reshape(shape))

    def why(self, at: int = -1) -> str:
        """Return what a token waits for in one sentence; of many cases, for number *at* as they lie flattened, else the last.

        Raises:
            ValueError: there is no case *at*.
        """
        cases = np.size(self.seconds)
        at = count("at", at, low=-cases, high=cases - 1)

        def one(values):
            return float(np.broadcast_to(values, np.shape(self.seconds)).flat[at])

        parts = {part: one(values) for part, values in self.token_parts.items()}
        most, next_ = sorted(parts, key=lambda part: -parts[part])[:2]
        whole = one(self.per_token)
        return (f"The first token takes {units.format(one(self.first_token), 's')}, each further one {units.format(whole, 's')}: "
                f"{units.portion(parts[most] / whole)} of that is {WORDS[most]}, {units.portion(parts[next_] / whole)} "
                f"{WORDS[next_]}.")

    def __repr__(self) -> str:
        where = f"{self.job.model.name} on GPUs of {self.job.system.name}"
        if np.ndim(self.seconds):
            return f"<{where}: {np.size(self.seconds)} requests>"
        return (f"<{where}: first token {units.format(float(self.first_token), 's')}, then "
                f"{units.format(float(self.per_token), 's')} each, {units.format(float(self.seconds), 's')} in all, "
                f"{units.format(float(self.memory))} a GPU>")


def request(model, system, *, gpus, tp=1, pp=1, ep=1, batch=1, prompt=1024, output=256, dtype="fp16", cache="fp16",
            engine="auto") -> Request:
    """Return how long requests take that *model* serves together on *system*.

    Args:
        model: an id from `transformers()`, such as "llama-3-70b", or a Transformer.
        system: an id from `systems()` whose accelerator is known, such as "dgx-h100", or a System.
        gpus: GPUs in all; gpus / (tp pp) replicas share out the requests.
        tp: GPUs that share each matrix. pp: pipeline stages. ep: GPUs that share out the experts; 1: they are cut as all else is.
        batch: requests at a time, of all replicas. prompt, output: tokens of each.
        dtype: of weights and products: "fp16" or "fp8". cache: of keys and values.
        engine: an id from `engines()`, an Engine, or "auto": a typical one of today, which replays graphs.

    Numbers may be arrays; they broadcast. The constants are those of data/fitted.csv.

    Raises:
        ValueError: unknown names, a split that is not possible, a model or keys and values that do not fit.

    >>> r = request("llama-3-70b", "dgx-h100", gpus=8, tp=8, prompt=1000, output=100)
    >>> 0.004 < r.per_token < 0.02 < r.first_token
    True
    """
    given = dict(zip(AXES, (gpus, tp, pp, ep, batch, prompt, output), strict=True))
    found = serving(model, system, given, dtype, cache, engine)
    held = memory(meeting(found, rules(found)))
    check_fits(found, held)
    return priced(found, held, fitted())


def priced(s: Serving, held: dict[str, np.ndarray], constants: Constants) -> Request:
    """Return the request of a checked job, which holds *held* in memory, with these *constants*."""
    first, token = first_and_next(s, constants)
    more = s.output - 1

    def shaped(values):
        return plain(np.array(np.broadcast_to(values, s.tp.shape)).reshape(s.shape))

    parts = {part: first[part] + more * token[part] for part in PARTS}
    return Request(shaped(total(parts)), shaped(total(first)), shaped(total(token)),
                   {part: shaped(values) for part, values in parts.items()},
                   {part: shaped(values) for part, values in token.items()}, shaped(total(held)),
                   {part: shaped(values) for part, values in held.items()}, s)


def first_and_next(s: Serving, constants: Constants) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the parts of the first token, and those of a further one."""
    both = {part: np.broadcast_to(seconds, 2 * s.tp.size) for part, seconds in parts_of(passes(s), constants).items()}
    first, further = ({part: seconds.reshape(2, -1)[which] for part, seconds in both.items()} for which in (0, 1))
    return first, further
