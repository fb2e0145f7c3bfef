"""Each thing that the schema or our rules refuse, put into a document that is valid."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from publish.define_checks import DEF, ODM, problems, read

MINIMAL = Path(__file__).with_name("define_minimal.xml").read_bytes()


def document() -> etree._Element:
    return read(MINIMAL)


def item(root: etree._Element, oid: str) -> etree._Element:
    return next(node for node in root.iter(f"{ODM}ItemDef") if node.get("OID") == oid)


def without(oid: str, name: str) -> Callable[[etree._Element], None]:
    return lambda root: item(root, oid).attrib.pop(name) and None


def setting(oid: str, name: str, value: str) -> Callable[[etree._Element], None]:
    return lambda root: item(root, oid).set(name, value)


def long_label(root: etree._Element) -> None:
    next(item(root, "IT.DM.AGE").iter(f"{ODM}TranslatedText")).text = "A" * 41


def drop(tag: str) -> Callable[[etree._Element], None]:
    def do(root: etree._Element) -> None:
        node = next(root.iter(tag))
        node.getparent().remove(node)

    return do


def duplicate(tag: str) -> Callable[[etree._Element], None]:
    def do(root: etree._Element) -> None:
        node = next(root.iter(tag))
        node.addnext(etree.fromstring(etree.tostring(node)))

    return do


def no_method(root: etree._Element) -> None:
    for node in root.iter(f"{ODM}ItemRef"):
        node.attrib.pop("MethodOID", None)


def change(tag: str, name: str, value: str) -> Callable[[etree._Element], None]:
    return lambda root: next(root.iter(tag)).set(name, value)


FAULTS = {
    "IT.DM.SEX is text and has no Length": without("IT.DM.SEX", "Length"),
    "IT.DM.RFSTDTC is date and has a Length": setting("IT.DM.RFSTDTC", "Length", "10"),
    "IT.DM.AGE is float and has no SignificantDigits": setting("IT.DM.AGE", "DataType", "float"),
    "IT.DM.SEX has a Length of more than 200": setting("IT.DM.SEX", "Length", "201"),
    "IT.DM.AGE has a label of more than 40 characters": long_label,
    "IT.DM.STUDYID has no origin": drop(f"{DEF}Origin"),
    "IT.DM.RFSTDTC is derived and has no method": no_method,
    "MT.RFSTDTC is referred to but not defined": drop(f"{ODM}MethodDef"),
    "MT.RFSTDTC is defined but nothing refers to it": no_method,
    "CL.SEX is referred to but not defined": drop(f"{ODM}CodeList"),
    "CL.SEX is defined but nothing refers to it": drop(f"{ODM}CodeListRef"),
    "CL.SEX has a term twice": duplicate(f"{ODM}CodeListItem"),
    "IT.DM.SEX is text, its list CL.SEX is integer": change(f"{ODM}CodeList", "DataType", "integer"),
    "MT.RFSTDTC is defined 2 times": duplicate(f"{ODM}MethodDef"),
    "STD.IG is referred to but not defined": change(f"{DEF}Standard", "OID", "STD.ELSE"),
    "IG.DM has keys that are not numbered from 1": change(f"{ODM}ItemRef", "KeySequence", "3"),
    "bad class": change(f"{DEF}Class", "Name", "SPECIALPURPOSE"),
    "bad origin": change(f"{DEF}Origin", "Type", "CRF"),
}


def test_the_document_without_a_fault_has_none() -> None:
    assert problems(document()) == []


@pytest.mark.parametrize(("said", "fault"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_named(said: str, fault: Callable[[etree._Element], None]) -> None:
    root = document()
    fault(root)
    found = problems(root)
    assert found
    if said.startswith("bad"):
        assert any(problem.startswith("schema, line ") for problem in found)
    else:
        assert said in found


def test_a_transport_file_that_does_not_lie_beside_is_named(tmp_path: Path) -> None:
    assert problems(document(), tmp_path) == ["LF.DM points at dm.xpt, which is not in the folder of define.xml"]
    (tmp_path / "dm.xpt").touch()
    assert problems(document(), tmp_path) == []


def test_entities_are_not_resolved() -> None:
    secret = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
    assert (read(secret).text or "") == ""
