"""The button that copies: onto the clipboard, or into a textarea that shows the text, selected. The text is never markup."""

import pytest

from fabricbook.stage.copying import CopyButton

TEXT = "Alarm.\n<img src=x onerror='globalThis.ran = 1'>\n"
STAGE = """async ({ code, text, clipboard }) => {
  const writeText = async (copied) => { globalThis.copied = copied; };
  Object.defineProperty(navigator, "clipboard", { value: clipboard ? { writeText } : undefined });
  document.execCommand = () => false;
  const front = (await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })))).default;
  const heard = {};
  globalThis.model = { text, off() {}, get: (name) => (name === "text" ? model.text : "Copy"),
                       on: (name, call) => { heard[name] = call; } };
  globalThis.say = (said) => { model.text = said; heard["change:text"](); };
  front.render({ model, el: document.body });
}"""


@pytest.fixture
def stage(tab):
    def opened(clipboard: bool):
        tab.evaluate(STAGE, {"code": CopyButton._esm, "text": TEXT, "clipboard": clipboard})
        return tab

    yield opened
    assert tab.evaluate("[document.images.length, globalThis.ran]") == [0, None]


@pytest.mark.browser
def test_a_text_is_copied_by_keyboard(stage):
    page = stage(clipboard=True)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("copied") == TEXT
    assert page.locator("textarea").is_hidden()


@pytest.mark.browser
def test_without_a_clipboard_the_text_is_shown_and_selected(stage):
    page = stage(clipboard=False)
    page.get_by_role("button").click()
    page.get_by_text("Press Ctrl+C").wait_for()
    assert page.locator("textarea").input_value() == TEXT
    assert page.evaluate("[document.activeElement.tagName, getSelection().toString()]") == ["TEXTAREA", TEXT]


@pytest.mark.browser
def test_a_new_text_puts_the_old_one_away_and_none_cannot_be_copied(stage):
    page = stage(clipboard=False)
    page.get_by_role("button").click()
    page.locator("textarea").wait_for()
    page.evaluate("say('')")
    assert page.locator("textarea").is_hidden()
    assert page.get_by_role("button").is_disabled()
    assert page.get_by_role("status").inner_text() == ""
