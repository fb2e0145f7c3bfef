"""define.xml of tabulations or analysis datasets with its stylesheet, checked before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lxml import etree
from odmlib.exceptions import OdmlibError
from odmlib.oid_generator import create_oid_checker

from metadata.analysis_result import ResultDisplay
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from publish.define_checks import problems, read
from publish.define_document import document
from publish.define_documents import Documents
from publish.define_page.page import define_page
from publish.define_standards import DefineContent
from publish.disk import outside, write_bytes

FILE, STYLESHEET, PAGE = "define.xml", "define2-1.xsl", "define.html"
STYLESHEET_SOURCE = Path(__file__).resolve().parent / "stylesheet" / STYLESHEET
HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="{STYLESHEET}"?>
"""
SHOWN = 5


def write(
    study: Study,
    content: DefineContent,
    datasets: Mapping[str, Dataset],
    created: str,
    folder: Path,
    documents: Documents,
    displays: Sequence[ResultDisplay] = (),
) -> list[Path]:
    """Write define.xml, its stylesheet and its page into ``folder``, where the transport files are; return all three.

    ``created`` is the date of the snapshot, ``displays`` are the key results. Lengths must be resolved. Raises
    StudyError if the document is not valid, and OutsideError.
    """
    made = render(study, content, datasets, created, documents, displays)
    found = problems(read(made), folder, documents.coming)
    if found:
        raise StudyError(_sentence(found))
    with outside(f"read {STYLESHEET_SOURCE}"):
        stylesheet = STYLESHEET_SOURCE.read_bytes()
    paths = [folder / FILE, folder / STYLESHEET, folder / PAGE]
    for path, text in zip(paths, (made, stylesheet, define_page(made)), strict=True):
        write_bytes(path, text)
    return paths


def render(
    study: Study,
    content: DefineContent,
    datasets: Mapping[str, Dataset],
    created: str,
    documents: Documents,
    displays: Sequence[ResultDisplay] = (),
) -> bytes:
    """Return define.xml as bytes, the same for the same datasets and date.

    Raises StudyError if an OID leads nowhere, or if the value level does not describe each value once.
    """
    root, wrong = document(study, content, datasets, created, documents, displays)
    try:
        root.verify_oids(create_oid_checker("arm_1_0"))
    except OdmlibError as error:
        wrong.append(str(error))
    if wrong:
        raise StudyError(_sentence(wrong))
    tree = read(root.to_xml_string().encode())
    etree.indent(tree)
    return HEAD.encode() + etree.tostring(tree, encoding="UTF-8", xml_declaration=False) + b"\n"


def _sentence(found: list[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{FILE} is not valid: {'; '.join(found[:SHOWN])}{more}"
