"""How Sphinx makes sheets of paper: the book's formulas, and nothing around the text."""

from pathlib import Path

from book import conf as book

HERE = Path(__file__).parent

project = html_title = book.TITLE
extensions = ["myst_parser"]
myst_enable_extensions = book.myst_enable_extensions
html_math_renderer = "mathml"
html_theme = "basic"
html_copy_source = html_use_index = False
templates_path = [str(HERE)]
html_static_path = [str(HERE / "static")]

setup = book.add_formulas
