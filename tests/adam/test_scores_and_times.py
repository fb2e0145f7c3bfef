"""Summary and transformed records, scores against norms, periods, person-time and time to event, worked out by hand."""

import pytest

from adam.derivations.arithmetic import (
    BelowLimit,
    Difference,
    Product,
    Quotient,
)
from adam.derivations.computed_records import SummaryRecords, TransformedRecords
from adam.derivations.norm_scores import NormScores, Score
from adam.derivations.periods import Period, PeriodRecords, PersonTime
from adam.derivations.time_to_event import Moment, TimeToEvent, TimeToEventParameter
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, dataset, day, derived, numbers, texts

TRIALS = {
    "USUBJID": ["A", "A", "A", "A", "B"],
    "PARAMCD": ["T", "T", "T", "X", "T"],
    "PARAMN": [1.0, 1, 1, 2, 1],
    "FTSEQ": [1.0, 2, 3, 4, 1],
    "AVAL": [20.0, 25, None, 99, 30],
}


@pytest.mark.parametrize(
    ("function", "need", "expected"),
    [("mean", 1, [22.5, 30]), ("mean", 2, [22.5]), ("mean", 3, []), ("sum", 1, [45, 30]), ("count", 1, [2, 1])],
)
def test_summary_records(tmp_path, function, need, expected):
    word = SummaryRecords(
        by=("USUBJID",), from_paramcd=("T",), paramcd="M", function=function, need=need, blank=("FTSEQ",)
    )
    added = word.add(columns(**TRIALS), 5, context(tmp_path))
    assert numbers(added.changed["AVAL"]) == expected
    assert texts(added.changed["PARAMCD"]) == ["M"] * len(expected)
    assert numbers(added.changed["FTSEQ"]) == [None] * len(expected)
    if need == 1:
        assert sorted(zip(*added.contributors, strict=True)) == [(0, 0), (0, 1), (1, 4)]


def test_transformed_records(tmp_path):
    made = columns(PARAMCD=["NAB", "NAB", "NAB", "X"], AVAL=[20.0, 0, None, 8])
    added = TransformedRecords(from_paramcd="NAB", paramcd="LOG", function="log2").add(made, 4, context(tmp_path))
    assert numbers(added.changed["AVAL"]) == pytest.approx([4.321928094887])
    assert list(added.template) == [0]
    added = TransformedRecords(from_paramcd="NAB", paramcd="SPEED", function="reciprocal").add(
        made, 4, context(tmp_path)
    )
    assert numbers(added.changed["AVAL"]) == [0.05]


def test_arithmetic(tmp_path):
    made = columns(A=[3.0, 4, None], B=[2.0, 0, 1])
    there = context(tmp_path)
    assert numbers(Product(factors=("A", "B"), to="C").derive(made, 3, there).columns["C"]) == [6, 0, None]
    word = Quotient(value="A", divisor="B", to="C", scale=100)
    assert numbers(word.derive(made, 3, there).columns["C"]) == [150, None, None]
    assert numbers(Difference(value="A", minus="B", to="C").derive(made, 3, there).columns["C"]) == [1, 4, None]


def test_a_value_below_the_limit_is_half_of_it(tmp_path):
    made = columns(RES=["<20", "40", "", "BAD"], NUM=[None, 40.0, None, None], LIM=[20.0, 20, 20, 20])
    word = BelowLimit(result="RES", value="NUM", limit="LIM", to="AVAL")
    assert numbers(word.derive(made, 4, context(tmp_path)).columns["AVAL"]) == [10, 40, None, None]


def scores(folder, norms):
    there = context(folder)
    (folder / "norms.csv").write_text(norms, encoding="utf-8")
    word = NormScores(
        norms="norms.csv",
        paramcd={
            "ZWORDS": Score(from_paramcd="WORDS", norm="words", param="Words (z)", paramn=11),
            "ZTIME": Score(from_paramcd="TIME", norm="time", param="Time (z)", paramn=12, better="low"),
        },
    )
    made = columns(PARAMCD=["WORDS", "TIME", "OTHER", "WORDS"], PARAM=["Words", "Time", "Other", "Words"],
                   PARAMN=[1.0, 2, 3, 1], AVAL=[31.0, 24, 5, None])  # fmt: skip
    return word.add(made, 4, there).changed


def test_scores_against_norms(tmp_path):
    # Words: (31 - 26) / 5 = 1. Time: 24 is 2 standard deviations above 20, which is slower and therefore -2.
    changed = scores(tmp_path, "test,mean,sd,source\nwords,26,5,invented\ntime,20,2,invented\n")
    assert texts(changed["PARAMCD"]) == ["ZWORDS", "ZTIME"]
    assert numbers(changed["AVAL"]) == [1, -2]
    assert numbers(changed["PARAMN"]) == [11, 12]


@pytest.mark.parametrize(
    ("norms", "message"),
    [
        ("test,mean\nwords,26\n", "norms.csv, line 1: the column 'sd' is missing"),
        (
            "test,mean,sd\nwords,26,x\n",
            "norms.csv, line 2, key 'sd': 'x' is not a number: digits, with a point before decimals",
        ),
        ("test,mean,sd\nwords,26,5\ntime,20,0\n", "norms.csv, line 3: the sd of time must be above 0, not 0"),
        ("test,mean,sd\nwords,26,5\ntimes,20,2\n", "norms.csv has no test 'time' (did you mean 'times'?)"),
    ],
)
def test_unfit_norms_are_named(tmp_path, norms, message):
    with pytest.raises(StudyError) as caught:
        scores(tmp_path, norms)
    assert str(caught.value).removeprefix(f"{tmp_path.name}/") == message


def test_periods_begin_and_end_on_study_days(tmp_path):
    word = PeriodRecords(reference="DAY1", periods={"PRE": Period(1, -365, -1), "YEAR 1": Period(2, 1, 365)})
    added = word.add(columns(DAY1=[1000.0, None]), 2, context(tmp_path))
    assert texts(added.changed["APERIODC"]) == ["PRE", "YEAR 1", "PRE", "YEAR 1"]
    assert numbers(added.changed["APERSDT"]) == [635, 1000, None, None]
    assert numbers(added.changed["APEREDT"]) == [999, 1364, None, None]


def test_person_time(tmp_path):
    made = columns(START=[1.0, 1, 1, 366, 1], END=[365.0, 365, 365, 730, 365], LAST=[73.0, 500, None, 300, 100],
                   COMPLFL=["N", "N", "N", "N", "Y"])  # fmt: skip
    whole = read_condition({"COMPLFL": "Y"}, {}, "whole")
    word = PersonTime(start="START", end="END", until="LAST", whole=whole, year=365, to="PYRS")
    # 73 of 365 days; the whole year; whole, as nobody left; none, as it begins after the last day; whole by rule.
    assert numbers(word.derive(made, 5, context(tmp_path)).columns["PYRS"]) == [0.2, 1, 1, None, 1]


def test_time_to_event_takes_the_first_event_or_the_last_day_without(tmp_path):
    subjects = columns(USUBJID=["A", "B", "C", "D"], TRTSDT=[100.0, 100, 100, None])
    events = dataset("CE", USUBJID=["A", "A", "A", "B"], ASTDT=[150.0, 120, 90, 95], CESEQ=[3, 2, 1, 1])
    deaths = dataset("DD", USUBJID=["A", "D"], DTHDT=[120.0, 130])
    ends = dataset("DS", USUBJID=["A", "B", "B", "C", "D"], ENDT=[200.0, 190, 180, 99, 150])
    word = TimeToEvent(
        start="TRTSDT",
        paramcd={
            "TTE": TimeToEventParameter(
                param="Time",
                paramn=1,
                events=(
                    Moment(dataset="CE", date="ASTDT", description="Relapse", sequence="CESEQ"),
                    Moment(dataset="DD", date="DTHDT", description="Death"),
                ),
                censorings=(Moment(dataset="DS", date="ENDT", description="End", censor=2),),
            )
        },
    )
    added = word.add(subjects, 4, context(tmp_path, events, deaths, ends))
    # A: the event of day 90 came before the start, of 120 and 150 the first, listed before the death of that day.
    # B: its event came before the start. C: the end before the start is the start. D: no start.
    assert numbers(added.changed["ADT"]) == [120, 190, 100, None]
    assert numbers(added.changed["AVAL"]) == [21, 91, 1, None]
    assert numbers(added.changed["CNSR"]) == [0, 2, 2, None]
    assert texts(added.changed["EVNTDESC"]) == ["Relapse", "End", "End", ""]
    assert texts(added.changed["CNSDTDSC"]) == ["", "End", "Start of the time at risk", ""]
    assert texts(added.changed["SRCDOM"]) == ["CE", "DS", "", ""]
    assert texts(added.changed["SRCVAR"]) == ["ASTDT", "ENDT", "TRTSDT", ""]
    assert numbers(added.changed["SRCSEQ"]) == [2, None, None, None]
    leads = {(edge.source, int(one), int(other)) for edge in added.edges
             for one, other in zip(edge.row, edge.source_row, strict=True)}  # fmt: skip
    assert leads == {("CE", 0, 1), ("DS", 1, 1), ("DS", 2, 3)}


RATES = """
    dataset: ADRATE
    label: Rates
    guide: BDS
    structure: One record per subject per period
    source: {dataset: DM, as_template: true}
    keys: [USUBJID, APERIOD]
    derivations:
      - period_records: {reference: TRTSDT, periods: {YEAR 1: {number: 1, first: 1, last: 365}}}
      - constant: {to: PARAMCD, text: N}
      - constant: {to: PARAM, text: Number}
      - summary: {dataset: CE, function: count, to: AVAL}
    variables: {STUDYID: , USUBJID: , PARAM: , PARAMCD: , AVAL: , APERIOD: , APERIODC: }
"""


def test_records_that_serve_as_templates_are_left_out(tmp_path):
    subjects = dataset("DM", STUDYID=["S", "S"], USUBJID=["A", "B"], TRTSDT=[day("1999-01-01")] * 2)
    made = derived(tmp_path, RATES, subjects, dataset("CE", USUBJID=["B", "B"], CESEQ=[1.0, 2]))
    assert texts(made.frame["USUBJID"]) == ["A", "B"]
    assert numbers(made.frame["AVAL"]) == [0, 2]
    lineage = made.lineage.astype(str)
    counted = lineage[(lineage["variable"] == "AVAL") & (lineage["source"] == "CE")]
    assert list(zip(counted["row"], counted["source_row"], strict=True)) == [("1", "0"), ("1", "1")]
    assert set(lineage["row"]) == {"0", "1"}


def test_templates_only_need_a_word_that_adds_records(tmp_path):
    without = RATES.replace(
        "- period_records: {reference: TRTSDT, periods: {YEAR 1: {number: 1, first: 1, last: 365}}}", ""
    )
    subjects = dataset("DM", STUDYID=["S"], USUBJID=["A"], TRTSDT=[0.0])
    with pytest.raises(StudyError, match="as_template leaves no records"):
        derived(tmp_path, without, subjects, dataset("CE", USUBJID=["A"]))
