import numpy as np
import pytest

from adam.build.analyse import analyse
from metadata.errors import StudyError
from tests.adam.trial import dataset, day, derived, numbers, study_in, texts

DM = dataset(
    "DM",
    STUDYID=["DEMO"] * 2,
    USUBJID=["A", "B"],
    SUBJID=["1", "2"],
    SITEID=["01", "01"],
    AGE=[40.0, 50],
    AGEU=["YEARS"] * 2,
    SEX=["F", "M"],
    RACE=["OTHER"] * 2,
    ARM=["T"] * 2,
    RFXSTDTC=["2000-01-10", "2000-02-10"],
)
LB = dataset(
    "LB",
    ("USUBJID", "LBSEQ"),
    STUDYID=["DEMO"] * 6,
    USUBJID=["A", "A", "A", "A", "B", "B"],
    LBSEQ=[1.0, 2, 3, 4, 1, 2],
    LBTESTCD=["LYM"] * 6,
    LBSTRESN=[2.1, 1.2, 0.9, 0.9, 1.0, None],
    LBSTRESC=["2.1", "1.2", "0.9", "0.9", "1", ""],
    LBDTC=["2000-01-10", "2000-01-25", "2000-04-09", "2000-05-01", "2000-02-10", "2000-03-01"],
    VISITNUM=[2.0, 3, 4, 5, 2, 3],
)
ADSL = """
    dataset: ADSL
    label: Subject-Level Analysis Dataset
    guide: ADSL
    structure: One record per subject
    source: {dataset: DM}
    keys: [USUBJID]
    derivations:
      - study_day: {date: TRTSDT, reference: TRTSDT, to: DAY1}
      - date: {source: RFXSTDTC, to: TRTSDT}
      - copy: {variables: {TRT01P: ARM}}
    variables: {STUDYID: , USUBJID: , SUBJID: , SITEID: , AGE: , AGEU: , SEX: , RACE: , ARM: , TRT01P: , TRTSDT: ,
                DAY1: {label: Day of Treatment Start}}
"""
ADLB = """
    dataset: ADLB
    label: Laboratory Analysis Dataset
    guide: BDS
    structure: One record per subject, parameter and sample
    source: {dataset: LB, where: {LBSTRESC: {missing: false}}}
    keys: [USUBJID, PARAMCD, ADT, LBSEQ, DTYPE]
    derivations:
      - merge: {dataset: ADSL, variables: [TRTSDT]}
      - parameters: {source: LBTESTCD, paramcd: {LYM: {test: LYM, param: Lymphocytes, paramn: 1}}}
      - copy: {variables: {AVAL: LBSTRESN}}
      - date: {source: LBDTC, to: ADT}
      - study_day: {date: ADT, reference: TRTSDT, to: ADY}
      - baseline: {by: [USUBJID, PARAMCD], date: ADT, reference: TRTSDT, value: AVAL, variables: {BASE: AVAL}}
      - change: {when: {ADY: {above: 1}}}
      - extreme_records: {mode: minimum, by: [USUBJID, PARAMCD], where: {ADY: {above: 1}}, blank: [ABLFL]}
      - sequence: {by: [USUBJID], order: [ADT, LBSEQ, DTYPE]}
    variables: {STUDYID: , USUBJID: , ASEQ: , PARAM: , PARAMCD: , AVAL: , BASE: , CHG: , DTYPE: , ABLFL: , ADT: , ADY: ,
                LBSEQ: }
"""


def built(tmp_path):
    return analyse(study_in(tmp_path, a_adlb=ADLB, z_adsl=ADSL), {"DM": DM, "LB": LB})


def test_datasets_and_derivations_come_in_the_order_they_need(tmp_path):
    made = built(tmp_path)
    assert list(made) == ["ADSL", "ADLB"]
    assert numbers(made["ADSL"].frame["DAY1"]) == [1, 1]
    assert numbers(made["ADSL"].frame["TRTSDT"]) == [day("2000-01-10"), day("2000-02-10")]


def test_rows_values_and_the_nadir(tmp_path):
    frame = built(tmp_path)["ADLB"].frame
    assert texts(frame["USUBJID"]) == ["A"] * 5 + ["B"]
    assert numbers(frame["AVAL"]) == [2.1, 1.2, 0.9, 0.9, 0.9, 1.0]
    assert numbers(frame["BASE"]) == [2.1] * 5 + [1.0]
    assert numbers(frame["CHG"]) == [None, -0.9, -1.2, -1.2, -1.2, None]
    assert texts(frame["DTYPE"]) == ["", "", "", "MINIMUM", "", ""]
    assert numbers(frame["LBSEQ"]) == [1, 2, 3, 3, 4, 1]
    assert numbers(frame["ADY"]) == [1, 16, 91, 91, 113, 1]
    assert texts(frame["ABLFL"]) == ["Y", "", "", "", "", "Y"]
    assert numbers(frame["ASEQ"]) == [1, 2, 3, 4, 5, 1]


def test_lineage_leads_to_the_records_a_row_was_made_from(tmp_path):
    lineage = built(tmp_path)["ADLB"].lineage
    edges = {
        (row, variable, source, source_row)
        for row, variable, source, source_row in zip(
            lineage["row"], lineage["variable"], lineage["source"], lineage["source_row"], strict=True
        )
    }
    assert {(1, "*", "LB", 1), (1, "*", "ADSL", 0), (1, "BASE", "LB", 0)} <= edges
    nadir = {edge[3] for edge in edges if edge[0] == 3 and edge[1] == "*" and edge[2] == "LB"}
    assert nadir == {1, 2, 3}
    assert (3, "*", "ADSL", 0) in edges
    assert (3, "BASE", "LB", 0) in edges
    assert {source for _, _, source, _ in edges} == {"LB", "ADSL"}


def test_a_baseline_leads_to_the_variable_that_its_source_has(tmp_path):
    lineage = built(tmp_path)["ADLB"].lineage
    assert set(lineage.loc[lineage["variable"] == "BASE", "source_variable"]) == {"LBSTRESN"}


def test_the_baseline_of_a_sum_leads_to_all_its_summands(tmp_path):
    laboratory = dataset(
        "LB",
        ("USUBJID", "LBSEQ"),
        **{"STUDYID": ["DEMO"] * 3, "USUBJID": ["A"] * 3, "LBSEQ": [1.0, 2, 3], "LBTESTCD": ["NEUT", "EOS", "EOS"]},
        **{"LBSTRESN": [2.0, 0.3, 0.4], "LBSTRESC": ["2", "0.3", "0.4"], "VISITNUM": [2.0, 2, 3]},
        LBDTC=["2000-01-10", "2000-01-10", "2000-01-25"],
    )
    names = "{NEUT: {test: NEUT, param: N, paramn: 1}, EOS: {test: EOS, param: E, paramn: 2}}"
    text = ADLB.replace("{LYM: {test: LYM, param: Lymphocytes, paramn: 1}}", names)
    added = (
        "- summed_records: {paramcd: GRAN, from_paramcd: [NEUT, EOS], by: [USUBJID, ADT], param: G,"
        " blank: [LBSEQ]}\n      - baseline:"
    )
    text = text.replace("- baseline:", added)
    made = analyse(study_in(tmp_path, adsl=ADSL, adlb=text), {"DM": DM, "LB": laboratory})["ADLB"]
    row = texts(made.frame["PARAMCD"]).index("GRAN")
    edges = made.lineage[(made.lineage["row"] == row) & (made.lineage["variable"] == "BASE")]
    assert numbers(made.frame["BASE"])[row] == 2.3
    assert sorted(zip(edges["source_row"], edges["source_variable"], strict=True)) == [(0, "LBSTRESN"), (1, "LBSTRESN")]


def test_metadata_of_every_variable(tmp_path):
    metadata = built(tmp_path)["ADLB"].metadata
    assert metadata.dataset_class == "BASIC DATA STRUCTURE"
    for variable in metadata.variables:
        assert variable.label and variable.type and variable.origin and variable.method, variable.name
    adt = metadata.variable("ADT")
    assert (adt.label, adt.format, adt.origin) == ("Analysis Date", "DATE9.", "Derived")
    assert (metadata.variable("AVAL").origin, metadata.variable("AVAL").method) == ("Predecessor", "LB.LBSTRESN")
    assert metadata.variable("LBSEQ").label == "Label of LBSEQ"
    assert metadata.variable("PARAM").core == "Req"


def test_methods_name_what_the_dataset_does_not_keep(tmp_path):
    text = ADLB.replace("variables: {BASE: AVAL}", "variables: {FIRST: AVAL}")
    text = text.replace("- change:", "- coalesce: {source: [FIRST], to: BASE}\n      - change:")
    made = analyse(study_in(tmp_path, adsl=ADSL, adlb=text), {"DM": DM, "LB": LB})
    assert made["ADSL"].metadata.variable("TRTSDT").method == "Numeric date of RFXSTDTC; a partial date is missing."
    metadata = made["ADLB"].metadata
    assert metadata.variable("BASE").method == (
        "The first of FIRST that is not missing. FIRST: AVAL of the baseline record (the last record by ADT with AVAL"
        " not missing before TRTSDT or on that day, within USUBJID and PARAMCD)."
        " TRTSDT: ADSL.TRTSDT, merged by USUBJID."
    )
    assert metadata.variable("DTYPE").method.startswith("MINIMUM in the added record with the minimum of AVAL")


def test_frames_hold_texts_and_floats_without_missing_texts(tmp_path):
    for made in built(tmp_path).values():
        assert list(made.frame.columns) == made.metadata.names
        for variable in made.metadata.variables:
            column = made.frame[variable.name]
            if variable.type == "Num":
                assert column.dtype == np.float64
            else:
                assert not column.isna().any()


def test_same_bytes_twice(tmp_path):
    first, second = built(tmp_path), built(tmp_path)
    for name, made in first.items():
        assert made.frame.astype(str).equals(second[name].frame.astype(str))
        assert made.lineage.astype(str).equals(second[name].lineage.astype(str))


def broken(tmp_path, text, *changes):
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(StudyError) as error:
        derived(tmp_path, text, DM)
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source: RFXSTDTC", "source: RFXSTDT", "has no variable RFXSTDT (did you mean 'RFXSTDTC'?)"),
        ("study_day:", "studyday:", "'studyday' is not a derivation (did you mean 'study_day'?)"),
        ("reference: TRTSDT", "ref: TRTSDT", "'study_day' has no key 'ref'"),
        ("to: DAY1", "to: TRTSDT", "TRTSDT is made twice"),
        ("to: DAY1", "to: AGE", "AGE would hide the variable AGE of DM"),
        ("date: TRTSDT", "date: DAY1", "wait for one another in a circle: DAY1"),
        ("{label: Day of Treatment Start}", "", "DAY1 needs a label"),
        ("AGEU: ,", "", "ADSL lacks AGEU, which ADSL requires"),
        ("TRTSDT: ,", "TRTSDT: , TRTEDT: ,", "no derivation makes TRTEDT (did you mean 'TRTSDT'?)"),
        ("keys: [USUBJID]", "keys: [SITEID]", "1 key(s) have more than one record, first: SITEID 01"),
        ("{dataset: DM}", "{dataset: DMS}", "this build has no dataset DMS (did you mean 'DM'?)"),
        ("guide: ADSL", "guide: ADSLX", "'ADSLX' is not one of ADSL, BDS, OCCDS, AE"),
        ("{label: Day of", "{labl: Day of", "'DAY1' has no key 'labl' (did you mean 'label'?)"),
        ("TRT01P: ARM", "TRT01P: AGE", "TRT01P should be Char, but its derivation 'copy' makes Num"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, said):
    message = broken(tmp_path, ADSL, (old, new))
    assert said in message
    assert message.startswith("demo/adam/dataset.yaml")


def test_a_place_has_a_line(tmp_path):
    assert "demo/adam/dataset.yaml, line 9, key 'study_day'" in broken(
        tmp_path, ADSL, ("reference: TRTSDT", "reference: TRTSD")
    )


def test_added_records_have_no_when(tmp_path):
    said = broken(tmp_path, ADLB, ("mode: minimum", "mode: minimum, when: {ADY: 1}"))
    assert "a derivation that adds records has no 'when'; narrow the records that it looks at instead" in said


def test_a_word_after_added_records_cannot_be_read_before_them(tmp_path):
    text = ADLB.replace("order: [ADT, LBSEQ, DTYPE]", "order: [ADT, LBSEQ]").replace(
        "{ADY: {above: 1}}, blank", "{ASEQ: 1}, blank"
    )
    with pytest.raises(StudyError, match="ASEQ is made only after a derivation that adds records"):
        derived(
            tmp_path,
            text.replace("merge: {dataset: ADSL, variables: [TRTSDT]}", "date: {source: LBDTC, to: TRTSDT}"),
            LB,
        )
