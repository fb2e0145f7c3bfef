"""Analysis results as define.xml describes them: what was analysed, why, in which records, and by which statements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordCriterion:
    """What records fulfil in one variable: a comparator of ODM (EQ, NE, LT, LE, GT, GE, IN, NOTIN) and its values."""

    variable: str
    comparator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class AnalysedRecords:
    """Records of one dataset, which fulfil all criteria, and the variables of it that were analysed."""

    dataset: str
    criteria: tuple[RecordCriterion, ...]
    variables: tuple[str, ...]

    @property
    def parameter(self) -> bool:
        """True if the criteria choose one parameter."""
        return any(one.variable == "PARAMCD" and one.comparator == "EQ" for one in self.criteria)


@dataclass(frozen=True)
class AnalysisResult:
    """One result of a display: ``analyses`` are the ids that its rows have in the results data.

    ``records`` says which records of which datasets; ``comment`` how several are joined, and what no criterion can say.
    ``plan`` is the section of the analysis plan (its id and its title), ``statements`` the text that declares it.
    """

    id: str
    description: str
    reason: str
    purpose: str
    records: tuple[AnalysedRecords, ...]
    comment: str
    plan: tuple[str, str]
    statements: str
    analyses: tuple[str, ...]


@dataclass(frozen=True)
class ResultDisplay:
    """A table or figure with its key results."""

    id: str
    name: str
    title: str
    results: tuple[AnalysisResult, ...]
