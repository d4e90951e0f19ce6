"""A lesson in the site of the browser alone: all of it run, however early."""

from __future__ import annotations

from playwright.sync_api import expect

WRONG = (".jp-RenderedText[data-mime-type*=error], .jp-OutputArea-output[data-mime-type*=stderr], "
         ".jupyter-widgets:has-text('Error displaying widget'), .jp-OutputArea-output:has-text('model not found')")


def run(page, cells):
    """Run all of the lesson that is being opened, as soon as its cells are there and whether or not Python is."""
    are_there(page, cells)
    run_all(page)
    all_have_run(page, cells)


def are_there(page, cells):
    expect(prompts(page)).to_have_count(cells)  # JupyterLab shows an empty notebook first, of one cell


def prompts(page):
    return page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt")


def run_all(page):
    """Ask for all cells at once, as the button in a lesson does: a menu takes seconds on a busy machine."""
    page.evaluate("""() => {
      const button = document.body.appendChild(document.createElement("button"));
      button.dataset.commandlinkerCommand = "notebook:run-all-cells";
      button.click();
      button.remove();
    }""")


def all_have_run(page, cells):
    expect(prompts(page).nth(cells - 1)).to_have_text(f"[{cells}]:")
    nothing_is_wrong(page)


def nothing_is_wrong(page):
    assert page.locator(WRONG).all_text_contents() == []
    assert page.get_by_role("dialog").all_text_contents() == []
