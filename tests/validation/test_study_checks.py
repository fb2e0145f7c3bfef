"""Each kind of study check: what it objects to, what it leaves alone, and which field it asks about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from metadata.errors import StudyError
from metadata.records_lookup import RecordsLookup
from metadata.study_declaration import TextDates
from tests.validation.small_study import FIELDS, enrol, exam, log, places, project, records, study
from validation.checks.data import CheckData
from validation.checks.declaration import load_checks
from validation.checks.kind import KINDS
from validation.checks.run import check_findings
from validation.raw.dictionary_findings import dictionary_findings


def judged(folder: Path, check: str, *rows: dict[str, str], text_dates: str = "[]") -> list[tuple[str, ...]]:
    """Source row's instance or event, field, value and problem of what one check finds."""
    lines = "\n".join(f"    {line}" for line in check.strip().splitlines())
    made = study(folder, f"checks:\n  - id: a.check\n    severity: error\n{lines}\n")
    declared = [TextDates(**one) for one in yaml.safe_load(text_dates)]
    made.declared = replace(made.declared, text_dates=declared)
    lookup = RecordsLookup(records(*rows))
    data = CheckData(made, lookup, dictionary_findings(lookup))
    found = check_findings(data, load_checks(made, lookup.project))
    frame = lookup.records.frame
    where = frame["redcap_event_name"].str.replace("_arm_1", "") + frame["redcap_repeat_instance"]
    found["where"] = where.to_numpy()[found["source_row"]]
    return places(found, "where", "field", "value", "problem")


PARTS = """
kind: date_order
form: log
field: to_y
first: [from_y, from_m, from_d]
then: [to_y, to_m, to_d]
problem: Ends {then}, starts {first}.
"""


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [
        (("2000", "3", "2"), ("2000", "3", "1"), True),
        (("2000", "3", "2"), ("2000", "3", "2"), False),
        (("2000", "3", ""), ("2000", "3", "1"), False),
        (("2000", "3", "UNK"), ("2000", "2", "28"), True),
        (("2000", "", ""), ("1999", "12", "31"), True),
        (("2000", "", ""), ("2000", "1", "1"), False),
        (("2000", "2", "30"), ("1999", "1", "1"), False),
        (("", "", ""), ("1999", "1", "1"), False),
        (("2000", "1", "1"), ("-99", "", ""), False),
    ],
)
def test_dates_in_parts_are_intervals(
    tmp_path: Path, start: tuple[str, ...], end: tuple[str, ...], wrong: bool
) -> None:
    names = ("from_y", "from_m", "from_d", "to_y", "to_m", "to_d")
    found = judged(tmp_path, PARTS, enrol(), log("1", **dict(zip(names, (*start, *end), strict=True))))
    assert [row[:3] for row in found] == ([("logs1", "to_y", end[0])] if wrong else [])


def test_the_sentence_shows_partial_dates(tmp_path: Path) -> None:
    [row] = judged(tmp_path, PARTS, enrol(), log(from_y="2000", from_m="3", to_y="1999"))
    assert row[3] == "Ends 1999, starts 2000-03."


def test_dates_of_other_events_are_reached(tmp_path: Path) -> None:
    check = 'kind: date_order\nform: log\nfield: first\nfirst: "[start_arm_1][consent]"\nthen: first\nsame_day: false'
    rows = [enrol(), log("1", first="1998-04-30"), log("2", first="1998-05-01"), log("3", first="1998-05-02")]
    assert [row[0] for row in judged(tmp_path, check, *rows)] == ["logs1", "logs2"]


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        (("1999", "2", "29"), True),
        (("2000", "2", "29"), False),
        (("1900", "2", "29"), True),
        (("", "2", "30"), True),
        (("", "2", "29"), False),
        (("1999", "6", "31"), True),
        (("1999", "", "31"), False),
        (("1999", "13", "1"), False),
        (("1999", "1", "UNK"), False),
    ],
)
def test_impossible_days(tmp_path: Path, parts: tuple[str, ...], wrong: bool) -> None:
    check = "kind: impossible_date\nform: log\nfield: from_d\ndate: [from_y, from_m, from_d]"
    row = log(**dict(zip(("from_y", "from_m", "from_d"), parts, strict=True)))
    assert bool(judged(tmp_path, check, enrol(), row)) is wrong


OVERLAP = """
kind: no_overlap
form: log
field: first
by: [drug]
start: first
end: last
ongoing_logic: "[going] = '1'"
"""


def test_intervals_overlap_only_within_their_group_and_record(tmp_path: Path) -> None:
    rows = [
        enrol("1"),
        enrol("2"),
        log("1", drug="1", first="1999-01-01", last="1999-12-31"),
        log("2", drug="1", first="1999-02-01", last="1999-02-10"),
        log("3", drug="1", first="1999-12-31", last="2000-01-10"),
        log("4", drug="1", first="2000-01-11", going="1"),
        log("5", drug="2", first="1999-02-01", last="1999-02-02"),
        log("6", drug="1", first="2001-01-01", last="2001-01-02"),
        log("1", "2", drug="1", first="1999-02-01"),
        log("2", "2", drug="1", first="1999-02-02"),
    ]
    found = judged(tmp_path, OVERLAP, *rows)
    assert [row[0] for row in found] == ["logs2", "logs3", "logs6"]
    assert found[0][3] == "The interval starts 1999-02-01, but an earlier one lasts until 1999-12-31."
    assert "now (ongoing)" in found[2][3]


SPREAD = "kind: spread\nform: exam\nfield: day\ndates: [day, consent]\nanchor: day\ndays: 14"


def test_dates_of_one_visit_lie_together(tmp_path: Path) -> None:
    near, far = exam("start", done="1", day="1998-05-15"), exam("start", done="1", day="1998-05-16")
    assert judged(tmp_path, SPREAD, enrol(), near) == []
    [row] = judged(tmp_path, SPREAD, enrol(), far)
    assert row[:3] == ("start", "consent", "1998-05-01")
    assert row[3].startswith("The dates of one visit lie 15 days apart, from 1998-05-01 to 1998-05-16")


WINDOW = 'kind: visit_window\nform: exam\nfield: day\ndate: day\nreference: "[start_arm_1][day]"'


@pytest.mark.parametrize(
    ("day", "wrong"), [("1998-06-01", True), ("1998-06-02", False), ("1998-06-16", False), ("1998-06-17", True)]
)
def test_visits_are_judged_by_their_declared_window(tmp_path: Path, day: str, wrong: bool) -> None:
    """Day 1 is 10 May: day 31 is 9 June, the window 2 to 16 June."""
    start = exam("start", done="1", day="1998-05-10")
    found = judged(tmp_path, WINDOW, enrol(), start, exam("later", done="1", day=day))
    assert [row[0] for row in found] == (["later"] if wrong else [])


def test_visits_follow_each_other(tmp_path: Path) -> None:
    check = "kind: ascending\nform: exam\nfield: day\ndate: day"
    rows = [exam("start", done="1", day="1998-05-10"), exam("later"), exam("end", done="1", day="1998-05-10")]
    rows += [exam("extra", instance="1", done="1", day="1998-05-01")]
    [row] = judged(tmp_path, check, enrol(), *rows)
    assert row[0] == "end"
    assert row[3] == "The date 1998-05-10 is not after that of the visit before (1998-05-10, Start)."


def test_the_later_of_two_equal_visits_is_queried(tmp_path: Path) -> None:
    check = "kind: unique\nform: exam\nfield: day\nby: [day]"
    rows = [exam("extra", instance="1", done="1", day="1998-06-09"), exam("later", done="1", day="1998-06-09")]
    [row] = judged(tmp_path, check, enrol(), *rows, exam("end", record="2", done="1", day="1998-06-09"))
    assert row[0] == "extra1"
    assert "is at Later already" in row[3]


def test_expressions_are_not_judged_on_blanks_codes_and_unreadable_values(tmp_path: Path) -> None:
    check = 'kind: expression\nform: exam\nfield: count\nlogic: "[count] < [limit]"'
    rows = [exam("start", count="5", limit="4"), exam("later", count="5"), exam("end", count="UNK", limit="4")]
    rows += [exam("extra", instance="1", count="5", limit="four")]
    assert [row[0] for row in judged(tmp_path, check, enrol(), *rows)] == ["start"]
    assert [row[0] for row in judged(tmp_path, check + "\njudge_blank: true", enrol(), *rows)] == [
        "start", "later", "end", "extra1",
    ]  # fmt: skip


def test_a_condition_limits_the_rows(tmp_path: Path) -> None:
    check = (
        'kind: expression\nform: exam\nfield: count\nlogic: "[count] = 0"\n'
        "when_logic: \"[event-name] <> 'start_arm_1'\""
    )
    found = judged(tmp_path, check, enrol(), exam("start", count="1"), exam("later", count="1"))
    assert [row[0] for row in found] == ["later"]


def test_allowed_values_and_text_formats(tmp_path: Path) -> None:
    steps = "kind: allowed_values\nform: exam\nfield: score\nvalues: [0, 1, 1.5, 2]"
    rows = [exam("start", score="1,5"), exam("later", score="0,5"), exam("end", score="UNK")]
    assert [row[:3] for row in judged(tmp_path, steps, enrol(), *rows)] == [("later", "score", "0,5")]
    text = 'kind: text_format\nform: log\nfield: term\npattern: "<?[0-9]+"'
    found = judged(tmp_path, text, enrol(), log("1", term="<20"), log("2", term="1:20"), log("3", term="UNK"))
    assert [row[2] for row in found] == ["1:20"]


def test_plausibility_is_judged_in_the_standard_unit(tmp_path: Path) -> None:
    check = (
        'kind: plausible\nform: log\nfield: number\nunit: drug\nunit_factors: {"1": 1, "2": 0.001}\nlow: 0.5\nhigh: 50'
    )
    rows = [log("1", number="40", drug="1"), log("2", number="40", drug="2"), log("3", number="4000", drug="2")]
    rows += [log("4", number="4000", drug="1"), log("5", number="4000")]
    found = judged(tmp_path, check, enrol(), *rows)
    assert [row[0] for row in found] == ["logs2", "logs4"]
    assert "0.04 in the standard unit, expected 0.5 to 50" in found[0][3]


def test_jumps_are_measured_from_the_visit_before_that_has_a_value(tmp_path: Path) -> None:
    check = "kind: change_limit\nform: exam\nfield: score\nmost: 2.5"
    rows = [exam("start", score="2,0"), exam("later"), exam("end", score="4,6")]
    [row] = judged(tmp_path, check, enrol(), *rows)
    assert row[3] == "The value 4,6 differs by 2.6 from 2 at the visit before (Start)."
    assert judged(tmp_path, check, enrol(), exam("start", score="2,0"), exam("end", score="4,5")) == []


def test_a_value_may_be_required_by_another(tmp_path: Path) -> None:
    check = 'kind: required_when\nform: log\nfield: drug\nwhen_logic: "isnumber([number])"'
    rows = [log("1", number="1"), log("2"), log("3", number="1", drug="2"), log("4", number="UNK")]
    assert [row[0] for row in judged(tmp_path, check, enrol(), *rows)] == ["logs1"]


def test_counterparts_are_found_by_key_within_the_record(tmp_path: Path) -> None:
    other = "other: {form: log, key: instance, when_logic: \"[drug] = '1'\"}"
    check = f"kind: counterpart\nform: exam\nfield: count\nkey: count\n{other}"
    rows = [log("1", drug="1"), log("2", drug="2"), log("3", "2", drug="1")]
    rows += [exam("start", count="1"), exam("later", count="2"), exam("end", count="3"), exam("extra", instance="1")]
    assert [row[0] for row in judged(tmp_path, check, enrol(), *rows)] == ["later", "end"]
    other = "other: {form: log, when_logic: \"[drug] = '1'\"}"
    any_log = f"kind: counterpart\nform: exam\nfield: done\nif_any: true\n{other}"
    found = judged(tmp_path, any_log, exam("later"), exam("later", "2"), log("1", drug="2"))
    assert [row[0] for row in found] == ["later"]


@pytest.mark.parametrize(("same_event", "expected"), [("false", []), ("true", ["later"])])
def test_counterparts_may_have_to_be_of_the_same_event(tmp_path: Path, same_event: str, expected: list[str]) -> None:
    other = f"other: {{form: exam, key: limit, same_event: {same_event}}}"
    check = f"kind: counterpart\nform: exam\nfield: count\nkey: count\n{other}"
    rows = [exam("start", count="5", limit="5"), exam("later", count="6"), exam("end", limit="6")]
    assert [row[0] for row in judged(tmp_path, check, enrol(), *rows)] == expected


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ("", ["2", "3", "4"]),
        ("tolerance: 0.1", ["3", "4"]),  # 10.1 and 10.2 differ by 0.1, though not in binary
        ("share: 0.5", ["4"]),
        ("tolerance: 0.1\nshare: 0.5", ["4"]),
    ],
)
def test_values_agree_by_key_and_within_what_is_allowed(tmp_path: Path, allowed: str, expected: list[str]) -> None:
    other = "other: {form: exam, field: weight, key: count}"
    check = f"kind: agree\nform: exam\nfield: limit\nkey: pain\n{allowed}\n{other}"
    rows = []
    for record, limit, weight in (("1", "7", "7.0"), ("2", "10.2", "10.1"), ("3", "3", "2.0"), ("4", "9", "1.0")):
        rows += [exam("start", record, count="5", weight=weight), exam("later", record, pain="5", limit=limit)]
        rows += [exam("end", record, count="6", weight="300.0"), exam("extra", record, "1", limit="800")]
    found = judged(tmp_path, check, enrol(), *rows)
    assert [row[0] for row in found] == ["later"] * len(expected)
    assert len(found) == len(expected)


@pytest.mark.parametrize(("mode", "expected"), [("last", "2000-02-01"), ("first", "1999-01-01"), ("only", "")])
def test_values_agree_with_another_form(tmp_path: Path, mode: str, expected: str) -> None:
    check = f"kind: agree\nform: exam\nfield: day\nother: {{form: log, field: last, mode: {mode}}}"
    rows = [log("1", last="1999-01-01"), log("2", last="2000-02-01"), exam(done="1", day="1999-06-01")]
    found = judged(tmp_path, check, enrol(), *rows)
    assert [row[3] for row in found] == (
        [f"The value 1999-06-01 does not agree with {expected} in Event log."] if expected else []
    )
    same = exam(done="1", day=expected) if expected else exam()
    assert judged(tmp_path, check, enrol(), *rows[:2], same) == []


@pytest.mark.parametrize(
    ("fields", "mine", "theirs", "differs"),
    [
        (("weight", "number"), "8.0", "8", False),
        (("weight", "number"), "8.1", "8", True),
        (("term", "number"), "8.0", "8", False),
        (("term", "number"), "eight", "8", True),
        (("term", "drug"), "1.0", "1", True),
        (("day", "last"), "1999-06-01", "1999-06-01", False),
        (("day", "last"), "1999-06-01", "1999-06-02", True),
        (("day", "term"), "1999-06-01", "01-06-1999", False),
        (("day", "term"), "1999-06-01", "UN-06-1999", False),
        (("day", "term"), "1999-06-01", "02-06-1999", True),
        (("day", "term"), "1999-06-01", "UN-05-1999", True),
        (("day", "term"), "1999-06-01", "summer", False),
    ],
)
def test_values_are_compared_as_what_they_are(
    tmp_path: Path, fields: tuple[str, str], mine: str, theirs: str, differs: bool
) -> None:
    field, other = fields
    own = {"day": exam(done="1", day=mine), "weight": exam(done="1", weight=mine), "term": log("1", term=mine)}[field]
    rows = [own, log("1", **{other: theirs})] if field != "term" else [{**own, other: theirs}]
    form = "log" if field == "term" else "exam"
    check = f"kind: agree\nform: {form}\nfield: {field}\nother: {{form: log, field: {other}}}"
    text_dates = "[{fields: [term], order: dmy, unknown: [UN]}]" if field == "day" else "[]"
    found = judged(tmp_path, check, enrol(), *rows, text_dates=text_dates)
    assert [row[2] for row in found] == ([mine] if differs else [])


def test_a_unit_that_jumps_between_visits(tmp_path: Path) -> None:
    check = "kind: agree\nform: exam\nfield: count\nother: {form: exam, field: count, mode: previous}"
    rows = [exam("start", count="1"), exam("later"), exam("end", count="2"), exam("end", "2", count="2")]
    [row] = judged(tmp_path, check, enrol(), *rows)
    assert row[:3] == ("end", "count", "2")
    assert row[3] == "The value 2 does not agree with 1 in Examination."


def test_a_person_who_was_entered_twice(tmp_path: Path) -> None:
    check = "kind: unique\nform: enrol\nfield: name\nby: [name, sex]\nwithin: study"
    rows = [enrol(name="ANA", sex="2"), enrol("2", name="ANA", sex="1"), enrol("3", name="ANA", sex="2"), enrol("4")]
    [row] = judged(tmp_path, check, *rows)
    assert row[3] == "The same value (identifier) is at record 1, Start already."
    assert judged(tmp_path, check, exam(done="1"), enrol(name="ANA", sex="2")) == []


def test_one_engine_reads_regular_expressions(tmp_path: Path) -> None:
    check = "kind: text_format\nform: log\nfield: term\npattern: '(?!X).*'"
    found = judged(tmp_path, check, enrol(), log("1", term="XY"), log("2", term="YX"), log("3", term=""))
    assert [row[2] for row in found] == ["XY"]


def test_forms_of_a_visit_are_expected(tmp_path: Path) -> None:
    check = "kind: expected_forms\nform: exam\nfield: done"
    rows = [exam("start", arms___1="0"), exam("start", "2"), enrol("2"), exam("extra", instance="1")]
    [row] = judged(tmp_path, check, *rows)
    assert row[0] == "start"
    assert row[3] == "These forms of the visit hold nothing: Enrolment."
    assert judged(tmp_path, check + "\nexcept: [enrol]", *rows) == []


def test_each_makes_a_check_of_each_item(tmp_path: Path) -> None:
    check = """
kind: expression
form: exam
field: "{each}"
for_each: [count, limit]
logic: "[{each}] = 0"
problem: "{label} holds {{each}}."
"""
    found = judged(tmp_path, check, enrol(), exam(count="1", limit="2"))
    assert [(row[1], row[3]) for row in found] == [("count", " holds 1."), ("limit", " holds 2.")]


def test_identifiers_are_masked_in_sentences(tmp_path: Path) -> None:
    check = 'kind: expression\nform: enrol\nfield: sex\nlogic: "[sex] = \'1\'"\nproblem: "{name} has {value}"'
    [row] = judged(tmp_path, check, enrol(name="Ana", sex="2"))
    assert row[3] == "(identifier) has 2"


@pytest.mark.parametrize(
    ("check", "form"),
    [
        ("kind: agree\nform: enrol\nfield: name\nother: {form: log, field: term}", "enrol"),
        ("kind: agree\nform: log\nfield: term\nother: {form: enrol, field: name}", "log"),
    ],
)
def test_identifiers_are_masked_where_two_values_are_held_against_each_other(
    tmp_path: Path, check: str, form: str
) -> None:
    [row] = judged(tmp_path, check, enrol(name="Ana"), log(term="Eva"))
    shown = "Eva" if form == "log" else "(identifier)"
    assert row[3].startswith(f"The value {shown} does not agree with (identifier) in ")


def test_a_date_that_identifies_is_masked_in_the_details(tmp_path: Path) -> None:
    check = "kind: date_order\nform: log\nfield: last\nfirst: '[start_arm_1][consent]'\nthen: last"
    row = [log("1", first="1990-01-01", last="1991-01-01")]
    [plain] = judged(tmp_path, check, enrol(), *row)
    assert "1998-05-01" in plain[3]
    secret = [one | {"identifier": "y"} if one["field_name"] == "consent" else one for one in FIELDS]
    lookup = RecordsLookup(records(enrol(), *row, fields=secret))
    made = study(tmp_path, (tmp_path / "checks.yaml").read_text("utf-8"))
    data = CheckData(made, lookup, dictionary_findings(lookup))
    [problem] = check_findings(data, load_checks(made, lookup.project))["problem"]
    assert "1998" not in problem
    assert "(identifier)" in problem


LOGIC = "kind: expression\nform: log\nfield: term\n"
MISTAKES = [
    ("kind: date_ordre\nform: log\nfield: to_y", "kind", "did you mean 'date_order'?"),
    ("kind: expression\nform: lg\nfield: to_y\nlogic: '[term]'", "form", "did you mean 'log'?"),
    ("kind: expression\nform: log\nfield: cnt\nlogic: '[term]'", "field", "the dictionary has no field 'cnt'"),
    ("kind: expression\nform: log\nfield: count\nlogic: '[term]'", "field", "is on the form 'exam', not on 'log'"),
    (LOGIC, "", "needs the key 'logic'"),
    (LOGIC + "logc: '1'", "logc", "did you mean 'logic'?"),
    ("kind: counterpart\nform: exam\nfield: count\nkey: count\nother: {form: log}", "", "'other' needs the key 'key'"),
    ("kind: agree\nform: exam\nfield: day\nother: {form: log}", "", "'other' needs the key 'field'"),
    ("kind: agree\nform: exam\nfield: day\nkey: count\nother: {form: log, field: last}", "", "needs the key 'key'"),
    (
        "kind: agree\nform: exam\nfield: day\nother: {form: log, field: last, mode: previous, same_event: true}",
        "mode",
        "leave out key and same_event",
    ),
    ("kind: agree\nform: exam\nfield: day\ntolerance: -1\nother: {form: log, field: last}", "tolerance", "from 0"),
    ("kind: agree\nform: exam\nfield: day\nother: {form: log, field: day}", "field", "is on the form 'exam'"),
    (
        "kind: expression\nform: exam\nfield: '{each}'\nfor_each: {count: 3}\nlogic: '[term]'",
        "count",
        "must be a mapping",
    ),
    (LOGIC + "logic: '[term'", "logic", "expected a closing ']'"),
    (LOGIC + "logic: '[trm]'", "logic", "did you mean 'term'?"),
    (LOGIC + "logic: 'rond(1)'", "logic", "did you mean 'round'?"),
    (LOGIC + "logic: '[term]'\nproblem: '{vlue}'", "problem", "did you mean 'value'?"),
    ("kind: text_format\nform: log\nfield: term\npattern: '('", "pattern", "must be a regular expression, not '('"),
    ("kind: change_limit\nform: log\nfield: number\nmost: lots", "most", "must be a number, not 'lots'"),
    ("kind: date_order\nform: log\nfield: last\nfirst: '[begin_arm_1][consent]'\nthen: last", "first", "no event"),
    ("kind: agree\nform: exam\nfield: day\nother: {form: log, field: last, mode: most}", "mode", "last"),
    (
        "kind: plausible\nform: log\nfield: number\nunit: drug\nunit_factors: {'1': 1}\nlow: 1\nhigh: 2",
        "unit_factors",
        "the code '2'",
    ),
]


@pytest.mark.parametrize(("check", "key", "said"), MISTAKES)
def test_mistakes_name_line_key_and_the_nearest_word(tmp_path: Path, check: str, key: str, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        judged(tmp_path, check, enrol())
    assert "checks.yaml, line " in str(caught.value)
    assert not key or f"key '{key}'" in str(caught.value)
    assert said in str(caught.value)


def test_the_bundled_study_uses_kinds_that_exist_and_fits_its_dictionary() -> None:
    from metadata.study import Study

    bundled = Study.open("spms_aza")
    checks = load_checks(bundled, bundled.project())
    assert {check.kind for check in checks} <= set(KINDS)
    assert len({(check.id, check.field) for check in checks}) == len(checks)


def test_a_study_without_checks_has_none(tmp_path: Path) -> None:
    assert load_checks(study(tmp_path), project()) == []


def test_an_unknown_part_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="did you mean 'checks'"):
        load_checks(study(tmp_path, "check: []\n"), project())


def test_a_value_must_be_that_of_another_record(tmp_path: Path) -> None:
    check = (
        "kind: other_record\nform: log\nfield: drug\n"
        "other: {form: enrol, field: sex}\nproblem: Nobody else has {value}."
    )
    others = [enrol(sex="1"), enrol("2", sex="2")]
    assert judged(tmp_path, check, *others, log("1", drug="2"), log("2", drug="")) == []
    assert judged(tmp_path, check, *others, log("1", drug="1")) == [("logs1", "drug", "1", "Nobody else has 1.")]
    assert len(judged(tmp_path, check, enrol(sex="1"), log("1", drug="2"))) == 1
