"""An export with one decimal mark for all numbers makes the snapshot that the API's own marks make."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from extract.decimal_marks import own_marks
from extract.exports import snapshot_of
from extract.snapshot import open_snapshot
from metadata.dictionary import Dictionary
from metadata.project import Project
from metadata.study import BUNDLED, Study
from metadata.text_table import TextTable

NAME = "spms_aza"
KINDS = {"point": "number", "digits": "number_2dp", "comma": "number_comma_decimal", "plain": "", "whole": "integer"}
ROWS = [{"field_name": "id", "form_name": "f", "field_type": "text"}] + [
    {"field_name": name, "form_name": "f", "field_type": "text", "text_validation_type_or_show_slider_number": kind}
    for name, kind in KINDS.items()
]
PROJECT = Project.from_payloads({"dictionary": ROWS, "project_info": [{"is_longitudinal": "0"}]})
NUMBER = st.decimals(-1000, 1000, places=2, allow_nan=False).map(str) | st.integers(-9, 9).map(str)
OWN = st.fixed_dictionaries(
    {
        "point": NUMBER | st.just("") | st.just("UNK"),
        "digits": NUMBER,
        "comma": NUMBER.map(lambda text: text.replace(".", ",")),
        "plain": st.sampled_from(["1.5", "1,5", "a.b", ""]),
        "whole": st.integers(0, 9).map(str),
    }
)


def forced(rows: list[dict[str, str]], mark: str) -> list[dict[str, str]]:
    """What REDCap writes when all numbers are to have one mark."""
    both = str.maketrans(".,", mark * 2)
    return [{n: text.translate(both) if "number" in KINDS[n] else text for n, text in row.items()} for row in rows]


def marked(rows: list[dict[str, str]]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    table, warnings = own_marks(PROJECT, TextTable.of_frame(pd.DataFrame(rows)))
    return table.frame().to_dict("records"), warnings


@given(st.lists(OWN, min_size=1, max_size=5), st.sampled_from(".,"))
def test_each_field_gets_its_own_mark_back(rows: list[dict[str, str]], mark: str) -> None:
    written = forced(rows, mark)
    made, warnings = marked(written)
    assert made == rows
    assert bool(warnings) == (written != rows)


@given(st.lists(OWN, min_size=1, max_size=5))
def test_what_fields_have_of_their_own_stays(rows: list[dict[str, str]]) -> None:
    assert marked(rows) == (rows, ())


def test_a_slip_in_one_entry_stays_to_be_asked_about() -> None:
    rows = [{"point": "1.5", "digits": "2,50", "comma": "3,5", "plain": "", "whole": "1"}]
    assert marked(rows) == (rows, ())


def test_a_whole_export_with_commas_is_the_same_snapshot(tmp_path: Path) -> None:
    study, own = Study.open(NAME), BUNDLED / NAME / "redcap"
    folder = shutil.copytree(own, tmp_path / "exports")
    dictionary = Dictionary.read_csv(own / "dictionary.csv")
    numbers = [n for n, f in dictionary.fields.items() if f.validation.startswith("number") or f.type == "calc"]
    with (own / "records_locked.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    changed = [{n: v.replace(".", ",") if n in numbers else v for n, v in row.items()} for row in rows]
    assert changed != rows
    with (folder / "records_locked.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(changed)
    taken = snapshot_of(study, folder, tmp_path / "a")
    assert taken.name == snapshot_of(study, own, tmp_path / "b").name
    assert "have a decimal comma" in " ".join(open_snapshot(taken).snapshot.warnings)
