"""Which numbers a text may state by itself; every other number in a lesson is computed (`prose.fill`).

Bare may stay: years; numbers that are part of a name (H100, NVLink 4, 400G, CXL 2.0); whole numbers up to sixteen and
powers of two, which are the story's own counts, alone or as a size in KiB, MiB or GiB; minutes in brackets; bits (0101); all
and nothing (100 %, 0 %); and whatever stands in code or in a formula. A rate, a time, a share, a loss, a power: never.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    r"Llama \d[\d.]* \d+B|\d+\(\d+\)|"  # a model's name; volume and issue of a journal
    r"\{\{.*?\}\}"  # computed
    r"|```.*?```|``.*?``|`[^`]*`"  # code
    r"|\$\$.*?\$\$|\$[^$\n]+\$"  # formulas
    r"|\]\([^)]*\)|https?://\S+"  # addresses
    r"|^\s*\d+\.(?=\s)"  # the numbers of a list
    r"|\(\d+ min\)",
    re.DOTALL | re.MULTILINE,
)
_NAMES = (r"Technology|Theory B|"
          r"Nelco|NVLinks?|NVSwitch|PCIe|CXL|PCI Express|Gen|generation|generations|Llama|GPT|NCCL|RCCL|Infinity Fabric|Open MPI|"
          r"Vega|Slingshot|Tomahawk|Spectrum|Quantum|ConnectX|Xeon|EPYC|MPICH|Python|DDR|HBM|UALink|RTX|RFC|IEEE|issue|issues|arXiv|JPDC|"
          r"IJHPCA|Megatron|SIGCOMM|SIGMOD|ISC|CoNEXT|version|type|Type|level|levels|switch|rank|ranks|GPU|GPUs|step|steps|node|server|leaf|"
          r"rail|lane|link|phase|phases|chunk|cube|card|device|hop|claim|question|layer|tier|AWG|Megtron|FR|AN|request|Table|chapter|section")
_NAMED = re.compile(rf"\b(?:{_NAMES})(?:[ -]|\N{{NO-BREAK SPACE}})v?\d[\d.]*(?:(?:,| and| to| or|–|-) ?\d[\d.]*)*")
_UNIT = (r"[kKMGTP]?i?[Bb](?:/s|ps)?(?![A-Za-z])|[munpµ]?s(?![A-Za-z])|%|percent|dB|inch(?:es)?|[munpk]?m(?![A-Za-z])|mm|[kMG]?Hz"
         r"|[munpkM]?W(?![A-Za-z])|[pnm]?J(?![A-Za-z])|m?V(?![A-Za-z])|[GT]T/s|seconds?|minutes?|hours?|days?|weeks?|months?|years?|times"
         r"|million|billion|TFLOP\S*|PFLOP\S*|degrees|°C|Mpps|°")
_NUMBER = re.compile(rf"(?<![\w.])[+−-]?(\d+(?:,\d{{3}})*(?:\.\d+)?)(?:[ \N{{NO-BREAK SPACE}}]?({_UNIT}))?(?![\w])")
_WORD = re.compile(r"[A-Za-z_/]\w*\d[\w.]*|\d+(?:\.\d+)?[A-Za-z]+\d*\w*(?<![BsWVJmb%])|\b\d+x\b|\bx\d+\b")


def bare_numbers(text: str) -> list[str]:
    """Return the numbers that *text* states by itself and may not.

    >>> bare_numbers("In 2022, Llama 3 405B on 16,384: 18 links of NVLink 4; 64 KiB take {{ si(t, 's') }}, not 0.5 us, at 38 %.")
    ['18', '0.5 us', '38 %']
    """
    shown = _WORD.sub(" ", _NAMED.sub(" ", _HIDDEN.sub(" ", text)))
    return [match[0].strip() for match in _NUMBER.finditer(shown) if not _may_stay(match[1], match[2] or "")]


def _may_stay(number: str, unit: str) -> bool:
    if "." in number:
        return False
    value = int(number.replace(",", "") or 0)
    if unit:
        return _power_of_two(value) and unit.endswith("iB") or unit == "%" and value in (0, 100) or unit == "times" and value <= 4
    return value <= 16 or number[0] == "0" or _power_of_two(value) or (1900 <= value < 2100 and len(number) == 4)


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0
