"""Great Expectations, imported when there is something to judge; it prints nothing and sends nothing out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FORMAT = {"result_format": "BASIC"}


def great_expectations() -> Any:
    """Return the library, with its analytics off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("DO_NOT_TRACK", "1")
    import great_expectations

    return great_expectations


class Library:
    """Judges frames, each by a list of expectations."""

    def __init__(self) -> None:
        library = great_expectations()
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._expectations = library.expectations
        self._context = library.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)

    def judge(self, frame: pd.DataFrame, wanted: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Return the result of each expectation (its name and arguments), in the order given.

        What several expectations need is computed once. The way by data sources and suites calls the same validator,
        but hashes the whole frame and serialises the library's own configuration for each suite.
        """
        from great_expectations.core.batch import Batch
        from great_expectations.execution_engine import PandasExecutionEngine
        from great_expectations.validator.validator import Validator

        data: Any = frame  # the annotation of Batch names classes, not what it takes
        validator = Validator(PandasExecutionEngine(), data_context=self._context, batches=[Batch(data=data)])
        asked = [
            getattr(self._expectations, name)(**arguments, meta={"number": number}).configuration
            for number, (name, arguments) in enumerate(wanted)
        ]
        results: list[Any] = validator.graph_validate(asked, runtime_configuration=FORMAT)
        numbered = {result.expectation_config.meta["number"]: result for result in results}  # the order may change
        return [dict(numbered[number].to_json_dict()) for number in range(len(asked))]
