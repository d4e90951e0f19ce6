"""What eight GPUs gain, what two servers cost, what travels: the questions, and the verdict on claim l's second third."""

from fabriclib import units
from fabriclib.workloads import token_bound

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BOUND,
    GRAPH,
    GROUPED,
    NEW,
    PROMPT,
    RACK,
    SEVENTY,
    SHORT,
    at,
    bound,
    cache_bytes,
    deepseek,
    exchange_bound,
    gained,
    nic,
    nics,
    rack_rate,
    saved,
    seventy,
    seventy_cache,
    times_as_long,
    token,
    way,
)

PREDICTIONS = [
    Prediction(
        "inference.eight",
        "A model of {{ digits(small.params / 1e9, 2) }} billion parameters, {{ si(weights) }} in 16 bits, lies on one A100. Its "
        "memory gives {{ si(a100.memory_rate, 'B/s') }}. Now {{ SEVERAL }} A100 with NVLink share every matrix. One request, "
        "software of 2023, as measured: how many times as fast does the answer come?",
        "ratio", lambda: gained(),
        "Measured: {{ si(alone, 's') }} for {{ WORDS }} tokens on one GPU, {{ si(together, 's') }} on {{ SEVERAL }}. Only the "
        "reading of weights is divided.",
        slips={"that would be so if nothing were done but reading": 8,
               "that is what four GPUs gain": lambda: gained(4)},
        unit="times", example="6 times",
    ),
    Prediction(
        "inference.servers",
        "A model of {{ digits(big.params / 1e9, 3) }} billion parameters does not fit into a server of eight A100. Either 16 of "
        "them, in two servers, share every matrix and sum over the network twice a layer; or three servers are stages of a "
        "pipeline, of 8 GPUs each. One request, {{ TEXTS[SHORT][0] }} tokens in, {{ TEXTS[SHORT][1] }} out, as measured: how "
        "many times as long do the three stages take?",
        "ratio", lambda: times_as_long(SHORT, 1),
        "{{ si(served(SHORT, PIPELINE)['measured'][0], 's') }} against {{ si(served(SHORT, TENSOR)['measured'][0], 's') }}. One "
        "request has no second micro-batch: the stages read their weights one after the other, with 8 GPUs' memories at a time.",
        slips={"that counts the reading alone; sums over the network take back a part": 2},
        unit="times", example="0.8 times",
    ),
]


def _how_large(cache) -> str:
    one = cache(seventy.layers, seventy.kv_heads, seventy.head_width, PROMPT)
    many = cache(seventy.layers, seventy.heads, seventy.head_width, PROMPT)
    return (f"With your function: {PROMPT:,} tokens of {GROUPED} are {units.format(one)} of keys and values; if each of its "
            f"{seventy.heads} heads had its own, {units.format(many)}. Over {nics} ports that takes "
            f"{units.format(one / (nics * nic.rate), 's')} at least.")


def _how_fast(exchange) -> str:
    one, rack = exchange(*BOUND.values()), exchange(*(BOUND | {"rate": rack_rate}).values())
    each = [token_bound(seconds, deepseek.layers) for seconds in (one, rack)]
    return (f"With your function: {one * 1e6:.2f} µs for both ways; two in each of {deepseek.layers} layers are "
            f"{each[0] * 1e3:.2f} ms, so at most {int(1 / each[0])} tokens a second and user. At the "
            f"{units.format(rack_rate, 'B/s')} of a rack {units.format(each[1], 's')}, {int(1 / each[1]):,} tokens.")


_RATES = {"TCP": 39, "RDMA": 300, "NVLink": 1200}  # GB/s
_FEW = {"TCP": 10, "RDMA": 40}


def _which_way(choose) -> str:
    size = seventy_cache / units.GB
    taken = ", ".join(f"{choose(size, _RATES, most) or 'none'} for {units.format(most, 's')}" for most in (0.1, 0.01, 0.003))
    return f"With your function: the {units.format(seventy_cache)} of a prompt of {PROMPT:,} tokens go by {taken}."


EXERCISES = [
    Exercise(
        "inference.cache",
        "Write cache: the bytes of keys and values of a request, 2 bytes a number.",
        "cache",
        cache_bytes,
        "def cache(layers, kv_heads, head_dim, tokens):\n    return 2 * 2 * layers * kv_heads * head_dim * tokens\n",
        cases=[(80, 8, 128, 8192), (32, 32, 128, 1000), (126, 8, 128, 1)],
        wrong=[
            ("2 * layers * kv_heads * head_dim * tokens", "That is keys or values. Both are kept."),
            ("4 * kv_heads * head_dim * tokens", "That is one layer. Each has keys and values of its own."),
            ("4 * layers * head_dim * tokens", "That is one head. Each of the kv_heads has its own."),
            ("layers * kv_heads * head_dim * tokens", "That counts numbers of one kind. Keys and values, 2 bytes each."),
            ("4 * layers * kv_heads * head_dim", "That is one token. All that came before are kept."),
        ],
        follows=_how_large,
    ),
    Exercise(
        "inference.exchange",
        "Write exchange: the least seconds of a dispatch, a byte a number, and a combine, two bytes a number.",
        "exchange",
        exchange_bound,
        "def exchange(tokens, copies, hidden, rate):\n    return (1 + 2) * tokens * copies * hidden / rate\n",
        cases=[(32, 9, 7000, 50e9), (128, 8, 7168, 40e9), (64, 9, 4096, 900e9)],
        wrong=[
            ("tokens * copies * hidden / rate", "That is the way there. What comes back has two bytes a number."),
            ("2 * tokens * copies * hidden / rate", "One byte there and two back are three."),
            ("3 * tokens * hidden / rate", "Each token goes to several experts: that many copies."),
            ("3 * tokens * copies / rate", "And each copy is hidden numbers long."),
            ("3 * tokens * copies * hidden * rate", "Bytes over a rate are seconds."),
        ],
        follows=_how_fast,
    ),
    Exercise(
        "inference.way",
        "Decide: write choose, which returns the cheapest way that is quick enough. rates names the ways, the cheapest first.",
        "choose",
        way,
        "def choose(size, rates, most):\n    for name, rate in rates.items():\n        if size / rate <= most:\n"
        "            return name\n    return None\n",
        cases=[(2.7, _RATES, 0.1), (2.7, _RATES, 0.01), (2.7, _RATES, 0.003), (2.7, _FEW, 0.01), (0.04, _FEW, 0.001)],
        wrong=[
            ("max(rates, key=rates.get)", "That is always the fastest. It is also the dearest: take the first that will do."),
            ("next(iter(rates))", "That is always the cheapest, quick enough or not."),
            ("next((name for name, rate in rates.items() if size / rate <= most), max(rates, key=rates.get))",
             "Where no way is quick enough, say so: None."),
            ("next((name for name, rate in rates.items() if size / rate >= most), None)", "That is one that is too slow."),
        ],
        follows=_which_way,
    ),
]


def _second_third() -> str:
    inside, across = token(SEVENTY, NEW, GRAPH).seconds(8), token(SEVENTY, NEW, GRAPH).seconds(16)
    rack = token(SEVENTY, RACK, GRAPH).seconds(16)
    return (f"With one request, a token of {GROUPED} on 8 H100 takes {units.format(inside, 's')}; links without end would save "
            f"{units.portion(saved())} of it, and a faster memory or software more. On 16, over two servers, it takes "
            f"{units.format(across, 's')}, in a rack of GB200 {units.format(rack, 's')}: there the wires decide. So they do for "
            f"experts, where {bound * 1e6:.0f} µs an exchange cap a user at {int(1 / token_bound(bound, deepseek.layers))} "
            f"tokens a second, and for keys and values: {units.format(at(PROMPT), 's')} by RDMA, "
            f"{units.format(at(PROMPT, way='TCP'), 's')} by TCP.")


VERDICTS = [Verdict("l", "holds with a qualification", _second_third, part="answers")]
