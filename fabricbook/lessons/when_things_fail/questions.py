"""How often something of 16,384 GPUs fails, how often to save, how many servers stand by, and what a second plane is worth."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BEST,
    BETWEEN,
    DESIGNS,
    GPUS,
    REMEDIES,
    RUN,
    SAVE,
    SEEN,
    STORAGE,
    YEAR,
    fewest_spares,
    figure,
    hours_between,
    job,
    model,
    of_run,
    planes_of,
    storage_rate,
    survivor,
    years_of,
)

PREDICTIONS = [
    Prediction(
        "when_things_fail.together",
        "In Llama 3's run one GPU, with its memory, stopped the job once in {{ digits(years_of('gpu'), 3) }} years, in the "
        "mean. How often did one of all {{ thousands(GPUS) }}?",
        "time", lambda: years_of("gpu") * YEAR / GPUS,
        "{{ thousands(GPUS) }} times as often as one: every {{ digits(years_of('gpu') * YEAR / GPUS / 3600) }} hours. With "
        "hosts (the rest of each server), cables and software it was every {{ digits(BETWEEN / 3600, 3) }}.",
        slips={"that counts servers of eight as one": lambda: 8 * years_of("gpu") * YEAR / GPUS},
        example="30 days",
    ),
    Prediction(
        "when_things_fail.save",
        "A job is interrupted every {{ digits(BETWEEN / 3600, 3) }} hours. Then all that was done since the last save is gone. "
        "A save stops the job for {{ digits(SAVE, 2) }} s ({{ si(12 * model.params) }} into a storage that takes "
        "{{ si(STORAGE, 'B/s') }}). How long should it work between two saves, to lose least?",
        "time", lambda: BEST,
        "{{ digits(BEST / 60, 2) }} minutes. Saves then take {{ digits(100 * job().shares.saving, 2) }} % of the time, and as "
        "much goes into work that is done again.",
        slips={"a failure comes in the middle of an interval, so only half of it is done again": lambda: (SAVE * BETWEEN) ** 0.5},
        example="2 hours",
    ),
]


def _all_of_it(hours) -> str:
    parts = {"gpu": GPUS, "host": GPUS / 8, "nic": GPUS, "cable": GPUS, "leaf": GPUS / 16, "software": GPUS}
    found = hours(parts, {part: years_of(part) for part in parts})
    return (f"With your function: Llama 3's parts, {found:.3g} hours between interruptions, {RUN / 3600 / found:.0f} in the run; "
            f"there were {SEEN:.0f}.")


def _what_storage(storage_rate) -> str:
    nbytes = 12 * model.params
    rates = [units.format(storage_rate(nbytes, between, share), "B/s") for between, share in (
        (BETWEEN, 0.02), (BETWEEN, 0.01), (BETWEEN / 4, 0.02))]
    return (f"With your function: to lose a fiftieth of its time Llama 3's job needs {rates[0]} of storage, for a hundredth "
            f"{rates[1]}, and with four times the GPUs {rates[2]} for a fiftieth. Its makers had {units.format(STORAGE, 'B/s')}.")


def _standing_by(fewest) -> str:
    spare = fewest(GPUS)
    none, some = (job(GPUS, many).share for many in (0, spare))
    return (f"With your function: {spare} of {GPUS // 8 + spare:,} servers stand by, and the job trains "
            f"{units.portion(some)} of the time; with none it is {units.portion(none)}.")


def _goes_on(design) -> str:
    found = DESIGNS[design]()
    return (f"On it {units.portion(found.slowest)} of the rate is left if all rings have equal pieces, and "
            f"{units.portion(found.dealt)} if a library deals them anew. It is the only one on which the sum is finished at all.")


def _what_it_gives(remedy) -> str:
    one, *others = (f"{100 * REMEDIES[what]():.1f} %" for what in (remedy, *(what for what in REMEDIES if what != remedy)))
    return f"It trains {one} of the time then; the other three come to {others[0]}, {others[1]} and {others[2]}."


EXERCISES = [
    Exercise(
        "when_things_fail.hours",
        "Write hours: the mean hours between failures of any part. many and years are two dicts by part: how many there are, "
        "and the years after which one of them fails.",
        "hours",
        hours_between,
        "def hours(many, years):\n    failures = sum(many[part] / years[part] for part in many)  # in a year\n"
        "    return 365.25 * 24 / failures\n",
        cases=[({"gpu": 16384}, {"gpu": 9.0}), ({"gpu": 64, "host": 8}, {"gpu": 9.0, "host": 6.6}),
               ({"gpu": 1000, "cable": 1000, "leaf": 60}, {"gpu": 5.0, "cable": 70.0, "leaf": 80.0})],
        wrong=[
            ("365.25 * 24 * min(years[part] / many[part] for part in many)",
             "That is the part that fails most often. The others fail too: add up failures a year."),
            ("365.25 * 24 * sum(years[part] / many[part] for part in many)",
             "More parts cannot make failures rarer. Times do not add up, failures a year do."),
            ("365.25 * 24 * sum(years.values()) / sum(many.values())",
             "A mean of the years counts the leaves as much as the GPUs. Take each part's failures a year, and add."),
            ("sum(many[part] / years[part] for part in many)", "That is failures a year. How many hours lie between them?"),
            ("365.25 / sum(many[part] / years[part] for part in many)", "Those are days, and hours are asked for."),
        ],
        nudge="Times do not add up. What does, when several kinds of parts can fail?",
        half="def hours(many, years):\n"
             "    failures = sum(... for part in many)  # of all parts, in a year\n"
             "    return ... / failures\n",
        follows=_all_of_it,
    ),
    Exercise(
        "when_things_fail.storage",
        "Write storage_rate: the bytes a second that storage must take, so that saves and work that is done again cost at most a "
        "given share of the time. nbytes is what a save writes, between are the seconds from failure to failure; it is saved at "
        "the best interval.",
        "storage_rate",
        storage_rate,
        "def storage_rate(nbytes, between, share):\n"
        "    # Both losses together are (2 * save / between) ** 0.5.\n    save = share**2 * between / 2\n"
        "    return nbytes / save\n",
        cases=[(4.86e12, 11_000.0, 0.02), (4.86e12, 11_000.0, 0.05), (1e12, 86_400.0, 0.01), (1.6e13, 3600.0, 0.03)],
        wrong=[
            ("nbytes / (share * between)",
             "That is a save once between two failures. The best interval is shorter, and then less is done again."),
            ("nbytes / (2 * share**2 * between)",
             "That counts the saves alone. At the best interval, work that is done again costs as much."),
            ("nbytes / (share**2 * between)",
             "Nearly. With the best t put in, C / t and t / (2 M) are equal: what are they together?"),
            ("nbytes / (share * between / 2)",
             "The loss goes with the square root of the save's time: half the loss takes a quarter of it. Where is the square?"),
            ("share**2 * between / 2", "Those are the seconds that a save may take. How many bytes a second is that?"),
        ],
        nudge="First put the best interval into the two losses, and add them up: how do they depend on the time of a save? Then "
              "ask how long a save may be.",
        half="def storage_rate(nbytes, between, share):\n"
             "    # The share is save / t + t / (2 * between), at t = (2 * save * between) ** 0.5.\n    save = ...  # seconds\n"
             "    return nbytes / save\n",
        follows=_what_storage,
    ),
    Exercise(
        "when_things_fail.spares",
        "Decide how many servers stand by. Write fewest_spares: the fewest with which a job on so many GPUs loses at most "
        "a hundredth of the time in waits for repairs. `fl.uptime('dgx-h100', gpus=..., spare=...).shares.waiting` is what it "
        "waits.",
        "fewest_spares",
        fewest_spares,
        "import fabriclib as fl\n\n\ndef fewest_spares(gpus):\n    spare = 0\n"
        "    while fl.uptime('dgx-h100', gpus=gpus, spare=spare).shares.waiting > 0.01:\n        spare += 1\n    return spare\n",
        cases=[(1024,), (4096,), (16384,)],
        wrong=[
            ("round(gpus / 8 / 100)", "A fixed share of the servers is too few for a small job and too many for a large one."),
            ("round(gpus * 6 / 16384)",
             "That many are in repair in the mean. Half of the time there are more, and then the job waits."),
            ("0", "With none the job waits for each repair, a day long."),
        ],
        nudge="Begin with none, and ask what the job waits; one more, and ask again. When is it enough?",
        half="import fabriclib as fl\n\n\ndef fewest_spares(gpus):\n    spare = 0\n"
             "    while ...:\n        spare += 1\n    return spare\n",
        follows=_standing_by,
    ),
    Exercise(
        "when_things_fail.survives",
        "At night a leaf switch dies, and nobody comes before the morning. On which of four designs does the job go on? Set "
        "design to its name.",
        "design",
        survivor,
        'design = "two planes"\n',
        options=list(DESIGNS),
        wrong=[
            ('"one leaf a NIC"', "A NIC with one cable has one leaf. The rings of that rail have no way left."),
            ('"rails on their own"', "A rail without its leaf is in pieces, and here there is no spine to go round by either."),
            ('"a leaf for each rack"',
             "Above the leaf there are many ways. But all GPUs of a server hang on it: nothing leads around the leaf itself."),
        ],
        nudge="Follow the cable from a NIC upwards: at which part is there only one way?",
        half="design = ...  # the one in which a NIC has a second leaf\n",
        follows=_goes_on,
    ),
    Exercise(
        "when_things_fail.remedy",
        "Llama 3's job trains {{ portion(job().share) }} of the time. There is money for one thing. What gives most? Set remedy "
        "to it.",
        "remedy",
        lambda: max(REMEDIES, key=lambda what: REMEDIES[what]()),
        'remedy = "faults found in half the time"\n',
        options=list(REMEDIES),
        wrong=[
            ('"storage twice as fast"',
             "Saves, and what is done again, take {{ portion(job().shares.saving + job().shares.redone) }} together. What takes "
             "more?"),
            ('"a second plane"',
             "The network has {{ of_run()[NETWORK] }} of {{ digits(SEEN, 3) }} interruptions. The others happen as before."),
            ('"twice the spare servers"',
             "With {{ fewest_spares(GPUS) }} the job waits for repairs for a hundredth of its time at most: no more than that is "
             "left to win."),
        ],
        nudge="Ask the library for the shares of the job's time: which loss is the largest, and which remedy touches it?",
        half="import fabriclib as fl\n\nshares = fl.uptime(...).shares\n"
             "largest = ...  # of shares.saving, shares.redone, shares.restarting and shares.waiting\nremedy = ...\n",
        follows=_what_it_gives,
    ),
]


def _a_second_plane() -> str:
    one, two = planes_of()
    share = of_run()["network"] / SEEN
    return (f"A lost cable or leaf then costs {100 * figure('hpn-one-cable'):.3g} % and no restart. But the network had only "
            f"{units.portion(share)} of Llama 3's interruptions: with a second plane there is still one every "
            f"{two.between / 3600:.2g} hours, in place of {one.between / 3600:.2g}. The GPUs fail as they did.")


VERDICTS = [Verdict("n", "holds with a qualification", _a_second_plane)]
