"""A lab standing still, for code hosts and print, where no kernel answers."""

from __future__ import annotations

import io
import re
import textwrap

from .charts import FONT, LIVE
from .wire import plain_columns, rows

WIDTH = 720
CHARACTERS = 112
SCALE = 1.2
COLOURS, GREYS = 24, 8


def png(spec: dict, columns: dict[str, list], title: str, sentence: str) -> bytes:
    """Return *spec* drawn with *columns* as its live data: the same bytes on every run."""
    import vl_convert

    heading = {
        "text": _lines(title),
        "subtitle": _lines(sentence),
        "anchor": "start",
        "frame": "group",
        "fontSize": 18,
        "subtitleFontSize": 14,
        "subtitleFont": FONT,
        "subtitlePadding": 6,
        "offset": 14,
    }
    return _packed(vl_convert.vegalite_to_png(filled(spec, columns) | {"title": heading, "width": WIDTH}, scale=SCALE))


def filled(spec: dict, columns: dict[str, list]) -> dict:
    """Return *spec* with *columns* as its live data."""
    return spec | {"datasets": spec.get("datasets", {}) | {LIVE: rows(plain_columns(columns))}}


def _packed(image: bytes) -> bytes:
    """The same picture in few colours: a quarter of the bytes in every committed lesson, its marks exact, its text as sharp.

    Pillow's own choices of a palette move a mark's colour, most of all that of a small mark.
    """
    from PIL import Image

    drawn = Image.open(io.BytesIO(image)).convert("RGB")
    found = sorted(drawn.getcolors(drawn.width * drawn.height), reverse=True)
    most = [colour for _, colour in found if max(colour) - min(colour) > 8][:COLOURS]
    greys = [(255 * level // (GREYS - 1),) * 3 for level in range(GREYS)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in most + greys for value in colour])
    packed = io.BytesIO()
    drawn.quantize(palette=palette, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _lines(text: str) -> list[str]:
    """Wrap *text*, a number never parted from its unit."""
    return textwrap.wrap(re.sub(r"(?<=\d) (?=[^\d\s])", "\N{NO-BREAK SPACE}", text), CHARACTERS)
