"""Showing how a whole package, ours or anyone's, fares against the points of which a receiver asks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from flows.stage_summaries import counted

POINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Technical rejection 1734: a trial summary with the study's start", ("dataset.summary", "summary.start")),
    ("Technical rejection 1735: file tags of datasets and define.xml", ("rejection.1735",)),
    ("Technical rejection 1736: dm and adsl, each with a define.xml", ("rejection.1736", "subject.once", "adam.adsl")),
    ("Technical rejection 1789: a study tagging file", ("rejection.1789",)),
    ("Transport files can be read and are named after their datasets", ("file.readable", "file.name")),
    ("Names of variables and datasets", ("dataset.name", "variable.name", "adam.dataset_name", "adam.variable_name")),
    ("Labels", ("label.sound", "dataset.label", "variable.label", "adam.dataset_label", "adam.described")),
    ("Texts: at most 200 printable ASCII characters", ("text.length", "text.ascii", "adam.text")),
    ("Lengths are those of the longest values", ("text.longest",)),
    ("Files of at most 5 GB", ("file.size",)),
    ("Display formats", ("format.allowed", "adam.date_format")),
    ("Dates in ISO 8601", ("date.iso8601", "duration.iso8601", "adam.date_whole")),
    ("Datasets of define.xml are there, and the reverse", ("define.datasets", "dataset.needed")),
    ("Variables and their order", ("define.variables", "variable.order", "variable.metadata", "adam.metadata")),
    ("Records are sorted, keys and numbers unique",
     ("key.sorted", "key.unique", "sequence.unique", "adam.key_sorted", "adam.key_unique", "adam.sequence")),
    ("define.xml agrees with the files", ("define.attributes", "define.origin", "adam.origin")),
    ("define.xml is valid, its links and page references lead somewhere",
     ("define.schema", "define.links", "define.pages")),
    ("Paths", ("package.path",)),
    ("PDF files", ("pdf.sound",)),
    ("The files are those of the manifest", ("file.manifest",)),
)  # fmt: skip
STYLES = {"passed": "green", "failed": "red", "warning": "yellow", "not judged": "dim"}
SHOWN = 5


def show_inspection(folder: Path, define: Path | None, as_json: bool) -> int:
    """Print the points with what was found, and return 1 if one failed."""
    from flows.judging import judge
    from flows.package_study import known_study

    points = inspected(judge(folder, known_study(folder, None), define).result)
    if as_json:
        print(json.dumps({"package": str(folder), "points": points}, indent=2))  # noqa: T201
    else:
        _print(points)
    return int(any(point["verdict"] == "failed" for point in points))


def inspected(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each point with its verdict: passed, warning, failed, or not judged where one of its rules was not."""
    return [_point(name, rules, result) for name, rules in POINTS]


def _point(name: str, rules: tuple[str, ...], result: Mapping[str, Any]) -> dict[str, Any]:
    known = {one["rule"]: one["not_judged"] for one in result["rules"]}
    judged = [rule for rule in rules if rule in known and not known[rule]]
    open_findings = [one for one in result["findings"] if one["rule"] in judged and not one["explained"]]
    severities = {one["severity"] for one in open_findings}
    verdict = "failed" if "error" in severities else "warning" if "warning" in severities else "passed"
    lacking = sorted({known[rule] for rule in rules if known.get(rule)})
    if verdict == "passed" and (lacking or not judged):
        verdict = "not judged"
    shown = [one for one in open_findings if one["severity"] != "note"]
    return {"point": name, "verdict": verdict, "rules": list(rules), "needs": lacking, "found": _by_sentence(shown)}


def _by_sentence(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return each sentence once, before the places that it is true of: datasets and variables, each with its detail."""
    places: dict[str, list[str]] = {}
    for one in findings:
        place = " ".join(filter(None, (one["dataset"], one["variable"])))
        detail = f" ({one['detail'].removesuffix('.')})" if one["detail"] else ""
        places.setdefault(one["sentence"], []).append(f"{place}{detail}")
    return [f"{sentence} {', '.join(dict.fromkeys(named))}".strip() for sentence, named in places.items()]


def _print(points: list[dict[str, Any]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for point in points:
        line = Text(f"{point['verdict']:<11}", style=STYLES[point["verdict"]])
        needs = f" (without {', '.join(point['needs'])})" if point["needs"] else ""
        console.print(line.append(point["point"] + needs, ""))
        for sentence in point["found"][:SHOWN]:
            console.print(Text(f"             {sentence}"))
        if len(point["found"]) > SHOWN:
            console.print(Text(f"             and {len(point['found']) - SHOWN} more", style="dim"))
    failed = sum(point["verdict"] == "failed" for point in points)
    console.print(Text(f"{counted(len(points), 'point')}: {failed} failed", style="bold"))
