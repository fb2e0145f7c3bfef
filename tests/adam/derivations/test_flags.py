import pytest

from adam.derivations.flags import (
    Criterion,
    Flag,
    FlagOne,
    OnTreatment,
    TreatmentEmergent,
)
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, texts


def condition(wanted):
    return read_condition(wanted, {}, "when")


def test_population_flags_are_y_or_n(tmp_path):
    word = Flag(to="COMPLFL", condition=condition({"EOSSTT": "COMPLETED"}), otherwise="N")
    made = columns(EOSSTT=["COMPLETED", "DISCONTINUED", ""])
    assert texts(word.derive(made, 3, context(tmp_path)).columns["COMPLFL"]) == ["Y", "N", "N"]


def test_text_is_not_compared_as_a_number(tmp_path):
    word = Flag(to="F", condition=condition({"A": {"above": 1}}))
    with pytest.raises(StudyError, match="A holds text; a number is needed"):
        word.derive(columns(A=["x"]), 1, context(tmp_path))


def test_first_of_the_greatest_severity(tmp_path):
    made = columns(
        USUBJID=["A", "A", "A", "B", "C"],
        ASEVN=[1.0, 3, 3, 2, 3],
        ASTDT=[1.0, 9, 5, 1, 1],
        TRTEMFL=["Y", "Y", "Y", "Y", ""],
    )
    first = FlagOne(to="F", by=("USUBJID",), order=("ASTDT",), where=condition({"TRTEMFL": "Y"}))
    worst = FlagOne(to="F", by=("USUBJID",), order=("-ASEVN", "ASTDT"), where=condition({"TRTEMFL": "Y"}))
    assert first.reads == ("USUBJID", "TRTEMFL", "ASTDT")
    assert texts(first.derive(made, 5, context(tmp_path)).columns["F"]) == ["Y", "", "", "Y", ""]
    assert texts(worst.derive(made, 5, context(tmp_path)).columns["F"]) == ["", "", "Y", "Y", ""]


def test_criterion_is_y_or_n(tmp_path):
    word = Criterion(to="CRIT1", to_flag="CRIT1FL", text="Low", condition=condition({"V": {"below": 1.5}}))
    result = word.derive(columns(V=[1.49, 1.5]), 2, context(tmp_path)).columns
    assert texts(result["CRIT1"]) == ["Low", "Low"]
    assert texts(result["CRIT1FL"]) == ["Y", "N"]


def emergent(tmp_path, start, end, first=100.0, last=200.0, **given):
    word = TreatmentEmergent(initial="I" if given else None, worst="W" if given else None)
    made = columns(ASTDT=[start], AENDT=[end], TRTSDT=[first], TRTEDT=[last], **{k: [v] for k, v in given.items()})
    return texts(word.derive(made, 1, context(tmp_path)).columns["TRTEMFL"])[0]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (99, 150, ""),
        (100, 101, "Y"),
        (230, None, "Y"),
        (231, None, ""),
        (None, 99, ""),
        (None, 100, "Y"),
        (None, None, "Y"),
    ],
)
def test_treatment_emergent(tmp_path, start, end, expected):
    assert emergent(tmp_path, start, end) == expected


def test_worsening_counts_unless_it_ended_before_treatment(tmp_path):
    assert emergent(tmp_path, 50, 120, I=1.0, W=2.0) == "Y"
    assert emergent(tmp_path, 50, 99, I=1.0, W=2.0) == ""
    assert emergent(tmp_path, 50, 120, I=2.0, W=2.0) == ""


def test_never_treated_and_still_treated(tmp_path):
    assert emergent(tmp_path, 120, None, first=None, last=None) == ""
    assert emergent(tmp_path, 900, None, last=None) == "Y"


def test_on_treatment_begins_after_the_day_of_first_dose(tmp_path):
    made = columns(ADT=[100.0, 101, 230, 231, None], TRTSDT=[100.0] * 5, TRTEDT=[200.0] * 5)
    assert texts(OnTreatment().derive(made, 5, context(tmp_path)).columns["ONTRTFL"]) == ["", "Y", "Y", "", ""]


def test_records_that_the_order_does_not_tell_apart_are_an_error(tmp_path):
    made = columns(USUBJID=["A", "A", "A", "B"], ASEVN=[2.0, 3, 3, 1], ASTDT=[1.0, 5, 5, 1])
    word = FlagOne(to="F", by=("USUBJID",), order=("-ASEVN", "ASTDT"))
    with pytest.raises(StudyError, match="several records come first within USUBJID; add a variable to 'order'"):
        word.derive(made, 4, context(tmp_path))
    first = FlagOne(to="F", by=("USUBJID",), order=("ASEVN",))  # the tie is not at the front
    assert texts(first.derive(made, 4, context(tmp_path)).columns["F"]) == ["Y", "", "", "Y"]
