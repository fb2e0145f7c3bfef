"""An error put into the datasets is found by the rule that is there for it; sound datasets give nothing unexplained."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from tests.bundled_studies import OF_RECORDS
from tests.validation.seeding import (
    Datasets,
    again,
    described,
    everywhere,
    lacking,
    made,
    records_by_place,
    seed,
    without,
)
from validation.conformance.check import conformance, find
from validation.conformance.rule import RULES

VERSION = "3.3"
Change = Callable[[Datasets], Datasets]


@pytest.fixture(scope="session")
def datasets(sdtm: Datasets) -> Datasets:
    return sdtm


# rule, dataset, variable, and the change after which the rule must name them
DATASET_SEEDS: list[tuple[str, str, str, Change]] = [
    ("term.codelist", "AE", "AESEV", lambda d: seed(d, "AE", "AESEV", "AWFUL")),
    ("term.codelist", "LB", "LBORRESU", lambda d: seed(d, "LB", "LBORRESU", "10^9/l", LBORRESU="10^9/L")),
    ("term.codelist", "LB", "LBSTRESC", lambda d: seed(d, "LB", "LBSTRESC", "PLENTY", LBSTRESC="NEGATIVE")),
    ("term.own_list", "AE", "AEREL", lambda d: seed(d, "AE", "AEREL", "MAYBE")),
    ("term.own_list", "SUPPAE", "QVAL", lambda d: seed(d, "SUPPAE", "QVAL", "MAYBE", QNAM="AERELAZA")),
    ("test.described", "LB", "LBTESTCD", lambda d: seed(d, "LB", "LBTESTCD", "ALB2", LBTESTCD="ALB")),
    ("flag.yes", "LB", "LBLOBXFL", lambda d: seed(d, "LB", "LBLOBXFL", "N", LBLOBXFL=False)),
    ("text.multiple", "AE", "AEACNOTH", lambda d: seed(d, "AE", "AEACNOTH", "MULTIPLE", AEACNOTH=False)),
    ("text.length", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "x" * 201)),
    ("text.length", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "ß" * 101)),  # each takes two bytes
    ("text.ascii", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "Jaqueca aguda, señal")),
    ("text.ascii", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "two\nlines")),
    ("text.blanks", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", " Headache")),
    ("text.missing_code", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "UNK")),
    ("key.unique", "LB", "", lambda d: again(d, "LB")),
    ("key.sorted", "LB", "", lambda d: again(d, "LB", USUBJID="A")),
    ("sequence.unique", "LB", "LBSEQ", lambda d: again(d, "LB")),
    ("sequence.integer", "LB", "LBSEQ", lambda d: seed(d, "LB", "LBSEQ", 1.5)),
    ("dataset.code", "LB", "DOMAIN", lambda d: seed(d, "LB", "DOMAIN", "QS")),
    ("dataset.study", "LB", "STUDYID", lambda d: seed(d, "LB", "STUDYID", "OTHER")),
    ("variable.required", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "")),
    ("variable.required", "AE", "AEDECOD", lambda d: lacking(d, "AE", "AEDECOD")),
    ("variable.expected", "LB", "LBORRESU", lambda d: lacking(d, "LB", "LBORRESU")),
    ("variable.label", "LB", "LBORRES", lambda d: described(d, "LB", "LBORRES", label="Result")),
    ("variable.type", "LB", "LBSTRESN", lambda d: everywhere(d, "LB", "LBSTRESN", "1")),
    ("variable.guide", "AE", "AELAT", lambda d: everywhere(d, "AE", "AELAT", "LEFT")),
    ("variable.model", "AE", "AETESTCD", lambda d: everywhere(d, "AE", "AETESTCD", "")),
    ("variable.metadata", "AE", "", lambda d: everywhere(d, "AE", "AETESTCD", "")),
    ("date.iso8601", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "2000-02-30")),
    ("date.iso8601", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "05/10/1998")),
    ("date.iso8601", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "1998-10-05T25:00")),
    ("day.study_day", "LB", "LBDY", lambda d: seed(d, "LB", "LBDY", lambda day: day + 1, LBDY=True)),
    ("day.study_day", "AE", "AESTDY", lambda d: seed(d, "AE", "AESTDTC", "1999-05", AESTDY=True)),
    ("day.zero", "LB", "LBDY", lambda d: seed(d, "LB", "LBDY", 0.0)),
    ("day.missing", "LB", "LBDY", lambda d: seed(d, "LB", "LBDY", np.nan, LBDY=True)),
    ("period.order", "AE", "AEENDTC", lambda d: seed(d, "AE", "AEENDTC", "1990-01-01", AEENDY=True)),
    ("period.ongoing", "AE", "AEENRTPT", lambda d: seed(d, "AE", "AEENTPT", "", AEENRTPT="ONGOING")),
    ("period.ongoing", "AE", "AEENDTC", lambda d: seed(d, "AE", "AEENDTC", "2000-01-01", AEENRTPT="ONGOING")),
    ("date.after_participation", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "2001-12-30")),
    ("date.before_consent", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "1990-01-01")),
    ("date.cutoff", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "2002-01-01")),
    ("date.after_death", "LB", "LBDTC", lambda d: seed(d, "DM", "DTHDTC", "1998-10-06")),
    ("epoch.element", "LB", "EPOCH", lambda d: seed(d, "LB", "EPOCH", "FOLLOW-UP", EPOCH="SCREENING")),
    ("epoch.missing", "LB", "EPOCH", lambda d: seed(d, "LB", "EPOCH", "", EPOCH="TREATMENT")),
    ("element.order", "SE", "SESTDTC", lambda d: seed(d, "SE", "SEENDTC", "1998-10-01")),
    ("visit.in_sv", "LB", "VISITNUM", lambda d: without(d, "SV", VISITNUM=7.0)),
    ("visit.lost", "SV", "VISITNUM", lambda d: without(d, "SV", VISITNUM=7.0)),
    ("visit.lost", "SV", "VISITNUM", lambda d: without(d, "SV", VISITNUM=13.0)),
    ("visit.date", "LB", "LBDTC", lambda d: seed(d, "LB", "LBDTC", "1999-06-15", VISITNUM=7.0)),
    ("visit.name", "LB", "VISIT", lambda d: seed(d, "LB", "VISIT", "MONTH 9", VISIT="MONTH 6")),
    ("visit.planned", "LB", "VISITDY", lambda d: seed(d, "LB", "VISITDY", 1.0, VISITNUM=7.0)),
    ("visit.once", "SV", "VISITNUM", lambda d: again(d, "SV")),
    ("visit.order", "SV", "SVSTDTC", lambda d: seed(d, "SV", "SVSTDTC", "1998-10-06", VISITNUM=8.0)),
    ("test.pair", "LB", "LBTESTCD", lambda d: seed(d, "LB", "LBTEST", "Glucose", LBTESTCD="ALB")),
    ("test.decode", "LB", "LBTEST", lambda d: seed(d, "LB", "LBTEST", "Glucose", LBTESTCD="ALB")),
    ("test.code", "MO", "MOTESTCD", lambda d: seed(d, "MO", "MOTESTCD", "2LESION")),
    ("test.length", "MO", "MOTEST", lambda d: seed(d, "MO", "MOTEST", "x" * 41)),
    ("result.standard", "LB", "LBSTRESC", lambda d: seed(d, "LB", "LBSTRESC", "", LBSTRESN=True)),
    ("result.standard", "LB", "LBORRES", lambda d: seed(d, "LB", "LBORRES", "", LBSTRESN=True)),
    ("result.numeric", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", lambda n: n + 1, LBSTRESN=True)),
    ("result.numeric", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", 1.0, LBSTRESC="NEGATIVE")),
    ("status.without_result", "LB", "LBORRES", lambda d: seed(d, "LB", "LBSTAT", "NOT DONE", LBORRES=True)),
    ("status.missing", "LB", "LBORRES", lambda d: seed(d, "LB", "LBSTAT", "", LBSTAT="NOT DONE")),
    ("status.reason", "MO", "MOREASND", lambda d: seed(d, "MO", "MOREASND", "", MOSTAT="NOT DONE")),
    ("status.reason_alone", "MO", "MOREASND", lambda d: seed(d, "MO", "MOREASND", "Refused", MOSTAT=False)),
    ("range.order", "LB", "LBSTNRLO", lambda d: seed(d, "LB", "LBSTNRLO", 9999.0, LBSTNRLO=True)),
    ("range.converted", "LB", "LBSTNRHI", lambda d: seed(d, "LB", "LBSTNRHI", lambda old: 10 * old, LBSTNRHI=True)),
    ("range.indicator", "LB", "LBNRIND", lambda d: seed(d, "LB", "LBNRIND", "HIGH", LBNRIND="NORMAL")),
    ("toxicity.grade", "LB", "LBTOXGR", lambda d: seed(d, "LB", "LBTOXGR", "GRADE 1", LBTOXGR="1")),
    ("baseline.one", "LB", "LBLOBXFL", lambda d: seed(d, "LB", "LBLOBXFL", "Y", LBTESTCD="ALB", VISITNUM=3.0)),
    ("baseline.before_exposure", "LB", "LBLOBXFL", lambda d: seed(d, "LB", "LBLOBXFL", "Y", VISITNUM=7.0)),
    ("baseline.last", "LB", "LBLOBXFL", lambda d: everywhere(d, "LB", "LBLOBXFL", "")),
    ("baseline.result", "LB", "LBLOBXFL", lambda d: seed(d, "LB", "LBSTRESC", "", LBLOBXFL="Y")),
    ("unit.standard", "LB", "LBSTRESU", lambda d: seed(d, "LB", "LBSTRESU", "g/dL", LBTESTCD="HGB")),
    ("unit.missing", "LB", "LBORRESU", lambda d: seed(d, "LB", "LBORRESU", "", LBTESTCD="HGB", LBSTRESN=True)),
    ("unit.converted", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", np.nan, LBTESTCD="HGB", LBSTRESN=True)),
    ("unit.same", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", lambda n: n * 10, LBORRESU="g/L")),
    ("unit.factor", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", lambda n: n * 10, LBORRESU="g/dL")),
    ("unit.laboratory", "LB", "LBORRESU", lambda d: seed(d, "LB", "LBORRESU", "mg/dL", LBTESTCD="ALB", LBORRESU="g/L")),
    ("unit.plausible", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", lambda n: n / 1000, LBTESTCD="WBC")),
    ("unit.without_result", "LB", "LBORRESU", lambda d: seed(d, "LB", "LBORRESU", "g/L", LBORRES=False)),
    ("subject.once", "DM", "USUBJID", lambda d: again(d, "DM")),
    ("subject.in_dm", "LB", "USUBJID", lambda d: without(d, "DM", SUBJID="01-001")),
    ("arm.reason", "DM", "ARMNRS", lambda d: seed(d, "DM", "ARMCD", "")),
    ("arm.pair", "DM", "ARM", lambda d: seed(d, "DM", "ARMCD", "")),
    ("arm.planned", "DM", "ARMCD", lambda d: seed(d, "DM", "ARMCD", "PLACEBO")),
    ("reference.order", "DM", "RFENDTC", lambda d: seed(d, "DM", "RFENDTC", "1998-01-01")),
    ("reference.exposure", "DM", "RFXSTDTC", lambda d: seed(d, "DM", "RFXSTDTC", "1998-10-06")),
    ("reference.exposure", "DM", "RFXENDTC", lambda d: seed(d, "DM", "RFXENDTC", "1998-10-06")),
    ("reference.treated", "DM", "RFSTDTC", lambda d: seed(d, "DM", "RFSTDTC", "")),
    ("subject.age", "DM", "AGE", lambda d: seed(d, "DM", "AGE", lambda age: age + 3)),
    ("subject.age", "DM", "AGEU", lambda d: seed(d, "DM", "AGEU", "")),
    ("death.flag", "DM", "DTHFL", lambda d: seed(d, "DM", "DTHFL", "Y")),
    ("death.agreement", "AE", "AEOUT", lambda d: seed(d, "AE", "AEOUT", "FATAL")),
    ("serious.death", "AE", "AEOUT", lambda d: seed(d, "AE", "AEOUT", "FATAL")),
    ("serious.criterion", "AE", "AESER", lambda d: seed(d, "AE", "AESER", "Y", AESER="N")),
    ("serious.criterion", "AE", "AESER", lambda d: seed(d, "AE", "AESHOSP", "Y", AESER="N")),
    ("outcome.end", "AE", "AEENDTC", lambda d: seed(d, "AE", "AEENDTC", "", AEOUT="RECOVERED/RESOLVED")),
    ("disposition.subject", "DM", "USUBJID", lambda d: again(d, "DM", USUBJID="NOBODY")),
    ("disposition.once", "DS", "DSDECOD", lambda d: again(d, "DS")),
    ("disposition.dates", "DS", "DSSTDTC", lambda d: seed(d, "DS", "DSSTDTC", "1999-01-01")),
    ("disposition.completed", "DS", "DSDECOD", lambda d: seed(d, "DS", "DSTERM", "Completed", DSDECOD="ADVERSE EVENT")),
    ("exposure.dose", "EX", "EXDOSE", lambda d: seed(d, "EX", "EXDOSE", -1.0)),
    ("exposure.dose", "EX", "EXDOSU", lambda d: seed(d, "EX", "EXDOSU", "")),
    ("exposure.overlap", "EX", "EXSTDTC", lambda d: again(d, "EX", EXSTDTC="2001-01-01")),
    ("supplemental.parent", "SUPPAE", "IDVARVAL", lambda d: seed(d, "SUPPAE", "IDVARVAL", "9999")),
    ("supplemental.domain", "SUPPAE", "RDOMAIN", lambda d: seed(d, "SUPPAE", "RDOMAIN", "LB")),
    ("supplemental.name", "SUPPAE", "QNAM", lambda d: seed(d, "SUPPAE", "QNAM", "AESEV")),
    ("supplemental.name", "SUPPAE", "QNAM", lambda d: seed(d, "SUPPAE", "QNAM", "1ST")),
    ("supplemental.label", "SUPPAE", "QLABEL", lambda d: seed(d, "SUPPAE", "QLABEL", "Something else")),
    ("supplemental.once", "SUPPAE", "QNAM", lambda d: again(d, "SUPPAE")),
    ("dataset.label", "AE", "", lambda d: {**d, "AE": relabelled(d, "AE", "Events")}),
    ("dataset.empty", "AE", "", lambda d: {**d, "AE": emptied(d, "AE")}),
]


def relabelled(datasets: Datasets, name: str, label: str) -> Dataset:
    return datasets[name].with_metadata(replace(datasets[name].metadata, label=label))


def emptied(datasets: Datasets, name: str) -> Dataset:
    return replace(datasets[name], frame=datasets[name].frame.iloc[:0])


@pytest.mark.parametrize(("rule", "dataset", "variable", "change"), DATASET_SEEDS)
def test_a_seeded_error_is_found_by_its_rule(
    rule: str, dataset: str, variable: str, change: Change, study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    before, after = (records_by_place(study, one, terminology, rule) for one in (datasets, change(datasets)))
    place = (dataset, variable)
    assert place in after and after[place] > before.get(place, -1)


@pytest.mark.parametrize("name", OF_RECORDS)
def test_sound_datasets_give_nothing_that_is_not_explained(name: str) -> None:
    study = Study.open(name)
    records = Records.read(study.project(), study.folder / "redcap" / "records_locked.csv")
    datasets = tabulate(read_mapping(study, records.project, Terminology.open(study)), records).datasets
    result = conformance(study, datasets)
    assert [one for one in result["findings"] if not one["explained"] and one["severity"] != "note"] == []
    rules = [rule for rule in RULES.values() if rule.standard == "sdtm"]
    assert result["counts"]["unexplained"] == 0 and result["counts"]["rules"] == len(rules) > 100
    assert json.dumps(result) == json.dumps(conformance(study, datasets))


def test_a_finding_names_records_by_their_keys_and_no_text(
    study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    changed = seed(datasets, "AE", "AETERM", "secret words of a patient, " * 9)
    found = find(study, changed, terminology, [RULES["text.length"]])
    assert [(one.dataset, one.records, one.keys) for one in found] == [
        ("AE", 1, ("USUBJID=SPMSAZA-SYNTH-01-001 AESEQ=1",))
    ]
    assert "secret" not in json.dumps([one.as_dict() for one in found])


def test_variables_out_of_order_are_found(study: Study, terminology: Terminology, datasets: Datasets) -> None:
    dataset = datasets["AE"]
    names = [name for name in dataset.metadata.names if name != "AETERM"] + ["AETERM"]
    moved = replace(dataset, frame=dataset.frame[names])
    found = find(study, {**datasets, "AE": moved}, terminology, [RULES["variable.order"], RULES["variable.metadata"]])
    assert {one.rule for one in found} == {"variable.order", "variable.metadata"}


def test_names_that_a_transport_file_cannot_have_are_found(
    study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    renamed = datasets["AE"].metadata
    long = replace(datasets["AE"], metadata=replace(renamed, name="ADVERSEEVENTS"))
    found = find(study, {"ADVERSEEVENTS": long}, terminology, [RULES["dataset.name"]])
    assert [(one.rule, one.dataset) for one in found] == [("dataset.name", "ADVERSEEVENTS")]
    lower = replace(datasets["AE"], frame=datasets["AE"].frame.rename(columns={"AETERM": "aeterm"}))
    found = find(study, {**datasets, "AE": lower}, terminology, [RULES["variable.name"]])
    assert [(one.dataset, one.variable) for one in found] == [("AE", "aeterm")]


def test_a_codelist_that_no_terminology_has_is_found(
    study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    changed = described(datasets, "AE", "AESEV", codelist="C999999")
    found = find(study, changed, terminology, [RULES["term.codelist_known"]])
    assert [(one.dataset, one.variable) for one in found] == [("AE", "AESEV")]


SUBJECT = {"STUDYID": "SPMSAZA-SYNTH", "USUBJID": "SPMSAZA-SYNTH-01-001"}
RELATED = {**SUBJECT, "RDOMAIN": "AE", "IDVAR": "AESEQ", "IDVARVAL": "1", "RELTYPE": "", "RELID": "R1"}
COMMENT = {**SUBJECT, "DOMAIN": "CO", "RDOMAIN": "AE", "COSEQ": 1.0, "IDVAR": "AESEQ", "IDVARVAL": "1", "COVAL": "text"}
SUMMARY = {"STUDYID": "SPMSAZA-SYNTH", "DOMAIN": "TS", "TSSEQ": 1.0, "TSPARMCD": "SSTDTC", "TSPARM": "Study Start Date",
           "TSVAL": "1998-09-21", "TSVALNF": "", "TSVALCD": "", "TSVCDREF": "ISO 8601", "TSVCDVER": ""}  # fmt: skip
CRITERION = {**SUBJECT, "DOMAIN": "IE", "IESEQ": 1.0, "IETESTCD": "INCL01", "IETEST": "x", "IECAT": "INCLUSION",
             "IEORRES": "N", "IESTRESC": "N"}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "name", "rows", "expected"),
    [
        ("related.record", "RELREC", [RELATED, {**RELATED, "RDOMAIN": "DS", "IDVAR": "DSSEQ"}], {}),
        ("related.record", "RELREC", [RELATED, {**RELATED, "IDVARVAL": "9999"}], {"IDVARVAL": 1}),
        ("related.record", "RELREC", [{**RELATED, "IDVARVAL": "", "IDVAR": "AELNKID"}], {"IDVAR": 1, "RELTYPE": 1}),
        ("related.pair", "RELREC", [RELATED, {**RELATED, "RELID": "R2"}], {"RELID": 2}),
        ("related.pair", "RELREC", [RELATED, {**RELATED, "RDOMAIN": "DS", "IDVAR": "DSSEQ"}], {}),
        ("comment.parent", "CO", [COMMENT], {}),
        ("comment.parent", "CO", [{**COMMENT, "IDVARVAL": "77"}], {"IDVARVAL": 1}),
        ("summary.start", "TS", [SUMMARY], {}),
        ("summary.start", "TS", [{**SUMMARY, "TSVAL": "1998"}], {"TSVAL": 1}),
        ("summary.start", "TS", [{**SUMMARY, "TSPARMCD": "TITLE"}], {"TSPARMCD": 0}),
        ("summary.value", "TS", [{**SUMMARY, "TSVALNF": "UNK"}], {"TSVAL": 1}),
        ("summary.value", "TS", [{**SUMMARY, "TSVAL": ""}], {"TSVAL": 1}),
        ("criterion.violated", "IE", [CRITERION], {}),
        ("criterion.violated", "IE", [{**CRITERION, "IEORRES": "Y"}], {"IEORRES": 1}),
        ("criterion.violated", "IE", [{**CRITERION, "IECAT": "EXCLUSION"}], {"IEORRES": 1}),
    ],
)
def test_references_and_design(
    rule: str,
    name: str,
    rows: list[dict[str, object]],
    expected: dict[str, int],
    study: Study,
    terminology: Terminology,
    datasets: Datasets,
) -> None:
    added = {**datasets, name: made(VERSION, name, rows, ("STUDYID",))}
    found = find(study, added, terminology, [RULES[rule]])
    assert {one.variable: one.records for one in found} == expected


def test_elements_and_criteria_are_those_of_the_design(
    study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    arm = {"STUDYID": "S", "DOMAIN": "TA", "ARMCD": "A", "ARM": "A", "TAETORD": 1.0, "EPOCH": "SCREENING"}
    design = {
        "TA": made(VERSION, "TA", [{**arm, "ETCD": "SCRN"}, {**arm, "ETCD": "LOST"}], ("STUDYID",)),
        "TE": made(VERSION, "TE", [{"STUDYID": "S", "DOMAIN": "TE", "ETCD": "SCRN", "TEDUR": "P2Y"}], ("STUDYID",)),
        "TI": made(VERSION, "TI", [{"STUDYID": "S", "DOMAIN": "TI", "IETESTCD": "INCL02"}], ("STUDYID",)),
        "IE": made(VERSION, "IE", [CRITERION], ("STUDYID",)),
    }
    rules = [RULES[name] for name in ("design.elements", "design.criteria", "element.design", "duration.iso8601")]
    found = find(study, {**datasets, **design}, terminology, rules)
    assert {(one.rule, one.dataset) for one in found} == {
        ("design.elements", "TA"),
        ("design.criteria", "IE"),
        ("element.design", "SE"),
    }


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("P1Y2M", True),
        ("PT8H", True),
        ("P6W", True),
        ("P1DT12H", True),
        ("P", False),
        ("PT", False),
        ("8 HOURS", False),
        ("P1H", False),
    ],
)
def test_durations(written: str, right: bool, study: Study, terminology: Terminology) -> None:
    element = made(VERSION, "TE", [{"STUDYID": "S", "DOMAIN": "TE", "ETCD": "A", "TEDUR": written}], ("STUDYID",))
    assert (find(study, {"TE": element}, terminology, [RULES["duration.iso8601"]]) == []) is right


@pytest.mark.parametrize(
    "written", ["1998", "1998-10", "1998---05", "1998-10-05T12:30", "1998-10-05T12:30:05Z", "1998-10-05/1998-11"]
)
def test_full_and_partial_dates_times_and_intervals_are_right(
    written: str, study: Study, terminology: Terminology, datasets: Datasets
) -> None:
    changed = seed(datasets, "LB", "LBDTC", written)
    assert find(study, changed, terminology, [RULES["date.iso8601"]]) == []


def test_degrees_are_converted_by_a_line_and_not_by_a_factor(study: Study, terminology: Terminology) -> None:
    given = [97.7, 98.6, 100.4, 102.2]
    fixed = {**SUBJECT, "DOMAIN": "VS", "VSTESTCD": "TEMP", "VSTEST": "Temperature", "VSORRESU": "F", "VSSTRESU": "C"}
    celsius = [36.5, 37.0, 38.0, 39.0]  # degrees Fahrenheit less 32, by 1.8
    rows = [
        {**fixed, "VSSEQ": float(at), "VSORRES": str(value), "VSSTRESC": str(standard), "VSSTRESN": standard}
        for at, (value, standard) in enumerate(zip(given, celsius, strict=True), start=1)
    ]
    dataset = made(VERSION, "VS", rows, ("USUBJID", "VSSEQ"))
    assert find(study, {"VS": dataset}, terminology, [RULES["unit.factor"]]) == []
    wrong = seed({"VS": dataset}, "VS", "VSSTRESN", 98.6, VSSEQ=2.0)
    assert [one.dataset for one in find(study, wrong, terminology, [RULES["unit.factor"]])] == ["VS"]


def test_occurrences_are_answered_or_not_done(study: Study, terminology: Terminology) -> None:
    row = {**SUBJECT, "DOMAIN": "CE", "CESEQ": 1.0, "CETERM": "Relapse", "CEPRESP": "Y", "CEOCCUR": "N", "CESTAT": ""}
    sound = [row, {**row, "CESEQ": 2.0, "CEOCCUR": "", "CESTAT": "NOT DONE"}]
    wrong = [{**row, "CEPRESP": ""}, {**row, "CESEQ": 2.0, "CEOCCUR": ""}]
    rule = [RULES["occurrence.prespecified"]]
    assert find(study, {"CE": made(VERSION, "CE", sound, ("USUBJID", "CESEQ"))}, terminology, rule) == []
    found = find(study, {"CE": made(VERSION, "CE", wrong, ("USUBJID", "CESEQ"))}, terminology, rule)
    assert [one.records for one in found] == [1, 1]


def test_every_rule_has_a_sentence_and_a_source() -> None:
    for rule in RULES.values():
        assert rule.sentence.endswith(".") and rule.source and "." in rule.id
