"""The document of a REDCap project's XML, read safely and with the line breaks that REDCap writes."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from metadata.errors import StudyError

ODM, REDCAP = "{http://www.cdisc.org/ns/odm/v1.3}", "{https://projectredcap.org}"
LARGEST = 1 << 30
"""Bytes; as much again and more is needed to read it."""
MARKUP = re.compile(r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<(?:[^<>"']|"[^"]*"|'[^']*')*>""", re.DOTALL)
BREAKS = {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
BREAK = re.compile(r"[\n\r\t]")
QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')


def read_document(path: Path) -> etree._Element:
    """Return the root of a project's XML; line breaks inside attributes stay what they are.

    REDCap writes them raw, and XML 1.0 (section 3.3.3) makes blanks of them. Entities are neither resolved nor allowed.
    Raises StudyError for what is no such document, declares entities or is larger than 1 GiB.
    """
    if path.stat().st_size > LARGEST:
        raise StudyError(f"the file has more than {LARGEST >> 20} MB: export the records as CSV", path)
    return parse_document(path.read_bytes(), path)


def parse_document(content: bytes, path: str | Path) -> etree._Element:
    """Return the root of a document that is at hand (see ``read_document``); ``path`` is what errors call it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StudyError("the file is not UTF-8, as REDCap's XML is", path) from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise StudyError("the file declares a document type or entities, which REDCap's XML does not have", path)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True
    )
    try:
        root = etree.fromstring(MARKUP.sub(_with_breaks, text).encode(), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno if error.lineno else None
        raise StudyError("the file is not XML: it may be cut off; export it again", path, line) from None
    if root.tag != f"{ODM}ODM":
        raise StudyError("the file is not a REDCap project's XML: its first element is not CDISC's ODM", path)
    return root


def _with_breaks(found: re.Match[str]) -> str:
    """Return a tag with the line breaks of its attributes' values escaped; anything else as it is."""
    markup = found[0]
    if markup.startswith(("<!", "<?")) or not BREAK.search(markup):
        return markup
    return QUOTED.sub(lambda value: BREAK.sub(lambda mark: BREAKS[mark[0]], value[0]), markup)


def text_of(element: etree._Element | None) -> str:
    """Return the text of an element, blank if there is none."""
    return "" if element is None or element.text is None else element.text


def redcap(element: etree._Element, name: str) -> str:
    """Return one of REDCap's own attributes, blank if it is not there."""
    return str(element.get(f"{REDCAP}{name}") or "")
