"""What a define.xml of anyone says of its datasets: Define-XML 2.0 and 2.1."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from metadata.errors import UsageError
from publish.define_checks import read as parse
from publish.disk import outside

XLINK = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class DefinedTerms:
    """A codelist: its NCI code (blank for a sponsor's own), and each value with its meaning and whether it extends."""

    code: str
    terms: tuple[tuple[str, str], ...]
    extended: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DefinedVariable:
    """One variable; ``type`` is DataType of the ItemDef, ``method`` the text of a method, comment or predecessor."""

    name: str
    label: str
    type: str
    length: int | None
    format: str
    origin: str
    method: str
    terms: DefinedTerms | None


@dataclass(frozen=True)
class DefinedDataset:
    """One dataset; ``file`` is the place of its archive, relative to define.xml, blank if none is given."""

    name: str
    label: str
    dataset_class: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[DefinedVariable, ...]
    file: str = ""


@dataclass(frozen=True)
class DefinedStudy:
    """The whole document; ``standards`` are names with versions, such as SDTMIG 3.3 or CDISC/NCI SDTM 2019-09-27."""

    path: Path
    study: str
    standards: tuple[tuple[str, str, str], ...]
    datasets: dict[str, DefinedDataset] = field(default_factory=dict)


def read(path: Path) -> DefinedStudy:
    """Read a define.xml; raises UsageError for a file that is not a define.xml, OutsideError if the disk fails."""
    with outside(f"read {path}"):
        content = path.read_bytes()
    try:
        root = parse(content)
    except etree.XMLSyntaxError as error:
        raise UsageError(f"{path} is not XML: {error}") from None
    if not any(True for _ in root.iter("{*}MetaDataVersion")):
        raise UsageError(f"{path} is not a define.xml: it has no MetaDataVersion")
    document = _Document(root)
    return DefinedStudy(path, root.findtext(".//{*}StudyName") or "", document.standards(), document.datasets())


class _Document:
    """The parts of a document by their OIDs."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.items = {str(node.get("OID")): node for node in root.iter("{*}ItemDef")}
        self.lists = {str(node.get("OID")): self._terms(node) for node in root.iter("{*}CodeList")}
        self.notes = {str(node.get("OID")): _description(node) for node in root.iter("{*}MethodDef", "{*}CommentDef")}

    def standards(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, version and publishing set of each standard; Define-XML 2.0 names one."""
        found = [
            (str(node.get("Name") or ""), str(node.get("Version") or ""), str(node.get("PublishingSet") or ""))
            for node in self.root.iter("{*}Standard")
        ]
        version = next(self.root.iter("{*}MetaDataVersion"))
        given = {etree.QName(str(name)).localname: str(value) for name, value in version.attrib.items()}
        if not found and "StandardName" in given:
            found = [(given["StandardName"].replace("-", ""), given.get("StandardVersion", ""), "")]
        return tuple(found)

    def datasets(self) -> dict[str, DefinedDataset]:
        groups = [self._dataset(node) for node in self.root.iter("{*}ItemGroupDef")]
        return {group.name: group for group in groups}

    def _dataset(self, group: etree._Element) -> DefinedDataset:
        references = [node for node in group.findall("{*}ItemRef") if str(node.get("ItemOID")) in self.items]
        keyed = [node for node in references if str(node.get("KeySequence") or "").isdigit()]
        keys = [self._name(node) for node in sorted(keyed, key=lambda node: int(str(node.get("KeySequence"))))]
        kind = group.find("{*}Class")
        leaf = group.find("{*}leaf")
        return DefinedDataset(
            str(group.get("Name") or ""),
            _description(group),
            str(kind.get("Name") if kind is not None else _attribute(group, "Class")),
            _attribute(group, "Structure"),
            tuple(keys),
            tuple(self._variable(node) for node in references),
            "" if leaf is None else str(leaf.get(XLINK) or ""),
        )

    def _name(self, reference: etree._Element) -> str:
        return str(self.items[str(reference.get("ItemOID"))].get("Name") or "")

    def _variable(self, reference: etree._Element) -> DefinedVariable:
        item = self.items[str(reference.get("ItemOID"))]
        listed = item.find("{*}CodeListRef")
        origin = item.find("{*}Origin")
        notes = [str(reference.get("MethodOID") or ""), _attribute(item, "CommentOID")]
        comments = [self.notes.get(note, "") for note in notes if note] + [_description(origin)]
        length = str(item.get("Length") or "")
        return DefinedVariable(
            self._name(reference),
            _description(item),
            str(item.get("DataType") or ""),
            int(length) if length.isdigit() else None,
            _attribute(item, "DisplayFormat"),
            "" if origin is None else str(origin.get("Type") or ""),
            " ".join(filter(None, comments)),
            None if listed is None else self.lists.get(str(listed.get("CodeListOID"))),
        )

    def _terms(self, node: etree._Element) -> DefinedTerms:
        found = [
            (str(term.get("CodedValue")), term.findtext("{*}Decode/{*}TranslatedText") or "")
            for term in node.iter("{*}CodeListItem", "{*}EnumeratedItem")
        ]
        extended = {
            str(term.get("CodedValue"))
            for term in node.iter("{*}CodeListItem", "{*}EnumeratedItem")
            if _attribute(term, "ExtendedValue") == "Yes"
        }
        alias = [str(one.get("Name")) for one in node.findall("{*}Alias") if one.get("Context") == "nci:ExtCodeID"]
        return DefinedTerms(alias[0] if alias else "", tuple(found), frozenset(extended))


def _description(node: etree._Element | None) -> str:
    found = None if node is None else node.findtext("{*}Description/{*}TranslatedText")
    return " ".join((found or "").split())


def _attribute(node: etree._Element, name: str) -> str:
    """Return an attribute of the namespace of Define-XML 2.0 or 2.1, blank if it is not there."""
    for key, value in node.attrib.items():
        if etree.QName(str(key)).localname == name:
            return str(value)
    return ""


def is_number(kind: str) -> bool:
    """Return True for a data type of numbers; a numeric date of ADaM is an integer or a float."""
    return kind in ("integer", "float", "double", "decimal")
