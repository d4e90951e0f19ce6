"""What a board does to a signal: loss decides who needs a retimer, and how many."""

import math

from fabriclib import catalog, signals, units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict

_PCIE5, _PCIE6 = (signals.standard(name) for name in ("pcie5", "pcie6"))
_LIMIT, _FAST = (signals.device(name).latency for name in ("pcie4-limit", "xpressconnect-g5"))


def _left(divisor: float) -> float:
    return 1e3 * _PCIE5.swing * 10 ** (-_PCIE5.budget / divisor)


PREDICTIONS = [
    Prediction(
        "signals.left",
        "A sender swings by 800 mV. On its way to the receiver the fast part of the signal loses 36 dB, all that PCIe 5 allows. "
        "How many millivolts of swing arrive?",
        "ratio", lambda: _left(20),
        "36 dB are 6 times 6 dB: half, six times over, which leaves a sixty-fourth. The receiver has to tell 0 from 1 by "
        "little more than a hundredth of what was sent, 32 thousand million times a second.",
        slips={
            "that is the rule for power, 10 dB for a factor of ten; a voltage falls to a tenth in 20 dB": lambda: _left(10),
            "that divides by the number of decibels; they count factors": lambda: 1e3 * _PCIE5.swing / _PCIE5.budget,
            "that takes 36 mV away; decibels are factors": lambda: 1e3 * _PCIE5.swing - _PCIE5.budget,
            "that halves it for each 3 dB, which is the rule for power; voltage halves in 6 dB":
                lambda: 1e3 * _PCIE5.swing / 2 ** (_PCIE5.budget / 3),
        },
        unit="mV", example="100 mV",
    ),
    Prediction(
        "signals.levels",
        "PCIe 6 sends two bits at a time, as one of four voltages, where PCIe 5 sends one bit as one of two. The swing from the "
        "lowest to the highest stays the same. By how many dB does the gap between neighbouring voltages shrink?",
        "ratio", lambda: 20 * math.log10(_PCIE6.levels - 1),
        "Four levels have three gaps, so each is a third of the swing, and a third is 9.5 dB. That is the price for twice the "
        "bits at the same frequency. Twice the frequency would have cost far more: about twice the dB of every part.",
        slips={
            "that is half the gap: four levels have three gaps between them": lambda: 20 * math.log10(2),
            "that is a quarter: four levels have three gaps, not four": lambda: 20 * math.log10(4),
            "that is the rule for power; a voltage takes 20 log10": lambda: 10 * math.log10(3),
            "that is a factor; in decibels it is 20 log10 of it": lambda: 3,
        },
        unit="dB", example="1 dB",
    ),
    Prediction(
        "signals.later",
        "Two retimers sit between a GPU and the CPU. Each takes 64 ns, the most that PCIe 4 allows, for whatever passes through "
        "it. The GPU asks for data in the CPU's memory. How much later does the answer arrive than without retimers?",
        "time", lambda: 4 * _LIMIT,
        "The question passes two retimers and the answer passes two. Makers offer modes with less than 10 ns, so that two of "
        "them cost less than 40. The bytes a second do not change at all.",
        slips={
            "that counts one way; the question passes them too": lambda: 2 * _LIMIT,
            "that is a single retimer, one way": lambda: _LIMIT,
            "that is a retimer of the fast kind; here each takes 64 ns": lambda: 4 * _FAST,
        },
    ),
]

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
             "That is the rule for power. A voltage falls to a tenth in 20 dB: divide the exponent by 20."),
            ("swing / loss", "Decibels are no divisor: 20 dB leave a tenth, not a twentieth. Use a power of ten."),
            ("swing - loss", "Decibels are added to decibels, never taken from volts. Turn them into a factor first."),
            ("swing * 10 ** (loss / 20)", "This grows with the loss. What is lost has a minus sign in the exponent."),
            ("swing * 2.718281828 ** (-loss / 20)", "This counts with e. Decibels are powers of ten."),
            ("swing * 2 ** (-loss / 6)", "Nearly: 6 dB are only about a half (6.02 dB are). 20 dB are a tenth exactly."),
            ("1e3 * swing * 10 ** (-loss / 20)", "These are millivolts. swing comes in volts, and so should what you return."),
            ("swing * 2 ** (-loss / 3)", "That halves every 3 dB: the rule for power. A voltage halves in about 6 dB."),
        ],
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
    ),
]


def _range(channel: str, generation: str) -> str:
    return " or ".join(str(count) for count in sorted(set(signals.by_board(channel, generation).values())))


def _loss_decides() -> str:
    reported = {row["id"]: row for row in catalog.rows("retimer_counts")}
    each = reported["trn2"]["retimers"] // reported["trn2"]["gpus"]
    old = max(max(signals.by_board(row["id"], "pcie3").values()) for row in catalog.rows("channels"))
    return (f"Loss decides. PCIe 5 may spend {_PCIE5.usable:.3g} dB. With six board materials and assumed lengths, a card near "
            f"the CPU needs {_range('slot', 'pcie5')} retimers, a GPU on a baseboard {_range('baseboard', 'pcie5')}, behind a "
            f"switch {_range('switch-baseboard', 'pcie5')}; with PCIe 3 the same four channels need {old}. Where CPU and "
            "GPU share a module (GH200) there is no such channel. Nor is four a rule for a board: reported were "
            f"{reported['dgx-gpu-board']['retimers']} on the one with eight H100, {reported['mgx-cpu-board']['retimers']} or "
            f"{reported['dgx-cpu-board']['retimers']} on the CPU board that goes with it, {each} for each accelerator of a "
            f"trn2 server, and {reported['hgx-b300']['retimers']} where network adapters have taken their place. Two cost an "
            f"answer at most {units.format(4 * _LIMIT, 's')}.")


VERDICTS = [Verdict("h", "misleads", _loss_decides)]
