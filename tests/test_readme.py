"""What the README says about accuracy is what data/held_out.csv holds."""

import numpy as np
from lessons import LESSONS, ROOT, read

from fabriclib import accuracy, machines

README = (ROOT / "README.md").read_text(encoding="utf-8")


def cells(errors) -> str:
    return " | ".join("" if np.isnan(error) else f"{100 * error:.0f} %" for error in errors)


def accuracy_rows() -> list[str]:
    """The table's rows: both groups, then every machine, one node and several apart, the largest error last."""
    held_out, groups = accuracy.held_out(), {}
    for table in accuracy.tables():
        where = "one node" if table.nodes == 1 else "several"
        groups.setdefault((machines.system(table.system).name, where), []).append(held_out[table.id])
    with np.errstate(all="ignore"):
        means = {key: [np.nanmean(column) if not np.all(np.isnan(column)) else np.nan for column in np.transpose(scores)]
                 for key, scores in groups.items()}
    rows = [f"| **all, {group}** | {cells(errors)} |" for group, errors in accuracy.summary(held_out).items()]
    ordered = sorted(means, key=lambda key: means[key][0])
    return rows + [f"| {name}, {where} ({len(groups[name, where])}) | {cells(means[name, where])} |" for name, where in ordered]


def test_the_table_of_errors_is_that_of_the_model():
    rows = accuracy_rows()
    assert "\n".join(rows) in README, "README.md should hold:\n" + "\n".join(rows)


def test_the_map_names_every_lesson_and_its_minutes():
    for path in LESSONS:
        minutes = read(path)["cells"][0]["source"].split(" minutes")[0].split()[-1]
        assert f"(notebooks/{path.name}) | {minutes} |" in README
