"""Added records and periods against the values of admiral's own unit tests (pharmaverse/admiral, Apache 2.0)."""

import pytest

from adam.derivations.expected_records import ExpectedRecords, LocfRecords
from adam.derivations.periods import InPeriod, PeriodVariables, Span
from adam.derivations.windows import Schedule
from metadata.coded_text import CodedText
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import added_by, dataset, days, made_by, numbers, texts

BOTH = (Schedule(visits=("BASELINE", "WEEK 2")),)
BY_PARAMETER = (
    Schedule(visits=("BASELINE", "WEEK 2", "MONTH 3"), paramcd=("DIABP",)),
    Schedule(visits=("BASELINE", "WEEK 2")),
)


def readings(rows):
    """Return columns of blood pressures; visits are BASELINE (2), WEEK 2 (3) and MONTH 3 (4) of the tests' study."""
    names = {2.0: "Baseline", 3.0: "Week 2", 4.0: "Month 3"}
    return {
        "USUBJID": [row[0] for row in rows],
        "PARAMCD": [row[1] for row in rows],
        "AVAL": [row[2] for row in rows],
        "AVISITN": [float(row[3]) for row in rows],
        "AVISIT": [names[float(row[3])] for row in rows],
        "ADT": [100.0 + row[3] for row in rows],
    }


def carried(tmp_path, rows, schedules=BOTH, **more):
    word = LocfRecords(by=("USUBJID", "PARAMCD"), schedules=schedules, **more)
    made = added_by(word, tmp_path, **readings(rows))
    if len(made):
        assert set(texts(made["DTYPE"])) == {"LOCF"}
    return sorted(zip(texts(made["USUBJID"]), texts(made["PARAMCD"]), made["AVAL"], made["AVISITN"], strict=True))


FIRST = [("1015", "DIABP", 51, 2), ("1015", "DIABP", 50, 3), ("1015", "SYSBP", 121, 2), ("1015", "SYSBP", 121, 3)]


def test_missing_visits_are_carried_forward(tmp_path):
    """test-derive_locf_records.R, test 1 (and 4: the visits are the same for all parameters)."""
    rows = [*FIRST, ("1028", "DIABP", 79, 2), ("1028", "SYSBP", 130, 2)]
    assert carried(tmp_path, rows) == [("1028", "DIABP", 79, 3), ("1028", "SYSBP", 130, 3)]


def test_missing_values_are_carried_forward(tmp_path):
    """test-derive_locf_records.R, test 2: records with a missing value stay beside the new ones."""
    rows = [*FIRST, ("1028", "DIABP", 79, 2), ("1028", "DIABP", None, 3), ("1028", "SYSBP", 130, 2)]
    assert carried(tmp_path, rows) == [("1028", "DIABP", 79, 3), ("1028", "SYSBP", 130, 3)]


def test_visits_that_depend_on_the_parameter(tmp_path):
    """test-derive_locf_records.R, test 5: one value is carried to each later visit."""
    rows = [("1028", "DIABP", 79, 2), ("1028", "DIABP", None, 3), ("1028", "DIABP", None, 4), ("1028", "SYSBP", 130, 2)]
    expected = [("1028", "DIABP", 79, 3), ("1028", "DIABP", 79, 4), ("1028", "SYSBP", 130, 3)]
    assert carried(tmp_path, rows, BY_PARAMETER) == expected


def test_what_may_be_carried(tmp_path):
    """Baseline is not carried if ``where`` leaves it out, and nothing is made before the first value."""
    after = read_condition({"AVISITN": {"above": 2}}, {}, "where")
    rows = [("1", "DIABP", 79, 2), ("2", "DIABP", 79, 3), ("3", "DIABP", 70, 4)]
    made = carried(tmp_path, rows, (Schedule(visits=("BASELINE", "WEEK 2", "MONTH 3")),), where=after)
    assert made == [("2", "DIABP", 79, 4)]


def test_the_last_of_several_records_of_a_visit_is_carried(tmp_path):
    rows = [("1", "DIABP", 79, 2), ("1", "DIABP", 81, 2)]
    word = LocfRecords(by=("USUBJID",), schedules=BOTH, order=("-AVAL",), set={"ANL01FL": "Y"}, blank=("ADT",))
    made = added_by(word, tmp_path, **readings(rows), ANL01FL=["", "Y"])
    assert (made["AVAL"][0], numbers(made["ADT"]), texts(made["ANL01FL"])) == (79, [None], ["Y"])


def test_expected_records(tmp_path):
    """test-derive_expected_records.R, test 1, with a name for the subject without one."""
    given = {
        "USUBJID": ["1", "1", "2", "2", "2"],
        "PARAMCD": ["a", "b", "a", "a", "b"],
        "PARAM": ["A", "B", "A", "A", "B"],
        "AVISITN": [2.0, 3, 2, 3, 3],
        "AVISIT": ["Baseline", "Week 2", "Baseline", "Week 2", "Week 2"],
        "AVAL": [10.0, 11, 12, 13, 14],
        "DTYPE": [""] * 5,
    }
    word = ExpectedRecords(by=("USUBJID", "PARAMCD"), keep=("PARAM",), schedules=BOTH, set={"DTYPE": "DERIVED"})
    made = added_by(word, tmp_path, **given)
    found = zip(*(texts(made[name]) for name in ("USUBJID", "PARAMCD", "PARAM", "AVISIT", "DTYPE")), strict=True)
    assert sorted(found) == [
        ("1", "a", "A", "Week 2", "DERIVED"),
        ("1", "b", "B", "Baseline", "DERIVED"),
        ("2", "b", "B", "Baseline", "DERIVED"),
    ]
    assert numbers(made["AVAL"]) == [None] * 3


PERIODS = dataset(
    "ADPER",
    ("USUBJID", "APERIOD"),
    USUBJID=["1", "1", "2", "2"],
    APERIOD=[1, 2, 1, 2],
    APERSDT=days("2021-01-04", "2021-02-07", "2021-02-02", "2021-03-03"),
    APEREDT=days("2021-02-06", "2021-03-07", "2021-03-02", "2021-04-01"),
)


def test_variables_of_periods(tmp_path):
    """test-period_dataset.R, test 7."""
    variables = {"APxxSDT": "APERSDT", "APxxEDT": "APEREDT"}
    word = PeriodVariables(dataset="ADPER", period="APERIOD", numbers=(1, 2), variables=variables)
    assert word.makes == ("AP01SDT", "AP01EDT", "AP02SDT", "AP02EDT")
    made = made_by(word, tmp_path, PERIODS, USUBJID=["2", "1", "3"])
    assert numbers(made["AP01SDT"]) == days("2021-02-02", "2021-01-04", "")
    assert numbers(made["AP01EDT"]) == days("2021-03-02", "2021-02-06", "")
    assert numbers(made["AP02SDT"]) == days("2021-03-03", "2021-02-07", "")
    assert numbers(made["AP02EDT"]) == days("2021-04-01", "2021-03-07", "")


def test_variables_of_phases(tmp_path):
    """test-period_dataset.R, test 8: the second subject has no second phase."""
    phases = dataset(
        "ADPH", ("USUBJID",), USUBJID=["1", "1", "2"], APHASEN=[1, 2, 1], APHASE=["TREATMENT", "FUP", "TREATMENT"]
    )
    word = PeriodVariables(dataset="ADPH", period="APHASEN", numbers=(1, 2), variables={"APHASEw": "APHASE"})
    made = made_by(word, tmp_path, phases, USUBJID=["1", "2"])
    assert all(isinstance(one, CodedText) for one in made.values())
    assert [texts(made[name]) for name in ("APHASE1", "APHASE2")] == [["TREATMENT", "TREATMENT"], ["FUP", ""]]
    with pytest.raises(StudyError, match="needs xx or w"):
        PeriodVariables(dataset="ADPH", period="APHASEN", numbers=(1,), variables={"USUBJ": "APHASE"}).check()


def test_the_period_of_a_date(tmp_path):
    """Worked by hand: both days belong to the period, a shared day to the later, an open one goes on."""
    word = InPeriod(periods={"RUN-IN": Span(1, "AP01SDT", "AP01EDT"), "TREATMENT": Span(2, "AP02SDT", "AP02EDT")})
    dates = [9.0, 10, 19, 20, 21, 24, 25, 99, None]
    given = {"ADT": dates, "AP01SDT": [10.0] * 9, "AP01EDT": [20.0] * 9, "AP02SDT": [25.0] * 9, "AP02EDT": [None] * 9}
    made = made_by(word, tmp_path, **given)
    assert numbers(made["APERIOD"]) == [None, 1, 1, 1, None, None, 2, 2, None]
    assert texts(made["APERIODC"])[6:] == ["TREATMENT", "TREATMENT", ""]
    assert numbers(made["APERSDT"])[:2] == [None, 10]
    earlier = InPeriod(periods=word.periods, gaps="earlier")
    assert numbers(made_by(earlier, tmp_path, **given)["APERIOD"]) == [None, 1, 1, 1, 1, 1, 2, 2, None]
    given["AP02SDT"] = [20.0] * 9
    assert numbers(made_by(word, tmp_path, **given)["APERIOD"])[3] == 2
