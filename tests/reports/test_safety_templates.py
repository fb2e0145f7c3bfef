"""Safety tables: a published one from public data, and small ones counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.layout.table import OutputTable
from reports.results.index import ResultsIndex, rows_by_output
from reports.results.specification import read_specification
from reports.templates import KEYS, TEMPLATES

STUDY = """
study: {id: OTHER-03, title: Public data}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2014-12-31
visits: []
"""
HEAD = """
populations: {Safety: {label: Safety population, flag: SAFFL}}
columns: {by: TRT01A, total: Overall}
outputs:
"""
GENERAL, GUT = "GENERAL DISORDERS AND ADMINISTRATION SITE CONDITIONS", "GASTROINTESTINAL DISORDERS"
PLACEBO, HIGH, LOW = "Placebo", "Xanomeline High Dose", "Xanomeline Low Dose"
# The first three records of each term of the CDISC pilot's ADAE, ten of them, in two system organ classes.
PILOT = (
    ("01-701-1015", PLACEBO, GENERAL, "APPLICATION SITE ERYTHEMA"),
    ("01-701-1028", HIGH, GENERAL, "APPLICATION SITE ERYTHEMA"),
    ("01-701-1115", LOW, GENERAL, "APPLICATION SITE ERYTHEMA"),
    ("01-701-1015", PLACEBO, GENERAL, "APPLICATION SITE PRURITUS"),
    ("01-701-1028", HIGH, GENERAL, "APPLICATION SITE PRURITUS"),
    ("01-701-1034", HIGH, GENERAL, "APPLICATION SITE PRURITUS"),
    ("01-701-1015", PLACEBO, GUT, "DIARRHOEA"),
    ("second on placebo", PLACEBO, GUT, "DIARRHOEA"),
    ("third on placebo", PLACEBO, GUT, "DIARRHOEA"),
    ("01-701-1034", HIGH, GENERAL, "FATIGUE"),
)
INCIDENCE = """
  - id: T1
    template: incidence
    title: Adverse events
    population: Safety
    plan: all
    dataset: ADAE
    any: Any adverse event
    class: AEBODSYS
    term: AEDECOD
    order: name
    reference: Placebo
"""


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), ()), frame)


def study(folder: Path, outputs: str) -> Study:
    texts = {"study.yaml": STUDY, "sap.md": "# Plan\n\n## All {#all}\n\nText.\n", "reports.yaml": HEAD + outputs}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return Study(folder)


def pilot() -> dict[str, Dataset]:
    events = pd.DataFrame(PILOT, columns=["USUBJID", "TRTA", "AEBODSYS", "AEDECOD"])
    known = events[["USUBJID", "TRTA"]].drop_duplicates().rename(columns={"TRTA": "TRT01A"})
    sizes = {PLACEBO: 86, HIGH: 84, LOW: 84}
    others = [
        (f"{arm} {n}", arm) for arm, size in sizes.items() for n in range(size - int((known["TRT01A"] == arm).sum()))
    ]
    subjects = pd.concat([known, pd.DataFrame(others, columns=["USUBJID", "TRT01A"])], ignore_index=True)
    return {"ADSL": dataset("ADSL", subjects.assign(SAFFL="Y")), "ADAE": dataset("ADAE", events)}


def shown(made: Study, results: pd.DataFrame, number: int = 0) -> OutputTable:
    output = read_specification(made, KEYS).outputs[0]
    table = TEMPLATES[output.template].layout(output, ResultsIndex(rows_by_output(results)[output.id])).tables[number]
    assert isinstance(table, OutputTable)
    return table


def test_incidence_is_as_published_of_the_pilot(tmp_path: Path) -> None:
    """The example table of the R package crane (tests/testthat/_snaps/tbl_hierarchical_rate_and_count.md)."""
    made = study(tmp_path, INCIDENCE)
    table = shown(made, compute(made, pilot()))
    assert [column.span for column in table.columns][:8:2] == [
        "Placebo (N=86)", "Xanomeline High Dose (N=84)", "Xanomeline Low Dose (N=84)", "Overall (N=254)",
    ]  # fmt: skip
    assert [(row.label, row.indent, row.cells[:8]) for row in table.rows] == [
        ("Any adverse event", 0, ("3 (3.5%)", "5", "2 (2.4%)", "4", "1 (1.2%)", "1", "6 (2.4%)", "10")),
        ("Gastrointestinal disorders", 0, ("3 (3.5%)", "3", "0", "0", "0", "0", "3 (1.2%)", "3")),
        ("Diarrhoea", 1, ("3 (3.5%)", "3", "0", "0", "0", "0", "3 (1.2%)", "3")),
        (GENERAL.capitalize(), 0, ("1 (1.2%)", "2", "2 (2.4%)", "4", "1 (1.2%)", "1", "4 (1.6%)", "7")),
        ("Application site erythema", 1, ("1 (1.2%)", "1", "1 (1.2%)", "1", "1 (1.2%)", "1", "3 (1.2%)", "3")),
        ("Application site pruritus", 1, ("1 (1.2%)", "1", "2 (2.4%)", "2", "0", "0", "3 (1.2%)", "3")),
        ("Fatigue", 1, ("0", "0", "1 (1.2%)", "1", "0", "0", "1 (0.4%)", "1")),
    ]


def test_only_terms_that_are_frequent_in_some_treatment_have_a_line(tmp_path: Path) -> None:
    """3 of 86 on placebo are 3.49%, 2 of 84 are 2.38%, 1 of 84 is 1.19%."""
    made = study(tmp_path, INCIDENCE + "    at_least: 2.4\n")
    results = compute(made, pilot())
    assert [row.label for row in shown(made, results).rows] == ["Any adverse event", GUT.capitalize(), "Diarrhoea"]
    left = results[results["statistic"] == "not_shown"]
    assert left["value"].tolist() == [4]
    assert left["method"].tolist() == [
        "terms that fewer than 2.4% of the patients of each treatment had are not shown (4 lines)"
    ]
    made = study(tmp_path, INCIDENCE + "    at_least: 2.38\n    keep_case: [SITE]\n")
    rows = shown(made, compute(made, pilot())).rows
    assert [row.label for row in rows][3:] == [
        GENERAL.capitalize().replace(" site ", " SITE "),
        "Application SITE pruritus",
    ]
    assert rows[0].cells[:2] == ("3 (3.5%)", "5"), "the line of everything counts all terms"


def test_rates_by_exposure_are_worked_out_by_hand(tmp_path: Path) -> None:
    """Three subjects with 100, 200 and 300 days; the first has nausea on days 11 and 40, the second on day 500."""
    subjects = pd.DataFrame({"USUBJID": list("123"), "TRT01A": "Placebo", "SAFFL": "Y", "TRTDURD": [100.0, 200, 300]})
    events = pd.DataFrame(
        [
            ("1", "GUT", "NAUSEA", 11.0),
            ("1", "GUT", "NAUSEA", 40.0),
            ("2", "GUT", "NAUSEA", 500.0),
            ("3", "SKIN", "RASH", -2.0),
        ],
        columns=["USUBJID", "AEBODSYS", "AEDECOD", "ASTDY"],
    ).assign(TRTA="Placebo")
    rates = """
    rates:
      - {kind: events, label: Events per 100 years, exposure: TRTDURD}
      - {kind: subjects, label: Subjects per 10 years, exposure: TRTDURD, day: ASTDY, years: 10, decimals: 2}
"""
    made = study(tmp_path, INCIDENCE.replace("    reference: Placebo\n", "") + rates.lstrip("\n"))
    data = {"ADSL": dataset("ADSL", subjects), "ADAE": dataset("ADAE", events)}
    results = compute(made, data)
    found = results[results["statistic"] == "estimate"].set_index(["level", "subset"])["value"].to_dict()
    nausea = {subset: value for (level, subset), value in found.items() if level == "NAUSEA"}
    # Events: 3 in 600 days. Subjects: 2 in 11 + 200 + 300 = 511 days (the second's event came after his exposure).
    assert nausea["GUT; rate of events per 100 years"] == pytest.approx(3 / (600 / 365.25) * 100)
    assert nausea["GUT; rate of subjects per 10 years"] == pytest.approx(2 / (511 / 365.25) * 10)
    rash = {subset: value for (level, subset), value in found.items() if level == "RASH"}
    # A day before the first counts as the first: one day at risk of the third subject.
    assert rash["SKIN; rate of subjects per 10 years"] == pytest.approx(1 / (301 / 365.25) * 10)
    assert found["", "rate of subjects per 10 years"] == pytest.approx(3 / ((11 + 200 + 1) / 365.25) * 10)
    table = shown(made, results)
    assert [column.label for column in table.columns] == [
        "n (%)",
        "Events",
        "Events per 100 years",
        "Subjects per 10 years",
    ]
    assert table.rows[0].cells[2].startswith("243.5 (66.3, ")  # 4 in 600 days; Garwood's 1.09 to 10.24 events


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"TRTDURD": [100.0, None, 300]}, "1 subject\\(s\\) of the population have no TRTDURD"),
        ({"ASTDY": [float("nan")]}, "1 record\\(s\\) have no ASTDY"),
    ],
)
def test_a_rate_needs_everybodys_time(tmp_path: Path, change: dict[str, list[float | None]], sentence: str) -> None:
    subjects = pd.DataFrame({"USUBJID": list("123"), "TRT01A": "Placebo", "SAFFL": "Y", "TRTDURD": [100.0, 200, 300]})
    events = pd.DataFrame(
        {"USUBJID": ["1"], "AEBODSYS": "GUT", "AEDECOD": "NAUSEA", "ASTDY": [11.0], "TRTA": "Placebo"}
    )
    subjects, events = (frame.assign(**{k: v for k, v in change.items() if k in frame}) for frame in (subjects, events))
    rate = "    rates: [{kind: subjects, label: Rate, exposure: TRTDURD, day: ASTDY}]\n"
    made = study(tmp_path, INCIDENCE.replace("    reference: Placebo\n", "") + rate)
    with pytest.raises(StudyError, match=sentence):
        compute(made, {"ADSL": dataset("ADSL", subjects), "ADAE": dataset("ADAE", events)})


def test_terms_are_sorted_by_all_treatments_and_zeros_are_results(tmp_path: Path) -> None:
    made = study(tmp_path, INCIDENCE.replace("    order: name\n", ""))
    results = compute(made, pilot())
    # General 4 subjects before gut 3; of three terms with 3, 3 and 1 subjects the equal ones by name.
    assert [row.label for row in shown(made, results).rows][1:] == [
        GENERAL.capitalize(), "Application site erythema", "Application site pruritus", "Fatigue",
        GUT.capitalize(), "Diarrhoea",
    ]  # fmt: skip
    low = results[(results["level"] == "DIARRHOEA") & (results["group"] == LOW)].set_index("statistic")
    assert (low["value"]["count"], low["value"]["percent"], low["n"]["count"]) == (0, 0, 84)
    tests = results[(results["statistic"] == "p_value") & (results["level"] == "DIARRHOEA")]
    # All three of the three subjects on placebo: twice C(86,3) / C(170,3) would pass one side only.
    share = {k: _ways(86, k) * _ways(84, 3 - k) / _ways(170, 3) for k in range(4)}
    expected = sum(part for part in share.values() if part <= share[3] * (1 + 1e-12))
    assert tests["value"].tolist() == pytest.approx([expected, expected])
    assert set(tests["n"]) == {170}


def _ways(n: int, k: int) -> float:
    return float(np.prod([(n - i) / (i + 1) for i in range(k)]))


def test_every_count_is_found_again_by_its_filter(tmp_path: Path) -> None:
    results, data = compute(study(tmp_path, INCIDENCE), pilot()), pilot()
    for row in results[results["statistic"] == "count"].to_dict("records"):
        frame = data[row["dataset"]].frame
        assert frame.query(row["filter"])["USUBJID"].nunique() == row["value"], row


PARTS = """
  - id: T1
    template: incidence
    title: Events
    population: Safety
    plan: all
    dataset: ADAE
    term: AEDECOD
    order: declared
    labels: {ZZ: Last first, AA: First last}
    events: Courses
    grade: GR
    grades: {"1": Grade 1, "2": Grade 2, "": "None"}
    parts:
      - {label: Mild, where: {GR: "1"}, any: Any mild}
      - {label: Known, any: Any at all}
      - {label: Never, where: {GR: "9"}, any: Any of grade 9}
"""


def grades(rows: list[tuple[str, str, str]]) -> dict[str, Dataset]:
    events = pd.DataFrame(rows, columns=["USUBJID", "AEDECOD", "GR"])
    subjects = pd.DataFrame({"USUBJID": list("123456789"), "SAFFL": list("YYYYNYYYY"), "TRT01A": "Drug"})
    return {"ADSL": dataset("ADSL", subjects), "ADAE": dataset("ADAE", events)}


def test_parts_grades_and_uncoded_terms(tmp_path: Path) -> None:
    rows = [("1", "AA", "1"), ("1", "AA", "2"), ("1", "ZZ", "1"), ("2", "", ""), ("3", "AA", "1"), ("5", "AA", "2")]
    made = study(tmp_path, PARTS)
    results = compute(made, grades(rows))
    mild, known, never = (shown(made, results, number) for number in range(3))
    assert [(row.label, row.cells[:2]) for row in mild.rows] == [
        ("Any mild", ("2 (25.0%)", "3")), ("Last first", ("1 (12.5%)", "1")), ("First last", ("2 (25.0%)", "2")),
    ]  # fmt: skip
    # Subject 1 counts once, at grade 2; subject 5 is not in the population.
    assert [(row.label, row.cells) for row in known.rows] == [
        ("Any at all", ("3 (37.5%)", "5", "1 (12.5%)", "1 (12.5%)", "1 (12.5%)")),
        ("Last first", ("1 (12.5%)", "1", "1 (12.5%)", "0", "0")),
        ("First last", ("2 (25.0%)", "3", "1 (12.5%)", "1 (12.5%)", "0")),
        ("Not coded", ("1 (12.5%)", "1", "0", "0", "1 (12.5%)")),
    ]
    assert [(row.label, row.cells[:2]) for row in never.rows] == [("Any of grade 9", ("0", "0"))]
    assert known.columns[1].label == "Courses"
    uncoded = results[(results["level"] == "Not coded") & (results["statistic"] == "count")].iloc[0]
    assert "AEDECOD == ''" in uncoded["filter"]


def test_a_grade_that_is_not_declared_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"ADAE.GR has the value '3' as well"):
        compute(study(tmp_path, PARTS), grades([("1", "AA", "3")]))


LIVER = """
  - id: T1
    template: subject_counts
    title: Liver
    population: Safety
    plan: all
    dataset: ADLB
    lines:
      - {label: High, where: {PARAMCD: ALT, AVAL: {at_least: 3}}, denominator: {PARAMCD: ALT}}
      - label: Both at any time
        where_each: [{PARAMCD: ALT, AVAL: {at_least: 3}}, {PARAMCD: BILI, AVAL: {at_least: 2}}]
        denominator_each: [{PARAMCD: ALT}, {PARAMCD: BILI}]
      - label: Both within ten days
        where_each: [{PARAMCD: ALT, AVAL: {at_least: 3}}, {PARAMCD: BILI, AVAL: {at_least: 2}}]
        within_days: 10
        denominator_each: [{PARAMCD: ALT}, {PARAMCD: BILI}]
    pairs:
      - {label: High, where: {PARAMCD: ALT}, visits: [First, Last], condition: {AVAL: {at_least: 3}}}
"""


def test_two_conditions_within_days_and_paired_proportions(tmp_path: Path) -> None:
    rows = [
        ("1", "ALT", 3.0, 1.0, "First"), ("1", "ALT", 1.0, 60.0, "Last"), ("1", "BILI", 2.0, 11.0, ""),
        ("2", "ALT", 4.0, 1.0, "First"), ("2", "ALT", 4.0, 50.0, "Last"), ("2", "BILI", 2.5, 12.0, ""),
        ("3", "ALT", 2.9, 1.0, "First"), ("3", "ALT", 9.0, 5.0, "Last"), ("3", "BILI", 1.0, 1.0, ""),
        ("4", "ALT", 5.0, 1.0, "First"),
        ("5", "ALT", 9.0, 1.0, "First"), ("5", "BILI", 9.0, 1.0, ""),
    ]  # fmt: skip
    samples = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVAL", "ADT", "AVISIT"])
    made = study(tmp_path, LIVER)
    results = compute(made, grades([]) | {"ADLB": dataset("ADLB", samples)})
    table, pairs = shown(made, results), shown(made, results, 1)
    # Subject 2 had bilirubin eleven days after; 4 had none; 5 is not in the population.
    assert [row.cells for row in table.rows] == [("4/4 (100.0%)",), ("2/3 (66.7%)",), ("1/3 (33.3%)",)]
    # Of three pairs one was high at both, one at the first and one at the last: two changes, one each way, p = 1.
    assert pairs.rows[0].cells == ("First, Last", "3", "1", "1", "1", "0", "1.0000")


SHIFT = """
  - id: T1
    template: grade_shift
    title: Ranges
    population: Safety
    plan: all
    dataset: ADLB
    where: {AVISIT: Last}
    parameters: {K: Potassium, NA: Sodium}
    grade: ANRIND
    baseline: BNRIND
    grades: [LOW, NORMAL, HIGH]
    labels: {LOW: Low, NORMAL: Normal, HIGH: High}
    head: Last visit, n
"""


def test_ranges_shift_by_their_names(tmp_path: Path) -> None:
    rows = [("1", "LOW", "NORMAL"), ("2", "NORMAL", "NORMAL"), ("3", "NORMAL", "HIGH"), ("4", "", "LOW")]
    values = pd.DataFrame(rows, columns=["USUBJID", "BNRIND", "ANRIND"]).assign(PARAMCD="K", AVISIT="Last")
    made = study(tmp_path, SHIFT)
    data = grades([]) | {"ADLB": dataset("ADLB", values)}
    found = [(row.label, row.cells) for row in shown(made, compute(made, data)).rows if row.cells]
    assert found == [
        ("Low", ("0", "1", "0", "1")), ("Normal", ("0", "1", "1", "2")), ("Not graded", ("1", "0", "0", "1")),
        ("Total", ("1", "2", "1", "4")), ("Total", ("0", "0", "0", "0")),
    ]  # fmt: skip
    # The same rows in each treatment, percentages, and who of the eight of the population has no value.
    chosen = SHIFT + "    percent: baseline\n    rows: all\n    no_value: true\n"
    whole = study(tmp_path, chosen)
    rows_of = [(row.label, row.cells) for row in shown(whole, compute(whole, data)).rows if row.cells]
    assert rows_of[:6] == [
        ("Low", ("0", "1 (100.0%)", "0", "1 (100.0%)")), ("Normal", ("0", "1 (50.0%)", "1 (50.0%)", "2 (100.0%)")),
        ("High", ("0", "0", "0", "0")), ("Not graded", ("1 (100.0%)", "0", "0", "1 (100.0%)")),
        ("Total", ("1 (25.0%)", "2 (50.0%)", "1 (25.0%)", "4 (100.0%)")), ("No value", ("", "", "", "4")),
    ]  # fmt: skip
    data["ADLB"] = dataset("ADLB", pd.concat([values, values]))
    with pytest.raises(StudyError, match="two records of ANRIND"):
        compute(made, data)
