"""The coherence model, exhaustively on short traces; what CXL's tables say; memory tiers and their mix."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriclib import catalog, cxl, memory
from fabriclib.memory import memory_mix, tier

EVERY_ACCESS = {
    1: [f"{agent} {op} H0" for agent in cxl.AGENTS for op in ("read", "write", "evict")],
    2: [f"{agent} {op} {line}" for line in ("H0", "D0") for agent in cxl.AGENTS for op in ("read", "write", "evict")]
    + ["device claim D0"],
    3: [f"host {op} {line}" for line in ("H0", "D0") for op in ("read", "write", "evict")],
}
SHORT = [(device, bias, 3) for device in EVERY_ACCESS for bias in cxl.AGENTS]
# Five accesses to one line reach every pair of states, bias and dirtiness, and then act on it.
LONG = [("H0", 1, "host", 6), ("D0", 2, "host", 5), ("D0", 2, "device", 5)]


def traces(device, bias, length):
    for accesses in product(EVERY_ACCESS[device], repeat=length):
        yield accesses, cxl.trace(device, accesses, bias)


def check(accesses, steps):
    """One writer or many readers; every step tells the last write; data comes from where it is."""
    last = {}
    for number, (access, step) in enumerate(zip(accesses, steps, strict=True), start=1):
        agent, operation, line = access.split()
        states = {"host": step.host, "device": step.device}
        assert set(states.values()) <= set("MESI")
        if set(states.values()) & set("ME"):
            assert sorted(states.values())[0] in "EIM", accesses
            assert "I" in states.values(), accesses
            assert step.owner == next(a for a in states if states[a] in "ME")
        else:
            assert step.owner == ("host memory" if line[0] == "H" else "device memory")
        if operation == "write":
            last[line] = number
            assert states[agent] == "M"
        assert step.value == last.get(line, 0), accesses
        if operation == "read":
            assert states[agent] in "MES"
        if operation == "evict":
            assert states[agent] == "I"
        if step.bias == "device":
            assert step.host == "I", accesses


@pytest.mark.parametrize(("device", "bias", "length"), SHORT)
def test_every_short_trace_over_both_memories_is_coherent(device, bias, length):
    for accesses, steps in traces(device, bias, length):
        check(accesses, steps)


@pytest.mark.parametrize(("line", "device", "bias", "length"), LONG)
def test_every_longer_trace_over_one_line_is_coherent(line, device, bias, length):
    accesses = [access for access in EVERY_ACCESS[device] if access.endswith(line)]
    for chosen in product(accesses, repeat=length):
        check(chosen, cxl.trace(device, chosen, bias))


@given(st.lists(st.sampled_from(EVERY_ACCESS[2]), max_size=40), st.sampled_from(cxl.AGENTS))
def test_long_traces_are_coherent(accesses, bias):
    check(accesses, cxl.trace(2, accesses, bias))


def test_lines_do_not_disturb_each_other():
    mixed = ["host write D0", "device write H0", "host read H1", "device read D0", "host read H0"]
    alone = cxl.trace(2, [access for access in mixed if access.endswith("H0")])
    together = [step for step in cxl.trace(2, mixed) if step.access.endswith("H0")]
    assert [step._replace(value=0) for step in alone] == [step._replace(value=0) for step in together]


def test_messages_match_the_devices_protocols():
    """A type 1 device has no .mem and a type 3 no .cache: their traces must not show its messages."""
    prefixes = {1: {"D2H", "H2D"}, 2: {"D2H", "H2D", "M2S", "S2M"}, 3: {"M2S", "S2M"}}
    for device, bias, length in SHORT:
        seen = {message[:3] for _, steps in traces(device, bias, length) for step in steps for message in step.messages}
        assert seen == prefixes[device]


def test_a_hit_costs_no_message_and_a_dirty_line_comes_from_the_other_cache():
    steps = cxl.trace(1, ["device write H0", "device read H0", "host read H0", "host write H0"])
    assert [step.messages for step in steps] == [
        ("D2H RdOwn", "H2D GO-E", "H2D Data"), (), ("H2D SnpData", "D2H RspSFwdM", "D2H Data"), ("H2D SnpInv", "D2H RspIHitSE")]
    assert [step.data_from for step in steps] == ["host memory", "own cache", "device cache", "own cache"]
    assert [(step.host, step.device) for step in steps] == [("I", "M"), ("I", "M"), ("S", "S"), ("M", "I")]


def test_an_eviction_of_nothing_still_tells_the_lines_value():
    """The device's copy is dirty and its home stale: what the line holds is the copy."""
    write, nothing, read = cxl.trace(2, ["device write H0", "host evict H0", "host read H0"])
    assert nothing.data_from == "nothing to evict"
    assert [step.value for step in (write, nothing, read)] == [1, 1, 1]


def test_a_clean_eviction_sends_no_data():
    *_, evict = cxl.trace(1, ["device read H0", "device evict H0"])
    assert evict.messages == ("D2H CleanEvictNoData", "H2D GO-I")


def test_device_bias_is_what_spares_a_device_the_trip_to_the_host():
    def cost(bias):
        accesses = [f"device {op} D{n}" for n in range(8) for op in ("read", "write")]
        return sum(len(step.messages) for step in cxl.trace(2, accesses, bias))

    assert cost("device") == 0
    assert cost("host") == 16
    host, device = cxl.trace(2, ["host read D0", "device read D0"], bias="device")
    assert (host.bias, device.messages) == ("host", ("D2H RdAny", "M2S MemRdFwd"))


def test_a_claim_flushes_the_host_and_turns_the_bias():
    _, claim, write = cxl.trace(2, ["host write D0", "device claim D0", "device write D0"])
    assert claim.messages == ("D2H RdOwnNoData", "M2S MemWr", "M2S MemRdFwd")
    assert (claim.host, claim.bias, write.messages) == ("I", "device", ())


def test_a_type_3_device_never_acts():
    steps = cxl.trace(3, ["host read D0", "host write D0", "host evict D0"])
    assert [step.messages for step in steps] == [("M2S MemRd", "S2M MemData"), (), ("M2S MemWr", "S2M Cmp")]
    assert {step.device for step in steps} == {"I"}


@pytest.mark.parametrize(("arguments", "message"), [
    ((4, ["host read H0"]), "device_type must be a whole number from 1 to 3; got 4"),
    ((1, ["host read D0"]), "line must be H0, H1 .* with a type 1 device; got 'D0'"),
    ((3, ["device read D0"]), "agent 'device' is not known"),
    ((2, ["host claim D0"]), "operation 'claim' is not known"),
    ((2, ["device claim H0"]), "operation 'claim' is not known"),
    ((2, ["host raed H0"]), "Did you mean 'read'"),
    ((2, ["host read"]), "access must be an agent, an operation and a line"),
    ((2, ["host read H0 now"]), "access must be an agent"),
    ((2, [7]), "access must be an agent"),
    ((2, ["host read H0"], "both"), "bias 'both' is not known"),
    ((1, None), "accesses must be a list such as .'host read H0'.; got None"),
    ((1, "host read H0"), "accesses must be a list such as .'host read H0'.; got 'host read H0'"),
    ((1, 7), "accesses must be a list"),
    (([1], ["host read H0"]), "device_type must be one number"),
    ((None, ["host read H0"]), "device_type must be a number"),
    ((10**5000, ["host read H0"]), "device_type must .*got an integer"),
    ((1, [10**5000]), "access must be .*got an integer"),
])
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        cxl.trace(*arguments)


def test_a_trace_as_a_table():
    table = cxl.trace_table(2, ["device read D0", "host write D0"], bias="device")
    assert list(table["messages"]) == ["none", "M2S MemRd, S2M MemData"]
    assert list(table["owner"]) == ["device", "host"]


@pytest.mark.parametrize("name", ["versions", "features", "devices", "sharing"])
def test_tables_say_what_ships_and_name_sources(name):
    table = cxl.table(name)
    assert set(table["status"]) <= {"ships", "samples", "specified only"}
    for row in catalog.rows(f"cxl_{name}"):
        assert "status" in catalog.sources_of(row)
        assert (catalog.sources_of(row)["status"].id == "none") == ("unverified status" in row["note"])


def test_the_ladder_climbs():
    ladder = [tier(row["id"]) for row in catalog.rows("memory_tiers")]
    assert [one.latency for one in ladder] == sorted(one.latency for one in ladder)
    assert all(one.low <= one.latency <= one.high for one in ladder)
    assert list(memory.tiers()["load latency (ns)"]) == pytest.approx([114, 304, 750])


def test_the_step_of_a_card_is_taken_from_measured_cards():
    """Its range is that of cards, not of computers with NUMA; and it is two to five times local DRAM, as others measured."""
    card, local = tier("cxl-direct"), tier("local-dram")
    ends = sorted(figure.si for figure in catalog.figures("cxl-direct", "load latency"))
    assert [card.low, card.high] == pytest.approx(ends)
    assert ends == pytest.approx([214e-9, 394e-9])
    assert card.latency == pytest.approx(sum(ends) / 2)
    low, high = (catalog.figure(f"cxl-cards-{end}").value for end in ("low", "high"))
    assert low < card.latency / local.latency < high
    for id in ("cxl-melody-low", "cxl-melody-high"):
        assert "NUMA" in catalog.figure(id).quantity


def test_every_step_was_measured():
    for row in catalog.rows("memory_tiers"):
        kinds = {figure.kind for figure in catalog.figures(row["id"], "load latency")}
        assert kinds == {"measured"}, row["id"]


def test_what_is_said_of_version_3_says_as_of_when():
    """What ships of it changes from month to month."""
    for name in ("versions", "features", "sharing"):
        for row in catalog.rows(f"cxl_{name}"):
            if row["status"] == "samples" or (row["id"] in ("3.0", "3.1", "3.2", "sharing", "hosts-share", "device-device")):
                assert "as of November 2026" in row["note"], row


def test_sharing_by_software_ships_before_sharing_by_hardware():
    ways = {row["id"]: row for row in catalog.rows("cxl_sharing")}
    soft, hard = ways["hosts-share-software"], ways["hosts-share"]
    assert (soft["first_version"], soft["status"]) == ("2.0", "ships")
    assert (hard["first_version"], hard["status"]) == ("3.0", "specified only")

def test_a_mix_of_one_tier_is_the_tier():
    for name in ("local-dram", "cxl-direct", "cxl-pooled"):
        assert memory_mix([1.0], [name]) == pytest.approx((tier(name).latency, tier(name).bandwidth))


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 0.01))
def test_a_mix_averages_latency_and_never_overfills_a_tier(parts):
    names = ["local-dram", "cxl-direct", "cxl-pooled"]
    shares = np.array(parts) / sum(parts)
    mix = memory_mix(shares, names)
    loads = mix.bandwidth * shares
    limits = np.array([tier(name).bandwidth for name in names])
    assert mix.latency == pytest.approx(sum(s * tier(n).latency for s, n in zip(shares, names, strict=True)))
    assert (loads <= limits * (1 + 1e-9)).all()
    assert np.isclose(loads, limits).any()


def test_the_best_split_fills_every_tier_and_a_little_cxl_adds_bandwidth():
    names = ["local-dram", "cxl-direct"]
    rates = np.array([tier(name).bandwidth for name in names])
    assert memory_mix(rates / rates.sum(), names).bandwidth == pytest.approx(rates.sum())
    little, none, half = (memory_mix([1 - cxl_share, cxl_share], names).bandwidth for cxl_share in (0.05, 0, 0.5))
    assert little > none > half


def test_shares_broadcast():
    shares = np.stack([np.linspace(0, 1, 5), 1 - np.linspace(0, 1, 5)], axis=-1)
    mix = memory_mix(shares, ["cxl-direct", "local-dram"])
    one_by_one = [memory_mix(row, ["cxl-direct", "local-dram"]) for row in shares]
    assert np.allclose(mix.latency, [one.latency for one in one_by_one])
    assert np.allclose(mix.bandwidth, [one.bandwidth for one in one_by_one])


@pytest.mark.parametrize(("shares", "names", "message"), [
    ([0.5, 0.6], ["local-dram", "cxl-direct"], "shares must add up to 1; got 1.1"),
    ([1.0], ["local-dram", "cxl-direct"], "one number for each of the 2 tiers"),
    ([-0.5, 1.0], ["local-dram", "cxl-direct"], "shares must be a number at least 0"),
    ([1.0], ["local-drum"], "Did you mean 'local-dram'"),
])
def test_a_bad_mix_is_named(shares, names, message):
    with pytest.raises(ValueError, match=message):
        memory_mix(shares, names)
