"""PCIe: the bytes that reads and writes put on the wire, and the rate that is left for data.

A device moves data in packets called TLPs. A *write* carries its data upstream, towards the host. A *read* sends a request
without data upstream, and the host answers downstream with completions that carry it. Each TLP has a header and framing of
its own; Ack and credit packets (DLLPs) and clock compensation (SKP) take a share of the line besides.

Sources: Neugebauer et al., Understanding PCIe performance for end host networking, SIGCOMM 2018; Intel AN 855; the limits
for Ack and credit updates as Jackson and Budruk, PCI Express Technology 3.0, print them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import catalog, framing, units
from .checks import MAX_BYTES, known, number, plain, short, single, together, typed, whole
from .links import Link
from .shown import paragraph

SIZES = (128, 256, 512, 1024, 2048, 4096)
OPERATIONS = ("write", "read", "read and write")
ADDRESS_BITS = (32, 64)
FLIT = "pcie-flit"


class Wire(NamedTuple):
    """Bytes on a device's link: *upstream* towards the host, *downstream* to the device."""

    upstream: float
    downstream: float

    def _repr_html_(self) -> str:
        return paragraph(f"{units.format(self.upstream)} towards the host, {units.format(self.downstream)} to the device")


@dataclass(frozen=True)
class Settings:
    """How a host and its devices cut transfers into TLPs.

    Args:
        mps: maximum payload size, the most bytes a write or a completion carries.
        mrrs: maximum read request size, the most bytes one request asks for.
        completion: the most bytes of data that the host puts into a completion: *mps*, or less (64 or 128) on hosts that cut
            at every read completion boundary (RCB). *mps* when not given.
        address_bits: 64, or 32 for memory below 4 GiB, whose requests have headers of 3 double words (DW) for 4.
        ecrc: whether every TLP carries an end-to-end checksum of 4 bytes.

    Raises:
        ValueError: a size that PCIe does not have.
    """

    mps: int = 256
    mrrs: int = 512
    completion: int = None  # type: ignore[assignment]  # set below: never None in a made one
    address_bits: int = 64
    ecrc: bool = False

    def __post_init__(self):
        for name, allowed in (("mps", SIZES), ("mrrs", SIZES), ("address_bits", ADDRESS_BITS)):
            object.__setattr__(self, name, one_of(name, getattr(self, name), allowed))
        most = self.mps if self.completion is None else self.completion
        object.__setattr__(self, "completion", one_of("completion", most, [n for n in (64, *SIZES) if n <= self.mps]))
        if not isinstance(self.ecrc, bool):
            raise ValueError(f"ecrc must be True or False; got {short(self.ecrc)}.")

    @typed
    def header(self, completion: bool = False, flit: bool = False) -> float:
        """Return the bytes that a TLP adds to its data: header, ECRC, and outside flits its framing.

        Raises:
            ValueError: *completion* or *flit* is neither True nor False.

        >>> Settings().header(), Settings(address_bits=32).header(), Settings().header(completion=True)
        (24.0, 20.0, 20.0)
        """
        narrow = completion or self.address_bits == 32
        return framing.overhead(("pcie-flit-tlp" if flit else "pcie-tlp") + "-3dw" * narrow + "-ecrc" * self.ecrc)


@typed
def wire(operation: str, nbytes, settings: Settings | None = None, flit: bool = False) -> Wire:
    """Return the bytes of TLPs on the device's link for one transfer of *nbytes*, aligned to the sizes it is cut at.

    Args:
        operation: "write" (device to host), "read" (host to device), or "read and write" (*nbytes* each way at once).
        nbytes: bytes of data (a number or an array).
        settings: how it is cut into TLPs; the defaults of `Settings` when not given.
        flit: whether the TLPs travel inside flits, as in PCIe 6 and 7, which spares each its own framing.

    Raises:
        ValueError: an unknown operation, or nbytes that are not whole and at least one.

    >>> wire("write", 4096), wire("read", 4096)
    (Wire(upstream=4480.0, downstream=0.0), Wire(upstream=192.0, downstream=4416.0))
    """
    known("operation", operation, OPERATIONS)
    settings = settings or Settings()
    data = whole("nbytes", nbytes, high=int(MAX_BYTES)) * 1.0
    up, down = 0.0 * data, 0.0 * data
    if operation != "read":
        up = up + data + np.ceil(data / settings.mps) * settings.header(flit=flit)
    if operation != "write":
        up = up + np.ceil(data / settings.mrrs) * settings.header(flit=flit)
        down = data + completions(nbytes, settings) * settings.header(completion=True, flit=flit)
    return Wire(plain(up), plain(down))


@typed
def completions(nbytes, settings: Settings | None = None):
    """Return how many completions answer a read of *nbytes*: each request is answered on its own.

    Raises:
        ValueError: *nbytes* is not whole and positive.

    >>> completions(4096), completions(4096, Settings(completion=64))
    (16.0, 64.0)
    """
    settings = settings or Settings()
    data = whole("nbytes", nbytes, high=int(MAX_BYTES)) * 1.0
    full, rest = np.divmod(data, settings.mrrs)
    return plain(full * np.ceil(settings.mrrs / settings.completion) + np.ceil(rest / settings.completion))


def rate(link: Link, operation: str, nbytes, settings: Settings | None = None):
    """Return the bytes of data per second, each way, that transfers of *nbytes* reach back to back on *link*.

    The busier direction decides: writes fill upstream; reads fill downstream unless their requests fill upstream first.
    Ack and credit DLLPs travel against the TLPs they answer, so that traffic one way pays next to nothing for them.

    Raises:
        ValueError: no PCIe link, an unknown operation, or bytes that are not whole and positive.

    >>> from fabriclib import link, units
    >>> [units.format(rate(link("pcie5"), operation, 4096), "B/s") for operation in OPERATIONS]
    ['57.5 GB/s', '58.3 GB/s', '54.8 GB/s']
    """
    upstream, downstream = wire(operation, nbytes, settings, flit=pcie(link).framing == FLIT)
    answers = dllp_share(link, (settings or Settings()).mps)
    busiest = np.maximum(upstream + answers * downstream, downstream + answers * upstream)
    return _for_packets(link) * nbytes_of(nbytes) / busiest


def tlp_rate(link: Link, mps=256):
    """Return the bytes per second left for TLPs, headers included, each way when both directions are full.

    Raises:
        ValueError: no PCIe link, or an *mps* that PCIe has not.

    >>> from fabriclib import link
    >>> round(tlp_rate(link("pcie5")) / 1e9, 2), round(tlp_rate(link("pcie6")) / 1e9, 2)
    (62.48, 118.0)
    """
    return _for_packets(pcie(link)) / (1 + dllp_share(link, mps))


def dllp_share(link: Link, mps=256) -> float:
    """Return the bytes of Ack and credit DLLPs sent for each byte of TLPs received, as rarely as the standard allows.

    The limits are in symbol times, and a symbol time moves one byte on *every* lane. Flits have room of their own for what
    DLLPs say: it is in their share already.

    Raises:
        ValueError: no PCIe link, or an *mps* that PCIe has not.

    >>> from fabriclib import link
    >>> round(dllp_share(link("pcie5")), 4), dllp_share(link("pcie6"))
    (0.006, 0.0)
    """
    return 0.0 if pcie(link).framing == FLIT else 2 * _control("dllp") / (ack_limit(link, mps) * link.lanes)


def tlp_rate_in_bytes(link: Link, mps=256):
    """Return `tlp_rate` as pcie-bench counts it: the limits taken as bytes of the whole link, which is right for one lane.

    On wider links it counts the DLLPs as many times too often as there are lanes. It is here because the paper's 57.88 Gb/s
    of PCIe 3 x8 is widely quoted.

    Raises:
        ValueError: no PCIe link, or an *mps* that PCIe has not.

    >>> from fabriclib import link
    >>> round(tlp_rate_in_bytes(link("pcie3", lanes=8)) * 8 / 1e9, 2)
    57.88
    """
    line = pcie(link).line
    return line * (1 - 2 * _control("dllp") / ack_limit(link, mps) - _skip())


def ack_limit(link: Link, mps=256):
    """Return the symbol times after which the receiver of a TLP must send an Ack, and a credit update too.

    (mps + 28) * factor / lanes + internal delay, rounded down: about one DLLP for every *factor* TLPs of full size.

    Raises:
        ValueError: a link that is not PCIe 1 to 5, or an mps that PCIe does not have.

    >>> from fabriclib import link
    >>> ack_limit(link("pcie1", lanes=1), 128), ack_limit(link("pcie3", lanes=8), 256)
    (237.0, 203.0)
    """
    delays = [row["id"] for row in catalog.rows("pcie_delays")]
    delay = catalog.row("pcie_delays", known("link", pcie(link).id, delays))["internal_delay"]
    row = catalog.row("pcie_acks", str(link.lanes))
    size = one_of("mps", mps, SIZES)
    factor = row["factor_128"] if size == 128 else row["factor_256"] if size == 256 else row["factor_512"]
    return float(np.floor((size + _control("tlp-overhead")) * factor / link.lanes + delay))


def rate_in_flight(requests, nbytes, round_trip):
    """Return the bytes per second of reads when no more than *requests* of *nbytes* each are under way: Little's law.

    Args:
        requests: read requests the device keeps under way (its tags).
        nbytes: bytes each asks for.
        round_trip: seconds from a request to the last byte of its answer.

    Raises:
        ValueError: requests or bytes that are not whole and positive, or a round trip that is not positive.

    >>> rate_in_flight(32, 512, 1e-6)
    16384000000.0
    """
    requests, nbytes, round_trip = whole("requests", requests), nbytes_of(nbytes), number("round_trip", round_trip)
    together(requests=requests, nbytes=nbytes, round_trip=round_trip)
    return requests * nbytes / round_trip


def pcie(link: Link) -> Link:
    """Return *link* if it is a PCIe link; raise a ValueError if not.

    >>> from fabriclib.links import link
    >>> pcie(link("pcie5")).name
    'PCIe 5'
    """
    if getattr(link, "family", None) != "pcie":
        raise ValueError(f"link must be a PCIe link such as fabriclib.link('pcie5'); got {short(link)}.")
    return link


@typed
def one_of(name: str, value, allowed: Sequence[int]) -> int:
    """Return *value* as an int if it is one of the whole numbers *allowed*; raise a ValueError if not.

    >>> one_of("mps", 256.0, (128, 256, 512))
    256
    """
    found = single(name, whole(name, value, high=int(MAX_BYTES)))
    if found not in allowed:
        raise ValueError(f"{name} must be {', '.join(map(str, allowed))}; got {found}.")
    return found


def nbytes_of(nbytes):
    """Return *nbytes* checked: a whole number of bytes, at least one.

    Raises:
        ValueError: *nbytes* is not whole, below 1 or above 1e18.

    >>> nbytes_of(4096)
    4096
    """
    return whole("nbytes", nbytes, high=int(MAX_BYTES))


def _control(id: str) -> float:  # noqa: A002 - the column is called id
    return catalog.row("pcie_control", id)["value"]


def _for_packets(link: Link) -> float:
    """The line rate without what keeps the two clocks together (SKP), or what flits leave of it."""
    line = link.line
    return line * (framing.share(FLIT) if link.framing == FLIT else 1 - _skip())


def _skip() -> float:
    return _control("skp") / _control("skp-interval")
