"""How Sphinx makes the maintainers' pages: the book's settings and looks, and docstrings as Google writes them."""

from book import conf as book
from pygments.lexers import TextLexer

from docs.pages import TITLE

project = html_title = TITLE
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
myst_enable_extensions = book.myst_enable_extensions
myst_heading_anchors = 4
default_role = "py:obj"  # a docstring's `name` leads to where that is described, if it is
napoleon_custom_sections = [("Fields", "params_style")]
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
html_theme, html_theme_options = book.html_theme, book.html_theme_options
html_static_path = [str(book.HERE / "static")]
templates_path = book.templates_path
html_css_files = ["book.css"]
html_js_files = [("reached.js", {"defer": "defer"})]
html_copy_source = html_show_search_summary = html_show_sphinx = html_show_copyright = False
html_domain_indices = False
pygments_style, pygments_dark_style = book.pygments_style, book.pygments_dark_style


def _whole(app, what, name, thing, options, lines):
    """Keep the sentence of a property together: napoleon would take what stands before its colon for a type."""
    if what == "property":
        lines.insert(0, "\\ ")  # which is nothing on a page


def setup(app):
    book.add_guards(app)
    app.connect("autodoc-process-docstring", _whole, priority=400)  # before napoleon
    app.add_lexer("csv", TextLexer)  # the tables of recipes, which a code host colours
