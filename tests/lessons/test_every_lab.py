"""Every lab of the package, every control, over its whole range."""

import itertools
import math
import re

import pytest
from remembered import remembered

import fabricbook as book
from fabricbook.stage import charts
from fabricbook.stage.wire import plain_columns

# What one of is said so, and thousands of with a comma; before a % stands a space.
_MANY = ("ports|inches|buffers|messages|rings|links|GPUs|chips|pairs|copies|flows|packets|ranks|requests|switches|servers|"
         "interruptions|chunks|nodes|texts")
MISWRITTEN = re.compile(rf"(?<![.,\d])(?:1 (?:{_MANY})|\d{{4,}} (?:{_MANY}|years|bytes|[kMGT]?B/s)|1 of \d+ \w+ are|"
                        rf"(?<!to )1 times (?:as|the))\b|\d%")


def states(lab):
    """Control values: each control over its whole range with the others at their defaults, then all corners."""
    for control in lab.controls.values():
        for value in control.values:
            yield {control.name: value}
    ends = [[(control.name, end) for end in (control.values[0], control.values[-1])] for control in lab.controls.values()]
    yield from map(dict, itertools.product(*ends))


def encodings(spec):
    """Every (channel, definition, rows of fixed data or None for live data) in a specification and its layers."""

    def walk(part, data):
        data = part.get("data", data)
        for channel, definition in part.get("encoding", {}).items():
            live = data["name"] == charts.LIVE if "name" in data else False
            yield channel, definition, None if live else data.get("values") or spec["datasets"][data["name"]]
        for layer in part.get("layer", []):
            yield from walk(layer, data)

    return walk(spec, None)


def plain_field(definition):
    return re.sub(r"\\(.)", r"\1", definition["field"])


def axes(lab):
    """{column: (lowest, highest)} of every numeric axis the live data is drawn on."""
    found = {}
    for channel, definition, fixed in encodings(lab.spec):
        if fixed is None and channel in ("x", "y", "x2", "y2") and definition.get("type") == "quantitative":
            found[plain_field(definition)] = definition["scale"]["domain"]
    return found


@pytest.fixture(params=book.labs(), scope="module")
def each(request):
    lab = book.lab(request.param)
    lab.answer = remembered(lab.answer)
    return lab


def test_every_state_has_a_table_within_the_fixed_axes_and_a_sentence_with_a_number(each):
    limits = axes(each)
    for controls in states(each):
        table, sentence = each.evaluate(**controls)
        assert len(table) > 0, controls
        assert re.search(r"\d", sentence), controls
        assert not re.search(r"\bnan\b|\binf\b", sentence), (controls, sentence)
        assert not re.search(r"\de[+-]\d|-\d[\d.]* [kMGT]?i?B\b", sentence), (controls, sentence)
        assert not re.search(MISWRITTEN, sentence), (controls, sentence)
        for column, (low, high) in limits.items():
            drawn = table[column].dropna()
            outside = drawn[(drawn < low * (1 - 1e-9)) | (drawn > high * (1 + 1e-9))]
            assert outside.empty, (controls, column, outside.iloc[0])


def test_every_state_reaches_the_browser_whole(each):
    for controls in states(each):
        every = defaults(each) | controls
        each.set(**every)
        assert each.widget.state["error"] == "", controls
        assert each.widget.state["sentence"] == each.evaluate(**every)[1]


def defaults(lab):
    return {control.name: control.default for control in lab.controls.values()}


def test_the_chart_draws_columns_that_exist(each):
    columns = set(each.evaluate()[0].columns)
    for channel, definition, fixed in encodings(each.spec):
        if "field" in definition:
            known = columns if fixed is None else set(fixed[0])
            assert plain_field(definition) in known, (channel, definition)


def test_the_chart_moves_with_the_table(each):
    assert any(fixed is None and "field" in definition for _, definition, fixed in encodings(each.spec))


def test_every_axis_of_numbers_is_labelled_and_fixed(each):
    for channel, definition, _ in encodings(each.spec):
        if channel in ("x", "y") and definition.get("type") == "quantitative":
            axis = definition.get("axis") or {}
            assert definition.get("title") or axis.get("title"), definition
            low, high = definition["scale"]["domain"]
            assert -math.inf < low < high < math.inf


def test_the_chart_is_described_for_those_who_cannot_see_it(each):
    assert len(each.spec["description"]) > 20


def views(spec):
    """Every plot of a specification: its layers, each as (mark, whole encoding, rows of fixed data or None for live data)."""
    found = []

    def walk(part, encoding, data, view):
        encoding, data = encoding | part.get("encoding", {}), part.get("data", data)
        for beside in ("hconcat", "vconcat", "concat"):
            for inner in part.get(beside, []):
                found.append([])
                walk(inner, encoding, data, found[-1])
        if "mark" in part:
            live = data.get("name") == charts.LIVE
            view.append((part["mark"]["type"], encoding, None if live else data.get("values") or spec["datasets"][data["name"]]))
        for inner in part.get("layer", []):
            walk(inner, encoding, data, view)

    found.append([])
    walk(spec, {}, None, found[0])
    return found


def coloured(layer):
    """The columns by which a layer of a plot gives its marks several colours."""
    _, encoding, _ = layer
    for channel in ("color", "fill", "stroke"):
        definition = encoding.get(channel, {})
        shades = definition.get("scale", {}).get("range", "many") if "field" in definition else []
        if len(set(shades)) > 1:
            yield plain_field(definition)


def signs(layer, rows):
    """The columns that tell a layer's marks apart without colour: by dash, shape or direction, or by the name they stand at."""
    _, encoding, fixed = layer
    for channel, definition in encoding.items():
        by_place = channel in ("x", "y") and definition.get("type") == "nominal"
        if "field" in definition and (by_place or channel in ("strokeDash", "shape")):
            field, seen = plain_field(definition), {}
            yield field, lambda column, field=field, seen=seen: all(
                seen.setdefault(row[field], row[column]) == row[column] for row in (rows if fixed is None else fixed))


def test_no_colour_tells_marks_apart_alone(each):
    """Beside a colour there is a dash, a shape, a place of one's own, or a word written in the plot; on a line, its own dash."""
    rows = each.evaluate()[0].to_dict("records")
    for view in views(each.spec):
        written = any(mark == "text" and re.search("field|datum", str(encoding["text"])) for mark, encoding, _ in view)
        dashed = {plain_field(encoding["strokeDash"]) for mark, encoding, _ in view if "field" in encoding.get("strokeDash", {})}
        for layer in view:
            for column in coloured(layer):
                told = any(field == column or tells(column) for field, tells in signs(layer, rows))
                assert told or written or column in dashed, (layer[0], column)


def test_what_the_mouse_does_to_a_picture_a_control_does_too(each):
    """A click, a drag and what is carried move a control, which has keys. A selection of Vega's own would have none."""
    parts = [each.spec]
    for part in parts:
        parts += [inner for way in ("layer", "hconcat", "vconcat", "concat") for inner in part.get(way, [])]
        assert not [param for param in part.get("params", []) if "select" in param]


def test_the_lab_says_what_it_leaves_out_and_where_its_numbers_come_from(each):
    assert len(each.declared.leaves_out) > 20
    assert "{{" not in each.declared.leaves_out
    assert each.sources()
    assert each.declared.function.__doc__


def test_an_out_of_range_value_is_a_sentence(each):
    for control in each.controls.values():
        with pytest.raises(ValueError, match=f"^{control.name} "):
            each.evaluate(**{control.name: -987654321.5})


def test_repr_carries_the_default_sentence(each):
    assert repr(each) == f"Lab {each.declared.name}: {each.evaluate()[1]}" == repr(book.lab(each.declared.name))


def test_what_glides_is_a_number_in_every_step_and_has_its_row_in_each(each):
    for control in [control for control in each.controls.values() if control.as_ == "steps"]:
        last = each.ends(each.positions())[control.name]
        tables = [each.evaluate(**{control.name: value})[0] for value in control.values[: last + 1]]
        for column in each.declared.glides:
            assert len({len(table) for table in tables}) == 1, control.name
            assert all(table[column].dtype.kind in "fiu" for table in tables), (control.name, column)


def test_playing_ends_at_the_state_of_the_last_step(each):
    for control in [control for control in each.controls.values() if control.as_ == "steps"]:
        last = each.ends(each.positions())[control.name]
        for at in range(last + 1):
            each.widget._handle_custom_msg({"id": f"v-{at}", "values": each.positions() | {control.name: at}}, [])
        table, sentence = each.evaluate(**{control.name: control.values[last]})
        assert each.widget.state["values"][control.name] == each.widget.state["ends"][control.name] == last
        assert each.widget.state["columns"] == plain_columns(table.to_dict("list"))
        assert each.widget.state["sentence"] == sentence
