import io
import json
import os
import stat
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract import client as client_module
from extract import snapshot as snapshot_module
from extract.api import take
from extract.canonical import canonical_records, canonical_structure, content_hash
from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from extract.log import newest_change
from extract.snapshot import open_snapshot
from extract.storage import store
from metadata.errors import OutsideError, StudyError, UsageError
from metadata.project import Project
from metadata.records import KEY_COLUMNS
from metadata.study import Study
from metadata.text_table import TextTable
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.redcap_sandbox.small_projects import LOG, LONGITUDINAL, RECORDS, TOKEN, write, write_study

QUICK = Patience(connect=1, answer=5, attempts=2, first_wait=0.01, pause=0)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.open(write_study(tmp_path / "small"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def from_api(study: Study, root: Path, state: str = "locked", user: str = "", *faults: Fault) -> Path:
    project = SandboxProject.read(study.path("redcap"), state)
    served = project.as_user(user) if user else project
    with serve(create_app({TOKEN: served}, Faults(*faults))) as address:
        return take(study, Client(address, TOKEN, QUICK), root)


def from_files(study: Study, root: Path, folder: Path, **changed: str) -> Path:
    files = {**LONGITUDINAL, **{name.replace("__", "."): text for name, text in changed.items()}}
    return snapshot_of(study, write(folder, files), root)


def test_a_snapshot_holds_what_came(study: Study, root: Path) -> None:
    path = from_api(study, root)
    assert path.parent == root / "small"
    received = {file.name for file in (path / "received").iterdir()}
    assert {"dictionary.json", "records-0001.csv", "log.json", "version.txt", "events.json"} <= received
    assert (path / "received" / "records-0001.csv").read_text() == RECORDS
    told = json.loads((path / "snapshot.json").read_text())
    assert (told["id"], told["records"], told["rows"]) == (path.name, 3, 9)
    assert "taken_at" in json.loads((path / "extraction.json").read_text())
    everything = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())
    assert TOKEN.encode() not in everything and TOKEN.lower().encode() not in everything


def test_an_opened_snapshot(study: Study, root: Path) -> None:
    opened = open_snapshot(from_api(study, root)).keeping({"pname"})
    assert opened.date == "2001-03-05"
    assert opened.event_ids == {"scr_arm_1": "141", "m1_arm_1": "142", "unsched_arm_1": "143", "logs_arm_1": "144"}
    assert (opened.version, opened.base_url, opened.study) == ("15.2.1", "https://redcap.example.org/", "small")
    frame = opened.records.frame
    assert list(frame["study_id"]) == ["1"] * 6 + ["2"] * 2 + ["10"]
    assert list(frame["redcap_event_name"])[:4] == ["scr_arm_1", "m1_arm_1", "unsched_arm_1", "unsched_arm_1"]
    assert frame.loc[0, "pname"] == "Núñez, Ana" and frame.loc[0, "story"] == 'He said "no"\nand left'
    assert set(map(str, frame.dtypes)) == {"str"} and not frame.isna().any(axis=None)
    assert list(frame["ae_term"].iloc[opened.records.rows_of("ae")]) == ["Headache", "x]]>y"]


def test_identifiers_stay_behind_unless_they_are_named(study: Study, root: Path) -> None:
    path = from_api(study, root)
    closed = open_snapshot(path).snapshot
    assert closed.blanked == {"pname"} and set(closed.records.frame["pname"]) == {""}
    assert closed.records.frame.loc[0, "born"] == "1950-12-31"
    assert open_snapshot(path).keeping(["pname"]).blanked == frozenset()
    with pytest.raises(StudyError, match="'nmae'"):
        open_snapshot(path).keeping(["nmae"])


def test_the_same_content_has_one_id_however_it_came(study: Study, root: Path, tmp_path: Path) -> None:
    first = from_api(study, root)
    before = (first / "extraction.json").read_bytes()
    assert from_api(study, root) == first
    assert snapshot_of(study, study.path("redcap"), root) == first
    assert (first / "extraction.json").read_bytes() == before
    elsewhere = snapshot_of(study, study.path("redcap"), tmp_path / "elsewhere")
    assert elsewhere.name == first.name
    assert open_snapshot(elsewhere).snapshot.records.frame.equals(open_snapshot(first).snapshot.records.frame)
    assert open_snapshot(elsewhere).snapshot.event_ids == open_snapshot(first).snapshot.event_ids


def test_batches_do_not_enter_the_id(study: Study, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = from_api(study, root)
    monkeypatch.setattr(client_module, "CELLS_A_BATCH", 1)
    second = from_api(study, tmp_path / "second")
    assert first.name == second.name
    assert len(list((second / "received").glob("records-*.csv"))) == 3


def test_neither_log_nor_server_ids_enter_the_id(study: Study, root: Path, tmp_path: Path) -> None:
    first = from_files(study, root, tmp_path / "a")
    noise = LOG + "2002-01-01 00:00,owner,Data export (API) ,fields,\n"
    events = LONGITUDINAL["events.csv"].replace(",141", ",999").replace(",event_id", ",event_id")
    second = from_files(study, root, tmp_path / "b", log__csv=noise, events__csv=events)
    assert first == second


@pytest.mark.parametrize(
    "changed",
    [
        {"records_locked__csv": RECORDS.replace("Headache", "Migraine")},
        {"records_locked__csv": RECORDS.replace("10,scr_arm_1,,,south", "10,scr_arm_1,,,north")},
        {"dictionary__csv": LONGITUDINAL["dictionary.csv"].replace("2, Severe", "2, Grave")},
        {"form_event_mapping__csv": LONGITUDINAL["form_event_mapping.csv"] + "1,m1_arm_1,demo\n"},
        {"project_info__csv": LONGITUDINAL["project_info.csv"].replace("Not done", "Not asked")},
    ],
)
def test_a_change_of_content_is_another_id(study: Study, root: Path, tmp_path: Path, changed: dict[str, str]) -> None:
    assert from_files(study, root, tmp_path / "a") != from_files(study, root, tmp_path / "b", **changed)


def test_downloads_from_the_user_interface_are_understood(study: Study, root: Path, tmp_path: Path) -> None:
    first = from_files(study, root, tmp_path / "a")
    headers = (
        "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
        '"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,'
        "Text Validation Min,Text Validation Max,Identifier?,Branching Logic (Show field only if...),Required Field?,"
        "Custom Alignment,Question Number (surveys only),Matrix Group Name,Matrix Ranking?,Field Annotation\n"
    )
    rows = LONGITUDINAL["dictionary.csv"].split("\n", 1)[1]
    frame = pd.read_csv(study.path("redcap") / "records_locked.csv", dtype=str, keep_default_na=False)
    records = frame.sample(frac=1, random_state=1).to_csv(index=False, sep=";", quoting=1, lineterminator="\r\n")
    log = LOG.replace("timestamp,username,action,details,record", (
        "Time / Date,Username,Action,List of Data Changes OR Fields Exported,Record"
    ))  # fmt: skip
    second = from_files(
        study,
        root,
        tmp_path / "b",
        dictionary__csv="\ufeff" + (headers + rows).replace("\n", "\r\n"),
        records_locked__csv="\ufeff" + records,
        log__csv=log,
    )
    assert second == first
    assert open_snapshot(second).snapshot.date == "2001-03-05"


def test_a_records_file_alone_uses_the_studys_structure(study: Study, root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(RECORDS, encoding="utf-8")
    assert snapshot_of(study, tmp_path / "mine.csv", root) == snapshot_of(study, study.path("redcap"), root)


def test_what_was_read_is_let_go_but_for_the_names_of_the_rows(study: Study, root: Path) -> None:
    stored = open_snapshot(from_api(study, root))
    kept, rows = stored.keeping({"pname"}), len(stored.snapshot.records.frame)
    stored.dated("2001-01-01").forget_values()
    for one in (stored.snapshot, stored.keeping({"pname"})):
        assert set(one.records.frame) == {"study_id", *KEY_COLUMNS} and len(one.records.frame) == rows
    assert kept.records.frame.loc[0, "pname"] == "N\u00fa\u00f1ez, Ana"  # who holds the values keeps them
    kept.records.forget_values()
    assert list(kept.records.record) == ["1"] * 6 + ["2"] * 2 + ["10"]
    assert "pname" not in kept.records.frame


def test_files_of_exports_are_kept_as_they_are(study: Study, root: Path) -> None:
    path = snapshot_of(study, study.path("redcap"), root)
    for file in (path / "received").iterdir():
        assert file.read_bytes() == (study.path("redcap") / file.name).read_bytes()
    assert (path / "received" / "records_locked.csv").is_file()
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_states_are_different_snapshots(study: Study, root: Path) -> None:
    locked = snapshot_of(study, study.path("redcap"), root)
    entered = snapshot_of(study, study.path("redcap"), root, "as-entered")
    assert locked != entered and from_api(study, root, "as-entered") == entered


def test_a_snapshots_own_folder_is_taken_as_it_is(study: Study, root: Path) -> None:
    path = snapshot_of(study, study.path("redcap"), root)
    assert snapshot_of(study, path, root / "other") == path


def test_the_date_without_a_log_is_the_cutoff(study: Study, root: Path) -> None:
    opened = open_snapshot(from_api(study, root, "locked", "statistician")).snapshot
    assert opened.date == "2001-12-31"


def test_what_the_user_may_not_export_is_known(study: Study, root: Path) -> None:
    opened = open_snapshot(from_api(study, root, "locked", "statistician")).snapshot
    assert opened.not_exported == {"pname", "born", "story", "weight", "twice"}
    assert set(opened.records.frame["weight"]) == {""}


def test_hashed_record_names_are_told(root: Path, study: Study) -> None:
    text = LONGITUDINAL["dictionary.csv"].replace("Study ID,,,,,,", "Study ID,,,,,,y", 1)
    write(study.path("redcap"), {"dictionary.csv": text})
    with pytest.raises(OutsideError, match="sends record names as hashes"):
        from_api(study, root, "locked", "statistician")


def test_a_record_that_does_not_come_is_told(study: Study, root: Path) -> None:
    fault = Fault("missing_records", content="record", after=1, times=None)
    with pytest.raises(OutsideError, match="listed 3 records, but 1 of them did not come"):
        from_api(study, root, "locked", "", fault)
    assert not list(root.glob("small/*"))


def test_a_failed_extraction_leaves_nothing(study: Study, root: Path) -> None:
    with pytest.raises(OutsideError, match="HTTP 500"):
        from_api(study, root, "locked", "", Fault("status", content="record", after=1, times=None))
    assert not root.exists() or not list(root.rglob("*.csv"))


def test_an_empty_project_is_a_snapshot(study: Study, root: Path) -> None:
    empty = {"records_locked.csv": RECORDS.split("\n", 1)[0] + "\n", "log.csv": LOG.split("\n", 1)[0] + "\n"}
    write(study.path("redcap"), empty)
    path = from_api(study, root)
    assert len(open_snapshot(path).snapshot.records.frame) == 0
    assert snapshot_of(study, study.path("redcap"), root) == path


def test_only_the_owner_may_read(study: Study, root: Path) -> None:
    path = snapshot_of(study, study.path("redcap"), root)
    for item in [path, *path.rglob("*")]:
        assert stat.S_IMODE(item.stat().st_mode) == (0o700 if item.is_dir() else 0o600)


@pytest.mark.parametrize(
    "name", ["received/dictionary.csv", "records.parquet", "structure.json", "extraction.json", "snapshot.json"]
)
def test_a_tampered_file_is_told_in_one_sentence(study: Study, root: Path, name: str) -> None:
    path = snapshot_of(study, study.path("redcap"), root)
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (path / name).write_bytes(bytes(content))
    with pytest.raises(OutsideError, match="is damaged: ") as told:
        open_snapshot(path)
    assert name in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(OutsideError, match="is damaged"):
        snapshot_of(study, path, root)


def test_a_file_that_is_missing_or_added_is_told(study: Study, root: Path) -> None:
    path = snapshot_of(study, study.path("redcap"), root)
    (path / "received" / "more.csv").write_text("x")
    with pytest.raises(OutsideError, match=r"more\.csv does not belong to it"):
        open_snapshot(path)
    (path / "received" / "more.csv").unlink()
    (path / "records.parquet").unlink()
    with pytest.raises(OutsideError, match=r"records\.parquet is missing"):
        open_snapshot(path)
    with pytest.raises(OutsideError, match="is not a snapshot"):
        open_snapshot(path / "received")


def test_records_and_their_hash_cannot_both_be_changed(study: Study, root: Path) -> None:
    """Who rewrites a file and its hash still meets the id, which is the content's."""
    first = snapshot_of(study, study.path("redcap"), root)
    other = snapshot_of(study, study.path("redcap"), root, "as-entered")
    manifest = json.loads((first / "snapshot.json").read_text())
    swapped = (other / "records.parquet").read_bytes()
    (first / "records.parquet").write_bytes(swapped)
    manifest["files"]["records.parquet"] = json.loads((other / "snapshot.json").read_text())["files"]["records.parquet"]
    (first / "snapshot.json").write_text(json.dumps(manifest))
    with pytest.raises(OutsideError, match="does not fit its content"):
        open_snapshot(first)


def test_one_of_another_version_is_never_taken_for_it(
    study: Study, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who updates the software and builds again with the old snapshots beside it gets a new one, no refusal."""
    monkeypatch.setattr(snapshot_module, "FORMAT", 1)
    old = snapshot_of(study, study.path("redcap"), root)
    monkeypatch.undo()
    with pytest.raises(OutsideError, match="taken by another version"):
        open_snapshot(old)
    assert open_snapshot(snapshot_of(study, study.path("redcap"), root)).snapshot.id != old.name


def test_half_a_snapshot_is_never_seen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutsideError, match="No space left on device"):
        store(root / "small" / "abc", {"a.txt": b"1"}, {"id": "abc"})
    assert list((root / "small").iterdir()) == []


def test_what_a_killed_run_left_is_swept(root: Path) -> None:
    left = root / "small" / ".taking-4194399-abc"
    left.mkdir(parents=True)
    (left / "records.parquet").write_bytes(b"x")
    assert store(root / "small" / "abc", {"a.txt": b"1"}, {"id": "abc"})
    assert [item.name for item in (root / "small").iterdir()] == ["abc"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match="cannot be written"):
        store(tmp_path / "file" / "abc", {"a.txt": b"1"}, {"id": "abc"})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"records_locked__csv": RECORDS + "1,m1_arm_1\n"}, "row 11 has 2 cells where the header has 19"),
        ({"records_locked__csv": RECORDS.replace("weight,", "wieght,", 1)}, "did you mean 'weight'"),
        ({"records_locked__csv": RECORDS.replace("twice,", "weight,", 1)}, "the column 'weight' is there twice"),
        ({"records_locked__csv": RECORDS + '3,"open'}, "never closed"),
        ({"records_locked__csv": ""}, "empty"),
        ({"project_info__csv": "project_id\n"}, "has no row"),
    ],
)
def test_exports_that_are_not_fit_are_told(
    study: Study, root: Path, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    with pytest.raises(StudyError) as told:
        from_files(study, root, tmp_path / "exports", **changed)
    assert words in str(told.value) and "\n" not in str(told.value) and "Headache" not in str(told.value)


def test_missing_exports_are_told(study: Study, root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing at"):
        snapshot_of(study, tmp_path / "nowhere", root)
    folder = write(tmp_path / "exports", LONGITUDINAL)
    with pytest.raises(UsageError, match="did you mean 'locked'"):
        snapshot_of(study, folder, root, "loked")
    (folder / "records_locked.csv").unlink()
    with pytest.raises(StudyError, match=r"records_locked\.csv: the records file does not exist"):
        snapshot_of(study, folder, root)
    (folder / "dictionary.csv").unlink()
    with pytest.raises(StudyError, match=r"dictionary\.csv"):
        snapshot_of(study, folder, root, "as-entered")


def test_the_newest_change_counts_records_only() -> None:
    log = [
        {"timestamp": "2003-01-01 00:00", "action": "Data export (API) "},
        {"timestamp": "2002-05-05 23:59", "action": "Update record (Auto calculation) 4"},
        {"timestamp": "2002-05-04 10:00", "action": "Create record (import) 4"},
        {"timestamp": "2002-06-01 10:00", "action": "Manage/Design "},
        {"timestamp": "2002-05-06 10:00", "action": "Deleted Record 9"},
    ]
    assert newest_change(log) == "2002-05-06"
    assert newest_change([]) == "" and newest_change(None) == ""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["1", "2", "10", "A-1"]), st.text("ab,\x00\n", max_size=3)), max_size=6))
def test_order_of_rows_and_columns_does_not_enter_the_hash(rows: list[tuple[str, str]]) -> None:
    project = Project.from_payloads(
        {"project_info": {}, "dictionary": [{"field_name": name, "form_name": "f"} for name in ("id", "x", "y")]}
    )
    rows = list(dict(rows).items())
    frame = pd.DataFrame(rows, columns=["id", "x"], dtype="str").assign(y="")
    structure = canonical_structure({"project_info": {}, "dictionary": [{"field_name": "id", "form_name": "f"}]})
    shuffled = frame.iloc[::-1][["y", "x", "id"]].drop(columns="y")
    first, second = (canonical_records(project, TextTable.of_frame(one)) for one in (frame, shuffled))
    pd.testing.assert_frame_equal(first.frame(), second.frame())
    assert content_hash(structure, first) == content_hash(structure, second)
    if len(frame):
        other = canonical_records(project, TextTable.of_frame(frame.assign(x=frame["x"] + "a")))
        assert content_hash(structure, other) != content_hash(structure, first)


def test_surveys_bring_their_times_and_participants_by_either_way(study: Study, root: Path, tmp_path: Path) -> None:
    """The times of survey forms, one of them not completed, and who answered, whose identifier stays behind."""
    frame = pd.read_csv(io.StringIO(RECORDS), dtype="str", keep_default_na=False)
    frame.insert(5, "redcap_survey_identifier", ["ana@example.org", *[""] * 8])
    frame.insert(6, "demo_timestamp", ["2001-03-05 10:00:00", *[""] * 5, "[not completed]", "", ""])
    info = LONGITUDINAL["project_info.csv"].replace(",1,1,0,", ",1,1,1,")
    write(study.path("redcap"), {"records_locked.csv": frame.to_csv(index=False), "project_info.csv": info})
    path = from_api(study, root)
    assert snapshot_of(study, study.path("redcap"), root / "files").name == path.name
    frame = open_snapshot(path).snapshot.records.frame
    assert sorted(frame["demo_timestamp"])[-2:] == ["2001-03-05 10:00:00", "[not completed]"]
    assert set(frame["redcap_survey_identifier"]) == {""}
