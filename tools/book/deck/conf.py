"""How Sphinx makes slides: the book's settings, on sphinx-revealjs, which brings reveal.js along."""

from pathlib import Path

from book import conf as book

HERE = Path(__file__).parent
# The speaker's view is a window that reveal.js writes, with a script in it, and two frames of the deck.
POLICY = book.POLICY.replace("script-src", "frame-src 'self' file:; script-src 'unsafe-inline'")

project = html_title = book.TITLE
extensions = ["myst_parser", "sphinx_revealjs"]
myst_enable_extensions = book.myst_enable_extensions
html_math_renderer = "mathml"
html_copy_source = html_use_index = False
templates_path = [str(HERE)]
revealjs_style_theme = "deck.css"
revealjs_static_path = [str(HERE / "static"), str(book.HERE / "static")]


def _written(app, config):
    config.revealjs_static_path.append(str(app.srcdir / "_static"))


def _guarded(app, pagename, templatename, context, doctree):
    context["policy"], context["moving"] = POLICY, (app.srcdir / "_static" / "player.js").exists()


def setup(app):
    book.add_formulas(app)
    app.connect("config-inited", _written)
    app.connect("html-page-context", _guarded)
