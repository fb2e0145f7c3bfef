"""The keys by which a study's folder says where a field's values come from; each a small function over columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from scipy.special import ndtri

from metadata.errors import StudyError, nearest
from metadata.yaml_source import complain
from redcap_sandbox.generator_draws import choose
from redcap_sandbox.generator_filling import PLACEHOLDER, Filling
from redcap_sandbox.generator_patients import read_table

Columns = dict[str, np.ndarray]
ValueRule = Callable[[Filling, str, Any, Mapping[str, Any]], Columns]
Rule = TypeVar("Rule", bound=ValueRule)
VALUE_RULES: dict[str, ValueRule] = {}


def keyed(name: str) -> Callable[[Rule], Rule]:
    """Register a function under the key that the YAML uses."""

    def register(implementation: Rule) -> Rule:
        VALUE_RULES[name] = implementation
        return implementation

    return register


@keyed("value")
def constant(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """The same text in every row."""
    return {name: np.full(form.size, str(argument), object)}


@keyed("take")
def take(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A column of the patients' tables, or another value of this form."""
    return {name: form.given(str(argument))}


@keyed("choice")
def choice(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """One of the codes at random, by weights."""
    return {name: choose(form.uniform(name), argument)}


@keyed("uniform")
def uniform(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A number between two bounds."""
    low, high = (float(bound) for bound in argument)
    return {name: low + (high - low) * form.uniform(name)}


@keyed("normal")
def normal(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A normal number: ``mean`` (a number, or a known column), ``person`` and ``within`` standard deviations, and a
    ``course`` of [study day, shift of the mean] points, straight lines between them."""
    mean = argument["mean"]
    level = form.numbers(mean) if isinstance(mean, str) else np.full(form.size, float(mean))
    level = level + float(argument.get("person", 0)) * form.person(name)
    if "course" in argument:
        days, shifts = np.array(argument["course"], float).T
        level = level + np.interp(form.given("_day"), days, shifts)
    return {name: level + float(argument.get("within", 0)) * ndtri(form.uniform(name))}


@keyed("formula")
def formula(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """An expression in REDCap's own language over values of this form, latent ones and the patients' columns."""
    column = form.formula(str(argument))
    return {name: column.number.copy() if column.given is None else column.text}


@keyed("text")
def text(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A text in which ``[name]`` is replaced by a value of the row."""
    pieces = PLACEHOLDER.split(str(argument))
    joined = pd.Series(np.full(form.size, pieces[0], object), dtype="str")
    for placeholder, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        joined = joined + pd.Series(form.texts(placeholder), dtype="str") + literal
    return {name: joined.to_numpy(object)}


@keyed("date")
def date(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A complete date: ``visit`` is the row's own day, a number is a study day, a name is a column that holds a day.
    ``delay`` moves it by days drawn by weights."""
    delay = choose(form.uniform(name), spec["delay"]).astype(int) if "delay" in spec else 0
    if argument == "visit" or not isinstance(argument, str):
        day = form.rows["day"].to_numpy(int) if argument == "visit" else np.full(form.size, int(argument))
        moved = form.world.calendar.dates(day, form.patient) + np.asarray(delay).astype("timedelta64[D]")
        return {name: np.datetime_as_string(moved).astype(object)}
    return {name: form.world.calendar.iso(pd.Series(form.given(argument), dtype="str"), form.patient)}


@keyed("parts")
def parts(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A date in fields of its own, ``<name>_y``, ``_m`` and ``_d``, from a column that holds a day; ``unknown`` is the
    missing-data code of a part that is not known."""
    found = form.world.calendar.parts(pd.Series(form.given(str(argument)), dtype="str"), form.patient)
    fields = form.world.project.dictionary.fields
    made: Columns = {}
    for part, suffix in (("year", "_y"), ("month", "_m"), ("date", "_d")):
        if f"{name}{suffix}" in fields:
            plain = found[part].str.replace("^0", "", regex=True)
            made[f"{name}{suffix}"] = plain.where(plain != "?", str(spec.get("unknown", ""))).to_numpy(object)
    return made


@keyed("text_date")
def text_date(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A date in a free-text field, written as ``text_dates`` of study.yaml says, from a column that holds a day."""
    study = form.world.study
    if name not in study.text_dates:
        raise complain(spec, "text_date", f"study.yaml does not list '{name}' under text_dates")
    found = form.world.calendar.parts(pd.Series(form.given(str(argument)), dtype="str"), form.patient)
    year, month, day = (found[part].where(found[part] != "?", "") for part in ("year", "month", "date"))
    return {name: study.text_dates[name].written(year, month, day).to_numpy(object)}


@keyed("series")
def series(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A number that the patients' tables give event by event: ``{event: column}``; elsewhere blank."""
    event = form.rows["event"].to_numpy(object)
    number = np.full(form.size, np.nan)
    for at, column in argument.items():
        number = np.where(event == at, form.numbers(column), number)
    return {name: number}


@keyed("lookup")
def lookup(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """Columns of a table of the study's folder, found ``by`` names known in the row; every other column is a field."""
    table = read_table(form.world.study, argument["table"]).set_index(list(argument["by"]))
    keys: pd.Index = pd.MultiIndex.from_arrays([form.texts(by) for by in argument["by"]], names=argument["by"])
    if len(argument["by"]) == 1:
        keys = keys.get_level_values(0)
    missing = ~keys.isin(table.index)
    if missing.any() or not table.index.is_unique:
        what = f"one row for each {', '.join(argument['by'])} is needed, as for {keys[missing][:1].tolist()}"
        raise StudyError(what, argument["table"])
    found = table.reindex(keys)
    return {column: found[column].to_numpy(object) for column in found.columns}


@keyed("within")
def within(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """``1`` where the row's day lies in an interval of a course of the patient (``from``, ``to``: columns of days)."""
    spans = _intervals(form, argument)[["patient", "start", "end"]]
    day = pd.DataFrame({"row": np.arange(form.size), "patient": form.patient, "day": form.given("_day")})
    pairs = day.merge(spans, on="patient")
    inside = pairs.loc[(pairs["day"] >= pairs["start"]) & (pairs["day"] <= pairs["end"]), "row"]
    return {name: np.where(day["row"].isin(inside), "1", "0").astype(object)}


def _intervals(form: Filling, argument: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of a course with their ``start`` and ``end`` as study days."""
    course = form.world.choice(form.world.courses, argument["course"], f"form '{form.form}'")
    patient = course["patient"].to_numpy(int)
    start, end = (form.world.calendar.study_days(course[argument[key]], patient) for key in ("from", "to"))
    return course.assign(start=start, end=end)


@keyed("used")
def used(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """What a course's intervals (those that match ``where``) consume, ``a_day`` each day, from the day in ``since`` on,
    the row's own day left out."""
    spans = _intervals(form, argument)
    for column, code in argument.get("where", {}).items():
        spans = spans[spans[column] == str(code)]
    spans = spans.assign(rate=pd.to_numeric(spans[argument["a_day"]]))[["patient", "start", "end", "rate"]]
    rows = pd.DataFrame({"row": np.arange(form.size), "patient": form.patient, "day": form.given("_day")})
    pairs = rows.assign(since=form.numbers(argument["since"])).merge(spans, on="patient")
    length = pairs["end"].clip(upper=pairs["day"] - 1) - pairs["start"].clip(lower=pairs["since"]) + 1
    total = (length.clip(lower=0) * pairs["rate"]).groupby(pairs["row"]).sum()
    return {name: total.reindex(np.arange(form.size)).fillna(0.0).to_numpy(float)}


@keyed("ticks")
def ticks(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A checkbox: the options ticked, as ``1;3`` in the column named, or each at random (``{code: chance}``)."""
    field = form.world.project.dictionary.field(name)
    made: Columns = {}
    ticked = pd.Series(form.given(argument), dtype="str").str.split(";") if isinstance(argument, str) else None
    for code, column in zip(field.choices, field.columns, strict=True):
        if ticked is not None:
            made[column] = np.where([code in row for row in ticked], "1", "0").astype(object)
        else:
            made[column] = np.where(form.uniform(column) < float(argument.get(code, 0)), "1", "0").astype(object)
    return made


def _neighbour(form: Filling, known: np.ndarray, step: int) -> np.ndarray:
    """Values of the same patient's previous (1) or next (-1) row by day; NaN where there is none."""
    order = np.lexsort((form.given("_day"), form.patient))
    ordered = pd.Series(known[order]).groupby(form.patient[order]).shift(step)
    result = np.full(form.size, np.nan)
    result[order] = ordered.to_numpy(float)
    return result


@keyed("previous")
def previous(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A value of the patient's previous row of this form (by day)."""
    return {name: _neighbour(form, form.numbers(str(argument)), 1)}


@keyed("following")
def following(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A value of the patient's next row of this form (by day)."""
    return {name: _neighbour(form, form.numbers(str(argument)), -1)}


@keyed("lowest")
def lowest(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """A value whose minimum after study day ``after`` is the patient's ``is``, at the event that column ``at`` names.
    Other later rows lie above it by a share of at least 2 % (``above``), earlier rows follow ``before``; both are
    declared as for ``normal``."""
    least, day = form.numbers(argument["is"]), form.given("_day")
    here = form.texts(argument["at"]) == form.rows["event"].to_numpy(object)
    reached = pd.Series(here & (day > float(argument["after"]))).groupby(form.patient).sum()
    if not (reached == 1).all():
        lost = form.world.patients.iloc[int(reached[reached != 1].index[0])].iloc[0]
        raise StudyError(f"form '{form.form}', field '{name}': patient {lost} is not seen at '{argument['at']}'")
    share = np.maximum(normal(form, name, argument["above"], spec)[name], 0.02)
    earlier = normal(form, f"{name} before", argument["before"], spec)[f"{name} before"]
    later = np.where(here, least, least * (1 + share))
    return {name: np.where(day > float(argument["after"]), later, np.maximum(earlier, least * 1.1))}


def _bounds(form: Filling, name: str) -> tuple[float, float]:
    """Least and greatest value that the dictionary allows."""
    item = form.world.project.dictionary.field(name)
    return float(item.text_validation_min or -np.inf), float(item.text_validation_max or np.inf)


def _moves(lacking: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """For each row, moves of -2 to 2 points a test whose mean z comes closest to what is lacking."""
    moves = np.stack(np.meshgrid(*[np.arange(-2, 3)] * len(sd), indexing="ij"), axis=-1).reshape(-1, len(sd))
    gains = (moves / sd).mean(axis=1)
    order = np.lexsort((np.abs(moves).sum(axis=1), gains))
    gains = gains[order]
    place = np.clip(np.searchsorted(gains, np.nan_to_num(lacking)), 1, len(order) - 1)
    lower = lacking - gains[place - 1] <= gains[place] - lacking
    return np.asarray(moves[order[np.where(lower, place - 1, place)]])


@keyed("composite")
def composite(form: Filling, name: str, argument: Any, spec: Mapping[str, Any]) -> Columns:
    """Whole scores of several ``tests`` whose mean z against ``norms`` (test, mean, sd) meets the ``target`` column.

    Each patient has a profile of their own (standard deviation ``spread``); the scores are rounded, and of all ways to
    move each by at most two points the one that brings the mean z closest to the target is taken.
    """
    norms = read_table(form.world.study, argument["norms"]).set_index("test")[["mean", "sd"]].astype(float)
    tests = [str(test) for test in argument["tests"]]
    mean, sd = (norms.loc[tests, column].to_numpy() for column in ("mean", "sd"))
    target = form.numbers(argument["target"])[:, None]
    profile = np.column_stack([form.person(f"{name} {test}") for test in tests]) * float(argument["spread"])
    low, high = np.array([_bounds(form, test) for test in tests]).T
    wanted = np.round(mean + sd * (target + profile - profile.mean(axis=1, keepdims=True)))
    scores = np.clip(wanted, low + 2, high - 2)  # the moves of two points stay within the test's range
    lacking = target[:, 0] - ((scores - mean) / sd).mean(axis=1)
    solved = scores + _moves(lacking, sd)
    return {test: solved[:, position] for position, test in enumerate(tests)}


MODIFIERS = ("delay", "unknown", "events", "when", "unit", "decimals", "min", "max", "words")


def make(form: Filling, name: str, spec: Mapping[str, Any]) -> None:
    """Fill one field (or latent value, whose name starts with ``_``) by the one rule that its declaration has."""
    where = f"form '{form.form}', field '{name}'"
    unknown = [key for key in spec if key not in VALUE_RULES and key not in MODIFIERS]
    if unknown:
        raise complain(
            spec, unknown[0], f"{where}: there is no such key{nearest(unknown[0], [*VALUE_RULES, *MODIFIERS])}"
        )
    used = [key for key in spec if key in VALUE_RULES]
    if len(used) != 1:
        raise complain(spec, None, f"{where}: one rule is needed, found {len(used)}")
    made = VALUE_RULES[used[0]](form, name, spec[used[0]], spec)
    for column, values in made.items():
        form.known[column] = _modified(form, column, values, spec)


def _modified(form: Filling, column: str, values: np.ndarray, spec: Mapping[str, Any]) -> np.ndarray:
    """Apply the modifiers: bounds, unit, decimals, other texts for some values, and where there is no value at all."""
    if values.dtype != object:
        bounded = np.clip(values, float(spec.get("min", -np.inf)), float(spec.get("max", np.inf)))
        values = _rounded(form, column, bounded, spec)
    if "words" in spec:
        form.known[column] = values
        plain = form.written(column)
        values = np.array([str(spec["words"].get(value, value)) for value in plain], object)
    absent = np.zeros(form.size, bool)
    if "events" in spec:
        absent |= ~form.rows["event"].isin(list(spec["events"])).to_numpy(bool)
    if "when" in spec:
        absent |= ~form.formula(str(spec["when"])).truth
    return np.where(absent, "" if values.dtype == object else np.nan, values) if absent.any() else values


def _rounded(form: Filling, column: str, values: np.ndarray, spec: Mapping[str, Any]) -> np.ndarray:
    """Round to the decimals recorded; with ``unit``, to those of the unit that the row's laboratory reports in."""
    if "unit" not in spec:
        form.decimals[column] = np.full(form.size, int(spec.get("decimals", 0)))
        return np.round(values, int(spec["decimals"])) if "decimals" in spec else values
    unit = spec["unit"]
    by = form.texts(unit["by"])
    code, factor, places = np.full(form.size, "", object), np.ones(form.size), np.zeros(form.size, int)
    for key in sorted(set(by)):
        here = by == key
        reported: tuple[Any, float, int] = tuple(form.world.choice(unit, key, f"unit of '{column}'"))
        code[here], factor[here], places[here] = reported
    form.known[f"{column}{unit.get('suffix', '_u')}"] = np.array([str(value) for value in code], object)
    form.decimals[column], form.factors[column] = places, factor
    scale = 10.0**places
    return np.asarray(np.round(values * factor * scale) / scale / factor)
