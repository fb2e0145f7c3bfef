"""The reader of a study's ``reports.yaml``: populations, columns and outputs, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from metadata.declaration import read_document, read_parameters
from metadata.declaration_limits import Keyed, Limit, Text, Written
from metadata.errors import Gather, nearest
from metadata.schema_errors import entry_of, needed_key, quoted
from metadata.study import Study
from metadata.yaml_source import complain

FILE = "reports.yaml"
_READ: WeakKeyDictionary[Study, ReportSpecification] = WeakKeyDictionary()


SUBJECT_LEVEL = "ADSL"
Decimals = Annotated[int, Limit(0, 6)]
Variable = Annotated[Text, "reads"]
"""A variable of the dataset whose records are looked at."""
NumberVariable = Annotated[Text, "measures"]
"""A variable of that dataset that holds numbers."""
SubjectVariable = Annotated[Text, "subject"]
"""A variable of the subject level."""
ColumnVariable = Annotated[Text, "columns"]
"""A variable of the subject level whose texts make columns."""
ListedVariable = Annotated[Text, "lists"]
"""A variable of that dataset, of the subject level, or a supplemental qualifier."""
Labels = dict[str, Text]
"""What values are called."""
TextsOf = Iterable[tuple[str, str, Iterable[str] | None]]
"""Keys of a declaration, each with a variable and the texts there, which the variable must be able to have."""


@dataclass(frozen=True)
class OutputColumns:
    """The variable whose values are an output's treatment columns, and what heads them, in the order wanted."""

    by: ColumnVariable
    labels: Labels | None = None

    def texts_of(self) -> TextsOf:
        """Texts that head the columns."""
        return [("labels", self.by, self.labels)]


@dataclass(frozen=True, kw_only=True)
class OutputKeys:
    """What every output may say; a template's own dataclass adds its keys."""

    id: Annotated[str, Written("[A-Z][A-Za-z0-9.]*", "the number of an output, such as T14.1.1")]
    template: Text
    title: Text
    population: Text
    plan: Text
    footnotes: list[Text] | None = None
    columns: OutputColumns | None = None
    purpose: Literal["primary", "secondary", "exploratory"] | None = None

    def implied(self) -> Iterable[str]:
        """Variables of the dataset that the template reads and no key names."""
        return ()

    def datasets_looked_at(self, own: str) -> Iterable[str]:
        """The datasets whose records the output's own conditions choose: the output's own, unless its lines say so."""
        return [own]


TemplateKeys = TypeVar("TemplateKeys", bound=OutputKeys)


@dataclass(frozen=True)
class PopulationKeys:
    """A population: what it is called, and the flag of its subjects in ADSL."""

    label: Text
    flag: SubjectVariable


@dataclass(frozen=True)
class TreatmentColumns:
    """The variable whose values are the treatment columns of all outputs, and the heading of all together."""

    by: ColumnVariable = ""
    total: Text = "Total"


@dataclass(frozen=True)
class ReportsFile:
    """The whole of reports.yaml; what an output may say depends on its template."""

    populations: Annotated[dict[str, PopulationKeys], Keyed(1)]
    outputs: list[dict[str, Any]]
    columns: TreatmentColumns | None = None


@dataclass(frozen=True)
class Output:
    """One table or figure as declared: ``node`` is the mapping, ``keys`` what was read from it."""

    node: dict[str, Any]
    keys: OutputKeys = field(compare=False, repr=False)

    def keys_of(self, template: type[TemplateKeys]) -> TemplateKeys:
        """What the output says, as its template's own dataclass."""
        if not isinstance(self.keys, template):
            raise TypeError(f"the output {self.id} was read as {type(self.keys).__name__}")
        return self.keys

    @property
    def id(self) -> str:
        """Number of the output, such as T14.1.1."""
        return self.keys.id

    @property
    def template(self) -> str:
        return self.keys.template

    @property
    def title(self) -> str:
        return self.keys.title

    @property
    def population(self) -> str:
        return self.keys.population

    @property
    def plan(self) -> str:
        """The section of the analysis plan that this output refers to."""
        return self.keys.plan

    @property
    def purpose(self) -> str:
        """What the output is for, as CDISC ARS names it; exploratory unless declared."""
        return f"{(self.keys.purpose or 'exploratory').upper()} OUTCOME MEASURE"

    @property
    def footnotes(self) -> list[str]:
        return list(self.keys.footnotes or [])


@dataclass(frozen=True)
class ReportSpecification:
    """What ``reports.yaml`` declares, in its order."""

    node: Mapping[str, Any]
    file: ReportsFile
    outputs: tuple[Output, ...]
    arms: tuple[str, ...] = ()
    """Names of the study's arms, in their order."""

    def by(self, output: Output) -> str:
        """The variable whose values are an output's treatment columns, its own or that of all; empty for one column."""
        columns = output.keys.columns or self.file.columns
        return columns.by if columns else ""

    @staticmethod
    def column_labels(output: Output) -> Mapping[str, str]:
        """What heads the columns of an output whose variable has codes, in the order wanted."""
        columns = output.keys.columns
        return (columns.labels if columns else None) or {}

    @staticmethod
    def untreated(by: str) -> str:
        """Heading of the column of subjects without a value, unless a label of the empty text says another."""
        return f"No {by}"

    @property
    def total(self) -> str:
        """Heading of the column of all treatments together."""
        return (self.file.columns or TreatmentColumns()).total

    def population(self, name: str, asked_by: Mapping[str, Any], key: str = "population") -> PopulationKeys:
        """Declaration of a population: its label and its flag; raises StudyError with the nearest name."""
        return _population(name, self.file, asked_by, key)


def read_specification(study: Study, templates: Mapping[str, type[OutputKeys]]) -> ReportSpecification:
    """Read and check ``reports.yaml``, once a study; raises StudyError with file, line and key.

    ``templates`` are the dataclasses of the templates' keys by name.
    """
    if study not in _READ:
        _READ[study] = _read(study, templates)
    return _READ[study]


def _read(study: Study, templates: Mapping[str, type[OutputKeys]]) -> ReportSpecification:
    node = study.read_yaml(FILE)
    file = read_document(ReportsFile, node, f"{study.name}/{FILE}")
    outputs: list[Output] = []
    with Gather() as gather:
        for output in node["outputs"]:
            with gather.part():
                outputs.append(_read_output(output, file, templates))
                if outputs[-1].id in [other.id for other in outputs[:-1]]:
                    raise complain(output, "id", f"the output {outputs[-1].id} is declared twice")
    return ReportSpecification(node, file, tuple(outputs), tuple(arm.arm for arm in study.declared.arms or []))


def _read_output(node: dict[str, Any], file: ReportsFile, templates: Mapping[str, type[OutputKeys]]) -> Output:
    if "template" not in node:
        raise needed_key(node, "template", entry_of("outputs"))
    name = str(node["template"])
    if name not in templates:
        raise complain(node, "template", f"there is no output template '{name}'{nearest(name, templates)}")
    with Gather() as gather:
        with gather.part():
            keys = read_parameters(templates[name], node, quoted(name))
        with gather.part():
            if "population" in node:
                _population(str(node["population"]), file, node, "population")
    return Output(node, keys)


def _population(name: str, file: ReportsFile, asked_by: Mapping[str, Any], key: str) -> PopulationKeys:
    if name not in file.populations:
        raise complain(asked_by, key, f"there is no population '{name}'{nearest(name, file.populations)}")
    return file.populations[name]
