"""The first or last event of several datasets: worked out by hand, and against a plain search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.extreme_event import EventSource, ExtremeEvent
from metadata.condition import read_condition
from metadata.errors import StudyError
from metadata.variable_kind import CHAR, DATE, PLAIN_NUMBER
from tests.adam.trial import columns, context, dataset, numbers, texts

DAY = 14619.0
"""2000-01-10."""
EVENTS = {
    "USUBJID": ["A", "A", "B", "C"],
    "AESTDTC": ["2000-01-10", "2000-01-20", "2000-01", ""],
    "AEDECOD": ["One", "Two", "Three", "Four"],
    "AESEQ": [1.0, 2, 1, 1],
}
ENDS = {"USUBJID": ["A", "C"], "DSSTDT": [DAY, DAY + 5], "DSTERM": ["Left", "Gone"]}
ADVERSE = EventSource("AE", "AESTDTC", order=("AESEQ",), variables={"CAUSE": "AEDECOD"}, set={"DOM": "AE"})
END = EventSource("DS", "DSSTDT", variables={"CAUSE": "DSTERM"}, set={"DOM": "DS"})


def found(tmp_path, *sources, mode="first", events=EVENTS):
    made = ExtremeEvent(sources=sources, mode=mode, to="EVDT")
    there = [dataset("AE", **events), dataset("DS", **ENDS)]
    outcome = made.derive(columns(USUBJID=["A", "B", "C", "D"]), 4, context(tmp_path, *there))
    return outcome, numbers(outcome.columns["EVDT"])


def test_the_earliest_of_two_sources_and_on_one_day_the_first_listed(tmp_path):
    outcome, days = found(tmp_path, ADVERSE, END)
    assert days == [DAY, None, DAY + 5, None]
    assert texts(outcome.columns["CAUSE"]) == ["One", "", "Gone", ""]
    assert texts(outcome.columns["DOM"]) == ["AE", "", "DS", ""]
    outcome, _ = found(tmp_path, END, ADVERSE)
    assert texts(outcome.columns["CAUSE"]) == ["Left", "", "Gone", ""]


def test_the_latest_and_a_partial_date_that_is_imputed(tmp_path):
    imputed = EventSource("AE", "AESTDTC", impute="last", variables={"CAUSE": "AEDECOD"})
    outcome, days = found(tmp_path, imputed, END, mode="last")
    assert days == [DAY + 10, DAY + 21, DAY + 5, None]
    assert texts(outcome.columns["CAUSE"]) == ["Two", "Three", "Gone", ""]


def test_each_value_has_the_record_that_it_comes_from(tmp_path):
    outcome, _ = found(tmp_path, ADVERSE, END)
    edges = {
        (one.variable, one.source, one.source_variable): (list(one.row), list(one.source_row)) for one in outcome.edges
    }
    assert edges["CAUSE", "AE", "AEDECOD"] == ([0], [0]) and edges["EVDT", "DS", "DSSTDT"] == ([2], [1])
    assert edges["DOM", "AE", "AESTDTC"] == ([0], [0])


def test_records_of_one_day_that_differ_are_refused_unless_an_order_tells_them_apart(tmp_path):
    same = EVENTS | {"AESTDTC": ["2000-01-10"] * 4}
    undecided = EventSource("AE", "AESTDTC", variables={"CAUSE": "AEDECOD"})
    with pytest.raises(StudyError, match=r"AE.AESTDTC has several records of one day for the same USUBJID that differ"):
        found(tmp_path, undecided, events=same)
    assert texts(found(tmp_path, ADVERSE, events=same)[0].columns["CAUSE"]) == ["One", "Three", "Four", ""]
    outcome, _ = found(tmp_path, ADVERSE, mode="last", events=same)
    assert texts(outcome.columns["CAUSE"]) == ["Two", "Three", "Four", ""]
    narrowed = EventSource("AE", "AESTDTC", read_condition({"AESEQ": 2}, {}, "where"), variables={"CAUSE": "AEDECOD"})
    assert texts(found(tmp_path, narrowed, events=same)[0].columns["CAUSE"]) == ["Two", "", "", ""]


def test_kinds_that_do_not_go_together_are_refused():
    kinds = {
        "AE": {"AESTDTC": CHAR, "AEDECOD": CHAR, "AESEQ": PLAIN_NUMBER},
        "DS": {"DSSTDT": DATE, "DSTERM": CHAR},
    }
    ExtremeEvent(sources=(ADVERSE, END), to="EVDT").check_kinds(kinds)
    number = EventSource("AE", "AESTDTC", variables={"CAUSE": "AESEQ"})
    with pytest.raises(StudyError, match=r"CAUSE would be .* from one source and .* from another"):
        ExtremeEvent(sources=(number, END), to="EVDT").check_kinds(kinds)
    with pytest.raises(StudyError, match=r"AE.AESEQ is a number, not a date"):
        ExtremeEvent(sources=(EventSource("AE", "AESEQ"),), to="EVDT").check_kinds(kinds)
    with pytest.raises(StudyError, match="nothing is made"):
        ExtremeEvent(sources=(EventSource("AE", "AESTDTC"),)).check()


EVENT = st.tuples(st.sampled_from("ABC"), st.integers(0, 6), st.sampled_from(["AE", "DS"]))


@given(st.lists(EVENT, min_size=1, max_size=12, unique_by=lambda one: one), st.sampled_from(["first", "last"]))
def test_as_a_plain_search_finds_it(tmp_path_factory, events, mode):
    events = [*events, ("Z", 0, "AE"), ("Z", 0, "DS")]
    there = [
        dataset(name, USUBJID=[who for who, _, of in events if of == name],
                EVDT=[DAY + day for _, day, of in events if of == name])
        for name in ("AE", "DS")
    ]  # fmt: skip
    sources = tuple(EventSource(name, "EVDT", set={"DOM": name}) for name in ("AE", "DS"))
    made = ExtremeEvent(sources=sources, mode=mode, to="DT")
    outcome = made.derive(columns(USUBJID=list("ABC")), 3, context(tmp_path_factory.mktemp("s"), *there))
    pick = min if mode == "first" else max
    for place, who in enumerate("ABC"):
        days = [(day, of) for mine, day, of in events if mine == who]
        best = pick((day for day, _ in days), default=None)
        assert numbers(outcome.columns["DT"])[place] == (None if best is None else DAY + best)
        domains = sorted(of for day, of in days if day == best)
        assert texts(outcome.columns["DOM"])[place] == (domains[0] if domains else "")
