"""Elements of a define.xml by their names alone, so that Define-XML 2.0 and 2.1 are read alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

from lxml import etree

WEB = ("", "http", "https")


@cache
def local(name: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def children(node: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the direct children of some names."""
    return (child for child in node.iterchildren() if isinstance(child.tag, str) and local(child.tag) in names)


def child(node: etree._Element, *path: str) -> etree._Element | None:
    """Return the first child along a path of names, None if there is none."""
    found: etree._Element | None = node
    for name in path:
        found = next(children(found, name), None) if found is not None else None
    return found


def value(node: etree._Element | None, name: str) -> str:
    """Return an attribute by its local name, an empty text if the element lacks it."""
    if node is None:
        return ""
    return next((str(text) for key, text in node.attrib.items() if local(str(key)) == name), "")


def text(node: etree._Element | None) -> str:
    """Return the text of an element, an empty one if there is none."""
    return "" if node is None else " ".join("".join(str(part) for part in node.itertext()).split())


def description(node: etree._Element) -> str:
    """Return the first translated text of an element's description."""
    return text(child(node, "Description", "TranslatedText"))


def safe_href(href: str) -> str:
    """Return the address of a file or of a page of the web; an empty text for what would run in a browser."""
    address = href.strip()
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return ""
    return address if scheme in WEB and not re.search(r"[\x00-\x20]", scheme) else ""


class Anchors:
    """Names of places on the page: an OID with other characters than letters, digits, points replaced, each once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()

    def of(self, kind: str, *parts: str) -> str:
        """Return the name of the place of a definition of some kind, the same each time."""
        key = (kind, *parts)
        if key not in self._names:
            wanted = re.sub(r"[^A-Za-z0-9._-]", "-", ".".join(parts))
            name, number = wanted, 1
            while name in self._taken:
                number += 1
                name = f"{wanted}-{number}"
            self._taken.add(name)
            self._names[key] = name
        return self._names[key]
