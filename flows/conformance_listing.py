"""What the conformance rules found, as it is printed: grouped by rule, the most serious first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from flows.stage_summaries import counted

Result = Mapping[str, Any]
STYLES = {"error": "red", "warning": "yellow", "note": "dim"}
EXPLAINED = "explained"
ORDER = ("error", "warning", "note", EXPLAINED)
SHOWN = 5
"""Datasets and variables of a rule that are printed, and first records of each, unless all are asked for."""
INDENT = " " * 14


def print_results(results: Mapping[str, Result | None], everything: bool) -> None:
    """Print each verdict: counts, what was not judged, and the findings by rule; all places with ``everything``."""
    console = Console(highlight=False, soft_wrap=True)
    for result in filter(None, results.values()):
        console.print(_heading(result))
        if result.get("held_to"):
            console.print(Text(f"  held to {result['held_to']}, which the datasets do not name themselves", "dim"))
        if result["counts"].get("not_judged"):
            console.print(_not_judged(result))
        cut = False
        for findings in _groups(result["findings"]):
            console.print(_rule(findings))
            console.print(Text("\n".join(_places(findings, everything)), "dim"))
            cut |= len(findings) > SHOWN
        if cut and not everything:
            console.print(Text("  --all lists every dataset and variable of each rule", "dim"))


def _heading(result: Result) -> Text:
    counts = result["counts"]
    parts = [counted(counts["rules"], "rule"), counted(counts["findings"], "finding")]
    left = counts["unexplained"]
    parts += [f"{counts['explained']} explained", f"{left} not explained" if left else "nothing left to explain"]
    if counts.get("not_judged"):
        parts.append(f"{counted(counts['not_judged'], 'rule')} not judged")
    return Text(f"{result['engine']}, {result['standard']}: {', '.join(parts)}", style="bold")


def _not_judged(result: Result) -> Text:
    """Return which rules were not judged, and what they lack."""
    lacking: dict[str, list[str]] = {}
    for one in result["rules"]:
        if one.get("not_judged"):
            lacking.setdefault(one["not_judged"], []).append(one["rule"])
    return Text("\n".join(f"  not judged without {need}: {', '.join(names)}" for need, names in lacking.items()), "dim")


def _groups(findings: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return the findings of each rule, those of one severity and reason together, by severity, rule and count."""
    found: dict[tuple[int, str, str, str], list[Mapping[str, Any]]] = {}
    for one in findings:
        key = (ORDER.index(_verdict(one)), one["rule"], one["sentence"], one["explained"] or "")
        found.setdefault(key, []).append(one)
    return [sorted(found[key], key=lambda one: -one["records"]) for key in sorted(found)]


def _verdict(finding: Mapping[str, Any]) -> str:
    return EXPLAINED if finding["explained"] else str(finding["severity"])


def _rule(findings: Sequence[Mapping[str, Any]]) -> Text:
    first = findings[0]
    verdict = _verdict(first)
    line = Text(f"  {verdict:<10}", style=STYLES.get(verdict, "green"))
    records = sum(one["records"] for one in findings)
    places = [counted(records, "record")] * bool(records) + [counted(len(findings), "place")]
    count = f"  {' in '.join(places)}" if len(findings) > 1 else ""
    return line.append(f"{first['rule']}{count}  {first['sentence']}", "")


def _places(findings: Sequence[Mapping[str, Any]], everything: bool) -> list[str]:
    """Return the datasets and variables with their counts and first records, or the reason that explains them."""
    shown = findings if everything else findings[:SHOWN]
    lines = []
    for one in shown:
        place = ".".join(filter(None, (one["dataset"], one["variable"])))
        count = counted(one["records"], "record") if one["records"] else "whole dataset"
        lines.append(INDENT + "  ".join(filter(None, (place, count, one["detail"]))))
        keys = [] if one["explained"] else one["keys"]
        few = SHOWN if everything or len(findings) == 1 else 1
        lines += [f"{INDENT}  {key}" for key in keys[:few]]
    if len(findings) > len(shown):
        lines.append(f"{INDENT}and {counted(len(findings) - len(shown), 'place')} more")
    if findings[0]["explained"]:
        lines.append(f"{INDENT}{findings[0]['explained']}")
    return lines
