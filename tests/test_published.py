"""Published figures come out of lower rows: lanes, lane rates, line codes, flit fields, link and port counts."""

from dataclasses import replace

import pytest

from fabriclib import catalog
from fabriclib.figures import computable, computed, published

FIGURES = [figure for figure in catalog.figures() if computable(figure)]
TOLERANCE = 0.02


def off(figure):
    return abs(computed(figure) / figure.si - 1)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.id)
def test_a_figure_is_reproduced_or_its_difference_is_explained(figure):
    """Within 2 %, or the row's note begins with "differs:". Not both: an explanation must have something to explain."""
    assert (off(figure) > TOLERANCE) == figure.note.startswith("differs:"), (computed(figure), figure)


def test_forty_figures_are_reproduced_from_rows_that_another_source_gave():
    """A row derived from the very figure would prove nothing, so figures of the row's own source for its rate do not count."""
    def rate_source(figure):
        if figure.subject in {row["framing"] for row in catalog.rows("framings")} | {row["id"] for row in catalog.rows("fecs")}:
            return None
        subject = figure.subject
        if subject in {row["id"] for row in catalog.rows("switches")}:
            subject = catalog.row("switches", subject)["link"]
        return catalog.sources_of(catalog.row("links", subject))["lane_bits_per_s"].id

    independent = [f for f in FIGURES if off(f) <= TOLERANCE and f.source.id not in ("none", rate_source(f))]
    assert len(independent) >= 40


def test_the_tapered_switch_system_counts_the_links_that_leave_a_node():
    figure = catalog.figure("nvlink-switch-256")
    nodes, leaving = 256 // 8, 8 * 18 // 2
    assert (figure.direction, figure.scope) == ("one way", f"{nodes * leaving} links")
    assert computed(figure) == figure.si == 57.6e12


def test_the_table_holds_every_figure_with_its_source():
    table = published()
    assert list(table["id"]) == [figure.id for figure in FIGURES]
    assert (table["source"] != "").all()


def test_a_scope_that_names_no_part_is_refused():
    figure = replace(catalog.figure("nvlink4-device"), scope="rack")
    with pytest.raises(ValueError, match="scope must be lanes, links, ports or devices.*'rack'"):
        computed(figure)


@pytest.mark.parametrize(("id", "change"), [("nvlink4-device", {"scope": "port"}), ("nvswitch3-chip", {"scope": "lane"}),
                                            ("nvlink4-device", {"direction": "sideways"}), ("nvlink4-copy-h200", {})])
def test_what_the_model_does_not_compute_is_refused(id, change):
    with pytest.raises(ValueError, match="is not known"):
        computed(replace(catalog.figure(id), **change))


@pytest.mark.parametrize("table", ["links", "framings", "switches", "cxl_versions", "cxl_features", "cxl_devices",
                                   "cxl_sharing", "memory_tiers", "channel_parts", "channel_budgets",
                                   "channel_segments", "retimers", "retimer_counts", "nccl_graphs", "designs", "prices",
                                   "supernodes", "bit_energies", "machine_powers", "adapters", "cables", "fecs",
                                   "link_fecs", "ladder_steps", "mtus", "transports"])
def test_a_value_without_a_source_says_what_it_rests_on(table):
    """Years alone are general knowledge throughout, as links.csv began them."""
    for row in catalog.rows(table):
        without = [value for value, source in catalog.sources_of(row).items() if source.id == "none" and value != "year"]
        said = ("unverified", "derived", "estimate", "assumed", "stands for", "are the MI300X's")
        assert not without or any(word in row["note"] for word in said), (without, row)


def test_every_row_of_the_catalogue_builds():
    import fabriclib as fl

    assert len(fl.links()) == len(catalog.rows("links"))
    assert len(fl.switches()) == len(catalog.rows("switches"))


def test_links_name_their_direction():
    import fabriclib as fl

    rates = [column for column in fl.links().columns if "GB/s" in column]
    assert all(column.endswith(("one way", "both ways")) for column in rates)
    row = fl.links().set_index("id").loc["xgmi-mi300x"]
    assert (row["device GB/s one way"], row["device GB/s both ways"]) == (448.0, 896.0)


def test_a_switch_adds_up_its_ports():
    import fabriclib as fl

    chip = fl.switch("nvswitch3")
    assert (chip.ports, chip.rate, chip.reduces, chip.power) == (64, 1.6e12, True, 120.0)
    assert fl.switch("xconn-xc50256").port.lanes == 8
    assert fl.switch("tomahawk-ultra").reduces is True  # all-reduce in the chip, says the source of its latency
    with pytest.raises(ValueError, match="Did you mean 'nvswitch3'"):
        fl.switch("nvswich3")
