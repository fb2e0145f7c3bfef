"""No byte of a blinded package depends on the real list, which no run reads before an unblinding."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows.check import problems_of
from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import NOT_ACCEPTED, RunRequest
from metadata.study import BUNDLED, Study
from release.recording import Decision
from release.unblinding import unblind
from tests.flows.conftest import Answer
from tests.flows.test_other_sources_page import write
from tests.release.candidates import RECORDED

Command = Callable[..., Answer]
BLINDING = "blinding: {list: list, dummy: sources/dummy.csv}\n"
DUMMY = "number,patient,arm\nR1,007,A\nR2,008,A\n"
REAL = {"one": "number,patient,arm\nR1,007,P\nR2,008,A\n", "other": "number,patient,arm\nR1,007,A\nR2,008,P\n"}
BORIS = ("--name", "Boris Stein", "--role", "statistician", "--reason", "Database locked.")
MARK = "Blinded: treatments are a dummy allocation"


@dataclass(frozen=True)
class BlindedStudy:
    """The study of docs/other-sources.md with a dummy list, and REDCap's exports of it elsewhere."""

    folder: Path
    exports: Path

    def allocate(self, real: str) -> None:
        """Put a real list in its place, or none."""
        path = self.folder / "sources" / "list.csv"
        path.unlink(missing_ok=True)
        if real:
            path.write_text(real, "utf-8")

    def built(self, out: Path, unblinded: bool = False, until: str = "package", source: Path | None = None) -> Path:
        """Build from the exports, or from a snapshot, and return the folder of snapshots' newest."""
        at = str(source or self.exports)
        request = RunRequest.of(str(self.folder), at, out=out, until=until, unblinded=unblinded)
        return build(request, StagePrinter(quiet=True)).snapshot


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> BlindedStudy:
    folder = write(tmp_path_factory.mktemp("blinded") / "parts")
    made = BlindedStudy(folder, folder.parent / "redcap")
    (folder / "study.yaml").write_text((folder / "study.yaml").read_text("utf-8") + BLINDING, "utf-8")
    (folder / "sources" / "dummy.csv").write_text(DUMMY, "utf-8")
    (folder / "approvers.yaml").write_text(RECORDED, "utf-8")
    (folder / "redcap").rename(made.exports)
    (folder / "redcap").mkdir()
    for path in made.exports.iterdir():
        if path.name != "records.csv":
            (folder / "redcap" / path.name).write_bytes(path.read_bytes())
    return made


def files(package: Path) -> dict[str, bytes]:
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*") if path.is_file()}


def arms(package: Path) -> list[str]:
    return pd.Series(pq.read_table(package / "parquet" / "sdtm" / "dm.parquet")["ARM"].to_pylist()).tolist()


@pytest.mark.soak
def test_the_open_package_has_the_same_bytes_whatever_the_allocation(study: BlindedStudy, tmp_path: Path) -> None:
    packages = {}
    for name, real in REAL.items():
        study.allocate(real)
        snapshot = study.built(tmp_path / name / "open")
        assert all(text.encode() not in path.read_bytes() for path in snapshot.rglob("*.csv") for text in REAL.values())
        packages[name] = files((tmp_path / name / "open").resolve())
    assert packages["one"].keys() == packages["other"].keys()
    differing = [name for name, content in packages["one"].items() if content != packages["other"][name]]
    assert differing == []
    named = [name for name, content in packages["one"].items() if b"list.csv" in content]
    assert named == [], "study.yaml is not in a package, and nothing else names the real list"
    _says_that_it_is_blinded(packages["one"])


def _says_that_it_is_blinded(package: dict[str, bytes]) -> None:
    assert b'"blinding": "blinded"' in package["manifest.json"]
    for name in ("index.html", "validation/queries.html", "validation/conformance.html", "validation/acceptance.html"):
        assert MARK.encode() in package[name], name
    for name in (name for name in package if name.endswith("define.xml")):
        assert MARK.encode() in package[name], name
    for name in (name for name in package if name.endswith(".xpt")):
        assert b"(dummy arms)" in package[name], name
    assert b"dummy arms" in package["parquet/sdtm/dm.parquet"]


def test_open_and_closed_are_two_packages_of_one_snapshot(
    study: BlindedStudy, tmp_path: Path, command: Command
) -> None:
    study.allocate(REAL["one"])
    log = study.folder.with_name("parts.approvals.jsonl")
    log.unlink(missing_ok=True)
    snapshot = study.built(tmp_path / "open", until="sdtm")
    closed = ("run", study.folder, "--source", snapshot, "--until", "sdtm", "--unblinded", "--out", tmp_path / "closed")
    refused = "the study is blinded: the role 'statistician' has not opened this list"
    command(*closed).assert_one_sentence(1, refused)
    answer = command("unblind", study.folder, "--name", "Ana Ruiz", "--role", "data manager", "--reason", "Now.")
    answer.assert_one_sentence(2, "the role 'data manager' does not unblind")
    assert command("unblind", study.folder, *BORIS).code == 0
    answer = command(*closed)
    assert answer.code == NOT_ACCEPTED, answer  # what the study of the page lacks
    assert arms(tmp_path / "open") == ["Active", "Active"] and arms(tmp_path / "closed") == ["Placebo", "Active"]
    assert b"Unblinded: not for anyone who is blinded" in files(tmp_path / "closed")["validation/queries.html"]
    before = files(tmp_path / "open")
    study.allocate("")
    assert study.built(tmp_path / "open", until="sdtm", source=snapshot) == snapshot
    assert files(tmp_path / "open") == before

    study.allocate(REAL["other"])
    command(*closed).assert_one_sentence(1, refused)
    study.allocate(REAL["one"])
    assert command("unblind", study.folder, *BORIS, "--close").code == 0
    command(*closed).assert_one_sentence(1, "the list stays closed: Boris Stein (statistician) said so")
    log.write_bytes(log.read_bytes().replace(b"Database locked", b"Database closed", 1))
    command(*closed).assert_one_sentence(2, "line 1: the record was changed after it was written")
    study.allocate("")
    command(*closed).assert_one_sentence(2, "is not there")


def test_a_snapshot_with_another_list_than_the_dummy_is_not_built(
    study: BlindedStudy, tmp_path: Path, command: Command
) -> None:
    """Such as one that was taken before the study was declared blinded."""
    study.allocate("")
    (study.folder / "sources" / "dummy.csv").write_text(REAL["one"], "utf-8")
    snapshot = study.built(tmp_path / "open", until="snapshot")
    (study.folder / "sources" / "dummy.csv").write_text(DUMMY, "utf-8")
    answer = command("run", study.folder, "--source", snapshot, "--until", "sdtm", "--out", tmp_path / "x")
    answer.assert_one_sentence(1, "the snapshot has another list than sources/dummy.csv: take it again, blinded")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("blinding: {list: lst, dummy: sources/dummy.csv}", "'lst' is none of the sources (did you mean 'list'?)"),
        ("blinding: {list: list, dummy: sources/list.csv}", "the dummy is the real list"),
        ("blinding: {list: list, dummy: dummy.csv}", "the list of a blinded study lies in sources/"),
        ("blinding: {list: list}", "needs the key 'dummy'"),
    ],
)
def test_a_declaration_that_does_not_fit(tmp_path: Path, command: Command, declared: str, words: str) -> None:
    folder = write(tmp_path / "parts")
    (folder / "study.yaml").write_text((folder / "study.yaml").read_text("utf-8") + declared + "\n", "utf-8")
    answer = command("check", folder, "--json")
    assert answer.code == 1 and words in answer.out, answer.out


def blinded_trial(folder: Path) -> tuple[Path, pd.DataFrame]:
    """Return the bundled study of two arms with its arms from a list, and the list of who got which."""
    shutil.copytree(BUNDLED / "hta_duo", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    records = pd.read_csv(BUNDLED / "hta_duo/redcap/records_locked.csv", dtype="str", keep_default_na=False)
    allocation = records.loc[records["brazo"] != "", ["num_sujeto", "brazo"]].set_axis(["patient", "arm"], axis=1)
    _replace(folder / "study.yaml", "\nvisits:", f"{LIST_OF_TRIAL}\nvisits:")
    _replace(folder / "sdtm/dm.yaml", "{field: brazo,", "{field: list_arm,")
    _replace(folder / "sdtm/not_submitted.yaml", "\nfields:\n", "\nfields:\n  brazo: The list says it\n")
    (folder / "approvers.yaml").write_text(RECORDED, "utf-8")
    (folder / "sources").mkdir()
    shuffled = allocation.assign(arm=allocation["arm"].to_numpy()[::-1])
    shuffled.to_csv(folder / "sources/dummy.csv", index=False)
    return folder, allocation


LIST_OF_TRIAL = """
sources:
  list:
    file: sources/list.csv
    label: Randomisation list
    subject: patient
    key: [patient]
    fields:
      list_arm: {column: arm, label: Arm, choices: {1: Candesartan, 2: Amlodipine}}
blinding: {list: list, dummy: sources/dummy.csv}
"""


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.soak
def test_tables_and_analyses_of_a_trial_do_not_tell_its_arms(tmp_path: Path) -> None:
    folder, allocation = blinded_trial(tmp_path / "trial")
    assert problems_of(str(folder)) == []
    trial = BlindedStudy(folder, BUNDLED / "hta_duo/redcap")
    packages = {}
    for name, arms_of in {"one": {"1": "1", "2": "2"}, "other": {"1": "2", "2": "1"}}.items():
        trial.allocate(allocation.assign(arm=allocation["arm"].map(arms_of)).to_csv(index=False))
        trial.built(tmp_path / name / "open")
        packages[name] = files((tmp_path / name / "open").resolve())
    assert packages["one"] == packages["other"]
    assert sum(name.startswith("reports/") for name in packages["one"]) > 10
    _says_that_it_is_blinded(packages["one"])
    marked = [name for name, content in packages["one"].items() if name.endswith(".rtf") and b"dummy" in content]
    assert marked == [name for name in packages["one"] if name.endswith(".rtf")] != []
    unblind(trial_study := Study.open(folder), Decision("Boris Stein", "statistician", "unblinded", "Locked."))
    trial.built(tmp_path / "closed" / "closed", unblinded=True)
    told = dict(zip(allocation["patient"], allocation["arm"].map({"1": "AMLO", "2": "CAND"}), strict=True))
    dm = pq.read_table(tmp_path / "closed/closed/parquet/sdtm/dm.parquet").to_pandas()
    randomised = dm[dm["ARMCD"].fillna("") != ""]
    assert dict(zip(randomised["SUBJID"], randomised["ARMCD"], strict=True)) == told
    assert trial_study.blinding == "blinded"
