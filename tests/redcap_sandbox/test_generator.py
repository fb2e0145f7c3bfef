"""The generator of synthetic records: same bytes, REDCap's order, planted problems and further patients."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest

from metadata.errors import StudyError, UsageError
from metadata.study import Study
from redcap_sandbox.generated import Generated, generate
from redcap_sandbox.generator import main, write

STUDY = Study.open("spms_aza")
KEY = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]


@pytest.fixture(scope="module")
def declared() -> Generated:
    return generate(STUDY)


@pytest.fixture(scope="module")
def forty() -> Generated:
    return generate(STUDY, 40)


def copied(folder: Path) -> Path:
    """A copy of the study that a test may spoil."""
    for name in ("redcap", "synthetic"):
        shutil.copytree(STUDY.path(name), folder / "study" / name)
    for file in ("study.yaml", "norms.csv"):
        shutil.copy(STUDY.path(file), folder / "study")
    return folder / "study"


def test_the_command_remakes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    assert main([str(STUDY.folder), "--out", str(tmp_path)]) == 0
    for name in ("records_as_entered.csv", "records_locked.csv", "log_as_entered.csv", "log.csv"):
        assert (tmp_path / name).read_bytes() == STUDY.path(f"redcap/{name}").read_bytes(), name


def test_the_first_patients_do_not_depend_on_how_many_follow(declared: Generated, forty: Generated) -> None:
    names = set(declared.locked["record_id"])
    first = forty.locked[forty.locked["record_id"].isin(names)].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, declared.locked)


def test_further_patients_differ_from_those_they_follow(forty: Generated) -> None:
    wbc = forty.locked.loc[forty.locked["redcap_event_name"] == "baseline_arm_1", ["record_id", "wbc", "pat_name"]]
    assert wbc["record_id"].tolist() == [f"{number:03d}" for number in range(1, 41)]
    assert wbc["wbc"].nunique() > 30


def test_columns_stand_as_in_a_flat_export(declared: Generated) -> None:
    dictionary = list(csv.DictReader(STUDY.path("redcap/dictionary.csv").open(encoding="utf-8")))
    wanted = [*KEY, "redcap_data_access_group"]
    form = dictionary[0]["form_name"]
    for row in dictionary[1:]:
        if row["form_name"] != form:
            wanted.append(f"{form}_complete")
            form = row["form_name"]
        if row["field_type"] == "checkbox":
            codes = [option.split(",")[0].strip() for option in row["select_choices_or_calculations"].split("|")]
            wanted += [f"{row['field_name']}___{code.lower()}" for code in codes]
        elif row["field_type"] != "descriptive":
            wanted.append(row["field_name"])
    assert list(declared.locked.columns) == [*wanted, f"{form}_complete"]


def test_rows_stand_as_in_a_flat_export(declared: Generated) -> None:
    events = [row["unique_event_name"] for row in csv.DictReader(STUDY.path("redcap/events.csv").open())]
    forms = [row["instrument_name"] for row in csv.DictReader(STUDY.path("redcap/instruments.csv").open())]
    for state in (declared.as_entered, declared.locked):
        keys = [
            (record, instance != "", events.index(event), ["", *forms].index(form), int(instance or 0))
            for record, event, form, instance in state[KEY].to_numpy().tolist()
        ]
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)


def test_values_stand_only_where_the_form_applies(declared: Generated) -> None:
    mapping = list(csv.DictReader(STUDY.path("redcap/form_event_mapping.csv").open()))
    allowed = {(row["unique_event_name"], row["form"]) for row in mapping}
    locked = declared.locked
    for form in STUDY.project().dictionary.forms:
        columns = STUDY.project().dictionary.export_columns(form)
        filled = locked[(locked[columns] != "").any(axis=1)]
        assert {(event, form) for event in filled["redcap_event_name"]} <= allowed
        assert set(filled["redcap_repeat_instrument"]) <= {"", form}


def test_boxes_and_status_are_zero_where_a_form_applies_and_was_not_saved(declared: Generated) -> None:
    entered = declared.as_entered
    duplicate = entered[(entered["record_id"] == "005") & (entered["redcap_event_name"] == "unsched_arm_1")].iloc[0]
    assert duplicate["visit_complete"] == "2"
    assert (duplicate["edss_kfss_complete"], duplicate["fs_weak___1"], duplicate["edss"]) == ("0", "0", "")
    assert (duplicate["mri_complete"], duplicate["ae_complete"]) == ("", "")


def test_the_states_differ_by_the_planted_changes_and_nothing_else(declared: Generated) -> None:
    planted = STUDY.read_yaml("synthetic/planted.yaml")
    repeating = {row["form_name"] for row in csv.DictReader(STUDY.path("redcap/repeating.csv").open())}
    entered, locked = (state.set_index(KEY) for state in (declared.as_entered, declared.locked))
    wanted = {}
    for problem in planted:
        for change in problem["changes"]:
            form = change["form"] if change["form"] in repeating else ""
            key = (change["record"], change["event"], form, change["instance"])
            assert entered.loc[key, change["field"]] == change["value"], problem["id"]
            assert not problem["kept"] or locked.loc[key, change["field"]] == change["value"], problem["id"]
            if not problem["kept"]:
                wanted[*key, change["field"]] = change["value"]
    added = entered.index.difference(locked.index)
    assert len(added) == 1
    common = entered.drop(index=added)
    pairs = common.ne(locked.loc[common.index]).stack()
    different = {tuple(place) for place in pairs[pairs].index}
    assert different == {place for place in wanted if place[:4] not in set(added)}


def test_every_planted_problem_names_its_queries() -> None:
    planted = STUDY.read_yaml("synthetic/planted.yaml")
    assert len({problem["id"] for problem in planted}) == len(planted) >= 20
    for problem in planted:
        assert problem["queries"], problem["id"]
        assert {"rule", "record", "event", "form", "instance", "field"} == set(problem["queries"][0])
    assert sum(problem["kept"] for problem in planted) == 4


def test_calculated_fields_follow_from_the_locked_values(declared: Generated) -> None:
    locked = declared.locked
    pegs = locked[locked["nhpt_dom_avg"] != ""]
    mean = (pegs["nhpt_dom1"].astype(float) + pegs["nhpt_dom2"].astype(float)) / 2
    assert ((mean - pegs["nhpt_dom_avg"].astype(float)).abs() < 0.0051).all()
    visits = locked[locked["vis_dt"] != ""]
    first = visits[visits["redcap_event_name"] == "baseline_arm_1"].set_index("record_id")["vis_dt"]
    days = pd.to_datetime(visits["vis_dt"]) - pd.to_datetime(visits["record_id"].map(first))
    assert (days.dt.days == visits["vis_day"].astype(int)).all()
    height = locked[locked["height"] != ""].set_index("record_id")["height"].astype(float) / 100
    weighed = locked[(locked["weight"] != "") & (locked["weight"] != "NASK")]
    index = weighed["weight"].astype(float) / weighed["record_id"].map(height) ** 2
    assert ((index - weighed["bmi"].astype(float)).abs() < 0.0501).all()
    assert (locked.loc[locked["elig_yn"] != "", "elig_yn"] == "1").sum() == 10


def test_a_thousand_patients_would_give_three_hundred_thousand_laboratory_rows(forty: Generated) -> None:
    dictionary = STUDY.project().dictionary
    tests = [
        name for name in dictionary.fields if f"{name}_u" in dictionary.fields and f"{name}_nd" in dictionary.fields
    ]
    filled = (forty.locked[tests] != "").sum().sum()
    assert filled / 40 >= 300


def test_further_patients_obey_the_dictionary(forty: Generated) -> None:
    codes = set(STUDY.project().missing_codes) | {""}
    faults = []
    for row in csv.DictReader(STUDY.path("redcap/dictionary.csv").open(encoding="utf-8")):
        name, kind = row["field_name"], row["text_validation_type_or_show_slider_number"]
        if row["field_type"] in ("radio", "dropdown"):
            allowed = {option.split(",")[0].strip() for option in row["select_choices_or_calculations"].split("|")}
            faults += [(name, value) for value in set(forty.locked[name]) - allowed - codes]
        if row["field_type"] == "text" and (kind == "integer" or kind.startswith("number")):
            for value in set(forty.locked[name]) - codes:
                number = float(value.replace(",", "."))
                low, high = (row[f"text_validation_{side}"].replace(",", ".") for side in ("min", "max"))
                if (
                    (low and number < float(low))
                    or (high and number > float(high))
                    or ("comma" in kind) != ("," in value)
                ):
                    faults.append((name, value))
    assert [fault for fault in faults if fault != ("edu_years", "26")] == []


def test_the_log_is_newest_first_and_creates_each_record_once(declared: Generated) -> None:
    log = declared.log
    assert log["timestamp"].is_monotonic_decreasing
    assert (log["action"].str.startswith("Create record")).sum() == 10
    saved = log[log["action"] == "Create record 002"].iloc[0]
    assert saved["username"] == "inv_malaga"
    assert "icf_dtc = '1998-10-13'" in saved["details"]


def test_fewer_patients_than_declared_are_refused() -> None:
    with pytest.raises(UsageError, match="declares 10 patients"):
        generate(STUDY, 3)


def test_the_studys_own_folder_is_not_overwritten_by_further_patients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(STUDY.folder), "--patients", "20"]) == 2
    assert (
        capsys.readouterr().err == "--patients needs --out: the study's own redcap/ holds the declared patients only\n"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("forms/vitals.yaml", "{choice: {1: 9", "{chioce: {1: 9", "line 3, key 'chioce'.*did you mean 'choice'"),
        ("forms/vitals.yaml", "vs_pos:", "vs_poss:", "form 'vitals' has no field 'vs_poss'.*did you mean 'vs_pos'"),
        ("forms/exposure.yaml", "{date: st}", "{date: started}", "form 'exposure': nothing is called 'started'"),
        ("courses/ae.csv", "001,Nausea,6,", "001,Nausea,soon,", "'soon' is not a day; write 45"),
        ("courses/ae.csv", "001,Nausea", "021,Nausea", "a patient who is not declared: 021"),
        ("planted.yaml", "field: nab_dt, value", "field: nab_dat, value", "no column 'nab_dat'.*did you mean 'nab_dt'"),
    ],
)
def test_a_folder_that_is_not_fit_is_refused_in_a_sentence(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    study = copied(tmp_path)
    path = study / "synthetic" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StudyError, match=message):
        write(Study.open(study), tmp_path)


@pytest.mark.soak
def test_shares_of_the_patients_give_the_same_files(forty: Generated, tmp_path: Path) -> None:
    whole = write(STUDY, tmp_path / "whole", 40)
    shares = write(STUDY, tmp_path / "shares", 40, share=12)
    assert [path.read_bytes() for path in shares] == [path.read_bytes() for path in whole]
    read = pd.read_csv(shares[1], dtype=str, keep_default_na=False)
    assert read.to_numpy(object).tolist() == forty.locked.to_numpy(object).tolist()
    assert sorted(path.name for path in (tmp_path / "shares").iterdir()) == sorted(path.name for path in shares)
