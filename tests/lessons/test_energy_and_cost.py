"""Where the joules go: the labs show what the library computes, the text's numbers are its own, and the stops find them."""

import pytest

import fabricbook as book
import fabriclib as fl
from fabricbook.lessons.energy_and_cost import questions, tables


@pytest.mark.parametrize(("machine", "leaves", "cable"), [("DGX H100", tables.LIGHT, "module-800-sm"),
                                                          ("GB200 NVL72", tables.COPPER, "dac-400")])
def test_the_bars_are_the_watts_of_the_library(machine, leaves, cable):
    table, sentence = book.lab("watts-of-a-cluster").evaluate(gpus=4096, machine=machine, leaves=leaves)
    power = fl.cluster_power(tables.MACHINES[machine], gpus=4096, below=cable)
    bars = table[(table["part"] == "all") & (table["gpus"] == 4096)].set_index("kind")["watts a GPU"]
    assert bars.to_dict() == pytest.approx({part: value / 4096 for part, value in power.parts.items()})
    wiring = table[(table["part"] == "wiring") & (table["gpus"] == 4096)]
    assert wiring["wiring to"].max() == pytest.approx((power.network + power.parts["NVLink switches"]) / 4096)
    assert fl.units.format(power.watts, "W") in sentence


def test_switches_that_a_machine_has_not_are_not_counted_with():
    lab = book.lab("watts-of-a-cluster")
    assert lab.evaluate(machine="MI300X server")[1].endswith("; no switch joins the GPUs of a server.")
    assert "; with the NVLink switches" in lab.evaluate(machine="DGX H100")[1]


def test_optics_are_counted_as_lesson_fabrics_counts_them():
    """One method: the same design, the same watts, by whichever lesson asks."""
    from fabricbook.lessons.fabrics.tables import price_of_optics, watts_by_part

    design = fl.fabric_counts("rail-optimised", gpus=1024)
    whole = watts_by_part(design).loc["together"].tolist()
    mine = [tables.one_thousand.network - tables.by_copper, tables.one_thousand.network]
    assert whole == [fl.units.format(watts, "W") for watts in mine]
    assert fl.units.portion(tables.by_copper / mine[0]) in price_of_optics(design)


def test_the_cable_under_the_dot_is_the_most_frugal_that_reaches():
    for metres in tables.METRES:
        table, _ = book.lab("copper-or-optics").evaluate(metres=metres, optics=tables.ALL_OPTICS)
        here = table[table["part"] == "here"]["W"].item()
        assert here == fl.energy.frugal(metres, "eth800")
    _, sentence = book.lab("copper-or-optics").evaluate(metres=300.0)
    assert sentence.startswith("No cable of those shown")


def test_a_way_used_by_a_tenth_costs_ten_times_and_what_is_stated_stays():
    full, idle = (book.lab("joules-of-a-byte").evaluate(use=use)[0] for use in (1.0, 0.1))
    ratio = (idle[idle["part"] == "way"].set_index("way")["J"] / full[full["part"] == "way"].set_index("way")["J"]).to_dict()
    assert {way for way, times in ratio.items() if times == pytest.approx(10)} == {
        name for name, one in fl.energy.ways().items() if one.kind == "from watts"}
    assert {round(times, 6) for times in ratio.values()} == {1.0, 10.0}


def test_the_bars_of_a_step_are_its_joules():
    table, _ = book.lab("joules-of-a-step").evaluate(gpus=2048, machine="DGX B200")
    step = fl.training_step("llama-3-70b", "dgx-b200", gpus=2048, **tables.JOB)
    found = table[(table["part"] == "bar") & (table["machine"] == "DGX B200")]
    assert found["joules"].sum() == pytest.approx(fl.step_energy(step).per_token)


def test_the_bill_of_the_exercise_is_the_librarys():
    power = fl.cluster_power("dgx-h100", gpus=1024, load=0.5)
    cost = fl.cluster_cost(power, {"kwh": 0.2}, hours=100).parts["energy"]
    most = fl.cluster_power("dgx-h100", gpus=1024)
    servers = most.parts["GPUs"] + most.parts["rest of the servers"]
    assert questions._bill(servers, most.watts - servers, 0.5, 100, 0.2) == pytest.approx(cost)


@pytest.mark.parametrize("machine", tables.TRAINED)
def test_the_exercise_finds_of_the_lessons_step_what_the_lesson_says(machine):
    assert questions._of_wires(*tables.watts_and_seconds(machine)) == pytest.approx(tables.of_wires(machine))
