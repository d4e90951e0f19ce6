"""What a board does to a signal: loss decides who needs a retimer, and how many."""

from fabriclib import catalog, signals, units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import DESIGNS, HELP, LONG, decibels, fast, gap, half, lacks, left, limit, opened, pcie3, pcie5, seen

PREDICTIONS = [
    Prediction(
        "signals.left",
        "A sender swings by {{ digits(1e3 * pcie5.swing, 3) }} mV. On its way to the receiver the fast part of the signal loses "
        "{{ digits(pcie5.budget) }} dB, all that PCIe 5 allows. How many millivolts of swing arrive?",
        "ratio", left,
        "{{ digits(pcie5.budget) }} dB are {{ halvings }} times {{ digits(half, 1) }} dB: half, {{ halvings }} times over, which "
        "leaves one part in {{ 2**halvings }}. The receiver has to tell 0 from 1 by {{ portion(1e-3 * left() / pcie5.swing) }} "
        "of what was sent, {{ digits(2 * pcie5.nyquist / units.GHz) }} thousand million times a second.",
        slips={
            "that is the rule for power, {{ digits(tenth / 2) }} dB for a factor of ten; a voltage falls to a tenth in "
            "{{ digits(tenth) }} dB": lambda: left(10),
            "that divides by the number of decibels; they count factors": lambda: 1e3 * pcie5.swing / pcie5.budget,
            "that takes {{ digits(pcie5.budget) }} mV away; decibels are factors": lambda: 1e3 * pcie5.swing - pcie5.budget,
            "that halves it for each {{ digits(half / 2, 1) }} dB, which is the rule for power; voltage halves in "
            "{{ digits(half, 1) }} dB":
                lambda: 1e3 * pcie5.swing / 2 ** (pcie5.budget / 3),
        },
        unit="mV", example="100 mV",
    ),
    Prediction(
        "signals.levels",
        "PCIe 6 sends two bits at a time, as one of four voltages, where PCIe 5 sends one bit as one of two. The swing from the "
        "lowest to the highest stays the same. By how many dB does the gap between neighbouring voltages shrink?",
        "ratio", lambda: gap,
        "Four levels have three gaps, so each is a third of the swing, and a third is {{ digits(gap) }} dB. That is "
        "the price for twice the bits at the same frequency. Twice the frequency would have cost far more: about twice the dB of "
        "every part.",
        slips={
            "that is half the gap: four levels have three gaps between them": lambda: half,
            "that is a quarter: four levels have three gaps, not four": lambda: decibels(4),
            "that is the rule for power; a voltage takes {{ digits(tenth) }} log10": lambda: decibels(3) / 2,
            "that is a factor; in decibels it is {{ digits(tenth) }} log10 of it": lambda: 3,
        },
        unit="dB", example="1 dB",
    ),
    Prediction(
        "signals.later",
        "Two retimers sit between a GPU and the CPU. Each takes {{ si(limit.latency, 's') }}, the most that PCIe 4 allows, for "
        "whatever passes through it. The GPU asks for data in the CPU's memory. How much later does the answer arrive than "
        "without retimers?",
        "time", lambda: 4 * limit.latency,
        "The question passes two retimers and the answer passes two. Makers offer modes with less than "
        "{{ si(fast.latency, 's') }}, so that two of them cost less than "
        "{{ digits(4 * fast.latency / units.ns) }}. The bytes a second do not change at all.",
        slips={
            "that counts one way; the question passes them too": lambda: 2 * limit.latency,
            "that is a single retimer, one way": lambda: limit.latency,
            "that is a retimer of the fast kind; here each takes {{ si(limit.latency, 's') }}": lambda: 4 * fast.latency,
        },
    ),
]

def _of_each_budget(received) -> str:
    old, new = (1e3 * received(one.swing, one.budget) for one in (pcie3, pcie5))
    return (f"With your function: of {1e3 * pcie5.swing:.0f} mV the budget of {pcie3.name} leaves {old:.3g} mV, and that of "
            f"{pcie5.name} {new:.3g} mV: each generation's receiver must hear a fainter signal.")


def _of_the_baseboard(retimers) -> str:
    segments = signals.channel("baseboard", "fr4-tetra")
    lost = {one.name: float(signals.losses(segments, one.nyquist).sum()) for one in (pcie3, pcie5)}
    old, new = (retimers(lost[one.name], one.usable) for one in (pcie3, pcie5))
    return (f"With your function: to a GPU on a baseboard of {signals.part('fr4-tetra').name} are {lost[pcie3.name]:.1f} dB at "
            f"{pcie3.name}, which need {old}, and {lost[pcie5.name]:.1f} dB at {pcie5.name}, which need {new}; a retimer's own "
            "package comes on top.")


def _works() -> str:
    return next(design for design in DESIGNS if lacks(design) <= 0)


def _of_the_board(design) -> str:
    board, has = DESIGNS[design]
    lost = float(signals.losses(signals.channel("baseboard", board), pcie5.nyquist).sum())
    return (f"With {design}: the channel loses {lost:.1f} dB, of which a stretch may spend {pcie5.usable:.3g}. No material makes "
            f"this channel good enough without a chip: on this board it takes {has}, and the best one saves none.")


_FASTER = "PCIe 6 instead"


def _helps() -> str:
    heights = {helper: opened(helper) for helper in HELP} | {_FASTER: max(seen("pcie6", LONG, "on", "nothing")[1].height, 0.0)}
    return max(heights, key=heights.__getitem__)


def _of_the_eye(helper) -> str:
    loss, _ = seen("pcie5", LONG, "on", "nothing")
    each, _ = seen("pcie5", LONG, "on", helper)
    return (f"With {helper} {1e3 * opened(helper):.2g} mV of eye are left: bits are decided after {each:.0f} dB and sent anew, "
            f"where {loss:.0f} dB in one go left none. A redriver lifts the noise as well.")


EXERCISES = [
    Exercise(
        "signals.received",
        "Write received: the swing that arrives, in volts, when swing volts lose so many dB.",
        "received",
        lambda swing, loss: swing * 10 ** (-loss / 20),
        "def received(swing, loss):\n    return swing * 10 ** (-loss / 20)\n",
        cases=[(0.8, 36.0), (0.8, 22.0), (1.0, 20.0), (0.4, 6.0)],
        wrong=[
            ("swing * 10 ** (-loss / 10)",
             "That is the rule for power. A voltage falls to a tenth in {{ digits(tenth) }} dB: divide the exponent by "
             "{{ digits(tenth) }}."),
            ("swing / loss",
             "Decibels are no divisor: {{ digits(tenth) }} dB leave a tenth, not a twentieth. Use a power of ten."),
            ("swing - loss", "Decibels are added to decibels, never taken from volts. Turn them into a factor first."),
            ("swing * 10 ** (loss / 20)", "This grows with the loss. What is lost has a minus sign in the exponent."),
            ("swing * 2.718281828 ** (-loss / 20)", "This counts with e. Decibels are powers of ten."),
            ("swing * 2 ** (-loss / 6)",
             "Nearly: {{ digits(half, 1) }} dB are only about a half "
             "({{ digits(half, 3) }} dB are). {{ digits(tenth) }} dB are a tenth exactly."),
            ("1e3 * swing * 10 ** (-loss / 20)", "These are millivolts. swing comes in volts, and so should what you return."),
            ("swing * 2 ** (-loss / 3)",
             "That halves every {{ digits(half / 2, 1) }} dB: the rule for power. "
             "A voltage halves in about {{ digits(half, 1) }} dB."),
        ],
        nudge="Decibels count factors: so many of them make a tenth. How many tenths in a row are the loss?",
        half="def received(swing, loss):\n"
             "    tenths = loss / ...  # a voltage falls to a tenth in so many dB\n"
             "    return swing * 10 ** ...\n",
        follows=_of_each_budget,
    ),
    Exercise(
        "signals.retimers",
        "Write retimers: the least number that cuts a loss into stretches no longer than the budget, if they may sit anywhere "
        "and as many as it takes.",
        "retimers",
        lambda loss, budget: int(signals.at_least(loss, budget)),
        "import math\n\n\ndef retimers(loss, budget):\n    return math.ceil(loss / budget) - 1\n",
        cases=[(20, 36), (36, 36), (37, 36), (80, 36), (64, 32), (100, 32)],
        wrong=[
            ("-(-loss // budget)", "That is the number of stretches. Between two stretches sits one retimer: take one away."),
            ("loss // budget", "Nearly. But a channel that uses its budget to the last dB needs no retimer: round up, then take "
                               "one away."),
            ("loss / budget - 1", "There are no parts of a retimer: round up."),
            ("round(loss / budget) - 1", "Rounding to the nearest leaves a stretch over the budget: round up."),
            ("1 if loss > budget else 0", "One retimer makes two stretches. What if each of them is still too long?"),
            ("max(0, loss - budget) / budget", "There are no parts of a retimer: round up what is over the budget."),
            ("min(2, -(-loss // budget) - 1)",
             "This stops at two, which is all that a link may have. Here the question is how many the loss would take: a "
             "function that hides the third lets a channel pass that cannot work."),
            ("-(-loss // budget) - 2", "One too few: n stretches have n - 1 retimers between them."),
        ],
        nudge="First into how many stretches the loss must be cut; then what stands between two stretches.",
        half="import math\n\n\n"
             "def retimers(loss, budget):\n"
             "    stretches = ...  # whole ones, none over the budget\n"
             "    return ...\n",
        follows=_of_the_baseboard,
    ),
    Exercise(
        "signals.board",
        "Set design: which of the four baseboards works at PCIe 5, margin kept?",
        "design", _works, 'design = "FR4, one retimer"\n', options=list(DESIGNS),
        wrong=[
            ("'Megtron 6, no retimer'", "The best board is not enough here: read its column in the table of retimers. "
                                        "Connectors, packages and cables lose as much on any board."),
            ("'FR4, no retimer'", "Read the row of the baseboard in the table of retimers: its loss is more than one stretch may "
                                  "spend."),
            ("'tetra-functional FR4, one retimer'", "This board loses so much that each of the two stretches is still too long."),
        ],
        nudge="The table above has a row for this channel and a column for each board: compare with what the design has.",
        half="needed = ...  # of this board, for a GPU baseboard\n"
             "has = ...  # in the design\n"
             "design = ...  # where nothing is missing\n",
        follows=_of_the_board,
    ),
    Exercise(
        "signals.helper",
        "Set helper: what opens the eye of PCIe 5 behind {{ LONG }} inches of FR4?",
        "helper", _helps, 'helper = "a retimer"\n', options=[*HELP, _FASTER],
        wrong=[
            ("'nothing'", "Set the lab of the eye to this length: the equaliser is on, and the eye is shut."),
            ("'a redriver'", "It carries some inches farther, but lifts the noise with the signal: try this length in the lab."),
            ("'PCIe 6 instead'", "The same frequency, the same loss, and the gaps between its four levels are a third as high."),
        ],
        nudge="The lab of the eye has every one of them: set the length, then change one control after the other.",
        half="loss = ...  # dB of the whole way\n"
             "half_way = loss / 2  # where the bits are decided and sent anew\n"
             "helper = ...\n",
        follows=_of_the_eye,
    ),
]


def _range(channel: str, generation: str) -> str:
    return " or ".join(str(count) for count in sorted(set(signals.by_board(channel, generation).values())))


def _loss_decides() -> str:
    reported = {row["id"]: row for row in catalog.rows("retimer_counts")}
    each = reported["trn2"]["retimers"] // reported["trn2"]["gpus"]
    old = max(max(signals.by_board(row["id"], "pcie3").values()) for row in catalog.rows("channels"))
    return (f"Loss decides. PCIe 5 may spend {pcie5.usable:.3g} dB. With six board materials and assumed lengths, a card near "
            f"the CPU needs {_range('slot', 'pcie5')} retimers, a GPU on a baseboard {_range('baseboard', 'pcie5')}, behind a "
            f"switch {_range('switch-baseboard', 'pcie5')}; with PCIe 3 the same four channels need {old}. Where CPU and "
            "GPU share a module (GH200) there is no such channel. Nor is four a rule for a board: reported were "
            f"{reported['dgx-gpu-board']['retimers']} on the one with eight H100, {reported['mgx-cpu-board']['retimers']} or "
            f"{reported['dgx-cpu-board']['retimers']} on the CPU board that goes with it, {each} for each accelerator of a "
            f"trn2 server, and {reported['hgx-b300']['retimers']} where network adapters have taken their place. Two cost an "
            f"answer at most {units.format(4 * limit.latency, 's')}.")


VERDICTS = [Verdict("h", "misleads", _loss_decides)]
