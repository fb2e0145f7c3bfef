"""Template ``listing``: declared columns of the records themselves, sorted, in one or several parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from metadata.condition import Condition
from metadata.declaration import Place, key_of
from metadata.declaration_limits import Text
from metadata.errors import nearest
from metadata.yaml_source import complain
from reports.layout.table import Listing, OutputLayout, TableColumn
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT
from reports.results.index import ResultsIndex
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import (
    SUBJECT_LEVEL,
    Decimals,
    Labels,
    ListedVariable,
    Output,
    OutputKeys,
    ReportSpecification,
    TextsOf,
)
from reports.results.supplemental_values import SupplementalValues
from reports.statistics.estimate import Estimate
from reports.statistics.rounding import rounded_text
from reports.template_parts.treatment_heads import add_size

if TYPE_CHECKING:
    import pandas as pd

Names = ListedVariable | list[ListedVariable]
"""One variable, or several that are joined in one column."""

SHOWS_PATIENTS = True


@dataclass(frozen=True, kw_only=True)
class ShownColumn:
    """How a column is shown."""

    label: Text
    show: Literal["text", "sentence", "number", "date", "time"] | None = None
    decimals: Decimals | None = None
    labels: Labels | None = None
    node: Place = field(default=None, compare=False, repr=False)

    @property
    def kind(self) -> str:
        """How its values are shown."""
        return self.show or ("text" if self.decimals is None else "number")


@dataclass(frozen=True, kw_only=True)
class ListedColumn(ShownColumn):
    """A column of the records."""

    variable: Names

    def texts_of(self) -> TextsOf:
        """The values that have labels."""
        return [("labels", self.variable if isinstance(self.variable, str) else "", self.labels)]


@dataclass(frozen=True, kw_only=True)
class SpreadColumn(ShownColumn):
    """A column that takes the value of the record that ``where`` finds."""

    where: Condition
    variable: Names | None = None


@dataclass(frozen=True)
class SpreadRecords:
    """Records of several tests become columns of one line."""

    variable: Names
    columns: list[SpreadColumn]
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PageValue:
    """The variable with one listing for each of its values."""

    variable: ListedVariable
    label: Text
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class ListingPart:
    """One listing of several: its records, columns, order, and leading columns that are printed where they change."""

    caption: Text
    dataset: Text
    list_: list[ListedColumn]
    order: list[ListedVariable]
    where: Condition | None = None
    across: SpreadRecords | None = None
    by: list[ListedVariable] | None = None
    page_by: PageValue | None = None
    empty: Text = "No subject has a record that meets the criteria of this listing."
    node: Place = field(default=None, compare=False, repr=False)

    @property
    def columns(self) -> list[ShownColumn]:
        """All columns, those of spread records last."""
        return [*self.list_, *(self.across.columns if self.across else ())]


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Records in declared columns, in one listing or in ``parts``."""

    dataset: Text = ""
    list_: list[ListedColumn] | None = None
    order: list[ListedVariable] | None = None
    where: Condition | None = None
    across: SpreadRecords | None = None
    by: list[ListedVariable] | None = None
    page_by: PageValue | None = None
    empty: Text = ""
    parts: list[ListingPart] | None = None

    any_of: ClassVar[tuple[tuple[str, ...], ...]] = (("parts",), ("dataset", "list", "order"))


OF_A_PART = {key_of(one.name): one.name for one in fields(ListingPart) if one.name not in ("caption", "node")}
"""The keys of one listing, each with the field that holds it."""


# SAS counts days and seconds from here.
EPOCH = np.datetime64("1960-01-01")


def check(_: ReportSpecification, output: Output) -> None:
    """Keys of a part are in the parts, which group by their first columns."""
    if output.keys_of(Keys).parts and (misplaced := [name for name in output.node if name in OF_A_PART]):
        raise complain(output.node, misplaced[0], "a listing in parts has this key in each of its parts")
    for part in _parts(output):
        names = part.by or []
        leading = [column.variable for column in part.list_[: len(names)]]
        if names != leading:
            shown = ", ".join(map(str, leading))
            raise complain(part.node, "by", f"the first columns of the list are {shown}: group by those")


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Record the population's size and how many records each part lists; the records themselves are not statistics."""
    everybody = Group(analysis.specification.total)
    add_size(analysis, output, everybody, builder)
    for number, part in enumerate(_parts(output), start=1):
        rows = _rows(analysis, output, part)
        _check_variables(analysis, output, part, rows)
        place = ResultPlace("records", everybody.label, "records", part.caption, line=f"part {number}")
        count = Estimate(float(rows.size), "Number of records listed", rows.subject_count)
        builder.add(output, place, "events", count, COUNT, rows)
        if (more := SupplementalValues.of(analysis, rows)) and (names := more.among(_asked(part))):
            chosen = more.rows.among("QNAM", names).of_subjects(rows.subjects)
            count = Estimate(float(chosen.size), "Number of supplemental qualifiers", chosen.subject_count)
            qualified = replace(place, analysis="supplemental", variable="supplemental")
            builder.add(output, qualified, "events", count, COUNT, chosen)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Without the datasets a listing has no records to show."""
    return OutputLayout([_listing(part, [[] for _ in part.columns]) for part in _parts(output)])


def show(analysis: AnalysisData, output: Output) -> OutputLayout:
    """One listing a part, or one a value of ``page_by``; a part without records says so."""
    return OutputLayout([shown for part in _parts(output) for shown in _shown(analysis, output, part)])


def _shown(analysis: AnalysisData, output: Output, part: ListingPart) -> Iterator[Listing]:
    rows = _rows(analysis, output, part)
    table = _table(analysis, output, part, rows)
    if part.across:
        table, texts = _spread(part, part.across, rows, table)
    else:
        texts = [_column(table, column, column.variable) for column in part.list_]
    if part.page_by is None or table.empty:
        yield _listing(part, texts)
        return
    by = table[part.page_by.variable].astype("str").reset_index(drop=True)
    for value, places in by.groupby(by, sort=False, dropna=False).indices.items():
        chosen = np.asarray(places).tolist()
        yield _listing(part, [[column[i] for i in chosen] for column in texts], f"{part.page_by.label}: {value}")


def _parts(output: Output) -> list[ListingPart]:
    """The parts, or the output as its only one."""
    keys = output.keys_of(Keys)
    if keys.parts:
        return keys.parts
    own = {name: value for name in OF_A_PART.values() if (value := getattr(keys, name))}
    return [ListingPart(caption="", node=output.node, **own)]


def _listing(part: ListingPart, texts: list[list[str]], caption: str = "") -> Listing:
    """Columns of numbers are aligned by their decimal points, all others are text."""
    heads = tuple(TableColumn(column.label, text=column.kind != "number") for column in part.columns)
    captions = "; ".join(filter(None, (part.caption, caption)))
    return Listing(heads, tuple(map(tuple, texts)), captions, len(part.by or ()), part.empty)


def _rows(analysis: AnalysisData, output: Output, part: ListingPart) -> Selection:
    everybody = Group(analysis.specification.total)
    return analysis.select(output, part.dataset, everybody, part.node, output.population).where(part.where)


def _table(analysis: AnalysisData, output: Output, part: ListingPart, rows: Selection) -> pd.DataFrame:
    """The rows in order, numbered as in ``rows``.

    A variable that the dataset lacks comes from the subject level, else from the dataset's supplemental qualifiers.
    """
    import pandas as pd

    asked = [SUBJECT, *_asked(part)]
    table = pd.DataFrame({name: rows.column(name).reset_index(drop=True) for name in asked if rows.has(name)})
    subjects = analysis.select(output, SUBJECT_LEVEL, Group(analysis.specification.total))
    more = SupplementalValues.of(analysis, rows)
    for name in asked:
        if rows.has(name):
            continue
        if subjects.has(name):
            table[name] = table[SUBJECT].map(subjects.table(SUBJECT, name).set_index(SUBJECT)[name])
        elif more:
            table[name] = more.values(name, rows)
    first = [part.page_by.variable] if part.page_by else []
    return table.sort_values(list(dict.fromkeys([*first, *part.order])), kind="stable")


def _check_variables(analysis: AnalysisData, output: Output, part: ListingPart, rows: Selection) -> None:
    """Complain of the first variable that neither the dataset nor the subject level has."""
    subjects = analysis.select(output, SUBJECT_LEVEL, Group(analysis.specification.total))
    more = SupplementalValues.of(analysis, rows)
    known_more = more.among(_asked(part)) if more else []
    for name, (holder, key) in _asked(part).items():
        if not rows.has(name) and not subjects.has(name) and name not in known_more:
            known = nearest(name, rows.base.names)
            raise complain(holder, key, f"neither {rows.dataset} nor {SUBJECT_LEVEL} has a variable {name}{known}")


def _asked(part: ListingPart) -> dict[str, tuple[Mapping[str, Any], str]]:
    """Each variable with the place of reports.yaml that asks for it."""
    asked: dict[str, tuple[Mapping[str, Any], str]] = {}
    for column in part.list_:
        for name in _variables(column.variable):
            asked[name] = (column.node, "variable")
    asked |= dict.fromkeys(part.order, (part.node, "order"))
    if part.page_by:
        asked[part.page_by.variable] = (part.page_by.node, "variable")
    if part.across:
        holders: list[SpreadRecords | SpreadColumn] = [part.across, *part.across.columns]
        for holder in holders:
            asked |= dict.fromkeys(_variables(holder.variable), (holder.node, "variable"))
    return asked


def _variables(declared: Names | None) -> list[str]:
    return [declared] if isinstance(declared, str) else declared or []


def _spread(
    part: ListingPart, across: SpreadRecords, rows: Selection, table: pd.DataFrame
) -> tuple[pd.DataFrame, list[list[str]]]:
    """One line for the records that agree in all columns of the list; two records in one cell are refused."""
    import pandas as pd

    names = [name for column in part.list_ for name in _variables(column.variable)]
    lines = table.groupby(list(dict.fromkeys([SUBJECT, *names])), sort=False, dropna=False).ngroup()
    heads = table[~lines.duplicated()]
    texts = [_column(heads, column, column.variable) for column in part.list_]
    numbered = lines.sort_index().to_numpy()
    places = np.arange(rows.size) if rows.positions is None else rows.positions
    for spread in across.columns:
        chosen = np.flatnonzero(np.isin(places, _positions(rows.where(spread.where)), assume_unique=True))
        at = numbered[chosen]
        if np.unique(at).size != at.size:
            line = heads.iloc[int(at[pd.Index(at).duplicated()][0])]
            found = ", ".join(f"{name} {line[name]}" for name in [SUBJECT, *names])
            raise complain(
                spread.node, "where", f"finds two records of {rows.dataset} for one line of the listing: {found}"
            )
        cells = np.full(len(heads), "", dtype=object)
        values = table.loc[chosen]  # numbered as in rows
        cells[at] = _column(values, spread, spread.variable or across.variable)
        texts.append(cells.tolist())
    return heads, texts


def _positions(rows: Selection) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.arange(rows.size) if rows.positions is None else rows.positions


def _column(table: pd.DataFrame, column: ShownColumn, names: Names) -> list[str]:
    """The texts of a column; several variables are joined by a blank."""
    several = [_texts(table[name], column) for name in _variables(names)]
    if len(several) == 1:
        return several[0]
    return [" ".join(filter(None, texts)) for texts in zip(*several, strict=True)]


def _texts(values: pd.Series, column: ShownColumn) -> list[str]:
    """What is printed of a column: terms by their labels, SAS days as ISO dates, numbers with declared decimals."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(values):
        labels, sentence = column.labels or {}, column.kind == "sentence"
        made = {value: labels.get(value, value.capitalize() if sentence and value.isupper() else value)
                for value in values.unique()}  # fmt: skip
        return [made[value] for value in values.tolist()]
    kind, numbers = column.kind, values.to_numpy(float)
    if kind in ("date", "time"):
        unit = "D" if kind == "date" else "s"
        whole = np.where(np.isnan(numbers), 0, numbers).astype("int64").astype(f"timedelta64[{unit}]")
        texts = np.datetime_as_string(EPOCH.astype(f"datetime64[{unit}]") + whole)
        return np.where(np.isnan(numbers), "", texts).tolist()
    decimals = column.decimals
    printed = {value: f"{value:.12g}" if decimals is None else rounded_text(value, decimals)
               for value in np.unique(numbers[~np.isnan(numbers)]).tolist()}  # fmt: skip
    return [printed.get(value, "") for value in numbers.tolist()]
