"""Framing: the share of the line rate that packets and flits leave. A framing is rows of framings.csv.

A *packet* carries any number of bytes behind a fixed overhead. A *flit* is a box of fixed size: part of it belongs to
the physical layer, and inside CXL's the rest is cut into 16-byte slots that hold either messages or a quarter of a cache line.
"""

from __future__ import annotations

import functools

import numpy as np

from . import catalog
from .checks import MAX_BYTES, known, number, plain, together, typed, whole

CACHE_LINE, SLOT = 64, 16


def share(framing: str, packet_bytes=None):
    """Return the share of the line rate that *framing* leaves to what it carries.

    Args:
        framing: a name in framings.csv.
        packet_bytes: payload bytes in each packet (a number or an array); flits have none to choose.

    Raises:
        ValueError: an unknown framing, packet_bytes missing or not positive, or given for a flit.

    >>> round(share("pcie-tlp", 256), 4), share("cxl-256"), share("cxl-256-lopt")
    (0.9143, 0.9375, 0.921875)
    """
    if kind(framing) == "packet":
        payload = number("packet_bytes", packet_bytes, high=MAX_BYTES)
        return payload / (payload + overhead(framing))
    if packet_bytes is not None:
        raise ValueError(f"packet_bytes must be left out for {framing}, whose flits have a fixed size; got {packet_bytes}.")
    return 1 - overhead(framing) / flit_bytes(framing)


def message_share(framing: str, nbytes, packet_bytes):
    """Return the share of the bytes on the wire that are a message of *nbytes*, cut into packets of at most *packet_bytes*.

    Args:
        framing: a framing of packets in framings.csv.
        nbytes: bytes of the message (a number or an array).
        packet_bytes: payload bytes of a full packet; the last packet may be shorter.

    Raises:
        ValueError: an unknown framing, one of flits, or sizes that are not positive.

    >>> round(message_share("rocev2", 64, 4096), 4), round(message_share("rocev2", 4096, 1024), 4)
    (0.4384, 0.9259)
    """
    if kind(framing) != "packet":
        raise ValueError(f"framing must be one of packets; got {framing!r}, which sends flits.")
    nbytes, most = together(nbytes=number("nbytes", nbytes, high=MAX_BYTES),
                            packet_bytes=number("packet_bytes", packet_bytes, high=MAX_BYTES))
    return plain(nbytes / (nbytes + np.ceil(nbytes / most) * overhead(framing)))


def kind(framing: str) -> str:
    """Return "packet" or "flit".

    Raises:
        ValueError: an unknown framing; the nearest are suggested.

    >>> kind("cxl-68"), kind("pcie-tlp")
    ('flit', 'packet')
    """
    return _fields(framing)[0]["kind"]


def overhead(framing: str) -> float:
    """Return the bytes that *framing* adds to each packet or takes from each flit.

    Raises:
        ValueError: an unknown framing; the nearest are suggested.

    >>> overhead("pcie-tlp"), overhead("rocev2"), overhead("cxl-68")
    (24.0, 82.0, 4.0)
    """
    return _bytes(framing, "overhead")


def line_share(framing: str, lines, headers=1):
    """Return the share of the line rate that whole cache lines get when *lines* of them travel with *headers* messages.

    Messages take slots of their own, so a line alone costs more than a line in a long run: the last flit may stay part
    empty, and only the flits' header slots, where there are any, are free for messages.

    Args:
        framing: a CXL flit in framings.csv.
        lines: cache lines of 64 bytes sent together (a number or an array).
        headers: 16-byte slots that their messages take.

    Raises:
        ValueError: a framing without slots; lines below one or headers below zero; not whole.

    >>> line_share("cxl-68", lines=1), round(line_share("cxl-68", lines=3), 4), line_share("cxl-256", lines=7, headers=2)
    (0.47058823529411764, 0.7059, 0.875)
    """
    slots = _bytes(framing, "slots") / SLOT
    if not slots:
        with_slots = sorted({r["framing"] for r in catalog.rows("framings") if r["carries"] == "slots"})
        raise ValueError(f"framing must be one with slots ({', '.join(with_slots)}); got {framing!r}.")
    only_headers = sum(field["carries"] == "header slot" for field in _fields(framing))
    data = CACHE_LINE / SLOT * whole("lines", lines)
    messages = whole("headers", headers, low=0)
    together(lines=data, headers=messages)
    flits = np.maximum(np.ceil(data / slots), np.ceil((data + messages) / (slots + only_headers)))
    return plain(data * SLOT / (flits * flit_bytes(framing)))


def flit_bytes(framing: str) -> float:
    """Return the bytes of a flit, all its fields together.

    Raises:
        ValueError: an unknown framing; the nearest are suggested.

    >>> flit_bytes("cxl-68"), flit_bytes("pcie-flit")
    (68.0, 256.0)
    """
    return float(sum(field["bytes"] for field in _fields(framing)))


@typed
@functools.cache
def _fields(framing: str) -> tuple[catalog.Row, ...]:
    known("framing", framing, sorted({r["framing"] for r in catalog.rows("framings")}))
    return tuple(r for r in catalog.rows("framings") if r["framing"] == framing)


def _bytes(framing: str, carries: str) -> float:
    return float(sum(field["bytes"] for field in _fields(framing) if field["carries"] == carries))
