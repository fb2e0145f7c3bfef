"""Template ``profile_figure``: each subject's values over time, with the median at the visits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from metadata.condition import Condition
from metadata.condition_filter import equality
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Text
from metadata.yaml_source import complain
from reports.layout.figure import ProfileFigure, ProfileLine, ShadedBand
from reports.layout.table import OutputLayout
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import pattern
from reports.results.index import LineResults, ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import SUBJECT_LEVEL, Decimals, NumberVariable, Output, OutputKeys, SubjectVariable
from reports.statistics.descriptive import describe
from reports.statistics.estimate import Estimate
from reports.template_parts.filtered_rows import FilteredRows, filtered
from reports.template_parts.treatment_heads import add_size

SHOWS_PATIENTS = True


@dataclass(frozen=True)
class FigureAxis:
    """An axis: its variable, its label and its ticks."""

    variable: NumberVariable
    label: Text
    ticks: Annotated[list[float], Entries(2)]
    unit_days: float = 1
    limits: Annotated[list[float], Entries(2, 2)] | None = None
    scale: Literal["linear", "log"] = "linear"
    node: Place = field(default=None, compare=False, repr=False)

    def place(self, value: float) -> float:
        """The place of a value; raises StudyError for one that a logarithmic axis cannot show."""
        if self.scale != "log":
            return value
        if value <= 0:
            raise complain(self.node, "scale", f"a logarithmic axis has no place for {value:g}")
        return math.log10(value)


@dataclass(frozen=True)
class HollowValues:
    """Values that are drawn hollow, such as those below a limit, and what the legend says of them."""

    where: Condition
    label: Text


@dataclass(frozen=True)
class DefinedValues:
    """Records that have their value by definition, such as no change at baseline."""

    where: Condition
    value: float


@dataclass(frozen=True)
class MedianLine:
    """The records of the medians, and the places of the visits on the axis."""

    visits: dict[str, float]
    where: Condition | None = None


@dataclass(frozen=True)
class BandKeys:
    """A band of values."""

    label: Text
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Each subject's values over time, with the median at visits."""

    dataset: Text
    x: FigureAxis
    y: FigureAxis
    median: MedianLine
    where: Condition | None = None
    subject: SubjectVariable = "SUBJID"
    decimals: Decimals = 0
    bands: Annotated[list[BandKeys], Entries(0)] | None = None
    reference: Annotated[list[BandKeys], Entries(0)] | None = None
    set_apart: float = 0
    hollow: HollowValues | None = None
    origin: DefinedValues | None = None

    def implied(self) -> Iterable[str]:
        """The visit of the medians."""
        return ("AVISIT",)


OBSERVED, MEDIAN_LABEL, PROFILES = "value", "Median", "profiles"
VALUE, BELOW, DEFINED = "Observed value", "Observed value, drawn hollow", "Value by definition"


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Each observed value is a row (subset the subject, level the study day), and so is each visit's median."""
    keys, y = output.keys_of(Keys), output.keys_of(Keys).y.variable
    everybody = Group(analysis.specification.total)
    add_size(analysis, output, everybody, builder)
    rows = analysis.select(output, keys.dataset, everybody).where(keys.where).present(keys.x.variable)
    names = names_of(analysis, output, keys.subject, everybody)
    points: dict[tuple[str, float], int] = {}
    for name, (day, value, method), source in _points(keys, rows, names):
        point = points[name, day] = points.get((name, day), 0) + 1
        place = ResultPlace(f"course_{name}", "", y, f"{day:g}", name, line=PROFILES, point=point)
        builder.add(output, place, OBSERVED, Estimate(value, method, 1), pattern(keys.decimals), source)
    rows = rows.present(y)
    for visit in keys.median.visits:
        chosen = rows.where(keys.median.where).equal("AVISIT", visit)
        place = ResultPlace(f"median_{visit}", "", y, visit, MEDIAN_LABEL)
        median = describe(chosen.column(y))["median"]
        builder.add(output, place, "median", median, pattern(keys.decimals + 1), chosen)


def names_of(analysis: AnalysisData, output: Output, name: str, everybody: Group) -> dict[str, str]:
    """What each subject of the population is called by the variable ``name``, in the order of the names.

    Raises StudyError if two are called the same: their profiles would be one.
    """
    subjects = analysis.select(output, SUBJECT_LEVEL, everybody)
    found = dict(zip(subjects.column("USUBJID"), subjects.column(name), strict=True))
    if len(set(found.values())) < len(found):
        raise complain(
            output.node, "subject" if "subject" in output.node else "id", f"{name} is not unique; take USUBJID"
        )
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _points(
    keys: Keys, rows: Selection, names: Mapping[str, str]
) -> Iterator[tuple[str, tuple[float, float, str], FilteredRows]]:
    """Each point by subject and day: its name, (day, value, method), and the rows it is among."""
    x, y = keys.x.variable, keys.y.variable
    parts = [(rows.present(y), VALUE)]
    if keys.hollow:
        parts.append((rows.present(y).where(keys.hollow.where), BELOW))
    table: dict[tuple[str, float, int], tuple[float, str]] = {}
    for part, method in parts:
        table |= {key: (value, method) for key, value in _values(part, x, y)}
    if keys.origin:
        origin = keys.origin.value
        table |= {key: (origin, DEFINED) for key, _ in _values(rows.where(keys.origin.where), x, x)}
    shown = rows if keys.origin else rows.present(y)
    points: dict[str, list[tuple[tuple[float, int], tuple[float, str]]]] = {}
    for (subject, day, place), point in table.items():
        points.setdefault(subject, []).append(((day, place), point))
    for subject, name in names.items():
        own = sorted(points.get(subject, []))
        if all(method == DEFINED for _, (_, method) in own):
            continue  # nothing was observed
        source = filtered(shown, equality(SUBJECT, subject))
        for (day, _), (value, method) in own:
            yield name, (day, value, method), source


def _values(rows: Selection, x: str, y: str) -> list[tuple[tuple[str, float, int], float]]:
    """Values by subject, day and place in the dataset: two of a day are both drawn."""
    places = range(rows.size) if rows.positions is None else rows.positions.tolist()
    columns = (rows.column(name).tolist() for name in (SUBJECT, x, y))
    return [((subject, day, place), float(value)) for (subject, day, value), place in
            zip(zip(*columns, strict=True), places, strict=True)]  # fmt: skip


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Lines in the order of the subjects' names; x in the axis's unit."""
    keys, y = output.keys_of(Keys), output.keys_of(Keys).y.variable
    profiles = results.line(PROFILES)
    names = profiles.subsets(y)
    lines = tuple(_line(profiles, keys, name, _offset(keys.set_apart, i, len(names))) for i, name in enumerate(names))
    points = [(x, results.row(y, visit, "", "median", MEDIAN_LABEL)) for visit, x in keys.median.visits.items()]
    known = [
        (x, keys.y.place(float(row["value"]))) for x, row in points if row is not None and row["value"] == row["value"]
    ]
    median = ProfileLine(MEDIAN_LABEL, tuple(x for x, _ in known), tuple(value for _, value in known))
    return OutputLayout(figures=[_figure(keys, lines, median)])


def _offset(apart: float, position: int, count: int) -> float:
    """Equal profiles are shifted apart by a declared amount, evenly about their value."""
    return apart * (2 * position / (count - 1) - 1) if count > 1 else 0.0


def _line(results: LineResults, keys: Keys, name: str, offset: float) -> ProfileLine:
    rows = results.rows_of(keys.y.variable, name)
    x = tuple(float(row["level"]) / keys.x.unit_days for row in rows)
    hollow = tuple(row["method"] == BELOW for row in rows)
    return ProfileLine(name, x, tuple(keys.y.place(float(row["value"])) + offset for row in rows), hollow)


def _figure(keys: Keys, lines: tuple[ProfileLine, ...], median: ProfileLine) -> ProfileFigure:
    x, y = keys.x, keys.y
    low, high = map(y.place, y.limits or (y.ticks[0], y.ticks[-1]))
    return ProfileFigure(
        x_label=x.label, y_label=y.label, lines=lines, median=median,
        x_ticks=tuple(x.ticks), y_limits=(low, high), y_ticks=tuple(map(y.place, y.ticks)),
        y_names=tuple(f"{tick:g}" for tick in y.ticks), hollow=keys.hollow.label if keys.hollow else "",
        bands=_bands(keys.bands, y), reference=_bands(keys.reference, y),
        description=f"{keys.title}: {y.label} of {len(lines)} patients by {x.label.lower()}, with the median.",
    )  # fmt: skip


def _bands(bands: Sequence[BandKeys] | None, axis: FigureAxis) -> tuple[ShadedBand, ...]:
    return tuple(ShadedBand(band.label, axis.place(band.low), axis.place(band.high)) for band in bands or ())
