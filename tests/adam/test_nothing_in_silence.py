"""What a derivation could lose, count twice or choose by the order of rows; the values are worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.columns.grouping import sorted_by
from adam.derivations.computed_records import ComputedRecords, SummaryRecords
from adam.derivations.expected_records import ExpectedRecords, LocfRecords, Subjects
from adam.derivations.flags import Criterion, TreatmentEmergent
from adam.derivations.records import ExtremeRecords, Sequence
from adam.derivations.time_course import Spaced, StatusClass
from adam.derivations.time_to_event import Moment, TimeToEvent, TimeToEventParameter
from adam.derivations.windows import Schedule
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import added_by, columns, context, dataset, derived, made_by, numbers, texts


def condition(wanted):
    return read_condition(wanted, {}, "condition")


def criterion(tmp_path, wanted, if_missing="", **given_):
    word = Criterion(to="CRIT1", to_flag="CRIT1FL", text="x", condition=condition(wanted), if_missing=if_missing)
    return texts(made_by(word, tmp_path, **given_)["CRIT1FL"])


def test_a_criterion_is_missing_where_its_value_is(tmp_path):
    given_ = {"AVAL": [139.0, 140, None], "ADY": [2.0, 2, 2]}
    assert criterion(tmp_path, {"AVAL": {"below": 140}}, **given_) == ["Y", "N", ""]
    assert criterion(tmp_path, {"AVAL": {"below": 140}}, "N", **given_) == ["Y", "N", "N"]


def test_a_criterion_that_other_variables_decide_is_not_missing(tmp_path):
    given_ = {"AVAL": [None, None, 150, 150], "ANRHI": [100.0, 100, None, None], "SEX": ["M", "F", "M", "F"]}
    above = {"variable": "ANRHI"}
    assert criterion(tmp_path, {"AVAL": {"above": above}, "SEX": "F"}, **given_) == ["N", "", "N", ""]
    assert criterion(tmp_path, [{"AVAL": {"above": above}}, {"SEX": "F"}], **given_) == ["", "Y", "", "Y"]
    assert criterion(tmp_path, {"AVAL": {"missing": True}}, **given_) == ["Y", "Y", "N", "N"]
    assert criterion(tmp_path, {"AVAL": {"not": 150}}, **given_) == ["", "", "N", "N"]


VALUES = st.one_of(st.none(), st.integers(0, 3).map(float))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6))
def test_a_criterion_is_decided_where_no_missing_value_could_change_it(tmp_path_factory, rows):
    """Y or N only where the condition has the same outcome whatever the missing values were."""
    wanted = [{"A": {"at_least": 2}}, {"A": {"below": {"variable": "B"}}, "B": {"not": 3}}]
    given_ = {"A": [*(row[0] for row in rows), 0.0], "B": [*(row[1] for row in rows), 0.0]}
    flags = criterion(tmp_path_factory.mktemp("study"), wanted, **given_)

    def holds(a, b):
        return a >= 2 or (a < b and b != 3)

    choices = [-10.0, -9, 0, 0.5, 1, 1.5, 2, 2.5, 3, 9, 10]
    for (a, b), flag in zip(rows, flags, strict=False):
        outcomes = {
            holds(x, y) for x in ([a] if a is not None else choices) for y in ([b] if b is not None else choices)
        }
        assert outcomes == {flag == "Y"} if flag else None in (a, b)


def test_a_sequence_with_ties_is_an_error(tmp_path):
    given_ = {"USUBJID": ["A", "A", "B"], "ADT": [1.0, 1, 1]}
    with pytest.raises(StudyError, match="several records have one place within USUBJID; add a variable to 'order'"):
        made_by(Sequence(by=("USUBJID",), order=("ADT",)), tmp_path, **given_)
    word = Sequence(by=("USUBJID",), order=("ADT", "-SEQ"))
    assert numbers(made_by(word, tmp_path, **given_, SEQ=[1.0, 2, 1])["ASEQ"]) == [2, 1, 1]


def test_no_other_derivation_chooses_by_the_order_of_rows(tmp_path):
    """What ties leave open is an error, and no tie where it makes no difference."""
    given_ = {"USUBJID": ["A", "A"], "ADT": [1.0, 1], "SEQ": [2.0, 1]}
    with pytest.raises(StudyError, match="several records of one ADT within USUBJID"):
        made_by(Spaced(by=("USUBJID",), date="ADT", days=30, to="F"), tmp_path, **given_)
    ordered = Spaced(by=("USUBJID",), date="ADT", days=30, to="F", order=("SEQ",))
    assert texts(made_by(ordered, tmp_path, **given_)["F"]) == ["", "Y"]
    samples = {"where": condition({"POS": ["Y", "N"]}), "condition": condition({"POS": "Y"})}
    word = StatusClass(by=("USUBJID",), order=("ADT",), to="C", **samples)
    with pytest.raises(StudyError, match="a positive and a negative sample have one place within USUBJID"):
        made_by(word, tmp_path, **given_, POS=["Y", "N"])
    assert texts(made_by(word, tmp_path, **given_, POS=["Y", "Y"])["C"]) == ["PERSISTENT"] * 2
    visits = {**given_, "PARAMCD": ["P", "P"], "AVISIT": ["Baseline"] * 2, "AVISITN": [2.0, 2]}
    carried = LocfRecords(by=("USUBJID", "PARAMCD"), schedules=(Schedule(visits=("BASELINE", "WEEK 2")),))
    with pytest.raises(StudyError, match="several records are the last of a visit within USUBJID and PARAMCD"):
        added_by(carried, tmp_path, **visits, AVAL=[1.0, 2])
    assert numbers(added_by(carried, tmp_path, **visits, AVAL=[2.0, 2])["AVAL"]) == [2]
    kept = SummaryRecords(
        by=("USUBJID",), from_paramcd=("P",), paramcd="S", function="sum", order=("ADT",), keep_last=("SEQ",)
    )
    with pytest.raises(StudyError, match="S: several records come first or last within USUBJID"):
        added_by(kept, tmp_path, **visits, PARAMN=[1.0, 1], AVAL=[1.0, 2])


def test_events_without_a_group_are_events_of_their_own(tmp_path):
    """Of subject A one event began before treatment and one after it; a blank group does not make them one."""
    word = TreatmentEmergent(by=("USUBJID", "AEGRPID"), worst="ASEVN", days=None)
    made = made_by(
        word,
        tmp_path,
        USUBJID=["A", "A", "B", "B"],
        AEGRPID=["", "", "1", "1"],
        ASTDT=[5.0, 15, 5, 15],
        AENDT=[None] * 4,
        TRTSDT=[10.0] * 4,
        TRTEDT=[99.0] * 4,
        ASEVN=[1.0, 1, 1, 1],
    )
    assert texts(made["TRTEMFL"]) == ["", "Y", "", ""]


def test_null_keys_come_first(tmp_path):
    made = derived(
        tmp_path,
        """
        dataset: ADCM
        label: Medication
        guide: OCCDS
        structure: One record per medication
        source: {dataset: CM}
        keys: [USUBJID, ADOSE, ANOTE]
        derivations:
          - copy: {variables: {ADOSE: CMDOSE, ANOTE: CMTRT}}
        variables: {STUDYID: , USUBJID: , CMTRT: , ADOSE: {label: Dose}, ANOTE: {label: Note}}
        """,
        dataset(
            "CM", STUDYID=["S"] * 4, USUBJID=["A", "A", "A", "A"], CMDOSE=[2.0, None, -1, 2], CMTRT=["b", "c", "d", ""]
        ),
    )
    assert numbers(made.frame["ADOSE"]) == [None, -1, 2, 2]
    assert texts(made.frame["ANOTE"]) == ["c", "d", "", "b"]


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-2, 2).map(float)), st.sampled_from(["", "a", "b"]))))
def test_rows_are_sorted_with_missing_first(rows):
    keys = [
        np.array([np.nan if one is None else one for one, _ in rows], float),
        columns(X=["x", *(t for _, t in rows)])["X"],
    ]
    keys[1] = keys[1].take(np.arange(1, len(rows) + 1))
    order = sorted_by(keys)
    assert [rows[at] for at in order] == sorted(rows, key=lambda row: (row[0] is not None, row[0] or 0, row[1]))


DOSES = {
    "USUBJID": ["A", "A", "B"],
    "PARAMCD": ["DOSE"] * 3,
    "PARAM": ["Dose"] * 3,
    "PARAMN": [1.0] * 3,
    "ASTDT": [10.0, 40, 20],
    "AENDT": [30.0, 90, 25],
    "EXSEQ": [1.0, 2, 1],
    "SEX": ["F", "F", "M"],
    "AVAL": [5.0, 7, 3],
}


def test_a_summary_holds_what_its_records_agree_in(tmp_path):
    word = SummaryRecords(by=("USUBJID",), from_paramcd=("DOSE",), paramcd="CUM", function="sum", order=("ASTDT",))
    made = added_by(word, tmp_path, **DOSES)
    assert numbers(made["AVAL"]) == [12, 3]
    assert texts(made["SEX"]) == ["F", "M"]
    # A's two intervals have two starts, ends and numbers; B has one interval.
    assert [numbers(made[name]) for name in ("ASTDT", "AENDT", "EXSEQ")] == [[None, 20], [None, 25], [None, 1]]


def test_a_summary_ends_where_its_last_record_does(tmp_path):
    word = SummaryRecords(
        by=("USUBJID",), from_paramcd=("DOSE",), paramcd="CUM", function="sum", order=("ASTDT",), keep_first=("ASTDT",),
        keep_last=("AENDT",),
    )  # fmt: skip
    made = added_by(word, tmp_path, **DOSES)
    assert [numbers(made[name]) for name in ("ASTDT", "AENDT")] == [[10, 20], [90, 25]]
    assert word.sentence("AENDT") == "That of the last record by ASTDT in the added records of CUM."
    with pytest.raises(StudyError, match="AENDT is taken of the first record and of the last one"):
        SummaryRecords(by=("USUBJID",), from_paramcd=("X",), paramcd="Y", function="sum", keep_first=("AENDT",),
                       keep_last=("AENDT",)).check()  # fmt: skip


def test_a_computed_record_holds_what_its_records_agree_in(tmp_path):
    word = ComputedRecords(by=("USUBJID",), paramcd="BMI", powers={"W": 1, "H": -2})
    made = added_by(
        word, tmp_path, USUBJID=["A", "A"], PARAMCD=["H", "W"], ADT=[1.0, 2], VISIT=["V", "V"], AVAL=[2.0, 80]
    )
    assert (numbers(made["AVAL"]), numbers(made["ADT"]), texts(made["VISIT"])) == ([20], [None], ["V"])


@given(st.permutations(range(5)))
def test_a_summary_does_not_depend_on_the_order_of_the_rows(tmp_path_factory, order):
    given_ = {
        "USUBJID": ["A", "A", "A", "B", "B"],
        "PARAMCD": ["P"] * 5,
        "PARAMN": [1.0] * 5,
        "ADT": [3.0, 3, 5, 7, 7],
        "SEQ": [1.0, 2, 3, 1, 2],
        "AVAL": [1.0, 2, 4, 8, 16],
    }
    word = SummaryRecords(by=("USUBJID",), from_paramcd=("P",), paramcd="S", function="sum", order=("ADT", "SEQ"),
                          keep_last=("SEQ",))  # fmt: skip
    mixed = {name: [values[at] for at in order] for name, values in given_.items()}
    made = added_by(word, tmp_path_factory.mktemp("study"), **mixed)
    found = sorted(zip(texts(made["USUBJID"]), made["AVAL"], numbers(made["ADT"]), made["SEQ"], strict=True))
    assert found == [("A", 7, None, 3), ("B", 24, 7, 2)]


def test_expected_records_of_a_parameter_that_a_subject_lacks(tmp_path):
    """Subject B has no diastolic pressure, and no subject has a pulse."""
    schedules = (
        Schedule(visits=("BASELINE", "WEEK 2"), paramcd=("DIABP",)),
        Schedule(visits=("BASELINE",), paramcd=("PULSE",)),
        Schedule(visits=("WEEK 2",)),
    )
    word = ExpectedRecords(by=("USUBJID", "PARAMCD"), keep=("PARAM", "PARAMN", "SEX"), schedules=schedules)
    made = added_by(
        word,
        tmp_path,
        USUBJID=["A", "A", "B"],
        SEX=["F", "F", "M"],
        PARAMCD=["DIABP", "SYSBP", "SYSBP"],
        PARAM=["Diastolic", "Systolic", "Systolic"],
        PARAMN=[2.0, 1, 1],
        AVISIT=["Baseline", "Week 2", "Week 2"],
        AVISITN=[2.0, 3, 3],
        AVAL=[80.0, 120, 130],
    )
    found = zip(*(texts(made[name]) for name in ("USUBJID", "SEX", "PARAMCD", "PARAM", "AVISIT")), strict=True)
    assert sorted(found) == [
        ("A", "F", "DIABP", "Diastolic", "Week 2"),
        ("A", "F", "PULSE", "", "Baseline"),
        ("B", "M", "DIABP", "Diastolic", "Baseline"),
        ("B", "M", "DIABP", "Diastolic", "Week 2"),
        ("B", "M", "PULSE", "", "Baseline"),
    ]
    assert numbers(made["AVAL"]) == [None] * 5


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("PQR"), st.sampled_from([2.0, 3.0])), min_size=1))
def test_each_subject_has_each_expected_visit_of_each_parameter(tmp_path_factory, rows):
    schedules = (Schedule(visits=("BASELINE",), paramcd=("P",)), Schedule(visits=("BASELINE", "WEEK 2")))
    given_ = {"USUBJID": [r[0] for r in rows], "PARAMCD": [r[1] for r in rows], "AVISITN": [r[2] for r in rows],
              "AVISIT": ["v"] * len(rows)}  # fmt: skip
    made = added_by(ExpectedRecords(by=("USUBJID", "PARAMCD"), schedules=schedules),
                    tmp_path_factory.mktemp("study"), **given_)  # fmt: skip
    added = list(zip(texts(made["USUBJID"]), texts(made["PARAMCD"]), made["AVISITN"], strict=True))
    assert len(set(added)) == len(added)
    assert not set(added) & set(rows)
    codes = {row[1] for row in rows} | {"P"}
    wanted = {
        (row[0], code, visit) for row in rows for code in codes for visit in ((2.0,) if code == "P" else (2.0, 3.0))
    }
    assert wanted <= set(added) | set(rows)
    assert set(added) <= wanted


def test_expected_records_of_a_subject_without_any(tmp_path):
    """Subjects 1 and 2 are treated and lack records; 3 is not treated; the wanted records lead to ADSL."""
    adsl = dataset("ADSL", USUBJID=["1", "2", "3", "4"], SAFFL=["Y", "Y", "", "Y"], SEX=["F", "M", "F", "M"])
    given_ = {"USUBJID": ["4"], "SEX": ["M"], "SAFFL": ["Y"], "PARAMCD": ["P"], "PARAM": ["Pulse"],
              "AVISIT": ["Baseline"], "AVISITN": [2.0], "AVAL": [60.0]}  # fmt: skip
    schedules = (Schedule(visits=("BASELINE", "WEEK 2")),)
    by = ("USUBJID", "PARAMCD")
    with pytest.raises(StudyError, match=r"3 subject\(s\) of ADSL have no record, the first 1: say under 'subjects'"):
        added_by(ExpectedRecords(by=by, schedules=schedules), tmp_path, adsl, **given_)
    word = ExpectedRecords(
        by=by, keep=("SEX", "PARAM"), schedules=schedules, subjects=Subjects("ADSL", condition({"SAFFL": "Y"}))
    )
    made = added_by(word, tmp_path, adsl, **given_)
    names = ("USUBJID", "SEX", "SAFFL", "PARAMCD", "PARAM", "AVISIT")
    assert sorted(zip(*(texts(made[name]) for name in names), strict=True)) == [
        ("1", "F", "", "P", "Pulse", "Baseline"),
        ("1", "F", "", "P", "Pulse", "Week 2"),
        ("2", "M", "", "P", "Pulse", "Baseline"),
        ("2", "M", "", "P", "Pulse", "Week 2"),
        ("4", "M", "", "P", "Pulse", "Week 2"),
    ]
    assert numbers(made["AVAL"]) == [None] * 5


def test_the_record_of_a_subject_without_any_leads_to_that_subject(tmp_path):
    declared = """
    dataset: ADQS
    label: Scales
    guide: BDS
    structure: One record per visit
    source: {dataset: QS}
    keys: [USUBJID, PARAMCD, AVISITN]
    derivations:
      - copy: {variables: {PARAMCD: QSTESTCD, PARAM: QSTEST, AVISIT: VISIT, AVISITN: VISITNUM}}
      - expected_records:
          by: [USUBJID, PARAMCD]
          keep: [STUDYID, PARAM]
          schedules: [{visits: [BASELINE, WEEK 2]}]
          subjects: {dataset: ADSL}
    variables: {STUDYID: , USUBJID: , PARAMCD: , PARAM: {label: Parameter}, AVISIT: , AVISITN: }
    """
    given_ = dataset("QS", STUDYID=["S"], USUBJID=["4"], QSTESTCD=["P"], QSTEST=["Pulse"], VISIT=["B"], VISITNUM=[2.0])
    made = derived(tmp_path, declared, given_, dataset("ADSL", STUDYID=["S", "S"], USUBJID=["1", "4"]))
    assert texts(made.frame["USUBJID"]) == ["1", "1", "4", "4"]
    led = made.lineage.loc[made.lineage["variable"] == "*", ["row", "source", "source_row"]].astype(str)
    assert sorted(led.to_numpy().tolist()) == [
        ["0", "ADSL", "0"],
        ["1", "ADSL", "0"],
        ["2", "QS", "0"],
        ["3", "QS", "0"],
    ]


def times(tmp_path, events, ends, earlier=None, kind="CE", subjects=("A", "B"), sequence="CESEQ", **more):
    """Return the records of time to event of subjects at risk from day 100."""
    keys = ("USUBJID",) if kind == "ADSL" else ("USUBJID", "CESEQ")
    happened = dataset(kind, keys, USUBJID=[e[0] for e in events], DT=[float(e[1]) for e in events],
                       CESEQ=[float(e[2]) for e in events])  # fmt: skip
    ended = dataset("DS", ("USUBJID", "DSSEQ"), USUBJID=[e[0] for e in ends], ENDT=[float(e[1]) for e in ends])
    event = Moment(dataset=kind, date="DT", description="Event", sequence=sequence, **more)
    censoring = Moment(dataset="DS", date="ENDT", description="End of study")
    word = TimeToEvent(
        start="TRTSDT", earlier=earlier, paramcd={"T": TimeToEventParameter("Time", 1, (event,), (censoring,))}
    )
    return added_by(word, tmp_path, happened, ended, USUBJID=list(subjects), TRTSDT=[100.0] * len(subjects))


def test_a_censoring_before_the_start_says_where_the_date_comes_from(tmp_path):
    made = times(tmp_path, [("C", 150, 1)], [("A", 90), ("B", 130)])
    assert numbers(made["ADT"]) == [100, 130]
    assert numbers(made["AVAL"]) == [1, 31]
    assert texts(made["SRCVAR"]) == ["TRTSDT", "ENDT"]
    assert texts(made["CNSDTDSC"]) == ["Start of the time at risk", "End of study"]
    assert texts(made["EVNTDESC"]) == ["End of study", "End of study"]
    assert texts(made["SRCDOM"])[1] == "DS"


def test_a_death_before_the_start_is_never_counted_as_alive(tmp_path):
    """It is asked about, and counts or not as the study says."""
    deaths, ends = [("A", 95, 1)], [("A", 200), ("B", 200)]
    with pytest.raises(StudyError, match=r"'Event' \(ADSL.DT\) lies before TRTSDT in 1 subject\(s\); say 'earlier"):
        times(tmp_path, deaths, ends, kind="ADSL")
    made = times(tmp_path, deaths, ends, kind="ADSL", earlier="at_start")
    assert (numbers(made["CNSR"]), numbers(made["ADT"]), numbers(made["AVAL"])) == ([0, 1], [100, 200], [1, 101])
    assert texts(made["SRCVAR"]) == ["TRTSDT", "ENDT"]
    assert texts(made["CNSDTDSC"]) == ["", "End of study"]
    ignored = times(tmp_path, deaths, ends, kind="ADSL", earlier="ignored")
    assert numbers(ignored["CNSR"]) == [1, 1]
    own = Moment(dataset="ADSL", date="DT", description="Event", earlier="at_start")
    assert own.earlier == "at_start"


def test_an_event_before_the_start_of_a_subject_without_a_later_date_is_asked_about(tmp_path):
    events = [("A", 95, 1), ("B", 96, 1)]
    with pytest.raises(StudyError, match="lies before TRTSDT in 1 subject"):
        times(tmp_path, events, [("A", 95), ("B", 200)])
    made = times(tmp_path, events, [("A", 120), ("B", 200)])  # an event that can recur, and time at risk after it
    assert numbers(made["CNSR"]) == [1, 1]


def test_two_records_of_a_subject_are_refused(tmp_path):
    with pytest.raises(StudyError, match=r"1 further record\(s\) of the same USUBJID"):
        times(tmp_path, [("A", 150, 1)], [("A", 200)], subjects=("A", "B", "A"))


@given(st.permutations([("A", 150, 3), ("A", 150, 1), ("A", 150, 2), ("B", 140, 5), ("B", 130, 9)]))
def test_of_tied_events_that_with_the_lowest_sequence_counts(tmp_path_factory, events):
    made = times(tmp_path_factory.mktemp("study"), events, [("A", 200), ("B", 200)])
    assert numbers(made["SRCSEQ"]) == [1, 9]
    assert numbers(made["ADT"]) == [150, 130]


DATES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(90, 112), st.integers(1, 9)), min_size=1, max_size=6,
                 unique_by=lambda one: (one[0], one[2]))  # fmt: skip


@given(DATES, st.lists(st.tuples(st.sampled_from("AB"), st.integers(90, 112)), min_size=1, max_size=4), st.randoms())
def test_a_time_says_where_its_date_comes_from(tmp_path_factory, events, ends, mixed):
    """ADT is the date of the record and variable that it names, and the order of the records makes no difference."""
    folder = tmp_path_factory.mktemp("study")
    made = times(folder, events, ends, earlier="at_start")
    again = times(folder, mixed.sample(events, len(events)), mixed.sample(ends, len(ends)), earlier="at_start")
    assert made.equals(again)
    for subject, date, source, sequence, censored in zip(
        texts(made["USUBJID"]), numbers(made["ADT"]), texts(made["SRCVAR"]), numbers(made["SRCSEQ"]),
        numbers(made["CNSR"]), strict=True,
    ):  # fmt: skip
        happened = [(one[1], one[2]) for one in events if one[0] == subject]
        last = [one[1] for one in ends if one[0] == subject]
        assert (censored == 0) == bool(happened)
        assert date is None or date >= 100
        if source == "DT":
            assert min(happened) == (date, sequence)
        elif source == "ENDT":
            assert max(last) == date
        elif source == "TRTSDT":
            assert date == 100
            assert min(happened)[0] < 100 if happened else max(last) < 100
        else:
            assert date is None
            assert not happened
            assert not last


def test_the_start_is_described_as_the_study_says(tmp_path):
    moment = Moment("CE", "DT", "Last visit")
    word = TimeToEvent(
        start="TRTSDT",
        start_description="First dose",
        paramcd={"T": TimeToEventParameter("Time", 1, (moment,), (moment,))},
        earlier="ignored",
    )
    there = context(tmp_path, dataset("CE", ("USUBJID", "CESEQ"), USUBJID=["A"], DT=[1.0]))
    added = word.add(columns(USUBJID=["A", "B"], TRTSDT=[100.0, 100]), 2, there)
    assert texts(added.changed["CNSDTDSC"]) == ["First dose", ""]
    assert numbers(added.changed["CNSR"]) == [1, None]


PLACES = st.tuples(st.sampled_from(["A", "B"]), st.integers(1, 3).map(float), st.integers(1, 2).map(float))


@given(st.lists(PLACES, min_size=1, max_size=6))
def test_the_record_of_an_extreme_does_not_depend_on_the_order_of_rows(tmp_path_factory, rows):
    """Where two records attain it at one place there is an error; else the new record is the same in any order."""
    folder = tmp_path_factory.mktemp("study")

    def extremes(given_rows):
        word = ExtremeRecords(by=("USUBJID",), mode="maximum", where=condition({"ADT": {"at_least": 1}}))
        names = [row[0] for row in given_rows]
        days, values = ([row[at] for row in given_rows] for at in (1, 2))
        visits = [f"{name}{day:g}{value:g}" for name, day, value in given_rows]
        return added_by(word, folder, USUBJID=names, ADT=days, AVAL=values, AVISIT=visits)

    best = {name: max((value, -day) for one, day, value in rows if one == name) for name, _, _ in rows}
    several = any(
        sum(1 for row in rows if (row[0], row[2], -row[1]) == (name, *place)) > 1 for name, place in best.items()
    )
    if several:
        with pytest.raises(StudyError, match="add a variable to 'order'"):
            extremes(rows)
        return
    made, again = (extremes(given_rows).to_dict("records") for given_rows in (rows, rows[::-1]))
    assert len(made) == len(best)
    assert sorted(map(str, made)) == sorted(map(str, again))
