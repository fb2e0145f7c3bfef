"""Many studies side by side: each has the bytes of a build alone, and the failure of one is its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.error_messages import NeutralError
from flows.pipeline import build
from flows.place.environment import BUILDS, STUDIES
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.study import Study
from tests.flows.test_package import hashes
from tests.flows.test_study_build import prefect_home

__all__ = ["prefect_home"]
pytestmark = pytest.mark.xdist_group("package")


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of three studies, in one of which the subject's field is spelt wrongly."""
    for name in ("one", "two", "wrong"):
        shutil.copytree(Study.open("hta_duo").folder, tmp_path / "studies" / name)
    path = tmp_path / "studies" / "wrong" / "study.yaml"
    path.write_text(path.read_text().replace("subject: num_sujeto", "subject: num_sujetos"), encoding="utf-8")
    monkeypatch.setenv(STUDIES, str(tmp_path / "studies"))
    monkeypatch.setenv(BUILDS, str(tmp_path / "builds"))
    return tmp_path


@pytest.mark.soak
def test_a_portfolio_gives_the_bytes_of_each_build_alone_and_says_which_failed(
    prefect_home: Path, studies: Path
) -> None:
    from flows.portfolio import portfolio

    with pytest.raises(NeutralError, match=r"^1 of 3 studies: wrong: .*num_sujetos") as raised:
        portfolio(["one", "wrong", "two"], source="exports", at_once=2)
    assert raised.value.exit_code == 1
    for name in ("one", "two"):
        folder = studies / "studies" / name
        alone = RunRequest.of(str(folder), str(folder / "redcap"), out=studies / "alone" / name)
        build(alone, StagePrinter(quiet=True))
        made = (studies / "builds" / name).resolve()
        assert hashes(made) == hashes((studies / "alone" / name).resolve())
    assert not (studies / "builds" / "wrong").exists()


@pytest.mark.soak
def test_a_study_named_twice_is_refused(prefect_home: Path) -> None:
    from flows.portfolio import portfolio

    with pytest.raises(NeutralError, match="is named twice"):
        portfolio(["hta_duo", "hta_duo"], source="exports")
