"""The acceptance of the final datasets by Great Expectations, once a build; the same result from run to run."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from metadata.condition import EVERY_ROW
from metadata.dataset import Dataset
from metadata.study import Study
from metadata.terminology import Terminology
from validation.acceptance.frames import frames_of
from validation.acceptance.library import Library, great_expectations
from validation.acceptance.rules import METADATA, VOCABULARY, Expectation, arguments, declared_rules, metadata_rules
from validation.pages.page import write_study_page

SHOWN_VALUES = 5
NOT_MADE: dict[str, Any] = {"success": False, "observed": "the dataset was not made"}
NO_ROW: dict[str, Any] = {"success": False, "observed": "no row is looked at"}
OF_ALL_VALUES = ("mean_between", "median_between")
"""Kinds of expectation about one number of all values, which Great Expectations does not find where there are none."""


def accept(
    study: Study,
    datasets: Mapping[str, Dataset],
    terminology: Terminology | None = None,
    records: int | None = None,
) -> dict[str, Any]:
    """Judge the final datasets and return the result as plain data without times and run ids.

    ``records`` is the number of records in the snapshot: what is declared of another number is not judged (without it
    all is judged). Keys: success, expectations, met, not_judged, great_expectations (its version) and datasets, a list
    of {dataset, rows, expectations: [{sentence, source, expectation, where, met, observed, unexpected_count,
    unexpected}]}; ``met`` is None if it was not judged. Great Expectations is imported here and sends nothing out.
    """
    rules = [rule for dataset in datasets.values() for rule in metadata_rules(dataset, terminology)]
    rules += declared_rules(study, datasets)
    order = [*datasets, *dict.fromkeys(rule.dataset for rule in rules if rule.dataset not in datasets)]
    rules.sort(key=lambda rule: (order.index(rule.dataset), rule.where != EVERY_ROW, _declared_where(rule)))
    left = [rule for rule in rules if not _is_judged(rule, records)]
    judged = _judged([rule for rule in rules if _is_judged(rule, records)], datasets, terminology)
    judged += [(rule, _not_judged(rule, records)) for rule in left]
    made = []
    for name in order:
        found = [entry for rule, entry in judged if rule.dataset == name]
        rows = len(datasets[name].frame) if name in datasets else 0
        made.append({"dataset": name, "rows": rows, "expectations": found})
    met = sum(bool(entry["met"]) for _, entry in judged)
    counts = {"success": met + len(left) == len(judged), "expectations": len(judged), "met": met}
    counts["not_judged"] = len(left)
    return {**counts, "great_expectations": str(great_expectations().__version__), "datasets": made}


def load_library() -> None:
    """Make Great Expectations ready, which takes seconds, before there is anything to accept."""
    Library()


def _judged(
    rules: Sequence[Expectation], datasets: Mapping[str, Dataset], terminology: Terminology | None
) -> list[tuple[Expectation, dict[str, Any]]]:
    """Return each rule with its result; neighbouring rules that look at the same rows are judged together."""
    library = Library()
    judged: list[tuple[Expectation, dict[str, Any]]] = []
    for (name, _), part in groupby(rules, key=lambda rule: (rule.dataset, _declared_where(rule))):
        same = list(part)
        if name not in datasets:
            judged += [(rule, _entry(rule, NOT_MADE)) for rule in same]
            continue
        for looked_at, frame, rows in frames_of(datasets[name], same):
            wanted = [(VOCABULARY[rule.kind].expectation, arguments(rule, datasets, terminology)) for rule in looked_at]
            outcomes = map(_outcome, library.judge(frame, wanted))
            for rule, outcome in zip(looked_at, outcomes, strict=True):
                judged.append((rule, _entry(rule, outcome if rows else _of_no_row(rule, outcome))))
    return judged


def _declared_where(rule: Expectation) -> str:
    return str(rule.declared_where)


def _of_no_row(rule: Expectation, outcome: dict[str, Any]) -> dict[str, Any]:
    """Return the outcome of a rule that looks at no row: not met, unless the rule says that it may be so."""
    if not rule.may_be_empty:
        return NO_ROW
    return {**NO_ROW, "success": True} if rule.kind in OF_ALL_VALUES else outcome


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    """Return what matters of one result: success, observed value, unexpected values."""
    details = result.get("result") or {}
    observed = details.get("observed_value")
    raised = (result.get("exception_info") or {}).get("exception_message")
    return {
        "success": result["success"],
        "observed": _plain(f"could not be judged: {raised}" if raised else observed),
        "unexpected_count": int(details.get("unexpected_count") or 0),
        "unexpected": [_plain(value) for value in details.get("partial_unexpected_list", [])][:SHOWN_VALUES],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else (int(value) if value.is_integer() else round(value, 6))
    return value if isinstance(value, str | int | bool | list | dict) or value is None else str(value)


def _is_judged(rule: Expectation, records: int | None) -> bool:
    return records is None or rule.of_records in (None, records)


def _not_judged(rule: Expectation, records: int | None) -> dict[str, Any]:
    reason = f"not judged: it is declared of {rule.of_records:,} records, and the snapshot has {records:,}"
    return {**_declared(rule), "met": None, "observed": reason}


def _entry(rule: Expectation, outcome: dict[str, Any]) -> dict[str, Any]:
    observed = None if rule.kind == "columns" and outcome["success"] else outcome.get("observed")
    found = {key: outcome.get(key) for key in ("unexpected_count", "unexpected") if outcome.get(key)}
    return {**_declared(rule), "met": bool(outcome["success"]), "observed": observed, **found}


def _declared(rule: Expectation) -> dict[str, Any]:
    declared = {"sentence": rule.sentence, "source": rule.source, "expectation": VOCABULARY[rule.kind].expectation}
    return {**declared, "where": rule.declared_where}


def write_json(result: Mapping[str, Any], path: Path) -> None:
    """Write the result as JSON."""
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _folded(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dataset's expectations in two parts: those to be seen, and those of the metadata that are met."""
    quiet = [entry for entry in dataset["expectations"] if entry["met"] and entry["source"] == METADATA]
    shown = [entry for entry in dataset["expectations"] if entry not in quiet]
    return {"name": dataset["dataset"], "rows": dataset["rows"], "shown": shown, "folded": quiet}


def write_page(study: Study, result: Mapping[str, Any], path: Path, date: str = "") -> None:
    """Write the result as one self-contained page; ``date`` is the snapshot's."""
    left = int(result["not_judged"])
    failed = int(result["expectations"]) - int(result["met"]) - left
    cards = [
        {"name": "passed", "label": "expectations met", "count": result["met"]},
        {"name": "failed" if failed else "note", "label": "not met", "count": failed},
        *([{"name": "warning", "label": "not judged", "count": left}] if left else []),
    ]
    datasets = [_folded(dataset) for dataset in result["datasets"]]
    write_study_page(study, "acceptance", path, date, result=result, datasets=datasets, cards=cards)
