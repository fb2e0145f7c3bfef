"""Grades need the unit of the table, or a factor to it; the baseline record, sex and fasting. Worked out by hand."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.build.declaration_check import check_analyses
from adam.derivations.grades import Grade, ToxicityScheme
from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.toxicity import Circumstances, parse_bands
from metadata.toxicity_table import COLUMNS, read_scheme, schemes
from tests.adam.trial import dataset, derived, made_by, numbers, study_in, texts

LABORATORY = """
    dataset: ADLB
    label: Laboratory
    guide: BDS
    structure: One record per result
    source: {dataset: LB}
    keys: [USUBJID, PARAMCD, LBSEQ]
    derivations:
      - parameters:
          source: LBTESTCD
          paramcd:
            HGB: {test: HGB, param: Hemoglobin, paramn: 1%s}
      - copy: {variables: {AVAL: LBSTRESN, ANRLO: LBSTNRLO, ANRHI: LBSTNRHI}}
      - grade: {schemes: [{table: ctcae-v5-si, name: CTCAE v5, items: {HGB: Anemia}%s}]%s}
    variables: {STUDYID: , USUBJID: , PARAMCD: , PARAM: , AVAL: , ATOXGR: , LBSEQ: }
"""


def anemia(folder: Path, values: list[float], unit: str, declared: str = "", factors: str = "", more: str = "",
           low: float = 13.0) -> list[str]:  # fmt: skip
    """Return the grades of haemoglobin by CTCAE v5, whose table is in g/L."""
    count = len(values)
    lb = dataset("LB", STUDYID=["S"] * count, USUBJID=["A"] * count, LBSEQ=[float(at) for at in range(count)],
                 LBTESTCD=["HGB"] * count, LBSTRESN=values, LBSTRESU=[unit] * count, LBSTNRLO=[low] * count,
                 LBSTNRHI=[low + 3] * count)  # fmt: skip
    text = LABORATORY % (f", unit: {declared}" if declared else "", factors, more)
    return [str(one) for one in derived(folder, text, lb).frame["ATOXGR"]]


def test_grams_per_decilitre_are_never_taken_for_grams_per_litre(tmp_path: Path) -> None:
    """12 g/dL with a lower limit of 13 is grade 1: from 100 g/L to the lower limit. 7.9 g/dL is grade 3."""
    with pytest.raises(StudyError, match="HGB is in g/dL, 'Anemia' of ctcae-v5-si in g/L: declare the factor"):
        anemia(tmp_path, [12.0], "g/dL", "g/dL")
    factor = ", unit_factors: {HGB: 0.1}"
    assert anemia(tmp_path, [12.0, 13.0, 9.9, 7.9], "g/dL", "g/dL", factor) == ["1", "0", "2", "3"]
    assert anemia(tmp_path, [120.0, 79.0], "g/L", "g/L", low=130.0) == ["1", "3"]


def test_an_unknown_unit_gives_no_grade(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the unit of HGB is not known, and 'Anemia' of ctcae-v5-si is in g/L"):
        anemia(tmp_path, [120.0], "g/L")


def test_a_declared_unit_is_compared_with_that_of_the_results(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="the parameter of LBTESTCD HGB is in g/L, but LBSTRESU is g/dL in 1 record"):
        anemia(tmp_path, [12.0], "g/dL", "g/L")


def test_a_factor_where_the_units_are_the_same_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="HGB is in g/L, as 'Anemia' of ctcae-v5-si is: there is no factor"):
        anemia(tmp_path, [120.0], "g/L", "g/L", ", unit_factors: {HGB: 10}")


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ("{HGB: 10}", "HGB: 1 g/L is 0.1 g/dL, so that the factor is 0.1, not 10"),
        ("{HGB: 0}", "the factor of HGB from g/L to g/dL must be above 0"),
        ("{HGB: -1}", "the factor of HGB from g/L to g/dL must be above 0"),
        ("{HGB: 0.1, HBG: 0.1}", "unit_factors are given for HBG, which CTCAE v5 does not grade"),
    ],
)
def test_a_factor_that_cannot_be_right_is_refused(tmp_path: Path, factors: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        anemia(tmp_path, [12.0], "g/dL", "g/dL", f", unit_factors: {factors}")


def test_the_unit_of_each_record(tmp_path: Path) -> None:
    unit = ", value_unit: LBSTRESU"
    assert anemia(tmp_path, [120.0], "g/L", more=unit, low=130.0) == ["1"]
    with pytest.raises(StudyError, match="HGB is in g/dL, 'Anemia'"):
        anemia(tmp_path, [12.0], "g/dL", more=unit)
    both = ", unit_factors: {HGB: {g/dL: 0.1}}"
    assert anemia(tmp_path, [12.0], "g/dL", factors=both, more=unit) == ["1"]
    assert anemia(tmp_path, [120.0], "g/L", factors=both, more=unit, low=130.0) == ["1"]
    with pytest.raises(StudyError, match="the unit of HGB is not known"):
        anemia(tmp_path, [12.0], "", more=unit)
    with pytest.raises(StudyError, match="the factors of HGB are by unit: name the variable that holds it"):
        anemia(tmp_path, [12.0], "g/dL", "g/dL", both)


def test_cells_per_microlitre(tmp_path: Path) -> None:
    """400 cells/uL are 0.4 x 10^9/L: grade 4 below 0.5."""
    word = Grade(
        schemes=(
            ToxicityScheme(
                "ctcae-v5-si", "CTCAE", {"NEUT": "Neutrophil count decreased"}, {"NEUT": {"cells/uL": 1000.0}}
            ),
        ),
        value_unit="AVALU",
    )
    made = made_by(word, tmp_path, PARAMCD=["NEUT"] * 2, AVAL=[400.0, 0.4], ANRLO=[1500.0, 1.5], ANRHI=[None] * 2,
                   AVALU=["cells/uL", "10^9/L"])  # fmt: skip
    assert numbers(made["ATOXGRN"]) == [4, 4]


def test_check_says_it_before_any_data(tmp_path: Path) -> None:
    study = study_in(tmp_path, adlb=textwrap.dedent(LABORATORY % (", unit: g/dL", "", "")))
    found = [str(error) for error in check_analyses(study)]
    assert len(found) == 1
    assert "line 14, key 'grade': HGB is in g/dL, 'Anemia' of ctcae-v5-si in g/L" in found[0]


@pytest.mark.parametrize(
    ("schemes_", "more", "message"),
    [
        ("{table: ctcae-v5, name: X, items: {A: Anemia}}", "", "there is no toxicity table 'ctcae-v5'"),
        ("{table: sdtm-ct-2019-09-27, name: X, items: {A: B}}", "", "there is no toxicity table 'sdtm-ct-2019-09-27'"),
        ("{table: ctcae-v5-si, name: X, items: {A: Anaemia}}", "", "has no item 'Anaemia' (did you mean 'Anemia'?)"),
        ("{table: who-1979-lab-grades, name: X, items: {A: Proteinuria}}", "",
         "'Proteinuria' of who-1979-lab-grades cannot be graded from a value: grade 1 is '1+ , <0.3'"),
        ("{table: ctcae-v5-si, name: X, items: {A: GGT increased}}", "",
         "the grade of A by 'GGT increased' depends on baseline: 'base' and 'base_indicator' is needed"),
    ],
)  # fmt: skip
def test_what_a_table_does_not_have_is_said_without_data(
    tmp_path: Path, schemes_: str, more: str, message: str
) -> None:
    text = LABORATORY % ("", "", "")
    start = text.index("      - grade:")
    text = text[:start] + f"      - grade: {{schemes: [{schemes_}]{more}}}\n" + text[text.index("    variables:") :]
    found = [str(error) for error in check_analyses(study_in(tmp_path, adlb=textwrap.dedent(text)))]
    assert any(message in one for one in found), found


def test_the_baseline_record_has_a_grade_of_its_own(tmp_path: Path) -> None:
    """ALT 100 with an upper limit of 40 is 2.5 times that: grade 1; later 160 is 1.6 times the baseline: grade 1."""
    scheme = ToxicityScheme("ctcae-v5-si", "CTCAE", {"ALT": "Alanine aminotransferase increased"})
    word = Grade(schemes=(scheme,), base="BASE", base_indicator="BNRIND")
    given_ = {"PARAMCD": ["ALT"] * 3, "AVAL": [100.0, 160, 140], "ANRLO": [0.0] * 3, "ANRHI": [40.0] * 3,
              "BASE": [100.0] * 3, "BNRIND": ["HIGH"] * 3}  # fmt: skip
    assert numbers(made_by(word, tmp_path, **given_, ABLFL=["Y", "", ""])["ATOXGRN"]) == [1, 1, 0]
    named = Grade(schemes=(scheme,), base="BASE", base_indicator="BNRIND", base_flag="FIRSTFL")
    assert numbers(made_by(named, tmp_path, **given_, FIRSTFL=["Y", "", ""])["ATOXGRN"]) == [1, 1, 0]
    assert "FIRSTFL" in named.reads


def test_a_record_before_the_baseline_is_no_multiple_of_it(tmp_path: Path) -> None:
    """ALT 150 at screening is 3.75 times the limit of 40, grade 2, and no multiple of the later baseline of 60."""
    scheme = ToxicityScheme("ctcae-v5-si", "CTCAE", {"ALT": "Alanine aminotransferase increased"})
    word = Grade(schemes=(scheme,), base="BASE", base_indicator="BNRIND")
    given_ = {"USUBJID": ["A", "A", "A", "A", "B"], "PARAMCD": ["ALT"] * 5, "ADT": [1.0, 8, 15, None, 1],
              "AVAL": [150.0, 60, 150, 150, 150], "ANRLO": [0.0] * 5, "ANRHI": [40.0] * 5, "BASE": [60.0] * 5,
              "BNRIND": ["HIGH"] * 5, "ABLFL": ["", "Y", "", "", ""]}  # fmt: skip
    made = numbers(made_by(word, tmp_path, **given_)["ATOXGRN"])
    assert made == [2, 1, 1, 1, 1]  # 3.75 x ULN is grade 2; 2.5 x baseline grade 1
    unknown = {**given_, "BNRIND": [""] * 5}
    assert numbers(made_by(word, tmp_path, **unknown)["ATOXGRN"]) == [2, 1, None, None, None]


HEAD = ",".join(COLUMNS) + "\n"
GLUCOSE = """Glucose,mmol/L,H,Y,,,<=ULN,>ULN - 8.9,>8.9 - 13.9,>13.9 - 27.8,>27.8,,,,,,made up
Glucose,mmol/L,H,N,,,<=13.9,,,>13.9 - 27.8,>27.8,,,,,,made up
Ferritin,,L,,F,,>=0.5 x LLN,<0.5 x LLN,,,,,,,,,made up
Ferritin,,L,,M,,>=LLN,<LLN,,,,,,,,,made up
Creatinine,,H,,,,<=ULN,>ULN - 1.5 x ULN,>1.5 x ULN - 3 x ULN or >1.5 x BASE - 3 x BASE,>3 x ULN or >3 x BASE,,,,,,,x
Increase,g/L,H,,,,<=ULN,>ULN - ULN + 20,>ULN + 20 - ULN + 40,>ULN + 40,,0 to 2 g/dL,2 to 4 g/dL,,,,x
"""


def table(folder: Path, lines: str) -> dict[str, object]:
    folder.mkdir(exist_ok=True)
    name = f"t{len(list(folder.iterdir()))}"
    (folder / f"{name}.csv").write_text(HEAD + lines, encoding="utf-8")
    return dict(read_scheme(name, folder))


def test_a_table_tells_fasting_sex_and_alternatives_apart(tmp_path: Path) -> None:
    items = read_scheme_of(tmp_path, GLUCOSE)
    values, upper = np.array([7.0, 7.0, 7.0, 20.0]), np.full(4, 6.0)
    fasting = Circumstances(fasting=CodedText.of_codes(np.array([0, 1, -1, 1]), ["Y", "N"]))
    assert numbers(items["Glucose"].grade(values, uln=upper, circumstances=fasting)) == [1, 0, None, 3]
    assert items["Glucose"].depends_on == {"fasting"}
    assert numbers(items["Glucose"].grade(values, uln=upper)) == [None] * 4
    sex = Circumstances(sex=CodedText.of_codes(np.array([0, 1, -1]), ["F", "M"]))
    low = np.full(3, 10.0)
    assert numbers(items["Ferritin"].grade(np.full(3, 8.0), lln=low, circumstances=sex)) == [0, 1, None]
    assert not items["Ferritin"].is_absolute
    made = items["Creatinine"].grade(
        np.array([90.0, 130, 130, 400]), uln=np.full(4, 100.0), base=np.array([50.0, 80, 120, 90])
    )
    # 90 is within the limit and 1.8 times its baseline; 130 is 1.6 times its baseline, or 1.3 times the limit; 400 is
    # 4 times the limit. The highest grade counts, and a multiple of the baseline also within the limit.
    assert numbers(made) == [2, 2, 1, 3]
    assert numbers(items["Increase"].grade(np.array([16.0, 17.9, 18.1, 20.1]), uln=np.full(4, 16.0), scale=0.1)) == [
        0,
        1,
        2,
        3,
    ]
    assert items["Increase"].criteria[0].texts == {1: "0 to 2 g/dL", 2: "2 to 4 g/dL"}


def read_scheme_of(folder: Path, lines: str):
    return table(folder / "tables", lines)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("A,g/L,X,,,,>=1,<1,,,,,,,,,s", "line 2, key 'direction': must be L or H, not 'X'"),
        ("A,g/L,L,,D,,>=1,<1,,,,,,,,,s", "line 2, key 'sex': must be blank or M or F, not 'D'"),
        ("A,g/L,L,maybe,,,>=1,<1,,,,,,,,,s", "line 2, key 'fasting': must be blank or Y or N"),
        ("A,g/L,L,,,high,>=1,<1,,,,,,,,,s", "line 2, key 'baseline': must be blank or normal or abnormal"),
        ("A,,L,,,,>=1,<1,,,,,,,,,s", "line 2, key 'unit': A needs the unit of its numbers"),
        ("A,g/L,L,,,,>=1,1 - 2 - 3,,,,,,,,,s", "line 2, key 'grade_1': '1 - 2 - 3' is not a band of numbers"),
        ("A,g/L,L,,,,,,,,,,,,,,s", "line 2: A has neither bands nor texts"),
        ("A,g/L,L,,,,>=1,<1,,,,,,,,,", "line 2, key 'source': must not be blank"),
        ("A,g/L,L,,,,>=1,<1,,,,,,,,,s\nA,g/L,L,,,,>=2,<2,,,,,,,,,s", "line 3: A has two lines of the same fasting"),
        ("A,g/L,L,,M,,>=1,<1,,,,,,,,,s\nA,g/dL,L,,F,,>=2,<2,,,,,,,,,s", "line 3: the lines of A have one unit"),
        ("A,g/L,L,,,,>=1,<1,,,,,,,,,s\nA,g/L,L,,F,,>=2,<2,,,,,,,,,s", "A has a line for all results, and further ones"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        table(tmp_path / "tables", line + "\n")
    assert message in str(caught.value)


def test_a_table_has_the_columns_of_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEAD.replace("fasting", "fastin"), encoding="utf-8")
    with pytest.raises(StudyError, match=r"has no column 'fastin' \(did you mean 'fasting'\?\)"):
        read_scheme("t", tmp_path)
    (tmp_path / "u.csv").write_text(HEAD.replace(",fasting", ""), encoding="utf-8")
    with pytest.raises(StudyError, match="the column 'fasting' is missing"):
        read_scheme("u", tmp_path)
    assert schemes() == (
        "ctcae-v4-03-si", "ctcae-v4-03-us", "ctcae-v5-si", "ctcae-v5-us", "ctcae-v6-si", "ctcae-v6-us",
        "daids-v2-1-si", "daids-v2-1-us", "lymphocyte-schemes", "who-1979-lab-grades",
    )  # fmt: skip


@given(st.sampled_from([*schemes()]), st.floats(0.01, 900), st.floats(1, 300), st.floats(1.01, 4), st.booleans())
def test_the_shipped_tables_give_a_value_one_grade_in_any_unit(
    name: str, value: float, low: float, width: float, normal: bool
) -> None:
    """A grade does not change if value, limits and baseline are all converted to a unit a thousand times smaller."""
    for item in read_scheme(name).values():
        there = Circumstances(normal=np.array([1.0 if normal else 0.0]))
        given_ = [np.array([one]) for one in (value, low, low * width, low * 1.5)]
        one = item.grade(*given_[:3], 1.0, given_[3], there)
        other = item.grade(*(1000 * part for part in given_[:3]), 1000.0, 1000 * given_[3], there)
        assert np.array_equal(one, other, equal_nan=True)


def test_a_band_of_several_alternatives() -> None:
    bands = parse_bands(">1.5 x ULN - 3 x ULN or >1.5 x BASE", 2)
    assert [(band.grade, band.low.factor, band.low.reference, band.low.closed) for band in bands if band.low] == [
        (2, 1.5, "ULN", False),
        (2, 1.5, "BASE", False),
    ]
    assert bands[1].high is None


OWN = "Troponin,ng/L,H,,,,<=ULN,>ULN - 50,>50 - 500,>500,,above normal,,,,,protocol 7.2\n"


def test_a_study_brings_a_table_of_its_own(tmp_path: Path) -> None:
    """The upper limit is 14: 10 is grade 0, 20 grade 1, 60 grade 2, 600 grade 3."""
    word = Grade(schemes=(ToxicityScheme("tables/own.csv", "OURS", {"TROP": "Troponin"}),))
    study = study_in(tmp_path)
    with pytest.raises(StudyError, match=r"has no toxicity table tables/own\.csv"):
        word.check_files(study)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "own.csv").write_text(HEAD + OWN, encoding="utf-8")
    word.check()
    word.check_files(study)
    word.check_units({"TROP": "ng/L"}, study)
    with pytest.raises(StudyError, match=r"TROP is in ug/L, 'Troponin' of tables/own\.csv in ng/L"):
        word.check_units({"TROP": "ug/L"}, study)
    made = made_by(word, tmp_path, PARAMCD=["TROP"] * 4, AVAL=[10.0, 20, 60, 600], ANRLO=[0.0] * 4, ANRHI=[14.0] * 4)
    assert numbers(made["ATOXGRN"]) == [0, 1, 2, 3]
    assert texts(made["ATOXSCH"]) == ["OURS"] * 4
    with pytest.raises(StudyError, match=r"the table tables/own\.csv has no item 'Tropinin' \(did you mean 'Troponin'"):
        Grade(schemes=(ToxicityScheme("tables/own.csv", "OURS", {"TROP": "Tropinin"}),)).check_files(study)
