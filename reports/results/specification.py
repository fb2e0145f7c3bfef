"""The reader of a study's ``reports.yaml``: populations, columns and outputs, checked against a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import complain

FILE = "reports.yaml"
TEXT = {"type": "string"}
COMMON: dict[str, Any] = {
    "id": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9.]*$"},
    "template": TEXT,
    "title": TEXT,
    "population": TEXT,
    "plan": TEXT,
    "footnotes": {"type": "array", "items": TEXT},
    "columns": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"by": TEXT, "labels": {"type": "object", "additionalProperties": TEXT}},
        "required": ["by"],
    },
    "purpose": {"enum": ["primary", "secondary", "exploratory"]},
}
COMMON_REQUIRED = ("id", "template", "title", "population", "plan")

_READ: WeakKeyDictionary[Study, ReportSpecification] = WeakKeyDictionary()


@dataclass(frozen=True)
class TemplateParameters:
    """JSON Schema properties that one output template takes beyond the common ones; ``either`` are ways to fill it."""

    properties: Mapping[str, Any]
    required: tuple[str, ...]
    either: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Schema of one output that uses the template; it knows no other key."""
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {**COMMON, **self.properties},
            "required": [*COMMON_REQUIRED, *self.required],
            **({"anyOf": list(self.either)} if self.either else {}),
        }


@dataclass(frozen=True)
class Output:
    """One table or figure as declared; ``node`` holds its template's parameters."""

    node: Mapping[str, Any]

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


def read_specification(study: Study, templates: Mapping[str, TemplateParameters]) -> ReportSpecification:
    """Read and check ``reports.yaml``, once a study; raises StudyError with file, line and key."""
    if study not in _READ:
        _READ[study] = _read(study, templates)
    return _READ[study]


def _read(study: Study, templates: Mapping[str, TemplateParameters]) -> ReportSpecification:
    node = study.read_yaml(FILE)
    _check(node, document(), node)
    outputs = tuple(Output(output) for output in node["outputs"])
    specification = ReportSpecification(node, outputs)
    seen: set[str] = set()
    with Gather() as gather:
        for output in outputs:
            with gather.part():
                _check_output(specification, output, templates)
            with gather.part():
                if output.id in seen:
                    raise complain(output.node, "id", f"the output {output.id} stands twice")
            seen.add(output.id)
    return specification


def _check_output(
    specification: ReportSpecification, output: Output, templates: Mapping[str, TemplateParameters]
) -> None:
    if output.template not in templates:
        known = nearest(output.template, templates)
        raise complain(output.node, "template", f"there is no output template '{output.template}'{known}")
    with Gather() as gather:
        with gather.part():
            _check(output.node, templates[output.template].schema, output.node)
        with gather.part():
            specification.population(output.population, output.node)


def document() -> dict[str, Any]:
    """Return the JSON Schema of the file, its outputs by their common parameters only."""
    population = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"label": TEXT, "flag": TEXT},
        "required": ["label", "flag"],
    }
    columns = {"type": "object", "additionalProperties": False, "properties": {"by": TEXT, "total": TEXT}}
    output = {"type": "object", "required": list(COMMON_REQUIRED), "properties": COMMON}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "populations": {"type": "object", "additionalProperties": population, "minProperties": 1},
            "columns": columns,
            "outputs": {"type": "array", "items": output, "minItems": 1},
        },
        "required": ["populations", "outputs"],
    }


def _check(document: Any, schema: Mapping[str, Any], root: Any) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    with Gather() as gather:
        for found in Draft202012Validator(schema).iter_errors(document):
            error = best_match([found])
            for problem in _located(root, list(error.absolute_path), error):
                with gather.part():
                    raise problem


def _located(root: Any, path: list[Any], error: Any) -> list[StudyError]:
    """A complaint of the schema as one sentence with the place it is about, for each key that it knows not."""
    node, holder, key = root, root, None
    for step in path:
        holder, key, node = node, step, node[step]
    if error.validator == "additionalProperties" and isinstance(node, Mapping):
        known = error.schema.get("properties", {})
        said = f"; known are {', '.join(known)}"
        extra = [name for name in node if name not in known]
        return [complain(node, name, f"there is no such key here{nearest(name, known)}{said}") for name in extra]
    if error.validator == "required":
        return [complain(node, None, str(error.message).replace("a required property", "missing and needed"))]
    return [complain(holder, key, str(error.message))]
