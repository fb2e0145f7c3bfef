"""One record of each group as a parameter of its own: which one, worked out by hand; nothing is chosen in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.selected_records import SelectedRecords
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, texts

GIVEN = {
    "USUBJID": ["A", "A", "A", "A", "B", "B", "C"],
    "PARAMCD": ["SYSBP", "SYSBP", "SYSBP", "DIABP", "SYSBP", "SYSBP", "SYSBP"],
    "ADT": [1.0, 3, 2, 9, 5, 6, 1],
    "ASEQ": [1.0, 2, 3, 4, 1, 2, 1],
    "AVAL": [140.0, 130, 150, 99, 120, None, None],
    "AVISIT": ["W1", "W3", "W2", "W9", "W1", "W2", "W1"],
}


def word(mode, **more):
    asked = {"by": ("USUBJID",), "from_paramcd": ("SYSBP",), "order": ("ADT", "ASEQ"), "paramcd": "NEW"}
    return SelectedRecords(mode=mode, **(asked | more))


@pytest.mark.parametrize(
    ("mode", "rows"), [("first", [0, 4]), ("last", [1, 4]), ("minimum", [1, 4]), ("maximum", [2, 4])]
)
def test_which_record_is_copied(tmp_path, mode, rows):
    added = word(mode, set={"AVISIT": "Chosen"}).add(columns(**GIVEN), 7, context(tmp_path))
    assert list(added.template) == rows
    assert texts(added.changed["PARAMCD"]) == ["NEW", "NEW"] and texts(added.changed["AVISIT"]) == ["Chosen"] * 2
    assert "DTYPE" not in added.changed and "AVAL" not in added.changed
    assert sorted(zip(*added.contributors, strict=True)) == [(0, 0), (0, 1), (0, 2), (1, 4)]


def test_a_condition_narrows_and_a_descending_order_turns(tmp_path):
    where = read_condition({"ADT": {"below": 3}}, {}, "where")
    assert list(word("last", where=where).add(columns(**GIVEN), 7, context(tmp_path)).template) == [2]
    assert list(word("first", order=("-ADT",)).add(columns(**GIVEN), 7, context(tmp_path)).template) == [1, 4]


def test_records_that_are_not_told_apart_are_an_error(tmp_path):
    same = GIVEN | {"ADT": [1.0] * 7}
    for mode in ("first", "last"):
        with pytest.raises(StudyError, match=f"NEW: several records are the {mode} within USUBJID; add a variable"):
            word(mode, order=("ADT",)).add(columns(**same), 7, context(tmp_path))
    equal = same | {"AVAL": [140.0, 140, 150, 99, 120, None, None]}
    with pytest.raises(StudyError, match="several records are the minimum"):
        word("minimum", order=("ADT",)).add(columns(**equal), 7, context(tmp_path))


@given(values=st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 5)), min_size=1, max_size=12))
def test_the_last_is_the_first_of_the_order_turned_and_each_group_with_a_value_has_one(tmp_path_factory, values):
    made = columns(
        USUBJID=[subject for subject, _ in values], PARAMCD=["SYSBP"] * len(values),
        AVAL=[float(value) for _, value in values], ASEQ=[float(at) for at in range(len(values))],
    )  # fmt: skip
    here = context(tmp_path_factory.mktemp("trial"))
    last = word("last", order=("ASEQ",)).add(made, len(values), here)
    turned = word("first", order=("-ASEQ",)).add(made, len(values), here)
    assert list(last.template) == list(turned.template)
    greatest = word("maximum", order=("ASEQ",)).add(made, len(values), here)
    chosen = {values[row][0]: values[row][1] for row in greatest.template}
    assert chosen == {owner: max(value for subject, value in values if subject == owner) for owner, _ in values}
    assert len(greatest.template) == len(chosen)
