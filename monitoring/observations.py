"""What the rules look at: results, doses and rows of forms as they were entered, up to the day of the run.

Results and doses are read as the study's mapping of their domains says, before anything is withheld: a record that is
queried or not coded counts as it was reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.project import Project
from metadata.records import Records
from metadata.records_lookup import RecordsLookup
from metadata.study import Study
from metadata.terminology import Terminology
from monitoring.doses import doses_of, of_each
from monitoring.results import results_of
from monitoring.settings import PlanFile
from sdtm.build.collect import collect
from sdtm.columns.source import Forms
from sdtm.columns.table import DomainTable, DomainTables
from sdtm.domains.identity import SubjectIdentifiers, identify
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.reading import Reader
from validation.checks.data import CheckRows
from validation.raw.form_rows import stored_rows

if TYPE_CHECKING:
    import pandas as pd

SUBJECTS = "DM"
NO_DAY = np.datetime64("NaT", "ns")


def mapping_file(domain: str) -> str:
    """Return where a domain's mapping is."""
    return f"sdtm/{domain.lower()}.yaml"


def domains_read(settings: PlanFile) -> list[str]:
    """Return the domains whose mappings the plan needs."""
    return list(dict.fromkeys([*settings.results, settings.exposure, SUBJECTS]))


def read_domains(study: Study, project: Project, names: Sequence[str]) -> dict[str, DomainMapping]:
    """Return the mappings of some domains, the others unread; raises StudyError for what does not fit in these."""
    terminology = Terminology.open(study)
    return {name: Reader(study, project, terminology, mapping_file(name)).read() for name in names}


@dataclass
class Observations:
    """All that is known on the day ``as_of``; ``dated`` is the day of the newest change of the records.

    ``results``: record, test, domain, day, low, high, strict, upper, term, unit, problem, event, form, instance; a
    number has low equal to high, <5 has no low and is strict. ``doses``: record, drug, start, end, daily, problem and
    where they are. Both hold what is dated up to ``as_of``; ``later`` has the results dated beyond both days,
    ``undated`` those without a day.
    """

    study: Study
    settings: PlanFile
    records: Records
    domains: dict[str, DomainMapping]
    as_of: np.datetime64
    dated: np.datetime64
    _rows: dict[str, CheckRows] = field(default_factory=dict)

    @cached_property
    def project(self) -> Project:
        """The project of the records."""
        return self.records.project

    @cached_property
    def forms(self) -> Forms:
        """The records, form by form."""
        return Forms(self.records, self.study.visit_of_form)

    @cached_property
    def lookup(self) -> RecordsLookup:
        """The records by their keys."""
        return RecordsLookup(self.records)

    @cached_property
    def identity(self) -> SubjectIdentifiers:
        """The subject of each record."""
        return identify(self.study, self.forms)

    @cached_property
    def subjects(self) -> pd.DataFrame:
        """Record, subject's number (or what tells the record, where it has none) and the first day known of it."""
        import pandas as pd

        record = pd.Series(self.identity.record.array(), dtype="str")
        number = pd.Series(self.identity.subjid.array(), dtype="str")
        days = pd.concat([self.all_results[["record", "day"]],
                          self.all_doses.rename(columns={"start": "day"})[["record", "day"]]])  # fmt: skip
        first = of_each(record, days.groupby("record")["day"].min())
        return pd.DataFrame({
            "record": record,
            "subject": number.where(number != "", "record " + record),
            "first": first.where(first <= self.dated, pd.Timestamp(self.dated)),
        })  # fmt: skip

    def first_of(self, record: pd.Series) -> pd.Series:
        """Return the first day known of each record, the day of the records where nothing is."""
        import pandas as pd

        return of_each(record, self.subjects.set_index("record")["first"]).fillna(pd.Timestamp(self.dated))

    @cached_property
    def tables(self) -> dict[str, DomainTable]:
        """The rows of each domain that is read, nothing withheld."""
        return {name: collect(mapping, self.forms, self.identity) for name, mapping in self.domains.items()}

    @cached_property
    def all_results(self) -> pd.DataFrame:
        """Every result, whenever it is dated."""
        import pandas as pd

        people = self._people
        return pd.concat(
            [results_of(self.study, self.domains[name], self.tables[name], people) for name in self.settings.results],
            ignore_index=True,
        )

    @cached_property
    def _people(self) -> DomainTable:
        """DM, with sex and age as far as they need no other domain."""
        mapping, table = self.domains[SUBJECTS], self.tables[SUBJECTS]
        for name, operation in mapping.table_operations.items():
            known = all(need.startswith(f"{SUBJECTS}.") and table.has(need.split(".")[1]) for need in operation.needs())
            if name in ("AGE", "SEX") and known:
                made = operation.derive(DomainTables({SUBJECTS: table}), SUBJECTS)
                table.derive(name, made, mapping.by_name[name].type == "Num")
        return table

    @cached_property
    def all_doses(self) -> pd.DataFrame:
        """Every dose, whenever it begins."""
        return doses_of(self.settings, self.domains[self.settings.exposure], self.tables[self.settings.exposure])

    @cached_property
    def results(self) -> pd.DataFrame:
        """The results dated up to the day of the run."""
        return self.all_results[self.all_results["day"] <= self.as_of].reset_index(drop=True)

    @cached_property
    def later(self) -> pd.DataFrame:
        """The results dated after the day of the run and after the newest change of the records."""
        return self.all_results[self.all_results["day"] > max(self.as_of, self.dated)].reset_index(drop=True)

    @cached_property
    def undated(self) -> pd.DataFrame:
        """The results whose day is not known at all."""
        return self.all_results[self.all_results["day"].isna()].reset_index(drop=True)

    @cached_property
    def doses(self) -> pd.DataFrame:
        """The doses that began up to the day of the run, by record, drug and start."""
        return self.all_doses[self.all_doses["start"] <= self.as_of].reset_index(drop=True)

    def rows(self, form: str) -> CheckRows:
        """Return all rows of a form, those in a place that the form should not have among them."""
        if form not in self._rows:
            self._rows[form] = CheckRows(self.lookup, form, stored_rows(self.lookup, form), self.study.text_dates)
        return self._rows[form]

    def keys(self, form: str) -> pd.DataFrame:
        """Return record, event, form and instance of each row of a form."""
        return self.rows(form).keys[["record", "event", "instance"]].assign(form=form)

    def days(self, form: str, date: str | Sequence[str]) -> tuple[pd.Series, pd.Series]:
        """Return the first and the last day that a date of each row of a form may be; NaT where nothing is known."""
        import pandas as pd

        first, last = self.rows(form).days(date)
        return pd.Series(first.astype("datetime64[ns]")), pd.Series(last.astype("datetime64[ns]"))

    @cached_property
    def ends(self) -> pd.Series:
        """The day by record from which nothing more is due, as far as it has come; records without one are left out."""
        import pandas as pd

        end = self.settings.study_end
        if end is None:
            return pd.Series([], index=pd.Index([], dtype="str"), dtype="datetime64[ns]")
        day, _ = self.days(end.form, end.date)
        known = pd.DataFrame({"record": self.keys(end.form)["record"], "day": day}).dropna()
        known = known[known["day"] <= self.as_of]
        return known.groupby("record")["day"].min()

    def end_of(self, record: pd.Series) -> pd.Series:
        """Return the day from which nothing more is due of each record, far ahead where there is none."""
        import pandas as pd

        return of_each(record, self.ends).fillna(pd.Timestamp("2200-01-01"))
