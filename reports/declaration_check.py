"""The check of reports.yaml without data: its keys, templates and populations, datasets, variables and conditions.

The plan's sections that it refers to are checked as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.condition import DatasetKinds
from metadata.errors import Gather, StudyError, nearest
from metadata.schema_errors import unknown_dataset
from metadata.study import Study
from metadata.yaml_source import complain
from reports.results.named_variables import named_in
from reports.results.plan import read_plan
from reports.results.specification import FILE, SUBJECT_LEVEL, read_specification
from reports.templates import KEYS, TEMPLATES


def check_reports(study: Study, datasets: DatasetKinds) -> list[StudyError]:
    """Return all that is wrong with the study's reports; nothing if it declares none.

    ``datasets`` are all datasets that the study makes, with the kinds of their variables.
    """
    gather = Gather()
    if not study.path(FILE).is_file():
        return []
    with gather.part():
        specification = read_specification(study, KEYS)
        sections = read_plan(study).sections
        for named in named_in(specification.file, specification.node, SUBJECT_LEVEL):
            with gather.part():
                named.check(datasets)
        for output in specification.outputs:
            for named in named_in(output.keys, output.node, SUBJECT_LEVEL):
                with gather.part():
                    named.check(datasets)
            for node in _mappings(output.node):
                with gather.part():
                    if (name := node.get("dataset")) is not None and name not in datasets:
                        raise unknown_dataset(node, "dataset", name, datasets)
                with gather.part():
                    if "population" in node and node is not output.node:
                        specification.population(str(node["population"]), node)
            if check := TEMPLATES[output.template].check:
                with gather.part():
                    check(specification, output)
            with gather.part():
                if output.plan not in sections:
                    problem = f"the analysis plan has no section '{output.plan}'{nearest(output.plan, sections)}"
                    raise complain(output.node, "plan", problem)
    return gather.found


def _mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    """An output and its parts at any depth."""
    if isinstance(node, list):
        for part in node:
            yield from _mappings(part)
    elif isinstance(node, Mapping):
        yield node
        for part in node.values():
            yield from _mappings(part)
