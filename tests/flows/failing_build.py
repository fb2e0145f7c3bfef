"""The flow of ``flows.study_build`` with a stage that fails, as a deployment: the error is full of patients' values.

Environment: ``FAIL_AT`` is the stage; ``FAIL_AS`` the error's class, or ``unprotected`` for a flow that lets errors
pass as they are and leaves values wherever it can; ``STAGES`` a file that a run writes if no stage fails, and from
which other runs take what the stages before the failing one returned.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
from prefect import get_run_logger, task
from prefect.artifacts import create_markdown_artifact

from flows import study_build as module
from flows.study_build import study_build
from tests.flows.planted_errors import ERRORS, PLANTED

__all__ = ["study_build"]
FAIL_AT, FAIL_AS, STAGES = (os.environ.get(name, "") for name in ("FAIL_AT", "FAIL_AS", "STAGES"))


class FailingSteps(module.TaskSteps):
    """Runs the stages as tasks until one fails."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self._made: dict[str, Any] = {}
        if FAIL_AT and Path(STAGES).is_file():
            self._made = cloudpickle.loads(Path(STAGES).read_bytes())

    def __call__(self, name: str, function: Callable[..., Any], *values: Any, **options: Any) -> Any:
        """Run one stage, or return what it returned in a run that came to its end."""
        if name == FAIL_AT and FAIL_AS == "unprotected":
            leak(PLANTED)
        if name == FAIL_AT:
            return super().__call__(name, fail, *values, **options)
        made = self._made.pop(name, None)
        result = super().__call__(name, function if made is None else lambda *_: made, *values, **options)
        if not FAIL_AT:
            self._made[name] = result
        return result

    def finish(self) -> None:
        """Keep what the stages returned, in the order of the stages."""
        super().finish()
        Path(STAGES).write_bytes(cloudpickle.dumps(self._made))


def fail(*values: Any) -> None:
    """Raise an error whose text, notes, attributes and cause hold values."""
    text = f"{PLANTED} {values!r}"
    error = ERRORS[FAIL_AS](text)
    error.add_note(text)
    error.patient = text  # type: ignore[attr-defined]
    raise error from ValueError(text)


def leak(text: str) -> None:
    """Leave values in each place that Prefect keeps: a log, an artifact, and the result of a task."""
    get_run_logger().info(text)
    create_markdown_artifact(text, "leak")
    task(name="leak", persist_result=True)(lambda: text)()


module.TaskSteps = FailingSteps  # type: ignore[misc]
if FAIL_AS == "unprotected":
    module.neutral = lambda function, *values: function(*values)  # type: ignore[assignment]
