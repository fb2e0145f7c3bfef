"""A package enters the folder of releases approved, whole, once; every obstacle keeps it out."""

from __future__ import annotations

import json
import os
import shutil
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import OutsideError, StudyError, UsageError
from metadata.study import Study
from publish.verification import verify
from release.approvers import approvers_of
from release.log import LogRecord, head_of, log_of, read_log
from release.recording import Decision
from release.releasing import Candidate, Order, release, versions
from release.standing import standing
from release.verification import check_approvals
from tests.release.candidates import finding, key_pair, signed_approvers, small_package, small_study

ANA = ("Ana Ruiz", "data manager")
BORIS = ("Boris Stein", "statistician")
FINAL = Order("1.0", "final", *BORIS, "Database closed.")
QUERY = "e98a38564f47,warning,dictionary.range,vs,sys,open\n"


def decided(candidate: Candidate, who: tuple[str, str], meaning: str, item: str = "", key: Path | None = None) -> None:
    candidate.record(Decision(*who, meaning, "Because it is so.", item, key))  # type: ignore[arg-type]


def approved(out: Path, study: Study, snapshot: str = "abc") -> Candidate:
    candidate = Candidate.of(small_package(out, study, snapshot), study)
    decided(candidate, BORIS, "built")
    decided(candidate, ANA, "approved")
    decided(candidate, BORIS, "approved")
    return candidate


def findings_of(package: Path, study: Study | None = None, head: str = "") -> tuple[str, ...]:
    found = check_approvals(package, verify(package).sha256, study, head)
    assert found is not None
    return found.findings


def test_an_approved_package_is_released_once_and_superseded_by_the_next(tmp_path: Path) -> None:
    study, releases = small_study(tmp_path / "study"), tmp_path / "releases"
    candidate = approved(tmp_path / "build" / "p", study)
    first = release(candidate, releases, FINAL)
    assert sorted(path.name for path in first.iterdir()) == [
        "approvers.yaml", "package", "package.approvals.jsonl", "release.json"
    ]  # fmt: skip
    assert not list(first.rglob("package/*.jsonl"))
    told = json.loads((first / "release.json").read_text())
    assert (told["version"], told["supersedes"], told["strength"]) == ("1.0", None, "record")
    assert told["meaning"].startswith("Recorded, not proved")
    assert [one["name"] for one in told["approvals"]] == ["Ana Ruiz", "Boris Stein"]
    assert findings_of(first / "package") == ()
    assert verify(first / "package").intact

    with pytest.raises(UsageError, match="a version is released once"):
        release(candidate, releases, FINAL)
    second = release(
        approved(tmp_path / "build" / "p", study, "def"), releases, Order("1.1", "final", *ANA, "Corrected.")
    )
    told = json.loads((second / "release.json").read_text())
    assert told["supersedes"]["version"] == "1.0" and told["number"] == 2
    last = read_log(log_of(second / "package"))[-1]
    assert (last.meaning, last.item, last.subject) == ("superseded", "1.0", verify(first / "package").sha256)
    assert [version for version, _ in versions(releases, study)] == ["1.0", "1.1"]
    assert findings_of(first / "package") == findings_of(second / "package") == ()


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ([], "nobody is recorded as the one who built it"),
        ([(BORIS, "built"), (ANA, "approved")], "the approval of the role 'statistician' is missing"),
        ([(BORIS, "built"), (BORIS, "approved")], "the builder alone cannot approve"),
        ([(BORIS, "built"), (ANA, "approved"), (BORIS, "approved"), (ANA, "rejected")], "rejected by Ana Ruiz"),
        ([(BORIS, "built"), (ANA, "reviewed"), (BORIS, "approved")], "role 'data manager' is missing"),
    ],
)
def test_what_is_not_approved_never_reaches_the_releases(
    tmp_path: Path, decisions: list[tuple[tuple[str, str], str]], words: str
) -> None:
    study, releases = small_study(tmp_path / "study"), tmp_path / "releases"
    candidate = Candidate.of(small_package(tmp_path / "p", study), study)
    for who, meaning in decisions:
        decided(candidate, who, meaning)
    with pytest.raises(StudyError) as raised:
        release(candidate, releases, FINAL)
    assert words in str(raised.value)
    assert [path.name for path in (releases / "study").iterdir()] == [".lock"]


MEANINGS = st.sampled_from(["built", "reviewed", "approved", "rejected"])
PEOPLE = st.sampled_from([ANA, BORIS, ("Carla Wu", "sponsor"), ("Boris Stein", "builder")])


@given(decisions=st.lists(st.tuples(PEOPLE, MEANINGS), max_size=7))
def test_a_final_release_has_both_roles_and_no_rejection(decisions: list[tuple[tuple[str, str], str]]) -> None:
    approvers = approvers_of(APPROVERS, "approvers.yaml")
    words = [(who, meaning, "a" * 64) for who, meaning in decisions]
    records = [
        LogRecord(number, "", "S-1", subject, *who, meaning, "", "r", "t", "record")  # type: ignore[arg-type]
        for number, (who, meaning, subject) in enumerate(words, start=1)
    ]
    found = standing(records, [], "a" * 64, approvers, "final")
    last = {who: meaning for who, meaning in decisions if meaning in ("approved", "rejected")}
    builders = {who[0] for who, meaning in decisions if meaning == "built"}
    by = {who[0] for who, meaning in last.items() if meaning == "approved"}
    fit = last.get(ANA) == last.get(BORIS) == "approved" and "rejected" not in last.values()
    assert (not found.obstacles) == (fit and bool(builders) and not by <= builders)
    assert standing(records, [], "b" * 64, approvers, "final").approvals == ()


APPROVERS = {
    "strength": "record",
    "people": [
        {"name": "Ana Ruiz", "roles": ["data manager"]},
        {"name": "Boris Stein", "roles": ["statistician", "builder"]},
        {"name": "Carla Wu", "roles": ["sponsor"]},
    ],
}


def test_open_points_are_waived_singly_and_before_the_approval(tmp_path: Path) -> None:
    study, releases = small_study(tmp_path / "study"), tmp_path / "releases"
    package = small_package(tmp_path / "p", study, queries=QUERY, findings=(finding(),))
    candidate = Candidate.of(package, study)
    decided(candidate, BORIS, "built")
    assert [one.id for one in candidate.standing("final").opened] == [
        "query:e98a38564f47",
        "finding:age.limit:DM:AGE:2",
    ]
    with pytest.raises(UsageError, match="2 open queries or findings are neither resolved nor waived"):
        decided(candidate, ANA, "approved")
    with pytest.raises(UsageError, match="'query:nothing' is no open query"):
        decided(candidate, ANA, "waived", "query:nothing")
    decided(candidate, ANA, "waived", "query:e98a38564f47")
    with pytest.raises(StudyError, match="1 finding is neither resolved nor waived"):
        release(candidate, releases, FINAL)
    decided(candidate, BORIS, "waived", "finding:age.limit:DM:AGE:2")
    decided(candidate, ANA, "approved")
    decided(candidate, BORIS, "approved")
    told = json.loads((release(candidate, releases, FINAL) / "release.json").read_text())
    assert [(one["item"], one["name"]) for one in told["waivers"]] == [
        ("query:e98a38564f47", "Ana Ruiz"), ("finding:age.limit:DM:AGE:2", "Boris Stein")
    ]  # fmt: skip
    again = Candidate.of(small_package(tmp_path / "p", study, "def", QUERY, (finding(3),)), study)
    assert [one.id for one in again.standing("final").opened] == ["finding:age.limit:DM:AGE:3"]


def test_a_package_or_its_approvers_that_changed_are_no_candidate(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    package = small_package(tmp_path / "p", study)
    (package / "more.txt").write_text("x")
    with pytest.raises(StudyError, match=r"not as it was built: more\.txt"):
        Candidate.of(package, study)
    (package / "more.txt").unlink()
    (study.folder / "approvers.yaml").write_text((study.folder / "approvers.yaml").read_text() + "# more\n")
    with pytest.raises(UsageError, match="is not the one that the package was built with"):
        Candidate.of(package, study)


def test_signatures_are_of_the_person_over_this_manifest(tmp_path: Path) -> None:
    keys = {name: key_pair(tmp_path, name.split()[0]) for name in ("Ana Ruiz", "Boris Stein")}
    study = small_study(tmp_path / "study", signed_approvers({name: key for name, (_, key) in keys.items()}))
    candidate = Candidate.of(small_package(tmp_path / "p", study), study)
    decided(candidate, BORIS, "built")
    with pytest.raises(UsageError, match="asks for signatures"):
        decided(candidate, ANA, "approved")
    with pytest.raises(UsageError, match=r"is not the key that approvers\.yaml has for Ana Ruiz"):
        decided(candidate, ANA, "approved", key=keys["Boris Stein"][0])
    with pytest.raises(UsageError, match="there is no such file"):
        decided(candidate, ANA, "approved", key=tmp_path / "no-key")
    decided(candidate, ANA, "approved", key=keys["Ana Ruiz"][0])
    decided(candidate, BORIS, "approved", key=keys["Boris Stein"][0])
    first = release(candidate, tmp_path / "releases", FINAL)
    assert findings_of(first / "package") == ()
    assert json.loads((first / "release.json").read_text())["meaning"].startswith("Signed:")
    _forge(log_of(first / "package"))
    assert any("the signature is not by the key that Ana Ruiz has" in one for one in findings_of(first / "package"))


def _forge(log: Path) -> None:
    """Write the chain anew with another reason under Ana's signature: every hash is right again."""
    made: list[LogRecord] = []
    for one in read_log(log):
        reason = "Another reason." if one.meaning == "approved" and one.name == "Ana Ruiz" else one.reason
        changed = {**vars(one), "reason": reason, "previous": head_of(made)}
        made.append(LogRecord(**changed).sealed(one.signature))
    log.write_bytes(b"".join(one.line for one in made))
    assert all(second.previous == first.hash for first, second in pairwise(read_log(log)))


def test_a_missing_ssh_keygen_is_one_sentence(tmp_path: Path) -> None:
    path, key = key_pair(tmp_path, "ana")
    boris = key_pair(tmp_path, "boris")[1]
    study = small_study(tmp_path / "study", signed_approvers({"Ana Ruiz": key, "Boris Stein": boris}))
    candidate = Candidate.of(small_package(tmp_path / "p", study), study)
    with patch.dict(os.environ, {"PATH": ""}), pytest.raises(OutsideError, match="ssh-keygen of OpenSSH"):
        decided(candidate, ANA, "reviewed", key=path)
    assert not candidate.log.exists()


def test_what_was_done_to_a_release_is_found(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    whole = release(approved(tmp_path / "p", study), tmp_path / "releases", FINAL)
    head = read_log(log_of(whole / "package"))[-1].hash

    def spoiled(name: str) -> Path:
        copy = Path(shutil.copytree(whole, tmp_path / name))
        return copy / "package"

    cut = spoiled("cut")
    lines = log_of(cut).read_bytes().splitlines(keepends=True)
    log_of(cut).write_bytes(b"".join(lines[:-1]))
    assert any("it was cut or added to" in one for one in findings_of(cut))
    (cut.parent / "release.json").unlink()  # nothing but the hash that was kept tells of a cut at the end
    assert findings_of(cut, study) == ()
    assert any("the log was cut" in one for one in findings_of(cut, study, head))

    log_of(cut).write_bytes(b"".join([lines[0], *lines[2:]]))
    assert any("removed, added or moved" in one for one in findings_of(cut, study))

    gone = spoiled("gone")
    log_of(gone).unlink()
    assert any("it was cut or added to" in one for one in findings_of(gone))

    other = spoiled("other")
    (other.parent / "approvers.yaml").write_text("strength: record\n")
    assert any("not the one that the package was built with" in one for one in findings_of(other))

    told = spoiled("told")
    text = (told.parent / "release.json").read_text()
    (told.parent / "release.json").write_text(text.replace('"kind": "final"', '"kind": "interim"'))
    assert any("no record says that it was released as 1.0 interim" in one for one in findings_of(told))
    (told.parent / "release.json").write_text(text.replace('"strength": "record"', '"strength": "signature"'))
    assert any("does not say what the log says" in one for one in findings_of(told))


def test_names_that_could_not_be_checked_are_no_success(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    candidate = approved(tmp_path / "p", study)
    assert findings_of(candidate.package, study) == ()
    assert any("were not checked: say with --study" in one for one in findings_of(candidate.package))
    assert check_approvals(small_package(tmp_path / "q", study), "a" * 64, study) is None


def test_a_release_that_was_killed_leaves_none_and_is_done_again(tmp_path: Path) -> None:
    study, releases = small_study(tmp_path / "study"), tmp_path / "releases"
    candidate = approved(tmp_path / "p", study)
    with patch("release.releasing.sync_tree", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        release(candidate, releases, FINAL)
    assert versions(releases, study) == []
    assert not (releases / "study" / "1.0").exists()
    made = release(candidate, releases, FINAL)
    assert [one.meaning for one in read_log(log_of(made / "package"))].count("released") == 1
    assert sorted(path.name for path in (releases / "study").iterdir()) == [".lock", "1.0"]


@pytest.mark.parametrize("version", ["", "..", "a/b", ".x", "1 0", "x" * 41])
def test_a_version_is_a_plain_name(tmp_path: Path, version: str) -> None:
    study = small_study(tmp_path / "study")
    with pytest.raises(UsageError, match="is no version"):
        release(approved(tmp_path / "p", study), tmp_path / "releases", Order(version, "final", *ANA, "r"))


def test_a_release_is_never_decided_about_again(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    made = release(approved(tmp_path / "p", study), tmp_path / "releases", FINAL)
    with pytest.raises(UsageError, match="is in a release already"):
        Candidate.of(made / "package", study)
