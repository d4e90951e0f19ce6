"""Memory behind CXL: what coherence gives, and what it does not."""

from fabriclib import catalog, framing, units
from fabriclib.links import link
from fabriclib.memory import Tier, memory_mix

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import DATA, direct, local, longer, ping_pong

PREDICTIONS = [
    Prediction(
        "cxl.half",
        "A server's local DRAM delivers at most {{ si(local.bandwidth, 'B/s', 4) }}. A memory card behind a CXL port with 16 "
        "lanes adds {{ si(direct.bandwidth, 'B/s') }}. A program sends half of its reads to the card and half to local DRAM. "
        "How many bytes per second does it get at most?",
        "rate", lambda: memory_mix([0.5, 0.5], [local, direct]).bandwidth,
        "The card is full at {{ si(direct.bandwidth, 'B/s') }}, and for every byte from it the program takes one from local "
        "DRAM: twice {{ digits(1e-9 * direct.bandwidth, 3) }}. The local DRAM, "
        "{{ digits(local.bandwidth / direct.bandwidth) }} times as fast, is idle for "
        "{{ portion(1 - direct.bandwidth / local.bandwidth) }} of the time. The slow part sets the pace of the fast one, unless "
        "the split follows the rates.",
        slips={
            "that adds the two rates, which only a split in the proportion of the rates reaches":
                lambda: local.bandwidth + direct.bandwidth,
            "that is the mean of the two rates; local DRAM cannot run ahead of a card that gets as many reads":
                lambda: (local.bandwidth + direct.bandwidth) / 2,
            "that is the card alone; while it delivers its half, local DRAM delivers as much again": lambda: direct.bandwidth,
            "that lets the two take turns; they work at the same time":
                lambda: 2 / (1 / local.bandwidth + 1 / direct.bandwidth),
        },
    ),
    Prediction(
        "cxl.ping-pong",
        "A device with a cache of its own and its host write the same line in turn: device, host, device, host, eight writes in "
        "all. Every request, every answer and every transfer of the line is one message over the link. How many messages?",
        "ratio", lambda: ping_pong(8),
        "Each write needs three: somebody asks for the line, somebody gives it up, and its 64 bytes come over. Nobody made a "
        "mistake and no byte was lost; but every single write waits for the link.",
        slips={
            "that is one a write; a line that the other side holds must be asked for, given up and sent": lambda: 8,
            "that is two a write; the line must be asked for, given up, and then its bytes sent": lambda: 16,
            "that is the first write alone; by the second, the line has moved to the other cache": lambda: ping_pong(1),
            "that is four a write; of asking, granting, giving up and sending one always stays inside the host": lambda: 32,
            "that is half of it: both sides write, and both pay": lambda: ping_pong(8) / 2,
        },
        unit="messages", example="10 messages",
    ),
    Prediction(
        "cxl.one-line",
        "CXL 2.0 sends boxes of {{ digits(small_flit) }} bytes (flits), each with four slots of {{ framing.SLOT }} bytes. One "
        "line of {{ framing.CACHE_LINE }} bytes fills four slots, and the message that announces it needs a fifth. It travels "
        "alone. Which share of the bytes sent is the line, in %?",
        "ratio", lambda: 100 * framing.line_share("cxl-68", lines=1),
        "Five slots need two flits: {{ digits(2 * small_flit, 3) }} bytes for a line of {{ framing.CACHE_LINE }}. Three slots "
        "stay empty. With more lines on their way they would be filled, and the share rises.",
        slips={
            "that is one flit; the message's slot needs a second one": lambda: 100 * framing.share("cxl-68"),
            "that counts five slots, but only whole flits are sent": lambda: 100 * framing.CACHE_LINE / (5 * framing.SLOT),
            "that sends a flit and a quarter; only whole flits are sent":
                lambda: 100 * framing.CACHE_LINE / (1.25 * framing.flit_bytes("cxl-68")),
            "that is the share as a fraction; in % it is a hundred times as much":
                lambda: framing.line_share("cxl-68", lines=1),
        },
        unit="%", example="12 %",
    ),
]


def _mix_rate(share: float, local: float, cxl: float) -> float:
    return memory_mix([1 - share, share], [Tier("", "", 0, 0, 0, rate) for rate in (local, cxl)]).bandwidth


def _of_one_card(theirs) -> str:
    little, half = (theirs(share, local.bandwidth, direct.bandwidth) for share in (0.05, 0.5))
    return (f"With your function: a twentieth to one card gives {units.format(little, 'B/s')}, half of it "
            f"{units.format(half, 'B/s')}; local DRAM alone gives {units.format(local.bandwidth, 'B/s')}.")


def _of_one_link(theirs) -> str:
    line, wire = theirs(1, 1), link("cxl2").line
    return (f"With your function: if every line came alone, 16 lanes of CXL 2.0 would carry {units.format(line * wire, 'B/s')} "
            f"of lines; twelve at a time, {units.format(theirs(12, 12) * wire, 'B/s')}.")


def _of_more_cards(theirs) -> str:
    shares = {cards: theirs(cards, local.bandwidth, direct.bandwidth) for cards in (1, 4)}
    one, four = (units.format(_mix_rate(share, local.bandwidth, cards * direct.bandwidth), "B/s")
                 for cards, share in shares.items())
    return (f"With your function: {units.portion(shares[1])} of the accesses to one card give {one}, {units.portion(shares[4])} "
            f"to four give {four}, where local DRAM alone gives {units.format(local.bandwidth, 'B/s')}.")


def _of_each_sort(data) -> str:
    others = ", ".join(f"{units.format(longer(one), 's')} with {one}" for one in DATA if one != data)
    return (f"With {data} in CXL memory a second of the program gets {units.format(longer(data), 's')} longer; it would be "
            f"{others}.")


EXERCISES = [
    Exercise(
        "cxl.mix-rate",
        "Write mix_rate: the most bytes a second that a program gets from local DRAM and CXL memory together.",
        "mix_rate",
        _mix_rate,
        "def mix_rate(share, local, cxl):\n"
        "    local_is_full = local / (1 - share)\n"
        "    cxl_is_full = cxl / share\n"
        "    return min(local_is_full, cxl_is_full)\n",
        cases=[(0.5, 460.8e9, 59.3e9), (0.05, 460.8e9, 59.3e9), (0.2, 460.8e9, 237.2e9), (0.25, 307.2e9, 59.3e9)],
        wrong=[
            ("local + cxl", "That is the best possible mix, and it ignores share. Ask for each memory: at which total rate "
                            "does its part of the accesses fill it?"),
            ("(1 - share) * local + share * cxl",
             "That is the mean of the rates. But a memory that gets a fixed share of the accesses cannot be left behind: the "
             "first one that is full holds all up."),
            ("1 / ((1 - share) / local + share / cxl)",
             "That lets the two memories take turns, one byte after the other. They work at the same time: look for the one "
             "that is busy longer."),
            ("max(local / (1 - share), cxl / share)",
             "That is the total at which the second memory is full. By then the first has been full for a while: take the "
             "smaller of the two."),
            ("local / (1 - share)", "That is right as long as local DRAM is full first. With a large share it is CXL: compare "
                                   "the two."),
            ("min((1 - share) * local, share * cxl)",
             "A memory that gets a part of the accesses is full when the total is its rate divided by that part."),
            ("min(local / share, cxl / (1 - share))", "The shares are swapped: share is the part that goes to CXL."),
            ("cxl / share", "That is right as long as CXL is full first. With a small share it is local DRAM: compare the two."),
            ("min(local, cxl)", "That is the slower memory alone. It delivers only its share of the total."),
        ],
        nudge="Ask of each memory by itself: at which total is its part of the accesses as much as it delivers? The "
              "first that is full decides.",
        half="def mix_rate(share, local, cxl):\n"
             "    cxl_is_full = cxl / share\n"
             "    local_is_full = ...\n"
             "    return ...\n",
        follows=_of_one_card,
    ),
    Exercise(
        "cxl.flit-share",
        "Write flit_share: the share of the bytes sent that are cache lines, in flits of {{ digits(small_flit) }} bytes with "
        "four slots of {{ framing.SLOT }}.",
        "flit_share",
        lambda lines, messages: framing.line_share("cxl-68", lines, messages),
        "import math\n\n\n"
        "def flit_share(lines, messages):\n"
        "    flits = math.ceil((4 * lines + messages) / 4)\n"
        "    return 64 * lines / (68 * flits)\n",
        cases=[(1, 1), (3, 1), (6, 2), (12, 4), (5, 5)],
        wrong=[
            ("64 * lines / (68 * (4 * lines + messages) / 4)",
             "This sends parts of flits. Only whole ones are sent: round their number up, with math.ceil."),
            ("100 * 64 * lines / (68 * -(-(4 * lines + messages) // 4))", "Nearly: asked for is the share itself, between 0 and "
                                                                          "1, not in per cent."),
            ("64 * lines / (68 * ((4 * lines + messages) // 4 + 1))",
             "Nearly: when the slots fill the flits exactly, this sends an empty one more. Round up, with math.ceil."),
            ("64 * lines / (64 * lines + 16 * messages)",
             "This counts bytes of lines and messages alone. Sent are whole flits of {{ digits(small_flit) }} bytes, each with "
             "four slots."),
            ("64 * lines / (68 * lines)", "This leaves out the messages. Each takes a slot, and four slots make a flit."),
            ("64 * lines / (68 * ((4 * lines + messages) // 4))",
             "This rounds down: the last slots are never sent. Round up, with math.ceil."),
            ("64 * lines / (64 * -(-(4 * lines + messages) // 4))",
             "This counts only the slots. A flit is {{ digits(small_flit) }} bytes: two more to say what it carries and two to "
             "check it."),
            ("64 * lines / (68 * (lines + messages))",
             "This gives each message a flit of its own. It needs one slot of 16 bytes; a flit has four."),
            ("64 * lines / (68 * -(-(4 * lines + messages * lines) // 4))",
             "messages is the number for all lines together, not for each of them."),
            ("(64 * lines + 16 * messages) / (68 * -(-(4 * lines + messages) // 4))",
             "This counts the messages as load. Asked for is the share of the lines alone."),
        ],
        nudge="Count slots first, of lines and messages together; then whole flits; then bytes.",
        half="import math\n\n\n"
             "def flit_share(lines, messages):\n"
             "    slots = 4 * lines + messages\n"
             "    flits = ...  # whole ones\n"
             "    return 64 * lines / ...\n",
        follows=_of_one_link,
    ),
    Exercise(
        "cxl.best-share",
        "Write best_share: the part of the accesses that should go to so many CXL cards, so that all memories are full at once.",
        "best_share",
        lambda cards, local, cxl: cards * cxl / (local + cards * cxl),
        "def best_share(cards, local, cxl):\n"
        "    behind = cards * cxl\n"
        "    return behind / (local + behind)\n",
        cases=[(1, 460.8e9, 59.3e9), (4, 460.8e9, 59.3e9), (2, 307.2e9, 59.3e9)],
        wrong=[
            ("cards * cxl / local", "That compares the cards with local DRAM. A share is a part of both together."),
            ("local / (local + cards * cxl)", "That is what goes to local DRAM. The cards get the rest."),
            ("cxl / (local + cxl)", "That is one card. Several of them deliver more, and should get more."),
            ("cards / (cards + 1)", "That gives every memory as much, and local DRAM is far faster than a card."),
            ("local + cards * cxl", "That is the rate of all memories together. Asked is the part that goes to the cards."),
        ],
        nudge="All are full at once when each gets as much of the work as it delivers of the rate.",
        half="def best_share(cards, local, cxl):\n"
             "    behind = cards * cxl\n"
             "    together = ...\n"
             "    return ...\n",
        follows=_of_more_cards,
    ),
    Exercise(
        "cxl.place",
        "Set data: which of them should move to the card, so that a second of the program gets longer by the least?",
        "data", lambda: min(DATA, key=longer), 'data = "old conversations"\n', options=DATA,
        wrong=[
            ("'the weights'", "A stream hardly minds latency, but this one is more than the card delivers: it needs "
                              "{{ si(spent('the weights', direct), 's') }} for a second's work."),
            ("'an index'", "Each load waits for the one before, and takes {{ digits(direct.latency / local.latency) }} times as "
                           "long."),
            ("'a counter'", "Every write must fetch the line from the other side: coherent, and a trip each time."),
        ],
        nudge="Ask of each: does it wait for rate or for latency? Then multiply by how often.",
        half="streamed = ...  # bytes over the card's rate, less bytes over local DRAM's\n"
             "waited = ...  # loads times the difference of the two latencies\n"
             "data = ...\n",
        follows=_of_each_sort,
    ),
]


def _what_ships() -> str:
    ways = catalog.rows("cxl_sharing")
    ships = [way["id"] for way in ways if way["status"] == "ships"]
    nvlink = link("nvlink4")
    gpu = nvlink.bundle(nvlink.per_device).bandwidth()
    fewest, most = (catalog.figure(f"cxl-cards-{end}").value for end in ("low", "high"))
    return (f"Of the {len(ways)} ways to share in our table {len(ships)} ship: a CPU with its memory expander, several CPUs that "
            "divide a pool (each byte has one owner), several CPUs that share the same bytes of a pool (their programs keep them "
            "coherent, not the hardware), an FPGA with its CPU. As of November 2026 no NIC, GPU or SSD with coherent CXL was "
            "found, and hosts that hardware keeps coherent are specified since 3.0 but not to be had. Coherent is not fast: a "
            f"load takes {direct.latency / local.latency:.1f} times as long as from local DRAM (four cards took "
            f"{units.format(direct.low, 's')} to {units.format(direct.high, 's')}; another study says {fewest:g} to {most:g} "
            "times), 16 lanes move "
            f"{units.format(direct.bandwidth, 'B/s')} one way against an H100's {units.format(gpu, 'B/s')} over NVLink, and "
            f"two who write one line in turn pay {ping_pong(8) // 8} messages a write.")


VERDICTS = [Verdict("f", "holds with a qualification", _what_ships)]
