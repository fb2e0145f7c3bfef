"""Template ``timeline_figure``: what happened to each subject when, a lane a subject, spans and marks in layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np

from metadata.condition import Condition
from metadata.condition_filter import equality
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Limit, Text
from reports.layout.figure import TimelineFigure, TimelineLayer
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT
from reports.results.index import ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import NumberVariable, Output, OutputKeys, SubjectVariable
from reports.statistics.estimate import Estimate
from reports.template_parts.filtered_rows import filtered
from reports.template_parts.treatment_heads import add_size
from reports.templates.profile_figure import names_of

SHOWS_PATIENTS = True


@dataclass(frozen=True)
class DayAxis:
    """The axis of days, or of a unit of so many days."""

    label: Text
    ticks: Annotated[list[float], Entries(2)]
    unit_days: float = 1


@dataclass(frozen=True)
class TimelineLayerKeys:
    """Spans of a first and a last day, or marks of a day, on a track.

    Colours are numbered as in the palette; without ``colour`` a layer has the colour of its own number.
    """

    label: Text
    dataset: Text
    track: Annotated[int, Limit(1, 6)]
    where: Condition | None = None
    start: NumberVariable = ""
    end: NumberVariable = ""
    day: NumberVariable = ""
    mark: Literal["circle", "square", "triangle", "diamond", "stroke"] | None = None
    hollow: bool = False
    colour: Annotated[int, Limit(1, 7)] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("start", "end"), ("day", "mark"))


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """A lane for each subject, with spans and marks."""

    x: DayAxis
    layers: list[TimelineLayerKeys]
    subject: SubjectVariable = "SUBJID"


START, END, DAY, SHOWN = "start", "end", "day", "shown"


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Each day that is drawn is a row: its level is its number in the layer of the subject, its subset the subject."""
    everybody = Group(analysis.specification.total)
    add_size(analysis, output, everybody, builder)
    names = names_of(analysis, output, output.keys_of(Keys).subject, everybody)
    for name in names.values():
        place = ResultPlace(f"lane_{name}", "", SHOWN, "", name)
        builder.add(output, place, SHOWN, Estimate(1.0, "Subject has a lane", 1), COUNT,
                   analysis.select(output, "ADSL", everybody))  # fmt: skip
    for number, layer in enumerate(output.keys_of(Keys).layers, start=1):
        rows = analysis.select(output, layer.dataset, everybody, layer.node, output.population)
        _add_layer(output, builder, number, layer, rows.where(layer.where), names)


def _add_layer(
    output: Output,
    builder: ResultsBuilder,
    number: int,
    layer: TimelineLayerKeys,
    rows: Selection,
    names: Mapping[str, str],
) -> None:
    declared = ((START, layer.start), (END, layer.end), (DAY, layer.day))
    variables = {key: rows.named(name, layer.node, key) for key, name in declared if name}
    for name in list(variables.values())[:1]:
        rows = rows.present(name)
    places = rows.table(SUBJECT).groupby(SUBJECT, sort=False).indices
    columns = {key: rows.column(name).to_numpy(float) for key, name in variables.items()}
    for subject, name in names.items():
        if subject not in places:
            continue
        at = np.asarray(places[subject])
        source = filtered(rows, equality(SUBJECT, subject))
        order = at[np.argsort(next(iter(columns.values()))[at], kind="stable")]
        for count, position in enumerate(order.tolist(), start=1):
            place = ResultPlace(f"layer_{number}_{name}", "", layer.label, str(count), name, line=f"layer {number}")
            for key, values in columns.items():
                builder.add(output, place, key, _day(float(values[position])), COUNT, source)


def _day(value: float) -> Estimate:
    return Estimate(value, "Study day", 1, "" if value == value else "no end is recorded")


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Lanes in the order of the subjects' names, layers in that of the declaration; days in the axis's unit."""
    keys, subjects = output.keys_of(Keys), results.subsets(SHOWN)
    layers = tuple(
        _layer(results, layer, number, subjects, keys.x.unit_days) for number, layer in enumerate(keys.layers, start=1)
    )
    description = f"{output.title}: {len(subjects)} patients, with {', '.join(layer.label for layer in layers)}."
    return OutputLayout(
        figures=[TimelineFigure(keys.x.label, tuple(keys.x.ticks), tuple(subjects), layers, description)]
    )


def _layer(
    results: ResultsIndex, keys: TimelineLayerKeys, number: int, subjects: list[str], unit: float
) -> TimelineLayer:
    lanes = {name: place for place, name in enumerate(subjects)}
    days: dict[tuple[int, int], dict[str, float]] = {}
    for row in results.line(f"layer {number}").rows:
        key = lanes[row["subset"]], int(row["level"])
        days.setdefault(key, {})[row["statistic"]] = float(row["value"]) / unit
    last = _last(results, lanes, unit)
    spans = tuple((lane, found[START], found[END] if found[END] == found[END] else last[lane])
                  for (lane, _), found in days.items() if START in found)  # fmt: skip
    points = tuple((lane, found[DAY]) for (lane, _), found in days.items() if DAY in found)
    return TimelineLayer(keys.label, keys.track, spans, points, keys.mark or "", keys.hollow, keys.colour or number)


def _last(results: ResultsIndex, lanes: Mapping[str, int], unit: float) -> dict[int, float]:
    """The last day of each subject in any layer: a span without an end lasts as long."""
    last: dict[int, float] = {}
    for row in results.every:
        if row["statistic"] in (START, END, DAY) and row["value"] == row["value"]:
            lane = lanes[row["subset"]]
            last[lane] = max(last.get(lane, -math.inf), float(row["value"]) / unit)
    return last
