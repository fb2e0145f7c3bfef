"""What REDCap sends is whole or is refused: each fault with its sentence, and what comes where it can be read again."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from extract.snapshot import Snapshot, open_snapshot
from metadata.errors import OutsideError, RedcapCdiscError, StudyError, UsageError
from metadata.study import Study
from redcap_sandbox.changes import edited
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.server import create_app, serve
from tests.redcap_sandbox.small_projects import LOG, LONGITUDINAL, RECORDS, STUDY, TOKEN, USERS, write, write_study

QUICK = Patience(connect=1, answer=5, attempts=3, first_wait=0.01, pause=0)
ALL = ["1"] * 6 + ["2"] * 2 + ["10"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.open(write_study(tmp_path / "small"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


def served(study: Study, user: str = "") -> SandboxProject:
    project = SandboxProject.read(study.path("redcap"))
    return project.as_user(user) if user else project


def taken(study: Study, root: Path, project: SandboxProject, *faults: Fault, group: str = "") -> Snapshot:
    with serve(create_app({TOKEN: project}, Faults(*faults))) as address:
        client = Client(address, TOKEN, QUICK, encoding=study.encoding)
        return open_snapshot(take(study, client, root, group)).snapshot


def refused(study: Study, root: Path, project: SandboxProject, *faults: Fault, group: str = "") -> str:
    with pytest.raises(RedcapCdiscError) as failure:
        taken(study, root, project, *faults, group=group)
    assert not list(root.rglob("*.parquet")) and "\n" not in str(failure.value)
    return str(failure.value)


def records(snapshot: Snapshot) -> list[str]:
    return list(snapshot.records.frame["study_id"])


RECORD = {"content": "record", "times": None}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("missing_row", content="metadata", at=7), "is not whole: its dictionary lacks the field 'weight'"),
        (
            Fault("missing_column", column="weight", **RECORD),
            "the column 'weight' is missing; give the token's user full",
        ),
        (Fault("missing_column", column="ae_complete", after=1, **RECORD), "the column 'ae_complete' is missing"),
        (Fault("duplicate_row", after=1, at=3, **RECORD), "record '1' came with a row twice; take the snapshot again"),
        (Fault("foreign_record", record="77", after=1, **RECORD), "record '77' came, which was not asked for"),
        (
            Fault("missing_row", after=1, at=8, **RECORD),
            "did not come, the first of them record '10'|'10' at first and not any more",
        ),
        (Fault("empty_body", **RECORD), "lists no record, but its log has 3 that were not deleted"),
        (Fault("empty_body", content="record", times=1), "left out record '1' of its list of 0 records"),
        (Fault("empty_body", after=1, **RECORD), "did not come|not any more"),
        (
            Fault("missing_row", content="event", at=3, times=None),
            "is not whole: form 'ae' is set up in event 'logs_arm_1'",
        ),
        (
            Fault("empty_body", content="exportFieldNames", times=None),
            "empty answer for the project's export_field_names",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_an_answer_that_is_not_whole_is_refused(study: Study, root: Path, fault: Fault, sentence: str) -> None:
    assert re.search(sentence, refused(study, root, served(study), fault))


@pytest.mark.parametrize(
    "kind", ["duplicate_row", "missing_row", "missing_records", "empty_body", "cut", "truncated", "drop", "status"]
)
def test_what_went_wrong_once_is_read_again(study: Study, root: Path, kind: str) -> None:
    """The second request for records is the first batch."""
    fault = Fault(kind, content="record", after=1, at=700, status=504)  # type: ignore[arg-type]
    assert records(taken(study, root, served(study), fault)) == ALL


@pytest.mark.parametrize("at", range(5, 900, 60))
def test_a_batch_cut_at_any_byte_is_whole_in_the_end(
    at: int, study: Study, root: Path, small_server: tuple[str, list[Faults]]
) -> None:
    address, current = small_server
    current[0] = Faults(Fault("cut", content="record", after=1, at=at))
    found = open_snapshot(take(study, Client(address, TOKEN, QUICK), root)).keeping(["pname"])
    assert found.records.frame["ae_term"].tolist() == ["", "", "", "", "Headache", "x]]>y", "", "", ""]
    assert found.records.frame["story"].tolist()[0] == 'He said "no"\nand left'


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Faults]]]:
    """One server for many faults, which a test puts into the list."""
    current = [Faults()]

    class Current(Faults):
        def next(self, content: str, records: int | None) -> Fault | None:
            return current[0].next(content, records)

    project = SandboxProject.read(write(tmp_path_factory.mktemp("project"), LONGITUDINAL))
    with serve(create_app({TOKEN: project}, Current())) as address:
        yield address, current


@pytest.mark.parametrize("content", ["log", "metadata", "record", "exportFieldNames"])
@pytest.mark.parametrize("kind", ["memory", "status", "slow"])
def test_every_call_is_made_again(study: Study, root: Path, content: str, kind: str) -> None:
    """A 504 of the log, a memory error or a time-out of the list of records: not batches alone."""
    fault = Fault(kind, content=content, times=2, status=504, seconds=0.3)  # type: ignore[arg-type]
    with serve(create_app({TOKEN: served(study)}, Faults(fault))) as address:
        client = Client(address, TOKEN, replace(QUICK, answer=0.2) if kind == "slow" else QUICK)
        assert records(open_snapshot(take(study, client, root)).snapshot) == ALL


def test_the_log_is_asked_for_its_newest_part(study: Study, root: Path) -> None:
    """Entries of last week are enough; those of 2001 are asked for where there are none."""
    asked: list[str] = []

    class Listening(Faults):
        def next(self, content: str, records: int | None) -> Fault | None:
            asked.append(content)
            return None

    with serve(create_app({TOKEN: served(study)}, Listening())) as address:
        take(study, Client(address, TOKEN, QUICK), root)
        assert asked.count("log") == 3  # a week, a year, all
    asked.clear()
    with serve(create_app({TOKEN: edited(served(study), "1", "weight", "72")}, Listening())) as address:
        take(study, Client(address, TOKEN, QUICK), root)
        assert asked.count("log") == 1


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_record_edited_meanwhile_comes_as_it_is_in_the_end_or_was(study: Study, root: Path, after: int) -> None:
    fault = Fault("edit_record", content="record", after=after, record="1", column="ae_term", value="Migraine")
    terms = [term for term in taken(study, root, served(study), fault).records.frame["ae_term"] if term]
    assert terms in (["Migraine", "x]]>y"], ["Headache", "x]]>y"])
    if after < 4:  # before the server was asked what had changed
        assert terms == ["Migraine", "x]]>y"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_record_deleted_meanwhile_is_gone(study: Study, root: Path, after: int) -> None:
    fault = Fault("delete_record", content="record", after=after, record="2")
    assert records(taken(study, root, served(study), fault)) == ["1"] * 6 + ["10"]


def test_a_token_of_a_group_is_refused_and_says_what_to_do(study: Study, root: Path) -> None:
    users = USERS.replace("doctor,d@example.org,,south,2,0", "doctor,d@example.org,,south,2,1")
    write(study.path("redcap"), {"users.csv": users})
    sentence = refused(study, root, served(study, "doctor"))
    assert "one data access group only" in sentence and "north, south" in sentence
    assert "No Assignment" in sentence and "--group NAME" in sentence


def test_a_group_is_taken_on_purpose(study: Study, root: Path, tmp_path: Path) -> None:
    """The same records with a token of that group, one of the whole project, and from a file; never the whole's id."""
    bound = taken(study, root / "bound", served(study, "doctor"), group="south")
    free = taken(study, root / "free", served(study), group="The South")
    file = open_snapshot(snapshot_of(study, study.path("redcap"), root / "file", group="south")).snapshot
    for part in (bound, free, file):
        assert records(part) == ["2", "2", "10"] and part.group == "south"
        assert set(part.records.frame["redcap_data_access_group"]) == {"south"}
    assert free.id == file.id != taken(study, root / "all", served(study)).id


def test_a_group_that_is_not_the_tokens_is_refused(study: Study, root: Path) -> None:
    assert "which is not in data access group 'north'" in refused(study, root, served(study, "doctor"), group="north")
    with pytest.raises(UsageError, match="--group sud: the project has no such group"):
        taken(study, root, served(study), group="sud")


def test_without_design_rights_the_studys_own_structure_is_used(study: Study, root: Path) -> None:
    write(study.path("redcap"), {"users.csv": USERS.replace("south,2,0,0,0", ",,0,0,0")})
    found = taken(study, root, served(study, "doctor"))
    assert records(found) == ALL and found.project.event_repeats("unsched_arm_1")
    assert "Project Design and Setup" in found.warnings[0]
    (study.path("redcap") / "repeating.csv").unlink()
    with pytest.raises(OutsideError, match="Project Design and Setup"):
        project = SandboxProject.read(write(study.folder / "other", {**LONGITUDINAL, "users.csv": USERS}))
        taken(study, root / "other", project.as_user("doctor"))


def test_rights_belong_to_the_identity(study: Study, root: Path) -> None:
    """Fields that hold nothing give the same values with and without the right to them, but not the same snapshot."""
    records_file = RECORDS.replace("Headache", "").replace("x]]>y", "")
    write(study.path("redcap"), {"records_locked.csv": records_file})
    full = taken(study, root, served(study))
    rights = 'owner,o@example.org,,,,1,1,1,1,1,1,"demo:1,vitals:1,ae:1","demo:1,vitals:1,ae:1"'
    assert rights in USERS
    write(study.path("redcap"), {"users.csv": USERS.replace(rights, rights[:-2] + '2"')})
    less = taken(study, root, served(study, "owner"))
    assert less.not_exported == {"ae_term"}
    assert less.id != full.id and not full.not_exported and records(less) == ALL


@pytest.mark.parametrize("doubled", [False, True])
def test_quotes_after_a_backslash_come_as_they_are(study: Study, root: Path, doubled: bool) -> None:
    changed = {
        "records_locked.csv": RECORDS.replace("Headache", '"say \\""hi\\"" ok"').replace("=1+1", '"5\\"" tall"'),
        "dictionary.csv": LONGITUDINAL["dictionary.csv"].replace("Term,", '"A \\""term\\""",'),
    }
    write(study.path("redcap"), changed)
    found = taken(study, root, replace(served(study), doubled_quotes=doubled))
    assert 'say \\"hi\\" ok' in set(found.records.frame["ae_term"])
    assert '5\\" tall' in set(found.records.frame["story"])
    assert found.project.dictionary.fields["ae_term"].label == 'A \\"term\\"'


def test_a_missing_data_code_on_a_checkbox_is_taken(study: Study, root: Path) -> None:
    head = RECORDS.splitlines()[0]
    lines = [f"{head},cb____99", *(f"{line},{'1' if number == 1 else ''}" for number, line in enumerate(LINES))]
    info = LONGITUDINAL["project_info.csv"].replace("UNK, Unknown | ND, Not done", "-99, Unknown | ND, Not done")
    write(study.path("redcap"), {"project_info.csv": info, "records_locked.csv": "\n".join(lines) + "\n"})
    found = taken(study, root, served(study))
    assert found.records.frame["cb____99"].tolist().count("1") == 1
    assert snapshot_of(study, study.path("redcap"), root).name == found.id


LINES = [line for line in RECORDS.replace('"no""\nand left"', '"no"" and left"').splitlines()[1:] if line]


def test_survey_columns_of_an_export_are_taken_and_masked(study: Study, root: Path) -> None:
    head = RECORDS.splitlines()[0] + ",redcap_survey_identifier,demo_timestamp"
    lines = [head, *(f"{line},someone@example.org,[not completed]" for line in LINES)]
    write(study.path("redcap"), {"records_locked.csv": "\n".join(lines) + "\n"})
    found = open_snapshot(snapshot_of(study, study.path("redcap"), root)).snapshot.records.frame
    assert set(found["demo_timestamp"]) == {"[not completed]"} and set(found["redcap_survey_identifier"]) == {""}


def test_record_names_that_look_like_hashes_are_taken_with_a_warning(study: Study, root: Path) -> None:
    named = [line.replace("10,", "c" * 32 + ",", 1) if line.startswith("10,") else
             ("ab"[int(line[0]) - 1] * 32) + line[1:] for line in LINES]  # fmt: skip
    write(study.path("redcap"), {"records_locked.csv": "\n".join([RECORDS.splitlines()[0], *named]) + "\n",
                                 "log.csv": LOG.splitlines()[0] + "\n"})  # fmt: skip
    found = taken(study, root, served(study))
    assert set(records(found)) == {"a" * 32, "b" * 32, "c" * 32}
    assert any("32 hexadecimal digits" in warning for warning in found.warnings)


def test_a_byte_that_is_not_utf_8_is_settled_by_the_study(study: Study, root: Path, tmp_path: Path) -> None:
    content = RECORDS.encode().replace(b"Headache", b"Head\xa0ache")
    (study.path("redcap") / "records_locked.csv").write_bytes(content)
    with pytest.raises(StudyError, match=r"field 'ae_term' of record '1' is not UTF-8 here \(byte 0xA0\)"):
        snapshot_of(study, study.path("redcap"), root)
    write(study.folder, {"study.yaml": STUDY + "encoding: windows-1252\n"})
    again = Study.open(study.folder)
    frame = open_snapshot(snapshot_of(again, again.path("redcap"), root)).snapshot.records.frame
    assert "Head\u00a0ache" in set(frame["ae_term"])
    write(study.folder, {"study.yaml": STUDY + "encoding: windows-1525\n"})
    with pytest.raises(StudyError, match="windows-1252"):
        Study.open(study.folder)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("weight,twice,", "twice,", "the column 'weight' is missing; export all fields"),
        ("redcap_data_access_group,", "", "the column 'redcap_data_access_group' is missing, so that nothing says"),
        ("logs_arm_1,ae,1", "logs,ae,1", "record '1' has a row in event 'logs', which the project does not have"),
        (
            "logs_arm_1,ae,1",
            "m1_arm_1,ae,1",
            "instance of form 'ae' in event 'm1_arm_1', where that form does not repeat",
        ),
        ("m1_arm_1,,,south", "m1_arm_1,,,west", "record '2' is in data access group 'west'"),
        ("m1_arm_1,,,south", "m1_arm_1,,,north", "record '2' is in two data access groups"),
    ],
)
def test_an_export_that_is_not_whole_is_refused(study: Study, root: Path, old: str, new: str, sentence: str) -> None:
    if old.endswith(","):  # a column is left out
        name = next(one for one in old.split(",") if one and one not in new.split(","))
        frame = pd.read_csv(io.StringIO(RECORDS), dtype=str, keep_default_na=False).drop(columns=name)
        text = frame.to_csv(index=False, lineterminator="\n")
    else:
        assert old in RECORDS
        text = RECORDS.replace(old, new)
    write(study.path("redcap"), {"records_locked.csv": text})
    with pytest.raises(StudyError) as failure:
        snapshot_of(study, study.path("redcap"), root)
    assert sentence in str(failure.value) and not list(root.rglob("*.parquet"))


def test_an_export_by_a_user_with_fewer_rights_says_so(study: Study, root: Path) -> None:
    frame = pd.read_csv(io.StringIO(RECORDS), dtype=str, keep_default_na=False).drop(columns="weight")
    names = "original_field_name,choice_value,export_field_name\n"
    names += "".join(f"x,,{name}\n" for name in frame.columns if not name.startswith("redcap_"))
    write(study.path("redcap"), {"records_locked.csv": frame.to_csv(index=False), "export_field_names.csv": names})
    assert open_snapshot(snapshot_of(study, study.path("redcap"), root)).snapshot.not_exported == {"weight"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cut:at=12,times=always", Fault("cut", at=12, times=None)),
        ("status:status=504,content=log", Fault("status", status=504, content="log")),
        ("memory", Fault("memory")),
    ],
)
def test_faults_are_read_from_texts(text: str, fault: Fault) -> None:
    assert Fault.read(text) == fault


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("cutt", "did you mean 'cut'"), ("cut:att=1", "did you mean 'at'"), ("cut:at=x", "must be a number, not 'x'")],
)
def test_a_fault_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Fault.read(text)


def test_a_group_that_the_server_does_not_confirm_is_named(
    study: Study, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = taken(study, root / "said", served(study, "doctor"), group="south")
    assert not any("--group" in warning for warning in said.warnings)
    monkeypatch.setattr(Client, "records_of_group", lambda *_: None)  # as of a server that refuses the question
    found = taken(study, root, served(study, "doctor"), group="south")
    assert records(found) == ["2", "2", "10"]
    assert any("is taken from --group alone" in warning for warning in found.warnings)


def test_an_export_holds_the_records_that_its_log_does(study: Study, root: Path) -> None:
    """A renamed record is in the log under its old name, and its new one was never created; a lost one was."""
    path, group = study.path("redcap") / "records_locked.csv", "redcap_data_access_group"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame[frame["study_id"] != "2"].to_csv(path, index=False)
    with pytest.raises(
        StudyError, match=r"the file has 2 record\(s\), but the log has 1 more .*, the first of them '2'"
    ):
        snapshot_of(study, study.path("redcap"), root)
    asked = str(frame.loc[frame["study_id"] == "1", group].iloc[0])
    assert set(records(open_snapshot(snapshot_of(study, study.path("redcap"), root, group=asked)).snapshot)) == {"1"}
    frame.assign(study_id=frame["study_id"].replace("2", "2b")).to_csv(path, index=False)
    renamed = open_snapshot(snapshot_of(study, study.path("redcap"), root)).snapshot
    assert "2b" in records(renamed)


def test_an_export_with_a_row_twice_is_refused(study: Study, root: Path) -> None:
    path = study.path("redcap") / "records_locked.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.concat([frame, frame.iloc[[0]]]).to_csv(path, index=False)
    with pytest.raises(StudyError, match="record '1' has a row twice"):
        snapshot_of(study, study.path("redcap"), root)
