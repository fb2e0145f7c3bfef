"""What every derivation is: parameters, the variables it reads and makes, a sentence, and a function over columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np

from adam.columns.columns import Columns, SourceColumns, Values, day
from adam.language.kinds import check_kinds, uses
from metadata.condition import Condition, DatasetKinds
from metadata.condition_tests import impossible
from metadata.dataset import Dataset, Edges
from metadata.declaration import marked_names, names_in, parameters
from metadata.errors import Gather, StudyError, nearest
from metadata.schema_errors import no_variable
from metadata.study import Study
from metadata.variable_kind import ClosedText


@dataclass(frozen=True)
class Outcome:
    """The columns that a derivation made, and edges to rows of other datasets.

    An edge without a source leads to rows of the dataset in the making, and on to those rows' own sources.
    """

    columns: Mapping[str, Values]
    edges: tuple[Edges, ...] = ()


@dataclass(frozen=True)
class AddedRows:
    """New rows: each starts as a copy of its ``template`` row, with the columns in ``changed`` replaced.

    ``contributors`` are pairs (position among the new rows, row that it was derived from); ``edges`` lead from
    positions among the new rows to rows of other datasets. ``existing`` has what the old rows get of new variables in
    ``changed``; those that it lacks are missing in them.
    """

    template: np.ndarray
    changed: dict[str, Values]
    contributors: tuple[np.ndarray, np.ndarray]
    edges: tuple[Edges, ...] = ()
    existing: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True)
class DerivationContext:
    """What a derivation may look at besides its own dataset's columns."""

    study: Study
    datasets: Mapping[str, Dataset]
    source: str
    subject_level: bool
    cache: dict[str, object] = field(default_factory=dict)

    def columns(self, dataset: str) -> SourceColumns:
        """Return the columns of another dataset; raises StudyError if this build has no such dataset."""
        if dataset not in self.datasets:
            raise StudyError(f"this build has no dataset {dataset}{nearest(dataset, self.datasets)}")
        if dataset not in self.cache:
            found = self.datasets[dataset]
            self.cache[dataset] = SourceColumns(found.columns, kinds=found.metadata.kinds)
        columns = self.cache[dataset]
        assert isinstance(columns, SourceColumns)
        return columns

    def variable(self, dataset: str, name: str) -> Values:
        """Return one column of another dataset; raises StudyError with the nearest name."""
        columns = self.columns(dataset)
        if name not in columns.source:
            raise StudyError(no_variable(dataset, name, columns.source.names))
        return columns[name]

    def day(self, dataset: str, name: str) -> np.ndarray:
        """Return a date of another dataset, or the day of a datetime; raises StudyError with the nearest name."""
        self.variable(dataset, name)
        return day(self.columns(dataset), name)

    @property
    def kinds(self) -> dict[str, Mapping[str, str]]:
        """Kinds of the variables of the other datasets."""
        return {name: dataset.metadata.kinds for name, dataset in self.datasets.items()}

    def fulfil(self, dataset: str, where: Condition | None) -> np.ndarray:
        """Return True for the records of another dataset that fulfil a condition, for all if there is none."""
        columns = self.columns(dataset)
        if where is None:
            return np.ones(len(columns.source), bool)
        where.check(self.datasets[dataset].metadata.kinds, dataset)
        return where.holds(columns, len(columns.source))

    @cached_property
    def cutoff(self) -> np.datetime64:
        """The data cut-off, as a day."""
        return np.datetime64(self.study.cutoff, "D")


@dataclass(frozen=True)
class ParameterLabel:
    """PARAM and PARAMN of a PARAMCD, and the mapping that says so; blank and None where it does not say."""

    code: str
    param: str
    paramn: float | None
    node: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """Base of all derivations; the fields are the parameters that a mapping writes."""

    when: Condition | None = None

    key: ClassVar[str] = ""
    adds_rows: ClassVar[bool] = False

    def check(self) -> None:
        """Raise StudyError where parameters contradict each other; called when they are read."""

    def check_files(self, study: Study) -> None:
        """Raise StudyError for tables that the derivation reads and that lack what it needs; no data are read."""

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Variables that must exist before this derivation."""
        ordering = (name.removeprefix("-") for name in self._names("orders"))
        return tuple(dict.fromkeys([*self._names("reads"), *ordering, *self.also_reads()]))

    @cached_property
    def makes(self) -> tuple[str, ...]:
        """Variables that this derivation makes."""
        return tuple(dict.fromkeys([*self._names("makes"), *self.also_makes()]))

    def _names(self, role: str) -> Iterator[str]:
        for name, kind in parameters(type(self)).items():
            yield from names_in(kind, getattr(self, name), role)

    def also_reads(self) -> tuple[str, ...]:
        """Variables read beyond those that the parameters name."""
        return ()

    def also_makes(self) -> dict[str, str]:
        """Variables made beyond those that the parameters name, with their kinds."""
        return {}

    def changes(self) -> tuple[str, ...]:
        """Variables of existing derivations that have values of this one's own in the records it adds."""
        return ()

    def parameters_made(self) -> tuple[str, ...]:
        """Return the new values of PARAMCD that this derivation writes, in old records or in those that it adds."""
        return ()

    def parameter_labels(self) -> list[ParameterLabel]:
        """Return the labels and numbers that this derivation gives to its parameters."""
        return []

    def meanings(self, study: Study) -> dict[str, dict[str, dict[str, str]]]:
        """What the terms of a variable mean in each parameter, by variable and PARAMCD, where a table says so."""
        return {}

    def datasets(self) -> tuple[str, ...]:
        """Names of the other datasets that are read."""
        named = str(getattr(self, "dataset", ""))
        return (named,) if named else ()

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        """Return the new columns, each with ``count`` rows."""
        raise NotImplementedError

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        """Return the rows that the derivation adds (only if it adds rows)."""
        raise NotImplementedError

    def sentence(self, variable: str) -> str:
        """Say how ``variable`` is made, for define.xml."""
        raise NotImplementedError

    def origin(self, variable: str) -> str:
        """Return the Define-XML origin of ``variable``."""
        return "Derived"

    def inherits(self, variable: str) -> tuple[str, str] | None:
        """Return dataset ("" for the own source) and variable of which ``variable`` is a copy, or None."""
        return None

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        """Return the kind of a variable that this derivation makes, an empty text where that is not known.

        ``kinds`` are the known kinds of the variables of all datasets, those of the own one under an empty name.
        """
        also = self.also_makes()
        if variable in also:
            return also[variable]
        dataset, copied = self.inherits(variable) or ("", "")
        if copied:
            return kinds.get(dataset, {}).get(copied, "")
        return self._declared_kinds.get(variable, "")

    @cached_property
    def _declared_kinds(self) -> dict[str, str]:
        """Kinds of the variables that the annotations of the parameters say they make."""
        return {use.variable: use.wanted.kinds[0] for use in uses(self, "makes")}

    def gives(self) -> tuple[str, ...]:
        """Variables that have values of this derivation's own in some record."""
        parameter = ("PARAMCD",) if self.parameters_made() else ()
        return tuple(dict.fromkeys((*self.makes, *self.changes(), *parameter)))

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        """Return the texts that this derivation can give a variable, None where they are not a closed list.

        ``kinds`` are those of ``kind``.
        """
        dataset, copied = self.inherits(variable) or ("", "")
        known = kinds.get(dataset, {}).get(copied, "")
        if isinstance(known, ClosedText):
            return known
        return ClosedText(self.parameters_made()) if variable == "PARAMCD" and self.parameters_made() else None

    def check_kinds(self, kinds: DatasetKinds) -> None:
        """Raise StudyError where a variable is of another kind than the derivation takes; ``kinds`` as in ``kind``.

        So it is for a PARAMCD that no record has.
        """
        with Gather() as gather:
            with gather.part():
                check_kinds(self, kinds)
            with gather.part():
                self._check_parameters(kinds.get("", {}).get("PARAMCD", ""))

    def _check_parameters(self, known: str) -> None:
        with Gather() as gather:
            for name, kind in parameters(type(self)).items() if isinstance(known, ClosedText) else ():
                for one in marked_names(kind, getattr(self, name)):
                    with gather.part():
                        if one.role == "parameter" and (problem := impossible("PARAMCD", one.name, known)):
                            raise StudyError(problem)

    def within(self) -> str:
        """Return the condition as the end of a sentence."""
        return f", where {self.when}" if self.when else ""


DERIVATIONS: dict[str, type[Derivation]] = {}
Registered = TypeVar("Registered", bound=type[Derivation])


def keyed(name: str) -> Callable[[Registered], Registered]:
    """Register a derivation under the key that mappings write."""

    def register(made: Registered) -> Registered:
        made.key = name
        DERIVATIONS[name] = made
        return made

    return register


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return names as a phrase: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
