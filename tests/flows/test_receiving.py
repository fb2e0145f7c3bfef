"""A study's own SDTM, received as if others had made it, gives the same analysis; what cannot be analysed stops it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from metadata.study import BUNDLED
from metadata.study_declaration import OF_REDCAP
from tests.flows.conftest import STUDY, Answer

pytestmark = pytest.mark.xdist_group("package")
KEPT = (
    "adam",
    "verify",
    "reports.yaml",
    "sap.md",
    "conformance.yaml",
    "guides.yaml",
    "terminology",
    "terminology.yaml",
)


@pytest.fixture(scope="module")
def received(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled study without its REDCap project, beginning with the transport files of its package."""
    folder = tmp_path_factory.mktemp("received") / "trial"
    folder.mkdir()
    for name in [*KEPT, *(path.name for path in (BUNDLED / STUDY).glob("*.csv") if path.name == "norms.csv")]:
        source = BUNDLED / STUDY / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.is_file():
            shutil.copyfile(source, folder / name)
    declared = yaml.safe_load((BUNDLED / STUDY / "study.yaml").read_text(encoding="utf-8"))
    kept = {key: value for key, value in declared.items() if key not in OF_REDCAP}
    kept["visits"] = [
        {key: value for key, value in visit.items() if key not in ("event", "forms")} for visit in kept["visits"]
    ]
    text = yaml.safe_dump({**kept, "input": {"sdtm": "sdtm"}}, allow_unicode=True, sort_keys=False)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    [tabulations] = (package / "m5").glob("datasets/*/tabulations/sdtm")
    shutil.copytree(tabulations, folder / "sdtm")
    return folder


def changed(received: Path, tmp_path: Path, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """The datasets received as parquet of another program, one of them changed."""
    folder = tmp_path / "sdtm"
    folder.mkdir()
    for path in sorted((received.parent / "plain").glob("*.parquet")):
        frame = pd.read_parquet(path)
        (change(frame) if path.stem == name else frame).to_parquet(folder / path.name)
    return folder


@pytest.fixture(scope="module")
def plain(received: Path, package: Path) -> Path:
    """A few of the datasets as parquet without any metadata."""
    folder = received.parent / "plain"
    folder.mkdir()
    for name in ("dm", "ae", "lb"):
        pd.read_parquet(package / "parquet" / "sdtm" / f"{name}.parquet").to_parquet(folder / f"{name}.parquet")
    return folder


def test_the_check_holds_variables_against_the_datasets(received: Path, command: Callable[..., Answer]) -> None:
    assert command("check", received).code == 0


def test_the_same_analysis_is_made(received: Path, package: Path, command: Callable[..., Answer]) -> None:
    out = received.parent / "adam"
    made = command("run", received, "--until", "adam", "--out", out)
    assert made.code == 0, made
    files = sorted(path.name for path in (package / "parquet" / "adam").glob("*.parquet"))
    assert len(files) > 8 and files == sorted(path.name for path in (out / "parquet" / "adam").glob("*.parquet"))
    for name in files:
        own, again = (pd.read_parquet(folder / "parquet" / "adam" / name) for folder in (package, out))
        pd.testing.assert_frame_equal(own, again)
    [copied] = (out / "m5").glob("datasets/*/tabulations/sdtm")
    for path in sorted((received / "sdtm").iterdir()):
        if path.suffix != ".html":
            assert (copied / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("dm", lambda frame: pd.concat([frame, frame.iloc[:2]]), "DM has 2 subjects twice, first USUBJID"),
        ("dm", lambda frame: frame.iloc[:0], "the SDTM has no DM with the subjects (USUBJID)"),
        ("ae", lambda frame: frame.assign(STUDYID="OTHER"), "AE is of the study 'OTHER', and study.yaml is of"),
        ("ae", lambda frame: frame.assign(USUBJID="NOBODY"), "of subjects that DM lacks, first 'NOBODY'"),
    ],
)
def test_what_cannot_be_this_study_stops_the_run(
    received: Path, plain: Path, tmp_path: Path, command: Callable[..., Answer], name: str,
    change: Callable[[pd.DataFrame], pd.DataFrame], sentence: str,
) -> None:  # fmt: skip
    folder = changed(received, tmp_path, name, change)
    command("run", received, "--source", folder, "--until", "sdtm", "--out", tmp_path / "out").assert_one_sentence(
        1, sentence
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "--records", "locked"), "--records is about REDCap's records"),
        (("run", "--until", "queries"), "give one of sdtm, adam, package"),
        (("run", "--source", "nowhere"), "there is no folder nowhere: give that of the study's SDTM"),
    ],
)
def test_what_is_about_records_is_refused(
    received: Path, command: Callable[..., Answer], arguments: tuple[str, ...], sentence: str
) -> None:
    program, *rest = arguments
    command(program, received, *rest).assert_one_sentence(2, sentence)


@pytest.mark.parametrize("program", [("monitor",), ("drift", "--against", "README.md")])
def test_a_command_for_records_says_that_there_are_none(
    received: Path, command: Callable[..., Answer], program: tuple[str, ...]
) -> None:
    name, *rest = program
    command(name, received, *rest).assert_one_sentence(1, "the study begins with datasets and has no REDCap project")


def test_the_tables_of_a_split_domain_and_odd_files(
    plain: Path, received: Path, tmp_path: Path, command: Callable[..., Answer]
) -> None:
    folder = tmp_path / "sdtm"
    folder.mkdir()
    for name in ("dm", "ae"):
        shutil.copyfile(plain / f"{name}.parquet", folder / f"{name}.parquet")
    tests = pd.read_parquet(plain / "lb.parquet")
    chemistry = tests["LBCAT"].eq(str(tests["LBCAT"].iloc[0]))
    tests[chemistry].to_parquet(folder / "lbch.parquet")
    tests[~chemistry].to_parquet(folder / "lbhe.parquet")
    shutil.copyfile(plain / "ae.parquet", folder / "my data.parquet")
    made = command("run", received, "--source", folder, "--until", "sdtm", "--out", tmp_path / "out")
    assert made.code == 4, "three datasets are no whole SDTM: conformance says so"
    joined = pd.read_parquet(tmp_path / "out" / "parquet" / "sdtm" / "lb.parquet")
    assert len(joined) == len(tests) and set(joined["LBSEQ"]) == set(tests["LBSEQ"])
    listed = pd.read_csv(tmp_path / "out" / "validation" / "received.csv", keep_default_na=False).set_index("file")
    assert listed["dataset"].to_dict() == {
        "ae.parquet": "AE", "dm.parquet": "DM", "lbch.parquet": "LB", "lbhe.parquet": "LB", "my data.parquet": "",
    }  # fmt: skip
    assert listed.loc["my data.parquet", "doubts"] == "not read: its name is not that of a dataset"
    assert listed["rows"].sum() == len(tests) + sum(
        len(pd.read_parquet(plain / f"{name}.parquet")) for name in ("dm", "ae")
    )
