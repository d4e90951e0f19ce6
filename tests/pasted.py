"""What somebody may paste, and every box that a learner can paste it into: nothing of it may run, or show as markup."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from fabricbook.course.view import css_key

PAYLOADS = [
    "<script>pwned=1</script>", "<img src=pwned onerror=pwned=1>", "<svg onload=pwned=1>", '"><img src=pwned onerror=pwned=1>',
    "'><svg/onload=pwned=1>", "<iframe srcdoc='<script>parent.pwned=1</script>'>", "<details open ontoggle=pwned=1>x",
    "<body onload=pwned=1>", "<input autofocus onfocus=pwned=1>", "<video src=pwned onerror=pwned=1>",
    "<audio src=pwned onerror=pwned=1>", "<object data='javascript:pwned=1'>", "<embed src='javascript:pwned=1'>",
    "<a href='javascript:pwned=1' id=pwned>5 us</a>", "<math><mi xlink:href='javascript:pwned=1'>", "<b id=pwned>8 GB</b>",
    "<style>*{background:url(pwned)}</style>", "<link rel=stylesheet href=pwned>", "<base href='//127.0.0.1:1/'>",
    "<meta http-equiv=refresh content='0;url=javascript:pwned=1'>", "</textarea><script>pwned=1</script>",
    "</div></div><img src=pwned onerror=pwned=1>", "$$\\href{javascript:pwned=1}{x}$$", "[x](javascript:pwned=1)",
    "{{ 7*7 }}", "${pwned=1}", "`;pwned=1;`", "__import__('js').eval('pwned=1')", "exec('import js; js.pwned = 1')",
    "%%javascript pwned=1", "<marquee onstart=pwned=1>", "\\u003cimg src=pwned onerror=pwned=1\\u003e",
    "\x1b]8;;javascript:pwned=1\x07\x1b[31m<b id=pwned>", "\x00<img\x00 src=pwned onerror=pwned=1>",
    "\u202e<b id=pwned>8 GB\u202c", "<img src=pwned onerror=pwned=1>" * 2000,
]
# Each box, and an empty cell: what it answers comes after all that the kernel said before.
KEY = "start_here.one-chip"
CELLS = [f"""import fabricbook as book
from IPython.display import display
from fabricbook.lessons.bring_your_own.boxes import bring_your_own
for one in (book.predict_first("{KEY}"), book.lab("first-all-reduce"), bring_your_own(), book.my_answers()):
    display(one)""", "book.my_guesses()"]
HARM = """() => [typeof pwned, document.querySelectorAll("#pwned, [src=pwned], [href=pwned], [onload], [onerror], [ontoggle], "
    + "[onfocus], [onstart], iframe[srcdoc], [href^='javascript:'], [data^='javascript:'], [src^='javascript:'], "
    + "base[href*='127.0.0.1:1']").length]"""


class Boxes:
    """An open notebook whose first two cells are CELLS, the first one run."""

    def __init__(self, page):
        self._page, self._box = page, page.locator(f".fl-predict.{css_key(KEY)}").first
        self._open()
        self._before = page.evaluate(HARM)

    def _open(self) -> None:
        """Wait for the boxes of the first cell, and turn the lab to a stop that asks for a number."""
        expect(self._page.locator(".fl-keeping")).to_be_visible()
        expect(self._page.locator(".fl-stop-tab").nth(2)).to_be_visible()
        self._page.locator(".fl-stop-tab").nth(2).click()

    def renew(self) -> None:
        """Show all boxes anew: as the record of answers is now."""
        self.settle(cell=0)
        self._open()

    def paste(self, text: str) -> None:
        """Hand in *text* in each box, and wait until all have answered."""
        self._box.locator("input").fill(text)
        self._box.get_by_role("button", name="Check").click()
        stop = self._page.locator(".fl-stop:not([hidden])").first
        stop.locator(".fl-number-field").fill(text)
        stop.locator(".fl-check").click()
        self._read(text)
        self.take_over(f"{text[:40]}.json", {"predictions": {text: {"typed": text}}, text: text})
        self.settle()

    def _read(self, text: str) -> None:
        """Hand in two logs: one that cannot be read, and one that can."""
        bring = self._page.locator(".fl-bring")
        bring.get_by_label("nodes").first.fill("")
        rows = "".join(f"{2**at} {2**at // 4} float sum -1 {at}.5 0.1 0.2 0\n" for at in range(10, 20))
        for log in (f"# {text}\n{text} 8 float sum 12.0 0.0 0.0 0\n",
                    f"# {text}\n# nccl-tests\n# Using devices\n#  Rank  0 Pid 1 on {text} device 0 [0x07] {text}\n{rows}"):
            bring.locator("textarea").first.fill(log)
            bring.get_by_role("button", name="Read it").click()
        bring.get_by_label("nodes").first.fill(text)
        bring.get_by_role("button", name="Read it").click()

    def take_over(self, name: str, record: dict) -> None:
        """Import a *record* of answers from a file of that *name*."""
        with self._page.expect_file_chooser() as chosen:
            self._page.locator(".fl-keeping").get_by_role("button", name="Import").click()
        content = json.dumps(record).encode()
        chosen.value.set_files({"name": name, "mimeType": "application/json", "buffer": content})

    def settle(self, cell: int = 1) -> None:
        """Run a cell: its number follows all that was answered before."""
        last = self._page.locator(".jp-CodeCell").nth(cell)
        prompt = last.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        last.locator(".cm-content").click()
        self._page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before)
        expect(prompt).not_to_have_text("[*]:")

    def harmed(self) -> bool:
        """Whether anything ran, or became an element of the page."""
        return self._page.evaluate(HARM) != self._before


def hostile_record() -> dict:
    """Return a record of answers, as the course exports one, in which all is hostile that can be."""
    return {"predictions": {KEY: {"typed": PAYLOADS[1]}},
            "attempts": {KEY: {"entries": [{"typed": text} for text in PAYLOADS[:-1]]}},
            "stops": {"start_here.first-all-reduce.ten": {"outcome": "wrong", "given": PAYLOADS[1], "sentence": PAYLOADS[1]}},
            "claims": {"a": {"vote": PAYLOADS[1]}}}
