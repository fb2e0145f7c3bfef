"""Edges become keys, and a value can be followed down to its REDCap fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metadata.dataset import Dataset, Edges, join_edges
from metadata.errors import StudyError, UsageError
from metadata.project import Project
from metadata.records import Records
from publish import lineage, parquet
from publish.record_key import record_keys, split_pairs
from publish.trace import redcap_places, trace
from tests.publish.examples import make

DICTIONARY = [
    {"field_name": "record_id", "form_name": "enrolment", "field_type": "text"},
    {"field_name": "sex", "form_name": "enrolment", "field_type": "radio", "select_choices_or_calculations": "1, F"},
    {"field_name": "count", "form_name": "blood", "field_type": "text"},
    {
        "field_name": "unit",
        "form_name": "blood",
        "field_type": "checkbox",
        "select_choices_or_calculations": "a, A|b, B",
    },
]


@pytest.fixture
def records() -> Records:
    project = Project.from_payloads(
        {
            "dictionary": DICTIONARY,
            "project_info": {"is_longitudinal": 1},
            "events": [{"unique_event_name": "start_arm_1"}, {"unique_event_name": "later_arm_1"}],
        }
    )
    frame = pd.DataFrame(
        {
            "record_id": ["7", "7", "8;x"],
            "redcap_event_name": ["start_arm_1", "later_arm_1", "start_arm_1"],
            "redcap_repeat_instrument": ["", "blood", ""],
            "redcap_repeat_instance": ["", "2", ""],
            "sex": ["1", "", "1"],
            "count": ["4.1", "3.9", ""],
            "unit___a": ["1", "0", ""],
        }
    )
    return Records.from_frame(project, frame)


def laboratory() -> Dataset:
    return make(
        "LB",
        {
            "STUDYID": ["S", "S"],
            "USUBJID": ["S-7", "S-7"],
            "LBSEQ": [1, 2],
            "LBSTRESN": [4.1, 3.9],
            "LBDOM": ["LB", "LB"],
        },
        keys=("STUDYID", "USUBJID", "LBSEQ"),
        lineage=join_edges(
            [
                Edges(np.array([0, 1]), "LBSTRESN", "REDCAP", np.array([0, 1]), "count"),
                Edges(np.array([1]), "LBSTRESN", "REDCAP", np.array([1]), "unit___a"),
                Edges(np.array([0, 1]), "*", "REDCAP", np.array([0, 1]), "*"),
            ]
        ),
    )


def analysis() -> Dataset:
    return make(
        "ADLB",
        {
            "USUBJID": ["S-7", "S-7"],
            "PARAMCD": ["LYM", "LYM"],
            "ADT": [13880, 13888],
            "AVAL": [3.9, 4.1],
            "CHG": [np.nan, 0.2],
            "ADY": [1, 2],
            "LBRES": [3.9, 4.1],
            "DAYS": [1, 2],
            "NOTHING": ["", ""],
        },
        keys=("USUBJID", "PARAMCD", "ADT"),
        ADY={"method": "AVAL and nothing else."},
        DAYS={"method": "Days from DM.START."},
        LBRES={"method": "LB.LBSTRESN", "origin": "Predecessor"},
        lineage=join_edges(
            [
                Edges(np.array([0, 1]), "*", "LB", np.array([1, 0]), "*"),
                Edges(np.array([0, 1]), "AVAL", "LB", np.array([1, 0]), "LBSTRESN"),
                Edges(np.array([1, 1]), "CHG", "LB", np.array([0, 1]), "LBSTRESN"),
            ]
        ),
    )


def rendered(records: Records, dataset: Dataset, *sources: Dataset) -> pa.Table:
    keys = {item.name: record_keys(item.metadata, item.frame) for item in (dataset, *sources)}
    return lineage.render(dataset, keys, records)


def rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(table.astype(str).itertuples(index=False, name=None))


def test_keys_take_the_place_of_positions(records: Records) -> None:
    found = rendered(records, laboratory()).to_pandas()
    assert list(found.columns) == ["dataset", "record_key", "variable", "source", "source_key", "source_variable"]
    start, later = "record=7;event=start_arm_1", "record=7;event=later_arm_1;form=blood;instance=2"
    assert sorted(rows(found)) == sorted(
        [
            ("LB", "USUBJID=S-7;LBSEQ=1", "LBSTRESN", "REDCAP", f"{start};form=blood", "count"),
            ("LB", "USUBJID=S-7;LBSEQ=1", "*", "REDCAP", start, "*"),
            ("LB", "USUBJID=S-7;LBSEQ=2", "LBSTRESN", "REDCAP", later, "count"),
            ("LB", "USUBJID=S-7;LBSEQ=2", "LBSTRESN", "REDCAP", later, "unit___a"),
            ("LB", "USUBJID=S-7;LBSEQ=2", "*", "REDCAP", later, "*"),
        ]
    )
    assert found["record_key"].astype(str).is_monotonic_increasing


def test_a_dataset_is_a_source_under_its_own_keys(records: Records) -> None:
    found = rendered(records, analysis(), laboratory()).to_pandas()
    change = found[found["variable"] == "CHG"]
    assert set(change["record_key"]) == {"USUBJID=S-7;PARAMCD=LYM;ADT=13888"}
    assert set(change["source_key"]) == {"USUBJID=S-7;LBSEQ=1", "USUBJID=S-7;LBSEQ=2"}


def test_a_separator_within_a_value_does_not_split_the_key(records: Records) -> None:
    dataset = make(
        "DM",
        {"USUBJID": ["S;8\\"]},
        keys=("USUBJID",),
        lineage=join_edges([Edges(np.array([0]), "*", "REDCAP", np.array([2]), "sex")]),
    )
    found = rendered(records, dataset).to_pandas()
    assert split_pairs(found["record_key"][0]) == {"USUBJID": "S;8\\"}
    assert split_pairs(found["source_key"][0]) == {"record": "8;x", "event": "start_arm_1", "form": "enrolment"}


def test_edges_that_lead_nowhere_are_refused(records: Records) -> None:
    with pytest.raises(StudyError, match="the lineage of ADLB names LB, which is not among"):
        rendered(records, analysis())
    outside = make(
        "DM", {"USUBJID": ["A"]}, lineage=join_edges([Edges(np.array([0]), "*", "REDCAP", np.array([3]), "sex")])
    )
    with pytest.raises(
        StudyError, match="the lineage of DM names a row that the REDCap records does not have; it has 3"
    ):
        rendered(records, outside)


def test_a_dataset_without_edges_has_an_empty_table(records: Records) -> None:
    assert rendered(records, make("TA", {"ARMCD": ["A"]})).num_rows == 0


def test_the_file_is_the_same_each_time(records: Records, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lineage.write({"LB": laboratory()}, records, tmp_path / name)
    assert (tmp_path / "one" / "lb.parquet").read_bytes() == (tmp_path / "two" / "lb.parquet").read_bytes()


@pytest.fixture
def package(records: Records, tmp_path: Path) -> Path:
    arms = make("TA", {"ARMCD": ["A"]}, keys=("ARMCD",), ARMCD={"method": "Assigned A."})
    subjects = make(
        "DM",
        {"USUBJID": ["S-7"], "START": ["1"]},
        lineage=join_edges([Edges(np.array([0]), "START", "REDCAP", np.array([0]), "sex")]),
    )
    datasets = {"LB": laboratory(), "ADLB": analysis(), "TA": arms, "DM": subjects}
    (tmp_path / "lineage").mkdir()
    lineage.write(datasets, records, tmp_path / "lineage")
    for standard, name in (("sdtm", "LB"), ("sdtm", "TA"), ("sdtm", "DM"), ("adam", "ADLB")):
        (tmp_path / "parquet" / standard).mkdir(parents=True, exist_ok=True)
        parquet.write(datasets[name], tmp_path / "parquet" / standard / f"{name.lower()}.parquet")
    return tmp_path


def test_a_value_is_followed_to_its_fields(package: Path) -> None:
    steps = trace(package, "ADLB", "ADT=13888", "AVAL").drop(columns="method")
    assert rows(steps) == [
        ("1", "ADLB", "USUBJID=S-7;PARAMCD=LYM;ADT=13888", "AVAL", "4.1", "LB", "USUBJID=S-7;LBSEQ=1", "LBSTRESN"),
        (
            "2",
            "LB",
            "USUBJID=S-7;LBSEQ=1",
            "LBSTRESN",
            "4.1",
            "REDCAP",
            "record=7;event=start_arm_1;form=blood",
            "count",
        ),
    ]
    assert rows(redcap_places(steps)) == [("7", "start_arm_1", "blood", "", "count")]


def test_a_change_leads_to_both_of_its_results(package: Path) -> None:
    places = redcap_places(trace(package, "adlb", {"USUBJID": "S-7", "ADT": "13888"}, "CHG"))
    assert sorted(rows(places)) == [
        ("7", "later_arm_1", "blood", "2", "count"),
        ("7", "later_arm_1", "blood", "2", "unit___a"),
        ("7", "start_arm_1", "blood", "", "count"),
    ]


def test_a_variable_without_edges_and_method_follows_its_record(package: Path) -> None:
    steps = trace(package, "ADLB", "ADT=13888", "PARAMCD")
    first = steps.iloc[0]
    assert (first["variable"], first["source"], first["source_variable"]) == ("PARAMCD", "LB", "*")
    assert set(steps["source_variable"][1:]) == {"count", "*"}


def test_a_variable_without_a_value_leads_nowhere(package: Path) -> None:
    steps = trace(package, "ADLB", "ADT=13888", "NOTHING")
    assert rows(steps[["variable", "value", "source", "source_variable"]]) == [("NOTHING", "", "", "")]


def followed(package: Path, variable: str) -> list[tuple[str, ...]]:
    steps = trace(package, "ADLB", "ADT=13888", variable)
    return rows(steps[["level", "dataset", "variable", "source", "source_variable"]])


def test_a_predecessor_is_followed_by_its_method(package: Path) -> None:
    assert followed(package, "LBRES") == [
        ("1", "ADLB", "LBRES", "LB", "LBSTRESN"),
        ("2", "LB", "LBSTRESN", "REDCAP", "count"),
    ]


def test_variables_of_the_same_record_are_followed_where_the_method_names_them(package: Path) -> None:
    assert followed(package, "ADY") == [
        ("1", "ADLB", "ADY", "ADLB", "AVAL"),
        ("2", "ADLB", "AVAL", "LB", "LBSTRESN"),
        ("3", "LB", "LBSTRESN", "REDCAP", "count"),
    ]
    assert trace(package, "ADLB", "ADT=13888", "ADY")["method"][0] == "AVAL and nothing else."


def test_the_subjects_only_record_is_followed_where_the_method_names_its_dataset(package: Path) -> None:
    assert followed(package, "DAYS") == [
        ("1", "ADLB", "DAYS", "DM", "START"),
        ("2", "DM", "START", "REDCAP", "sex"),
    ]


def test_what_is_assigned_ends_with_its_method(package: Path) -> None:
    steps = trace(package, "TA", "ARMCD=A", "ARMCD")
    assert rows(steps) == [("1", "TA", "ARMCD=A", "ARMCD", "A", "", "", "", "Assigned A.")]
    assert redcap_places(steps).empty


def test_a_whole_record_is_followed_with_all_its_edges(package: Path) -> None:
    steps = trace(package, "LB", "LBSEQ=2")
    assert sorted(steps["source_variable"]) == ["*", "count", "unit___a"]


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("LBSEQ == 2", ["USUBJID=S-7;LBSEQ=2"]),
        ("USUBJID == 'S-7' and LBSEQ in (1, 2)", ["USUBJID=S-7;LBSEQ=1", "USUBJID=S-7;LBSEQ=2"]),
        ("LBSEQ == 1 or (LBSEQ >= 2 and USUBJID != 'S-7')", ["USUBJID=S-7;LBSEQ=1"]),
        ("USUBJID=S-7;LBSEQ=1", ["USUBJID=S-7;LBSEQ=1"]),
        ("LBSEQ=1.0", ["USUBJID=S-7;LBSEQ=1"]),
    ],
)
def test_records_are_found_by_a_filter_or_by_their_key(package: Path, where: str, keys: list[str]) -> None:
    steps = trace(package, "LB", where)
    assert sorted(set(steps["record_key"])) == keys


UNKNOWN = {
    "dataset": (("ADLX", "ADT=1", None), r"no lineage of ADLX \(did you mean 'ADLB'\?\)"),
    "condition": (("ADLB", "ADTX=1", None), r"ADLB has no variable ADTX \(did you mean 'ADT'\?\)"),
    "variable": (("ADLB", "ADT=13888", "AVALL"), r"ADLB has no variable AVALL \(did you mean 'AVAL'\?\)"),
    "record": (("ADLB", "ADT=1", None), "ADLB has no record with ADT=1"),
    "name in a filter": (("ADLB", "ADTX == 1", None), r"ADLB has no variable ADTX \(did you mean 'ADT'\?\)"),
    "text for a number": (("ADLB", "ADT == 'a'", None), "ADLB.ADT is a number, 'a' is not"),
    "text for a number in a key": (("ADLB", "ADT=a", None), "ADLB.ADT is a number, 'a' is not"),
    "number for a text": (("LB", "USUBJID == 7", None), 'LB.USUBJID is text: write "7" in quotes'),
    "no filter": (("ADLB", "ADT is 1", None), "the filter cannot be read at ADT is 1"),
}


def test_a_filter_may_have_no_records(package: Path) -> None:
    steps = trace(package, "ADLB", "ADT > 99999")
    assert steps.empty and redcap_places(steps).empty


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_there_is_said_with_the_nearest_name(package: Path, case: str) -> None:
    (dataset, where, variable), sentence = UNKNOWN[case]
    with pytest.raises(UsageError, match=sentence):
        trace(package, dataset, where, variable)


def test_parquet_holds_values_labels_and_keys(package: Path) -> None:
    table = pq.read_table(package / "parquet" / "adam" / "adlb.parquet")
    assert table.column("AVAL").to_pylist() == [3.9, 4.1]
    assert table.column("CHG").to_pylist() == [None, 0.2]
    assert table.schema.field("AVAL").metadata[b"label"] == b"Label of AVAL"
    assert table.schema.metadata[b"keys"] == b"USUBJID PARAMCD ADT"


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_edges_written_in_pieces_are_those_written_at_once(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(lineage, "PIECE", piece)
    lineage.write({"LB": laboratory()}, records, tmp_path)
    written = pq.read_table(tmp_path / "lb.parquet")
    assert rows(written.to_pandas()) == rows(rendered(records, laboratory()).to_pandas())
    assert pq.ParquetFile(tmp_path / "lb.parquet").num_row_groups == -(-len(written) // piece)
