"""The results data as a reporting event of the CDISC Analysis Results Standard 1.0 (ars_ldm), in JSON.

An analysis is what shares one ``analysis`` id in the results data; its treatment, level and subset become groups of the
results. A data subset holds the conditions that all rows of an analysis share; the exact filter of each statistic is in
results.csv and in the Dataset-JSON file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metadata.study import Study
from reports.exchange.ars_subsets import common, where_clause
from reports.exchange.ars_treatments import ArsTreatments
from reports.exchange.json_text import encoded, item_a_line
from reports.results.index import Rows
from reports.results.specification import SUBJECT_LEVEL, Output, ReportSpecification

PLAN = "RefDoc_plan"
LEVEL, SUBSET = "DataGrouping_level", "DataGrouping_subset"
REASON = "SPECIFIED IN SAP"


def reporting_event(
    study: Study, specification: ReportSpecification, results: Mapping[str, Rows], footnotes: Mapping[str, list[str]]
) -> Iterator[str]:
    """Return the reporting event in JSON, piece by piece; ``results`` and ``footnotes`` are by the id of the output."""
    event = _Event(specification, ArsTreatments.of(specification, results))
    contents, outputs, analyses = [], [], []
    for order, output in enumerate(specification.outputs, start=1):
        listed = []
        for name, rows in _analyses(results.get(output.id, [])):
            analysis = event.analysis(output, name, rows)
            listed.append((analysis["name"], analysis["id"]))
            analyses.append(encoded(analysis))
        outputs.append(_output(output, footnotes.get(output.id, [])))
        contents.append(_listed(order, output, listed))
    content = {
        "id": f"RE_{_slug(study.studyid)}",
        "name": f"{study.studyid} reporting event",
        "version": 1,
        "description": study.declared.study.title,
        "mainListOfContents": {"name": "Outputs and analyses", "contentsList": {"listItems": contents}},
        "referenceDocuments": [{"id": PLAN, "name": "Statistical analysis plan", "location": "plan.html"}],
        "analysisSets": _analysis_sets(specification),
        "analysisGroupings": event.treatments.groupings(),
        "dataGroupings": [{"id": LEVEL, "name": "Level", "dataDriven": True},
                          {"id": SUBSET, "name": "Subset", "dataDriven": True}],
        "dataSubsets": list(event.subsets.values()),
        "methods": list(event.methods.values()),
        "analyses": analyses,
        "outputs": outputs,
    }  # fmt: skip
    return item_a_line(content)


@dataclass
class _Event:
    """Methods and data subsets as the analyses ask for them, each once, numbered in their order; and the treatments."""

    specification: ReportSpecification
    treatments: ArsTreatments
    methods: dict[tuple[tuple[str, str, str], ...], dict[str, Any]] = field(default_factory=dict)
    subsets: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    def analysis(self, output: Output, name: str, rows: Rows) -> dict[str, Any]:
        """One analysis with its results."""
        method, population = self._method(rows), str(rows[0]["population"])
        page = {"refType": "NamedDestination", "pageNames": [output.plan]}
        warnings = "; ".join(dict.fromkeys(row["warning"] for row in rows if row["warning"]))
        subset = self._subset(rows, self.specification.file.populations[population].flag)
        return {
            "id": name,
            "name": f"{output.title}: {name.removeprefix('An_')}",
            **({"description": warnings} if warnings else {}),
            "reason": {"controlledTerm": REASON},
            "purpose": {"controlledTerm": output.purpose},
            "documentRefs": [{"referenceDocumentId": PLAN, "pageRefs": [page]}],
            "analysisSetId": _set_id(population),
            **({"dataSubsetId": subset} if subset else {}),
            "dataset": str(rows[0]["dataset"]),
            **({"variable": variable} if (variable := str(rows[0]["analysed"])) else {}),
            "orderedGroupings": self._groupings(output, rows),
            "methodId": method["id"],
            "results": self._results(output, method, rows),
        }

    def _method(self, rows: Rows) -> dict[str, Any]:
        key = tuple(dict.fromkeys((row["statistic"], row["method"], row["format"]) for row in rows))
        if key not in self.methods:
            identifier = f"Mth_{len(self.methods) + 1:03d}"
            operations = [
                {"id": f"{identifier}_{order:02d}_{statistic}", "name": statistic, "label": method, "order": order,
                 "resultPattern": shown} for order, (statistic, method, shown) in enumerate(key, start=1)
            ]  # fmt: skip
            named = ", ".join(dict.fromkeys(method for _, method, _ in key if method))
            self.methods[key] = {"id": identifier, "name": named or identifier, "operations": operations}
        return self.methods[key]

    def _subset(self, rows: Rows, flag: str) -> str:
        """The id of the conditions that all rows share beyond the population's flag; none if there are no such."""
        dataset = str(rows[0]["dataset"])
        shared = common(list(dict.fromkeys(row["filter"] for row in rows)))
        parts = [part for part in shared if part != f"{flag} == 'Y'"]
        if not parts:
            return ""
        key = (dataset, *parts)
        if key not in self.subsets:
            order = len(self.subsets) + 1
            identifier = f"Dss_{order:03d}"
            self.subsets[key] = {"id": identifier, "name": f"{dataset} {identifier}", "label": " and ".join(parts),
                                 "level": 1, "order": order, **where_clause(dataset, parts)}  # fmt: skip
        return str(self.subsets[key]["id"])

    def _groupings(self, output: Output, rows: Rows) -> list[dict[str, Any]]:
        """Treatment first, then those of level and subset that the analysis has."""
        used = list(dict.fromkeys(
            found["groupingId"] for row in rows if (found := self.treatments.group(output, str(row["group"])))
        ))  # fmt: skip
        for grouping, column in ((LEVEL, "level"), (SUBSET, "subset")):
            used += [grouping] if any(row[column] for row in rows) else []
        return [{"order": order, "groupingId": name, "resultsByGroup": True} for order, name in enumerate(used, 1)]

    def _results(self, output: Output, method: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
        operations = {(o["name"], o["label"], o["resultPattern"]): str(o["id"]) for o in method["operations"]}
        return [self._result(output, operations[row["statistic"], row["method"], row["format"]], row) for row in rows]

    def _result(self, output: Output, operation: str, row: Mapping[Any, Any]) -> dict[str, Any]:
        treatment = self.treatments.group(output, str(row["group"]))
        groups = [treatment] if treatment else []
        groups += [{"groupingId": grouping, "groupValue": str(row[column])}
                   for grouping, column in ((LEVEL, "level"), (SUBSET, "subset")) if row[column]]  # fmt: skip
        raw = {} if math.isnan(row["value"]) else {"rawValue": f"{row['value']:.12g}"}
        shown = {"formattedValue": str(row["text"])}
        return {"operationId": operation, **({"resultGroups": groups} if groups else {}), **raw, **shown}


def _analyses(rows: Rows) -> Iterable[tuple[str, Rows]]:
    """The rows of each analysis by its id."""
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(str(row["analysis"]), []).append(row)
    return found.items()


def _analysis_sets(specification: ReportSpecification) -> list[dict[str, Any]]:
    sets = []
    for order, (name, declared) in enumerate(specification.file.populations.items(), start=1):
        flag = {"dataset": SUBJECT_LEVEL, "variable": declared.flag, "comparator": "EQ", "value": ["Y"]}
        sets.append({"id": _set_id(name), "name": name, "label": declared.label, "level": 1, "order": order,
                     "condition": flag})  # fmt: skip
    return sets


def _output(output: Output, footnotes: list[str]) -> dict[str, Any]:
    title = _section(output, "Title", [output.title])
    sections = [title, _section(output, "Footnote", footnotes)] if footnotes else [title]
    display = {"id": f"Disp_{output.id}", "name": output.title, "version": 1, "displayTitle": output.title,
               "displaySections": sections}  # fmt: skip
    file = {"name": f"{output.id}.rtf", "fileType": {"controlledTerm": "rtf"}, "location": f"{output.id}.rtf"}
    return {
        "id": f"Out_{output.id}",
        "name": f"{output.id} {output.title}",
        "version": 1,
        "displays": [{"order": 1, "display": display}],
        "fileSpecifications": [file],
    }


def _section(output: Output, kind: str, texts: list[str]) -> dict[str, Any]:
    parts = [{"order": order, "subSection": {"id": f"Disp_{output.id}_{kind}_{order}", "text": text}}
             for order, text in enumerate(texts, start=1)]  # fmt: skip
    return {"sectionType": kind, "orderedSubSections": parts}


def _listed(order: int, output: Output, analyses: list[tuple[str, str]]) -> dict[str, Any]:
    """The entry of an output, with those of its analyses by name and id."""
    items = [{"level": 2, "order": number, "name": name, "analysisId": identifier}
             for number, (name, identifier) in enumerate(analyses, start=1)]  # fmt: skip
    return {"level": 1, "order": order, "name": f"{output.id} {output.title}", "outputId": f"Out_{output.id}",
            "sublist": {"listItems": items}}  # fmt: skip


def _set_id(population: str) -> str:
    return f"AnalysisSet_{_slug(population)}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
