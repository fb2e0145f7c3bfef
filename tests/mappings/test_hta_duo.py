"""The second study, a classic project in Spanish whose forms stand for visits; counts taken by hand from its CSV."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.expression_evaluator import check
from metadata.expression_parser import parse
from metadata.records import Records
from metadata.study import Study
from redcap_sandbox.generated import generate
from redcap_sandbox.generator import write
from validation.queries.listing import form_links, query_listing

FOLDER = Path(__file__).parents[2] / "mappings" / "hta_duo"
KEY = ["rule", "record", "event", "form", "instance", "field"]


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.open(FOLDER)


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((FOLDER / "redcap" / f"{name}.csv").open(encoding="utf-8")))


def base_rows() -> list[dict[str, str]]:
    return [row for row in table("records_locked") if row["redcap_repeat_instrument"] == ""]


def test_the_project_is_classic_and_its_records_have_no_event() -> None:
    assert table("project_info")[0]["is_longitudinal"] == "0"
    assert not (FOLDER / "redcap" / "events.csv").exists()
    columns = list(table("records_locked")[0])
    assert columns[:4] == [
        *("id_registro", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"),
    ]
    assert "redcap_event_name" not in columns


def test_forms_stand_in_the_order_of_the_instruments_and_logic_can_be_read() -> None:
    fields = table("dictionary")
    forms = [row["form_name"] for row in fields]
    changes = [form for before, form in zip(["", *forms], forms, strict=False) if form != before]
    assert changes == [row["instrument_name"] for row in table("instruments")]
    known = {row["field_name"] for row in fields}
    assert len(known) == len(fields)
    for row in fields:
        logic = row["select_choices_or_calculations"] if row["field_type"] == "calc" else ""
        for text in filter(None, [row["branching_logic"], logic]):
            expression = parse(text)
            check(expression)
            assert {reference.name for reference in expression.references} <= known


def test_forty_people_in_three_centres() -> None:
    rows = base_rows()
    assert len(rows) == 41
    assert Counter(row["redcap_data_access_group"] for row in rows) == {"valencia": 15, "sevilla": 14, "bilbao": 12}
    twice = [row for row in rows if row["num_previo"]]
    assert [(row["id_registro"], row["num_previo"]) for row in twice] == [("VAL-0011", "10-003")]
    first = next(row for row in rows if row["num_sujeto"] == "10-003")
    assert all(first[name] == twice[0][name] for name in ("sexo", "fecha_nac", "nhc", "talla"))


def test_what_happened_to_them() -> None:
    rows = base_rows()
    assert Counter(row["brazo"] for row in rows) == {"1": 18, "2": 18, "": 5}
    assert Counter(row["fin_estado"] for row in rows) == {"1": 30, "2": 2, "3": 2, "4": 1, "5": 1, "6": 5}
    assert [row["id_registro"] for row in rows if row["exitus_fecha"]] == ["SEV-0006"]
    other = [row["id_registro"] for row in rows if row["trat_rec"] not in ("", row["brazo"])]
    assert other == ["SEV-0009"]
    assert [row["id_registro"] for row in rows if row["brazo"] and not row["trat_rec"]] == ["BIL-0010"]
    ticks = {row["id_registro"]: sum(row[f"raza___{code}"] == "1" for code in "12349") for row in rows}
    assert {record for record, count in ticks.items() if count != 1} == {"BIL-0007"}


def test_free_text_dates_are_day_month_year_and_some_are_partial() -> None:
    events = [row for row in table("records_locked") if row["redcap_repeat_instrument"] == "acontecimientos"]
    starts = [row["ae_ini"] for row in events]
    assert all(len(start.split("-")) == 3 and len(start.split("-")[2]) == 4 for start in starts)
    assert sum(start.startswith("UN-") for start in starts) == 6
    assert "UN-UN-2018" in starts


def test_the_generator_makes_the_same_bytes_again(study: Study, tmp_path: Path) -> None:
    for path in write(study, tmp_path):
        assert path.read_bytes() == (FOLDER / "redcap" / path.name).read_bytes(), path.name


def test_further_patients_follow_the_declared_ones(study: Study) -> None:
    more = generate(study, 60).locked
    assert more.loc[more["redcap_repeat_instrument"] == "", "id_registro"].nunique() == 60
    known = generate(study).locked
    assert more.head(len(known)).equals(known)


def listing(study: Study, state: str) -> pd.DataFrame:
    records = Records.read(study.project(), study.path(f"redcap/records_{state}.csv"))
    return query_listing(study, records, lambda queries: pd.Series("", index=queries.index))


@pytest.mark.parametrize("state", ["locked", "as_entered"])
def test_every_planted_query_and_no_other(study: Study, state: str) -> None:
    wanted = [
        tuple(query[key] for key in KEY)
        for problem in study.read_yaml("synthetic/planted.yaml")
        if problem["kept"] or state == "as_entered"
        for query in problem["queries"]
    ]
    found = listing(study, state)
    assert sorted(tuple(row) for row in found[KEY].to_numpy().tolist()) == sorted(wanted)
    answered = found["rule"].isin(["treatment.other_arm", "visit.window"]) | (found["field"] == "pot_s12")
    assert (found["status"] == "answered").sum() == 3
    assert answered[found["status"] == "answered"].all()


def test_an_age_a_race_a_number_and_an_early_event_are_asked_about(study: Study) -> None:
    """Two years too old; of a race and of none that is known; the number of another patient; an event of 2018."""
    path = study.path("redcap/records_locked.csv")
    frame = pd.read_csv(path, dtype="str", keep_default_na=False)
    before = query_listing(study, Records.from_frame(study.project(), frame.copy()))
    people = frame.index[frame["num_alea"] != ""]
    frame.loc[people[0], "edad"] = str(int(frame.loc[people[0], "edad"]) + 2)
    frame.loc[people[1], ["raza___1", "raza___9"]] = "1"
    frame.loc[people[2], "num_alea"] = frame.loc[people[3], "num_alea"]
    event = frame.index[frame["ae_ini"] != ""][0]
    frame.loc[event, "ae_ini"] = "15-01-2018"
    after = query_listing(study, Records.from_frame(study.project(), frame))
    record = frame["id_registro"]
    new = after[~after["query_id"].isin(before["query_id"])]
    assert sorted(new[["rule", "record", "field"]].itertuples(index=False, name=None)) == sorted(
        [
            ("demographics.age", record[people[0]], "edad"),
            ("demographics.race_unknown", record[people[1]], "raza"),
            ("randomisation.number_twice", record[people[3]], "num_alea"),
            ("ae.before_consent", record[event], "ae_ini"),
        ]
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("package") / "hta_duo"
    build(RunRequest.of(str(FOLDER), source=str(FOLDER / "redcap"), out=out), StagePrinter(quiet=True))
    return out


def test_the_package_is_built_from_the_exports(package: Path) -> None:
    built = {path.stem for path in (package / "m5").rglob("*.xpt")}
    assert {"dm", "suppdm", "ae", "cm", "dd", "ds", "ex", "lb", "mh", "se", "sv", "vs"} <= built
    assert {"adsl", "adae", "adlb", "advs"} <= built
    found = json.loads((package / "validation" / "conformance.json").read_text(encoding="utf-8"))["findings"]
    meant = [finding for finding in found if finding["severity"] != "note"]
    assert [finding["rule"] for finding in meant if not finding["explained"]] == []


def test_people_arms_and_deaths_of_the_records_are_those_of_the_package(package: Path) -> None:
    subjects = pd.read_parquet(package / "parquet" / "sdtm" / "dm.parquet").astype("object")
    assert len(subjects) == 40
    assert Counter(subjects["ARMNRS"]) == {"": 35, "SCREEN FAILURE": 4, "ASSIGNED, NOT TREATED": 1}
    assert Counter(subjects["ARMCD"]) == {"CAND": 18, "AMLO": 18, "": 4}
    assert subjects.loc[subjects["DTHFL"] == "Y", "SUBJID"].tolist() == ["20-006"]
    differs = subjects[(subjects["ACTARMCD"] != subjects["ARMCD"]) & (subjects["ACTARMCD"] != "")]
    assert differs[["SUBJID", "ARMCD", "ACTARMCD"]].to_numpy().tolist() == [["20-009", "CAND", "AMLO"]]
    assert subjects.loc[subjects["RACE"] == "MULTIPLE", "SUBJID"].tolist() == ["30-007"]


def test_systolic_pressure_in_the_table_is_that_of_the_records(package: Path) -> None:
    rows = [row for row in base_rows() if row["brazo"] == "1" and row["trat_rec"] and row["pas_s12"]]
    changes = [int(row["pas_s12"]) - int(row["pas_bas"]) for row in rows]
    results = pd.read_csv(package / "reports" / "results.csv", dtype="str", keep_default_na=False)
    chosen = results[
        (results["output"] == "T14.2.1") & (results["variable"] == "CHG") & (results["level"] == "Week 12")
    ]
    arm = chosen[chosen["group"] == "Candesartan 8-16 mg"].set_index("statistic")["value"].astype(float)
    assert arm["n"] == len(changes)
    assert arm["mean"] == pytest.approx(sum(changes) / len(changes))


def test_laboratory_values_in_us_units_are_converted(package: Path) -> None:
    laboratory = pd.read_parquet(package / "parquet" / "sdtm" / "lb.parquet").astype({"LBTESTCD": "str"})
    row = next(row for row in base_rows() if row["num_sujeto"] == "10-001")
    mine = laboratory[(laboratory["USUBJID"] == "HTADUO-SYNTH-10-001") & (laboratory["VISITNUM"] == 1)]
    standard = mine.set_index("LBTESTCD")["LBSTRESN"]
    assert standard["HGB"] == pytest.approx(float(row["hb_scr"]) * 10)
    assert standard["CREAT"] == pytest.approx(float(row["crea_scr"]) * 88.4)
    assert standard["GLUC"] == pytest.approx(float(row["gluc_scr"]) * 0.0555)
    assert standard["K"] == pytest.approx(float(row["pot_scr"]))


def test_queries_lead_to_the_form_of_a_classic_project(study: Study) -> None:
    records = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    found = query_listing(study, records, form_links(study, study.project())).set_index("record")
    assert found.loc["SEV-0009", "link"] == (
        "https://redcap.example.org/redcap/DataEntry/index.php?pid=88&id=SEV-0009&page=tratamiento&instance=1"
    )
