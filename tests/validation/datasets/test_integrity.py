"""The gate over datasets: each thing that can be wrong is one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.study import Study
from metadata.terminology import Terminology
from tests.validation.small_study import edges, places
from validation.datasets.integrity import check_datasets

VARIABLES = (
    Variable("USUBJID", "Subject", "Char", core="Req"),
    Variable("XXSEQ", "Sequence", "Num", core="Req"),
    Variable("XXSEX", "Sex", "Char", core="Exp", codelist="C66731"),
    Variable("XXUNIT", "Unit", "Char", core="Perm", codelist="C71620"),
)


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.open(Study.open("spms_aza"))


def dataset(dataset_class: str = "Special Purpose", **changes: Any) -> Dataset:
    frame = pd.DataFrame({"USUBJID": ["A", "B"], "XXSEQ": [1.0, 1.0], "XXSEX": ["F", ""], "XXUNIT": ["g/L", ""]})
    frame = frame.astype({"USUBJID": "str", "XXSEX": "str", "XXUNIT": "category"}).assign(**changes)
    metadata = DatasetMetadata("XX", "An example", dataset_class, "One record", ("USUBJID", "XXSEQ"), VARIABLES)
    rows = np.arange(len(frame))
    return Dataset(metadata, frame, edges(rows, "*", "REDCAP", rows, "*"))


def text(*values: str) -> pd.Series:
    return pd.Series(values, dtype="str")


def found(made: Dataset, terminology: Terminology) -> list[tuple[object, ...]]:
    return places(check_datasets([made], terminology), "variable", "rule", "severity", "rows")


def test_a_good_dataset_gives_nothing(terminology: Terminology) -> None:
    assert found(dataset(), terminology) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"USUBJID": text("A", "")}, ("USUBJID", "integrity.required", "error", 1)),
        ({"XXSEQ": [1.0, np.nan]}, ("XXSEQ", "integrity.required", "error", 1)),
        ({"XXSEQ": [1, 2]}, ("XXSEQ", "integrity.type", "error", 0)),
        ({"XXSEX": [1.0, 2.0]}, ("XXSEX", "integrity.type", "error", 0)),
        ({"XXSEX": text("F", "f")}, ("XXSEX", "integrity.term", "error", 1)),
        ({"XXUNIT": text("g/L", "grams")}, ("XXUNIT", "integrity.term_extended", "note", 1)),
        ({"USUBJID": text("A", "A")}, ("", "integrity.key", "error", 1)),
        ({"EXTRA": text("", "")}, ("", "integrity.structure", "error", 0)),
    ],
)
def test_each_fault_is_one_finding(
    changes: dict[str, Any], expected: tuple[object, ...], terminology: Terminology
) -> None:
    assert expected in found(dataset(**changes), terminology)
    assert len([row for row in found(dataset(**changes), terminology) if row[1] == expected[1]]) == 1


def test_missing_texts_may_not_be_nan(terminology: Terminology) -> None:
    broken = dataset(XXSEX=pd.Series(["F", None], dtype="str"))
    assert ("XXSEX", "integrity.type", "error", 0) in found(broken, terminology)


def test_the_order_of_variables_is_the_metadata_s(terminology: Terminology) -> None:
    made = dataset()
    turned = Dataset(made.metadata, made.frame[["XXSEQ", "USUBJID", "XXSEX", "XXUNIT"]], made.lineage)
    [sentence] = check_datasets([turned], terminology)["finding"]
    assert sentence == "XX has its variables in another order than its metadata"


def test_sentences_name_the_place(terminology: Terminology) -> None:
    [sentence] = check_datasets([dataset(XXSEX=text("F", "f"))], terminology)["finding"]
    assert (
        sentence == "XX.XXSEX holds 'f', which is not a term of codelist C66731, first where USUBJID is B, XXSEQ is 1.0"
    )


def test_every_row_has_a_source(terminology: Terminology) -> None:
    made = dataset()
    lost = Dataset(made.metadata, made.frame, made.lineage.iloc[:1])
    assert found(lost, terminology) == [("", "integrity.lineage", "error", 1)]
    stray = Dataset(made.metadata, made.frame.iloc[:1], made.lineage)
    assert found(stray, terminology) == [("", "integrity.lineage", "error", 1)]


def test_required_in_an_analysis_dataset_means_that_the_variable_is_there(terminology: Terminology) -> None:
    variables = (*VARIABLES[:2], Variable("XXSEX", "Sex", "Char", core="Req"), VARIABLES[3])
    made = dataset("BASIC DATA STRUCTURE")
    analysis = Dataset(made.metadata.with_variables(variables), made.frame, made.lineage)
    assert found(analysis, terminology) == []
    keyless = Dataset(analysis.metadata, analysis.frame.assign(USUBJID=text("A", "")), analysis.lineage)
    assert found(keyless, terminology) == [("USUBJID", "integrity.required", "error", 1)]
