"""The treatment columns of the outputs as analysis groupings of CDISC ARS: one for each variable that makes columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.results.index import Rows
from reports.results.specification import SUBJECT_LEVEL, Output, ReportSpecification


@dataclass(frozen=True)
class ArsTreatments:
    """The columns of each variable in their order, label and value; all subjects together are not a group."""

    specification: ReportSpecification
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, specification: ReportSpecification, results: Mapping[str, Rows]) -> ArsTreatments:
        """Those that the results of the outputs have."""
        found = cls(specification)
        for output in specification.outputs:
            if by := specification.by(output):
                labels = {specification.untreated(by): ""}
                labels |= {label: value for value, label in specification.column_labels(output).items()}
                known = found.columns.setdefault(by, {})
                for label in dict.fromkeys(str(row["group"]) for row in results.get(output.id, [])):
                    if label not in ("", specification.total):
                        known.setdefault(label, labels.get(label, label))
        return found

    def groupings(self) -> list[dict[str, Any]]:
        """One a variable, with a group for each of its columns."""
        return [
            {"id": _grouping(by), "name": by, "dataDriven": False, "groupingDataset": SUBJECT_LEVEL,
             "groupingVariable": by, "groups": [
                 {"id": _group(by, order), "name": label, "level": 1, "order": order,
                  "condition": {"dataset": SUBJECT_LEVEL, "variable": by, "comparator": "EQ", "value": [value]}}
                 for order, (label, value) in enumerate(known.items(), start=1)
             ]}
            for by, known in self.columns.items()
        ]  # fmt: skip

    def group(self, output: Output, label: str) -> dict[str, str]:
        """The group of a result in a column; empty for all subjects together."""
        by = self.specification.by(output)
        places = list(self.columns.get(by, {}))
        return {"groupingId": _grouping(by), "groupId": _group(by, places.index(label) + 1)} if label in places else {}


def _grouping(by: str) -> str:
    return f"AnlsGrouping_{re.sub('[^A-Za-z0-9]+', '_', by)}"


def _group(by: str, order: int) -> str:
    return f"{_grouping(by)}_{order:02d}"
