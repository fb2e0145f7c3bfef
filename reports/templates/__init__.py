"""The output templates that ``reports.yaml`` can use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from metadata.registration import load_modules
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData
from reports.results.builder import ResultsBuilder
from reports.results.index import ResultsIndex
from reports.results.specification import Output, OutputKeys, ReportSpecification


@dataclass(frozen=True)
class Template:
    """What an output's declaration may say, what is computed from it, and how the results are laid out.

    ``check`` raises StudyError for keys that do not fit one another, before any data. ``show`` lays out the datasets'
    own records instead of results: listings alone have it. ``patients`` says that its output shows single patients.
    """

    keys: type[OutputKeys]
    compute: Callable[[AnalysisData, Output, ResultsBuilder], None]
    layout: Callable[[Output, ResultsIndex], OutputLayout]
    check: Callable[[ReportSpecification, Output], None] | None = None
    show: Callable[[AnalysisData, Output], OutputLayout] | None = None
    patients: bool = False


TEMPLATES: Mapping[str, Template] = {
    module.__name__.rpartition(".")[2]: Template(
        module.Keys,
        module.compute,
        module.layout,
        getattr(module, "check", None),
        getattr(module, "show", None),
        getattr(module, "SHOWS_PATIENTS", False),
    )
    for module in load_modules(sys.modules[__name__])
}
KEYS: Mapping[str, type[OutputKeys]] = {name: template.keys for name, template in TEMPLATES.items()}
"""What an output of each template may say."""
