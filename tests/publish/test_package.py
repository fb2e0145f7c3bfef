"""The package: switched in whole, locked, kept from harm by builds that stop or are killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metadata.errors import OutsideError, StudyError, UsageError
from publish import manifest
from publish.package import Build
from tests.publish.small_package import inputs, study_folder, whole_package

ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16
ROOT = Path(__file__).resolve().parents[2]


def built(out: Path, package: str = ONE, text: str = "one") -> Path:
    with Build(out, package, "Study 1") as build:
        (build.layout.reports / "index.html").write_text(text, "utf-8")
        return build.publish()


def page(out: Path) -> str:
    return (out / "reports" / "index.html").read_text("utf-8")


def kept(out: Path) -> list[str]:
    return sorted(path.name for path in out.with_name(f"{out.name}.d").iterdir() if path.name != ".lock")


def test_out_is_a_link_to_the_package(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "study"
    assert built(out) == tmp_path / "deep" / "study.d" / ONE
    assert out.readlink() == Path("study.d") / ONE
    assert page(out) == "one"
    folders = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_dir())
    assert folders == [
        "lineage",
        "m5",
        "m5/datasets",
        "m5/datasets/study-1",
        "m5/datasets/study-1/analysis",
        "m5/datasets/study-1/analysis/adam",
        "m5/datasets/study-1/analysis/adam/datasets",
        "m5/datasets/study-1/tabulations",
        "m5/datasets/study-1/tabulations/sdtm",
        "parquet",
        "parquet/adam",
        "parquet/sdtm",
        "reports",
        "validation",
    ]
    assert sorted(path.name for path in out.parent.iterdir()) == ["study", "study.d"]


def test_the_old_package_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    with Build(out, TWO, "S") as build:
        (build.layout.reports / "index.html").write_text("two", "utf-8")
        assert page(out) == "one"
        build.publish()
    assert page(out) == "two"


def test_earlier_packages_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "study"
    for package in (ONE, TWO, THREE):
        built(out, package, package)
    assert kept(out) == [ONE, TWO, THREE]
    built(out, THREE, "again")
    assert (kept(out), page(out)) == ([ONE, TWO, THREE], "again")
    built(out, TWO, "back")
    assert (kept(out), page(out)) == ([ONE, TWO, THREE], "back")
    assert (out.with_name("study.d") / ONE / "reports" / "index.html").read_text("utf-8") == ONE


def test_a_rebuild_of_the_same_id_takes_its_place(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    built(out, ONE, "again")
    assert (page(out), kept(out)) == ("again", [ONE])
    assert out.readlink() == Path("study.d") / ONE


def test_a_build_that_is_not_published_leaves_no_trace(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    with Build(out, TWO, "S") as build:
        (build.layout.reports / "index.html").write_text("two", "utf-8")
    with pytest.raises(KeyError), Build(out, TWO, "S"):
        raise KeyError
    assert (page(out), kept(out)) == ("one", [ONE])


def test_a_study_that_is_not_fit_leaves_its_findings_beside(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    with pytest.raises(StudyError), Build(out, TWO, "S") as build:
        (build.layout.validation / "queries.csv").write_text("q", "utf-8")
        raise StudyError("keys of AE are not unique")
    stopped = tmp_path / "study.stopped"
    assert (stopped / "queries.csv").read_text("utf-8") == "q"
    assert (stopped / "reason.txt").read_text("utf-8") == "keys of AE are not unique\n"
    assert (page(out), kept(out)) == ("one", [ONE])


def test_the_newest_findings_replace_older_ones_and_a_package_clears_them(tmp_path: Path) -> None:
    out = tmp_path / "study"
    for reason in ("first", "second"):
        with Build(out, TWO, "S") as build:
            build.stop(reason)
    assert (tmp_path / "study.stopped" / "reason.txt").read_text("utf-8") == "second\n"
    assert not out.exists()
    built(out)
    assert not (tmp_path / "study.stopped").exists()


def test_a_second_build_is_refused_by_name_of_the_first(tmp_path: Path) -> None:
    out = tmp_path / "study"
    sentence = rf"another build \(process {os.getpid()}\) is writing .*study; wait until it ends"
    with Build(out, ONE, "S"), pytest.raises(OutsideError, match=sentence), Build(out, TWO, "S"):
        pass
    built(out)
    assert kept(out) == [ONE]


def test_the_lock_of_a_killed_build_is_free(tmp_path: Path) -> None:
    out = tmp_path / "study"
    program = (
        "import sys, time; from pathlib import Path; from publish.package import Build\n"
        f"with Build(Path(sys.argv[1]), '{TWO}', 'S'): print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(OutsideError, match=rf"process {process.pid}\)"), Build(out, ONE, "S"):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept(out) == [f".building-{TWO}"]
    built(out)
    assert kept(out) == [ONE]


@pytest.mark.parametrize("package", [ONE, "0" * 16], ids=["another id", "the same id"])
def test_a_build_killed_at_any_step_leaves_a_whole_package(tmp_path: Path, package: str) -> None:
    program = [sys.executable, "-m", "tests.publish.kill_at_every_step", str(tmp_path), package]
    run = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    steps = [line.split()[1] for line in run.stdout.splitlines()]
    assert steps.count("old") > 20, "the old package must have been seen for most of the build"
    assert steps.count("new") > 0, "the new package must have been seen after the switch"
    assert steps == sorted(steps, reverse=True), "once switched, the old package never comes back"


SLOW = """
import sys
from pathlib import Path
from publish.package import Build
print("ready", flush=True)
while True:
    with Build(Path(sys.argv[1]), sys.argv[2], "S") as build:
        for number in range(60):
            (build.layout.reports / f"{number}.html").write_text("new")
        (build.layout.reports / "index.html").write_text("new")
        build.publish()
"""


@pytest.mark.parametrize("delay", [0.02, 0.05, 0.11, 0.19])
def test_a_build_killed_at_some_moment_leaves_a_whole_package(tmp_path: Path, delay: float) -> None:
    out = tmp_path / "study"
    built(out, ONE, "old")
    process = subprocess.Popen([sys.executable, "-c", SLOW, str(out), TWO], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if page(out) == "new":
        assert [(out / "reports" / f"{number}.html").read_text("utf-8") for number in range(60)] == ["new"] * 60
    else:
        assert page(out) == "old"
    built(out, THREE, "next")
    assert page(out) == "next"


def test_an_ordinary_folder_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "study"
    out.mkdir()
    (out / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="study is not a package but an ordinary file or folder; choose another --out"):
        built(out)
    assert [path.name for path in tmp_path.rglob("*")] == ["study", "mine.txt"]


def test_a_link_that_no_build_made_is_not_replaced(tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "study"
    elsewhere.mkdir()
    out.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="study is a link that no build made"):
        built(out)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_of_the_users_own_at_the_place_of_findings_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "study.stopped").mkdir()
    (tmp_path / "study.stopped" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"study\.stopped was not made by a build that stopped"):
        built(tmp_path / "study")


def test_files_of_the_users_own_beside_the_packages_are_left(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    (tmp_path / "study.d" / "notes").mkdir()
    for package in (TWO, THREE):
        built(out, package)
    assert kept(out) == [ONE, TWO, THREE, "notes"]


def test_a_file_in_the_way_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OutsideError, match=r"cannot write to .*: Not a directory"):
        built(tmp_path / "file" / "study")


def test_a_full_disk_is_a_failure_outside(tmp_path: Path) -> None:
    out = tmp_path / "study"
    built(out)
    with (
        pytest.raises(OutsideError, match=r"cannot write to .*: No space left on device") as caught,
        Build(out, TWO, "S"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.exit_code == 3
    assert (page(out), kept(out)) == ("one", [ONE])


def test_the_id_follows_the_snapshot_the_mapping_and_the_options(tmp_path: Path) -> None:
    study = study_folder(tmp_path / "study")
    first = manifest.package_id(inputs(study))
    assert first == manifest.package_id(inputs(study))
    assert manifest.package_id(inputs(study, snapshot_id="abd")) != first
    assert manifest.package_id(inputs(study, options={"cutoff": "2000-12-31"})) != first
    (tmp_path / "study" / "redcap" / "records.csv").write_text("record_id\n2\n", "utf-8")
    assert manifest.package_id(inputs(study)) == first  # the snapshot's id covers the records
    (tmp_path / "study" / "sdtm" / "ae.yaml").write_text("domain: AE\n#\n", "utf-8")
    assert manifest.package_id(inputs(study)) != first


def test_the_id_does_not_follow_the_place_of_the_study(tmp_path: Path) -> None:
    first, second = (study_folder(tmp_path / place / "study") for place in ("a", "b"))
    assert manifest.package_id(inputs(first)) == manifest.package_id(inputs(second))


def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    study = study_folder(tmp_path / "study")
    contents = []
    for place in ("here", "there"):
        folder = whole_package(tmp_path / place / "out", study)
        contents.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    assert contents[0] == contents[1]
    assert {path.as_posix() for path in contents[0]} == {
        "lineage/adsl.parquet",
        "lineage/ae.parquet",
        "m5/datasets/s-1/analysis/adam/datasets/adsl.xpt",
        "m5/datasets/s-1/tabulations/sdtm/ae.xpt",
        "manifest.json",
        "parquet/adam/adsl.parquet",
        "parquet/sdtm/ae.parquet",
    }


def test_the_manifest_names_every_file_and_what_it_was_made_from(tmp_path: Path) -> None:
    study = study_folder(tmp_path / "study")
    folder = whole_package(tmp_path / "out", study)
    content = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert content["synthetic"] is True
    assert content["package"] == folder.name
    assert content["snapshot"] == {"id": "abc", "date": "2001-12-31"}
    assert [entry["path"] for entry in content["inputs"]] == ["sdtm/ae.yaml", "study.yaml"]
    listed = {entry["path"]: (entry["size"], entry["sha256"]) for entry in content["files"]}
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    assert sorted(listed) == [path.relative_to(folder).as_posix() for path in found]
    for path in found:
        digest = subprocess.run(["sha256sum", str(path)], capture_output=True, text=True, check=True).stdout.split()[0]
        assert listed[path.relative_to(folder).as_posix()] == (path.stat().st_size, digest)


def test_a_studys_own_code_is_announced(tmp_path: Path) -> None:
    study = study_folder(tmp_path / "study")
    (tmp_path / "study" / "derivations.py").write_text("x = 1\n", "utf-8")
    assert manifest.describe(inputs(study))["study_code"] == ["derivations.py"]


@pytest.mark.parametrize("block", [1, 5, 11, 1000])
def test_a_picture_is_found_wherever_the_blocks_of_a_file_end(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publish.manifest.BLOCK", block)
    texts = {
        "a.html": b"<p>x <svg></svg>",
        "b.html": b"<p><sv g>",
        "c.rtf": b"{\\pict\\pngblip 00}",
        "d.rtf": b"{\\png blip}",
    }
    files = [tmp_path / name for name in texts]
    for path in files:
        path.write_bytes(texts[path.name])
    assert [path.name for path in files if manifest._has_picture(path)] == ["a.html", "c.rtf"]
