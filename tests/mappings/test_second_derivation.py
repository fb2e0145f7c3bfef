"""The bundled studies' second derivation: it agrees with what is built, and sees every change of a value or a rule."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from adam.build.analyse import analyse
from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import BUNDLED, Study
from metadata.terminology import Terminology
from redcap_sandbox.generated import generate
from reports.compute import compute
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from validation.second_derivation.check import second_derivation
from validation.second_derivation.comparison import rows_of
from validation.second_derivation.declaration import RESULTS, VerifiedEndpoint, read_declaration

pytestmark = pytest.mark.xdist_group("second derivation")
NAMES = ("spms_aza", "hta_duo")


@dataclass(frozen=True)
class Built:
    """A bundled study with its datasets and results."""

    study: Study
    sdtm: Mapping[str, Dataset]
    adam: Mapping[str, Dataset]
    results: pd.DataFrame

    def judged(self, **changed: Any) -> dict[str, Any]:
        made = replace(self, **changed)
        return second_derivation(made.study, made.sdtm, made.adam, made.results)

    def with_frame(self, endpoint: VerifiedEndpoint, frame: pd.DataFrame) -> dict[str, Any]:
        """What is found where another frame stands for the endpoint's dataset."""
        if endpoint.dataset == RESULTS:
            return self.judged(results=frame)
        return self.judged(adam={**self.adam, endpoint.dataset: replace(self.adam[endpoint.dataset], frame=frame)})


_BUILT: dict[str, Built] = {}


def made_of(study: Study, records: Records) -> Built:
    terminology = Terminology.open(study)
    sdtm = tabulate(read_mapping(study, records.project, terminology), records).datasets
    adam = analyse(study, sdtm)
    return Built(study, sdtm, adam, compute(study, {**sdtm, **adam}))


def built(name: str) -> Built:
    """The study's locked records as datasets, made once."""
    if name not in _BUILT:
        study = Study.open(name)
        _BUILT[name] = made_of(study, Records.read(study.project(), study.path("redcap/records_locked.csv")))
    return _BUILT[name]


def endpoints(name: str) -> list[VerifiedEndpoint]:
    return list(read_declaration(Study.open(name)).endpoints)


ENDPOINTS = [(name, endpoint.id) for name in NAMES for endpoint in endpoints(name)]


@pytest.mark.parametrize("name", NAMES)
def test_the_studies_agree(name: str) -> None:
    result = built(name).judged()
    assert result["findings"] == []
    assert result["counts"]["empty"] == 0
    assert all(endpoint["records"] == endpoint["records_second"] > 0 for endpoint in result["endpoints"])
    assert all(endpoint["values"] > 0 for endpoint in result["endpoints"])


@pytest.mark.parametrize("name", NAMES)
def test_other_patients_agree(name: str) -> None:
    """Sixty invented patients, whom neither the declarations nor the queries were written beside."""
    study = Study.open(name)
    result = made_of(study, Records.from_frame(study.project(), generate(study, 60).locked)).judged()
    assert result["findings"] == []
    assert all(endpoint["records"] > 0 for endpoint in result["endpoints"])


def test_all_that_the_plan_calls_key_is_derived() -> None:
    ids = {endpoint.id for endpoint in endpoints("spms_aza")}
    wanted = {"treatment_emergence", "worst_grade", "lymphopenia", "relapse_years", "relapse_rates", "progression"}
    assert ids >= wanted | {"antibody_class", "edss_trend", "baseline_edss", "baseline_laboratory"}


@pytest.mark.parametrize("name", NAMES)
def test_queries_read_sdtm_alone(name: str) -> None:
    """With analysis datasets that hold nothing, the queries give what they gave."""
    one = built(name)
    hollow = {key: replace(made, frame=made.frame.iloc[:0]) for key, made in one.adam.items()}
    result = one.judged(adam=hollow)
    given = {endpoint["id"]: endpoint["records_second"] for endpoint in one.judged()["endpoints"]}
    assert {endpoint["id"]: endpoint["records_second"] for endpoint in result["endpoints"]} == given


def changed(values: pd.Series, row: int) -> pd.Series:
    """A column with another value in one row."""
    if pd.api.types.is_float_dtype(values):
        made = values.copy()
        made.iloc[row] = 1.0 if np.isnan(made.iloc[row]) else made.iloc[row] + 1
        return made
    texts = values.astype("str").astype(object)
    texts.iloc[row] = "" if texts.iloc[row] else "Y"
    return texts.astype("str")


@pytest.mark.parametrize(("name", "endpoint_id"), ENDPOINTS, ids=map("-".join, ENDPOINTS))
def test_another_value_is_found(name: str, endpoint_id: str) -> None:
    """Each compared variable of each endpoint, in the first, the middle or the last of its records."""
    one = built(name)
    endpoint = next(given for given in endpoints(name) if given.id == endpoint_id)
    whole = one.results if endpoint.dataset == RESULTS else one.adam[endpoint.dataset].frame
    rows, frame = rows_of(whole, endpoint.where), whole
    for number, variable in enumerate(endpoint.variables):
        row = int(rows[[0, len(rows) // 2, -1][number % 3]])
        frame = frame.assign(**{variable: changed(frame[variable], row)})
    found = [(finding["endpoint"], finding["variable"]) for finding in one.with_frame(endpoint, frame)["findings"]]
    for variable in endpoint.variables:
        assert (endpoint_id, variable) in found, found


@pytest.mark.parametrize(("name", "endpoint_id"), ENDPOINTS, ids=map("-".join, ENDPOINTS))
def test_a_record_too_few_or_too_many_is_found(name: str, endpoint_id: str) -> None:
    one = built(name)
    endpoint = next(given for given in endpoints(name) if given.id == endpoint_id)
    whole = one.results if endpoint.dataset == RESULTS else one.adam[endpoint.dataset].frame
    rows = rows_of(whole, endpoint.where)
    frame = pd.concat([whole, whole.iloc[rows[[-1]]]]).drop(index=whole.index[rows[0]])
    result = one.with_frame(endpoint, frame.reset_index(drop=True))
    found = [finding["finding"] for finding in result["findings"] if finding["endpoint"] == endpoint_id]
    assert sorted(found) == ["derived a second time only", "not derived a second time"]


# What a study's file says, what is written instead, and the endpoints that must tell.
RULES = {
    "emergence in the first month alone": (
        "spms_aza",
        "adam/adae.yaml",
        "treatment_emergent: {days: 30}",
        "treatment_emergent: {days: 30, treatment_end: TRTSDT}",
        {"treatment_emergence"},
    ),
    "starts imputed without the start of treatment": (
        "spms_aza",
        "adam/adae.yaml",
        "      prefer: TRTSDT\n",
        "",
        {"treatment_emergence"},
    ),
    "emergence in the other study": (
        "hta_duo",
        "adam/adae.yaml",
        "treatment_emergent: {days: 7}",
        "treatment_emergent: {days: 7, treatment_end: TRTSDT}",
        {"treatment_emergence"},
    ),
    "the baseline visit after the dose": (
        "spms_aza",
        "study.yaml",
        ", predose: true",
        "",
        {"baseline_laboratory", "baseline_edss", "baseline_vital_signs", "baseline_antibodies", "lymphopenia"},
    ),
    "the first record as baseline": (
        "spms_aza",
        "adam/adlb.yaml",
        "      order: [VISITNUM, LBSEQ]\n      value: [AVAL, AVALC]",
        "      order: [-VISITNUM, -LBSEQ]\n      value: [AVAL]",
        {"baseline_laboratory"},
    ),
    "neutrophils by the limits of leukocytes": (
        "spms_aza",
        "adam/adlb.yaml",
        "NEUT: Granulocytes (neutrophils)",
        "NEUT: Leukocytes",
        {"worst_grade"},
    ),
    "lymphocytes by another scheme": (
        "spms_aza",
        "adam/adlb.yaml",
        "items: {LYM: ctc1}",
        "items: {LYM: label}",
        {"worst_grade", "lymphopenia"},
    ),
    "worst grades of the first month alone": (
        "spms_aza",
        "adam/adlb.yaml",
        "on_treatment: {days: 30}",
        "on_treatment: {days: 30, treatment_end: TRTSDT}",
        {"worst_grade", "lymphopenia"},
    ),
    "relapses with fever": (
        "spms_aza",
        "adam/adce.yaml",
        'where: {CONFFL: "Y", FEVERFL: {not: "Y"}}',
        'where: {CONFFL: {not: "Y"}}',
        {"relapses", "relapse_years", "progression"},
    ),
    "relapses apart by more": ("spms_aza", "adam/adce.yaml", "days: 30", "days: 300", {"relapses", "relapse_years"}),
    "a year of another length": (
        "spms_aza",
        "adam/adrelr.yaml",
        "year: 365, to: PYRSOBS",
        "year: 365.25, to: PYRSOBS",
        {"relapse_years"},
    ),
    "years that end sooner": (
        "spms_aza",
        "adam/adrelr.yaml",
        "{number: 2, first: 1, last: 365}",
        "{number: 2, first: 1, last: 240}",
        {"relapse_years"},
    ),
    "a larger step of progression": (
        "spms_aza",
        "adam/adedss.yaml",
        "at_most: 5.5}, CHG: {at_least: 1.0}",
        "at_most: 5.5}, CHG: {at_least: 0.5}",
        {"progression"},
    ),
    "later confirmation": ("spms_aza", "adam/adedss.yaml", "confirm: 91\n", "confirm: 400\n", {"progression"}),
    "another titre": ("spms_aza", "adam/adis.yaml", "at_least: 20", "at_least: 41", {"antibody_class"}),
    "classes by one sample": ("spms_aza", "adam/adis.yaml", "      consecutive: 2\n", "", {"antibody_class"}),
    "another limit of control": ("hta_duo", "adam/advs.yaml", "below: 140", "below: 141", {"blood_pressure"}),
}


@pytest.mark.parametrize("rule", RULES)
def test_another_rule_is_found(rule: str, tmp_path: Path) -> None:
    name, file, said, instead, wanted = RULES[rule]
    one = built(name)
    folder = tmp_path / name
    shutil.copytree(BUNDLED / name, folder, ignore=shutil.ignore_patterns("redcap", "synthetic", "__pycache__"))
    text = (folder / file).read_text(encoding="utf-8")
    assert said in text, "the study's file no longer says this"
    (folder / file).write_text(text.replace(said, instead), encoding="utf-8")
    study = Study(folder)
    adam = analyse(study, one.sdtm)
    found = {finding["endpoint"] for finding in one.judged(study=study, adam=adam)["findings"]}
    assert found >= wanted, found


def without_last_end(dataset: Dataset, subject: str) -> Dataset:
    """EX in which the last course of a subject has no end."""
    frame = dataset.frame.astype({"EXENDTC": "str", "EXSTDTC": "str"})
    mine = frame[(frame["USUBJID"] == subject) & (frame["EXDOSE"] > 0)]
    courses = mine[mine["EXTRT"].isin(["AZATHIOPRINE", "CANDESARTAN", "AMLODIPINE"])].sort_values("EXSTDTC")
    assert len(courses) > 1
    frame.loc[courses.index[-1], "EXENDTC"] = ""
    return replace(dataset, frame=frame)


@pytest.mark.parametrize(
    ("name", "subject"), [("spms_aza", "SPMSAZA-SYNTH-01-003"), ("hta_duo", "HTADUO-SYNTH-10-007")]
)
def test_treatment_that_goes_on_has_no_last_day(name: str, subject: str) -> None:
    """It used to end with the last course that did, so that what came later was neither emergent nor on treatment."""
    one = built(name)
    sdtm = {**one.sdtm, "EX": without_last_end(one.sdtm["EX"], subject)}
    adam = analyse(one.study, sdtm)
    subjects = adam["ADSL"].frame.set_index("USUBJID")
    assert np.isnan(subjects.loc[subject, "TRTEDT"])
    assert subjects.drop(index=subject).loc[lambda frame: frame["SAFFL"] == "Y", "TRTEDT"].notna().all()
    findings = one.judged(sdtm=sdtm, adam=adam)["findings"]
    assert [finding for finding in findings if finding["dataset"] != RESULTS] == []


def with_relapses_moved() -> Mapping[str, Dataset]:
    """SDTM in which a relapse began five days before each progression, and each second one 20 days after the first."""
    one = built("spms_aza")
    times, events = one.adam["ADTTE"].frame, one.sdtm["CE"].frame.sort_values(["USUBJID", "CESTDTC"])
    onset = times[(times["PARAMCD"] == "CDP3") & (times["CNSR"] == 0)].set_index("USUBJID")["ADT"]
    day = np.datetime64("1960-01-01") + (events["USUBJID"].map(onset) - 5).to_numpy("timedelta64[D]")
    order, progressed = events.groupby("USUBJID").cumcount().to_numpy(), events["USUBJID"].isin(onset.index).to_numpy()
    first = events["USUBJID"].map(events[order == 0].set_index("USUBJID")["CESTDTC"]).to_numpy("datetime64[D]")
    moved = np.where(order == 1, first + 20, np.where(progressed, day, first))
    chosen = (order == 1) | progressed & ((order > 1) | ~events["USUBJID"].duplicated(keep=False).to_numpy())
    dates = {"CESTDTC": moved, "CEENDTC": moved + 10}
    written = {name: np.where(chosen, values.astype(str), events[name]) for name, values in dates.items()}
    frame = events.assign(**{name: pd.Series(values, events.index, "str") for name, values in written.items()})
    return {**one.sdtm, "CE": replace(one.sdtm["CE"], frame=frame.sort_index())}


@pytest.mark.parametrize(
    ("file", "text", "other", "endpoint"),
    [
        ("adedss", "at: both", "at: both", ""),
        ("adedss", "after: 30, at: both", "after: 1, at: both", "progression"),
        ("adce", "days: 30", "days: 15", "relapses"),
    ],
)
def test_rules_about_relapses_that_no_patient_tells_apart(
    tmp_path: Path, file: str, text: str, other: str, endpoint: str
) -> None:
    """The bundled patients have relapses far apart and progress away from them; moved ones show each of the rules."""
    folder = tmp_path / "spms_aza"
    shutil.copytree(BUNDLED / "spms_aza", folder)
    path = folder / "adam" / f"{file}.yaml"
    before = path.read_text(encoding="utf-8")
    assert text in before
    path.write_text(before.replace(text, other), encoding="utf-8")
    study, sdtm = Study(folder), with_relapses_moved()
    adam = analyse(study, sdtm)
    result = Built(study, sdtm, adam, compute(study, {**sdtm, **adam})).judged()
    assert bool(result["findings"]) == bool(endpoint)
    assert not endpoint or endpoint in {finding["endpoint"] for finding in result["findings"]}
