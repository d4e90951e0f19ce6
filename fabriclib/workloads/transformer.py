"""Transformers: what a model holds and what a token costs, from the few numbers that its paper gives.

A layer is attention and a feed-forward part; of a mixture of experts each token takes `topk` of `experts`. Operations are counted
as a multiplication and an addition, forward and backward, without what is computed again, and attention over the whole sequence:
so Megatron and most papers count. A causal kernel needs half of that part.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .. import catalog, units
from ..checks import count, known, number, together, typed, whole

ATTENTIONS = ("gqa", "mla")
MLA = {quantity: int(catalog.figure(f"deepseek-v3-{quantity}").value) for quantity in ("query-rank", "kv-rank", "rope-dim")}
KEPT_BYTES = 2  # of a key or a value: 16 bits


@typed
@dataclass(frozen=True)
class Transformer:
    """A decoder of `layers` layers.

    Args:
        name: what to call it.
        layers: how many layers.
        hidden: numbers that a token is between layers.
        heads: attention heads. kv_heads: heads that keep keys and values, which groups of heads share.
        ffn: width of a dense feed-forward part.
        vocab: tokens that there are.
        head_dim: width of a head; hidden / heads without.
        gated: whether the feed-forward part has a third matrix (SwiGLU); one without has biases, as GPT has.
        tied: whether the output shares the matrix of the input.
        experts, topk: experts of a layer, and how many of them a token takes; 0 for a dense model.
        expert_ffn: width of an expert. shared_ffn: width of all experts that every token takes. dense_layers: layers without
            experts, at the start.
        attention: "gqa", or "mla", which keeps one compressed vector (ranks as in DeepSeek-V3).
        window: tokens that a token looks back on at most; 0 for all.
        positions: positions that have a learned vector of their own, as in GPT-3; 0 where none has.

    Raises:
        ValueError: a number that is not possible, heads that kv_heads do not divide, experts without width or topk.

    >>> Transformer("mine", layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, vocab=128256)
    <mine: 8.03 billion parameters, 32 layers of 4096>
    """

    _example = "transformer('llama-3-70b')"

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    vocab: int
    head_dim: int | None = None
    gated: bool = True
    tied: bool = False
    experts: int = 0
    topk: int = 0
    expert_ffn: int = 0
    shared_ffn: int = 0
    dense_layers: int = 0
    attention: str = "gqa"
    window: int = 0
    positions: int = 0
    id: str = ""

    def __post_init__(self):
        limits = {"layers": 10_000, "hidden": 1_000_000, "heads": 10_000, "kv_heads": 10_000, "ffn": 10_000_000,
                  "vocab": 10_000_000}
        for field, high in limits.items():
            object.__setattr__(self, field, count(field, getattr(self, field), low=0 if field == "ffn" else 1, high=high))
        for field in ("experts", "topk", "expert_ffn", "shared_ffn", "dense_layers", "window", "positions"):
            object.__setattr__(self, field, count(field, getattr(self, field), low=0, high=10_000_000))
        known("attention", self.attention, ATTENTIONS)
        if self.head_dim is None:
            if self.hidden % self.heads:
                raise ValueError(f"heads must divide hidden, or head_dim be given; got {self.heads} and {self.hidden}.")
            object.__setattr__(self, "head_dim", self.hidden // self.heads)
        object.__setattr__(self, "head_dim", count("head_dim", self.head_dim, high=100_000))
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads must divide heads; got {self.kv_heads} for {self.heads} heads.")
        if self.experts and not (1 <= self.topk <= self.experts and self.expert_ffn):
            raise ValueError(f"topk must be from 1 to experts ({self.experts}) and expert_ffn at least 1; "
                             f"got {self.topk} and {self.expert_ffn}.")
        if self.dense_layers > self.layers:
            raise ValueError(f"dense_layers must be at most layers ({self.layers}); got {self.dense_layers}.")

    # ------------------------------------------------------------- sizes of a layer

    @property
    def moe_layers(self) -> int:
        """Layers whose feed-forward part is experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def moe_share(self) -> float:
        """Share of the layers whose feed-forward part is experts."""
        return self.moe_layers / self.layers

    @property
    def mean_ffn(self) -> float:
        """Width of what a token meets in a feed-forward part, the mean of all layers: of experts, those that it takes."""
        return (1 - self.moe_share) * self.ffn + self.moe_share * (self.topk * self.expert_ffn + self.shared_ffn)

    @property
    def ffn_parts(self) -> int:
        """Matrices of a feed-forward part, and numbers of a token in it for each unit of its width: one more with a gate."""
        return 3 if self.gated else 2

    @property
    def head_width(self) -> int:
        """Width of a head's values."""
        return self.head_dim or self.hidden // self.heads

    @property
    def key_width(self) -> int:
        """Width of a head's keys and queries: MLA's carry their position in a part of their own."""
        return self.head_width + (MLA["rope-dim"] if self.attention == "mla" else 0)

    @property
    def attention_matrices(self) -> tuple[tuple[int, int], ...]:
        """(from, to) of each matrix of a layer's attention."""
        if self.attention == "mla":
            wide, rope = self.heads * self.head_width, MLA["rope-dim"]
            return ((self.hidden, MLA["query-rank"]), (MLA["query-rank"], self.heads * self.key_width),
                    (self.hidden, MLA["kv-rank"] + rope), (MLA["kv-rank"], 2 * wide), (wide, self.hidden))
        wide = self.heads * self.head_width
        return (self.hidden, wide + 2 * self.kv_heads * self.head_width), (wide, self.hidden)

    def ffn_matrices(self, width: int) -> tuple[tuple[int, int], ...]:
        """(from, to) of each matrix of a feed-forward part *width* wide.

        Raises:
            ValueError: *width* is not whole and positive.
        """
        width = count("width", width, high=10_000_000)
        return (self.hidden, (2 if self.gated else 1) * width), (width, self.hidden)

    @property
    def attention_params(self) -> int:
        """Parameters of the matrices of a layer's attention."""
        return sum(a * b for a, b in self.attention_matrices)

    @property
    def expert_params(self) -> int:
        """Parameters of ONE expert."""
        return sum(a * b for a, b in self.ffn_matrices(self.expert_ffn)) if self.experts else 0

    @property
    def _small(self) -> int:
        """Norms, and biases where there are some, of a layer."""
        return 2 * self.hidden if self.gated else 9 * self.hidden + 4 * self.hidden

    def _per_layers(self, experts: int) -> int:
        """Parameters of all layers, of which *experts* of each mixture count."""
        wide = self.ffn_parts * self.hidden
        dense = (self.layers - self.moe_layers) * wide * self.ffn
        mixed = self.moe_layers * (experts * self.expert_params + wide * self.shared_ffn + self.hidden * self.experts)
        return self.layers * (self.attention_params + self._small) + dense + mixed

    @property
    def embedding(self) -> int:
        """Parameters of the matrix that turns tokens into vectors, or back."""
        return self.vocab * self.hidden

    @property
    def _around(self) -> int:
        """Parameters before and after the layers."""
        return (1 if self.tied else 2) * self.embedding + self.positions * self.hidden

    @property
    def params(self) -> int:
        """Parameters in all."""
        return self._per_layers(self.experts) + self._around

    @property
    def active_params(self) -> int:
        """Parameters that a token meets: of the experts only those it takes."""
        return self._per_layers(self.topk) + self._around

    # ------------------------------------------------------------- what a token costs

    def span(self, seq):
        """Return how many tokens a token's attention is counted over: *seq*, or the window.

        Raises:
            ValueError: *seq* is not whole and positive.
        """
        seq = whole("seq", seq)
        return np.minimum(seq, self.window) if self.window else seq

    def flops(self, tokens, seq):
        """Return the operations that training on *tokens* in sequences of *seq* takes: forward and backward, nothing twice.

        6 for each token and parameter of a matrix (Kaplan et al. 2020), and 6 for each token, each token of the sequence, and
        each number of a key and a value. Numbers or arrays.

        Raises:
            ValueError: tokens that are not positive, or a *seq* that is not whole and positive.

        >>> f"{Transformer('gpt', 96, 12288, 96, 96, 49152, 51200, gated=False, tied=True).flops(1, 2048):.3e}"
        '1.076e+12'
        """
        tokens, span = together(tokens=number("tokens", tokens), seq=self.span(seq))
        matrices = self._per_layers(self.topk) - self.layers * self._small + self.embedding
        attention = self.layers * self.heads * (self.key_width + self.head_width)
        return 6.0 * tokens * (matrices + attention * span)

    def kv_bytes(self, tokens):
        """Return the bytes of the keys and values that are kept of *tokens* of one sequence, 16 bits a number.

        Raises:
            ValueError: tokens that are not positive.

        >>> transformer("llama-3-70b").kv_bytes(1)
        327680.0
        """
        tokens = number("tokens", tokens)
        kept = MLA["kv-rank"] + MLA["rope-dim"] if self.attention == "mla" else 2 * self.kv_heads * self.head_width
        return KEPT_BYTES * self.layers * kept * (np.minimum(tokens, self.window) if self.window else tokens)

    def __repr__(self) -> str:
        size, active = self.params / 1e9, self.active_params / 1e9
        some = f", {active:.3g} billion of them for a token" if self.experts else ""
        return f"<{self.name}: {size:.3g} billion parameters{some}, {self.layers} layers of {self.hidden}>"


@typed
@functools.cache
def transformer(name: str) -> Transformer:
    """Return a model from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> transformer("mixtral-8x7b")
    <Mixtral 8x7B: 46.7 billion parameters, 12.9 billion of them for a token, 32 layers of 4096>
    """
    cells = catalog.row("transformers", name)
    optional = ("experts", "topk", "expert_ffn", "shared_ffn", "dense_layers", "window", "positions")
    given = {field: value for field, value in cells.items() if field not in ("sources", "note")}
    return Transformer(**given | {field: cells[field] or 0 for field in optional})


def transformers():
    """Return the catalogue as a DataFrame: one row a model, parameters in billions.

    >>> transformers().set_index("id").loc["gpt-3", "parameters, billions"].round()
    np.float64(175.0)
    """
    import pandas as pd

    found = [transformer(cells["id"]) for cells in catalog.rows("transformers")]
    return pd.DataFrame({
        "id": [one.id for one in found], "name": [one.name for one in found],
        "parameters, billions": [one.params / 1e9 for one in found],
        "for a token, billions": [one.active_params / 1e9 for one in found],
        "layers": [one.layers for one in found], "hidden": [one.hidden for one in found], "heads": [one.heads for one in found],
        "experts": [one.experts for one in found], "experts for a token": [one.topk for one in found],
        "keys and values a token, KiB": [one.kv_bytes(1) / units.KiB for one in found],
    })
