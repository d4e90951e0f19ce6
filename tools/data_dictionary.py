"""Write docs/data.md, the data dictionary, from data/tables.csv and data/columns.csv."""

from __future__ import annotations

from pathlib import Path

from fabriclib import catalog

PAGE = Path(__file__).parents[1] / "docs" / "data.md"
HEAD = """# The data, table by table

Written by `make data` from `data/tables.csv` and `data/columns.csv`, where each table and column is declared: change it there.

A column's kind says how `catalog.rows` reads its cells (`catalog.KINDS`). Numbers are in SI units, and the end of a column's name
says which; 1 is a number without one, (unit) the unit that the row's own column names. Rates are one way. A blank text or list is
empty, a blank number is NaN (unknown), and anything else that is blank is None. The columns `id`, `name`,
`source`, `sources` and `note` mean the same in every table and are left out where a table says no more of them:
"""


def dictionary() -> str:
    """Return the page: what columns are everywhere, and then every table with its columns."""
    everywhere = [one for one in catalog.rows("columns") if not one["table"]]
    parts = [HEAD, _columns(everywhere)]
    for table in catalog.rows("tables"):
        key = " and ".join(f"`{column}`" for column in table["key"])
        own = [one for one in catalog.rows("columns") if one["table"] == table["id"]]
        parts += [f"\n## {table['id']}\n\nA row is {table['row']}; {key} tell{'s' * (len(table['key']) == 1)} rows apart.\n",
                  *([_columns(own)] if own else [])]
    return "\n".join(parts) + "\n"


def _columns(declared: list[catalog.Row]) -> str:
    lines = ["| column | kind | unit | refers to | blank | what it says |", "|---|---|---|---|---|---|"]
    for one in declared:
        refers = f"`{one['refers']}`" if one["refers"] else ""
        lines.append(f"| `{one['column']}` | {one['kind']} | {one['unit']} | {refers} | {'may be' if one['blank'] else ''} | "
                     f"{one['meaning']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(dictionary(), encoding="utf-8")
