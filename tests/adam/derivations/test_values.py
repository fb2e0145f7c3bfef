import pytest

from adam.derivations.values import (
    AnalysisParameter,
    Bands,
    Coalesce,
    NumberFromText,
    Parameters,
    Recode,
    ValueBand,
)
from metadata.condition import read_condition
from metadata.errors import StudyError
from metadata.variable_kind import ClosedText
from tests.adam.trial import columns, context, numbers, texts

TABLE = {
    "PROT": AnalysisParameter("PROT", "Protein (g/L)", 1, "CHEMISTRY", "g/L"),
    "UPROT": AnalysisParameter("PROT", "Urine Protein", 2, "URINE", None, read_condition({"CAT": "U"}, {}, "where")),
}


def test_parameters_by_test_and_condition(tmp_path):
    word = Parameters(source="T", paramcd=TABLE, source_unit="U")
    assert word.reads == ("T", "CAT", "U")
    result = word.derive(columns(T=["PROT", "PROT"], CAT=["C", "U"], U=["g/L", ""]), 2, context(tmp_path)).columns
    assert texts(result["PARAMCD"]) == ["PROT", "UPROT"]
    assert numbers(result["PARAMN"]) == [1, 2]
    assert texts(result["PARCAT1"]) == ["CHEMISTRY", "URINE"]


def test_unknown_tests_and_units_are_refused(tmp_path):
    word = Parameters(source="T", paramcd=TABLE, source_unit="U")
    with pytest.raises(StudyError, match="T ALB and GLUC has no parameter"):
        word.derive(columns(T=["GLUC", "PROT", "ALB"], CAT=[""] * 3, U=[""] * 3), 3, context(tmp_path))
    with pytest.raises(StudyError, match="T PROT is in g/L, but U is mg/dL in 1 record"):
        word.derive(columns(T=["PROT", "PROT"], CAT=["C", "C"], U=["g/L", "mg/dL"]), 2, context(tmp_path))


def test_recode(tmp_path):
    strict = Recode(source="A", to="N", values={"MILD": 1, "SEVERE": 3})
    assert numbers(strict.derive(columns(A=["SEVERE", "", "MILD"]), 3, context(tmp_path)).columns["N"]) == [3, None, 1]
    with pytest.raises(StudyError, match="A is 'ODD', which the values do not name"):
        strict.derive(columns(A=["ODD"]), 1, context(tmp_path))
    loose = Recode(
        source="A", to="S", values={"COMPLETED": "COMPLETED"}, otherwise="DISCONTINUED", if_missing="ONGOING"
    )
    made = loose.derive(columns(A=["COMPLETED", "DEATH", ""]), 3, context(tmp_path)).columns["S"]
    assert texts(made) == ["COMPLETED", "DISCONTINUED", "ONGOING"]


def test_a_recode_gives_numbers_or_texts_not_both(tmp_path):
    zero = Recode(source="A", to="N", values={"NO": 0, "YES": 1}, otherwise="", if_missing=9)
    assert numbers(zero.derive(columns(A=["NO", "ODD", ""]), 3, context(tmp_path)).columns["N"]) == [0, None, 9]
    assert zero.sentence("N") == "0 if A is NO, 1 if A is YES, 9 if A is missing, else missing."
    for mixed in (
        {"values": {"A": 1, "B": "2"}},
        {"values": {"A": 1}, "otherwise": "2"},
        {"values": {"A": "1"}, "if_missing": 2},
    ):
        with pytest.raises(
            StudyError, match="all numbers, or all texts; write a number that is meant as text in quotes"
        ):
            Recode(source="A", to="N", **mixed).check()


def test_bands_put_a_limit_into_the_upper_band(tmp_path):
    word = Bands(source="AGE", to="G", to_number="N", bands=(ValueBand("<45", 45), ValueBand(">=45")))
    result = word.derive(columns(AGE=[44.0, 45, None]), 3, context(tmp_path)).columns
    assert texts(result["G"]) == ["<45", ">=45", ""]
    assert numbers(result["N"]) == [1, 2, None]
    with pytest.raises(StudyError, match="from low to high"):
        Bands(source="AGE", to="G", bands=(ValueBand("a", 50), ValueBand("b", 45), ValueBand("c"))).check()


def test_coalesce_and_number(tmp_path):
    made = columns(A=["x", "", ""], B=["y", "z", ""])
    assert texts(Coalesce(source=("A", "B"), to="C").derive(made, 3, context(tmp_path)).columns["C"]) == [
        "x",
        "z",
        "",
    ]
    made = columns(G=["2", "", "0"])
    assert numbers(NumberFromText(source="G", to="N").derive(made, 3, context(tmp_path)).columns["N"]) == [2, None, 0]
    with pytest.raises(StudyError, match="G is 'II'"):
        NumberFromText(source="G", to="N").derive(columns(G=["II"]), 1, context(tmp_path))


def test_the_texts_of_the_first_that_is_there_are_those_of_all_if_each_is_a_closed_list():
    word, kinds = Coalesce(source=("A", "B"), to="C"), {"A": ClosedText(["x", "y"]), "B": ClosedText(["z", "x"])}
    found = word.closed_texts("C", {"": kinds})
    assert found is not None and found.texts == ("x", "y", "z")
    assert word.closed_texts("C", {"": kinds | {"B": "Char"}}) is None
