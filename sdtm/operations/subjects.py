"""Operations over tabulated variables: earliest, latest, subject, assign.

They read domains, so they decide in which order domains are made (RFXSTDTC needs EX, AEENTPT needs DM).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from metadata.coded_matching import place_within
from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.schema_errors import unknown_variable
from metadata.standards import sdtm_variables
from metadata.study import Study
from metadata.units import text_of
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.table import Derived, DomainTable, DomainTables, UsedRows
from sdtm.operations.operation import (
    MappingContext,
    NestedOperation,
    OneOrMore,
    TableOperation,
    Target,
    check_term,
    keyed,
    operation,
)
from sdtm.operations.variable_condition import (
    check_variable_condition,
    read_variable_condition,
    rows_where,
    sentence_of,
)


def variable_of(spec: LocatedDict, key: str, name: str, study: Study) -> tuple[str, str]:
    """Split DOMAIN.VARIABLE; raises StudyError if the guide has no such variable."""
    domain, _, variable = name.partition(".")
    if not variable:
        raise complain(spec, key, f"'{name}' must be written DOMAIN.VARIABLE, for example EX.EXSTDTC")
    known = [found.name for found in sdtm_variables(study.standards["sdtmig"], domain)]
    if variable not in known:
        raise unknown_variable(spec, key, domain, variable, known)
    return domain, variable


Sources = list[tuple[str, str]]


def sources_of(
    node: LocatedDict, key: str, names: Iterable[str], where: Condition | None, study: Study
) -> tuple[Sources, Condition]:
    """Return the variables that ``key`` of ``node`` names, with its condition; raises StudyError for an unknown one."""
    sources = [variable_of(node, key, name, study) for name in names]
    return sources, check_variable_condition(where, [domain for domain, _ in sources], study)


def needed(sources: Sources, where: Condition) -> list[str]:
    """Return the variables and those of the condition, as DOMAIN.VARIABLE."""
    return [f"{domain}.{name}" for domain, own in sources for name in (own, *where.reads)]


def conditions_of(sources: Sources, where: Condition) -> list[tuple[str, Condition]]:
    """Return the condition for each domain of the variables."""
    return [(domain, where) for domain in dict.fromkeys(domain for domain, _ in sources)]


class Extreme(TableOperation):
    """Shared by earliest and latest."""

    sign = 1

    def bind(self, context: MappingContext) -> None:
        """Check the variables."""
        self.study = context.study
        given = self.value if isinstance(self.value, list) else [self.value]
        where = Condition.read(self.spec["where"], self.spec, "where") if "where" in self.spec else None
        self.sources, self.where = sources_of(self.spec, self.key, map(str, given), where, self.study)

    def needs(self) -> list[str]:
        """The variables, and those of the condition."""
        return needed(self.sources, self.where)

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """The condition, in each domain of the variables."""
        return conditions_of(self.sources, self.where)

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return for each row its subject's first or last date, by the earliest day a partial date may be."""
        return extreme(tables, domain, self.sources, partial(rows_where, self.where, study=self.study), self.sign)

    def sentence(self) -> str:
        """Say the rule."""
        names = ", ".join(f"{domain}.{name}" for domain, name in self.sources)
        only = f" where {sentence_of(self.where)}" if sentence_of(self.where) else ""
        return f"The {self.key} of {names} of the subject{only}."


@keyed("earliest")
class Earliest(Extreme):
    """``{earliest: EX.EXSTDTC, where: {EXTRT: TERM}}``: the subject's first date in other domains."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        earliest: OneOrMore
        where: Condition | None = None


@keyed("latest")
class Latest(Extreme):
    """``{latest: EX.EXENDTC, where: {EXTRT: TERM}}``: the subject's last date in other domains."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        latest: OneOrMore
        where: Condition | None = None

    sign = -1


def extreme(
    tables: DomainTables, domain: str, sources: Sources, rows: Callable[[DomainTable], np.ndarray], sign: int
) -> Derived:
    """Return the subject's extreme date among several variables, and the rows it came from.

    ``rows`` says which rows of a domain are looked at.
    """
    made = tables[domain]
    best = np.full(made.count, np.datetime64("NaT", "D"))
    values, used = CodedText.constant("", made.count), list[UsedRows]()
    for name, variable in sources:
        other = tables[name]
        first, row = other.extreme_by_subject(variable, rows(other), sign)
        at = made.match_subjects(other)
        day = np.where(at >= 0, first[at], np.datetime64("NaT", "D"))
        better = ~np.isnat(day) & (np.isnat(best) | ((day < best) if sign > 0 else (day > best)))
        best = np.where(better, day, best)
        came = np.where(better, row[at], -1)
        values = values.where(~better, other.text(variable).take(came))
        used.append(UsedRows(name, variable, np.flatnonzero(better), came[better]))
    return Derived(values, tuple(used))


@keyed("subject")
class OfSubject(TableOperation):
    """``{subject: DM.RFPENDTC, when: {AEENRTPT: {missing: false}}}``: a variable of the subject's own row."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        subject: str
        when: Condition | None = None

    def bind(self, context: MappingContext) -> None:
        """Check the variables."""
        self.source = variable_of(self.spec, self.key, str(self.value), context.study)
        self.study = context.study
        self.when = read_variable_condition(self.spec, "when", [self.target.domain], self.study)

    def needs(self) -> list[str]:
        """The subject's variable, and those of the condition."""
        return [".".join(self.source), *(f"{self.target.domain}.{name}" for name in self.when.reads)]

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """The condition, on the row that the value is put into."""
        return [(self.target.domain, self.when)]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the subject's value."""
        made, other = tables[domain], tables[self.source[0]]
        at = made.match_rows(other)
        use = (at >= 0) & rows_where(self.when, made, self.study)
        values = other.text(self.source[1]).take(np.where(use, at, -1))
        rows = np.flatnonzero(values.present())
        return Derived(values, (UsedRows(self.source[0], self.source[1], rows, at[rows]),))

    def sentence(self) -> str:
        """Say the rule."""
        only = f", where {sentence_of(self.when)}" if sentence_of(self.when) else ""
        return f"{'.'.join(self.source)} of the subject{only}."


@keyed("arm_of")
class ArmOf(TableOperation):
    """``{arm_of: ARMCD}``: the name that study.yaml gives the arm; ARM and ACTARM have it without being mapped."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        arm_of: str

    def bind(self, context: MappingContext) -> None:
        """Check the variable and read the arms."""
        self.code = str(self.value)
        variable_of(self.spec, self.key, f"{self.target.domain}.{self.code}", context.study)
        self.names = {arm.armcd: arm.arm for arm in context.study.declared.arms or []}

    def needs(self) -> list[str]:
        """The code."""
        return [f"{self.target.domain}.{self.code}"]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the names of the codes."""
        names = tables[domain].text(self.code).replace(self.names, "")
        here = np.flatnonzero(names.present())
        return Derived(names, (UsedRows(domain, self.code, here, here),))

    def sentence(self) -> str:
        """Say the rule."""
        return f"The name of the arm {self.code}."


@keyed("age_at")
class AgeAt(TableOperation):
    """``{age_at: DM.RFICDTC}``: whole years from DM.BRTHDTC to a date of the subject, both of which are complete."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        age_at: str

    def bind(self, context: MappingContext) -> None:
        """Check the date."""
        domain, self.date = variable_of(self.spec, self.key, str(self.value), context.study)
        if domain != "DM" or self.target.domain != "DM":
            raise complain(self.spec, self.key, "an age belongs in DM and is that at a date of DM")

    def needs(self) -> list[str]:
        """The two dates."""
        return ["DM.BRTHDTC", f"DM.{self.date}"]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the birthdays since birth; a person born on 29 February has hers on 1 March of other years."""
        table = tables[domain]
        (born, latest_born), (then, latest_then) = table.days("BRTHDTC"), table.days(self.date)
        here = np.flatnonzero((born == latest_born) & (then == latest_then))
        made = np.full(table.count, np.nan)
        made[here] = _years(born[here], then[here])
        used = tuple(UsedRows(domain, name, here, here) for name in ("BRTHDTC", self.date))
        return Derived(text_of(made), used)

    def sentence(self) -> str:
        """Say the rule."""
        return f"Whole years from BRTHDTC to {self.date}, null unless both are complete dates."


def _years(born: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Return the whole years between days (datetime64[D])."""
    months = [day.astype("datetime64[M]") for day in (born, then)]
    places = [
        month.astype(int) % 12 * 31 + (day - month).astype(int) for day, month in zip((born, then), months, strict=True)
    ]
    years = months[1].astype("datetime64[Y]").astype(int) - months[0].astype("datetime64[Y]").astype(int)
    return np.asarray(years - (places[1] < places[0]))


@keyed("assign")
class Assign(TableOperation):
    """``{assign: TERM, when: {VARIABLE: {missing: false}}}``: a term, only where a condition on the row holds."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        assign: str
        when: Condition | None = None

    origin = "Assigned"

    def bind(self, context: MappingContext) -> None:
        """Check the term and the variables."""
        self.term = check_term(self.spec, self.key, str(self.value), self.target, context.terminology)
        self.study = context.study
        self.when = read_variable_condition(self.spec, "when", [self.target.domain], self.study)

    def needs(self) -> list[str]:
        """Variables of the condition."""
        return [f"{self.target.domain}.{name}" for name in self.when.reads]

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """The condition, on the row that the term is put into."""
        return [(self.target.domain, self.when)]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the term where the condition holds."""
        return Derived(CodedText.of_codes(rows_where(self.when, tables[domain], self.study), ["", self.term]))

    def sentence(self) -> str:
        """Say the rule."""
        return f"{self.term} where {sentence_of(self.when)}." if sentence_of(self.when) else f"{self.term}."


@keyed("ordinal")
class Ordinal(TableOperation):
    """``{ordinal: TEXT, order: DATE}``: the text and 1, 2, ... within the subject by a date of the domain."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        ordinal: str
        order: str

    def bind(self, context: MappingContext) -> None:
        """Check the date."""
        self.order = str(self.spec["order"])
        variable_of(self.spec, "order", f"{self.target.domain}.{self.order}", context.study)

    def needs(self) -> list[str]:
        """The date."""
        return [f"{self.target.domain}.{self.order}"]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the numbered text; partial dates count from their first possible day, those without one come last."""
        made = tables[domain]
        rows = np.flatnonzero(made.kept())
        order = rows[np.lexsort((rows, made.days(self.order)[0][rows]))]
        number = np.full(made.count, -1)
        number[order] = place_within(made.subject.codes[order])
        return Derived(CodedText.of_codes(number, [f"{self.value}{place + 1}" for place in range(number.max() + 1)]))

    def sentence(self) -> str:
        """Say the order."""
        return f"{self.value} and a number within the subject, in the order of {self.order}."


@keyed("any_of")
class AnyOf(TableOperation):
    """``{any_of: [OPERATION, ...]}``: the first value that is not null, of operations over tabulated variables."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        any_of: list[NestedOperation]

    def bind(self, context: MappingContext) -> None:
        """Check each part."""
        self.parts: list[Any] = []
        for item in self.value:
            target = Target(self.target.domain, self.target.variable, codelists=self.target.codelists)
            part = operation(item, target, context, self.spec)
            if not isinstance(part, TableOperation):
                raise complain(item, part.key, f"'{part.key}' reads fields and cannot be used here")
            self.parts.append(part)

    def needs(self) -> list[str]:
        """Variables of all parts."""
        return [name for part in self.parts for name in part.needs()]

    def conditions(self) -> Iterable[tuple[str, Condition]]:
        """The conditions of all parts."""
        return [one for part in self.parts for one in part.conditions()]

    def derive(self, tables: DomainTables, domain: str) -> Derived:
        """Return the first value that is not null."""
        values, used = CodedText.constant("", tables[domain].count), list[UsedRows]()
        for part in self.parts:
            made: Derived = part.derive(tables, domain)
            take = ~values.present() & made.data.present()
            values = values.where(~take, made.data)
            for source in made.used:
                kept = take[source.rows]
                used.append(UsedRows(source.domain, source.variable, source.rows[kept], source.source_rows[kept]))
        return Derived(values, tuple(used))

    def sentence(self) -> str:
        """Say the order."""
        return "The first that is not null of: " + " ".join(part.sentence() for part in self.parts)
