"""The page: content laid out by a template; nothing on it is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from metadata.errors import StudyError
from metadata.html_page import page_templates
from publish.define_checks import read
from publish.define_page.nodes import local
from publish.define_page.reader import page_content

FOLDER = Path(__file__).resolve().parent
TEMPLATE = "define.html.jinja"
ROOT = "ODM"


def define_page(document: bytes) -> bytes:
    """Return the page of a define.xml (Define-XML 2.0 or 2.1, with or without results), the same for the same bytes.

    The document is parsed without entities and without a network. Raises StudyError if it is not a define.xml.
    """
    try:
        root = read(document)
    except etree.XMLSyntaxError as error:
        raise StudyError("this is not an XML document", line=error.lineno) from None
    if local(str(root.tag)) != ROOT:
        raise StudyError(f"this is not a define.xml: the document begins with {local(str(root.tag))}, not with {ROOT}")
    return page_templates(FOLDER).get_template(TEMPLATE).render(page=page_content(root)).encode()
