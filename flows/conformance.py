"""Conformance: our rules in every build, and the user's CDISC CORE over a package or a folder of transport files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from flows.conformance_listing import Result, print_results
from flows.package_study import known_study, study_of
from metadata.dataset import Dataset
from metadata.errors import UsageError
from metadata.study import Study
from metadata.terminology import Terminology

SDTM = "m5/datasets/*/tabulations/sdtm"


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
    folder: Path,
    core: str | None,
    study: str | None,
    define: Path | None,
    out: Path | None,
    as_json: bool,
    everything: bool,
) -> int:
    """Judge the datasets that lie in a folder, and by CORE if it is asked for; print both.

    Return 1 if an error of ours, or anything that CORE found, is not explained. With ``out`` the result is also written
    there, as JSON and as a page. ``everything`` prints each dataset and variable of a rule.
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
        results["core"] = _core(folder, core, study_of(folder, study), define, out or _report_folder(folder))
    left = _errors(verdict.result) + (int(results["core"]["counts"]["unexplained"]) if results["core"] else 0)
    if as_json:
        print(json.dumps({**results, "unexplained": left}, indent=2))  # noqa: T201
    else:
        print_results(results, everything)
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
