"""Paths, define.xml and PDF files of a package: each defect is found, and a sound package has none."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfWriter
from reportlab.pdfgen.canvas import Canvas

from publish.package_inspection import inspect

MINIMAL = Path(__file__).with_name("define_minimal.xml")
LINKED = """<?xml version="1.0"?>
<?xml-stylesheet type="text/xsl" href="define2-1.xsl"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:def="http://www.cdisc.org/ns/def/v2.0"
     xmlns:xlink="http://www.w3.org/1999/xlink">
  <def:DocumentRef leafID="LF.crf"><def:PDFPageRef PageRefs="1 2" Type="PhysicalRef"/></def:DocumentRef>
  <def:leaf ID="LF.crf" xlink:href="acrf.pdf"><def:title>CRF</def:title></def:leaf>
</ODM>
"""


def pdf(pages: int) -> bytes:
    stream = BytesIO()
    canvas = Canvas(stream)
    for page in range(pages):
        canvas.drawString(100, 100, f"Page {page + 1}")
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    datasets = tmp_path / "m5" / "datasets" / "s-1" / "tabulations" / "sdtm"
    datasets.mkdir(parents=True)
    (datasets / "define.xml").write_text(LINKED)
    (datasets / "define2-1.xsl").write_text("")
    (datasets / "acrf.pdf").write_bytes(pdf(2))
    return datasets


def found(folder: Path) -> list[tuple[str, str]]:
    return [(rule, sentence) for rule, _, sentence in inspect(folder.parents[4])]


def test_a_sound_package_has_no_defect(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("change", "rule", "sentence"),
    [
        (lambda folder: (folder / "Readme File.txt").write_text(""), "package.path", "other characters"),
        (lambda folder: (folder / "Splits").mkdir(), "package.path", "other characters"),
        (lambda folder: (folder / "acrf.pdf").write_bytes(pdf(1)), "define.pages", "page 2, which is not there"),
        (lambda folder: (folder / "acrf.pdf").unlink(), "define.links", "links to acrf.pdf, which is not there"),
        (lambda folder: (folder / "define2-1.xsl").unlink(), "define.links", "shown by define2-1.xsl"),
        (lambda folder: (folder / "define.xml").write_text("<ODM>"), "define.schema", "is not XML"),
        (lambda folder: (folder / "acrf.pdf").write_bytes(b"no PDF"), "pdf.sound", "cannot be read"),
        (lambda folder: (folder / "acrf.pdf").write_bytes(pdf(6)), "pdf.sound", "no bookmarks"),
        (lambda folder: encrypt(folder / "acrf.pdf"), "pdf.sound", "is encrypted"),
        (lambda folder: script(folder / "acrf.pdf"), "pdf.sound", "has an action"),
        (lambda folder: destination(folder), "define.pages", "destination AE"),
        (lambda folder: absolute(folder), "define.links", "not relative"),
    ],
)
def test_a_defect_is_found(folder: Path, change: Callable[[Path], object], rule: str, sentence: str) -> None:
    change(folder)
    assert [said for name, said in found(folder) if name == rule and sentence in said]


def encrypt(path: Path) -> None:
    writer = PdfWriter(clone_from=path)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(path)


def script(path: Path) -> None:
    content = path.read_bytes()
    changed = content.replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (x) >>")
    assert changed != content
    path.write_bytes(changed)


def destination(folder: Path) -> None:
    named = LINKED.replace('PageRefs="1 2" Type="PhysicalRef"', 'PageRefs="AE" Type="NamedDestination"')
    (folder / "define.xml").write_text(named)


def absolute(folder: Path) -> None:
    (folder / "define.xml").write_text(LINKED.replace('href="acrf.pdf"', 'href="https://example.org/acrf.pdf"'))


def test_a_define_that_the_schema_refuses_is_found(folder: Path) -> None:
    content = MINIMAL.read_text().replace("<ItemGroupDef", "<ItemGroupDefinition", 1)
    (folder / "define.xml").write_text(content.replace("</ItemGroupDef>", "</ItemGroupDefinition>", 1))
    assert "define.schema" in {rule for rule, _ in found(folder)}
