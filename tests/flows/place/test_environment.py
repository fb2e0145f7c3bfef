"""Names of builds' folders: two builds that differ in what their pages or data hold never share one."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from flows.place.environment import BUILDS, build_folder


def test_each_kind_of_build_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUILDS, str(tmp_path))
    kinds = list(product([None, "malaga"], ["package", "queries"], [True, False], [True, False]))
    folders = {build_folder("mine", *kind) for kind in kinds}
    assert len(folders) == len(kinds)
    assert {folder.parent for folder in folders} == {tmp_path}
    assert build_folder("mine") == tmp_path / "mine"
    assert build_folder("mine", summaries=True) == tmp_path / "mine-summaries"
