"""The reader of a study's ``reports.yaml``: populations, columns and outputs, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from weakref import WeakKeyDictionary

from metadata.declaration import read_document, read_parameters
from metadata.declaration_limits import Keyed, Limit, Text, Written
from metadata.errors import Gather, nearest
from metadata.schema_errors import entry_of, needed_key, quoted
from metadata.study import Study
from metadata.yaml_source import complain

FILE = "reports.yaml"
_READ: WeakKeyDictionary[Study, ReportSpecification] = WeakKeyDictionary()


Decimals = Annotated[int, Limit(0, 6)]
Labels = dict[str, Text]
"""What values are called."""


@dataclass(frozen=True)
class OutputColumns:
    """The variable whose values are an output's treatment columns, and what heads them, in the order wanted."""

    by: Text
    labels: Labels | None = None


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
    purpose: Literal["primary", "secondary", "exploratory"] = "exploratory"


@dataclass(frozen=True)
class PopulationKeys:
    """A population: what it is called, and the flag of its subjects in ADSL."""

    label: Text
    flag: Text


@dataclass(frozen=True)
class TreatmentColumns:
    """The variable whose values are the treatment columns of all outputs, and the heading of all together."""

    by: Text = ""
    total: Text = "Total"


@dataclass(frozen=True)
class ReportsFile:
    """The whole of reports.yaml; what an output may say depends on its template."""

    populations: Annotated[dict[str, PopulationKeys], Keyed(1)]
    outputs: list[dict[str, Any]]
    columns: TreatmentColumns | None = None


@dataclass(frozen=True)
class Output:
    """One table or figure as declared; ``node`` holds its template's parameters."""

    node: dict[str, Any]

    @property
    def id(self) -> str:
        """Number of the output, such as T14.1.1."""
        return str(self.node["id"])

    @property
    def template(self) -> str:
        return str(self.node["template"])

    @property
    def title(self) -> str:
        return str(self.node["title"])

    @property
    def population(self) -> str:
        return str(self.node["population"])

    @property
    def plan(self) -> str:
        """The section of the analysis plan that this output refers to."""
        return str(self.node["plan"])

    @property
    def purpose(self) -> str:
        """What the output is for, as CDISC ARS names it; exploratory unless declared."""
        return f"{str(self.node.get('purpose', 'exploratory')).upper()} OUTCOME MEASURE"

    @property
    def footnotes(self) -> list[str]:
        return list(self.node.get("footnotes", []))


@dataclass(frozen=True)
class ReportSpecification:
    """What ``reports.yaml`` declares, in its order."""

    node: Mapping[str, Any]
    outputs: tuple[Output, ...]

    def by(self, output: Output) -> str:
        """The variable whose values are an output's treatment columns, its own or that of all; empty for one column."""
        return str(output.node.get("columns", self.node.get("columns", {})).get("by", ""))

    @staticmethod
    def column_labels(output: Output) -> Mapping[str, str]:
        """What heads the columns of an output whose variable has codes, in the order wanted."""
        found: Mapping[str, str] = output.node.get("columns", {}).get("labels", {})
        return found

    @property
    def total(self) -> str:
        """Heading of the column of all treatments together."""
        return str(self.node.get("columns", {}).get("total", "Total"))

    def population(self, name: str, asked_by: Mapping[str, Any], key: str = "population") -> Mapping[str, Any]:
        """Declaration of a population: its label and its flag; raises StudyError with the nearest name."""
        declared: Mapping[str, Any] = self.node["populations"]
        if name not in declared:
            raise complain(asked_by, key, f"there is no population '{name}'{nearest(name, declared)}")
        found: Mapping[str, Any] = declared[name]
        return found


def read_specification(study: Study, templates: Mapping[str, type[OutputKeys]]) -> ReportSpecification:
    """Read and check ``reports.yaml``, once a study; raises StudyError with file, line and key.

    ``templates`` are the dataclasses of the templates' keys by name.
    """
    if study not in _READ:
        _READ[study] = _read(study, templates)
    return _READ[study]


def _read(study: Study, templates: Mapping[str, type[OutputKeys]]) -> ReportSpecification:
    node = study.read_yaml(FILE)
    with Gather() as gather:
        with gather.part():
            read_document(ReportsFile, node, f"{study.name}/{FILE}")
        outputs = tuple(Output(output) for output in node["outputs"]) if not gather.found else ()
        specification = ReportSpecification(node, outputs)
        seen: set[str] = set()
        for output in outputs:
            with gather.part():
                _check_output(specification, output, templates)
                if output.id in seen:
                    raise complain(output.node, "id", f"the output {output.id} stands twice")
                seen.add(output.id)
    return specification


def _check_output(
    specification: ReportSpecification, output: Output, templates: Mapping[str, type[OutputKeys]]
) -> None:
    if "template" not in output.node:
        raise needed_key(output.node, "template", entry_of("outputs"))
    if output.template not in templates:
        known = nearest(output.template, templates)
        raise complain(output.node, "template", f"there is no output template '{output.template}'{known}")
    with Gather() as gather:
        with gather.part():
            read_parameters(templates[output.template], output.node, quoted(output.template))
        with gather.part():
            if "population" in output.node:
                specification.population(output.population, output.node)
