"""The commands ``approve``, ``release`` and ``verify`` over an approval log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from metadata.study import Study
from tests.flows.conftest import Answer
from tests.release.candidates import key_pair, signed_approvers, small_package, small_study

Command = Callable[..., Answer]
QUERY = "e98a38564f47,warning,dictionary.range,vs,sys,open\n"
ANA = ("--name", "Ana Ruiz", "--role", "data manager")
BORIS = ("--name", "Boris Stein", "--role", "statistician")
WHY = ("--reason", "Listings read.")


def test_from_the_first_look_to_a_verified_release(tmp_path: Path, command: Command) -> None:
    study, releases = small_study(tmp_path / "study"), tmp_path / "releases"
    package = small_package(tmp_path / "p", study, queries=QUERY)
    here = ("--study", study.folder, "--releases", releases)

    answer = command("approve", package, *here)
    assert answer.code == 0, answer
    for words in ("Nothing was released before.", "query:e98a38564f47", "dictionary.range at vs/sys"):
        assert words in answer.out
    assert "In the way of the final release: the approval of the role 'statistician' is missing" in answer.out
    assert not (tmp_path / "p.approvals.jsonl").exists()

    decisions = [
        (*BORIS, "--meaning", "built"),
        (*ANA, "--meaning", "waived", "--item", "query:e98a38564f47"),
        (*ANA, "--meaning", "approved"),
    ]
    for decision in decisions:
        answer = command("approve", package, *here, *decision, *WHY)
        assert answer.code == 0, answer
        assert "Recorded, not proved" in answer.out
    release = ("release", package, "--study", study.folder, "--to", releases, "--version", "1.0", *ANA, *WHY)
    command(*release).assert_one_sentence(1, "it is not released: the approval of the role 'statistician' is missing")
    shown = json.loads(command("approve", package, *here, *BORIS, "--meaning", "approved", *WHY, "--json").out)
    assert shown["recorded"]["name"] == "Boris Stein" and shown["waived"][0]["by"] == "Ana Ruiz"

    answer = command(*release)
    assert answer.code == 0, answer
    assert "Final release 1.0 of S-1" in answer.out and "Recorded, not proved" in answer.out
    answer = command("verify", releases / "study" / "1.0" / "package")
    assert answer.code == 0, answer
    assert "approved by Ana Ruiz (data manager), recorded, not proved: Listings read." in answer.out
    answer = command("verify", releases / "study" / "1.0" / "package", "--head", "0" * 64)
    assert answer.code == 1 and "the log was cut or is another one" in answer.out
    assert command("verify", package).code == 1  # nobody says whose names these are
    assert json.loads(command("verify", package, "--study", study.folder, "--json").out)["approvals"]["findings"] == []
    command(*release).assert_one_sentence(2, "a version is released once")


def test_what_is_typed_wrongly(tmp_path: Path, command: Command) -> None:
    study = small_study(tmp_path / "study")
    approve = ("approve", small_package(tmp_path / "p", study), "--study", study.folder)
    command(*approve, *ANA).assert_one_sentence(2, "--meaning, --reason is missing")
    command(*approve, *ANA, *WHY, "--meaning", "waived").assert_one_sentence(2, "--item names the query")
    unknown = ("--name", "Ana", "--role", "data manager")
    command(*approve, *unknown, *WHY, "--meaning", "reviewed").assert_one_sentence(2, "nobody named 'Ana'")
    command(*approve[:2]).assert_one_sentence(2, "which study is it?")
    assert not (tmp_path / "p.approvals.jsonl").exists()


def test_an_answer_to_what_was_never_asked_stops_the_approval(tmp_path: Path, command: Command) -> None:
    study = small_study(tmp_path / "study")
    body = (study.folder / "study.yaml").read_text("utf-8").replace("redcap: {}", "redcap: {answers: answers.csv}")
    (study.folder / "study.yaml").write_text(body, "utf-8")
    answers = "query_id,answer,answered_by,answered_on\nabcdefabcdef,Correct,ANA,2001-12-01\n"
    (study.folder / "answers.csv").write_text(answers, "utf-8")
    package = small_package(tmp_path / "p", Study(study.folder), queries=QUERY.replace("open", "resolved"))
    approve = ("approve", package, "--study", study.folder, *ANA, *WHY)
    said = "answers.csv has ids that no query has: abcdefabcdef (line 2); correct or remove them and build again"
    command(*approve, "--meaning", "approved").assert_one_sentence(2, said)
    assert command(*approve, "--meaning", "reviewed").code == 0


def test_a_release_of_a_study_that_asks_for_signatures_is_signed_and_so_is_what_it_supersedes(
    tmp_path: Path, command: Command
) -> None:
    (ana, ana_public), (boris, boris_public) = (key_pair(tmp_path, name) for name in ("ana", "boris"))
    study = small_study(tmp_path / "study", signed_approvers({"Ana Ruiz": ana_public, "Boris Stein": boris_public}))
    releases = tmp_path / "releases"
    for version, snapshot in (("1.0", "abc"), ("1.1", "abd")):
        package = small_package(tmp_path / version, study, snapshot)
        approve = ("approve", package, "--study", study.folder, *WHY, "--meaning")
        assert command(*approve, "built", *BORIS).code == 0
        for who, key in ((ANA, ana), (BORIS, boris)):
            assert command(*approve, "approved", *who, "--key", key).code == 0
        release = ("release", package, "--study", study.folder, "--to", releases, "--version", version, *ANA, *WHY)
        command(*release).assert_one_sentence(2, "the study asks for signatures")
        command(*release, "--key", boris).assert_one_sentence(2, "is not the key that approvers.yaml has for Ana Ruiz")
        assert command(*release, "--key", ana).code == 0
    log = (releases / "study" / "1.1" / "package.approvals.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in log]
    assert [(one["meaning"], one["strength"]) for one in records[-2:]] == [
        ("released", "signature"), ("superseded", "signature")
    ]  # fmt: skip
    assert command("verify", releases / "study" / "1.1" / "package").code == 0
