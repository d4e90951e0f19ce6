"""Who holds a line after each access, as a picture: a row for each access, and in it a cell for each place that may hold it.

`cell` gives the rows of the live table, `chart` the picture.
"""

from __future__ import annotations

import functools

from ...stage import charts, parts

STEPS = 8
_WORDS = {"M": "modified", "E": "exclusive", "S": "shared", "I": "invalid", "–": "no cache", "✓": "up to date", "✗": "too old"}
_SHADES = {"M": 1.0, "E": 0.6, "S": 0.22, "✓": 0.22}
_COLUMNS = {"host": (0.44, 0.58), "device": (0.58, 0.72), "memory": (0.72, 0.86), "messages": (0.86, 1.0)}
_of_row = functools.partial(parts.of_row, STEPS)


def cell(number: int, column: str, state: str, now: bool) -> dict:
    """Return the row of a *column* of access *number*: its *state*, "" while it is to come, and whether it is the present one."""
    left, right = _COLUMNS[column]
    first, counted = column == "host", column == "messages" and state != ""
    return {"access": number, "does": "", "sent": "", "state": state, "word": "sent" if counted else _WORDS.get(state, ""),
            "shade": _SHADES.get(state, 0.0), "from": left, "to": right, "middle": (left + right) / 2, "left": 0.0, "right": 1.0,
            "column": column if number == 1 else "", "now": "yes" if now and first else "no", "done": "yes" if state else "no"}


def if_narrow(small: float, large: float):
    """A size for a chart beside another window or on a telephone, and one for a page's width."""
    import altair as alt

    return alt.ExprRef(f"width < 400 ? {small} : {large}")


def chart():
    """Return the picture of the rows in the live table."""
    import altair as alt

    now = charts.live().transform_filter("datum.now == 'yes'").mark_rect(filled=False, stroke=charts.BLACK, strokeWidth=3.5)
    head = alt.ExprRef("width < 400 && datum.column == 'messages' ? 'sent' : datum.column")
    heads = charts.live().mark_text(text=head, fontSize=if_narrow(10.5, 13), color=charts.INK).encode(
        x=_across("middle"), y=alt.value(-13))
    empty = charts.live().mark_rect(filled=False, stroke=charts.GRID).encode(x=_across("from"), x2="to:Q", y=_down())
    frame = now.encode(x=_across("left"), x2="right:Q", y=_down())
    return charts.stack(empty, *_states(), *_accesses(), frame, heads, height=46 * STEPS, description=(
        "A row for each of eight accesses: who does what, and the messages that cross the link, with arrows to the right from "
        "the host to the device and to the left from the device to the host. Then the state of the line, as a letter and a "
        "shade, in the host's cache and in the device's, whether the memory is up to date, and how many messages it took. A "
        "thick frame marks the present access; rows below it are still to come."))


def _across(field):
    import altair as alt

    hidden = alt.Axis(labels=False, ticks=False, grid=False, orient="top", titlePadding=26)
    return charts.x(field, (0, 1), title="who holds the line after each access").axis(hidden)


def _down():
    return charts.names("access", list(range(1, STEPS + 1)))


def _states():
    """The state of the line in each cache: a shade, its letter, and below it the word."""
    import altair as alt

    cell = charts.live().transform_filter("datum.state != ''")
    shade = alt.Color("shade:Q", legend=None, scale=alt.Scale(
        domain=[0, 1], range=[charts.PAPER, charts.CHIP], interpolate="rgb"))
    ink = alt.condition("datum.shade > 0.5", alt.value(charts.PAPER), alt.value(charts.INK))
    filled = cell.mark_rect(stroke=charts.FAINT, strokeWidth=1).encode(x=_across("from"), x2="to:Q", y=_down(), color=shade)
    letter = cell.mark_text(fontSize=_of_row(0.38, 17), fontWeight="bold", dy=_of_row(-0.16, 6)).encode(
        x=_across("middle"), y=_down(), text="state:N", color=ink)
    word = cell.mark_text(fontSize=_of_row(0.28, 12), dy=_of_row(0.26, 12), opacity=if_narrow(0, 1)).encode(
        x=_across("middle"), y=_down(), text="word:N", color=ink)
    return filled, letter, word


def _accesses():
    """What each access does, and below it what it sends."""
    import altair as alt

    room, narrow = f"(width * {_COLUMNS['host'][0]} - 8)", "width < 400"
    size = alt.ExprRef(f"{narrow} ? 10.5 : {charts.fitting(room, 15, text='does').expr}")
    does = alt.value(alt.ExprRef(f"{narrow} ? replace(datum.does, \"host's \", '') : datum.does"))
    said = charts.live().mark_text(align="left", dx=8, dy=_of_row(-0.2, 8), fontSize=size, fontWeight="bold").encode(
        x=_across("left"), y=_down(), text=does, color=alt.condition(
            "datum.done == 'yes'", alt.value(charts.INK), alt.value(charts.FAINT)))
    size = alt.ExprRef(f"{narrow} ? 10.5 : {charts.fitting(room, 13, text='sent').expr}")
    messages = alt.value(alt.ExprRef(f"{narrow} ? split(replace(datum.sent, ', ', ',|'), '|') : datum.sent"))  # in two lines
    sent = charts.live().mark_text(align="left", dx=8, fontSize=size, lineHeight=12, color=charts.INK,
                                    dy=alt.ExprRef(f"{narrow} ? 4 : {_of_row(0.24, 11).expr}")).encode(
        x=_across("left"), y=_down(), text=messages)
    return said, sent
