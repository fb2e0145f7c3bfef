"""The command ``verify``: exit codes and what it prints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import Answer
from tests.publish.small_package import study_folder, whole_package

Command = Callable[..., Answer]


def test_exit_codes(tmp_path: Path, command: Command) -> None:
    folder = whole_package(tmp_path / "out", study_folder(tmp_path / "study"))
    answer = command("verify", tmp_path / "out")
    assert answer.code == 0, answer
    assert "as they were built" in answer.out
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "lineage" / "ae.parquet").write_bytes(b"")
    answer = command("verify", copy)
    assert answer.code == 1
    assert "lineage/ae.parquet: the file has other bytes, of 0 bytes instead of" in answer.out
    assert "expected" in answer.out and "found" in answer.out
    answer = command("verify", copy, "--json")
    assert answer.code == 1
    assert [one["path"] for one in json.loads(answer.out)["findings"]] == ["lineage/ae.parquet"]
    command("verify", tmp_path).assert_one_sentence(2, "not a package")
    command("verify", copy, "--sha256", "abc").assert_one_sentence(2, "not a SHA-256")
