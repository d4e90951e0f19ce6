"""Forward error correction: the rate it costs, and the time. Pure functions of a code and of the wire it runs on.

A Reed-Solomon code RS(n, k) sends n symbols for k of data and mends up to (n - k) / 2 wrong ones. A receiver can mend
nothing before the whole codeword is there: that wait is arithmetic. How fast it mends then is a matter of its silicon.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import catalog
from .checks import number, together, typed, whole
from .links import Link

BLOCKS, TRANSCODED = 4 * 66, 257  # four 66-bit blocks become one of 257 bits before FEC (IEEE 802.3 clause 91)


@typed
@dataclass(frozen=True)
class Fec:
    """ONE Reed-Solomon code: symbols of `symbol_bits` bits, `coded` of them for `message` of data.

    `decode_time` is seconds to encode and to mend, once the codeword is there: an estimate, as its row says.
    """

    id: str
    name: str
    symbol_bits: int
    coded: int
    message: int
    decode_time: float

    @property
    def codeword(self) -> float:
        """Bytes of a codeword.

        >>> fec("rs544").codeword * 8
        5440.0
        """
        return self.coded * self.symbol_bits / 8

    @property
    def correctable(self) -> int:
        """Wrong symbols a codeword may hold and still be mended: (n - k) / 2."""
        return (self.coded - self.message) // 2

    @property
    def expansion(self) -> float:
        """Bits on the wire for each bit of 66-bit blocks, minus one. Zero for RS(528, 514): transcoding pays for its parity.

        >>> round(fec("rs544").expansion * 33, 12), fec("rs528").expansion
        (1.0, 0.0)
        """
        blocks = self.message * self.symbol_bits // TRANSCODED
        return self.coded * self.symbol_bits / (blocks * BLOCKS) - 1

    def block_time(self, raw_rate, codewords=1):
        """Return seconds until *codewords* interleaved codewords are there.

        Args:
            raw_rate: bytes per second on the wire, FEC and line code included (a number or an array).
            codewords: codewords that are interleaved symbol by symbol.

        Raises:
            ValueError: a rate that is not positive, or codewords below one or not whole.

        >>> from fabriclib import units
        >>> units.format(fec("rs544").block_time(106.25 * units.Gb), "s")
        '51.2 ns'
        """
        raw_rate, codewords = together(raw_rate=number("raw_rate", raw_rate), codewords=whole("codewords", codewords, high=64))
        return codewords * self.codeword / raw_rate


def fec(name: str) -> Fec:
    """Return ONE code from the catalogue: "rs528", "rs544" or "rs272".

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> fec("rs544").name
    'RS(544 514) "KP4"'
    """
    cells = catalog.row("fecs", name)
    return Fec(*(cells[column] for column in ("id", "name", "symbol_bits", "coded_symbols", "message_symbols", "decode_s")))


@typed
def link_fec(link: Link) -> tuple[Fec, int] | None:
    """Return the code of a *link* and how many codewords of it are interleaved, or None where it has none.

    Raises:
        ValueError: no Link.

    >>> from fabriclib.links import link
    >>> link_fec(link("ib-ndr"))
    (Fec(id='rs544', name='RS(544 514) "KP4"', symbol_bits=10, coded=544, message=514, decode_time=3.7e-08), 2)
    """
    found = (cells for cells in catalog.rows("link_fecs") if cells["id"] == link.id)
    return next(((fec(cells["fec"]), cells["codewords"]) for cells in found), None)


@typed
def latency(link: Link, code: str | None = None) -> float:
    """Return seconds that FEC adds on ONE link: the wait for a block, and the decoder. Each hop pays it again.

    Args:
        link: a link of the catalogue, at any width.
        code: another code than the link's own, with the same interleaving.

    Raises:
        ValueError: an unknown code.

    >>> from fabriclib import link, units
    >>> [units.format(latency(link(name)), "s") for name in ("eth25", "eth100", "eth400", "ib-qdr")]
    ['226 ns', '72.2 ns', '62.6 ns', '0 s']
    """
    own, codewords = link_fec(link) or (None, 1)
    used = own if code is None else fec(code)
    return used.block_time(link.raw, codewords) + used.decode_time if used else 0.0
