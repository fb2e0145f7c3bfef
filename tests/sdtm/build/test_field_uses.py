"""Where the value of each field goes, held against what the mappings of the bundled studies say."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.field_use import FieldUse, FormUses
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.field_uses import form_uses
from sdtm.build.study_mapping import StudyMapping, read_mapping


@pytest.fixture(scope="module")
def mapping() -> StudyMapping:
    study = Study.open("spms_aza")
    return read_mapping(study, study.project(), Terminology.open(study))


@pytest.fixture(scope="module")
def uses(mapping: StudyMapping) -> FormUses:
    return form_uses(mapping)


def of(uses: FormUses, field: str) -> set[FieldUse]:
    return {use for use in uses.uses if use.field == field}


def test_a_field_goes_into_its_variable(uses: FormUses) -> None:
    assert FieldUse("ae_term", "AE", "AE", "AETERM") in of(uses, "ae_term")
    assert {use.variable for use in of(uses, "ae_st_y")} >= {"AESTDTC"}
    assert of(uses, "subjid") == {FieldUse("subjid", "DM", "DM", "SUBJID")}


def test_an_option_of_a_checkbox_has_its_own_use_and_the_condition_gives_no_value(uses: FormUses) -> None:
    assert FieldUse("ae_serc", "AE", "AE", "AESDTH", options=("1",)) in of(uses, "ae_serc")
    assert FieldUse("ae_trt", "AE", "AE", "AECONTRT", options=("1", "2")) in of(uses, "ae_trt")
    asked = {use.role for use in of(uses, "ae_ser") if use.variable == "AESDTH"}
    assert asked == {"condition"}
    assert FieldUse("ae_ser", "AE", "AE", "AESER") in of(uses, "ae_ser")


def test_a_result_has_its_test_its_printed_unit_and_what_a_missing_data_code_says(uses: FormUses) -> None:
    names = {use.variable for use in of(uses, "sbp")}
    assert names == {"VSORRES", "VSORRESU", "VSSTAT", "VSREASND"}
    assert {use.where for use in of(uses, "sbp")} == {(("VSTESTCD", "SYSBP"),)}
    unit = {(use.variable, use.where[0]) for use in of(uses, "lym_u")}
    assert unit == {("LBORRESU", ("LBTESTCD", "LYM"))}
    assert {use.variable for use in of(uses, "lym_nd")} == {"LBSTAT"}


def test_qualifiers_links_and_dates_of_visits(uses: FormUses) -> None:
    assert FieldUse("edss_rater", "QS", "SUPPQS", "QVAL", (("QNAM", "QSRATER"),)) in of(uses, "edss_rater")
    assert of(uses, "cm_aeno") == {FieldUse("cm_aeno", "RELREC", "RELREC", "", role="link", note="AE-MEDICATION")}
    assert {(use.variable, use.role) for use in of(uses, "vis_dt")} == {("SVSTDTC", "date"), ("SVENDTC", "date")}
    assert uses.labels["RELREC"] and uses.labels["AE"] == "Adverse Events"


def test_each_field_has_a_use_or_a_reason_for_none(mapping: StudyMapping, uses: FormUses) -> None:
    used = {use.field for use in uses.uses}
    assert used == set(mapping.fields)
    assert set(mapping.project.dictionary.fields) - used <= set(uses.not_submitted)
    assert not used & set(uses.not_submitted)
    assert uses.not_submitted["pat_name"] == "Identifier" and "consent_complete" in uses.not_submitted


def test_a_continued_text_is_a_use_of_its_field(mapping: StudyMapping) -> None:
    def made(name: str, columns: dict[str, list[str]]) -> Dataset:
        variables = tuple(Variable(column, column, "Char") for column in columns)
        return Dataset(DatasetMetadata(name, name, "Events", "", (), variables), pd.DataFrame(columns))

    datasets = {"AE": made("AE", {"AETERM": ["x"]}), "SUPPAE": made("SUPPAE", {"QNAM": ["AETERM1"]})}
    more = set(form_uses(mapping, datasets).uses) - set(form_uses(mapping).uses)
    assert more == {FieldUse("ae_term", "AE", "SUPPAE", "QVAL", (("QNAM", "AETERM1"),))}
    comments = {"CO": made("CO", {"COVAL": ["x"], "COVAL1": ["y"]})}
    found = set(form_uses(mapping, comments).uses) - set(form_uses(mapping).uses)
    assert found and {use.variable for use in found} == {"COVAL1"}
    assert {replace(use, variable="COVAL") for use in found} <= set(form_uses(mapping).uses)
