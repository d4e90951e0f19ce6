"""Every (collective, algorithm) entry, found by itself: it computes the collective, and its closed form counts what it does."""

from __future__ import annotations

import numpy as np
import pytest

from fabriclib import catalog
from fabriclib.collectives import algorithms, schedule
from fabriclib.collectives.registry import entries
from fabriclib.collectives.schedule import Schedule

EVERY_P = range(1, 65)
LARGER_P = (65, 96, 127, 128, 257)
FEW_P = (1, 2, 3, 6, 8, 12)
CHUNKS = (1, 2, 3, 7, 16)

# Why an entry may turn ranks away, and which ranks it then must serve.
REASONS = {"power of two": lambda p: p & (p - 1) == 0, "even": lambda p: p % 2 == 0}

EACH_ENTRY = pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: f"{entry.collective}-{entry.name}")


def bounds(n: int, p: int) -> list[int]:
    return [i * n // p for i in range(p + 1)]


def inputs(collective: str, p: int, n: int) -> list[np.ndarray] | None:
    """Random whole numbers in the shape each collective starts from, the same in every run."""
    if collective == "barrier":
        return None
    full = np.random.default_rng([p, n]).integers(-1000, 1000, (p, n))
    if collective in ("all_gather", "gather"):
        b = bounds(n, p)
        return [full[r, b[r] : b[r + 1]] for r in range(p)]
    return list(full)


def expected(collective: str, given, p: int, n: int, root: int) -> list[np.ndarray | None]:
    """What each rank must end with, by the collective's definition."""
    b = bounds(n, p)
    only_root = [r == root for r in range(p)]
    match collective:
        case "all_reduce":
            return [sum(given)] * p
        case "reduce_scatter":
            return [sum(given)[b[r] : b[r + 1]] for r in range(p)]
        case "all_gather":
            return [np.concatenate(given)] * p
        case "all_to_all":
            return [np.concatenate([x[b[r] : b[r + 1]] for x in given]) for r in range(p)]
        case "broadcast":
            return [given[root]] * p
        case "scatter":
            return [given[root][b[r] : b[r + 1]] for r in range(p)]
        case "reduce":
            return [sum(given) if mine else None for mine in only_root]
        case "gather":
            return [np.concatenate(given) if mine else None for mine in only_root]
        case "send_recv":
            return [given[r - 1] for r in range(p)]
        case "barrier":
            return [np.ones(p, dtype=int)] * p
    raise AssertionError(f"no definition of {collective} here")


def shapes(p: int) -> list[tuple[int, ...]]:
    """Dimensions that multiply to p: in one, two and three factors, in both orders, with a one among them."""
    pairs = [(d, p // d) for d in range(2, p) if p % d == 0]
    triples = [(a, b, p // a // b) for a, rest in pairs for b in range(2, rest) if rest % b == 0]
    return [(p,), (1, p), (p, 1), *pairs, *triples]


def variants(entry, p: int) -> list[dict]:
    """The options to try at p ranks: every root asked for, every chunk number, every shape; not all their products."""
    axes = {"root": sorted({0, p // 2, p - 1}), "chunks": CHUNKS, "dims": shapes(p)}
    axes = {name: values for name, values in axes.items() if name in entry.options}
    many = max((len(values) for values in axes.values()), default=1)
    # Shifting one axis against the other lets 3 roots meet all chunk numbers over a few p.
    return [{name: values[(i + p * j) % len(values)] for j, (name, values) in enumerate(axes.items())} for i in range(many)]


def build(entry, p: int, options: dict) -> Schedule | None:
    """The schedule, or None where the entry rightly refuses."""
    reason = entry.refuses(p, **options)
    if not reason:
        return schedule(entry.collective, entry.name, p, **options)
    with pytest.raises(ValueError, match=f"cannot serve {p} ranks"):
        schedule(entry.collective, entry.name, p, **options)
    named = [serves for words, serves in REASONS.items() if words in reason]
    assert len(named) == 1, f"no known reason in: {reason}"
    assert not named[0](p), f"{entry} refuses {p} without cause: {reason}"
    return None


def check_result(entry, plan: Schedule, n: int, options: dict) -> None:
    given = inputs(entry.collective, plan.ranks, n)
    untouched = None if given is None else [block.copy() for block in given]
    results = plan.run(given)
    wanted = expected(entry.collective, given, plan.ranks, n, options.get("root", 0))
    for rank, (result, want) in enumerate(zip(results, wanted, strict=True)):
        where = f"{entry}, {plan.ranks} ranks, {n} elements, {options}: rank {rank}"
        assert (result is None) == (want is None), where
        assert want is None or np.array_equal(result, want), f"{where} got {result}, not {want}"
    assert given is None or all(map(np.array_equal, given, untouched)), f"{entry} wrote into its input"


def check_counts(entry, plan: Schedule, options: dict) -> None:
    counted = np.array(plan.counts(), dtype=float)
    closed = np.array(entry.counts(plan.ranks, **options), dtype=float)
    where = f"{entry}, {plan.ranks} ranks, {options}: counted {counted.tolist()}, closed form {closed.tolist()}"
    assert counted.shape == closed.shape, where
    if entry.exact:
        assert np.allclose(counted, closed, rtol=1e-12, atol=1e-12), where
    else:  # a bound, and one worth having
        assert np.all(counted <= closed + 1e-12), where
        assert np.all(closed <= 2 * counted + 1e-12), where


@EACH_ENTRY
@pytest.mark.parametrize("all_p", [EVERY_P, LARGER_P], ids=["1..64", "65..257"])
def test_computes_the_collective_and_counts_what_it_does(entry, all_p):
    for p in all_p:
        tried = variants(entry, p)
        options = tried[p % len(tried)]
        if plan := build(entry, p, options):
            check_result(entry, plan, 2 * p + 1 if p < 65 else p - 1, options)
            check_counts(entry, plan, options)


@EACH_ENTRY
def test_all_lengths_and_options(entry):
    for p in FEW_P:
        for options in variants(entry, p):
            if plan := build(entry, p, options):
                check_counts(entry, plan, options)
                for n in sorted({1, max(p - 1, 1), p, 2 * p + 1, 41}):
                    check_result(entry, plan, n, options)


@EACH_ENTRY
def test_asks_for_no_more_ports_than_it_declares(entry):
    for p in (*FEW_P, 33, 64):
        for options in variants(entry, p):
            if plan := build(entry, p, options):
                assert plan.ports <= (max(p - 1, 1) if entry.ports == "all" else entry.ports), f"{entry}, {p}, {options}"
                assert entry.ports == 1 or p < 4 or plan.ports > 1, f"{entry} declares more ports than it needs"


@pytest.mark.parametrize(("collective", "name", "ports"), [
    ("all_to_all", "direct", 7), ("all_reduce", "one_shot", 7), ("all_reduce", "one_shot_serial", 1), ("gather", "flat", 1),
    ("all_reduce", "nvls", 1), ("all_gather", "ring", 1),
])
def test_ports_are_the_messages_a_rank_has_on_its_way_at_once(collective, name, ports):
    assert schedule(collective, name, 8).ports == ports


@EACH_ENTRY
def test_one_rank_costs_nothing(entry):
    for options in variants(entry, 1):
        assert not np.any(np.array(entry.counts(1, **options), dtype=float)), f"closed form, {options}"
        assert not np.any(np.array(schedule(entry.collective, entry.name, 1, **options).counts(), dtype=float)), options


@EACH_ENTRY
def test_closed_form_takes_many_ranks_at_once(entry):
    served = [p for p in (*EVERY_P, *LARGER_P, 65536) if not entry.refuses(p)]
    options = {"chunks": 3} if "chunks" in entry.options else {}
    together = np.array([np.broadcast_to(x, len(served)) for x in _fields(entry.counts(np.array(served), **options))])
    alone = np.array([_fields(entry.counts(p, **options)) for p in served], dtype=float).T
    assert np.allclose(together, alone, rtol=1e-14, atol=0)


def test_an_entry_says_what_it_takes():
    takes = {(entry.collective, entry.name): repr(entry) for entry in entries().values()}
    assert takes["broadcast", "chain"].startswith("<broadcast by chain, takes chunks, root; source: ")
    assert takes["all_reduce", "ring"].startswith("<all_reduce by ring; source: ")


def test_messages_ask_for_a_step_for_every_row():
    with pytest.raises(ValueError, match="^step must be one for each of the 12 rows; got"):
        schedule("all_gather", "ring", 4).messages([0, 1])


def _fields(counts) -> list:
    return list(counts) if hasattr(counts, "messages") else [x for level in counts for x in level]


@EACH_ENTRY
def test_says_where_it_comes_from(entry):
    assert catalog.source(entry.source).publisher in repr(entry)
    assert entry.reduction in ("endpoint", "network")
    assert entry.ports in (1, "all")
    assert set(entry.options) <= {"root", "chunks", "dims"}
    assert entry in algorithms(entry.collective)
