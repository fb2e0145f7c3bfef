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
from reports.html.plan import read_plan
from reports.results.named_variables import named_in
from reports.results.specification import FILE, SUBJECT_LEVEL, read_specification
from reports.templates import KEYS


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
            for node in _with_dataset(output.node):
                with gather.part():
                    if (name := str(node["dataset"])) not in datasets:
                        raise unknown_dataset(node, "dataset", name, datasets)
            with gather.part():
                if output.plan not in sections:
                    problem = f"the analysis plan has no section '{output.plan}'{nearest(output.plan, sections)}"
                    raise complain(output.node, "plan", problem)
    return gather.found


def _with_dataset(node: Any) -> Iterator[Mapping[str, Any]]:
    """Each part of an output that names a dataset, at any depth."""
    if isinstance(node, list):
        for part in node:
            yield from _with_dataset(part)
    elif isinstance(node, Mapping):
        if "dataset" in node:
            yield node
        for part in node.values():
            yield from _with_dataset(part)
