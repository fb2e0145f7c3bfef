"""What may happen between two extractions, case by case: what is read, and when everything is read again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from extract.api import take
from extract.snapshot import open_snapshot
from metadata.study import Study
from redcap_sandbox.project import SandboxProject
from tests.extract import test_incremental
from tests.extract.histories import Act, ClockedClient
from tests.extract.test_incremental import Nights, how, without_network_and_disk
from tests.redcap_sandbox.small_projects import (
    DICTIONARY,
    INFO_HEAD,
    LONGITUDINAL,
    OTHER_TOKEN,
    USERS,
    write,
    write_study,
)

__all__ = ["without_network_and_disk"]
DAY = timedelta(hours=30)
UNKNOWN = "no extraction of this structure with these rights is known"
NAMES = ["1", "2", "10"]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """A small trial, of which one snapshot was taken, a day ago."""
    study = Study.open(write_study(tmp_path / "small"))
    made = Nights(study, SandboxProject.read(study.path("redcap")), tmp_path)
    made.take()
    made.now += DAY
    return made


def changed(nights: Nights, name: str, text: str, user: str = "") -> None:
    """Serve the project with another file."""
    folder = nights.root / f"changed-{len(list(nights.root.iterdir()))}"
    served = SandboxProject.read(write(folder, {**LONGITUDINAL, name: text}))
    nights.served = served.as_user(user) if user else served


def test_without_a_change_nothing_is_read(nights: Nights) -> None:
    made = nights.take_both()
    assert (
        how(nights.take("other"))["load"] == "all records: no extraction of this structure with these rights is known"
    )
    nights.change(Act("edit"))
    made = how(nights.take())
    assert made["load"].startswith("changes since ") and made["records_read"] == 1


@pytest.mark.parametrize(
    ("acts", "read"),
    [
        ([Act("delete", 1)], 0),
        ([Act("delete", 1), Act("create", 0, 0)], 1),
        ([Act("rename", 0, 0), Act("rename", 2, 0)], 2),
        ([Act("swap", 0, 1)], 2),
        ([Act("delete", 0), Act("rename", 0, 0)], 1),
        ([Act("move", 0, 1), Act("move", 1, 0)], 2),
        ([Act("instance", 0, 1)], 1),
        ([Act("edit", 0, late=20)], 1),
    ],
)
def test_only_what_changed_is_read(nights: Nights, acts: list[Act], read: int) -> None:
    """A deleted name is used again, by a new record or by one that is renamed; an entry of the log comes late."""
    before = nights.served.records.frame
    nights.change(*acts)
    assert not nights.served.records.frame.equals(before)
    made = nights.take_both()
    assert made["load"].startswith("changes since ") and made["records_read"] == read, made


def test_a_change_that_the_log_dates_too_early_comes_with_the_full_load(nights: Nights) -> None:
    """An entry that is dated more than a day before its change cannot be known to be new."""
    old = nights.take()
    nights.now += DAY
    nights.change(Act("edit", 0, late=100))
    assert nights.take() == old
    nights.now += timedelta(days=7)
    made = nights.take(days=7)
    assert made != old and how(made)["load"] == "all records: all records were last read 9 days ago"


@pytest.mark.parametrize("act", [Act("delete", 1), Act("rename", 0, 0)])
def test_without_the_log_a_record_that_is_gone_needs_all_records(nights: Nights, act: Act) -> None:
    nights.served = nights.served.as_user("statistician")
    nights.take()
    nights.now += DAY
    nights.change(Act("edit", 0, 2))
    assert nights.take_both()["load"].startswith("changes since ")
    nights.now += DAY
    nights.change(act)
    assert "may not see the log, which says whether they were renamed" in nights.take_both()["load"]


def test_a_record_that_is_gone_without_an_entry_needs_all_records(nights: Nights) -> None:
    log = nights.served.log
    nights.change(Act("rename", 0, 0))
    nights.served = replace(nights.served, log=log)
    assert "is gone, and the log has neither its deletion nor a renaming" in nights.take_both()["load"]


def test_the_servers_clock_is_the_one_that_counts(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own clock is not read: the server's may be years apart, but must not go back, and must be known."""
    nights.change(Act("edit"))
    nights.now -= 2 * DAY
    assert how(nights.take())["load"] == "all records: the server's clock was set back"
    nights.now += DAY
    nights.change(Act("edit", 1))
    monkeypatch.setattr(ClockedClient, "says_time", False)
    assert how(nights.take())["load"] == "all records: the server does not say its time"


OWNER = '"demo:1,vitals:1,ae:1","demo:{},vitals:1,ae:1"\ndoctor'
RIGHTS = USERS.replace(OWNER.format(1), OWNER.format(3))
CHANGES: dict[str, Callable[[Nights], None]] = {
    "a new field": lambda nights: changed(
        nights, "dictionary.csv", DICTIONARY.replace("ae_sev,", "ae_more,ae,,text,More,,,,,,,,,,,,,\nae_sev,")
    ),
    "another label": lambda nights: changed(nights, "dictionary.csv", DICTIONARY.replace("2, Severe", "2, Grave")),
    "another missing-data code": lambda nights: changed(
        nights, "project_info.csv", INFO_HEAD + '52,A small trial,1,1,0,"UNK, Unknown | ND, Not done | 9, Lost"\n'
    ),
    "fewer rights": lambda nights: changed(nights, "users.csv", RIGHTS, "owner"),
    "a form that is no longer in an event": lambda nights: changed(
        nights, "form_event_mapping.csv",
        "arm_num,unique_event_name,form\n1,scr_arm_1,demo\n1,scr_arm_1,vitals\n1,m1_arm_1,vitals\n"
        "1,unsched_arm_1,vitals\n1,logs_arm_1,ae\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_another_structure_or_other_rights_need_all_records(nights: Nights, change: str) -> None:
    CHANGES[change](nights)
    made = nights.take_both()
    assert made["load"] == f"all records: {UNKNOWN}"
    assert made["records_read"] == len(NAMES)


@pytest.mark.parametrize(
    ("details", "whole"),
    [
        ("Edit project field", True),
        ("Set up repeating instruments/events", True),
        ("Export Logging (API)", False),
        ("Create report", False),
    ],
)
def test_a_change_of_the_design_that_was_undone_needs_all_records(nights: Nights, details: str, whole: bool) -> None:
    log = nights.served.log
    time = f"{nights.now:%Y-%m-%d %H:%M}"
    entry = log.head(1).assign(timestamp=time, action="Manage/Design ", details=details, record="")
    nights.served = replace(nights.served, log=pd.concat([entry, log], ignore_index=True))
    nights.change(Act("edit", 0))
    assert ("the project's design" in nights.take_both()["load"]) == whole


def test_a_damaged_snapshot_is_no_base(nights: Nights) -> None:
    path = nights.take()
    (path / "received" / "version.txt").write_text("x")
    nights.change(Act("edit", 0))
    made = nights.take()
    assert how(made)["load"] == "all records: the snapshot of the last extraction is gone or damaged"
    assert len(open_snapshot(made).snapshot.records.frame) == 9


def test_what_is_noted_of_an_extraction_has_no_value_of_a_patient(nights: Nights) -> None:
    noted = (nights.root / "changes" / "small" / "extractions.json").read_text()
    assert "Núñez" not in noted and "2001-05-01T03:00:00" in noted
    assert datetime.fromisoformat("2001-05-01T03:00:00") + DAY == nights.now


def test_a_project_whose_records_were_renamed_and_deleted_is_empty(nights: Nights) -> None:
    nights.change(Act("rename", 0, 0), *[Act("delete")] * 3)
    assert len(nights.served.records.frame) == 0
    assert nights.take_both()["records_read"] == 0


def test_another_project_of_the_server_with_the_same_structure_is_read_whole(nights: Nights) -> None:
    """A copy of the project, behind another token of the same address."""
    copy = nights.served.with_frame(nights.served.records.frame.assign(story="of the copy"))
    test_incremental.PROJECTS[OTHER_TOKEN] = copy
    client = ClockedClient(test_incremental.ADDRESS, OTHER_TOKEN, test_incremental.PATIENCE, progress=False)
    client.now = nights.now
    made = take(nights.study, client, nights.root / "changes")
    assert how(made)["load"] == f"all records: {UNKNOWN}"
    frame = open_snapshot(made).snapshot.records.frame
    assert "of the copy" in set(frame["story"]) and made != nights.take()
