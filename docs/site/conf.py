"""The settings of Sphinx; ``docs.site.sources`` makes the pages that it reads."""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import Annotated, get_origin

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.highlighting import lexers

project = "redcap-cdisc"
version = release = installed("redcap-cdisc")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
language = "en"

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline"]

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # a default's text as it is written, never an object with its address in memory
autodoc_typehints = "signature"
add_module_names = False
python_use_unqualified_type_names = True
# Names of types in signatures are linked where one class has that name; where several do, they are left as texts.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"redcap-cdisc {release}"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False

lexers["csv"] = TextLexer()  # Pygments has none of its own


def skip_annotated(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Leave out names of annotated types: Sphinx prints their patterns as if they were its own markup."""
    return True if get_origin(member) is Annotated else None


def setup(app: Sphinx) -> None:
    """Take part in what Sphinx does."""
    app.connect("autodoc-skip-member", skip_annotated)
