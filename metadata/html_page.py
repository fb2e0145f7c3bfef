"""Pages by Jinja templates: what is put into them is escaped, and a name that nobody gave is an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

STYLE = "style.css"


def page_templates(folder: Path, base: Path | None = None, **shared: object) -> Environment:
    """Return the templates of a folder; ``shared`` values are known to all of them.

    The folder's own style.css, after that of the folder ``base`` if one is given, is ``style``, the only text that is
    not escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sheets = [one / STYLE for one in (base, folder) if one is not None]
    style = Markup("".join(sheet.read_text(encoding="utf-8") for sheet in sheets))  # noqa: S704 our own files
    made.globals.update(shared, style=style)
    return made
