"""The second derivation on a study of three records: what agrees, what differs, and what it refuses to judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.errors import StudyError
from metadata.study import Study
from tests.validation.small_study import STUDY_YAML
from validation.second_derivation.check import (
    check_second_derivation,
    second_derivation,
    stop_at_differences,
    write_json,
)
from validation.second_derivation.page import write_page

QUERY = """-- the mean of both readings
SELECT USUBJID, avg(LBSTRESN) AS AVAL, max(CAST(LBDTC AS DATE)) AS ADT,
       CASE WHEN avg(LBSTRESN) > 4 THEN 'Y' END AS HIGHFL
FROM LB
WHERE LBSTRESC IS NOT NULL
GROUP BY USUBJID;
"""
DECLARED = """endpoints:
  - id: means
    title: Means of the readings
    query: means.sql
    dataset: ADX
    keys: [USUBJID]
    variables: [AVAL, ADT, HIGHFL]
"""
DAY_ONE = 14611.0  # 2000-01-02, counted from 1960-01-01


def dataset(
    name: str, texts: Sequence[str], numbers: Sequence[str], *rows: tuple[Any, ...], categories: bool = False
) -> Dataset:
    columns = [*texts, *numbers]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {**dict.fromkeys(texts, "str"), **dict.fromkeys(numbers, "float64")}
    )
    if categories:
        frame = frame.astype(dict.fromkeys(texts, "category"))
    variables = tuple(Variable(one, one, "Num" if one in numbers else "Char") for one in columns)
    return Dataset(DatasetMetadata(name, name, "FINDINGS", "One record", ("USUBJID",), variables), frame)


def lb(categories: bool = False) -> Dataset:
    rows = [
        ("P1", "4", "2000-01-01", 4.0), ("P1", "6", "2000-01-02", 6.0), ("P2", "3", "2000-01-02", 3.0),
        ("P2", "", "2000-01-02", np.nan), ("P3", "2.5", "2000-01-02", 2.5), ("P3", "3", "2000-01-01", 3.0),
    ]  # fmt: skip
    return dataset("LB", ["USUBJID", "LBSTRESC", "LBDTC"], ["LBSTRESN"], *rows, categories=categories)


OURS = [("P1", "Y", 5.0, DAY_ONE), ("P2", "", 3.0, DAY_ONE), ("P3", "", 2.75, DAY_ONE)]


def adx(*rows: tuple[Any, ...]) -> Dataset:
    return dataset("ADX", ["USUBJID", "HIGHFL"], ["AVAL", "ADT"], *rows)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Study]:
    """Write a study with its queries and declaration."""

    def made(declared: str = DECLARED, **queries: str) -> Study:
        (tmp_path / "study.yaml").write_text(STUDY_YAML, encoding="utf-8")
        (tmp_path / "verify").mkdir(exist_ok=True)
        (tmp_path / "verify" / "verify.yaml").write_text(declared, encoding="utf-8")
        for name, text in ({"means": QUERY} | queries).items():
            (tmp_path / "verify" / f"{name}.sql").write_text(text, encoding="utf-8")
        return Study(tmp_path)

    return made


def judged(study: Study, ours: Sequence[tuple[Any, ...]] = OURS, **sdtm: Dataset) -> dict[str, Any]:
    return second_derivation(study, sdtm or {"LB": lb()}, {"ADX": adx(*ours)}, pd.DataFrame({"value": [1.0]}))


def refused(study: Study, ours: Sequence[tuple[Any, ...]] = OURS, **sdtm: Dataset) -> str:
    with pytest.raises(StudyError) as error:
        judged(study, ours, **sdtm)
    return str(error.value)


def findings(study: Study, *ours: tuple[Any, ...]) -> list[tuple[str, ...]]:
    shown = ("keys", "variable", "finding", "ours", "second")
    return [tuple(finding[name] for name in shown) for finding in judged(study, ours)["findings"]]


@pytest.mark.parametrize("categories", [False, True])
def test_what_agrees(make: Callable[..., Study], categories: bool) -> None:
    """Seven values are compared: three means, three days, and of the flags the one that is set."""
    result = judged(make(), LB=lb(categories))
    assert result["counts"] == {"endpoints": 1, "records": 3, "values": 7, "differences": 0, "empty": 0}
    stop_at_differences(result)


def test_what_differs(make: Callable[..., Study]) -> None:
    found = findings(make(), ("P1", "", 5.0, DAY_ONE), ("P2", "", 3.1, DAY_ONE - 1), ("P4", "", 2.75, DAY_ONE))
    assert found == [
        ("USUBJID is P1", "HIGHFL", "differs", "", "Y"),
        ("USUBJID is P2", "AVAL", "differs", "3.1", "3"),
        ("USUBJID is P2", "ADT", "differs", "2000-01-01", "2000-01-02"),
        ("USUBJID is P3", "", "derived a second time only", "", ""),
        ("USUBJID is P4", "", "not derived a second time", "", ""),
    ]


def test_a_missing_number_and_a_record_twice(make: Callable[..., Study]) -> None:
    found = findings(make(), ("P1", "Y", np.nan, DAY_ONE), *OURS[1:], OURS[2])
    assert found == [
        ("USUBJID is P1", "AVAL", "differs", "", "5"),
        ("USUBJID is P3", "", "not derived a second time", "", ""),
    ]


@pytest.mark.parametrize(
    ("off", "tolerance", "count"), [(1e-10, "", 0), (1e-6, "", 1), (1e-6, "1.0e-5", 0), (0.1, "0.01", 1)]
)
def test_tolerance(make: Callable[..., Study], off: float, tolerance: str, count: int) -> None:
    study = make(DECLARED + (f"    tolerance: {tolerance}\n" if tolerance else ""))
    assert len(findings(study, ("P1", "Y", 5.0 * (1 + off), DAY_ONE), *OURS[1:])) == count


def test_the_sentence_names_the_place_and_no_value(make: Callable[..., Study]) -> None:
    result = judged(make(), [("P1", "Y", 5.25, DAY_ONE), ("P2", "", 3.0, DAY_ONE)])
    with pytest.raises(StudyError) as error:
        stop_at_differences(result)
    said = str(error.value)
    assert "Means of the readings" in said and "verify/means.sql" in said
    assert "AVAL differs where USUBJID is P1 (and 1 more)" in said
    assert "5.25" not in said


def test_where_and_a_table_of_the_study(make: Callable[..., Study]) -> None:
    """Only the record with the flag is compared, with a query over a table that another query makes."""
    declared = DECLARED.replace("endpoints:", "tables: {MEANS: means.sql}\nendpoints:").replace(
        "query: means.sql", "query: high.sql"
    )
    study = make(declared + '    where: {HIGHFL: "Y"}\n', high="SELECT * FROM MEANS WHERE HIGHFL = 'Y'")
    assert judged(study)["counts"]["values"] == 3
    study = make(
        declared + "    where: {AVAL: [3, 2.75], HIGHFL: ''}\n", high="SELECT * FROM means WHERE HIGHFL IS NULL"
    )
    assert judged(study)["counts"]["values"] == 4


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (QUERY.replace("FROM LB", "FROM LBX"), ["means.sql, line 4", "LBX"]),
        (QUERY.replace("GROUP BY", "GROPU BY"), ["means.sql, line 6", "syntax error"]),
        (QUERY.replace("LBSTRESC IS", "LBSTRESX IS"), ["means.sql, line 5", "LBSTRESX"]),
        ("SELECT 1 AS USUBJID; SELECT 2 AS USUBJID", ["means.sql", "a query is one SELECT"]),
        ("CREATE TABLE T AS SELECT 1", ["means.sql", "a query is one SELECT"]),
        ("SELECT * FROM read_csv('/etc/passwd')", ["means.sql", "does not run"]),
        ("SELECT USUBJID, AVAL, ADT, HIGHFL FROM frame", ["means.sql, line 1", "frame"]),
        ("SELECT USUBJID, 1 AS AVAL, 1 AS ADT FROM LB", ["no column HIGHFL"]),
        (
            QUERY.replace("avg(LBSTRESN) AS AVAL", "'a' AS AVAL"),
            ["ADX.AVAL is a number or date, in the query it is text"],
        ),
        (QUERY.replace("THEN 'Y'", "THEN 1"), ["ADX.HIGHFL is text, in the query it is a number or date"]),
        (QUERY.replace("avg(LBSTRESN) AS AVAL", "avg(LBSTRESN) > 1 AS AVAL"), ["AVAL", "BOOLEAN"]),
        (QUERY.replace("IS NOT NULL", "= 'nothing'"), ["nothing is compared", "the query gives no record, ADX has 3"]),
    ],
)
def test_queries_that_do_not_fit(make: Callable[..., Study], query: str, said: list[str]) -> None:
    sentence = refused(make(means=query))
    assert "\n" not in sentence
    for word in said:
        assert word in sentence, sentence


def test_an_error_about_a_value_does_not_tell_it(make: Callable[..., Study]) -> None:
    rows = [("P1", "secret", "2000-01-02", 4.0)]
    data = dataset("LB", ["USUBJID", "LBSTRESC", "LBDTC"], ["LBSTRESN"], *rows)
    query = QUERY.replace("avg(LBSTRESN) AS AVAL", "avg(CAST(LBSTRESC AS DOUBLE)) AS AVAL")
    sentence = refused(make(means=query), LB=data)
    assert "means.sql: the query does not run: conversion error" in sentence
    assert "secret" not in sentence


def test_nothing_compared_is_no_agreement(make: Callable[..., Study]) -> None:
    """Neither where no record is chosen, nor where all variables are missing on both sides."""
    empty = QUERY.replace("IS NOT NULL", "= 'nothing'")
    nowhere = DECLARED + "    where: {HIGHFL: N}\n"
    assert "verify.yaml, line 8, key 'where': nothing is compared" in refused(make(nowhere, means=empty))
    hollow = [(subject, "", np.nan, np.nan) for subject in ("P1", "P2", "P3")]
    nothing = "SELECT DISTINCT USUBJID, NULL AS AVAL, NULL AS ADT, NULL AS HIGHFL FROM LB"
    assert "line 7, key 'variables': nothing is compared" in refused(make(means=nothing), hollow)


def test_a_trial_that_has_only_begun(make: Callable[..., Study]) -> None:
    """No dataset of the guide yet, and no record of ours: the endpoint is said to be without records."""
    only_subjects = dataset("DM", ["USUBJID"], [], ("P1",))
    assert judged(make(DECLARED + "    may_be_empty: true\n"), [], DM=only_subjects)["counts"]["empty"] == 1
    assert "key 'query': nothing is compared" in refused(make(), [], DM=only_subjects)
    study = make(
        DECLARED + "    where: {HIGHFL: N}\n    may_be_empty: true\n", means=QUERY.replace("IS NOT NULL", "= 'nothing'")
    )
    assert judged(study)["counts"]["empty"] == 1


def test_a_study_without_endpoints(make: Callable[..., Study], tmp_path: Path) -> None:
    study = make()
    (tmp_path / "verify" / "verify.yaml").unlink()
    result = judged(study)
    assert result["counts"]["endpoints"] == 0
    write_page(study, result, tmp_path / "page.html")
    assert "declares no endpoint" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("where", "records"),
    [
        ("{AVAL: {above: 2.8}}", 2),
        ("{AVAL: 3}", 1),
        ("{USUBJID: [P1, P3]}", 2),
        ("{HIGHFL: {missing: true}, AVAL: {not: 3}}", 1),
        ('{HIGHFL: ""}', 2),
        ("[{HIGHFL: Y}, {AVAL: {below: 2.8}}]", 2),
    ],
)
def test_records_are_chosen_by_the_language_of_conditions(make: Callable[..., Study], where: str, records: int) -> None:
    result = judged(make(DECLARED + f"    where: {where}\n"))
    assert result["endpoints"][0]["records"] == records
    assert {finding["finding"] for finding in result["findings"]} == {"derived a second time only"}


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("{AVAL: {abov: 1}}", "line 8, key 'abov': 'abov' is not a test (did you mean 'above'?)"),
        ('{AVAL: "3"}', "line 8, key 'AVAL': ADX.AVAL is a number, '3' is not"),
        ("{HIGHFL: 1}", "line 8, key 'HIGHFL': ADX.HIGHFL is text: write \"1\" in quotes"),
        ("{AVAL: {above: {variable: HIGHFL}}}", "ADX.AVAL is a number, ADX.HIGHFL is text: they cannot be compared"),
        ("{AVL: 1}", "line 8, key 'where': ADX has no variable AVL (did you mean 'AVAL'?)"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused_without_data(
    make: Callable[..., Study], where: str, sentence: str
) -> None:
    study = make(DECLARED + f"    where: {where}\n")
    kinds = {"ADX": {"USUBJID": "Char", "AVAL": "Num", "ADT": "Num", "HIGHFL": "Char"}}
    with pytest.raises(StudyError, match=r"verify\.yaml") as error:
        for problem in check_second_derivation(study, kinds, [], {}):
            raise problem
    assert sentence in str(error.value)
    assert sentence in refused(study)


@pytest.mark.parametrize(
    ("said", "instead", "sentence"),
    [
        (
            "query: means.sql",
            "query: mean.sql",
            "line 4, key 'query': verify/ has no query 'mean.sql' (did you mean 'means.sql'?)",
        ),
        (
            "dataset: ADX",
            "dataset: ADXX",
            "line 5, key 'dataset': there is no dataset 'ADXX' (did you mean 'ADX'?)",
        ),
        ("[AVAL, ADT,", "[AVALU, ADT,", "line 7, key 'variables': ADX has no variable AVALU (did you mean 'AVAL'?)"),
        (
            "keys: [USUBJID]",
            "keys: USUBJID",
            "line 6, key 'keys': must be a list, not 'US",
        ),
        ("title:", "titel:", "line 3, key 'titel': an entry of 'endpoints' has no key 'titel' (did you mean 'title'?)"),
        ("    keys: [USUBJID]\n", "", "an entry of 'endpoints' needs the key 'keys'"),
        ("id: means", "id: my means", "line 2, key 'id': must be a name of letters, digits and _, not 'my means'"),
        ("endpoints:", "endpoint:", "key 'endpoint': the file has no key 'endpoint' (did you mean 'endpoints'?)"),
    ],
)
def test_declarations_that_do_not_fit(make: Callable[..., Study], said: str, instead: str, sentence: str) -> None:
    assert said in DECLARED
    assert sentence in refused(make(DECLARED.replace(said, instead)))


def test_the_check_without_data(make: Callable[..., Study]) -> None:
    columns = {"ADX": {"USUBJID": "Char", "AVAL": "Num", "ADT": "Num", "HIGHFL": "Char"}}
    assert list(check_second_derivation(make(), columns, [], {})) == []
    declared = DECLARED.replace("[AVAL,", "[AVALU,") + "    plan: mean\n"
    wrong = make(declared, means=QUERY.replace("FROM LB", "FROM LBX"))
    found = [str(error) for error in check_second_derivation(wrong, columns, ["means"], {})]
    assert len(found) == 3
    assert "line 7, key 'variables': ADX has no variable AVALU" in found[0]
    assert "line 8, key 'plan': the analysis plan has no section 'mean' (did you mean 'means'?)" in found[1]
    assert "means.sql, line 4: LBX is neither an SDTM dataset nor a table of verify.yaml" in found[2]
    broken = make(means=QUERY.replace("GROUP BY", "GROPU BY"))
    assert "means.sql, line 6" in str(next(iter(check_second_derivation(broken, columns, [], {}))))


def test_a_study_without_results(make: Callable[..., Study]) -> None:
    """Its datasets are compared all the same; an endpoint of the results cannot be."""
    sdtm, adam = {"LB": lb()}, {"ADX": adx(*OURS)}
    assert second_derivation(make(), sdtm, adam, None)["counts"]["values"] == 7
    with pytest.raises(StudyError, match="line 5, key 'dataset': the study has no results"):
        second_derivation(make(DECLARED.replace("dataset: ADX", "dataset: results")), sdtm, adam, None)


def test_files_are_the_same_and_safe(make: Callable[..., Study], tmp_path: Path) -> None:
    study = make(DECLARED.replace("Means of", "Means <b>of"))
    one, other = (judged(study, [("P1", "<script>", 5.0, DAY_ONE), *OURS[1:]]) for _ in range(2))
    for number, result in enumerate((one, other)):
        write_json(result, tmp_path / f"{number}.json")
        write_page(study, result, tmp_path / f"{number}.html", "2001-12-31")
    for kind in ("json", "html"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()
    page = (tmp_path / "0.html").read_text(encoding="utf-8")
    assert "Synthetic data" in page and "USUBJID is P1" in page and "&lt;script&gt;" in page
    assert "<script>" not in page and "<b>of" not in page
