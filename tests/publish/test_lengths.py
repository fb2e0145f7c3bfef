"""Lengths resolve over all datasets that share a variable."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from metadata.dataset import Dataset
from publish import lengths
from tests.publish.examples import make


def resolved(*datasets: Dataset) -> dict[str, dict[str, int | None]]:
    made = lengths.resolve({dataset.name: dataset for dataset in datasets})
    return {name: {v.name: v.length for v in dataset.metadata.variables} for name, dataset in made.items()}


def plain(name: str, **columns: list[object]) -> Dataset:
    return make(name, columns, resolved=False)


def test_a_shared_variable_takes_the_longest_value_of_all_datasets() -> None:
    found = resolved(
        plain("AE", USUBJID=["A-1"], AETERM=["Headache"]),
        plain("DM", USUBJID=["A-1", "A-10"], AGE=[44]),
        plain("ADAE", USUBJID=["A-1"], AETERM=["Nausea"]),
    )
    assert found == {
        "AE": {"USUBJID": 4, "AETERM": 8},
        "DM": {"USUBJID": 4, "AGE": 8},
        "ADAE": {"USUBJID": 4, "AETERM": 8},
    }


def test_bytes_count_not_characters() -> None:
    assert resolved(plain("AE", AETERM=["\u00e9\u00e9"]))["AE"]["AETERM"] == 4


def test_empty_and_rowless_texts_take_one_byte() -> None:
    assert resolved(plain("AE", AETERM=["", ""]), plain("CO", COVAL=[])) == {"AE": {"AETERM": 1}, "CO": {"COVAL": 1}}


def test_supplemental_datasets_are_exempt() -> None:
    found = resolved(
        plain("AE", USUBJID=["A-1"]),
        plain("DM", USUBJID=["A-1000"]),
        plain("SUPPAE", USUBJID=["A-1"], QVAL=["Y"]),
        plain("SUPPLB", USUBJID=["A-10"], QVAL=["x" * 30]),
    )
    assert found["SUPPAE"] == {"USUBJID": 3, "QVAL": 1}
    assert found["SUPPLB"] == {"USUBJID": 4, "QVAL": 30}
    assert found["AE"]["USUBJID"] == 6


def test_parts_of_a_split_dataset_have_equal_lengths() -> None:
    found = resolved(
        plain("QSED", QSTEST=["EDSS"]),
        plain("QSKF", QSTEST=["Pyramidal"]),
        plain("SUPPQSED", QVAL=["ab"]),
        plain("SUPPQSKF", QVAL=["abcd"]),
    )
    assert found["QSED"] == found["QSKF"] == {"QSTEST": 9}
    assert found["SUPPQSED"] == found["SUPPQSKF"] == {"QVAL": 4}


def test_a_declared_length_is_kept_and_others_are_as_long() -> None:
    declared = make("AE", {"AETERM": ["ab"]}, resolved=False, AETERM={"length": 20})
    assert resolved(declared, plain("ADAE", AETERM=["abc"])) == {"AE": {"AETERM": 20}, "ADAE": {"AETERM": 20}}


def test_unused_categories_do_not_widen() -> None:
    column = pd.Series(pd.Categorical(["ab", ""], ["", "ab", "abcdef"]))
    dataset = plain("AE", AETERM=["ab", ""])
    assert resolved(replace(dataset, frame=pd.DataFrame({"AETERM": column}))) == {"AE": {"AETERM": 2}}
