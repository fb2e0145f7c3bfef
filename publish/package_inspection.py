"""What is wrong with the documents and paths of a package, ours or anyone's: define.xml, what it links to, PDF files.

Source: FDA Study Data Technical Conformance Guide, sections 3.3, 7 and 8; Define-XML 2.1, sections 5.3.8 and 5.3.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from publish import define_checks
from publish.define_checks import DEF, XLINK
from publish.disk import outside

if TYPE_CHECKING:
    from pypdf import PdfReader

PART = re.compile(r"[a-z0-9][a-z0-9-]*")
FILE = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?")
DEEPEST, LONGEST = 12, 150
SCRIPTS = ("/JavaScript", "/JS", "/Launch")
STANDARD = re.compile(r"(Helvetica|Courier|Times)(-\w+)?|Symbol|ZapfDingbats")
"""The fonts that every reader of PDF has."""
Defect = tuple[str, str, str]
"""The rule that is broken, the file, and what is wrong."""


def inspect(folder: Path) -> list[Defect]:
    """Return what is wrong with paths, define.xml files and PDF files below ``folder``; raises OutsideError."""
    root = folder / "m5" if (folder / "m5").is_dir() else folder
    found = list(_paths(folder, root)) if root != folder else []
    for path in sorted(root.rglob("define*.xml")):
        found += _define(folder, path)
    for path in sorted(root.rglob("*.pdf")):
        found += [("pdf.sound", _shown(folder, path), sentence) for sentence in _pdf(path)]
    return found


def _shown(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _paths(folder: Path, root: Path) -> Iterator[Defect]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        name = FILE if path.is_file() else PART
        programs = "programs" in parts[:-1]  # a program keeps the name of what it makes
        if not name.fullmatch(path.name) and not programs:
            yield "package.path", _shown(folder, path), "has other characters than small letters, digits and hyphens."
        if len(_shown(folder, path)) > LONGEST:
            yield "package.path", _shown(folder, path), f"has a path of more than {LONGEST} characters."


def _define(folder: Path, path: Path) -> Iterator[Defect]:
    with outside(f"read {path}"):
        content = path.read_bytes()
    try:
        root = define_checks.read(content)
    except etree.XMLSyntaxError as error:
        yield "define.schema", _shown(folder, path), f"is not XML: {error}"
        return
    shown = _shown(folder, path)
    if any(True for _ in root.iter(f"{DEF}leaf")):  # Define-XML 2.0 has a schema and a namespace of its own
        yield from (("define.schema", shown, sentence) for sentence in define_checks.problems(root))
    yield from (("define.links", shown, sentence) for sentence in _links(root, path.parent))
    yield from (("define.links", shown, sentence) for sentence in _stylesheet(root, path.parent))
    yield from (("define.pages", shown, sentence) for sentence in _pages(root, path.parent))


def _links(root: etree._Element, folder: Path) -> Iterator[str]:
    for leaf in root.iter("{*}leaf"):
        target = str(leaf.get(f"{XLINK}href") or "")
        if "://" in target or target.startswith("/"):
            yield f"links to {target}, which is not relative."
        elif not (folder / target.partition("#")[0]).is_file():
            yield f"links to {target}, which is not there."


def _stylesheet(root: etree._Element, folder: Path) -> Iterator[str]:
    before: Any = root.getprevious()
    while before is not None:
        target = re.search(r'href="([^"]+)"', before.text or "") if before.tag is etree.ProcessingInstruction else None
        if target and not (folder / target.group(1)).is_file():
            yield f"is shown by {target.group(1)}, which is not there."
        before = before.getprevious()


def _pages(root: etree._Element, folder: Path) -> Iterator[str]:
    """Yield page references that lead to no page, or to no named destination, of the document."""
    leaves = {str(leaf.get("ID")): str(leaf.get(f"{XLINK}href") or "") for leaf in root.iter("{*}leaf")}
    readers: dict[str, PdfReader | None] = {}
    for reference in root.iter("{*}DocumentRef"):
        target = leaves.get(str(reference.get("leafID")), "")
        for pages in reference.iter("{*}PDFPageRef"):
            if target not in readers:
                readers[target] = _reader(folder / target)
            reader = readers[target]
            if reader is not None and not reader.is_encrypted:
                yield from (f"refers to {target}, {lost}, which is not there." for lost in _lost(pages, reader))


def _lost(pages: etree._Element, reader: PdfReader) -> Iterator[str]:
    wanted = str(pages.get("PageRefs") or "").split()
    wanted += [str(pages.get(name)) for name in ("FirstPage", "LastPage") if pages.get(name)]
    if pages.get("Type") == "NamedDestination":
        yield from (f"destination {name}" for name in wanted if name not in reader.named_destinations)
    else:
        yield from (f"page {page}" for page in wanted if not page.isdigit() or not 1 <= int(page) <= len(reader.pages))


def _reader(path: Path) -> PdfReader | None:
    """Return a PDF file that can be read, or None; ``_pdf`` reports what is wrong with it."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if not path.is_file():
        return None
    try:
        return PdfReader(path)
    except (PyPdfError, ValueError, KeyError):
        return None


def _pdf(path: Path) -> Iterator[str]:
    with outside(f"read {path}"):
        content = path.read_bytes()
    reader = _reader(path)
    if reader is None:
        yield "cannot be read as PDF."
    elif reader.is_encrypted:
        yield "is encrypted."
    else:
        yield from (
            f"has an action {name}." for name in SCRIPTS if re.search(re.escape(name.encode()) + rb"\b", content)
        )
        if len(reader.pages) > 5 and not reader.outline:
            yield "has more than five pages and no bookmarks."
        fonts = sorted({name for page in reader.pages for name in _not_embedded(page)})
        yield from (f"does not embed the font {name}." for name in fonts if not STANDARD.fullmatch(name))


def _not_embedded(page: Any) -> Iterator[str]:
    resources = page.get("/Resources")
    fonts = resources.get_object().get("/Font") if resources is not None else None
    for font in (one.get_object() for one in (fonts.get_object().values() if fonts is not None else ())):
        descendants = font.get("/DescendantFonts")
        owner = descendants.get_object()[0].get_object() if descendants is not None else font
        descriptor = owner.get("/FontDescriptor")
        keys = set(descriptor.get_object()) if descriptor is not None else set()
        if not keys & {"/FontFile", "/FontFile2", "/FontFile3"} and font.get("/Subtype") != "/Type3":
            yield str(font.get("/BaseFont", "unnamed")).removeprefix("/")
