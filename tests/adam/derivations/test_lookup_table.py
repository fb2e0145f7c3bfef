"""Values from a table of the study: found by one or several variables, and what is not found is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.lookup_table import TableLookup
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, texts

TABLE = "term,grade,weight,class\nHEADACHE,1,0.5,Nervous\nHEADACHE,2,1.5,Nervous\nRASH,1,,Skin\n"


def word(**more):
    asked = {"keys": {"AEDECOD": "term", "GRADE": "grade"}, "variables": {"CLASS": "class", "WEIGHT": "weight"}}
    return TableLookup(table="terms.csv", numeric=("WEIGHT",), **(asked | more))


def looked_up(folder, made, text=TABLE, **given_columns):
    here = context(folder)
    (here.study.folder / "terms.csv").write_text(text, encoding="utf-8")
    made.check()
    made.check_files(here.study)
    return made.derive(columns(**given_columns), len(next(iter(given_columns.values()))), here).columns


def test_several_variables_find_a_row_and_a_missing_one_finds_none(tmp_path):
    found = looked_up(tmp_path, word(), AEDECOD=["RASH", "HEADACHE", "", "HEADACHE"], GRADE=[1.0, 2.0, 1.0, None])
    assert texts(found["CLASS"]) == ["Skin", "Nervous", "", ""]
    assert numbers(found["WEIGHT"]) == [None, 1.5, None, None]


def test_what_the_table_does_not_have_is_said_or_left_missing_on_purpose(tmp_path):
    asked = {"AEDECOD": ["RASH", "RASH"], "GRADE": [1.0, 2.0]}
    with pytest.raises(StudyError) as caught:
        looked_up(tmp_path, word(), **asked)
    assert "terms.csv has no row for AEDECOD 'RASH', GRADE '2'; add it, or say 'not_found: missing'" in str(
        caught.value
    )
    assert texts(looked_up(tmp_path, word(not_found="missing"), **asked)["CLASS"]) == ["Skin", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TABLE + "RASH,1,,Skin\n", "line 5, key 'term': RASH, 1 is in two rows"),
        (TABLE.replace("0.5", "half"), "line 2, key 'weight': 'half' is not a number"),
        (TABLE.replace("class", "klass"), "line 1: the column 'class' is missing (did you mean 'klass'?)"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path, text, said):
    with pytest.raises(StudyError) as caught:
        looked_up(tmp_path, word(), text, AEDECOD=["RASH"], GRADE=[1.0])
    assert said in str(caught.value)


def test_a_table_that_is_not_there_and_a_number_that_is_no_new_variable(tmp_path):
    with pytest.raises(StudyError, match=r"the study has no file terms\.csv"):
        word().check_files(context(tmp_path).study)
    with pytest.raises(StudyError, match="numeric: WEIGTH is none of the new variables"):
        TableLookup(table="t.csv", keys={"A": "a"}, variables={"WEIGHT": "w"}, numeric=("WEIGTH",)).check()


@given(keys=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True), data=st.data())
def test_it_finds_what_a_dictionary_finds(tmp_path_factory, keys, data):
    asked = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=10))
    text = "key,value\n" + "".join(f"{key},{key * 2}\n" for key in keys)
    made = TableLookup(table="terms.csv", keys={"K": "key"}, variables={"V": "value"}, not_found="missing")
    found = looked_up(tmp_path_factory.mktemp("trial"), made, text, K=asked)
    assert texts(found["V"]) == [{key: key * 2 for key in keys}.get(one, "") for one in asked]
    assert len(np.asarray(found["V"].codes)) == len(asked)
