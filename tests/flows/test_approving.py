"""The commands ``approve``, ``release`` and ``verify`` over an approval log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import Answer
from tests.release.candidates import small_package, small_study

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
