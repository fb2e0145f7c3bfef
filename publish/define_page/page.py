"""The page: content laid out by a template; nothing on it is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from pathlib import Path

from metadata.html_page import page_templates
from publish.define_checks import read
from publish.define_page.reader import page_content

FOLDER = Path(__file__).resolve().parent
TEMPLATE = "define.html.jinja"


def define_page(document: bytes) -> bytes:
    """Return the page of a define.xml (Define-XML 2.0 or 2.1, with or without results), the same for the same bytes.

    The document is parsed without entities and without a network. Raises StudyError if it is no XML.
    """
    templates = page_templates(FOLDER)
    return templates.get_template(TEMPLATE).render(page=page_content(read(document))).encode()
