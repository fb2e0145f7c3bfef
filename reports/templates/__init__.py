"""The closed set of output templates that ``reports.yaml`` may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reports.analysis import Analysis
from reports.book import Book
from reports.ledger import Ledger
from reports.specification import Output, TemplateParameters
from reports.table import Layout
from reports.templates import (
    between_groups,
    by_visit,
    criterion_incidence,
    grade_shift,
    incidence,
    listing,
    mean_figure,
    mixed_summary,
    profile_figure,
    published_statements,
    rates_by_period,
    subject_counts,
    time_to_event,
    timeline_figure,
)


@dataclass(frozen=True)
class Template:
    """What an output's declaration may say, what is computed from it, and how the results are laid out.

    ``show`` lays out the datasets' own records instead of results: listings alone have it.
    """

    parameters: TemplateParameters
    compute: Callable[[Analysis, Output, Ledger], None]
    layout: Callable[[Output, Book], Layout]
    show: Callable[[Analysis, Output], Layout] | None = None


MODULES = (
    between_groups, by_visit, criterion_incidence, grade_shift, incidence, listing, mean_figure, mixed_summary,
    profile_figure, published_statements, rates_by_period, subject_counts, time_to_event, timeline_figure,
)  # fmt: skip
TEMPLATES: Mapping[str, Template] = {
    module.__name__.rpartition(".")[2]: Template(
        module.PARAMETERS, module.compute, module.layout, getattr(module, "show", None)
    )
    for module in MODULES
}
PARAMETERS: Mapping[str, TemplateParameters] = {name: template.parameters for name, template in TEMPLATES.items()}
