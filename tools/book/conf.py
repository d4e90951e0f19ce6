"""How Sphinx makes the book: plain pages that open from a file, formulas as MathML, and no script but the files beside them."""

import html
import re
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

from book.pages import TITLE

HERE = Path(__file__).parent
# On a page from a file, 'self' is no file: the scheme says it. Vega's labs set styles of their own; nothing is evaluated.
POLICY = ("default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data:; "
          "font-src 'self' file:; base-uri 'none'; form-action 'self' file:")

MATHML = "http://www.w3.org/1998/Math/MathML"
ElementTree.register_namespace("", MATHML)

project = html_title = TITLE
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
html_theme = "furo"
html_theme_options = {"top_of_page_buttons": []}
html_static_path = [str(HERE / "static")]
templates_path = [str(HERE / "templates")]
html_css_files = ["book.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("judge.js", "book.js", "reached.js")]
html_math_renderer = "mathml"
html_copy_source = html_use_index = html_show_search_summary = html_show_sphinx = html_show_copyright = False
html_domain_indices = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def _formula(translator, node):
    tex = re.sub(r"\\[bB]igg?(?![A-Za-z])", "", node.astext())  # brackets of MathML grow by themselves
    tex = re.sub(r"(\\[td]?frac)(\d)", r"\1{\2}", tex)  # \frac32 would read 32
    marked = tex2mathml(tex, as_block=isinstance(node, nodes.math_block))
    formula = ElementTree.fromstring(re.sub(r"&(?!amp;|lt;|gt;)\w+;", lambda named: html.unescape(named[0]), marked))
    for index in formula.iter(f"{{{MATHML}}}msub"):
        if index[0].tag == f"{{{MATHML}}}munder":  # what a brace says stands under the brace
            index.tag = index[0].tag
    translator.body.append(ElementTree.tostring(formula, encoding="unicode"))
    raise nodes.SkipNode


def _guarded(app, pagename, templatename, context, doctree):
    context["metatags"] = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">' + context.get("metatags", "")


def _for_keys_and_ears(app, pagename, templatename, context, doctree):
    """Give what the theme calls a heading its level, and what scrolls a place among what the Tab key reaches."""
    headed = context.get("furo_navigation_tree", "").replace('role="heading"', 'role="heading" aria-level="2"')
    context["furo_navigation_tree"] = headed
    context["body"] = context.get("body", "").replace("<pre>", '<pre tabindex="0">')


def _outward(app, exception):
    """Give links that lead out no hold on the page they leave."""
    deeper = (Path(app.outdir, f"{name}.html") for name in app.env.found_docs if "/" in name)
    for path in [*Path(app.outdir).glob("*.html"), *deeper]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'<a (?=[^>]*href="https?:)', '<a rel="noopener noreferrer" ', text), encoding="utf-8")


def _written(app, config):
    """Take what was written for the pages beside them: their pictures, the judge, and the labs where they move."""
    written = app.srcdir / "_static"
    config.html_static_path.append(str(written))
    if (written / "player.js").exists():
        app.add_css_file("player.css")
        app.add_js_file("player.js", defer="defer")


def add_formulas(app):
    app.add_html_math_renderer("mathml", inline_renderers=(_formula, None), block_renderers=(_formula, None))


def add_guards(app):
    app.connect("html-page-context", _guarded)
    app.connect("html-page-context", _for_keys_and_ears, priority=900)  # after the theme
    app.connect("build-finished", _outward)


def setup(app):
    add_formulas(app)
    add_guards(app)
    app.connect("config-inited", _written)
