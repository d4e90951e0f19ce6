"""What the labs of this lesson ask."""

from __future__ import annotations

from ...course.stops import Choice, Find, Number
from .tables import (
    EACH,
    EIGHT,
    GRAPH,
    LATENT,
    MIDDLE,
    NEW,
    OLD,
    OLDER,
    PIPELINE,
    PROMPTS,
    SHORT,
    SMALL,
    TENSOR,
    TEXTS,
    at,
    noticed,
    overtakes,
    times_as_long,
    token,
)

_KINDS = {"reads weights": "weights", "between kernels": "host", "starts sums": "starts", "bytes of sums": "bytes"}


def _token(see, **moved):
    chosen = see.at | moved
    return token(*(chosen[name] for name in ("model", "machine", "software", "batch")))


def _longest(see) -> str:
    return max(_KINDS, key=lambda kind: _token(see).part(_KINDS[kind], 8))


def _saved_most(see) -> str:
    before, after = _token(see, software=EACH), _token(see, software=GRAPH)
    return max(_KINDS, key=lambda kind: before.part(_KINDS[kind], 8) - after.part(_KINDS[kind], 8))


_FASTER, _SLOWER, _ALIKE = "shorter", "longer", "the same"


def _sixteen(see) -> str:
    found = _token(see)
    times = found.seconds(16) / found.seconds(8)
    return _FASTER if times < 0.98 else _SLOWER if times > 1.02 else _ALIKE


ONE_TOKEN = (
    Choice("longest", "One request, on A100. Look at the bar of 8 GPUs.", "What takes up most of it? Click it, or choose.",
           options=list(_KINDS), answer=_longest, field="kind", at={"model": SMALL, "machine": OLD, "software": EACH, "batch": 1},
           hints={"reads weights": "So it is on one GPU. Go down to the fourth bar.",
                  "starts sums": "The blue piece. Is there a longer one?",
                  "bytes of sums": "That is the thinnest piece at the end."},
           saw="Reading was divided by eight. What lies between the kernels was not divided at all: each GPU launches as many."),
    Choice("software", "Let the software replay a graph: all kernels of a token are launched at once.",
           "Of 8 GPUs, which piece became shorter by the most?", options=list(_KINDS), answer=_saved_most,
           at={"model": SMALL, "machine": OLD, "software": EACH, "batch": 1},
           hints={"reads weights": "The bytes and the memory are the same as before.",
                  "between kernels": "It did become shorter. Compare the blue piece before and after, too.",
                  "bytes of sums": "There was hardly anything to save."},
           saw="And nothing of that is a faster wire: a sum by a kernel of its own starts sooner than NCCL's."),
    Choice("sixteen", "Sixteen GPUs are two servers. Compare the bars of 8 and of 16 for H100.",
           "How long does a token take on 16, against 8?", options=[_FASTER, _SLOWER, _ALIKE], answer=_sixteen,
           at={"model": SMALL, "machine": NEW, "software": GRAPH, "batch": 1},
           hints={_FASTER: "Half of the reading is saved. What was added?", _ALIKE: "Read both times."},
           saw="Each sum now crosses the network, twice a layer. In the GB200 rack all 16 stay inside: a token "
               "takes {{ si(token(SMALL, RACK, GRAPH).seconds(16), 's') }} in place of "
               "{{ si(token(SMALL, RACK, GRAPH).seconds(8), 's') }}."),
    Number("many", "Read the bar of 8 GPUs at batch 1, then at batch 64, where each such time gives a token to every request.",
           "How many times as many tokens a second do 8 GPUs give at batch 64?", kind="ratio", unit="times",
           answer=lambda see: 64 * _token(see, batch=1).seconds(8) / _token(see, batch=64).seconds(8),
           at={"model": EIGHT, "machine": NEW, "software": GRAPH, "batch": 1},
           slips={"that would be so if 64 requests took no longer than one": 64},
           saw="The weights are read once for all 64. So servers wait for company: a batch costs each user a little and serves "
               "many."),
)

def _soonest(see) -> str:
    return min(TEXTS, key=lambda texts: overtakes(texts))


def _first_winner(see) -> str:
    return TENSOR if times_as_long(see.at["texts"], 1) > 1 else PIPELINE


TWO_SERVERS = (
    Choice("alone", "Look at the left end: one request.", "Who answers first?", options=[TENSOR, PIPELINE], answer=_first_winner,
           at={"texts": SHORT}, field="run",
           hints={PIPELINE: "The lower line is the faster one."},
           saw="Three stages take turns: while one reads its third of the weights two do nothing. 16 GPUs read all at once, and "
               "their {{ per_layer * big.layers }} sums a token over the network cost less than that."),
    Number("crossing", "Take {{ MIDDLE }}. Follow both rows of diamonds to the right.",
           "From how many requests at a time on are the stages faster?", kind="ratio", unit="requests",
           answer=lambda see: overtakes(MIDDLE), at={"texts": SHORT},
           slips={"there the tensor group is still ahead": lambda see: overtakes(MIDDLE) / 2},
           saw="With many requests there is a micro-batch for each stage, and none waits."),
    Choice("soonest", "Go through the three kinds of text.", "Where do the stages win with the fewest requests?",
           options=list(TEXTS), answer=_soonest, at={"texts": SHORT},
           hints={SHORT: "Here they win at the very end of the axis.", MIDDLE: "Is there one where it happens further left?"},
           saw="Long prompts mean computing, which {{ 8 * 3 }} GPUs share in place of 16: at {{ overtakes(LONG) }} requests "
               "{{ si(parts(PIPELINE, overtakes(LONG))['compute'], 's') }} in place of "
               "{{ si(parts(TENSOR, overtakes(LONG))['compute'], 's') }}. And large sums over the network have bytes: "
               "{{ si(parts(TENSOR, overtakes(LONG))['bytes'], 's') }}, over NVLink "
               "{{ si(parts(PIPELINE, overtakes(LONG))['bytes'], 's') }}."),
)

KV_TRAVELS = (
    Number("ways", "Llama 3 70B, a prompt of 8,192 tokens.", "How many times as long does TCP take as RDMA?", kind="ratio",
           unit="times", answer=lambda see: at(see.at["prompt"], see.at["model"], "TCP") / at(see.at["prompt"], see.at["model"]),
           at={"prompt": 8192},
           slips={"that is RDMA against NVLink": lambda see: at(see.at["prompt"], see.at["model"]) / at(
               see.at["prompt"], see.at["model"], "NVLink")},
           saw="The ports are the same. TCP runs on the server's processor, and that, not the port, is its limit."),
    Find("visible", "A token of this model takes {{ si(token(SEVENTY, NEW, GRAPH).seconds(8), 's') }}. Move the prompt.",
         "Which is the shortest prompt for which TCP takes longer than ten tokens? Stop there.", control="prompt",
         accepts=lambda see: see.at["prompt"] == noticed(), at={"prompt": PROMPTS[0]},
         hint="Ten tokens are ten times the time that the line above names; the next shorter prompt must stay below it.",
         saw="That is a pause after the first word. Over RDMA the same prompt takes as long as "
             "{{ digits(at(noticed()) / token(SEVENTY, NEW, GRAPH).seconds(8), 2) }} tokens."),
    Number("latent", "DeepSeek-V3 keeps one short vector for all heads of a layer, Llama 2 7B keys and values of each head.",
           "Over RDMA, how many times as long does the small Llama take?", kind="ratio", unit="times",
           answer=lambda see: at(see.at["prompt"], OLDER) / at(see.at["prompt"], LATENT), at={"prompt": 8192, "model": LATENT},
           slips={"that is the other way round": lambda see: at(see.at["prompt"], LATENT) / at(see.at["prompt"], OLDER)},
           saw="A model {{ digits(deepseek.params / older.params, 2) }} times as large keeps "
               "{{ digits(older.kv_bytes(1) / deepseek.kv_bytes(1), 2) }} times fewer bytes a token: what a model keeps is a "
               "choice of its builders, and wires were one reason."),
)
