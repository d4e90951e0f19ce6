"""The wrong answers that lessons name, worked out by hand: a slip that leads elsewhere names what nobody did."""

from __future__ import annotations

import pytest

from fabricbook.lessons import find

GRADIENT, NIC, NVLINK = 14e9, 49e9, 450e9  # bytes; bytes per second, one way
BY_HAND = {
    "start_here.all-reduce": [GRADIENT / NVLINK, 8 * GRADIENT / NVLINK, 7 * GRADIENT / NVLINK, 14 * GRADIENT / NVLINK,
                      3 * GRADIENT / NVLINK, 7 / 8 * GRADIENT / NVLINK],
    "moving_bytes.small": [65536 / NVLINK, 600e-9],
    "moving_bytes.half-rate": [225e9, 540e3, 135e3],
    "one_server.uplink": [28.8e9 / 7, 28.8e9 / 6, 28.8e9 / 14, 28.8e9, 31.5e9 / 12],
    "one_server.staged": [28.8e9, 31.5e9 / 2, 28.8e9 / 4],
    "fabrics.switches": [16, 32, 64, 17],
    "fabrics.rings": [2 * 63 / 64 * GRADIENT / NIC, GRADIENT / 8 / NIC, GRADIENT / NIC, 2 * 7 / 8 * GRADIENT / 8 / NIC,
                 2 * 63 / 64 * GRADIENT / NVLINK],
    "collectives.ring-steps": [7, 16, 15, 8],
    "collectives.doubling": [1.75, 7, 2, 1],
    "collectives.tree": [63, 32, 5, 7],
}


@pytest.mark.parametrize("key", BY_HAND)
def test_each_slip_leads_where_it_says(key):
    values = [value() if callable(value) else value for value in find("predictions", key).slips.values()]
    assert values == pytest.approx(BY_HAND[key], rel=0.01)


def test_the_slips_of_the_thinned_leaves():
    missing, nothing, upside_down = find("predictions", "fabrics.thin").slips.values()
    assert (missing, nothing) == (4, 1)
    assert upside_down() * find("predictions", "fabrics.thin").answer() == pytest.approx(1)
