"""What eight GPUs gain, what two servers cost, what travels: the questions, and the verdict on claim l's second third."""

from fabriclib import units
from fabriclib.workloads import token_bound

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BOUND,
    BUYS,
    GRAPH,
    GROUPED,
    LAYOUTS,
    NEW,
    PROMPT,
    RACK,
    SEVENTY,
    SEVERAL,
    SHORT,
    WAYS,
    at,
    best_plan,
    bound,
    cache_bytes,
    chat,
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


_RATES = {name: round(seventy_cache / at(PROMPT, way=name) / units.GB) for name in reversed(WAYS)}  # the cheapest first
_FEW = {"TCP": 10, "RDMA": 40}


def _which_way(choose) -> str:
    size = seventy_cache / units.GB
    taken = ", ".join(f"{choose(size, _RATES, most) or 'none'} for {units.format(most, 's')}" for most in (0.1, 0.01, 0.003))
    return f"With your function: the {units.format(seventy_cache)} of a prompt of {PROMPT:,} tokens go by {taken}."


def _what_is_won(buy) -> str:
    before, after = chat().seconds(SEVERAL), BUYS[buy]()
    both = after - chat().part("bytes", SEVERAL) / 2
    return (f"A token then takes {units.format(after, 's')} in place of {units.format(before, 's')}; with links twice as fast, "
            f"too, {units.format(both, 's')}. Most of what is left is starts and pauses.")


def _tokens_in_all(plan) -> str:
    found, alone = LAYOUTS[plan], chat()
    return (f"It gives {found.tokens:,.0f} tokens a second, one for each user every {units.format(found.seconds, 's')}. A single "
            f"user would get one every {units.format(alone.seconds(SEVERAL), 's')}: the reading is shared, and nearly free for "
            "all others.")


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
        nudge="Count the numbers first: for each token, in each layer, for each head that is kept. Then how many kinds, "
              "and bytes each.",
        half="def cache(layers, kv_heads, head_dim, tokens):\n"
             "    numbers = layers * kv_heads * ... * tokens  # of one kind\n"
             "    kinds, nbytes = ...\n"
             "    return kinds * nbytes * numbers\n",
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
        nudge="How many bytes go out of the port for all copies of all tokens, and how many come back for them?",
        half="def exchange(tokens, copies, hidden, rate):\n"
             "    numbers = ...  # that leave, once\n"
             "    return (... + ...) * numbers / rate\n",
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
        nudge="The dictionary stands in the order of the prices. At which way can you stop, and what if you reach the end?",
        half="def choose(size, rates, most):\n"
             "    for name, rate in rates.items():\n"
             "        if ...:\n"
             "            return name\n"
             "    return ...\n",
        follows=_which_way,
    ),
    Exercise(
        "inference.buy",
        "A single user of {{ GROUPED }} on a server of {{ SEVERAL }} H100 shall get each token sooner. What helps most? Set "
        "buy to it.",
        "buy",
        lambda: min(BUYS, key=lambda what: BUYS[what]()),
        'buy = "memory twice as fast"\n',
        options=list(BUYS),
        wrong=[
            ('"links twice as fast"',
             "The bytes of the sums take {{ si(chat().part('bytes', SEVERAL), 's') }} of a token's "
             "{{ si(chat().seconds(SEVERAL), 's') }}. There is nothing to win."),
            ('"sums that start in half the time"',
             "The starts take {{ si(chat().part('starts', SEVERAL), 's') }}: half of that is won. Something else takes far "
             "longer."),
            ('"a second server, 16 GPUs"',
             "It halves the reading, and its sums cross the network: their starts take "
             "{{ si(chat().part('starts', 16), 's') }} in place of {{ si(chat().part('starts', SEVERAL), 's') }}."),
        ],
        nudge="Take half of each part of the token away, one at a time. And what does a second server do to the starts?",
        half="half_the_reading = ... / 2  # weights, and keys and values\nhalf_the_starts = ...\nbuy = ...\n",
        follows=_what_is_won,
    ),
    Exercise(
        "inference.users",
        "The same server, {{ USERS }} users at a time, and each may wait {{ si(PATIENCE, 's') }} for a token. Set plan to the "
        "way that keeps to that and gives most tokens a second in all.",
        "plan",
        best_plan,
        'plan = "one group of 8"\n',
        options=list(LAYOUTS),
        wrong=[
            ('"one group of 8, one request after the other"',
             "Alone, a token comes soonest. But then all weights are read for one user, and {{ USERS - 1 }} wait."),
            ('"two groups of 4"',
             "That keeps to the time. But each group reads all weights, over half as many memories: in all it gives "
             "{{ digits(LAYOUTS['two groups of 4'].tokens) }} tokens a second, and one group more."),
            ('"four groups of 2"',
             "Each group reads all weights over two memories: a token takes {{ si(LAYOUTS['four groups of 2'].seconds, 's') }}."),
            ('"eight GPUs on their own"', "No sums at all. But does the model fit into one GPU?"),
        ],
        nudge="First strike out what does not fit into the memory, then what takes too long for one token. What do the others "
              "read, and for how many users?",
        half="weights = ...  # GB, two bytes a parameter; a GPU has 80\nread_by_each_of_two_groups = ...\nplan = ...\n",
        follows=_tokens_in_all,
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
