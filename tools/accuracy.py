"""Print how far the predictions are from the published tables, per machine, collective and regime.

    python tools/accuracy.py            refit without each site in turn, score the tables of that site, and print
    python tools/accuracy.py --refit    fit the shipped constants anew, on the tables declared for fitting: data/fitted.csv
    python tools/accuracy.py --write    print, and write the scores of tables held out by site: data/held_out.csv, README.md
    python tools/accuracy.py --add      write the scores that are missing there, of new tables
    python tools/accuracy.py --steps    score training steps, each source left out in turn: held_out_steps.csv, README.md
    python tools/accuracy.py --refit-steps    fit the constants of training steps anew, on all their tables
    python tools/accuracy.py --requests, --refit-requests    the same of requests
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import fitting
import numpy as np
import room_fitting

from fabriclib import accuracy, catalog, machines
from fabriclib.workloads import published

README = Path(__file__).resolve().parents[1] / "README.md"


def leave_one_site_out(tables):
    """Return {table id: error by regime}, each with constants that never saw a table of its site, nor started near them."""
    sites = sorted({table.site for table in tables})
    with ProcessPoolExecutor() as pool:
        return {id: score for scores in pool.map(of_site, sites) for id, score in scores.items()}


def of_site(site: str) -> dict:
    """Return {table id: error by regime} of the tables of one *site*, held out."""
    constants = fitting.build(fitting.fit([table for table in accuracy.tables() if table.site != site]))
    return {table.id: accuracy.by_regime(table, constants) for table in accuracy.tables() if table.site == site}


def show(title: str, scores) -> None:
    head = f"{'machine':15} {'collective':15} {'GPUs':>5} {'table':32}" + "".join(f"{name:>14}" for name in accuracy.REGIMES)
    print(f"\n{title}\n{head}\n{'-' * len(head)}")
    for table in sorted(accuracy.tables(), key=lambda t: (t.nodes > 1, t.system, t.collective, t.ranks)):
        if table.id in scores:
            print(f"{table.system:15} {table.collective:15} {table.ranks:5} {table.id:32}" + _cells(scores[table.id]))
    for group, means in accuracy.summary(scores).items():
        many = sum(1 for table in accuracy.tables() if table.id in scores and (table.nodes == 1) == (group == "single-node"))
        print(f"{'mean, ' + group + f' ({many} tables)':70}" + _cells(means))


def write(scores) -> None:
    with open(catalog.data_folder() / "held_out.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["table", "all_sizes", "small", "between", "large"])
        for table in accuracy.tables():
            writer.writerow([table.id, *("" if math.isnan(one) else f"{one:.4f}" for one in scores[table.id])])
    README.write_text(with_scores(README.read_text(encoding="utf-8"), scores), encoding="utf-8")


def readme_rows(held_out) -> list[str]:
    """Return the rows of README's table: both groups, then every machine, one node and several apart, the largest error last."""
    groups: dict[tuple[str, str], list] = {}
    for table in accuracy.tables():
        where = "one node" if table.nodes == 1 else "several"
        groups.setdefault((machines.system(table.system).name, where), []).append(held_out[table.id])
    means = {key: [np.mean([one for one in column if one == one] or math.nan) for column in zip(*scores, strict=True)]
             for key, scores in groups.items()}
    rows = [f"| **all, {group}** | {_rounded(errors)} |" for group, errors in accuracy.summary(held_out).items()]
    ordered = sorted(means, key=lambda key: means[key][0])
    return rows + [f"| {', '.join(key)} ({len(groups[key])}) | {_rounded(means[key])} |" for key in ordered]


def with_scores(text: str, held_out) -> str:
    """Return README's *text* with these scores in its table, and the number of tables above it."""
    rows = "\n".join(readme_rows(held_out))
    text = re.sub(r"(?<=\n\|---\|---\|---\|---\|---\|\n)(?:\|.*\n)+", lambda _: rows + "\n", text, count=1)
    return re.sub(r"beside \d+ published", f"beside {len(accuracy.tables())} published", text, count=1)


ROOMS = {"steps": (room_fitting.training, "training steps"), "requests": (room_fitting.serving, "requests")}


def with_room(text: str, which: str, scores) -> str:
    """Return README's *text* with these scores of training steps or requests in their table, and the number of rows above."""
    room, said = ROOMS[which][0](), ROOMS[which][1]
    head, found, rest = text.partition(f"### {said.capitalize()}\n")
    rows = "\n".join(room.readme_rows(scores))
    rest = re.sub(r"(\n(?:\|---)+\|\n)(?:\|.*\n)+", lambda found: found[1] + rows + "\n", rest, count=1)
    return head + found + re.sub(r"beside \d+ published", f"beside {room.published.seconds.size} published", rest, count=1)


def show_room(which: str, scores) -> None:
    room, said = ROOMS[which][0](), ROOMS[which][1]
    print(f"\n{said.capitalize()}: |predicted / measured - 1| of the time, by table")
    print(f"{'table':78}{'rows':>6}" + "".join(f"{name.replace('_', ' '):>12}" for name in room.columns))
    for row in room.readme_rows(scores):
        name, many, *errors = (cell.strip(" *") for cell in row.strip("|").split("|"))
        print(f"{name[:77]:78}{many:>6}" + "".join(f"{error:>12}" for error in errors))


def wired_rows() -> list[str]:
    """Return the rows of README's table of what is pure wiring: the mean, then table by table."""
    off = {table: np.abs(np.array(ratios) - 1) for table, ratios in published.wired().items()}
    rows = [f"| **all** |  | {100 * np.mean([one.mean() for one in off.values()]):.1f} % |"]
    return rows + [f"| {table} | {one.size} | {100 * one.mean():.1f} % |"
                   for table, one in sorted(off.items(), key=lambda pair: pair[1].mean())]


def with_wired(text: str) -> str:
    """Return README's *text* with the errors of what is pure wiring."""
    head, found, rest = text.partition("| pure wiring |")
    rows = "\n".join(wired_rows())
    return head + found + re.sub(r"(\n(?:\|---)+\|\n)(?:\|.*\n)+", lambda found: found[1] + rows + "\n", rest, count=1)


def score_room(which: str) -> None:
    """Score a room, print that, and write it into its table of data/ and README.md."""
    room = ROOMS[which][0]()
    scores = room.scores()
    show_room(which, scores)
    room.write(scores)
    README.write_text(with_wired(with_room(README.read_text(encoding="utf-8"), which, scores)), encoding="utf-8")


def _rounded(errors) -> str:
    return " | ".join("" if math.isnan(error) else f"{100 * error:.0f} %" for error in errors)


def _cells(errors) -> str:
    return "".join(f"{'' if math.isnan(error) else f'{100 * error:.1f} %':>14}" for error in errors)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--refit", action="store_true", help="fit and write data/fitted.csv")
    arguments.add_argument("--write", action="store_true", help="write data/held_out.csv and README.md")
    arguments.add_argument("--add", action="store_true", help="write there what is missing")
    for which, (_, said) in ROOMS.items():
        arguments.add_argument(f"--refit-{which}", action="store_true", help=f"fit the constants of {said}: data/fitted.csv")
        arguments.add_argument(f"--{which}", action="store_true", help=f"score {said} alone, and write them")
    asked = arguments.parse_args()
    for which, (room, _) in ROOMS.items():
        if getattr(asked, f"refit_{which}"):
            room().refit()
            print("wrote data/fitted.csv; run again to see the errors")
            return 0
        if getattr(asked, which):
            score_room(which)
            return 0
    if asked.refit:
        kept = [table for table in accuracy.tables() if table.split == "fit"]
        fitting.write(fitting.fit(kept), kept)
        print("wrote data/fitted.csv; run again to see the errors")
        return 0
    if asked.add:
        new = [table for table in accuracy.tables() if table.id not in accuracy.held_out()]
        write(leave_one_site_out(new) | accuracy.held_out())
        return 0
    for split, seen in (("fit", "the tables they were fitted on"), ("validate", "tables they never saw")):
        show(f"Shipped constants, on {seen}", {t.id: accuracy.by_regime(t) for t in accuracy.tables() if t.split == split})
    held_out = leave_one_site_out(accuracy.tables())
    show("Headline: constants fitted without any table of the same site", held_out)
    shared = {table.id for table in accuracy.tables() if table.cause}
    for group, means in accuracy.summary({id: one for id, one in held_out.items() if id not in shared}).items():
        print(f"{f'the same without {len(shared)} tables of a shared network, {group}':70}" + _cells(means))
    for which, (room, _) in ROOMS.items():
        show_room(which, room().scores())
    print("\nPure wiring, nothing fitted\n" + "\n".join(wired_rows()))
    if asked.write:
        write(held_out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
