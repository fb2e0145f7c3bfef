"""Words that add records: the new parameter, what is set, and which records they are made of."""

import pytest

from adam.derivations.computed_records import ComputedRecords, TransformedRecords
from adam.derivations.records import SummedRecords
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import added_by, numbers


def test_new_records_have_their_own_parameter_and_what_is_set(tmp_path):
    more = {"param": "Half", "paramn": 2, "parcat1": "C", "set": {"AVISIT": "End", "AVISITN": 9.0}}
    word = ComputedRecords(by=("USUBJID",), paramcd="NEW", weights={"A": 0.5}, **more)
    given = {"USUBJID": ["1"], "PARAMCD": ["A"], "PARAM": ["Whole"], "PARAMN": [1.0], "PARCAT1": ["B"]}
    made = added_by(word, tmp_path, **given, AVISIT=["Start"], AVISITN=[1.0], AVAL=[3.0])
    assert made.iloc[0].tolist() == ["1", "NEW", "Half", 2, "C", "End", 9, 1.5]
    assert word.changes() == ("AVAL", "PARAM", "PARCAT1", "PARAMN", "AVISIT", "AVISITN")
    assert word.sentence("PARAMN") == "'2' in the added records of NEW."


def test_what_names_the_parameter_is_not_set(tmp_path):
    word = ComputedRecords(by=("USUBJID",), paramcd="NEW", weights={"A": 1}, set={"PARAMN": 2.0})
    with pytest.raises(StudyError, match="the new records' PARAMN is written as 'paramn', not in 'set'"):
        word.check()


def test_a_set_value_has_the_type_of_its_variable(tmp_path):
    word = ComputedRecords(by=("USUBJID",), paramcd="NEW", weights={"A": 1}, set={"AVISIT": 2.0})
    with pytest.raises(StudyError, match="AVISIT would hold texts and numbers"):
        added_by(word, tmp_path, USUBJID=["1"], PARAMCD=["A"], AVISIT=["Start"], AVAL=[3.0])


def test_added_records_are_made_of_the_records_that_are_looked_at(tmp_path):
    late = read_condition({"ADY": {"above": 1}}, {}, "where")
    given = {"USUBJID": ["1"] * 3, "PARAMCD": ["A", "A", "B"], "ADY": [1.0, 2, 3], "AVAL": [1.0, 2, 4]}
    total = SummedRecords(by=("USUBJID",), from_paramcd=("A", "B"), paramcd="S", need=2, order=(), where=late)
    assert numbers(added_by(total, tmp_path, **given)["AVAL"]) == [6]
    assert total.sentence("AVAL") == (
        "S: sum of AVAL of A and B where ADY is above 1, if at least 2 have a value, within USUBJID."
    )
    logged = TransformedRecords(from_paramcd="A", paramcd="L", function="log2", where=late)
    assert numbers(added_by(logged, tmp_path, **given)["AVAL"]) == [1]
