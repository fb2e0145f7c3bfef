"""What a study declares is honoured, or a check refuses it before there are data: each slip has its place and sentence.

Slips of one kind of file are made together: a check finds all of them at once.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.check import WAITING, CheckProblem, problems_of
from metadata.standards import FOLDER
from metadata.study import BUNDLED

Slip = tuple[str, str, str, str]
"""A file, what is written there, what is written instead, and what the problem must say."""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A copy of a bundled study without its records."""
    folder = tmp_path / "trial"
    shutil.copytree(BUNDLED / "hta_duo", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    return folder


def make(study: Path, *slips: Slip) -> None:
    for file, old, new, _ in slips:
        path = study / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(study: Path) -> dict[str, list[CheckProblem]]:
    """Return the problems by file."""
    made: dict[str, list[CheckProblem]] = {}
    for problem in problems_of(str(study)):
        made.setdefault(problem.file.removeprefix("trial/"), []).append(problem)
    return made


def assert_refused(study: Path, *slips: Slip) -> None:
    """Make the slips; each must be a problem of its file, with a line where it is in a declaration."""
    make(study, *slips)
    found = problems(study)
    for file, _, _, said in slips:
        own = [problem for problem in found.get(file, []) if said in problem.message]
        assert own, f"{said}: {found}"
        assert own[0].line is not None or file.startswith("redcap/"), own


MAPPED = [
    ("dm", "    SEX:", "    USUBJID: {field: num_sujeto}\n    SEX:", "USUBJID is made by the software"),
    ("dm", "    SEX:", "    SITEID: {constant: 77}\n    SEX:", "SITEID is made by the software"),
    ("dm", "    SEX:", "    SUBJID: {constant: 77}\n    SEX:", "SUBJID is made by the software"),
    ("ae", "    AESEV:", "    USUBJID: {constant: X}\n    AESEV:", "its pattern goes into study.yaml"),
    ("ae", "    AESEV:", "    STUDYID: {constant: X}\n    AESEV:", "STUDYID is made by the software"),
    ("ae", "    AESEV:", "    DOMAIN: {constant: X}\n    AESEV:", "DOMAIN is made by the software"),
    ("ae", "    AESEV:", "    AESEQ: {constant: 99}\n    AESEV:", "AESEQ is made by the software and cannot be mapped"),
    ("ae", "    AESEV:", "    AESTDY: {constant: 3}\n    AESEV:", "AESTDY is made by the software"),
    ("sv", "  dates:", "  variables: {SVSTDTC: {constant: '2019'}}\n  dates:", "SVSTDTC is made by the"),
    ("vs", "      VSDTC: {d", "      VISIT: {constant: X}\n      VSDTC: {d", "VISIT is made by the software"),
    ("vs", "      VSDTC: {d", "      VSLOBXFL: {constant: Y}\n      VSDTC: {d", "VSLOBXFL is made by the software"),
    ("vs", "      VSDTC: {d", "      VSSTRESN: {constant: 3}\n      VSDTC: {d", "VSSTRESN is made by the software"),
    ("lb", "    LBNAM: {", "    LBNRIND: {constant: HIGH}\n    LBNAM: {", "LBNRIND is made by the software"),
    ("lb", "    LBNAM: {", "    LBORNRLO: {constant: '3'}\n    LBNAM: {", "LBORNRLO is made by the software"),
    ("se", "each: element", "each: element, variables: {ETCD: {constant: X}}", "ETCD is made by the software"),
]  # fmt: skip


def test_a_variable_that_the_software_makes_cannot_be_mapped(study: Path) -> None:
    assert_refused(study, *((f"sdtm/{name}.yaml", old, new, said) for name, old, new, said in MAPPED))


UNUSED = [
    ("sv", "except: [", 'except: ["\\x01", ', "is not a date field of a visit's form"),
    ("ae", "form: acon", "dates: {except: [fecha_ci]}\n  form: acon", "'dates' are those of visits"),
    ("ae", "records:", "toxicity: who-1979-lab-grades\nrecords:", "'toxicity' is about tests"),
    ("ae", "records:", "reason_not_done: NOT DONE\nrecords:", "'reason_not_done' is about tests"),
    ("ae", "records:", "keys: [AETERM]\nrecords:", "the keys need USUBJID"),
    ("cm", "  form: med", "  for_each: [a, b]\n  form: med", "nothing has the place {each}"),
    ("lb", "tests:\n", "tests:\n  HGBX: {category: HEMATOLOGY}\n", "no records have the test 'HGBX' (did"),
    ("dd", "PRCDTH: {", "PRCDTH: {decimals: 2, ", "no standard_unit in the same place, so that 'decimals' is not used"),
    ("dm", "ACTARMCD: {field: trat_rec, terms: {1: CAND", "ACTARMCD: {field: trat_rec, terms: {1: CANX",
     "ACTARMCD 'CANX' is not one of the arms of study.yaml (did you mean 'CAND'?)"),
]  # fmt: skip


def test_what_no_record_would_use(study: Path) -> None:
    assert_refused(study, *((f"sdtm/{name}.yaml", old, new, said) for name, old, new, said in UNUSED))


def test_a_date_or_a_number_that_is_read_as_none(study: Path) -> None:
    assert_refused(
        study,
        ("sdtm/dm.yaml", "RFPENDTC: {date: fin_fecha}", "RFPENDTC: {field: fin_fecha}", "write {date: fin_fecha}"),
        ("sdtm/cm.yaml", "CMDOSE: {field: mc_dosis}", "CMDOSE: {constant: ten}", "CMDOSE is a number, and 'ten'"),
        ("sdtm/sv.yaml", "    except:", "    events: [scr]\n    except:", "'dates' has no key 'events'"),
    )


def test_terms_of_dictionaries_and_conditions_of_the_right_kind(study: Path) -> None:
    assert_refused(
        study,
        ("sdtm/dm.yaml", "COUNTRY: {constant: ESP}", "COUNTRY: {constant: SPAIN}", "'SPAIN' is not a code of ISO 3166"),
        ("sdtm/dm.yaml", "RFXSTDTC: {earliest: EX.EXSTDTC}", "RFXSTDTC: {earliest: EX.EXSTDTC, where: {EXDOSE: '81'}}",
         "EX.EXDOSE is a number, '81' is not"),
        ("sdtm/dm.yaml", "{edad: {missing: false}}", "{edad: {above: x}}", "edad is a number, 'x' is not"),
        ("sdtm/ts.yaml", "null_flavor: NA", "null_flavor: NAA", "'NAA' is not a code of ISO 21090"),
        ("sdtm/ts.yaml", "FCNTRY, study: study.country", "FCNTRY, value: Spain", "(did you mean 'ESP'?)"),
        ("sdtm/lb.yaml", "{g/dL: 10}", "{g/dL: .inf}", "must be a number that a dataset can hold"),
        ("sdtm/vs.yaml", "SYSBP: {result:", "SYSBP: {label_without: '[', result:", "must be a regular expression"),
    )  # fmt: skip


def test_what_study_yaml_declares(study: Path) -> None:
    assert_refused(
        study,
        ("study.yaml", "country: ESP", "country: SPAIN", "'SPAIN' is not a country code"),
        ("study.yaml", 'define: "2.1"', 'define: "9.9"', "define.xml is written as Define-XML 2.1 only"),
        ("study.yaml", "adam_ct: 2026-03-27", "adam_ct: 2026-03-28", "ADaM terminology 2026-03-28 is not among those"),
        ("study.yaml", "armcd: AMLO", "armcd: CAND", "the code 'CAND' is that of two arms"),
        ("study.yaml", "etcd: SCRN", "etcd: SCREENING", "'SCREENING' is longer than the 8 characters of ETCD"),
        ("study.yaml", "day: 57, window: [-5, 5]", "day: 57, window: [5, -5]", "the first day of the window"),
        ("study.yaml", "day: 29, window: [-5, 5]", "day: 29, window: [1, 5]", "a window holds the planned day"),
        ("study.yaml", "event: fin,", "event: fin, window: [-7, 7],", "a window needs the planned day"),
        ("study.yaml", "visit: WEEK 8", "visit: WEEK 4", "the name 'WEEK 4' is that of two visits"),
        ("study.yaml", "[constantes_s8]", "[constantes_s4]", "the form 'constantes_s4' is that of two visits"),
        ("study.yaml", "mc_ini, mc_fin]", "mc_ini, mc_fin, fecha_ci]", "the field 'fecha_ci' is not free text"),
        ("study.yaml", 'valencia: "10"', 'valenca: "10"', "no data access group 'valenca' (did you mean 'valencia'?)"),
        ("study.yaml", "arm: CAND, branch", "arm: CANX, branch", "no arm with the code 'CANX' (did you mean 'CAND'?)"),
        ("study.yaml", "answers: answers.csv", "answers: answer.csv", "the file 'answer.csv' does not exist"),
        ("study.yaml", ', bilbao: "30"}', "}", "the data access group 'bilbao' has no site"),
        ("study.yaml", "once: [DM, MH]", "once: [DM, MHX]", "there is no domain 'MHX'"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cutoff: 2019-12-13", "cutoff: 2024-13-45", "must be a day of the calendar"),
        ("base_url: https://redcap", "base_url: redcap", "an address that begins with https://"),
        ("fields: [ae_ini,", "fields: [ae_fin,", "'ae_fin' is listed twice"),
        ("duration: P12W", "duration: 12 weeks", "must be a duration of ISO 8601"),
        ("cutoff:", "cutof: 1\ncutoff:", "the file has no key 'cutof'"),
        ('  occds: "1.1"\n', "", "analysis datasets need the version of occds"),
        ('  adamig: "1.3"\n', "", "analysis datasets need the version of adamig"),
        ("  earlier: num_previo", "  usubjid: '{studyid}-{sbject}'\n  earlier: num_previo", "the place {subject}"),
    ],
)
def test_what_all_commands_need_of_study_yaml(study: Path, old: str, new: str, said: str) -> None:
    assert_refused(study, ("study.yaml", old, new, said))


CHECKS = [
    ("first: ae_ini", "first: ae_term", "field 'ae_term' is not a date field"),
    ("[apto] = '1'", "[apto] = '7'", "field 'apto' has no choice '7'"),
    ("[trat_rec] = [brazo]", "1 = 1", "the expression reads no field"),
    ("field: fin_fecha, mode", "field: fin_txt, mode", "is not read as one"),
    ("low: 7, high: 19", "low: 19, high: 7", "the lower limit 19 is above the upper 7"),
    ("for_each: [scr, s4, s8, s12]", "for_each: [scr, s4, s8, s12, fin]", "no visit of the form 'constantes_fin'"),
    ("by: [ae_term, ae_ini]", "by: [ae_term, mc_ini]", "the form 'medicacion' of field 'mc_ini' repeats"),
    ("\"not ([ae_sigue]", "\"not ([edad] > 'x' and [ae_sigue]", "field 'edad' is a number, and 'x' is not"),
]  # fmt: skip


def test_what_checks_of_the_raw_data_compare(study: Path) -> None:
    assert_refused(study, *(("checks.yaml", *slip) for slip in CHECKS))


def test_a_part_of_a_date_must_be_a_field(study: Path) -> None:
    slip = "first: [ae_x, ae_ini]\n    then: ae_fin\n    problem: The event"
    assert_refused(
        study,
        ("checks.yaml", "first: ae_ini\n    then: ae_fin\n    problem: The event", slip, "no field 'ae_x'"),
        ("acceptance.yaml", "low: 18, high: 85", "low: 85, high: 18", "the lower limit 85 is above the upper 18"),
        ("conformance.yaml", "variable: VISITNUM", "variable: VISITNM", "SV has no variable VISITNM"),
        ("sdtm/mh.yaml", "where: {antec: 3}, variables: {MHTERM: {constant: OBESITY}", "where: {antec: 2}, variables: "
         "{MHTERM: {constant: DYSLIPIDEMIA}", "is listed twice"),
    )  # fmt: skip


def test_the_structure_is_whole(study: Path) -> None:
    header = (study / "redcap" / "dags.csv").read_text(encoding="utf-8").splitlines(keepends=True)[0]
    assert_refused(
        study,
        ("redcap/dags.csv", header, header + header, "a row repeats the header"),
        (
            "redcap/instruments.csv",
            "demografia,",
            "demografa,",
            "the form 'demografia' of the dictionary is",
        ),
        ("redcap/instruments.csv", "elegibilidad,", "antecedentes,", "'antecedentes' is in two rows"),
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("project_info", "project_title", "title_of_it", "unknown column 'title_of_it'"),
        ("instruments", "instrument_name", "", "the column 'instrument_name' is missing"),
    ],
)
def test_a_changed_header_of_the_structure(study: Path, file: str, old: str, new: str, said: str) -> None:
    assert_refused(study, (f"redcap/{file}.csv", old, new, said))


def test_an_empty_list_of_instruments(study: Path) -> None:
    (study / "redcap" / "instruments.csv").write_bytes(b"")
    found, waiting = problems(study)["redcap/instruments.csv"]
    assert found.message == "the file has no row: every project has instruments"
    assert (waiting.severity, waiting.message) == ("warning", WAITING)


def test_the_copy_of_the_redcap_project(study: Path) -> None:
    cells = {("sexo", "field_type"): "raido", ("version_ci", "select_choices_or_calculations"): "1, a | 1, b | 2, c",
             ("etnia", "select_choices_or_calculations"): "", ("edad", "text_validation_min"): "young",
             ("talla", "field_name"): "Talla",
             ("fecha_nac", "text_validation_type_or_show_slider_number"): "date_xyz"}  # fmt: skip
    with (study / "redcap" / "dictionary.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    for (name, column), value in cells.items():
        next(row for row in rows if row[0] == name)[rows[0].index(column)] = value
    with (study / "redcap" / "dictionary.csv").open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
    make(study, ("redcap/repeating.csv", ",medicacion,", ",medicaion,", ""))
    found = problems(study)
    said = [problem.message for problem in found["redcap/dictionary.csv"]]
    for message in (
        "there is no field type 'raido' (did you mean 'radio'?)",
        "the code '1' is that of two choices",
        "the radio has no choices: write them as 1, Yes | 2, No",
        "text_validation_min 'young' is not a number",
        "there is no validation type 'date_xyz' (did you mean 'date_ymd'?)",
        "'Talla' is not the name of a field: small letters, digits and _, a letter first",
    ):
        assert message in said
    [repeating] = found["redcap/repeating.csv"]
    assert repeating.message == "the dictionary has no form 'medicaion' (did you mean 'medicacion'?)"


ANALYSES = [
    ("adsl", "  AGEU:\n", "  AGEUU:\n", "no derivation makes AGEUU (did you mean 'AGEU'?)"),
    ("adsl", "label: Baseline Systolic Blood Pressure (mmHg)", "codelist: C1", "BSYSBP needs a label"),
    ("adsl", "variables: {RANDDTC: DSSTDTC}", "variables: {RANDDTC: DSSTDT}", "DS has no variable DSSTDT"),
    ("adae", "SUBJID: SUBJID", "SUBJID: SUBJD", "ADSL has no variable SUBJD (did you mean 'SUBJID'?)"),
    ("adlb", "  PARAM:\n", "", "ADLB lacks PARAM, which BDS requires"),
    ("adtte", "dataset: ADTTE", "dataset: ADTTEXXXX", "'ADTTEXXXX' is not a name"),
    ("advs", "source: {dataset: VS", "source: {dataset: PC", "there is no dataset PC"),
]  # fmt: skip


def test_the_names_of_analysis_datasets(study: Path) -> None:
    assert_refused(study, *((f"adam/{name}.yaml", old, new, said) for name, old, new, said in ANALYSES))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("TRT01P: ARM,", "TRT01P: ARRM,", "no variable ARRM (did you mean 'ARM'?)"),
        (
            "  - date: {source: RFICDTC,",
            "  - copy: {variables: {Q1: Q2}}\n  - copy: {variables: {Q2: Q1}}\n  - date: {source: RFICDTC,",
            "these derivations wait for one another in a circle: Q1, Q2",
        ),
        ("to: TRTEDT}\n", "to: TRTSDT}\n", "TRTSDT is made twice"),
        ("condition: {RANDFL: Y}", "condition: {RANDFL: X}", "ADSL.RANDFL is a flag and never 'X'"),
        ("keys: [USUBJID]", "keys: [USUBJID, USUBJID]", "'USUBJID' is listed twice"),
        ("label: Baseline Systolic Blood Pressure (mmHg)", "label: X, codelist: NOPE", "there is no codelist 'NOPE'"),
        ("label: Baseline Systolic Blood Pressure (mmHg)", "label: X, format: wide", "must be a format of SAS"),
    ],
)
def test_the_order_of_derivations(study: Path, old: str, new: str, said: str) -> None:
    assert_refused(study, ("adam/adsl.yaml", old, new, said))


NEVER = [
    ("acceptance.yaml", "{DSDECOD: RANDOMIZED}", "{DSDECOD: RANDOMISED}", "(did you mean 'RANDOMIZED'?)"),
    ("acceptance.yaml", "{PARAMCD: SYSBP, ABLFL", "{PARAMCD: SYSP, ABLFL", "never 'SYSP' (did you mean 'SYSBP'?)"),
    ("acceptance.yaml", "AVISIT: Week 12", "AVISIT: Week 11", "ADVS.AVISIT is never 'Week 11' (did you mean"),
    ("acceptance.yaml", "{ETCD: CAND}", "{ETCD: CANDE}", "SE.ETCD is never 'CANDE' (did you mean 'CAND'?)"),
    ("acceptance.yaml", "{VISIT: WEEK 12}", "{VISIT: WEEK 13}", "SV.VISIT is never 'WEEK 13' (did you mean"),
    ("acceptance.yaml", "{LBTESTCD: HGB}", "{LBTESTCD: HGBB}", "LB.LBTESTCD is never 'HGBB' (did you mean 'HGB'?)"),
    ("acceptance.yaml", "{AEOUT: FATAL}", "{AEOUT: FATALL}", "AE.AEOUT is never 'FATALL' (did you mean 'FATAL'?)"),
    ("acceptance.yaml", "values: [CAND, AMLO]", "values: [CAND, AMLOD]", "never 'AMLOD' (did you mean 'AMLO'?)"),
    ("reports.yaml", "{EOSSTT: COMPLETED}", "{EOSSTT: COMPLETE}", "ADSL.EOSSTT is never 'COMPLETE' (did you mean"),
    ("adam/adsl.yaml", "values: {COMPLETED: COMPLETED}", "values: {COMPLETE: COMPLETED}", "never 'COMPLETE' (did you"),
    ("adam/adsl.yaml", "to: TRT01PN, values: {CAND: 1", "to: TRT01PN, values: {CANDY: 1", "never 'CANDY' (did you"),
    ("adam/advs.yaml", "VSTESTCD: [SYSBP", "VSTESTCD: [SYSBPP", "VSTESTCD is never 'SYSBPP' (did you mean"),
    ("adam/advs.yaml", "when: {PARAMCD: SYSBP,", "when: {PARAMCD: SYSP,", "never 'SYSP' (did you mean 'SYSBP'?)"),
    ("adam/adlb.yaml", "test: HGB,", "test: HGBB,", "LBTESTCD is never 'HGBB' (did you mean 'HGB'?)"),
    ("adam/advs.yaml", "WEEK 8, WEEK 12]", "WEEK 8, WEEK 12, WEEK 13]", "study.yaml plans no visit 'WEEK 13' on a day"),
    ("acceptance.yaml", "  DS:\n", "  SUPPDM:\n    - {expect: row_count, value: 1, where: {QNAM: PRVSUB}}\n\n  DS:\n",
     "SUPPDM.QNAM is never 'PRVSUB' (did you mean 'PRVSUBJ'?)"),
    ("reports.yaml", "      HGB: Hemoglobin\n", "      HGBB: Hemoglobin\n", "ADLB.PARAMCD is never 'HGBB'"),
    ("reports.yaml", "      WBC: {label", "      WBCC: {label", "ADLB.PARAMCD is never 'WBCC' (did you mean 'WBC'?)"),
    ("reports.yaml", "{Baseline: Baseline, Week 4:", "{Baseline: Baseline, Week 5:", "ADVS.AVISIT is never 'Week 5'"),
    ("reports.yaml", "labels: {F: Female", "labels: {W: Female", "ADSL.SEX is never 'W'"),
    ("reports.yaml", "grades: [LOW,", "grades: [LO,", "ADLB.ANRIND is never 'LO' (did you mean 'LOW'?)"),
    ("reports.yaml", "    paramcd: DIABP", "    paramcd: SYSBP", "'where' selects PARAMCD is DIABP, and"),
]  # fmt: skip


def test_a_text_that_a_variable_never_has(study: Path) -> None:
    assert_refused(study, *NEVER)


NEVER_TABULATED = [
    ("sdtm/dm.yaml", "DSDECOD: INFORMED CONSENT OBTAINED", "DSDECOD: INFORMED CONSENT", "DS.DSDECOD is never 'INFO"),
    ("sdtm/dm.yaml", "{assign: SCREEN FAILURE, when: {ARMCD: {missing: true}}}",
     "{assign: SCREEN FAILURE, when: {ARMCD: CANDY}}", "DM.ARMCD is never 'CANDY' (did you mean 'CAND'?)"),
    ("sdtm/relations.yaml", "AEOUT: FATAL", "AEOUT: FATALL", "AE.AEOUT is never 'FATALL' (did you mean 'FATAL'?)"),
    ("study.yaml", "where: {EXENDTC: {missing: true}}", "where: {EXTRT: AMLODIPIN}", "EX.EXTRT is never 'AMLODIPIN'"),
]  # fmt: skip


def test_a_text_that_a_tabulated_variable_never_has(study: Path) -> None:
    assert_refused(study, *NEVER_TABULATED)


OF_ANALYSES = [
    ("adam/advs.yaml", "param: Systolic", "param: Syst\u043elic", "no transport file can hold: U+043E"),
    ("adam/adsl.yaml", "  EOSSTT:\n", "  EOSSTT: {codelist: NY}\n", "would be 'COMPLETED', which is not a term of NY"),
    ("adam/advs.yaml", "paramn: 2,", "paramn: 1,", "the PARAMN '1' is that of SYSBP and of DIABP"),
    ("adam/advs.yaml", "param: Weight (kg)", "param: Heart Rate (beats/min)", "is that of HR and of WEIGHT"),
    ("adam/adlb.yaml", "unit: g/L", "unit: g/dL", "HGB is in g/dL, and the results of HGB are in g/L"),
    ("adam/adtte.yaml", "ADVS, date: ADT, where: {PARAMCD: SYSBP}", "ADVS, date: AVAL, where: {PARAMCD: SYSBP}",
     "ADVS.AVAL is a number; paramcd takes a date or a datetime"),
    ("adam/adtte.yaml", "Time to Withdrawal (Days)", f"Time {'x' * 200}", "the PARAM of WITHDRAW is longer than 200"),
    ("adam/adsl.yaml", "  - date: {source: DTHDTC,", "  - copy: {variables: {AGEX: AGE}}\n  - date: {source: DTHDTC,",
     "nothing uses AGEX: list it among 'variables', or leave it out"),
]  # fmt: skip


def test_parameters_units_and_dates_of_analyses(study: Path) -> None:
    assert_refused(study, *OF_ANALYSES)


OF_TABULATION = [
    ("sdtm/ts.yaml", "AGEMIN, value: P18Y", "AGEMIN, value: 18 years", "'18 years' is neither a date of ISO 8601"),
    ("sdtm/lb.yaml", "WBC: {category: HEMATOLOGY, specimen: BLOOD, standard_unit: 10^9/L}",
     "WBC: {category: HEMATOLOGY, specimen: BLOOD, standard_unit: 10^9/L, unit_factors: {g/L: 3}}",
     "no form gives WBC in 'g/L'"),
    ("sdtm/vs.yaml", "SYSBP: {result:", "SYSBP: {label_without: X, result:", "there is no label to take anything off"),
    ("sdtm/ti.yaml", "  - {IETESTCD: INCL02,", "  - {IETESTCD: INCL01,", "the criterion 'INCL01' is declared twice"),
]  # fmt: skip


def test_units_labels_and_dates_of_tabulation(study: Path) -> None:
    assert_refused(study, *OF_TABULATION)


def test_a_test_without_reference_ranges_is_warned_of(study: Path) -> None:
    path = study / "laboratory_ranges.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if ",CHOL," not in line), encoding="utf-8")
    [problem] = problems(study)["laboratory_ranges.csv"]
    assert (problem.severity, problem.key) == ("warning", "CHOL")
    assert problem.message.startswith("the table of reference ranges has no CHOL")


def test_an_item_of_an_own_toxicity_table_that_nothing_is_graded_by(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    shutil.copytree(BUNDLED / "spms_aza", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    grades = (FOLDER / "who-1979-lab-grades.csv").read_text(encoding="utf-8")
    [creatinine] = [line for line in grades.splitlines() if line.startswith("Creatinine,")]
    calcium = creatinine.replace("Creatinine", "Calcium", 1)
    (folder / "grades.csv").write_text(f"{grades.rstrip()}\n{calcium}\n", encoding="utf-8")
    make(folder, ("sdtm/lb.yaml", "toxicity: who-1979-lab-grades", "toxicity: grades.csv", ""))
    [problem] = problems(folder)["grades.csv"]
    assert (problem.severity, problem.key) == ("warning", "Calcium")
    assert problem.message == "no test and no parameter is graded by this item"


def test_a_norm_that_no_score_has(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    shutil.copytree(BUNDLED / "spms_aza", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    assert_refused(
        folder,
        ("norms.csv", "sdmt,53", "sdmtt,53,9,x\nsdmt,53", "no score has the norm 'sdmtt' (did you mean 'sdmt'?)"),
        ("sdtm/ft.yaml", "test: SRT-Delayed Recall,", "test: SRT-Delayed Recal,", "is not a term of SPONSORFTTN"),
    )
    (folder / "norms.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    found = problems(folder)
    assert any("test" in problem.message for name in ("norms.csv", "adam/adft.yaml") for problem in found.get(name, []))


def test_the_fields_of_a_form_are_together(study: Path) -> None:
    path = study / "redcap" / "dictionary.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    [moved] = [line for line in lines if line.startswith("talla,")]
    lines.remove(moved)
    path.write_text("".join([*lines, moved]), encoding="utf-8")
    found = [problem.message for problem in problems(study)["redcap/dictionary.csv"]]
    assert found == ["the fields of form 'demografia' are not together: others are between them"]


WITHOUT_DATA = [
    ("sdtm/ie.yaml", '0: "N"}', '0: "NOO"}', "'NOO' is not a term of NY"),
    ("sdtm/vs.yaml", "  - form: demografia\n", "  - form: demografia\n  - form: demografia\n", "makes no record of VS"),
    ("adam/advs.yaml", "sequence: {by: [USUBJID], order: [", "sequence: {by: [], order: [", "a list of 1 or more"),
    ("conformance.yaml", "variable: AESOC", "variable: AESO", "AE has no variable AESO (did you mean 'AESOD'?)"),
    ("verify/week_12.sql", "avg(CHG)", "avg(CHGG)", "the query does not run: Referenced column \"CHGG\" not found"),
    ("sdtm/ts.yaml", "codelist: TPHASE", "codelist: TPHASES", "has no codelist 'TPHASES' (did you mean 'TPHASE'?)"),
    ("sdtm/ts.yaml", "PLANSUB, value: 36", "PLANSUB, value: x", "PLANSUB is a whole number above 0, not 'x'"),
    ("sdtm/ts.yaml", "dictionary: SNOMED", "dictionary: SNОMED", "no place in a dataset: U+041E"),  # noqa: RUF001
    ("sdtm/ts.yaml", "earliest: DM.RFICDTC", "earliest: DM.RFIDTC", "DM has no variable RFIDTC (did you mean"),
    ("sdtm/ti.yaml", "IECAT: INCLUSION", "IECAT: INCLUSION, IEORDER: 1", "TI has no variable IEORDER"),
    ("sdtm/lb.yaml", "2: SUBJECT REFUSED", "2: SUBJECT RЕFUSED", "characters that no dataset can hold: U+0415"),  # noqa: RUF001
    ("redcap/dags.csv", ",71", ",--71", "data_access_group_id '--71' is not a whole number"),
]  # fmt: skip


def test_queries_parameters_and_letters(study: Path) -> None:
    assert_refused(study, *WITHOUT_DATA)


def test_two_sections_of_one_id(study: Path) -> None:
    assert_refused(study, ("sap.md", "{#general}", "{#populations}", "two sections have the id {#populations}"))


def test_a_plan_that_is_not_utf_8(study: Path) -> None:
    (study / "sap.md").write_bytes((study / "sap.md").read_text(encoding="utf-8").encode("utf-16"))
    [problem] = [one for one in problems(study)["sap.md"] if "UTF-8" in one.message]
    assert problem.message == "the file is not UTF-8: save it as UTF-8"


def test_an_epoch_that_is_no_term_is_said_once(study: Path) -> None:
    make(study, ("study.yaml", "epoch: FOLLOW-UP,", "epoch: FOLLOW-UPP,", ""))
    assert len([one for one in problems(study)["study.yaml"] if "FOLLOW-UPP" in one.message]) == 1


def test_a_toxicity_table_that_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    shutil.copytree(BUNDLED / "spms_aza", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    assert_refused(folder, ("sdtm/lb.yaml", "toxicity: who-1979-lab-grades", "toxicity: who-1979-grades", "who-1979-"))


def test_a_negative_count(study: Path) -> None:
    assert_refused(
        study, ("adam/advs.yaml", "on_treatment: {days: 7}", "on_treatment: {days: -7}", "must be a number from 0")
    )


def test_a_parameter_code_of_nine_letters(study: Path) -> None:
    assert_refused(
        study, ("adam/adlb.yaml", "        HGB: {test", "        HGBXXXXXX: {test", "at most eight capitals")
    )


def test_the_rows_of_its_tables(study: Path) -> None:
    table = "laboratory_ranges.csv"
    lines = (study / table).read_text(encoding="utf-8").splitlines(keepends=True)
    assert_refused(
        study,
        (table, lines[1], lines[1].replace("HGB,F", "HGBX,F"), "has no test 'HGBX' (did you mean 'HGB'?)"),
        (table, lines[2], lines[2].replace("HGB,M", "HGB,male"), "'male' is not one of"),
        (table, lines[3], lines[3].replace("Hospital", "Hspital"), "LBNAM is never 'Hspital"),
        ("coding/ae.csv", "Diarrea,", "Cefalea,", "the term 'Cefalea' is coded on line 2 already"),
        ("answers.csv", "8e1ffab65442", "8e1ffab6544", "'8e1ffab6544' is not the id of a query"),
        ("conformance.yaml", "rule: visit.lost", "rule: visit.lst", "there is no rule 'visit.lst' (did you mean"),
    )


def utf_16(text: bytes) -> bytes:
    return text.decode().encode("utf-16")


@pytest.mark.parametrize("file", ["answers.csv", "laboratory_ranges.csv", "coding/ae.csv", "conformance.yaml"])
@pytest.mark.parametrize("change", [utf_16, lambda _: b"", lambda text: text + b"x: y, z\n"])
def test_a_file_that_cannot_be_read(study: Path, file: str, change: Callable[[bytes], bytes]) -> None:
    (study / file).write_bytes(change((study / file).read_bytes()))
    found = problems(study)
    assert file in found or (file == "coding/ae.csv" and "sdtm/ae.yaml" in found), found
