"""The columns of a frame, each read once, and those of a dataset."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from metadata.condition import Condition
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.frame_columns import FrameColumns


@pytest.fixture
def dataset() -> Dataset:
    metadata = DatasetMetadata("AE", "Adverse Events", "Events", "", ("AETERM",), (Variable("AETERM", "Term", "Char"),))
    return Dataset(
        metadata, pd.DataFrame({"AETERM": pd.Series(["x", "y", "x"], dtype="str"), "AESEQ": [1.0, 2.0, np.nan]})
    )


def test_a_dataset_reads_a_variable_once_and_keeps_it_under_other_metadata(dataset: Dataset) -> None:
    coded = dataset.coded("AETERM")
    assert dataset.coded("AESEQ").array().tolist() == ["1", "2", ""]
    assert dataset.coded("AETERM") is coded
    assert dataset.with_metadata(dataset.metadata).coded("AETERM") is coded


def test_another_process_gets_the_dataset_and_reads_it_itself(dataset: Dataset) -> None:
    dataset.coded("AETERM")
    received = pickle.loads(pickle.dumps(dataset))
    assert received.frame.equals(dataset.frame)
    assert "columns" not in received.__dict__
    assert received.coded("AETERM").array().tolist() == ["x", "y", "x"]


def test_categories_that_no_row_has_are_left_out() -> None:
    column = pd.Series(pd.Categorical(["c", "a"], categories=["a", "b", "c"]))
    coded = FrameColumns(pd.DataFrame({"X": column})).coded("X")
    assert coded.texts == ("", "a", "c")
    assert coded.array().tolist() == ["c", "a"]


def test_numbers_are_their_shortest_texts_and_a_missing_one_is_blank() -> None:
    columns = FrameColumns(pd.DataFrame({"X": [1.0, 0.1, np.nan, 1.0, 1e20]}))
    assert columns.coded("X").array().tolist() == ["1", "0.1", "", "1", "1e+20"]


def test_rows_with_a_value() -> None:
    columns = FrameColumns(pd.DataFrame({"T": ["", "a"], "N": [0.0, np.nan]}))
    assert columns.filled("T").tolist() == [False, True]
    assert columns.filled("N").tolist() == [True, False]


def test_a_variable_that_nobody_has_is_missing_in_every_record_and_no_other_is_known() -> None:
    frame = pd.DataFrame({"LBORRES": ["5", ""], "LBSTRESN": [5.0, np.nan]})
    kinds = {"LBSTAT": "Char", "LBDY": "Num", "LBORRES": "Char", "LBSTRESN": "Num"}
    columns = FrameColumns(frame, kinds, ["LBSTAT", "LBDY", "LBORRES"])
    assert columns.kinds == kinds and "LBREASND" not in columns
    assert columns.coded("LBSTAT").array().tolist() == ["", ""]
    assert np.isnan(columns.numbers("LBDY")).all() and not columns.filled("LBDY").any()
    assert columns.coded("LBORRES").array().tolist() == ["5", ""]
    for where, kept in (({"LBSTAT": {"missing": True}}, [True, True]), ({"LBSTAT": "NOT DONE"}, [False, False]),
                        ({"LBDY": {"at_least": 1}}, [False, False])):  # fmt: skip
        assert Condition.read(where, where, "where").holds(columns, 2).tolist() == kept
