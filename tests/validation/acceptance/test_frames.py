"""The rows and variables that Great Expectations is given lead to the same results as the whole dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.condition import EVERY_ROW, Condition, read_condition
from metadata.dataset import Dataset, DatasetMetadata
from validation.acceptance.frames import frames_of
from validation.acceptance.library import Library
from validation.acceptance.rules import VOCABULARY, Expectation, arguments

FRAME = pd.DataFrame(
    {
        "USUBJID": pd.Series(["A", "B", "C", "D"], dtype="str"),
        "SEX": pd.Series(["F", "M", "", "F"], dtype="category"),
        "START": pd.Series(["2001-01-02", "", "2001-01-03", "2001-01-04"], dtype="category"),
        "AGE": [30.0, np.nan, 50.0, 60.0],
        "NOTE": pd.Series(["", "x", "y", "z"], dtype="str"),
    }
)


def rule(word: str, where: Mapping[str, Any] | None = None, **keys: Any) -> Expectation:
    return Expectation("DM", word, keys, condition(where) if where else EVERY_ROW)


def condition(where: Mapping[str, Any]) -> Condition:
    return read_condition(dict(where), {}, "where")


def dataset(frame: pd.DataFrame = FRAME) -> Dataset:
    return Dataset(DatasetMetadata("DM", "Demographics", "Special Purpose", "One record", ("USUBJID",), ()), frame)


def test_rules_see_their_rows_and_variables_only() -> None:
    women = {"SEX": "F"}
    asked = [rule("not_null", women, variable="NOTE"), rule("between", women, variable="AGE", low=1, high=99)]
    [(rules, frame, rows)] = list(frames_of(dataset(), asked))
    assert [one.kind for one in rules] == ["not_null", "between"]
    assert (list(frame.columns), rows) == (["NOTE", "AGE"], 2)
    assert frame["AGE"].tolist() == [30.0, 60.0]
    assert frame["NOTE"].isna().tolist() == [True, False]
    assert frame.index.tolist() == [0, 1]


def test_a_condition_on_a_number_chooses_rows() -> None:
    [(_, frame, rows)] = list(frames_of(dataset(), [rule("not_null", {"AGE": {"at_least": 50}}, variable="USUBJID")]))
    assert (frame["USUBJID"].tolist(), rows) == (["C", "D"], 2)


def test_a_rule_about_names_sees_all_names_and_no_value_but_looks_at_every_row() -> None:
    asked = [rule("columns", variables=list(FRAME)), rule("row_count", value=4)]
    about_names, about_values = frames_of(dataset(), asked)
    assert (list(about_names[1].columns), len(about_names[1]), about_names[2]) == (list(FRAME), 0, 4)
    assert (list(about_values[1].columns), len(about_values[1]), about_values[2]) == ([], 4, 4)


def test_texts_that_are_compared_are_texts_and_blanks_are_none() -> None:
    asked = [rule("ordered", first="START", then="START"), rule("not_null", variable="SEX")]
    [(_, frame, _)] = list(frames_of(dataset(), asked))
    assert frame["START"].tolist() == ["2001-01-02", None, "2001-01-03", "2001-01-04"]
    assert frame["SEX"].isna().tolist() == [False, False, True, False]
    assert frame["SEX"].cat.categories.tolist() == ["F", "M"]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


def whole(frame: pd.DataFrame, where: Mapping[str, Any]) -> pd.DataFrame:
    """The frame with all its variables, texts as objects and None for blanks."""
    chosen = frame
    for name, value in where.items():
        chosen = chosen[chosen[name].astype(object) == value]
    texts = {name: [text or None for text in chosen[name].astype(object)] for name in ("TEXT", "OTHER")}
    return pd.DataFrame({**{name: pd.Series(made, dtype=object) for name, made in texts.items()},
                         "NUMBER": chosen["NUMBER"].to_numpy()})  # fmt: skip


TEXT = st.sampled_from(["", "a", "b", "2001-01"])
ROWS = st.lists(st.tuples(TEXT, TEXT, st.sampled_from([np.nan, 0.0, 1.5])), min_size=1, max_size=8)
RULES: list[tuple[str, dict[str, Any]]] = [
    ("row_count", {"value": 3}), ("distinct_count", {"variable": "TEXT", "value": 2}),
    ("between", {"variable": "NUMBER", "low": 0, "high": 1}),
    ("median_between", {"variable": "NUMBER", "low": 0, "high": 1}),
    ("values_in", {"variable": "OTHER", "values": ["a", "2001-01"]}), ("not_null", {"variable": "OTHER"}),
    ("matches", {"variable": "TEXT", "pattern": "^[ab]$"}), ("ordered", {"first": "TEXT", "then": "OTHER"}),
    ("unique", {"variables": ["OTHER", "NUMBER"]}), ("unique_column", {"variable": "OTHER"}),
]  # fmt: skip


def wanted(rules: list[Expectation]) -> list[tuple[str, dict[str, Any]]]:
    return [(VOCABULARY[one.kind].expectation, arguments(one, {}, None)) for one in rules]


def seen(results: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    details = [result["result"] for result in results]
    return [
        (result["success"], found.get("observed_value"), found.get("unexpected_count"),
         [None if value != value else value for value in found.get("partial_unexpected_list", [])])
        for result, found in zip(results, details, strict=True)
    ]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, women=st.booleans())
def test_the_results_are_those_of_the_whole_dataset(
    library: Library, rows: list[tuple[str, str, float]], women: bool
) -> None:
    text, other, number = zip(*rows, strict=True)
    frame = pd.DataFrame({"TEXT": pd.Series(text, dtype="category"), "OTHER": pd.Series(other, dtype="str"),
                          "NUMBER": np.array(number)})  # fmt: skip
    where = {"TEXT": "a"} if women else {}
    rules = [rule(word, where, **keys) for word, keys in RULES]
    [(looked_at, chosen, _)] = list(frames_of(dataset(frame), rules))
    assert looked_at == rules
    assert seen(library.judge(chosen, wanted(rules))) == seen(library.judge(whole(frame, where), wanted(rules)))


def test_only_values_that_occur_are_allowed_values_of_a_codelist_and_another_dataset(library: Library) -> None:
    frame = pd.DataFrame({"SEX": pd.Series(["", "", ""], dtype="str"), "RACE": pd.Series(["X", "Y", ""], dtype="str")})
    other = Dataset(dataset().metadata, pd.DataFrame({"SEX": ["F"], "RACE": ["Z"]}).astype("str"))
    asked = [rule("values_from", variable=name, dataset="OTHER") for name in ("SEX", "RACE")]
    datasets = {"DM": dataset(frame), "OTHER": other}
    sets = [(VOCABULARY[one.kind].expectation, arguments(one, datasets, None)) for one in asked]
    assert [keys["value_set"] for _, keys in sets] == [[], []]
    [(_, chosen, _)] = list(frames_of(dataset(frame), asked))
    assert [(result["success"], result["result"]["unexpected_count"]) for result in library.judge(chosen, sets)] == [
        (True, 0),
        (False, 2),
    ]
