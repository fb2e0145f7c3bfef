"""The flow of ``flows.study_release`` as a deployment whose build makes a small package, with a query that is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows import study_release as module
from flows.run_request import RunRequest, RunResult
from flows.study_release import study_release
from tests.release.candidates import small_package

__all__ = ["study_release"]
QUERY = "e98a38564f47,warning,dictionary.range,vs,sys,open\n"


def build(request: RunRequest, steps: Any) -> RunResult:
    """Make the package and note that it was built, of which there is to be one."""
    with Path(request.out).with_suffix(".builds").open("a") as file:
        file.write("built\n")
    small_package(request.out, request.study, queries=QUERY)
    return RunResult(request.study.name, "package", request.out, "abc", "2001-12-31", request.out)


module.build = build
