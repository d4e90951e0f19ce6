"""How often something of 16,384 GPUs fails, how often to save, how many servers stand by, and what a second plane is worth."""

from fabriclib import units

from ...course.declare import Exercise, Prediction
from ...course.verdicts import Verdict
from .tables import (
    BEST,
    BETWEEN,
    GPUS,
    RUN,
    SAVE,
    SEEN,
    YEAR,
    fewest_spares,
    figure,
    hours_between,
    interval,
    job,
    of_run,
    planes_of,
    years_of,
)

PREDICTIONS = [
    Prediction(
        "when_things_fail.together",
        "In Llama 3's run one GPU, with its memory, stopped the job once in {{ digits(years_of('gpu'), 3) }} years, in the "
        "mean. How often did one of all {{ '{:,}'.format(GPUS) }}?",
        "time", lambda: years_of("gpu") * YEAR / GPUS,
        "{{ '{:,}'.format(GPUS) }} times as often as one: every {{ digits(years_of('gpu') * YEAR / GPUS / 3600) }} hours. With "
        "hosts, cables and software it was every {{ digits(BETWEEN / 3600, 3) }}.",
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


def _longer_saves(best) -> str:
    one, slow, large = (units.format(best(save, between), "s") for save, between in (
        (SAVE, BETWEEN), (60.0, BETWEEN), (SAVE, BETWEEN / 4)))
    return (f"With your function: {one} of work between saves of {SAVE:.2g} s, {slow} if a save takes a minute; with four "
            f"times the GPUs {large}, half as long.")


def _standing_by(fewest) -> str:
    spare = fewest(GPUS)
    none, some = (job(GPUS, many).share for many in (0, spare))
    return (f"With your function: {spare} of {GPUS // 8 + spare:,} servers stand by, and {units.portion(some)} of the time "
            f"trains; with none it is {units.portion(none)}.")


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
        follows=_all_of_it,
    ),
    Exercise(
        "when_things_fail.interval",
        "Write interval: Young's time of work between two saves, for a save and a time between failures in seconds.",
        "interval",
        interval,
        "def interval(save, between):\n    return (2 * save * between) ** 0.5\n",
        cases=[(2.4, 11_000.0), (60.0, 11_000.0), (60.0, 86_400.0)],
        wrong=[
            ("(save * between) ** 0.5", "Of the work since the last save half is lost in the mean. Where does this half go to?"),
            ("2 * save * between", "The losses are save / t and t / (2 between). Where they are equal, t times t is that."),
            ("(2 * between / save) ** 0.5", "A longer save should be made less often. And what is the unit of this?"),
            ("between / 2", "However long a save takes?"),
        ],
        follows=_longer_saves,
    ),
    Exercise(
        "when_things_fail.spares",
        "Decide how many servers stand by. Write fewest_spares: the fewest with which a job on so many GPUs loses at most "
        "`0.01` of the time in waits for repairs. `fl.uptime('dgx-h100', gpus=..., spare=...).shares.waiting` is what it waits.",
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
        follows=_standing_by,
    ),
]


def _a_second_plane() -> str:
    one, two = planes_of()
    share = of_run()["network"] / SEEN
    return (f"A lost cable or leaf then costs {100 * figure('hpn-one-cable'):.3g} % and no restart. But the network had only "
            f"{units.portion(share)} of Llama 3's interruptions: with a second plane there is still one every "
            f"{two.between / 3600:.2f} hours, in place of {one.between / 3600:.2f}. The GPUs fail as they did.")


VERDICTS = [Verdict("n", "holds with a qualification", _a_second_plane)]
