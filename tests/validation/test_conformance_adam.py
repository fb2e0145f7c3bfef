"""An error put into the analysis datasets is found by the rule that is there for it; sound ones give nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from adam.build.analyse import analyse
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from tests.bundled_studies import OF_RECORDS
from tests.validation.seeding import Datasets, again, described, everywhere, lacking, plain, seed, without
from validation.conformance.adam_datasets import (
    AnalysisDataset,
    ambiguous,
    located,
    repeated,
)
from validation.conformance.check import conformance, find
from validation.conformance.rule import RULES
from validation.conformance.sdtm_datasets import SdtmDatasets

Change = Callable[[Datasets], Datasets]
ADAM = [rule.id for rule in RULES.values() if rule.standard == "adam"]


@pytest.fixture(scope="session")
def adam(study: Study, sdtm: Datasets, terminology: Terminology) -> Datasets:
    return analyse(study, sdtm)


def later(days: float) -> float:
    return days + 1


def header(name: str, **change: object) -> Change:
    """Describe a dataset otherwise."""

    def changed(datasets: Datasets) -> Datasets:
        metadata = replace(datasets[name].metadata, **change)  # type: ignore[arg-type]
        return {**datasets, name: datasets[name].with_metadata(metadata)}

    return changed


def added(datasets: Datasets, name: str, variable: str, value: object, **more: object) -> Datasets:
    """Add a variable that holds one value everywhere, described as a sound one would be."""
    dataset, frame = datasets[name], plain(datasets[name])
    frame[variable] = pd.Series([value] * len(frame), dtype="str" if isinstance(value, str) else "float64")
    kind = "Char" if isinstance(value, str) else "Num"
    item = Variable(variable, "Label", kind, origin="Derived", method="Made.", **more)  # type: ignore[arg-type]
    return {**datasets, name: Dataset(replace(dataset.metadata, variables=(*dataset.metadata.variables, item)), frame)}


def renamed(datasets: Datasets, name: str, other: str) -> Datasets:
    dataset = datasets[name]
    rest = {key: one for key, one in datasets.items() if key != name}
    return {**rest, other: dataset.with_metadata(replace(dataset.metadata, name=other))}


def emptied(datasets: Datasets, name: str) -> Datasets:
    return {**datasets, name: replace(datasets[name], frame=datasets[name].frame.iloc[:0])}


def dead(datasets: Datasets, **more: object) -> Datasets:
    """Let the first subject die on the day after the first dose, with DTHFL unless it is said otherwise."""
    given = {"DTHFL": "Y", "DTHDT": 14158.0, **more}
    for variable, value in given.items():
        datasets = seed(datasets, "ADSL", variable, value)
    return datasets


EDSS = {"PARAMCD": "EDSS", "CHG": True}
BASELINE = {"PARAMCD": "EDSS", "ABLFL": "Y"}
LAB = {"PARAMCD": "LYM", "CHG": True}

# rule, dataset, variable, and the change after which the rule must name them
SEEDS: list[tuple[str, str, str, Change]] = [
    ("adam.adsl", "ADSL", "", lambda d: {name: one for name, one in d.items() if name != "ADSL"}),
    ("adam.adsl", "ADVS", "", header("ADVS", dataset_class="SUBJECT LEVEL ANALYSIS DATASET")),
    ("adam.class", "ADVS", "", header("ADVS", dataset_class="FINDINGS")),
    ("adam.class", "ADVS", "", header("ADVS", dataset_class="OCCURRENCE DATA STRUCTURE")),
    ("adam.class", "ADAE", "", header("ADAE", dataset_class="BASIC DATA STRUCTURE")),
    ("adam.dataset_name", "VITALS", "", lambda d: renamed(d, "ADVS", "VITALS")),
    ("adam.dataset_label", "ADVS", "", header("ADVS", label=" ")),
    ("adam.dataset_label", "ADVS", "", header("ADVS", label="x" * 41)),
    ("adam.dataset_empty", "ADVS", "", lambda d: emptied(d, "ADVS")),
    ("adam.study", "ADVS", "STUDYID", lambda d: seed(d, "ADVS", "STUDYID", "OTHER")),
    ("adam.required", "ADSL", "SEX", lambda d: lacking(d, "ADSL", "SEX")),
    ("adam.required", "ADSL", "TRTxxP", lambda d: lacking(d, "ADSL", "TRT01P")),
    ("adam.required", "ADVS", "PARAM", lambda d: lacking(d, "ADVS", "PARAM")),
    ("adam.required", "ADAE", "TRTEMFL", lambda d: lacking(d, "ADAE", "TRTEMFL")),
    ("adam.required", "ADCM", "CMTRT", lambda d: lacking(d, "ADCM", "CMTRT")),
    ("adam.required", "ADMH", "MHTERM", lambda d: lacking(d, "ADMH", "MHTERM")),
    ("adam.required", "ADTTE", "TRTP", lambda d: lacking(d, "ADTTE", "TRTP")),
    ("adam.required_value", "ADVS", "PARAMCD", lambda d: seed(d, "ADVS", "PARAMCD", "")),
    ("adam.treatment_duration", "ADSL", "TRTDURD", lambda d: seed(d, "ADSL", "TRTDURD", lambda days: days + 1)),
    ("adam.ratio", "ADLB", "R2ANRHI", lambda d: added(d, "ADLB", "R2ANRHI", 1.0)),
    ("adam.source_range", "ADLB", "ANRHI", lambda d: seed(d, "ADLB", "ANRHI", lambda limit: 10 * limit, ANRHI=True)),
    ("adam.treatment", "ADVS", "", lambda d: lacking(lacking(d, "ADVS", "TRTP"), "ADVS", "TRTA")),
    ("adam.variable_name", "ADVS", "AVALBASELINE", lambda d: added(d, "ADVS", "AVALBASELINE", 1.0)),
    ("adam.variable_name", "ADVS", "aval2", lambda d: added(d, "ADVS", "aval2", 1.0)),
    ("adam.metadata", "ADVS", "", lambda d: everywhere(d, "ADVS", "EXTRA", "")),
    ("adam.described", "ADVS", "CHG", lambda d: described(d, "ADVS", "CHG", label="")),
    ("adam.origin", "ADVS", "CHG", lambda d: described(d, "ADVS", "CHG", origin="")),
    ("adam.origin", "ADVS", "CHG", lambda d: described(d, "ADVS", "CHG", method=" ")),
    ("adam.label", "ADVS", "CHG", lambda d: described(d, "ADVS", "CHG", label="Change")),
    ("adam.label", "ADVS", "ANL01FL", lambda d: described(d, "ADVS", "ANL01FL", label="Chosen Record Flag")),
    ("adam.type", "ADVS", "CHG", lambda d: everywhere(d, "ADVS", "CHG", "1")),
    ("adam.copy_attributes", "ADVS", "VISIT", lambda d: described(d, "ADVS", "VISIT", label="Visit")),
    ("adam.same_attributes", "ADVS", "AVAL", lambda d: described(d, "ADVS", "AVAL", label="Value")),
    ("adam.flag_name", "ADVS", "HIGH", lambda d: added(d, "ADVS", "HIGH", "Y", codelist="C66742")),
    ("adam.flag_name", "ADVS", "HIGHFN", lambda d: added(d, "ADVS", "HIGHFN", "1")),
    ("adam.date_format", "ADVS", "ADT", lambda d: described(d, "ADVS", "ADT", format=None)),
    ("adam.date_format", "ADVS", "SCANDTM", lambda d: added(d, "ADVS", "SCANDTM", 1.0, format="DATE9.")),
    ("adam.key_unique", "ADVS", "", lambda d: again(d, "ADVS")),
    ("adam.key_unique", "ADVS", "VSSEQ", lambda d: lacking(d, "ADVS", "VSSEQ")),
    ("adam.key_sorted", "ADVS", "", lambda d: again(d, "ADVS", USUBJID="A")),
    ("adam.record_twice", "ADVS", "", lambda d: again(d, "ADVS", ASEQ=9999.0)),
    ("adam.sequence", "ADVS", "ASEQ", lambda d: seed(d, "ADVS", "ASEQ", later)),
    ("adam.sequence", "ADVS", "ASEQ", lambda d: seed(d, "ADVS", "ASEQ", 0.5)),
    ("adam.text", "ADAE", "AETERM", lambda d: seed(d, "ADAE", "AETERM", "Jaqueca, señal")),
    ("adam.text", "ADAE", "AETERM", lambda d: seed(d, "ADAE", "AETERM", "x" * 201)),
    ("adam.text", "ADAE", "AETERM", lambda d: seed(d, "ADAE", "AETERM", "Headache ")),
    ("adam.record_flag", "ADVS", "ABLFL", lambda d: seed(d, "ADVS", "ABLFL", "N", ABLFL=False)),
    ("adam.record_flag", "ADAE", "TRTEMFL", lambda d: seed(d, "ADAE", "TRTEMFL", "N")),
    ("adam.record_flag", "ADLB", "ANL02FL", lambda d: seed(d, "ADLB", "ANL02FL", "N", ANL02FL=False)),
    ("adam.flag", "ADCE", "STERFL", lambda d: seed(d, "ADCE", "STERFL", "YES")),
    ("adam.flag", "ADSL", "SAFFN", lambda d: added(d, "ADSL", "SAFFN", 0.0)),
    ("adam.term", "ADSL", "EOSSTT", lambda d: seed(d, "ADSL", "EOSSTT", "Completed")),
    ("adam.term", "ADLB", "DTYPE", lambda d: seed(d, "ADLB", "DTYPE", "MIN", DTYPE="MINIMUM")),
    ("adam.term", "ADSL", "SEX", lambda d: seed(d, "ADSL", "SEX", "FEMALE")),
    ("adam.subjects", "ADSL", "USUBJID", lambda d: again(d, "ADSL")),
    ("adam.subjects", "ADSL", "USUBJID", lambda d: seed(d, "ADSL", "USUBJID", "A STRANGER")),
    ("adam.subjects", "ADSL", "USUBJID", lambda d: without(d, "ADSL", SEX="F")),
    ("adam.subject_known", "ADVS", "USUBJID", lambda d: seed(d, "ADVS", "USUBJID", "A STRANGER")),
    ("adam.population", "ADSL", "SAFFL", lambda d: seed(d, "ADSL", "SAFFL", "")),
    ("adam.population", "ADVS", "ITTFL", lambda d: seed(d, "ADVS", "ITTFL", "NO")),
    ("adam.planned_treatment", "ADSL", "TRT01P", lambda d: seed(d, "ADSL", "TRT01P", "")),
    ("adam.exposure", "ADSL", "TRTSDT", lambda d: seed(d, "ADSL", "TRTSDT", np.nan)),
    ("adam.exposure", "ADSL", "TRTSDT", lambda d: seed(d, "ADSL", "SAFFL", "N")),
    ("adam.exposure", "ADSL", "TRT01A", lambda d: seed(d, "ADSL", "TRT01A", "")),
    ("adam.study_status", "ADSL", "EOSDT", lambda d: seed(d, "ADSL", "EOSDT", np.nan)),
    ("adam.study_status", "ADSL", "DCSREAS", lambda d: seed(d, "ADSL", "DCSREAS", "", EOSSTT="DISCONTINUED")),
    ("adam.study_status", "ADSL", "DCSREAS", lambda d: seed(d, "ADSL", "DCSREAS", "OTHER", EOSSTT="COMPLETED")),
    ("adam.death", "ADSL", "DTHDT", lambda d: dead(d, DTHFL="")),
    ("adam.death", "ADSL", "LSTALVDT", dead),
    ("adam.death", "ADSL", "DTHCAUS", lambda d: added(d, "ADSL", "DTHCAUS", "UNKNOWN")),
    ("adam.level_copy", "ADVS", "AGE", lambda d: seed(d, "ADVS", "AGE", later)),
    ("adam.level_copy", "ADAE", "SEX", lambda d: seed(d, "ADAE", "SEX", "U")),
    ("adam.record_treatment", "ADVS", "TRTP", lambda d: seed(d, "ADVS", "TRTP", "PLACEBO")),
    ("adam.record_treatment", "ADVS", "TRTPN", lambda d: seed(d, "ADVS", "TRTPN", 9.0)),
    ("adam.parameter_pair", "ADVS", "PARAMCD", lambda d: seed(d, "ADVS", "PARAM", "Weight")),
    ("adam.parameter_pair", "ADVS", "PARAMCD", lambda d: seed(d, "ADVS", "PARAMCD", "PULSE", PARAMCD="TEMP")),
    ("adam.parameter_code", "ADVS", "PARAMCD", lambda d: seed(d, "ADVS", "PARAMCD", "2SYSBP")),
    ("adam.parameter_code", "ADVS", "PARAM", lambda d: seed(d, "ADVS", "PARAM", "x" * 201)),
    ("adam.parameter_constant", "ADVS", "PARCAT1", lambda d: seed(d, "ADVS", "PARCAT1", "OTHER")),
    ("adam.parameter_constant", "ADEDSS", "CRIT1", lambda d: seed(d, "ADEDSS", "CRIT1", "Another", CRIT1=True)),
    ("adam.twin", "ADVS", "AVISITN", lambda d: seed(d, "ADVS", "AVISITN", 99.0, AVISIT="Month 6")),
    ("adam.twin", "ADVS", "AVISITN", lambda d: seed(d, "ADVS", "AVISITN", np.nan, AVISIT="Month 6")),
    ("adam.twin", "ADAE", "ASEVN", lambda d: seed(d, "ADAE", "ASEVN", 3.0, ASEV="MILD")),
    ("adam.twin", "ADSL", "SAFFN", lambda d: added(d, "ADSL", "SAFFN", np.nan)),
    ("adam.twin", "ADCE", "APERIOD", lambda d: seed(d, "ADCE", "APERIODC", "LATER")),
    ("adam.twin_alone", "ADVS", "AVISITN", lambda d: lacking(d, "ADVS", "AVISIT")),
    ("adam.value", "ADVS", "AVAL", lambda d: seed(d, "ADVS", "AVAL", np.nan)),
    ("adam.value_pair", "ADVS", "AVALC", lambda d: added(d, "ADVS", "AVALC", "HIGH")),
    ("adam.baseline_one", "ADEDSS", "ABLFL", lambda d: seed(d, "ADEDSS", "ABLFL", "Y", **EDSS)),
    ("adam.baseline_value", "ADEDSS", "ABLFL", lambda d: seed(d, "ADEDSS", "AVAL", np.nan, **BASELINE)),
    ("adam.baseline_value", "ADEDSS", "ABLFL", lambda d: seed(d, "ADEDSS", "ADT", 14900.0, **BASELINE)),
    ("adam.baseline_type", "ADVS", "BASETYPE",
     lambda d: seed(added(d, "ADVS", "BASETYPE", "LAST"), "ADVS", "BASETYPE", "")),
    ("adam.baseline_flag", "ADVS", "ABLFL", lambda d: lacking(d, "ADVS", "ABLFL")),
    ("adam.baseline_copy", "ADVS", "BASE", lambda d: seed(d, "ADVS", "BASE", later, CHG=True)),
    ("adam.baseline_copy", "ADVS", "BASE", lambda d: seed(d, "ADVS", "ABLFL", "", ABLFL="Y")),
    ("adam.baseline_copy", "ADLB", "BNRIND", lambda d: seed(d, "ADLB", "BNRIND", "HIGH", BNRIND="NORMAL")),
    ("adam.baseline_copy", "ADLB", "BTOXGR", lambda d: seed(d, "ADLB", "BTOXGR", "4", BTOXGR="0")),
    ("adam.change", "ADVS", "CHG", lambda d: seed(d, "ADVS", "CHG", later, CHG=True)),
    ("adam.change", "ADLB", "PCHG", lambda d: seed(d, "ADLB", "PCHG", later, **LAB)),
    ("adam.change", "ADVS", "CHG", lambda d: seed(d, "ADVS", "BASE", np.nan, CHG=True)),
    ("adam.change_missing", "ADVS", "CHG", lambda d: seed(d, "ADVS", "CHG", np.nan, CHG=True)),
    ("adam.criterion", "ADEDSS", "CRIT1FL", lambda d: seed(d, "ADEDSS", "CRIT1FL", "U", CRIT1FL="N")),
    ("adam.criterion", "ADEDSS", "CRIT1FL", lambda d: seed(d, "ADEDSS", "CRIT1", "", CRIT1FL="N")),
    ("adam.criterion", "ADEDSS", "CRIT1", lambda d: lacking(d, "ADEDSS", "CRIT1FL")),
    ("adam.shift", "ADLB", "SHIFT2", lambda d: seed(d, "ADLB", "SHIFT2", "LOW to HIGH", SHIFT2="NORMAL to NORMAL")),
    ("adam.range", "ADLB", "ANRLO", lambda d: seed(d, "ADLB", "ANRLO", 9999.0, **LAB)),
    ("adam.range", "ADLB", "ANRIND", lambda d: seed(d, "ADLB", "ANRIND", "HIGH", ANRIND="NORMAL")),
    ("adam.grade", "ADLB", "ATOXGR", lambda d: seed(d, "ADLB", "ATOXGR", "GRADE 1", ATOXGR="1")),
    ("adam.date_whole", "ADVS", "ADT", lambda d: seed(d, "ADVS", "ADT", 14157.5)),
    ("adam.cutoff", "ADVS", "ADT", lambda d: seed(d, "ADVS", "ADT", 20000.0)),
    ("adam.cutoff", "ADSL", "LSTALVDT", lambda d: seed(d, "ADSL", "LSTALVDT", 20000.0)),
    ("adam.date_order", "ADSL", "TRTEDT", lambda d: seed(d, "ADSL", "TRTEDT", 14000.0)),
    ("adam.date_order", "ADAE", "AENDT", lambda d: seed(d, "ADAE", "AENDT", 14000.0, AENDT=True)),
    ("adam.date_order", "ADSL", "AP01EDT", lambda d: added(added(d, "ADSL", "AP01SDT", 5.0), "ADSL", "AP01EDT", 4.0)),
    ("adam.date_after_death", "ADVS", "ADT", dead),
    ("adam.date_time", "ADVS", "ADT", lambda d: added(d, "ADVS", "ADTM", 86400.0 * 14000)),
    ("adam.date_time", "ADVS", "ATM", lambda d: added(added(d, "ADVS", "ADTM", 86400.0 + 60), "ADVS", "ATM", 61.0)),
    ("adam.imputation_flag", "ADAE", "ASTDTF", lambda d: seed(d, "ADAE", "ASTDTF", "X")),
    ("adam.imputation_flag", "ADAE", "AENDTF", lambda d: seed(d, "ADAE", "AENDTF", "D", AENDT=False)),
    ("adam.date_imputed", "ADAE", "ASTDT", lambda d: seed(d, "ADAE", "ASTDT", later, ASTDTF=False)),
    ("adam.date_imputed", "ADAE", "ASTDT", lambda d: seed(d, "ADAE", "ASTDT", np.nan, ASTDTF=False)),
    ("adam.date_imputed", "ADAE", "ASTDTF", lambda d: seed(d, "ADAE", "ASTDTF", "", ASTDTF="D")),
    ("adam.date_imputed", "ADAE", "ASTDTF", lambda d: seed(d, "ADAE", "ASTDTF", "D", ASTDTF="M")),
    ("adam.relative_day", "ADVS", "ADY", lambda d: seed(d, "ADVS", "ADY", later)),
    ("adam.relative_day", "ADVS", "ADY", lambda d: seed(d, "ADVS", "ADY", 0.0, ADY=1.0)),
    ("adam.relative_day", "ADAE", "ASTDY", lambda d: seed(d, "ADAE", "ASTDY", np.nan, ASTDY=True)),
    ("adam.duration", "ADAE", "ADURN", lambda d: seed(d, "ADAE", "ADURN", later, ADURN=True)),
    ("adam.duration", "ADAE", "ADURU", lambda d: seed(d, "ADAE", "ADURU", "", ADURN=True)),
    ("adam.window", "ADVS", "ADY", lambda d: seed(d, "ADVS", "AWLO", 600.0, AVISIT="Month 6")),
    ("adam.window", "ADVS", "AWTARGET", lambda d: seed(d, "ADVS", "AWTARGET", 600.0, AVISIT="Month 6")),
    ("adam.window", "ADVS", "AWTDIFF", lambda d: seed(d, "ADVS", "AWTDIFF", later, AVISIT="Month 6")),
    ("adam.window", "ADVS", "AWU", lambda d: seed(d, "ADVS", "AWU", "", AVISIT="Month 6")),
    ("adam.window_visit", "ADVS", "AVISIT", lambda d: seed(d, "ADVS", "AVISIT", "", AVISIT="Month 6")),
    ("adam.period", "ADRELR", "APERSDT", lambda d: again(d, "ADRELR", APERSDT=1.0)),
    ("adam.on_treatment", "ADVS", "ONTRTFL", lambda d: seed(d, "ADVS", "ONTRTFL", "Y", AVISIT="Baseline", ADY=-13.0)),
    ("adam.analysis_flag", "ADVS", "ANL01FL", lambda d: seed(d, "ADVS", "ANL01FL", "Y", ANL01FL=False)),
    ("adam.emergent", "ADAE", "TRTEMFL", lambda d: seed(d, "ADSL", "TRTSDT", np.nan)),
    ("adam.emergent", "ADAE", "TRTEMFL", lambda d: seed(d, "ADAE", "AENDT", 14000.0, TRTEMFL="Y")),
    ("adam.emergent_missing", "ADAE", "TRTEMFL", lambda d: seed(d, "ADAE", "TRTEMFL", "", TRTEMFL="Y")),
    ("adam.emergent_before", "ADAE", "TRTEMFL", lambda d: seed(d, "ADAE", "ASTDT", 14000.0, TRTEMFL="Y")),
    ("adam.before_and_after", "ADAE", "PREFL", lambda d: seed(d, "ADAE", "PREFL", "Y", TRTEMFL="Y")),
    ("adam.before_and_after", "ADCM", "FUPFL", lambda d: seed(d, "ADCM", "FUPFL", "Y", PREFL="Y")),
    ("adam.first_occurrence", "ADAE", "AOCCFL", lambda d: seed(d, "ADAE", "AOCCFL", "Y", AOCCFL=False)),
    ("adam.first_occurrence", "ADCM", "AOCCPFL", lambda d: seed(again(d, "ADCM"), "ADCM", "AOCCPFL", "Y")),
    ("adam.first_missing", "ADAE", "AOCCFL", lambda d: seed(d, "ADAE", "AOCCFL", "", AOCCFL="Y")),
    ("adam.worst_occurrence", "ADAE", "AOCCIFL", lambda d: seed(d, "ADAE", "ASEVN", 0.0, AOCCIFL="Y", ASEVN=2.0)),
    ("adam.censor", "ADTTE", "CNSR", lambda d: seed(d, "ADTTE", "CNSR", -1.0)),
    ("adam.censor", "ADTTE", "CNSR", lambda d: seed(d, "ADTTE", "CNSR", 0.5)),
    ("adam.censor", "ADTTE", "CNSR", lambda d: seed(d, "ADTTE", "CNSR", np.nan)),
    ("adam.event_described", "ADTTE", "EVNTDESC", lambda d: seed(d, "ADTTE", "EVNTDESC", "")),
    ("adam.event_described", "ADTTE", "CNSDTDSC", lambda d: seed(d, "ADTTE", "CNSDTDSC", "End", CNSR=0.0)),
    ("adam.event_once", "ADTTE", "PARAMCD", lambda d: again(d, "ADTTE")),
    ("adam.event_time", "ADTTE", "AVAL", lambda d: seed(d, "ADTTE", "AVAL", -1.0)),
    ("adam.event_time", "ADTTE", "AVAL", lambda d: seed(d, "ADTTE", "AVAL", later)),
    ("adam.event_dates", "ADTTE", "STARTDT", lambda d: seed(d, "ADTTE", "STARTDT", np.nan)),
    ("adam.trace", "ADVS", "", lambda d: lacking(d, "ADVS", "VSSEQ")),
    ("adam.trace_sequence", "ADVS", "VSSEQ", lambda d: seed(d, "ADVS", "VSSEQ", 9999.0)),
    ("adam.trace_source", "ADTTE", "SRCDOM", lambda d: seed(d, "ADTTE", "SRCDOM", "ADXX")),
    ("adam.trace_source", "ADTTE", "SRCVAR", lambda d: seed(d, "ADTTE", "SRCVAR", "AXDT")),
    ("adam.trace_source", "ADTTE", "SRCSEQ", lambda d: seed(d, "ADTTE", "SRCSEQ", 9999.0)),
    ("adam.trace_date", "ADTTE", "ADT", lambda d: seed(d, "ADTTE", "ADT", later)),
    ("adam.copy", "ADVS", "VISIT", lambda d: seed(d, "ADVS", "VISIT", "MONTH 99")),
    ("adam.copy", "ADSL", "AGE", lambda d: seed(d, "ADSL", "AGE", later)),
    ("adam.copy", "ADAE", "AETERM", lambda d: seed(d, "ADAE", "AETERM", "HEADACHE, BAD")),
    ("adam.source_value", "ADVS", "AVAL", lambda d: seed(d, "ADVS", "AVAL", later)),
    ("adam.events_complete", "ADAE", "AESEQ", lambda d: without(d, "ADAE", TRTEMFL="Y")),
    ("adam.level_dates", "ADSL", "TRTSDT", lambda d: seed(d, "ADSL", "TRTSDT", later)),
    ("adam.level_death", "ADSL", "DTHFL", dead),
    ("adam.level_death", "ADSL", "DTHDT", dead),
    ("adam.subject_records", "ADVS", "USUBJID",
     lambda d: everywhere(d, "ADVS", "USUBJID", d["ADSL"].frame["USUBJID"].astype("str").iloc[0])),
    ("adam.copy_supplemental", "ADAE", "AERELAZA", lambda d: seed(d, "ADAE", "AERELAZA", "MAYBE")),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "dataset", "variable", "change"), SEEDS)
def test_a_seeded_error_is_found_by_its_rule(
    rule: str,
    dataset: str,
    variable: str,
    change: Change,
    study: Study,
    terminology: Terminology,
    sdtm: Datasets,
    adam: Datasets,
) -> None:
    before = {(one.dataset, one.variable) for one in find(study, sdtm, terminology, [RULES[rule]], adam)}
    assert (dataset, variable) not in before
    found = find(study, sdtm, terminology, [RULES[rule]], change(adam))
    assert (dataset, variable) in {(one.dataset, one.variable) for one in found}


def test_a_pair_that_does_not_fit_is_one_finding(
    study: Study, terminology: Terminology, sdtm: Datasets, adam: Datasets
) -> None:
    wrong = seed(seed(adam, "ADVS", "AVISITN", 99.0, AVISIT="Month 6"), "ADVS", "AVISITN", np.nan, AVISIT="Baseline")
    found = find(study, sdtm, terminology, [RULES["adam.twin"]], wrong)
    assert [(one.dataset, one.variable, one.detail) for one in found] == [("ADVS", "AVISITN", "AVISIT and AVISITN.")]


def test_a_subject_who_failed_screening_is_in_no_population() -> None:
    study = Study.open("hta_duo")
    terminology = Terminology.open(study)
    records = Records.read(study.project(), study.folder / "redcap" / "records_locked.csv")
    sdtm = tabulate(read_mapping(study, records.project, terminology), records).datasets
    adam = analyse(study, sdtm)
    rules = [RULES["adam.screen_failure"]]
    assert find(study, sdtm, terminology, rules, adam) == []
    wrong = seed(adam, "ADSL", "ITTFL", "Y", DCSREAS="SCREEN FAILURE")
    (found,) = find(study, sdtm, terminology, rules, wrong)
    assert (found.dataset, found.variable, found.records) == ("ADSL", "ITTFL", 1)


def test_rules_hold_out_where_datasets_or_variables_are_not_there(
    study: Study, terminology: Terminology, sdtm: Datasets, adam: Datasets
) -> None:
    rules = [RULES[name] for name in ADAM]
    empty = {name: emptied(adam, name)[name] for name in adam}
    assert {one.dataset for one in find(study, sdtm, terminology, rules, empty)} == set(adam)
    for name in ("ADSL", "ADAE", "ADLB", "ADTTE"):
        alone = lacking({"ADSL": adam["ADSL"], name: adam[name]}, name, "USUBJID")
        found = find(study, sdtm, terminology, rules, alone)
        assert ("adam.required", name, "USUBJID") in {(one.rule, one.dataset, one.variable) for one in found}
    without_source = {name: one for name, one in sdtm.items() if name not in ("DM", "LB")}
    assert find(study, without_source, terminology, rules, {"ADLB": adam["ADLB"]})


def test_every_rule_is_tested() -> None:
    assert sorted(set(ADAM)) == sorted({rule for rule, *_ in SEEDS} | {"adam.screen_failure"})


@pytest.mark.parametrize("name", OF_RECORDS)
def test_sound_datasets_give_nothing_that_is_not_explained(name: str) -> None:
    study = Study.open(name)
    terminology = Terminology.open(study)
    records = Records.read(study.project(), study.folder / "redcap" / "records_locked.csv")
    sdtm = tabulate(read_mapping(study, records.project, terminology), records).datasets
    adam = analyse(study, sdtm)
    result = conformance(study, sdtm, terminology, adam)
    assert [one for one in result["findings"] if not one["explained"] and one["severity"] != "note"] == []
    assert result["counts"]["rules"] == len(result["rules"])
    assert {rule["rule"] for rule in result["rules"]} == {one.id for one in RULES.values() if one.standard != "package"}
    assert {"ADSL", "DM"} <= {one["dataset"] for one in result["datasets"]}
    assert "ADaMIG 1.3" in result["standard"] and "adam-ct-" in result["terminology"]
    assert json.dumps(result) == json.dumps(conformance(study, sdtm, terminology, adam))


def test_without_analysis_datasets_their_rules_and_explanations_are_left_out(study: Study, sdtm: Datasets) -> None:
    result = conformance(study, sdtm)
    assert result["counts"]["unexplained"] == 0
    assert {rule["rule"] for rule in result["rules"]}.isdisjoint(ADAM)


def test_a_finding_names_records_by_the_keys_of_the_dataset(
    study: Study, terminology: Terminology, sdtm: Datasets, adam: Datasets
) -> None:
    changed = seed(adam, "ADTTE", "CNSR", -1.0)
    (found,) = find(study, sdtm, terminology, [RULES["adam.censor"]], changed)
    assert found.records == 1 and found.keys == ("USUBJID=SPMSAZA-SYNTH-01-001 PARAMCD=CDP3",)


def test_pairs_that_are_not_one_to_one() -> None:
    assert list(ambiguous(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))) == [False, False, True, True]
    assert list(ambiguous(np.array([0, 1, 2]), np.array([0, 0, 0]))) == [False, False, False]
    assert not len(ambiguous(np.array([], int), np.array([], int)))
    assert list(repeated(np.array([3, 1, 3, 1]), np.array([True, True, True, False]))) == [True, False, True, False]
    assert list(located(np.array([7, 5, -1]), np.array([5, 6, 7]))) == [2, 0, -1]
    assert list(located(np.array([7]), np.array([], int))) == [-1]


def test_labels_of_the_guides_may_be_continued_where_a_name_has_an_index(study: Study, sdtm: Datasets) -> None:
    class Data:
        def __init__(self) -> None:
            self.study, self.sdtm = study, SdtmDatasets(study, sdtm, Terminology("", {}))

    metadata = DatasetMetadata("ADLB", "Label", "BASIC DATA STRUCTURE", "", (), ())
    one = AnalysisDataset(Dataset(metadata, pd.DataFrame({"PARAMCD": ["A"]})), Data())  # type: ignore[arg-type]
    assert one.label_of("ANL02FL") == ("Analysis Flag 02", True)
    assert one.label_of("PARCAT1") == ("Parameter Category 1", True)
    assert one.label_of("TRT02P") == ("Planned Treatment for Period 02", False)
    assert one.label_of("AVAL") == ("Analysis Value", False) and one.label_of("MYOWN") is None


def test_analysis_datasets_alone_are_judged_without_their_source(
    study: Study, terminology: Terminology, adam: Datasets
) -> None:
    found = find(study, {}, terminology, adam=adam, given=frozenset({"study", "guide", "terminology", "define_adam"}))
    assert [(one.rule, one.dataset, one.variable) for one in found if one.severity == "error"] == []
