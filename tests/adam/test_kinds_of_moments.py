"""Dates and datetimes in one derivation: days are days, whatever the variable holds; what cannot be meant is refused.

The values are worked out by hand.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.build.declaration_check import check_analyses
from adam.columns.columns import SourceColumns
from adam.derivations.baselines import Baseline
from adam.derivations.dates import StudyDay
from adam.derivations.flags import OnTreatment, TreatmentEmergent
from metadata.condition import read_condition
from metadata.dataset import DatasetMetadata
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.study import Study
from metadata.variable_kind import DATE, DATETIME, kind_of
from sdtm.build.mapping_check import kinds_of_tabulated
from tests.adam.trial import columns, context, dataset, day, derived, displayed, numbers, second, study_in, texts

EVENTS = """
    dataset: ADAE
    label: Events
    guide: BDS
    structure: One record per event
    source: {dataset: AE}
    keys: [USUBJID, AESEQ]
    derivations:
      - merge: {dataset: ADSL, variables: {TRTSDT: TRTSDT, TRTEDT: TRTEDT}}
      - copy: {variables: {AVAL: AESEQ}}
      - constant: {to: PARAM, text: Event}
      - constant: {to: PARAMCD, text: EVENT}
      - datetime: {source: AESTDTC, to: ASTDTM}
      - datetime: {source: AEENDTC, to: AENDTM}
%s
    variables:
      {STUDYID: , USUBJID: , AESEQ: , AETERM: , PARAM: , PARAMCD: , AVAL: , TRTSDT: , TRTEDT: , ASTDTM: , AENDTM: %s}
"""


def events(folder, derivations, variables="", **more):
    """Build events of a subject treated from 10 May to 1 August 2001, one of them nine days after the last dose."""
    starts = ["2001-05-10T06:00:00", "2001-08-10T23:59:00", "2001-09-01T00:01:00", "2001-05-09T23:00:00"]
    ae = dataset("AE", STUDYID=["S"] * 4, USUBJID=["A"] * 4, AESEQ=[1.0, 2, 3, 4], AETERM=["x"] * 4, AESTDTC=starts,
                 AEENDTC=[""] * 4)  # fmt: skip
    adsl = dataset("ADSL", USUBJID=["A"], TRTSDT=[day("2001-05-10")], TRTEDT=[day("2001-08-01")])
    adsl = displayed(adsl, TRTSDT="DATE9.", TRTEDT="DATE9.")
    return derived(folder, EVENTS % (derivations, variables), ae, adsl, *more.values()).frame


def test_study_day_of_a_datetime_counts_days(tmp_path):
    made = events(tmp_path, "      - study_day: {date: ASTDTM, reference: TRTSDT, to: ASTDY}", ", ASTDY: ")
    assert numbers(made["ASTDY"]) == [1, 93, 115, -1]


def test_an_event_nine_days_after_the_last_dose_emerged_on_treatment(tmp_path):
    word = "      - treatment_emergent: {start: ASTDTM, end: AENDTM, days: 30}"
    assert texts(events(tmp_path, word, ", TRTEMFL: {label: x}")["TRTEMFL"]) == ["Y", "Y", "", ""]
    word = "      - treatment_emergent: {start: ASTDTM, end: AENDTM, days: 31}"
    assert texts(events(tmp_path, word, ", TRTEMFL: {label: x}")["TRTEMFL"]) == ["Y", "Y", "Y", ""]


def test_days_on_treatment_of_a_datetime(tmp_path):
    word = "      - on_treatment: {date: ASTDTM, days: 9}"
    assert texts(events(tmp_path, word, ", ONTRTFL: {label: x}")["ONTRTFL"]) == ["", "Y", "", ""]


def test_two_datetimes_are_set_against_each_other_by_their_moment(tmp_path):
    """An event at 6 o'clock is before a dose at 8 o'clock of that day; 30 days after treatment are days."""
    start = [second("2001-05-10T06:00:00"), second("2001-05-10T09:00:00"), second("2001-08-31T23:00:00")]
    given = columns(S=start, E=[None] * 3, F=[second("2001-05-10T08:00:00")] * 3, L=[second("2001-08-01T07:00")] * 3)
    found = kinded(given, S=DATETIME, E=DATETIME, F=DATETIME, L=DATETIME)
    word = TreatmentEmergent(start="S", end="E", treatment_start="F", treatment_end="L", days=30)
    assert texts(word.derive(found, 3, context(tmp_path)).columns["TRTEMFL"]) == ["", "Y", "Y"]


def test_the_baseline_of_datetimes(tmp_path):
    """By moment where the first dose has a time; by day where it has none."""
    given = columns(USUBJID=["A"] * 3, AVAL=[1.0, 2, 3], ADTM=[second(f"2001-05-{one}") for one in
                    ("09T20:00", "10T07:00", "10T09:00")], DOSE=[second("2001-05-10T08:00")] * 3,
                    DAY=[day("2001-05-10")] * 3)  # fmt: skip
    found = kinded(given, ADTM=DATETIME, DOSE=DATETIME, DAY=DATE)
    for reference, base in (("DOSE", 2), ("DAY", 3)):
        word = Baseline(by=("USUBJID",), date="ADTM", reference=reference, value=("AVAL",), variables={"BASE": "AVAL"})
        assert numbers(word.derive(found, 3, context(tmp_path)).columns["BASE"]) == [base] * 3


def test_near_an_event_of_a_datetime(tmp_path):
    relapses = dataset("ADCE", USUBJID=["A"], CEDTM=[second("2001-07-31T20:00:00")])
    relapses = displayed(relapses, CEDTM="DATETIME20.")
    word = "      - near_event: {dataset: ADCE, event_date: CEDTM, date: ASTDTM, after: 10, to: NEARFL}"
    made = events(tmp_path, word, ", NEARFL: {label: Near}", relapses=relapses)
    assert texts(made["NEARFL"]) == ["", "Y", "", ""]


def test_an_offset_of_a_datetime_counts_days(tmp_path):
    adsl = {"ENDDTM": second("2001-08-01T12:00:00")}
    given = columns(ASTDTM=[second("2001-08-31T11:00"), second("2001-08-31T13:00")], ENDDTM=[adsl["ENDDTM"]] * 2)
    late = read_condition({"ASTDTM": {"above": {"variable": "ENDDTM", "plus": 30}}}, {}, "where")
    found = kinded(given, ASTDTM=DATETIME, ENDDTM=DATETIME)
    assert late.holds(found, 2).tolist() == [False, True]


def test_a_date_is_not_compared_with_a_datetime(tmp_path):
    word = "      - flag: {to: LATEFL, condition: {ASTDTM: {above: {variable: TRTEDT, plus: 30}}}}"
    with pytest.raises(StudyError, match="ASTDTM is a datetime, TRTEDT is a date: they cannot be compared"):
        events(tmp_path, word, ", LATEFL: {label: Late}")


def test_coalesce_keeps_the_kind(tmp_path):
    word = "      - date_of: {source: ASTDTM, to: ASTDT}\n      - coalesce: {source: [ASTDT, TRTSDT], to: FIRSTDT}"
    made = derived_metadata(tmp_path, word, ", FIRSTDT: {label: First}")
    assert made.variable("FIRSTDT").format == "DATE9."
    word = "      - coalesce: {source: [AENDTM, ASTDTM], to: LASTDTM}"
    assert derived_metadata(tmp_path, word, ", LASTDTM: {label: x}").variable("LASTDTM").format == "DATETIME20."


def derived_metadata(folder, derivations, variables) -> DatasetMetadata:
    ae = dataset("AE", STUDYID=["S"], USUBJID=["A"], AESEQ=[1.0], AETERM=["x"], AESTDTC=["2001-05-10"], AEENDTC=[""])
    adsl = dataset("ADSL", USUBJID=["A"], TRTSDT=[day("2001-05-10")], TRTEDT=[day("2001-08-01")])
    adsl = displayed(adsl, TRTSDT="DATE9.", TRTEDT="DATE9.")
    return derived(folder, EVENTS % (derivations, variables), ae, adsl).metadata


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("coalesce: {source: [ASTDTM, TRTSDT], to: X}",
         "ASTDTM is a datetime, TRTSDT is a date; all must be of one kind"),
        ("extreme_date: {source: [TRTSDT, ASTDTM], to: X}",
         "TRTSDT is a date, ASTDTM is a datetime; all must be of one kind"),
        ("difference: {value: ASTDTM, minus: TRTSDT, to: X}",
         "ASTDTM is a datetime, TRTSDT is a date; all must be of one kind"),
        ("date_of: {source: TRTSDT, to: X}", "TRTSDT is a date; source takes a datetime"),
        ("time_of: {source: TRTSDT, to: X}", "TRTSDT is a date; source takes a datetime"),
        ("study_day: {date: AESTDTC, reference: TRTSDT, to: X}", "AESTDTC is text; date takes a date or a datetime"),
        ("product: {factors: [TRTSDT, AESEQ], to: X}", "TRTSDT is a date; factors takes a number"),
        ("bands: {source: AETERM, to: X, bands: [{name: a, below: 1}, {name: b}]}",
         "AETERM is text; source takes a number"),
        ("duration: {start: TRTSDT, end: TRTEDT, datetimes: true, to: X}",
         "TRTSDT is a date; 'datetimes: true' takes datetimes"),
        ("datetime: {source: AESTDTC, to: X, impute: first, not_before: TRTSDT}",
         "TRTSDT is a date; not_before takes a datetime"),
        ("summary: {dataset: ADSL, function: sum, source: TRTSDT, to: X}", "ADSL.TRTSDT is a date; sum takes numbers"),
        ("near_event: {dataset: AE, event_date: AESTDTC, date: ASTDTM, to: X}",
         "AE.AESTDTC is text; event_date takes a date or a datetime"),
        ("flag: {to: X, condition: {ASTDTM: {above: {variable: TRTEDT}}}}",
         "ASTDTM is a datetime, ADAE.TRTEDT is a date: they cannot be compared"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_before_any_data(tmp_path, word, message):
    study = study_in(tmp_path, adae=EVENTS % (f"      - {word}", ", X: {label: x}"))
    adsl = {"USUBJID": "Char", "TRTSDT": DATE, "TRTEDT": DATE}
    known = {"AE": {"STUDYID": "Char", "USUBJID": "Char", "AESEQ": "Num", "AETERM": "Char", "AESTDTC": "Char",
                    "AEENDTC": "Char"}, "ADSL": adsl}  # fmt: skip
    found = [str(error) for error in check_analyses(Study(study.folder), known) if "no dataset ADSL" not in str(error)]
    assert len(found) == 1
    assert message in found[0]
    assert "line 15" in found[0]


@pytest.mark.parametrize(
    ("word", "variable", "message"),
    [
        ("copy: {variables: {ADT: ASTDTM}}", "ADT: ", "ADT should be a date, and the derivation makes a datetime"),
        ("copy: {variables: {ADTM: TRTSDT}}", "ADTM: ", "ADTM should be a datetime, and the derivation makes a date"),
        ("copy: {variables: {ADY: TRTSDT}}", "ADY: ", "ADY should be a number, and the derivation makes a date"),
        ("copy: {variables: {FIRST: ASTDTM}}", "FIRST: {label: x, format: DATE9.}",
         "FIRST should be a date, and the derivation makes a datetime"),
        ("coalesce: {source: [AENDTM, ASTDTM], to: ADT}", "ADT: ", "ADT should be a date"),
        ("summary: {dataset: ADSL, function: count, to: ADT}", "ADT: ", "the derivation makes a number"),
        ("study_day: {date: TRTEDT, reference: TRTSDT, to: ADT}", "ADT: ", "the derivation makes a number"),
        ("recode: {source: AETERM, to: ADT, values: {x: 4}}", "ADT: ", "the derivation makes a number"),
        ("recode: {source: TRTSDT, to: X, values: {'15105': 4}}", "X: {label: x}",
         "TRTSDT is a date; source takes text or a number"),
        ("shift: {start: AETERM, end: TRTEDT}", "SHIFT1: ", "TRTEDT is a date; end takes text or a number"),
        ("flag: {to: X, condition: {TRTSDT: {above: 3}}}", "X: {label: x}",
         "TRTSDT is a date: say {from: 2019-01-01} or {to: 2019-01-01}, or compare it with {variable: NAME}"),
    ],
)  # fmt: skip
def test_a_variable_holds_what_its_name_or_format_says(tmp_path, word, variable, message):
    """Both `check` and a build refuse it: a variable that is named as days never holds seconds."""
    declared = EVENTS % (f"      - {word}", f", {variable}")
    study = study_in(tmp_path, adae=declared)
    known = {"AE": {"STUDYID": "Char", "USUBJID": "Char", "AESEQ": "Num", "AETERM": "Char", "AESTDTC": "Char",
                    "AEENDTC": "Char"}, "ADSL": {"USUBJID": "Char", "TRTSDT": DATE, "TRTEDT": DATE}}  # fmt: skip
    found = [str(error) for error in check_analyses(Study(study.folder), known) if "no dataset ADSL" not in str(error)]
    assert len(found) == 1
    assert message in found[0]
    with pytest.raises(StudyError, match=message.replace("{", r"\{").replace("}", r"\}")):
        events(tmp_path, f"      - {word}", f", {variable}")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("merge: {dataset: DM, variables: {ADT: AGE}}", "ADT should be a date, and the derivation makes a number"),
        ("flag: {to: ADT, condition: {AESEQ: {above: {variable: TRTSDT}}}}",
         "AESEQ is a number, ADAE.TRTSDT is a date: they cannot be compared"),
        ("flag: {to: ADT, condition: {ASTTM: {above: {variable: ASTTM, plus: -1}}}}",
         "ASTTM is a time: 'plus' counts days"),
    ],
)  # fmt: skip
def test_a_number_of_sdtm_is_no_date(tmp_path, word, message):
    study = study_in(
        tmp_path, adae=EVENTS % (f"      - time_of: {{source: ASTDTM, to: ASTTM}}\n      - {word}", ", ADT: ")
    )
    known = {**kinds_of_tabulated(study, None), "ADSL": {"USUBJID": "Char", "TRTSDT": DATE, "TRTEDT": DATE}}
    found = [str(error) for error in check_analyses(Study(study.folder), known)]
    assert any(message in error for error in found), found


def kinded(given, **kinds):
    """Return columns that know their kinds."""
    found = SourceColumns(FrameColumns.__new__(FrameColumns), np.arange(len(next(iter(given.values())))), kinds)
    found.update(given)
    return found


MOMENTS = st.integers(-40 * 86400, 40 * 86400)


@given(st.lists(st.tuples(MOMENTS, MOMENTS, MOMENTS), min_size=1, max_size=8), st.integers(0, 9))
def test_datetimes_count_as_their_days(tmp_path_factory, rows, days):
    """Study days, and treatment that is known by day only, are the same for datetimes and for their dates."""
    start, first, last = (np.array([float(row[at]) for row in rows]) for at in range(3))
    as_days = {"S": np.floor(start / 86400), "F": np.floor(first / 86400), "L": np.floor(last / 86400)}
    nothing = {"E": np.full(len(rows), np.nan)}
    by_day = kinded({**as_days, **nothing}, S=DATE, F=DATE, L=DATE, E=DATE)
    mixed = kinded({**as_days, **nothing, "S": start, "L": last}, S=DATETIME, F=DATE, L=DATETIME, E=DATE)
    there = context(tmp_path_factory.mktemp("study"))
    for word in (
        StudyDay(date="S", reference="F", to="OUT"),
        TreatmentEmergent(start="S", end="E", treatment_start="F", treatment_end="L", days=days, to="OUT"),
        OnTreatment(date="S", end="E", treatment_start="F", treatment_end="L", days=days, to="OUT"),
    ):
        one, other = (word.derive(given_, len(rows), there).columns["OUT"] for given_ in (by_day, mixed))
        assert (texts(one) == texts(other)) if hasattr(one, "codes") else np.array_equal(one, other)


def test_the_format_says_which_numbers_are_dates():
    assert [kind_of("Num", one) for one in ("DATE9.", "E8601DT19.", "TIME8.", "8.2", None)] == [
        "date", "datetime", "time", "Num", "Num",
    ]  # fmt: skip
    assert kind_of("Char", "$200.") == "Char"
