"""Errors as they happen in packages of others: each is put into sound datasets and found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from metadata.plausible_results import plausible_results
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.trial_summary import summary_parameters
from tests.validation.seeding import Datasets, again, everywhere, made, plain, records_by_place, seed, without
from validation.conformance.check import find
from validation.conformance.rule import NEEDED, RULES

Change = Callable[[Datasets], Datasets]
VERSION = "3.3"
SUBJECT = {"STUDYID": "SPMSAZA-SYNTH", "USUBJID": "SPMSAZA-SYNTH-01-001"}


def lost(name: str) -> Change:
    """Lose a dataset."""
    return lambda datasets: {key: one for key, one in datasets.items() if key != name}


def given(code: str, value: str, **more: str) -> Change:
    """Give a parameter of the trial summary another value."""

    def changed(datasets: Datasets) -> Datasets:
        for name, text in {"TSVAL": value, **more}.items():
            datasets = seed(datasets, "TS", name, text, TSPARMCD=code)
        return datasets

    return changed


def dead(datasets: Datasets, day: str = "2000-10-02") -> Datasets:
    """Let the first subject die."""
    return seed(seed(datasets, "DM", "DTHFL", "Y"), "DM", "DTHDTC", day)


def fatal(datasets: Datasets, **more: Any) -> Datasets:
    """Let the first event be fatal."""
    for name, value in {"AEOUT": "FATAL", **more}.items():
        datasets = seed(datasets, "AE", name, value)
    return datasets


def fifth(datasets: Datasets) -> Datasets:
    return seed(datasets, "AE", "AETOXGR", "5")


def told_of(name: str, **row: Any) -> Change:
    """Add a dataset of one record of the first subject."""
    rows = [{**SUBJECT, "DOMAIN": name, f"{name}SEQ": 1.0, **row}]
    return lambda datasets: {**datasets, name: made(VERSION, name, rows, ("USUBJID",))}


def of_subject(datasets: Datasets, name: str, **where: Any) -> Datasets:
    """Lose all records that fit."""
    frame = plain(datasets[name])
    keep = ~np.logical_and.reduce([(frame[key] == value).to_numpy(bool) for key, value in where.items()])
    return {**datasets, name: replace(datasets[name], frame=frame[keep].reset_index(drop=True))}


FIRST = SUBJECT["USUBJID"]
DONE = {"DSDECOD": "COMPLETED"}

# rule, dataset, variable, and the change after which the rule must name them
SEEDS: list[tuple[str, str, str, Change]] = [
    ("dataset.summary", "TS", "", lost("TS")),
    *(("dataset.needed", name, "", lost(name)) for name in ("AE", "DS", "EX", "SE", "SV", "TA", "TE", "TI", "TV")),
    ("summary.required", "TS", "TSPARMCD", lambda d: without(d, "TS", TSPARMCD="TPHASE")),
    ("summary.conditional", "TS", "TSPARMCD", lambda d: without(d, "TS", TSPARMCD="CURTRT")),
    ("summary.conditional", "TS", "TSPARMCD", lambda d: without(d, "TS", TSPARMCD="INTMODEL")),
    ("summary.form", "TS", "TSVAL", given("AGEMIN", "18 YEARS")),
    ("summary.form", "TS", "TSVAL", given("PLANSUB", "ten")),
    ("summary.form", "TS", "TSVAL", given("NARMS", "0")),
    ("summary.form", "TS", "TSVAL", given("ADDON", "YES")),
    ("summary.form", "TS", "TSVAL", given("SENDTC", "02OCT2000")),
    ("summary.country", "TS", "TSVAL", given("FCNTRY", "SPAIN")),
    ("subject.country", "DM", "COUNTRY", lambda d: seed(d, "DM", "COUNTRY", "FRA")),
    ("subject.described", "DM", "RACE", lambda d: seed(d, "DM", "RACE", "")),
    ("summary.country", "DM", "COUNTRY", lambda d: seed(d, "DM", "COUNTRY", "ES")),
    ("summary.null_flavor", "TS", "TSVALNF", lambda d: seed(d, "TS", "TSVALNF", "N/A", TSVALNF=True)),
    ("summary.reference", "TS", "TSVCDREF", given("TRT", "AZATHIOPRINE", TSVCDREF="CDISC")),
    ("summary.code", "TS", "TSVALCD", given("TRT", "AZATHIOPRINE", TSVALCD="AZA-1")),
    ("summary.code", "TS", "TSVALCD", given("ADDON", "Y", TSVALCD="YES")),
    ("summary.coded", "TS", "TSVALCD", given("INDIC", "Multiple sclerosis", TSVALCD="")),
    ("summary.code", "TS", "TSVCDREF", given("ADDON", "Y", TSVCDREF="")),
    ("summary.code", "TS", "TSVALCD", given("INDIC", "Multiple sclerosis", TSVALCD="G35")),
    ("summary.code", "TS", "TSVALCD", given("PCLAS", "Purine Antimetabolite", TSVALCD="N12")),
    ("summary.term_code", "TS", "TSVALCD", given("ADDON", "Y", TSVALCD="C49487")),
    ("summary.design", "TS", "TSVAL", given("INTMODEL", "PARALLEL")),
    ("summary.design", "TS", "TSVAL", lambda d: again(d, "DS", DSDECOD="RANDOMIZED")),
    ("summary.sexes", "DM", "SEX", given("SEXPOP", "F")),
    ("summary.versions", "TS", "TSVAL", given("SDTIGVER", "3.2")),
    ("summary.versions", "TS", "TSVAL", given("SDTMVER", "1.4")),
    ("summary.cutoff", "TS", "TSVAL", given("DCUTDTC", "2001-12-30")),
    ("summary.cutoff", "LB", "LBDTC", given("DCUTDTC", "1999-01-01")),
    ("summary.treatments", "TS", "TSVAL", given("TRT", "METHOTREXATE")),
    ("summary.length", "TS", "TSVAL", given("LENGTH", "P1M")),
    ("disposition.kind", "DS", "DSCAT", lambda d: seed(d, "DS", "DSCAT", "PROTOCOL MILESTONE", DSDECOD="COMPLETED")),
    (
        "event.withdrawn",
        "AE",
        "AEACN",
        lambda d: seed(everywhere(d, "EX", "EXTRT", "AZATHIOPRINE"), "AE", "AEACN", "DRUG WITHDRAWN"),
    ),
    ("reference.order", "DM", "RFENDTC", lambda d: seed(d, "DM", "RFENDTC", "1998-10-20")),
    ("summary.term", "TS", "TSVAL", given("TBLIND", "DOUBLE-BLIND")),
    ("summary.term", "TS", "TSVAL", given("TPHASE", "PHASE 2")),
    ("visit.in_plan", "VS", "VISITNUM", lambda d: without(d, "TV", VISITNUM=7.0)),
    ("summary.once", "TS", "TSPARMCD", lambda d: seed(d, "TS", "TSPARMCD", "TITLE", TSPARMCD="KEYWORD")),
    ("summary.arms", "TS", "TSVAL", given("NARMS", "3")),
    ("summary.subjects", "TS", "TSVAL", given("ACTSUB", "99")),
    ("summary.dates", "TS", "TSVAL", given("SENDTC", "1990-01-01")),
    ("summary.dates", "TS", "TSVAL", given("SSTDTC", "1999-01-01")),
    ("summary.age", "DM", "AGE", given("AGEMAX", "P30Y")),
    ("summary.age", "TS", "TSVAL", given("AGEMAX", "P5Y")),
    ("subject.number", "DM", "SUBJID", lambda d: seed(d, "DM", "SUBJID", "01-002")),
    ("subject.site", "DM", "USUBJID", lambda d: seed(d, "DM", "SITEID", "99")),
    ("subject.age_given", "DM", "AGE", lambda d: seed(d, "DM", "AGE", np.nan)),
    ("subject.age_given", "DM", "AGE", lambda d: seed(d, "DM", "AGE", -4.0)),
    ("subject.age_plausible", "DM", "AGE", lambda d: seed(d, "DM", "AGE", 138.0)),
    ("reference.given", "DM", "RFICDTC", lambda d: seed(d, "DM", "RFICDTC", "")),
    ("reference.end", "DM", "RFENDTC", lambda d: seed(d, "DM", "RFENDTC", "")),
    ("reference.consent", "DM", "RFICDTC", lambda d: seed(d, "DM", "RFICDTC", "1999-01-01")),
    ("code.pair", "DM", "ARM", lambda d: seed(d, "DM", "ARM", "Another arm")),
    ("code.pair", "TS", "TSPARM", lambda d: seed(d, "TS", "TSPARM", "Trial Kind", TSPARMCD="TTYPE")),
    ("arm.name", "DM", "ACTARM", lambda d: everywhere(d, "DM", "ACTARM", "Another arm")),
    ("arm.exposure", "DM", "ACTARMCD", lambda d: of_subject(d, "EX", USUBJID=FIRST)),
    ("arm.exposure", "DM", "ACTARMCD",
     lambda d: seed(seed(d, "DM", "ACTARMCD", ""), "DM", "ARMNRS", "ASSIGNED, NOT TREATED")),
    ("arm.switched", "DM", "ACTARMCD", lambda d: seed(d, "DM", "ACTARMCD", "OTHER")),
    ("death.recorded", "DD", "DDORRES", told_of("DD", DDTESTCD="PRCDTH", DDORRES="STROKE")),
    ("death.recorded", "SS", "SSSTRESC", told_of("SS", SSTESTCD="SURVSTAT", SSORRES="DEAD", SSSTRESC="DEAD")),
    ("death.recorded", "CE", "CETERM", told_of("CE", CETERM="Death")),
    ("death.disposition", "DM", "DTHFL", dead),
    ("death.event_date", "AE", "AEENDTC", lambda d: fatal(dead(d), AEENDTC="1999-01-01")),
    ("death.event_date", "AE", "AEENDTC", lambda d: fatal(dead(d), AEENDTC="")),
    ("death.grade", "AE", "AETOXGR", fatal),
    ("death.grade", "AE", "AETOXGR", fifth),
    ("death.completed", "DS", "DSDECOD", lambda d: dead(d, "1999-01-01")),
    ("death.status_date", "SS", "SSDTC",
     lambda d: told_of("SS", SSTESTCD="SURVSTAT", SSSTRESC="DEAD", SSDTC="1999-01-01")(dead(d))),
    ("disposition.consent", "DM", "USUBJID",
     lambda d: without(d, "DS", USUBJID=FIRST, DSDECOD="INFORMED CONSENT OBTAINED")),
    ("disposition.randomized", "DM", "ARMCD", lambda d: seed(d, "DS", "DSDECOD", "RANDOMIZED")),
    ("disposition.order", "DS", "DSSTDTC", lambda d: seed(d, "DS", "DSSTDTC", "1998-01-01", **DONE)),
    ("disposition.final", "DM", "USUBJID", lambda d: without(d, "DS", USUBJID=FIRST, **DONE)),
    ("disposition.category", "DS", "DSCAT", lambda d: seed(d, "DS", "DSCAT", "")),
    ("disposition.treated", "DS", "DSDECOD", lambda d: of_subject(d, "EX", USUBJID=FIRST)),
    ("disposition.treated", "DS", "DSSTDTC", lambda d: seed(d, "EX", "EXSTDTC", "2001-06-01")),
    ("disposition.event", "DS", "DSDECOD", lambda d: everywhere(d, "AE", "AEACN", "NOT KNOWN")),
    ("disposition.death", "DS", "DSDECOD",
     lambda d: seed(seed(d, "DS", "DSDECOD", "DEATH"), "DS", "DSSCAT", "", **DONE)),
    ("event.after_disposition", "AE", "AESTDTC", lambda d: seed(d, "AE", "AESTDTC", "2001-12-01")),
    ("term.missing_word", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", "NA")),
    ("term.missing_word", "CM", "CMTRT", lambda d: seed(d, "CM", "CMTRT", "unknown")),
    ("coding.term", "AE", "AEDECOD", lambda d: again(d, "AE", AEDECOD="COUGH")),
    ("coding.class", "AE", "AEBODSYS", lambda d: again(d, "AE", AEBODSYS="CARDIAC")),
    ("coding.pair", "AE", "AEBDSYCD", lambda d: seed(everywhere(d, "AE", "AEBDSYCD", 1.0), "AE", "AEBDSYCD", 2.0)),
    ("event.severity", "AE", "AESEV", lambda d: seed(seed(d, "AE", "AESEV", ""), "AE", "AETOXGR", "")),
    ("record.twice", "LB", "", lambda d: again(d, "LB", LBSEQ=9999.0, LBSPID="other")),
    ("event.twice", "AE", "AETERM", lambda d: again(d, "AE", AESEQ=9999.0, AEREL="UNLIKELY")),
    ("date.gap", "AE", "AESTDTC", lambda d: seed(d, "AE", "AESTDTC", "1999---15")),
    ("exposure.given", "EX", "EXDOSE", lambda d: seed(d, "EX", "EXDOSE", np.nan)),
    ("exposure.zero", "EX", "EXDOSE", lambda d: seed(d, "EX", "EXDOSE", 0.0)),
    ("exposure.zero", "EX", "EXDOSE", lambda d: seed(d, "EX", "EXTRT", "PLACEBO")),
    ("exposure.unit", "EX", "EXDOSU", lambda d: seed(d, "EX", "EXDOSU", "g")),
    ("element.arm", "SE", "ETCD", lambda d: seed(d, "SE", "ETCD", "OTHER")),
    ("element.arm", "SE", "EPOCH", lambda d: seed(d, "SE", "EPOCH", "TREATMENT", ETCD="SCRN")),
    ("element.arm", "SE", "SESTDTC", lambda d: seed(d, "SE", "SESTDTC", "1990-01-01", ETCD="TRT")),
    ("element.unplanned", "SE", "SEUPDES", lambda d: seed(d, "SE", "ETCD", "UNPLAN")),
    ("milestone.planned", "SM", "MIDSTYPE", lambda d: seed(d, "SM", "MIDSTYPE", "OTHER")),
    ("milestone.planned", "SM", "MIDS", lambda d: again(d, "SM")),
    ("milestone.planned", "SM", "MIDSTYPE", lambda d: again(everywhere(d, "TM", "TMRPT", "N"), "SM")),
    ("milestone.planned", "TM", "", lost("TM")),
    ("milestone.known", "VS", "MIDS", lambda d: everywhere(d, "VS", "MIDS", "RELAPSE9")),
    ("supplemental.origin", "SUPPAE", "QORIG", lambda d: seed(d, "SUPPAE", "QORIG", "PAPER")),
    ("supplemental.origin", "SUPPAE", "QEVAL", lambda d: seed(d, "SUPPAE", "QORIG", "ASSIGNED")),
    ("result.sign", "VS", "VSSTRESN", lambda d: seed(d, "VS", "VSSTRESN", lambda n: -n, VSTESTCD="PULSE")),
    ("result.sign", "LB", "LBSTRESN", lambda d: seed(d, "LB", "LBSTRESN", lambda n: -n, LBTESTCD="ALB")),
    ("result.possible", "VS", "VSSTRESN", lambda d: seed(d, "VS", "VSSTRESN", 98.6, VSTESTCD="TEMP")),
    ("result.possible", "VS", "VSSTRESN", lambda d: seed(d, "VS", "VSSTRESN", 1.72, VSTESTCD="HEIGHT")),
    ("result.pressure", "VS", "VSSTRESN", lambda d: seed(d, "VS", "VSSTRESN", 60.0, VSTESTCD="SYSBP")),
    ("result.twice", "VS", "VSSTRESC", lambda d: again(d, "VS", VSSEQ=9999.0)),
    ("result.mistyped", "LB", "LBORRES", lambda d: seed(d, "LB", "LBORRES", "4,2", LBTESTCD="ALB")),
    ("result.mistyped", "LB", "LBORRES", lambda d: seed(d, "LB", "LBORRES", "4O", LBTESTCD="ALB")),
    ("result.mistyped", "LB", "LBORRES", lambda d: seed(d, "LB", "LBORRES", "42 g/L", LBTESTCD="ALB")),
    ("result.unit_name", "LB", "LBORRESU", lambda d: seed(d, "LB", "LBORRESU", "", LBTESTCD="ALB")),
    ("range.given", "LB", "LBORNRHI",
     lambda d: seed(seed(d, "LB", "LBORNRHI", "", LBTESTCD="ALB"), "LB", "LBORNRLO", "", LBTESTCD="ALB")),
    ("range.standard", "LB", "LBSTNRHI", lambda d: seed(d, "LB", "LBSTNRHI", np.nan, LBTESTCD="ALB")),
    ("range.original", "LB", "LBORNRLO", lambda d: seed(d, "LB", "LBORNRLO", "99", LBTESTCD="ALB")),
    ("time_point.reference", "VS", "VSTPTREF", lambda d: everywhere(d, "VS", "VSELTM", "PT1H")),
    ("text.full_stop", "AE", "AETERM", lambda d: seed(d, "AE", "AETERM", ".")),
    ("amount.negative", "AE", "AEDUR", lambda d: everywhere(d, "AE", "AEDUR", "-P1D")),
    ("day.end", "AE", "AEENDY",
     lambda d: seed(seed(d, "AE", "AEENDY", 1.0, AEENDY=True), "AE", "AEENDTC", "", AEENDY=1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "dataset", "variable", "change"), SEEDS)
def test_a_seeded_error_is_found_by_its_rule(
    rule: str, dataset: str, variable: str, change: Change, study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    before, after = (records_by_place(study, one, terminology, rule) for one in (sdtm, change(sdtm)))
    place = (dataset, variable)
    assert place in after and after[place] > before.get(place, -1)


def test_a_treatment_of_another_arm_is_found(study: Study, terminology: Terminology) -> None:
    people = [{**SUBJECT, "DOMAIN": "DM", "USUBJID": f"S-{at}", "ACTARMCD": "AB"[at % 2]} for at in range(40)]
    doses = [
        {**SUBJECT, "DOMAIN": "EX", "USUBJID": f"S-{at}", "EXSEQ": 1.0, "EXTRT": ("ANY", "BOTH")[at % 2 if at else 1]}
        for at in range(40)
    ]
    datasets = {"DM": made(VERSION, "DM", people, ("USUBJID",)), "EX": made(VERSION, "EX", doses, ("USUBJID",))}
    (found,) = find(study, datasets, terminology, [RULES["exposure.arm"]])
    assert (found.variable, found.records, found.severity) == ("EXTRT", 1, "warning")


@pytest.mark.parametrize("date", ["2003---15", "--12-15"])
def test_a_day_without_its_month_is_legal_and_warned_of(
    date: str, study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    (found,) = find(study, seed(sdtm, "AE", "AESTDTC", date), terminology, [RULES["date.gap"]])
    assert found.severity == "warning"


def test_what_is_certain_is_an_error_and_what_is_not_a_warning(
    study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    def severities(rule: str, datasets: Datasets) -> set[str]:
        return {one.severity for one in find(study, datasets, terminology, [RULES[rule]])}

    assert severities("death.agreement", seed(sdtm, "DS", "DSDECOD", "DEATH")) == {"error"}
    assert severities("death.disposition", dead(sdtm)) == {"warning"}
    assert severities("summary.dates", given("SSTDTC", "1999-01-01")(sdtm)) == {"warning"}
    assert severities("term.codelist", seed(sdtm, "AE", "AESEV", "AWFUL")) == {"error"}


def test_without_a_known_version_only_what_no_version_changes_is_an_error(
    study: Study, terminology: Terminology, sdtm: Datasets
) -> None:
    changed = seed(seed(sdtm, "AE", "AEOUT", "BETTER"), "LB", "LBORRESU", "10^9/l", LBORRESU="10^9/L")
    found = find(study, changed, terminology, [RULES["term.codelist"]], given=frozenset())
    assert {(one.variable, one.severity) for one in found} == {("AEOUT", "error"), ("LBORRESU", "warning")}


def test_a_rule_that_cannot_go_on_is_not_passed(study: Study, terminology: Terminology, sdtm: Datasets) -> None:
    stopped: dict[str, str] = {}
    broken = everywhere(sdtm, "DM", "AGE", "old")
    rule = replace(RULES["subject.age_given"], check=lambda data: iter([1 / 0]))  # type: ignore[arg-type]
    assert find(study, broken, terminology, [rule], stopped=stopped) == []
    assert stopped == {"subject.age_given": "data of a shape that it knows (ZeroDivisionError)"}
    with pytest.raises(ZeroDivisionError):
        find(study, broken, terminology, [rule])


def test_the_tables_of_parameters_and_of_possible_results_are_whole(terminology: Terminology) -> None:
    known = terminology.codelist("TSPARMCD").terms
    assert [one.paramcd for one in summary_parameters() if one.paramcd not in known] == []
    assert sum(one.is_required for one in summary_parameters()) == 27  # those of CG0287
    assert all(low < high for low, high in plausible_results().values())
    units = terminology.codelist("UNIT").terms
    assert [unit for _, unit in plausible_results() if unit and unit not in units] == []


def test_every_need_of_a_rule_is_explained() -> None:
    assert {need for rule in RULES.values() for need in rule.needs} <= set(NEEDED)
