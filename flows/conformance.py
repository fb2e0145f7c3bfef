"""Conformance: our rules in every build, and the user's CDISC CORE over a package or a folder of transport files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from flows.stage_summaries import counted
from metadata.dataset import Dataset
from metadata.errors import UsageError
from metadata.study import Study
from metadata.terminology import Terminology

Result = Mapping[str, Any]
SDTM = "m5/datasets/*/tabulations/sdtm"
STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


def check_conformance(
    study: Study,
    sdtm: Mapping[str, Dataset],
    adam: Mapping[str, Dataset],
    terminology: Terminology,
    folder: Path,
    date: str,
) -> dict[str, int]:
    """Judge the final datasets by our rules, write the result as JSON and as a page, and return the counts.

    The counts are rules, findings, explained, unexplained, and errors: those of the unexplained that are errors.
    ``adam`` is empty in a build that ends before the analysis datasets, which are then not judged.
    """
    from validation.conformance.check import conformance, write_json
    from validation.conformance.page import write_page

    result = conformance(study, sdtm, terminology, adam or None)
    write_json(result, folder / "conformance.json")
    write_page(study, result, folder / "conformance.html", date)
    errors = sum(one["severity"] == "error" and not one["explained"] for one in result["findings"])
    return {**result["counts"], "errors": errors}


def show_conformance(
    folder: Path, core: str | None, study: str | None, define: Path | None, out: Path | None, as_json: bool
) -> int:
    """Judge the datasets that lie in a folder, and by CORE if it is asked for; print both.

    Return 1 if an error of ours, or anything that CORE found, is not explained. With ``out`` the result is also written
    there, as JSON and as a page.
    """
    from flows.judging import judge

    if core:
        sdtm_folder(folder)
    _refuse_inside(folder, out)
    verdict = judge(folder, known_study(folder, study), define)
    results: dict[str, Result | None] = {"ours": verdict.result, "core": None}
    if out and not core:
        _write(verdict.study, verdict.result, out)
    if core:
        results["core"] = _core(folder, core, _study(folder, study), define, out or _report_folder(folder))
    left = _errors(verdict.result) + (int(results["core"]["counts"]["unexplained"]) if results["core"] else 0)
    if as_json:
        print(json.dumps({**results, "unexplained": left}, indent=2))  # noqa: T201
    else:
        _print(results)
    return int(left > 0)


def _errors(result: Result) -> int:
    """Return how many errors are not explained."""
    return sum(one["severity"] == "error" and not one["explained"] for one in result["findings"])


def _write(study: Study, result: Result, out: Path) -> None:
    from validation.conformance.check import write_json
    from validation.conformance.page import write_page

    write_json(result, out / "conformance.json")
    write_page(study, result, out / "conformance.html")


def _refuse_inside(folder: Path, out: Path | None) -> None:
    if out is not None and out.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"--out {out} lies in {folder}: a report does not belong in the package that it judges")


def known_study(folder: Path, name: str | None) -> Study | None:
    """Return the study that is named, or the bundled one whose package it is, or None: the package is others'."""
    return Study.open(name) if name else _bundled(folder)


def _core(folder: Path, command: str, study: Study, define: Path | None, out: Path) -> Result:
    """Run CORE, and write its report and ours about it into the folder ``core`` of ``out``."""
    from validation.conformance.core import core_result, run_core

    datasets = sdtm_folder(folder)
    define = define or next(iter(datasets.glob("define.xml")), None)
    if define is not None and not define.is_file():
        raise UsageError(f"--define {define}: the file does not exist")
    absolute = define.resolve() if define else None
    report = run_core(command, study.standards["sdtmig"], datasets.resolve(), absolute, out.absolute() / "core.json")
    result = core_result(study, report, define is not None)
    _write(study, result, out)
    return result


def sdtm_folder(folder: Path) -> Path:
    """Return the folder of the SDTM transport files: that of a package, or the folder itself; raises UsageError."""
    for found in [*sorted(folder.glob(SDTM)), folder]:
        if any(found.glob("*.xpt")):
            return found
    raise UsageError(f"{folder} is neither a package nor a folder of transport files (*.xpt)")


def _report_folder(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.core" if folder.name else folder.absolute().with_suffix(".core")


def _study(folder: Path, name: str | None) -> Study:
    """Return the study that is named, or the bundled one whose package it is."""
    found = known_study(folder, name)
    if found is None:
        raise UsageError("which study is it? Name it, or give its folder, with --study")
    return found


def _bundled(folder: Path) -> Study | None:
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return None
    try:
        studyid = json.loads(manifest.read_text(encoding="utf-8"))["study"]
    except (ValueError, KeyError, TypeError):
        return None  # another software's
    return next((study for study in map(Study.open, Study.bundled()) if study.studyid == studyid), None)


def _print(results: Mapping[str, Result | None]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for result in filter(None, results.values()):
        console.print(_heading(result))
        if result.get("held_to"):
            console.print(Text(f"  held to {result['held_to']}, which the datasets do not name themselves", "dim"))
        if result["counts"].get("not_judged"):
            console.print(_not_judged(result))
        for finding in sorted(result["findings"], key=lambda one: bool(one["explained"])):
            console.print(_lines(finding))


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


def _lines(finding: Mapping[str, Any]) -> Text:
    severity = "explained" if finding["explained"] else finding["severity"]
    place = ".".join(filter(None, (finding["dataset"], finding["variable"])))
    count = counted(finding["records"], "record") if finding["records"] else "whole dataset"
    line = Text(f"  {severity:<10}", style=STYLES.get(severity, "green"))
    said = f"{finding['sentence']} {finding['detail']}".rstrip()
    line.append(f"{finding['rule']}  {place}  {count}  {said}", "")
    for more in [finding["explained"]] if finding["explained"] else finding["keys"]:
        line.append(f"\n            {more}", "dim")
    return line
