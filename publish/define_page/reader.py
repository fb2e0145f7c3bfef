"""The content of the page, read from a define.xml: a reference becomes a link, or a text that says it leads nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from lxml import etree

from publish.define_page.content import (
    DefinedTerm,
    Link,
    Origin,
    PageCodelist,
    PageContent,
    PageDataset,
    PageDisplay,
    PageResult,
    ResultRecords,
    Sentence,
    Test,
    ValueList,
    VariableRow,
)
from publish.define_page.nodes import Anchors, child, children, description, local, safe_href, text, value

SIGNS = {"EQ": "=", "NE": "\N{NOT EQUAL TO}", "LT": "<", "LE": "\N{LESS-THAN OR EQUAL TO}", "GT": ">",
         "GE": "\N{GREATER-THAN OR EQUAL TO}", "IN": "in", "NOTIN": "not in"}  # fmt: skip
NOWHERE = " (not defined)"
ROW = "ItemRef"
YES = "Yes"


def page_content(root: etree._Element) -> PageContent:
    """Return what the page of a document shows."""
    return _Reader(root).content()


class _Reader:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.anchors = Anchors()
        self.by_oid: dict[str, dict[str, etree._Element]] = {}
        for node in root.iter("*"):
            oid = value(node, "OID") or (value(node, "ID") if local(str(node.tag)) == "leaf" else "")
            if oid:
                self.by_oid.setdefault(local(str(node.tag)), {}).setdefault(oid, node)

    def all(self, name: str) -> Mapping[str, etree._Element]:
        return self.by_oid.get(name, {})

    def content(self) -> PageContent:
        version = next(iter(self.all("MetaDataVersion").values()), None)
        lists = [self._codelist(node) for node in self.all("CodeList").values()]
        return PageContent(
            title=value(version, "Name") or "Data definitions",
            facts=tuple(self._facts(version)),
            standards=tuple(self._standards(version)),
            documents=tuple(self._documents(version)),
            displays=tuple(self._display(node) for node in self.all("ResultDisplay").values()),
            datasets=tuple(self._dataset(node) for node in self.all("ItemGroupDef").values()),
            value_lists=tuple(self._value_list(node) for node in self.all("ValueListDef").values()),
            codelists=tuple(one for one in lists if not one.dictionary),
            dictionaries=tuple(one for one in lists if one.dictionary),
            methods=tuple(self._sentence("MethodDef", oid) for oid in self.all("MethodDef")),
            comments=tuple(self._sentence("CommentDef", oid) for oid in self.all("CommentDef")),
        )

    def _facts(self, version: etree._Element | None) -> Iterator[tuple[str, str]]:
        names = next((node for node in self.root.iter("*") if local(str(node.tag)) == "GlobalVariables"), None)
        for shown, name in (("Study", "StudyName"), ("Protocol", "ProtocolName"), ("About", "StudyDescription")):
            yield shown, text(child(names, name)) if names is not None else ""
        yield "Content", value(version, "Description")
        yield "Define-XML", value(version, "DefineVersion")
        yield "Created", value(self.root, "CreationDateTime")
        yield (
            "Made by",
            " ".join(filter(None, (value(self.root, "SourceSystem"), value(self.root, "SourceSystemVersion")))),
        )

    def _standards(self, version: etree._Element | None) -> Iterator[tuple[str, ...]]:
        """Yield the standards; Define-XML 2.0 names one, as attributes."""
        if value(version, "StandardName"):
            yield value(version, "StandardName"), "", "", value(version, "StandardVersion"), ""
        for node in self.all("Standard").values():
            yield tuple(value(node, name) for name in ("Name", "PublishingSet", "Type", "Version", "Status"))

    def _documents(self, version: etree._Element | None) -> Iterator[Link]:
        for part in children(version, "AnnotatedCRF", "SupplementalDoc") if version is not None else ():
            yield from self._references(part)

    def _references(self, node: etree._Element) -> Iterator[Link]:
        """Yield the documents that an element refers to, with their pages."""
        for reference in children(node, "DocumentRef"):
            file = self._file(value(reference, "leafID"))
            pages = list(children(reference, "PDFPageRef"))
            if not pages:
                yield file
            for page in pages:
                yield from self._pages(file, page)

    def _pages(self, file: Link, page: etree._Element) -> Iterator[Link]:
        """Yield a link for each page, or for each named place, of a document."""
        if value(page, "FirstPage"):
            first, last = value(page, "FirstPage"), value(page, "LastPage")
            yield Link(f"{file.text}, pages {first} to {last}", file.href and f"{file.href}#page={first}")
            return
        is_named = value(page, "Type") == "NamedDestination"
        word, mark = ("", "nameddest") if is_named else ("page ", "page")
        for name in value(page, "PageRefs").split():
            shown = value(page, "Title") or f"{word}{name}"
            yield Link(f"{file.text}, {shown}", file.href and f"{file.href}#{mark}={name}")

    def _file(self, leaf: str) -> Link:
        node = self.all("leaf").get(leaf)
        if node is None:
            return Link(leaf + NOWHERE)
        href = value(node, "href")
        return Link(text(child(node, "title")) or href, safe_href(href))

    def _sentence(self, kind: str, oid: str) -> Sentence:
        node = self.all(kind)[oid]
        code = "\n".join(filter(None, ((part.text or "").strip() for part in children(node, "FormalExpression"))))
        name = value(node, "Name") or oid
        return Sentence(self.anchors.of(kind, oid), oid, name, description(node), code, tuple(self._references(node)))

    def _referred(self, kind: str, oid: str) -> Sentence | None:
        """Return the method or comment of an OID, a text without a place if nothing defines it."""
        if not oid:
            return None
        return self._sentence(kind, oid) if oid in self.all(kind) else Sentence("", oid, oid, oid + NOWHERE, "", ())

    def _standard(self, node: etree._Element) -> str:
        oid = value(node, "StandardOID")
        found = self.all("Standard").get(oid)
        if found is None:
            return oid + NOWHERE if oid else ""
        return " ".join(filter(None, (value(found, name) for name in ("Name", "PublishingSet", "Version"))))

    def _dataset(self, node: etree._Element) -> PageDataset:
        oid, references = value(node, "OID"), list(children(node, "ItemRef"))
        keys = sorted(
            (int(value(one, "KeySequence")), one) for one in references if value(one, "KeySequence").isdigit()
        )
        found = child(node, "Class")
        names = [value(found, "Name")] if found is not None else [value(node, "Class")]
        names += [value(one, "Name") for one in children(found, "SubClass")] if found is not None else []
        leaf = value(node, "ArchiveLocationID")
        facts = (("Class", ", ".join(filter(None, names))), ("Structure", value(node, "Structure")),
                 ("Purpose", value(node, "Purpose")), ("Standard", self._standard(node)))  # fmt: skip
        return PageDataset(
            anchor=self.anchors.of("ItemGroupDef", oid),
            name=value(node, "Name"),
            label=description(node),
            dataset_class=facts[0][1],
            structure=facts[1][1],
            keys=", ".join(self._name(value(one, "ItemOID")) for _, one in sorted(keys, key=lambda pair: pair[0])),
            file=self._file(leaf) if leaf else Link(""),
            facts=facts,
            has_no_data=value(node, "HasNoData") == YES,
            comment=self._referred("CommentDef", value(node, "CommentOID")),
            rows=tuple(self._rows(oid, references)),
        )

    def _name(self, item: str) -> str:
        return value(self.all("ItemDef").get(item), "Name") or item

    def _rows(self, owner: str, references: Iterable[etree._Element]) -> Iterator[VariableRow]:
        """Yield the rows of a dataset or value list; a second one of the same item has a place of its own."""
        seen: Counter[str] = Counter()
        for reference in references:
            oid = value(reference, "ItemOID")
            seen[oid] += 1
            again = (str(seen[oid]),) if seen[oid] > 1 else ()
            yield self._row(self.anchors.of(ROW, owner, oid, *again), oid, reference)

    def _row(self, anchor: str, oid: str, reference: etree._Element) -> VariableRow:
        node = self.all("ItemDef").get(oid)
        values = value(child(node, "ValueListRef"), "ValueListOID") if node is not None else ""
        terms = value(child(node, "CodeListRef"), "CodeListOID") if node is not None else ""
        size = value(node, "Length")
        digits = value(node, "SignificantDigits")
        return VariableRow(
            anchor=anchor,
            name=value(node, "Name") or oid + NOWHERE,
            label=description(node) if node is not None else "",
            key=value(reference, "KeySequence"),
            data_type=value(node, "DataType"),
            size=f"{size}, {digits} after the point" if size and digits else size,
            display=value(node, "DisplayFormat"),
            mandatory=value(reference, "Mandatory") == YES,
            role=value(reference, "Role"),
            has_no_data=value(reference, "HasNoData") == YES,
            where=tuple(self._where(value(one, "WhereClauseOID")) for one in children(reference, "WhereClauseRef")),
            values=self._to("ValueListDef", values, "Value level") if values else None,
            terms=self._to("CodeList", terms, value(self.all("CodeList").get(terms), "Name")) if terms else None,
            origins=tuple(self._origin(one) for one in children(node, "Origin")) if node is not None else (),
            method=self._referred("MethodDef", value(reference, "MethodOID")),
            comment=self._referred("CommentDef", value(node, "CommentOID")),
        )

    def _to(self, kind: str, oid: str, shown: str) -> Link:
        """Return a link to a definition, a text if there is none."""
        return Link(shown or oid, f"#{self.anchors.of(kind, oid)}") if oid in self.all(kind) else Link(oid + NOWHERE)

    def _origin(self, node: etree._Element) -> Origin:
        source, explanation = value(node, "Source"), description(node)
        kind = value(node, "Type")
        link = Link(explanation, self._variables_by_name.get(explanation, "")) if explanation else None
        return Origin(f"{kind}, {source}" if source else kind, link, tuple(self._references(node)))

    @cached_property
    def _variables_by_name(self) -> dict[str, str]:
        """Places of the variables by dataset and name, as a copy names its source: ADSL.AGE."""
        return {
            f"{value(group, 'Name')}.{self._name(value(one, 'ItemOID'))}": self._place(value(group, "OID"), one)
            for group in self.all("ItemGroupDef").values()
            for one in children(group, "ItemRef")
        }

    @cached_property
    def _variables_by_item(self) -> dict[str, str]:
        """Places of the variables by their ItemDef: that in the first dataset that has it."""
        made: dict[str, str] = {}
        for group in self.all("ItemGroupDef").values():
            for one in children(group, "ItemRef"):
                made.setdefault(value(one, "ItemOID"), self._place(value(group, "OID"), one))
        return made

    def _place(self, owner: str, reference: etree._Element) -> str:
        return f"#{self.anchors.of(ROW, owner, value(reference, 'ItemOID'))}"

    def _variable(self, item: str) -> Link:
        shown = self._name(item)
        return Link(shown if item in self.all("ItemDef") else item + NOWHERE, self._variables_by_item.get(item, ""))

    def _where(self, oid: str) -> tuple[Test, ...]:
        node = self.all("WhereClauseDef").get(oid)
        if node is None:
            return (Test(Link(oid + NOWHERE), "", ()),)
        return tuple(self._test(check) for check in children(node, "RangeCheck"))

    def _test(self, check: etree._Element) -> Test:
        item, sign = value(check, "ItemOID"), value(check, "Comparator")
        values = tuple(text(one) for one in children(check, "CheckValue"))
        return Test(self._variable(item), SIGNS.get(sign, sign), values)

    def _value_list(self, node: etree._Element) -> ValueList:
        oid = value(node, "OID")
        return ValueList(
            self.anchors.of("ValueListDef", oid),
            tuple(self._variable_of_dataset(item) for item in self._users_of_values.get(oid, ())),
            tuple(self._rows(oid, children(node, "ItemRef"))),
        )

    @cached_property
    def _users_of_values(self) -> dict[str, list[str]]:
        """The ItemDefs that refer to each value list."""
        made: dict[str, list[str]] = {}
        for item, node in self.all("ItemDef").items():
            made.setdefault(value(child(node, "ValueListRef"), "ValueListOID"), []).append(item)
        return made

    def _variable_of_dataset(self, item: str) -> Link:
        """Return a variable with its dataset: ADLB.AVAL."""
        place = self._variables_by_item.get(item, "")
        return Link(self._names_by_place.get(place, self._name(item)), place)

    @cached_property
    def _names_by_place(self) -> dict[str, str]:
        return {place: name for name, place in self._variables_by_name.items()}

    def _codelist(self, node: etree._Element) -> PageCodelist:
        external = child(node, "ExternalCodeList")
        dictionary = ""
        if external is not None:
            dictionary = (
                " ".join(filter(None, (value(external, "Dictionary"), value(external, "Version")))) or "external"
            )
        return PageCodelist(
            anchor=self.anchors.of("CodeList", value(node, "OID")),
            name=value(node, "Name") or value(node, "OID"),
            code=self._code(node),
            data_type=value(node, "DataType"),
            standard=self._standard(node),
            dictionary=dictionary,
            comment=self._referred("CommentDef", value(node, "CommentOID")),
            terms=tuple(self._term(one) for one in children(node, "CodeListItem", "EnumeratedItem")),
        )

    def _code(self, node: etree._Element) -> str:
        return next(
            (value(one, "Name") for one in children(node, "Alias") if value(one, "Context") == "nci:ExtCodeID"), ""
        )

    def _term(self, node: etree._Element) -> DefinedTerm:
        meaning = text(child(node, "Decode", "TranslatedText"))
        return DefinedTerm(value(node, "CodedValue"), meaning, self._code(node), value(node, "ExtendedValue") == YES)

    def _display(self, node: etree._Element) -> PageDisplay:
        return PageDisplay(
            self.anchors.of("ResultDisplay", value(node, "OID")),
            value(node, "Name"),
            description(node),
            tuple(self._references(node)),
            tuple(self._result(one, description(node)) for one in children(node, "AnalysisResult")),
        )

    def _result(self, node: etree._Element, title: str) -> PageResult:
        datasets, documentation = child(node, "AnalysisDatasets"), child(node, "Documentation")
        programming = child(node, "ProgrammingCode")
        code = child(programming, "Code") if programming is not None else None
        parameter = value(node, "ParameterOID")
        return PageResult(
            anchor=self.anchors.of("AnalysisResult", value(node, "OID")),
            description=description(node).removeprefix(f"{title}: "),
            reason=value(node, "AnalysisReason"),
            purpose=value(node, "AnalysisPurpose"),
            parameter=self._variable(parameter) if parameter else None,
            records=tuple(self._records(one) for one in children(datasets, "AnalysisDataset"))
            if datasets is not None
            else (),
            comment=self._referred("CommentDef", value(datasets, "CommentOID")),
            documentation=description(documentation) if documentation is not None else "",
            documents=tuple(self._references(documentation)) if documentation is not None else (),
            context=value(programming, "Context"),
            code=(code.text or "").strip("\n") if code is not None else "",
            code_documents=tuple(self._references(programming)) if programming is not None else (),
        )

    def _records(self, node: etree._Element) -> ResultRecords:
        group, clause = value(node, "ItemGroupOID"), child(node, "WhereClauseRef")
        return ResultRecords(
            self._to("ItemGroupDef", group, value(self.all("ItemGroupDef").get(group), "Name")),
            self._where(value(clause, "WhereClauseOID")) if clause is not None else (),
            tuple(self._variable(value(one, "ItemOID")) for one in children(node, "AnalysisVariable")),
        )
