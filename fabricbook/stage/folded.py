"""What the table folded under a picture tells: the columns that mean something to a reader, each with its unit.

It is read off the picture: a column that only says where a mark stands along no axis, how large it is or which layer draws it
means nothing to a reader; one along an axis is in that axis's unit.
"""

from __future__ import annotations

from collections.abc import Iterator

from .charts import UNIT_OF

_END_OF = {"x2": "x", "y2": "y"}
_DRAWS = {"size", "opacity", "strokeWidth", "angle", "detail", "order", "xOffset", "filter"}


def columns(spec: dict, hides: tuple[str, ...] = ()) -> dict:
    """Return what the browser makes a table of: which columns it hides, the base unit of some, and the title of some.

    Args:
        spec: the chart, as a Vega-Lite specification.
        hides: columns that mean nothing although the picture has them along an axis or writes them.

    >>> columns({"encoding": {"x": {"field": "place", "axis": None}, "y": {
    ...     "field": "rate", "type": "quantitative", "title": "% of the line"}}})
    {'hides': ['place'], 'units': {}, 'titles': {'rate': 'rate: % of the line'}}
    """
    drawn, told, units, titles = set(), set(), {}, {}
    for channel, field, along in _encoded(spec):
        name = field.replace("\\", "")
        if _means_nothing(channel, along):
            drawn.add(name)
            continue
        told.add(name)
        unit = UNIT_OF.get((along.get("axis") or {}).get("labelExpr"))
        title = (along.get("title") or "").replace(" (logarithmic)", "")
        if unit:
            units[name] = unit
        elif along.get("type") == "quantitative" and title.strip() and "(" not in name:  # else its name says the unit
            titles[name] = title if title.startswith(name) else f"{name}: {title}"
    return {"hides": sorted((drawn - told) | set(hides)), "units": units, "titles": titles}


def _encoded(part) -> Iterator[tuple[str, str, dict]]:
    """Every (channel, field, the definition that the channel goes by) in a specification; a filter is a channel too."""
    for layer in part.get("layer") or ():
        yield from _encoded(layer)
    encoding = part.get("encoding") or {}
    for channel, what in encoding.items():
        if isinstance(what, dict) and isinstance(what.get("field"), str):
            yield channel, what["field"], encoding.get(_END_OF.get(channel, channel)) or {}
    for step in part.get("transform") or ():
        if isinstance(step.get("filter"), dict):
            yield "filter", step["filter"]["field"], {}


def _means_nothing(channel: str, along: dict) -> bool:
    if channel == "color":
        return along.get("type") == "quantitative" and along.get("legend", "") is None
    return channel in _DRAWS or (channel in {"x", "y", *_END_OF} and along.get("axis", "") is None)
