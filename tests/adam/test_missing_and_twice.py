"""What is missing is never taken for the first, and nothing counts twice. Values by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.flags import FlagOne
from adam.derivations.merging import Merge, Summary, Supplemental
from adam.derivations.norm_scores import NormScores, Score
from adam.derivations.periods import InPeriod, Span
from adam.derivations.records import Sequence, SummedRecords
from adam.derivations.time_to_event import Moment, TimeToEvent, TimeToEventParameter
from adam.derivations.values import Bands, ValueBand
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import added_by, dataset, displayed, made_by, numbers, study_in, texts

MONTHS = st.lists(st.sampled_from(["", "2001-01", "2001-02", "2001-03"]), min_size=1, max_size=4, unique=True)


@given(MONTHS, st.booleans())
def test_a_missing_value_is_never_chosen_and_is_numbered_first(tmp_path_factory, months, descending):
    """Of texts as of numbers, whatever the order of the rows; numbers follow the order of the finished dataset."""
    folder, count = tmp_path_factory.mktemp("study"), len(months)
    known = sorted(one for one in months if one)
    sign = "-" if descending else ""
    present, missing = [*(reversed(known) if descending else known)], [""] * (count - len(known))
    for values in (months, [float(one[5:]) if one else None for one in months]):
        given_ = {"USUBJID": ["A"] * count, "D": values if any(values) or values is months else [None] * count}
        made = made_by(Sequence(by=("USUBJID",), order=(f"{sign}D",)), folder, **given_)
        assert [months[at] for at in sorted(range(count), key=lambda at: made["ASEQ"][at])] == [*missing, *present]
        flags = texts(made_by(FlagOne(to="F", by=("USUBJID",), order=(f"{sign}D",)), folder, **given_)["F"])
        assert months[flags.index("Y")] == [*present, *missing][0]
    other = dataset("EX", ("USUBJID", "EXSEQ"), USUBJID=["A"] * count, EXSTDTC=months, EXSEQ=[1.0] * count)
    for mode, wanted in (("first", known[:1]), ("last", known[-1:])):
        word = Merge(dataset="EX", variables={"X": "EXSTDTC"}, order=("EXSTDTC",), mode=mode)
        assert texts(made_by(word, folder, other, USUBJID=["A"])["X"]) == (wanted or [""])


def test_sums_have_no_noise(tmp_path):
    doses = dataset("EX", USUBJID=["A"] * 3, EXDOSE=[0.1, 0.2, 0.3])
    for function, wanted in (("sum", 0.6), ("mean", 0.2)):
        word = Summary(dataset="EX", function=function, source="EXDOSE", to="X")
        assert numbers(made_by(word, tmp_path, doses, USUBJID=["A"])["X"]) == [wanted]


def test_a_qualifier_that_is_there_twice_is_refused(tmp_path):
    twice = dataset("SUPPAE", USUBJID=["A"] * 2, IDVARVAL=["1", "1"], QNAM=["Q", "Q"], QVAL=["x", "y"])
    word = Supplemental(dataset="SUPPAE", variables={"Q": "Q"}, sequence="AESEQ")
    with pytest.raises(StudyError, match="SUPPAE has a qualifier twice for one record"):
        made_by(word, tmp_path, twice, USUBJID=["A"], AESEQ=[1.0])


def test_a_summand_that_is_there_twice_is_no_second_summand(tmp_path):
    """P twice and no Q are not 'all summands', and 1 + 2 is not their sum."""
    word = SummedRecords(by=("USUBJID",), from_paramcd=("P", "Q"), paramcd="S", order=("PARAMCD",))
    with pytest.raises(StudyError, match="S: P has more than one record within USUBJID"):
        added_by(word, tmp_path, USUBJID=["A", "A"], PARAMCD=["P", "P"], AVAL=[1.0, 2])
    made = added_by(word, tmp_path, USUBJID=["A"] * 2 + ["B"], PARAMCD=["P", "Q", "P"], AVAL=[0.1, 0.2, 5])
    assert numbers(made["AVAL"]) == [0.3]


def test_two_scores_of_one_parameter(tmp_path):
    study_in(tmp_path)
    (tmp_path / "norms.csv").write_text("test,mean,sd\nold,50,10\nyoung,40,5\n", encoding="utf-8")
    scores = {"ZOLD": Score("W", "old", "Old", 1), "ZYOUNG": Score("W", "young", "Young", 2)}
    word = NormScores(norms="norms.csv", paramcd=scores)
    made = added_by(word, tmp_path, USUBJID=["A", "B"], PARAMCD=["W", "W"], PARAM=["w", "w"], PARAMN=[9.0, 9],
                    AVAL=[55.0, 45])  # fmt: skip
    found = sorted(zip(texts(made["USUBJID"]), texts(made["PARAMCD"]), numbers(made["AVAL"]), strict=True))
    assert found == [("A", "ZOLD", 0.5), ("A", "ZYOUNG", 3.0), ("B", "ZOLD", -0.5), ("B", "ZYOUNG", 1.0)]


def test_the_last_band_has_no_limit():
    with pytest.raises(StudyError, match="the last band, b, has no 'below'"):
        Bands(source="A", to="B", bands=(ValueBand("a", 1), ValueBand("b", 2))).check()


def test_a_date_in_two_periods_is_refused(tmp_path):
    """Periods may share a day, or the first may have no end; days 10 to 20 of both are no period's."""
    word = InPeriod(periods={"P1": Span(1, "A", "B"), "P2": Span(2, "C", "D")})
    starts = {"A": [1.0, 1], "C": [10.0, 10], "D": [30.0, 30]}
    for end, date, wanted in ((10.0, 10.0, 2), (None, 15.0, 2), (20.0, 9.0, 1), (20.0, 25.0, 2)):
        made = made_by(word, tmp_path, ADT=[5.0, date], B=[end, end], **starts)
        assert numbers(made["APERIOD"]) == [1, wanted]
    with pytest.raises(StudyError, match="1 ADT lie in P1 and in a later period that began before its end"):
        made_by(word, tmp_path, ADT=[5.0, 15], B=[20.0, 20], **starts)


def deaths(**more):
    where = read_condition({"DTHFL": "Y"}, {}, "where")
    moment = Moment("ADSL", "DTHDT", "Death", where=where, **more)
    return TimeToEventParameter("Survival", 1, (moment,), (Moment("ADSL", "LAST", "Last contact"),))


def test_a_death_without_a_date_is_never_counted_as_alive(tmp_path):
    adsl = dataset("ADSL", USUBJID=["A", "B"], DTHFL=["Y", ""], DTHDT=[None, None], LAST=[50.0, 60])
    adsl = displayed(adsl, DTHDT="DATE9.", LAST="DATE9.")
    given_ = {"USUBJID": ["A", "B"], "TRTSDT": [1.0, 1.0]}
    with pytest.raises(StudyError, match=r"'Death' \(ADSL.DTHDT\) has no date in 1 record\(s\), so that it would not"):
        added_by(TimeToEvent(start="TRTSDT", paramcd={"T": deaths()}), tmp_path, adsl, **given_)
    for word in (
        TimeToEvent(start="TRTSDT", paramcd={"T": deaths(without_date="ignored")}),
        TimeToEvent(start="TRTSDT", paramcd={"T": deaths()}, without_date="ignored"),
    ):
        assert numbers(added_by(word, tmp_path, adsl, **given_)["CNSR"]) == [1, 1]
    made = added_by(TimeToEvent(start="TRTSDT", paramcd={"T": deaths()}), tmp_path, adsl, USUBJID=["A"], TRTSDT=[None])
    assert numbers(made["CNSR"]) == [None]  # not at risk: nothing to ask


def test_an_event_of_which_only_the_record_is_known(tmp_path):
    """A relapse is a record; a subject's row in a dataset of subjects is none."""
    relapses = displayed(dataset("CE", ("USUBJID", "CESEQ"), USUBJID=["A"], CESEQ=[1.0], DT=[None]), DT="DATE9.")
    adsl = displayed(dataset("ADSL", USUBJID=["A"], DTHDT=[None], LAST=[50.0]), DTHDT="DATE9.", LAST="DATE9.")
    last = (Moment("ADSL", "LAST", "Last contact"),)
    given_ = {"USUBJID": ["A"], "TRTSDT": [1.0]}
    relapse = {"T": TimeToEventParameter("Relapse", 1, (Moment("CE", "DT", "Relapse"),), last)}
    with pytest.raises(StudyError, match=r"'Relapse' \(CE.DT\) has no date"):
        added_by(TimeToEvent(start="TRTSDT", paramcd=relapse), tmp_path, relapses, adsl, **given_)
    death = {"T": TimeToEventParameter("Death", 1, (Moment("ADSL", "DTHDT", "Death"),), last)}
    made = added_by(TimeToEvent(start="TRTSDT", paramcd=death), tmp_path, relapses, adsl, **given_)
    assert numbers(made["CNSR"]) == [1]
