"""Scales and times to events against admiral's own unit tests (pharmaverse/admiral, Apache 2.0), summaries by hand."""

import pytest

from adam.derivations.computed_records import ComputedRecords, SummaryRecords
from adam.derivations.merging import aggregated
from adam.derivations.questionnaires import ScaleRecords
from adam.derivations.time_to_event import Moment, TimeToEvent, TimeToEventParameter
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import added_by, dataset, days, np_array, numbers, texts

WEEK_10 = {"ITEM1": 5.0, "ITEM2": 1.0, "ITEM3": 2.0, "ITEM4": None}
WEEK_20 = {"ITEM5": 1.0, "ITEM6": 3.0, "ITEM7": 3.0}


def scale(tmp_path, answers, **parameters):
    word = ScaleRecords(by=("USUBJID",), from_paramcd=tuple(answers), paramcd="SCORE", order=(), **parameters)
    word.check()
    count = len(answers)
    made = added_by(word, tmp_path, USUBJID=["A"] * count, PARAMCD=list(answers), AVAL=list(answers.values()))
    assert texts(made["PARAMCD"]) == ["SCORE"] * len(made)
    return numbers(made["AVAL"])


@pytest.mark.parametrize(
    ("answers", "parameters", "expected"),
    [
        (WEEK_10, {"range": (1.0, 5.0), "target": (0.0, 100.0), "need": 3}, [(100 + 0 + 25) / 3]),  # test 1
        (WEEK_20, {"range": (1.0, 3.0), "target": (0.0, 100.0), "need": 3, "flip": True}, [100 - 200 / 3]),  # test 2
        ({"ITEM1": 4.0, "ITEM2": None}, {"range": (1.0, 5.0), "target": (0.0, 100.0), "need": 2}, []),  # test 3
    ],
)
def test_scales(tmp_path, answers, parameters, expected):
    """test-compute_scale.R."""
    assert scale(tmp_path, answers, **parameters) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [8 / 3]),  # the mean of 5, 1 and 2
        ({"function": "sum"}, [4 * 8 / 3]),  # the unanswered item counts as the mean
        ({"function": "sum", "prorate": False}, []),
        ({"reversed": ("ITEM2",)}, [(5 + 5 + 2) / 3]),
        ({"function": "sum", "need": 4}, []),
    ],
)
def test_scores_by_hand(tmp_path, parameters, expected):
    assert scale(tmp_path, WEEK_10, range=(1.0, 5.0), **parameters) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"range": (5.0, 1.0)}, "range has two numbers, the lower first"),
        ({"range": (1.0, 5.0), "reversed": ("ITEM9",)}, "ITEM9 is reversed, but no item"),
        ({"range": (1.0, 5.0), "need": 9}, "need is between 1 and the number of items, 4"),
        ({"range": (1.0, 5.0), "flip": True}, "flip turns the target's direction"),
        ({"range": (2.0, 5.0)}, r"1 answer\(s\) to items of SCORE lie outside 2 to 5"),
    ],
)
def test_what_is_wrong_with_a_scale(tmp_path, parameters, message):
    with pytest.raises(StudyError, match=message):
        scale(tmp_path, WEEK_10, **parameters)


def test_an_item_is_answered_once(tmp_path):
    word = ScaleRecords(by=("USUBJID",), from_paramcd=("A", "B"), paramcd="S", range=(1.0, 5.0), order=())
    with pytest.raises(StudyError, match="more than one record within"):
        added_by(word, tmp_path, USUBJID=["1", "1"], PARAMCD=["A", "A"], AVAL=[1.0, 2.0])


def test_medians(tmp_path):
    groups, values = [0, 0, 0, 1, 1, 2], [3.0, 1, 2, 4, 1, None]
    made = aggregated("median", np_array(groups).astype(int), np_array(values), 4)
    assert numbers(made) == [2, 2.5, None, None]


def test_an_average_within_the_same_parameter_says_so(tmp_path):
    """admiral's derive_summary_records: y 9, 10 and 11, 12 give 9.5 and 11.5."""
    word = SummaryRecords(by=("USUBJID",), from_paramcd=("P",), paramcd="P", function="mean", order=())
    made = added_by(word, tmp_path, USUBJID=["1", "1", "2", "2"], PARAMCD=["P"] * 4, AVAL=[9.0, 10, 11, 12])
    assert (numbers(made["AVAL"]), texts(made["DTYPE"])) == ([9.5, 11.5], ["AVERAGE", "AVERAGE"])


@pytest.mark.parametrize(
    ("parameters", "values", "expected"),
    [
        ({"powers": {"WEIGHT": 1, "HEIGHT": -2}, "scale": 10000}, {"HEIGHT": 170.0, "WEIGHT": 75.0}, 75 / 1.7**2),
        ({"weights": {"SYSBP": 1 / 3, "DIABP": 2 / 3}}, {"SYSBP": 121.0, "DIABP": 51.0}, (2 * 51 + 121) / 3),
        ({"powers": {"HEIGHT": 0.5, "WEIGHT": 0.5}, "scale": 1 / 60}, {"HEIGHT": 170.0, "WEIGHT": 75.0},
         (170 * 75 / 3600) ** 0.5),
    ],
)  # fmt: skip
def test_computed_parameters(tmp_path, parameters, values, expected):
    """admiral's compute_bmi (kg/m2), compute_map and compute_bsa (Mosteller), by their documented formulas."""
    word = ComputedRecords(by=("USUBJID",), paramcd="NEW", **parameters)
    made = added_by(word, tmp_path, USUBJID=["A", "A", "B"], PARAMCD=[*values, next(iter(values))],
                    AVAL=[*values.values(), 1.0])  # fmt: skip
    assert texts(made["USUBJID"]) == ["A"]
    assert numbers(made["AVAL"]) == pytest.approx([expected])


def test_computed_parameters_need_one_record_of_each(tmp_path):
    word = ComputedRecords(by=("USUBJID",), paramcd="NEW", powers={"A": 1, "B": -1})
    assert len(added_by(word, tmp_path, USUBJID=["1", "1"], PARAMCD=["A", "B"], AVAL=[1.0, 0.0])) == 0
    with pytest.raises(StudyError, match="NEW: A has more than one record within USUBJID; narrow 'where'"):
        added_by(word, tmp_path, USUBJID=["1", "1"], PARAMCD=["A", "A"], AVAL=[1.0, 2.0])
    with pytest.raises(StudyError, match="either powers, to multiply, or weights, to add"):
        ComputedRecords(by=("USUBJID",), paramcd="NEW").check()


ADSL = dataset(
    "ADSL",
    USUBJID=["03", "04"],
    DTHFL=["Y", "N"],
    DTHDT=days("2021-08-21", ""),
    LSTALVDT=days("2021-08-21", "2021-05-24"),
)
DEATH = Moment(dataset="ADSL", date="DTHDT", where=read_condition({"DTHFL": "Y"}, {}, "where"), description="DEATH")
ALIVE = Moment(dataset="ADSL", date="LSTALVDT", description="LAST KNOWN ALIVE DATE")


def times(tmp_path, endpoint, subjects, starts, *sources, **more):
    word = TimeToEvent(start="START", paramcd={"T": endpoint}, **more)
    return added_by(word, tmp_path, *sources, USUBJID=subjects, START=days(*starts))


def test_overall_survival(tmp_path):
    """test-derive_param_tte.R, test 1."""
    endpoint = TimeToEventParameter("Overall Survival", 1, (DEATH,), (ALIVE,))
    made = times(tmp_path, endpoint, ["03", "04"], ["2021-08-10", "2021-02-03"], ADSL)
    assert numbers(made["ADT"]) == days("2021-08-21", "2021-05-24")
    assert numbers(made["CNSR"]) == [0, 1]
    assert texts(made["EVNTDESC"]) == ["DEATH", "LAST KNOWN ALIVE DATE"]
    assert texts(made["SRCVAR"]) == ["DTHDT", "LSTALVDT"]
    assert numbers(made["AVAL"]) == [12, 111]


def test_duration_of_response(tmp_path):
    """test-derive_param_tte.R, test 3: the subjects with a response."""
    subject = dataset("ADSL", USUBJID=["01", "04"], DTHFL=["Y", "N"], DTHDT=days("2021-06-12", ""))
    dates = ["2021-01-03", "2021-03-04", "2021-05-05", "2021-02-13", "2021-04-14", "2021-05-15"]
    response = dataset(
        "ADRS",
        ("USUBJID", "ASEQ"),
        USUBJID=["01", "01", "01", "04", "04", "04"],
        AVALC=["SD", "PR", "PD", "SD", "PR", "CR"],
        ADT=days(*dates),
        ASEQ=[1.0, 2, 3, 1, 2, 3],
    )
    worse = Moment(
        dataset="ADRS",
        date="ADT",
        where=read_condition({"AVALC": "PD"}, {}, "where"),
        sequence="ASEQ",
        description="PD",
    )
    seen = Moment(dataset="ADRS", date="ADT", sequence="ASEQ", description="LAST TUMOR ASSESSMENT")
    endpoint = TimeToEventParameter("Duration of Response", 1, (worse, DEATH), (seen,))
    made = times(tmp_path, endpoint, ["01", "04"], ["2021-03-04", "2021-04-14"], subject, response)
    assert numbers(made["ADT"]) == days("2021-05-05", "2021-05-15")
    assert (numbers(made["CNSR"]), numbers(made["SRCSEQ"])) == ([0, 1], [3, 3])
    assert texts(made["EVNTDESC"]) == ["PD", "LAST TUMOR ASSESSMENT"]


def test_an_event_before_the_start(tmp_path):
    """derive_param_tte's documentation: ADT is set to the origin date; here the study is asked, and may ignore it."""
    endpoint = TimeToEventParameter("Overall Survival", 1, (DEATH,), (ALIVE,))
    made = times(tmp_path, endpoint, ["03"], ["2021-09-01"], ADSL, earlier="at_start")
    assert (numbers(made["ADT"]), numbers(made["CNSR"])) == (days("2021-09-01"), [0])
    with pytest.raises(StudyError, match=r"'DEATH' \(ADSL.DTHDT\) lies before START in 1 subject"):
        times(tmp_path, endpoint, ["03"], ["2021-09-01"], ADSL)
    made = times(tmp_path, endpoint, ["03"], ["2021-09-01"], ADSL, earlier="ignored")
    assert (numbers(made["ADT"]), numbers(made["CNSR"])) == (days("2021-09-01"), [1])


def test_ties(tmp_path):
    """derive_param_tte's documentation: of events on one day the first listed, of censorings the last listed counts."""
    other = Moment(
        dataset="ADSL",
        date="LSTALVDT",
        where=read_condition({"DTHFL": "Y"}, {}, "where"),
        description="OTHER",
        censor=2,
    )
    events = TimeToEventParameter("Events", 1, (DEATH, other), (ALIVE,))
    assert texts(times(tmp_path, events, ["03"], ["2021-08-10"], ADSL)["EVNTDESC"]) == ["DEATH"]
    never = Moment(
        dataset="ADSL", date="DTHDT", where=read_condition({"USUBJID": "99"}, {}, "where"), description="NEVER"
    )
    censored = TimeToEventParameter("Censored", 1, (never,), (ALIVE, other))
    made = times(tmp_path, censored, ["03", "04"], ["2021-08-10", "2021-02-03"], ADSL)
    assert (texts(made["EVNTDESC"]), numbers(made["CNSR"])) == (["OTHER", "LAST KNOWN ALIVE DATE"], [2, 1])
