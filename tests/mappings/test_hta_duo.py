"""The second study, a classic project in Spanish whose forms stand for visits; counts taken by hand from its CSV."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from metadata.expression_evaluator import check
from metadata.expression_parser import parse
from metadata.records import Records
from metadata.study import Study
from redcap_sandbox.generator import generate
from validation.queries import query_listing

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
    for path in generate(study).write(tmp_path):
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
