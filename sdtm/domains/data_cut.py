"""The data cut-off: what of the collected records is in the data, domain by domain, as ``cut`` of study.yaml declares.

The rules are those of the pharmaverse's datacutr. A subject is in the data whose first date (of consent, say) is not
after the cut-off. Of a domain cut by date a record is left out if it begins after it; a partial date counts as the
earliest day that it may be, and a record without a date stays. In DM, dates after the cut-off are cleared, a death's
among them. Beyond datacutr, the details of such a death (DD) are left out, an event that ends after the cut-off goes on
at the cut-off, and a comment on a record that is left out is left out too. All is done to what was collected, before
anything is derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_matching import first_match
from metadata.coded_text import CodedText
from metadata.study import Study
from metadata.study_declaration import DataCut
from sdtm.columns.table import DomainTable
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.operations.variable_condition import check_variable_condition, rows_where

if TYPE_CHECKING:
    import pandas as pd

SUBJECTS, BIRTH, DEATH_DETAILS = "DM", "BRTHDTC", "DD"
COLUMNS = ("domain", "record", "address", "variable", "value", "outcome")
NOT_A_SUBJECT = "left out: its subject was not in the trial by the cut-off"
LATER = "left out: it begins after the cut-off"
LATER_DEATH = "left out: the death that it is about lies after the cut-off"
ABOUT_LEFT_OUT = "left out: the record that it is about was left out"
CLEARED = "cleared: it lies after the cut-off"
NOT_KNOWN = "replaced: it was not known at the cut-off"
UNDATED = "kept: it has no date"
PERHAPS_LATER = "kept: it may lie before or after the cut-off"
ONGOING = "ONGOING"


@dataclass
class CutOff:
    """The cut of one study; ``listed`` has what was done, ``COLUMNS``, and what was kept without being certain."""

    study: Study
    declared: DataCut
    _out: set[str] = field(default_factory=set)
    _alive: set[str] = field(default_factory=set)
    _listed: list[pd.DataFrame] = field(default_factory=list)
    _ongoing: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def day(self) -> np.datetime64:
        """The last day of which data are reported."""
        return np.datetime64(self.study.cutoff, "D")

    @property
    def listed(self) -> pd.DataFrame:
        """Return domain, record, address, variable, value and outcome of each decision, in the order of the domains."""
        import pandas as pd

        made = pd.concat([pd.DataFrame(columns=list(COLUMNS), dtype="str"), *self._listed], ignore_index=True)
        return made.sort_values(["domain", "record", "address", "variable"], kind="stable", ignore_index=True)

    def needs(self, domain: str) -> list[str]:
        """Return what must be there before a domain's records are cut: those that say who is in the data."""
        source = self.declared.subjects.earliest.partition(".")[0]
        of_death = [f"{SUBJECTS}.USUBJID"] if domain == DEATH_DETAILS else []
        return ([] if domain == source else [f"{source}.USUBJID"]) + of_death

    def apply(self, mapping: DomainMapping, table: DomainTable) -> None:
        """Cut the collected records of a domain."""
        source, _, variable = self.declared.subjects.earliest.partition(".")
        if mapping.domain == source:
            self._find_subjects(table, variable)
        self._leave_out(table, table.subject.isin(self._out), "USUBJID", NOT_A_SUBJECT)
        if mapping.domain == SUBJECTS:
            self._clear_dates(table)
        elif mapping.domain in self.declared.by_date:
            self._cut_by_date(mapping, table)
        if mapping.domain == DEATH_DETAILS:
            self._leave_out(table, table.kept() & table.subject.isin(self._alive), "", LATER_DEATH)

    def comments(self, table: DomainTable, about: Iterable[DomainTable]) -> None:
        """Leave out the comments on records that were left out, unless their form made another that was not."""
        own = [table.hidden["record"], table.hidden["address"]]
        lost, left = np.zeros(table.count, bool), np.zeros(table.count, bool)
        for parent in about:
            theirs = [parent.hidden["record"], parent.hidden["address"]]
            for marks, rows in ((lost, parent.cut_rows()), (left, parent.kept())):
                at = np.flatnonzero(rows)
                marks |= first_match(own, [text.take(at) for text in theirs]) >= 0
        self._leave_out(table, table.kept() & lost & ~left, "", ABOUT_LEFT_OUT)

    def end_points(self, mapping: DomainMapping, table: DomainTable) -> None:
        """Say of the events that go on at the cut-off that they do, and that it is known up to then."""
        relation, point = mapping.prefixed("ENRTPT"), mapping.prefixed("ENTPT")
        ongoing = self._ongoing.get(mapping.domain, np.zeros(table.count, bool))
        if relation in mapping.operations:
            table.put(relation, table.text(relation).where(~ongoing, ONGOING))
        if point in mapping.operations and table.has(relation):
            first = table.days(point)[0]
            unknown = table.text(relation).isin([ONGOING]) & (np.isnat(first) | (first > self.day))
            table.put(point, table.text(point).where(~unknown, self.study.cutoff))

    def _find_subjects(self, table: DomainTable, variable: str) -> None:
        where = check_variable_condition(self.declared.subjects.where, [table.domain], self.study)
        meant = rows_where(where, table, self.study)
        first, _ = table.extreme_by_subject(variable, meant, 1)
        names = table.subject.texts
        self._out = {name for name, day in zip(names, first, strict=False) if day > self.day}
        undated = meant & ~table.present(variable) & table.subject.present()
        self._list(table, undated, variable, UNDATED)

    def _cut_by_date(self, mapping: DomainMapping, table: DomainTable) -> None:
        variable = cut_date(mapping)
        first, last = table.days(variable)
        self._leave_out(table, table.kept() & (first > self.day), variable, LATER)
        kept = table.kept()
        self._list(table, kept & np.isnat(first), variable, UNDATED)
        self._list(table, kept & (first <= self.day) & (last > self.day), variable, PERHAPS_LATER)
        end = mapping.prefixed("ENDTC")
        if not table.has(end):
            return
        first, last = table.days(end)
        self._list(table, kept & (first <= self.day) & (last > self.day), end, PERHAPS_LATER)
        goes_on = kept & (first > self.day)
        self._clear(table, goes_on, end, CLEARED)
        self._ongoing[mapping.domain] = goes_on
        for name, text in self.declared.ongoing.get(mapping.domain, {}).items():
            self._clear(table, goes_on & ~table.text(name).isin([text]), name, NOT_KNOWN)
            table.put(name, table.text(name).where(~goes_on, text))

    def _clear_dates(self, table: DomainTable) -> None:
        """Clear the dates of subjects that lie after the cut-off, and with a death's date the flag of it."""
        for name in sorted(name for name in table.texts if name.endswith("DTC") and name != BIRTH):
            first, last = table.days(name)
            later = table.kept() & (first > self.day)
            self._list(table, table.kept() & (first <= self.day) & (last > self.day), name, PERHAPS_LATER)
            self._clear(table, later, name, CLEARED)
            if name == "DTHDTC":
                self._alive = set(table.subject.take(np.flatnonzero(later)).array())
                if table.has("DTHFL"):
                    self._clear(table, later & table.present("DTHFL"), "DTHFL", NOT_KNOWN)

    def _leave_out(self, table: DomainTable, rows: np.ndarray, variable: str, outcome: str) -> None:
        self._list(table, rows, variable, outcome)
        table.cut(rows, outcome)

    def _clear(self, table: DomainTable, rows: np.ndarray, variable: str, outcome: str) -> None:
        self._list(table, rows, variable, outcome)
        table.cut_values(variable, rows, outcome)

    def _list(self, table: DomainTable, rows: np.ndarray, variable: str, outcome: str) -> None:
        import pandas as pd

        at = np.flatnonzero(rows)
        if not len(at):
            return
        value = table.text(variable) if variable else CodedText.constant("", table.count)
        columns = {"record": table.hidden["record"], "address": table.hidden["address"], "value": value}
        texts = {name: text.take(at).array() for name, text in columns.items()}
        made = pd.DataFrame({**texts, "domain": table.domain, "variable": variable, "outcome": outcome}, dtype="str")
        self._listed.append(made[list(COLUMNS)])


def cut_date(mapping: DomainMapping) -> str:
    """Return the date by which a domain is cut: the start of an event or a dose, else the date of a finding.

    It must be collected; blank if the domain has none that is.
    """
    collected = collected_variables(mapping)
    if any(block.each == "visit" for block in mapping.blocks):
        collected.append("SVSTDTC")
    named = [mapping.prefixed(suffix) for suffix in ("STDTC", "DTC")]
    return next((name for name in named if name in collected), "")


def collected_variables(mapping: DomainMapping) -> list[str]:
    """Return the variables that blocks and tests of a mapping make from fields."""
    names = [name for block in mapping.blocks for name in block.variables]
    names += [name for block in mapping.blocks for test in block.tests for name in test.variables]
    return list(dict.fromkeys(names))
