"""Incast and oversubscription against a queue simulated in small steps, and the worked numbers."""

import numpy as np
import pytest

from fabriclib.congestion import incast

RATE = 50e9


def piled(senders, nbytes, reaction, steps=200_000):
    """The most that waits before the receiver's port, step by step; senders that obey share the port from then on."""
    horizon = senders * nbytes / RATE
    step = horizon / steps
    left, queue, most = np.full(senders, float(nbytes)), 0.0, 0.0
    for i in range(steps):
        rate = RATE if i * step < reaction else RATE / senders
        sent = np.minimum(left, rate * step)
        left -= sent
        queue = max(0.0, queue + sent.sum() - RATE * step)
        most = max(most, queue)
    return most


@pytest.mark.parametrize(("senders", "nbytes", "reaction"), [(2, 1e6, 5e-6), (8, 1e6, 10e-6), (8, 1e5, 10e-6), (4, 2e5, 1e-3)])
def test_the_buffer_is_what_piles_up(senders, nbytes, reaction):
    need = incast.lossless_buffer(senders, nbytes, RATE, reaction)
    assert piled(senders, nbytes, reaction, steps=20_000) == pytest.approx(need, rel=2e-3)
    # The bound as it is often written, with k m, counts the bytes too that leave while others arrive.
    assert need <= min(senders * nbytes, (senders - 1) * RATE * reaction)


def test_the_queue_grows_by_all_senders_but_one():
    assert incast.queue_growth([1, 2, 9], RATE).tolist() == [0, RATE, 8 * RATE]


def test_oversubscription_slows_what_leaves():
    """T = n beta max(1, f r): Llama 3's pods are joined 1:7."""
    assert incast.oversubscribed_share(7, 1.0) == pytest.approx(1 / 7)
    assert incast.oversubscribed_share(7, [0, 1 / 7, 0.5]).tolist() == pytest.approx([1, 1, 2 / 7])
    assert incast.oversubscribed_share(1, 1.0) == 1
    assert type(incast.oversubscribed_share(7, 1.0)) is float


@pytest.mark.parametrize(("call", "said"), [
    (lambda: incast.queue_growth(0, RATE), "senders must be a whole number from 1"),
    (lambda: incast.lossless_buffer(2, 1e6, RATE, -1e-6), "reaction must be"),
    (lambda: incast.lossless_buffer(8, 1e6, [1e9] * 3, [1e-6] * 2), "^rate and reaction must have shapes that broadcast; got"),
    (lambda: incast.oversubscribed_share(0.5, 1), "ratio must be a number at least 1"),
    (lambda: incast.oversubscribed_share(2, 1.5), "leaving must be"),
])
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
