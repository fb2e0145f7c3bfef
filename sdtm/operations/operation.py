"""The operations of the mapping language: the registry, and what every operation can say about itself.

An operation of the records (RecordOperation) turns fields into one column. An operation of the tables (TableOperation)
reads variables of tabulated domains, and so decides in which order domains are made. Each knows how to apply
itself, which fields or variables it reads, and how to say itself in a sentence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from metadata.condition import Condition
from metadata.declaration import needed, parameters, read_value
from metadata.declaration_limits import Entries
from metadata.declaration_schema import parameters_schema
from metadata.dictionary import Dictionary, Field
from metadata.errors import Gather, nearest
from metadata.project import Project
from metadata.schema_errors import key_errors, quoted
from metadata.standards import dictionary_terms
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.column import Column
from sdtm.columns.source import FormRows
from sdtm.columns.table import Derived, DomainTables

Terms = dict[str, str | float | None]
"""Code or text to term; nothing for one that gives no value."""
OneOrMore = Annotated[tuple[str, ...], Entries(1)]


@dataclass(frozen=True)
class Target:
    """What a column is made for: a variable of a domain, its type, and the codelists or the dictionary that bind it."""

    domain: str
    variable: str
    is_number: bool = False
    codelists: tuple[str, ...] = ()
    dictionary: str = ""


@dataclass(frozen=True)
class MappingContext:
    """What an operation is checked against: study, project, terminology, and the form of its block."""

    study: Study
    project: Project
    terminology: Terminology
    form: str

    @property
    def dictionary(self) -> Dictionary:
        """The project's dictionary."""
        return self.project.dictionary

    def field(self, node: LocatedDict, key: str, name: str) -> Field:
        """Return a field of the block's own form (or of any form, for rows a subject), else raise StudyError."""
        found = self.any_field(node, key, name)
        if self.form and found.form != self.form:
            own = [item.name for item in self.dictionary.form_fields(self.form)]
            raise complain(
                node,
                key,
                f"field '{name}' is on form '{found.form}', not on '{self.form}'{nearest(name, own)};"
                " to take it from there write lookup",
            )
        return found if self.form else self.once_a_subject(node, key, found)

    def any_field(self, node: LocatedDict, key: str, name: str) -> Field:
        """Return a field of any form; raises StudyError with the nearest name."""
        if name not in self.dictionary.fields:
            raise complain(node, key, f"the dictionary has no field '{name}'{nearest(name, self.dictionary.fields)}")
        return self.dictionary.fields[name]

    def once_a_subject(self, node: LocatedDict, key: str, found: Field, given: tuple[str, ...] = ()) -> Field:
        """Return the field if a record holds it once, in one of the ``given`` events if any, else raise StudyError."""
        project = self.project
        events = [name for name in project.event_names if project.designated(name, found.form)]
        for event in given:
            if event not in events:
                raise complain(
                    node, key, f"form '{found.form}' is not filled in event '{event}'{nearest(event, events)}"
                )
        places = given or tuple(events)
        if found.form in project.once:
            return found
        if any(project.repeats(name, found.form) or project.event_repeats(name) for name in places):
            raise complain(node, key, f"field '{found.name}' repeats in a record: it cannot be looked up by subject")
        if len(places) > 1 and not given and not project.in_different_arms(places):
            raise complain(
                node,
                key,
                f"form '{found.form}' is filled in {len(places)} events, {', '.join(places)}: say which, with lookup or"
                " match: subject, and event; several only if they exclude one another",
            )
        return found


class Operation(ABC):
    """Base of all operations; ``key`` is what the YAML calls it, ``Keys`` a dataclass of all its keys."""

    key: ClassVar[str]
    Keys: ClassVar[type]
    origin: ClassVar[str] = "Collected"

    def __init__(self, spec: LocatedDict, target: Target, context: MappingContext) -> None:
        self.spec, self.target = spec, target
        self.bind(context)

    @abstractmethod
    def bind(self, context: MappingContext) -> None:
        """Check the parameters against dictionary, guide and terminology; raises StudyError."""

    @abstractmethod
    def sentence(self) -> str:
        """Say in one sentence what the operation does (the method in define.xml)."""

    @property
    def value(self) -> Any:
        """The parameter that is written at the operation's own key."""
        return self.spec[self.key]


class RecordOperation(Operation):
    """An operation of the records: fields to a column."""

    @abstractmethod
    def fields(self) -> list[str]:
        """Fields of the dictionary that the operation reads."""

    def taken(self) -> list[str]:
        """Those fields whose values go into the column; the others only decide whether it has one."""
        return self.fields()

    def options(self) -> tuple[str, ...]:
        """Codes of a checkbox that alone count; none if the whole field does."""
        return ()

    @abstractmethod
    def apply(self, source: FormRows) -> Column:
        """Return one value for each row of the source."""


class TableOperation(Operation):
    """An operation of the tables: variables of tabulated domains to a column."""

    origin = "Derived"

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """The conditions that the operation sets, each with the domain on whose records it is set."""
        return ()

    @abstractmethod
    def needs(self) -> list[str]:
        """Variables that must be made first, as DOMAIN.VARIABLE."""

    @abstractmethod
    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return one value for each row of a domain, and the rows of other domains that it came from."""


class NestedOperation:
    """An operation within another, or under a variable: it is checked by its key, with what it is made for."""

    notation: ClassVar[str] = "operation"

    @classmethod
    def read(cls, value: object, node: object, key: str) -> Any:
        """Return the operation's mapping; ``operation`` checks it."""
        return value

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of an operation: that of any operation."""
        return {"anyOf": [operation_schema(kind) for kind in {**RECORD_OPERATIONS, **TABLE_OPERATIONS}.values()]}

    def names(self, role: str) -> tuple[str, ...]:
        """Return no names: operations know what they read."""
        return ()


def operation_schema(kind: type[Operation]) -> dict[str, Any]:
    """Return the JSON Schema of one operation."""
    made, more = parameters_schema(kind.Keys), parameters_schema(SupplementalKeys)
    summary = (kind.__doc__ or "").strip().split("\n")[0]
    return {**made, "description": summary, "properties": {**made["properties"], **more["properties"]}}


RECORD_OPERATIONS: dict[str, type[RecordOperation]] = {}
TABLE_OPERATIONS: dict[str, type[TableOperation]] = {}
Kind = TypeVar("Kind", bound=type[Operation])


def keyed(name: str) -> Callable[[Kind], Kind]:
    """Register an operation under the key that the YAML uses."""

    def register(kind: Kind) -> Kind:
        kind.key = name
        if issubclass(kind, RecordOperation):
            RECORD_OPERATIONS[name] = kind
        elif issubclass(kind, TableOperation):
            TABLE_OPERATIONS[name] = kind
        return kind

    return register


def operation(spec: Any, target: Target, context: MappingContext, node: LocatedDict) -> Operation:
    """Return the operation that ``spec`` declares for ``target``; raises StudyError naming file, line and key."""
    operations = {**RECORD_OPERATIONS, **TABLE_OPERATIONS}
    if not isinstance(spec, LocatedDict):
        raise complain(node, target.variable, "write an operation, for example {field: NAME}")
    named = [key for key in spec if key in operations]
    if len(named) != 1:
        known = [key for key in spec if key not in named]
        hint = nearest(known[0], operations) if known and not named else ""
        problem = "no operation" if not named else f"two operations, {' and '.join(named)}"
        raise complain(spec, known[0] if known and not named else None, f"{target.variable} has {problem}{hint}")
    kind = operations[named[0]]
    _check_parameters(kind, spec, target)
    return kind(spec, target, context)


def record_operation(spec: Any, target: Target, context: MappingContext, node: LocatedDict) -> RecordOperation:
    """Return an operation of the records, where one of the tables is not allowed."""
    made = operation(spec, target, context, node)
    if not isinstance(made, RecordOperation):
        raise complain(spec, made.key, f"'{made.key}' reads tabulated variables and cannot be used here")
    return made


def _check_parameters(kind: type[Operation], spec: LocatedDict, target: Target) -> None:
    """Raise StudyError for keys that the operation does not have or needs, and for values of another type."""
    kinds = {**parameters(kind.Keys), **parameters(SupplementalKeys)}
    with Gather() as gather:
        gather.found += key_errors(spec, kinds, needed(kind.Keys), quoted(kind.key))
        for key, value in spec.items():
            with gather.part():
                if key in kinds:
                    read_value(kinds[key], value, spec, key)


@dataclass(frozen=True)
class SupplementalKeys:
    """Keys that an operation has under ``supplemental``: QLABEL, QORIG, QEVAL, and the tests whose records have it."""

    label: str = ""
    qorig: str = ""
    qeval: str = ""
    tests: list[str] | None = None


def located(body: dict[str, Any], like: LocatedDict, key: str | None = None) -> LocatedDict:
    """Return a node made from another, so that errors in it name that node's file and line."""
    made = LocatedDict(body)
    made.file, made.lines = like.file, like.lines if key is None else {}
    made.line = like.line if key is None else like.lines.get(key, like.line)
    return made


def choice(node: LocatedDict, key: str, found: Field, code: str) -> str:
    """Return the label of a choice; raises StudyError if the field does not offer the code."""
    if code not in found.choices:
        offered = ", ".join(f"{name} ({label})" for name, label in list(found.choices.items())[:12])
        raise complain(node, key, f"field '{found.name}' has no choice '{code}'; it offers {offered}")
    return found.choices[code]


MOST_TERMS = 12
"""So many terms of a codelist, or fewer, are listed where a value is none of them."""


def check_term(node: LocatedDict, key: str, value: str, target: Target, terminology: Terminology) -> str:
    """Return ``value`` if the codelists or the dictionary of the target have it; raises StudyError with the nearest."""
    known = dictionary_terms(target.dictionary)
    if value and known and value not in known:
        codes = {name.upper(): code for code, name in known.items()}
        near = f" (did you mean '{codes[value.upper()]}'?)" if value.upper() in codes else nearest(value, known)
        raise complain(node, key, f"'{value}' is not a code of {target.dictionary}{near}")
    lists = [terminology.codelist(code) for code in target.codelists]
    if not value or not lists or any(value in found.terms for found in lists):
        return value
    way = " or declare it as an extension in terminology.yaml" if any(found.extensible for found in lists) else ""
    named = " or ".join(f"{found.name} ({found.code or 'sponsor list'}, {terminology.package})" for found in lists)
    hint = next((near for near in (found.nearest(value) for found in lists) if near), "")
    terms = list(dict.fromkeys(term for found in lists for term in found.terms))
    shown = f": {', '.join(terms)}" if len(terms) <= MOST_TERMS else ""
    raise complain(node, key, f"'{value}' is not a term of {named}{hint}; choose one of its terms{shown}{way}")


def events_of(spec: LocatedDict) -> tuple[str, ...]:
    """Return the events that a lookup names."""
    given = spec.get("event", [])
    return tuple(str(event) for event in (given if isinstance(given, list) else [given]))


def sentence_of_terms(terms: dict[str, str]) -> str:
    """Say a translation of codes."""
    return ", ".join(f"{code} is {term or 'null'}" for code, term in terms.items())
