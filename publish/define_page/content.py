"""What the page of a define.xml shows: texts, and links whose places are on the page or in files of its folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A text that leads to a place of the page (``#...``) or to a file; without ``href`` it is text only."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Test:
    """One test of a condition: the variable, the comparator in a sign or word, and the values with their meanings."""

    variable: Link
    comparator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Where values come from: type with source, what the document says of it, and pages."""

    text: str
    description: Link | None
    pages: tuple[Link, ...]


@dataclass(frozen=True)
class Sentence:
    """A method or a comment: ``code`` is a formal expression, ``documents`` are those it refers to."""

    anchor: str
    oid: str
    name: str
    text: str
    code: str
    documents: tuple[Link, ...]


@dataclass(frozen=True)
class VariableRow:
    """A variable, or the definition of its values in some records (``where``: any one of several conditions)."""

    anchor: str
    name: str
    label: str
    key: str
    data_type: str
    size: str
    display: str
    mandatory: bool
    role: str
    has_no_data: bool
    where: tuple[tuple[Test, ...], ...]
    values: Link | None
    terms: Link | None
    origins: tuple[Origin, ...]
    method: Sentence | None
    comment: Sentence | None


@dataclass(frozen=True)
class PageDataset:
    """A dataset with its variables; ``facts`` are class, structure, standard and the like."""

    anchor: str
    name: str
    label: str
    dataset_class: str
    structure: str
    keys: str
    file: Link
    facts: tuple[tuple[str, str], ...]
    has_no_data: bool
    comment: Sentence | None
    rows: tuple[VariableRow, ...]


@dataclass(frozen=True)
class ValueList:
    """Definitions of one variable's values by condition; ``variables`` are those that refer to the list."""

    anchor: str
    variables: tuple[Link, ...]
    rows: tuple[VariableRow, ...]


@dataclass(frozen=True)
class DefinedTerm:
    """A coded value with its meaning and its code in the terminology."""

    value: str
    meaning: str
    code: str
    extended: bool


@dataclass(frozen=True)
class PageCodelist:
    """A list of terms, or a dictionary that is published elsewhere (``dictionary``)."""

    anchor: str
    name: str
    code: str
    data_type: str
    standard: str
    dictionary: str
    comment: Sentence | None
    terms: tuple[DefinedTerm, ...]


@dataclass(frozen=True)
class ResultRecords:
    """Records of one dataset that a result was computed from."""

    dataset: Link
    where: tuple[Test, ...]
    variables: tuple[Link, ...]


@dataclass(frozen=True)
class PageResult:
    """One analysis result."""

    anchor: str
    description: str
    reason: str
    purpose: str
    parameter: Link | None
    records: tuple[ResultRecords, ...]
    comment: Sentence | None
    documentation: str
    documents: tuple[Link, ...]
    context: str
    code: str
    code_documents: tuple[Link, ...]


@dataclass(frozen=True)
class PageDisplay:
    """A table or figure with its results."""

    anchor: str
    name: str
    title: str
    documents: tuple[Link, ...]
    results: tuple[PageResult, ...]


@dataclass(frozen=True)
class PageContent:
    """The whole page."""

    title: str
    facts: tuple[tuple[str, str], ...]
    standards: tuple[tuple[str, ...], ...]
    documents: tuple[Link, ...]
    displays: tuple[PageDisplay, ...]
    datasets: tuple[PageDataset, ...]
    value_lists: tuple[ValueList, ...]
    codelists: tuple[PageCodelist, ...]
    dictionaries: tuple[PageCodelist, ...]
    methods: tuple[Sentence, ...]
    comments: tuple[Sentence, ...]
