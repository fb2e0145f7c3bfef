"""What a define.xml must fulfil: the schema, and the rules that a schema cannot express.

Source: Define-XML 2.1 specification, section 5.3; FDA Study Data Technical Conformance Guide, section 3.3.2 and 8.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from lxml import etree
from odmlib.schema_manager import get_schema_path

from publish.define_types import FLOAT, NEEDS_LENGTH

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
XLINK = "{http://www.w3.org/1999/xlink}"
REFERENCES = {
    "ItemOID": f"{ODM}ItemDef",
    "ParameterOID": f"{ODM}ItemDef",
    "ItemGroupOID": f"{ODM}ItemGroupDef",
    f"{DEF}ItemOID": f"{ODM}ItemDef",
    "MethodOID": f"{ODM}MethodDef",
    "CodeListOID": f"{ODM}CodeList",
    "RoleCodeListOID": f"{ODM}CodeList",
    "WhereClauseOID": f"{DEF}WhereClauseDef",
    "ValueListOID": f"{DEF}ValueListDef",
    f"{DEF}CommentOID": f"{DEF}CommentDef",
    f"{DEF}StandardOID": f"{DEF}Standard",
    f"{DEF}ArchiveLocationID": f"{DEF}leaf",
    "leafID": f"{DEF}leaf",
}
TERMS = (f"{ODM}CodeListItem", f"{ODM}EnumeratedItem")
NOT_REFERRED_TO = (f"{DEF}Standard", f"{ODM}ItemGroupDef")
LABEL, VALUE = 40, 200


def read(content: bytes) -> etree._Element:
    """Parse a define.xml; no entity is resolved and nothing is fetched."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(content, parser)


def problems(root: etree._Element, folder: Path | None = None, coming: Collection[str] = ()) -> list[str]:
    """Return everything that is wrong, a sentence each.

    With ``folder``, also files that are missing there, except those that are ``coming``.
    """
    found = [*_schema(root), *_oids(root), *_items(root), *_codelists(root), *_groups(root), *_sentences(root)]
    return found + (list(_files(root, folder, coming)) if folder else [])


@cache
def _schema_of_define() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(get_schema_path("arm", "1.0-define2.1")))


def _schema(root: etree._Element) -> Iterator[str]:
    schema = _schema_of_define()
    if not schema.validate(root):
        for error in schema.error_log:  # type: ignore[attr-defined]
            yield f"schema, line {error.line}: {error.message}"


def _oids(root: etree._Element) -> Iterator[str]:
    """Yield OIDs that are defined twice, referred to but not defined, or defined and never referred to."""
    defined = [
        (node.tag, str(node.get("OID") or node.get("ID") or "")) for node in root.iter(*set(REFERENCES.values()))
    ]
    yield from (f"{oid} is defined {count} times" for (_, oid), count in Counter(defined).items() if count > 1)
    used = {
        (REFERENCES[str(name)], str(value))
        for node in root.iter("*")
        for name, value in node.attrib.items()
        if name in REFERENCES
    }
    yield from (f"{oid} is referred to but not defined" for _, oid in sorted(used - set(defined)))
    idle = sorted((tag, oid) for tag, oid in set(defined) - used if tag not in NOT_REFERRED_TO)
    yield from (f"{oid} is defined but nothing refers to it" for _, oid in idle)


def _items(root: etree._Element) -> Iterator[str]:
    references = {str(node.get("ItemOID")): node for node in root.iter(f"{ODM}ItemRef")}
    for item in root.iter(f"{ODM}ItemDef"):
        oid = str(item.get("OID"))
        yield from (f"{oid} {sentence}" for sentence in _item(item, references.get(oid)))


def _item(item: etree._Element, reference: etree._Element | None) -> Iterator[str]:
    data_type, length = item.get("DataType"), item.get("Length")
    label = item.findtext(f"{ODM}Description/{ODM}TranslatedText") or ""
    types = [origin.get("Type") for origin in item.findall(f"{DEF}Origin")]
    group = None if reference is None else reference.getparent()
    is_variable = group is not None and group.tag == f"{ODM}ItemGroupDef"  # a criterion's text has up to 200 characters
    empty = reference is not None and reference.get(f"{DEF}HasNoData") == "Yes"
    wrong = {
        "is used by no dataset and no value list": reference is None,
        f"is {data_type} and has no Length": data_type in NEEDS_LENGTH and not length,
        f"is {data_type} and has a Length": data_type not in NEEDS_LENGTH and bool(length),
        f"is {data_type} and has no SignificantDigits": data_type == FLOAT and not item.get("SignificantDigits"),
        f"has a Length of more than {VALUE}": bool(length) and int(length or 0) > VALUE,
        "has no label": not label,
        f"has a label of more than {LABEL} characters": is_variable and len(label) > LABEL,
        "has no origin": not types,
        "is a copy and does not name its source": _has_nameless_predecessor(item),
        "is derived and has no method": types == ["Derived"]
        and reference is not None
        and not reference.get("MethodOID"),
        "has no data and no comment that says so": empty and not item.get(f"{DEF}CommentOID"),
    }
    yield from (sentence for sentence, is_wrong in wrong.items() if is_wrong)


def _has_nameless_predecessor(item: etree._Element) -> bool:
    copies = [origin for origin in item.findall(f"{DEF}Origin") if origin.get("Type") == "Predecessor"]
    return not all(_description(origin) for origin in copies)


def _description(node: etree._Element) -> str:
    """Return the description of an element, an empty text if it has none."""
    return (node.findtext(f"{ODM}Description/{ODM}TranslatedText") or "").strip()


def _sentences(root: etree._Element) -> Iterator[str]:
    """Yield methods and comments that say nothing, and value level definitions without a condition."""
    for node in root.iter(f"{ODM}MethodDef", f"{DEF}CommentDef"):
        if not _description(node):
            yield f"{node.get('OID')} says nothing"
    for values in root.iter(f"{DEF}ValueListDef"):
        for reference in values.findall(f"{ODM}ItemRef"):
            if reference.find(f"{DEF}WhereClauseRef") is None:
                yield f"{reference.get('ItemOID')} in {values.get('OID')} has no condition"


def _codelists(root: etree._Element) -> Iterator[str]:
    lists = {str(node.get("OID")): node for node in root.iter(f"{ODM}CodeList")}
    for item in root.iter(f"{ODM}ItemDef"):
        for reference in item.findall(f"{ODM}CodeListRef"):
            found = lists.get(str(reference.get("CodeListOID")))
            kind = "text" if item.get("DataType") not in NEEDS_LENGTH else item.get("DataType")
            if found is not None and found.get("DataType") != kind:
                yield f"{item.get('OID')} is {kind}, its list {found.get('OID')} is {found.get('DataType')}"
    for oid, node in lists.items():
        values = [str(term.get("CodedValue")) for term in node.iter(*TERMS)]
        if len(set(values)) < len(values):
            yield f"{oid} has a term twice"
        if node.get(f"{DEF}StandardOID"):
            bare = [str(term.get("CodedValue")) for term in node.iter(*TERMS) if _is_unknown(term)]
            yield from (f"{oid} names a standard, but '{value}' has no code and is not an extension" for value in bare)
        if not values and node.find(f"{ODM}ExternalCodeList") is None:
            yield f"{oid} has no terms"


def _is_unknown(term: etree._Element) -> bool:
    return term.find(f"{ODM}Alias") is None and term.get(f"{DEF}ExtendedValue") != "Yes"


def _groups(root: etree._Element) -> Iterator[str]:
    for group in root.iter(f"{ODM}ItemGroupDef"):
        label = group.findtext(f"{ODM}Description/{ODM}TranslatedText") or ""
        if not 1 <= len(label) <= LABEL:
            yield f"{group.get('OID')} has a label of {len(label)} characters; 1 to {LABEL} are allowed"
        keys = [int(node.get("KeySequence") or 0) for node in group.findall(f"{ODM}ItemRef") if node.get("KeySequence")]
        if sorted(keys) != list(range(1, len(keys) + 1)) or not keys:
            yield f"{group.get('OID')} has keys that are not numbered from 1"


def _files(root: etree._Element, folder: Path, coming: Collection[str]) -> Iterator[str]:
    for node in root.iter(f"{DEF}leaf"):
        name = str(node.get(f"{XLINK}href"))
        if name not in coming and not (folder / name).is_file():
            yield f"{node.get('ID')} points at {name}, which is not in the folder of define.xml"
