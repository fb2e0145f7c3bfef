"""Verifying a package: any change of any file is named, and a manifest is not trusted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.dataset import Dataset
from metadata.errors import UsageError
from publish import manifest, parquet, xpt
from publish.verification import is_inside, verify
from tests.publish.examples import adverse_events
from tests.publish.small_package import study_folder, whole_package

AE = "m5/datasets/s-1/tabulations/sdtm/ae.xpt"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("verified")
    return whole_package(place / "out", study_folder(place / "study"))


@pytest.fixture
def package(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "package"))


def found(package: Path, seal: str = "") -> list[tuple[str, str]]:
    return [(one.kind, one.path) for one in verify(package, seal).findings]


def rewrite(package: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest and give it the hashes that a forger would."""
    content = json.loads((package / manifest.FILE).read_text())
    change(content)
    content[manifest.SAME] = manifest.same_everywhere(content)
    content[manifest.SEAL] = manifest.seal(content)
    (package / manifest.FILE).write_bytes(manifest.as_bytes(content))


def test_a_package_as_it_was_built_is_intact(package: Path) -> None:
    result = verify(package)
    assert result.intact
    assert result.files == len([path for path in package.rglob("*") if path.is_file()]) - 1
    assert found(package, result.sha256) == []


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_named(data: st.DataObject, built: Path) -> None:
    files = sorted(path for path in built.rglob("*") if path.is_file() and path.name != manifest.FILE)
    path = data.draw(st.sampled_from(files))
    kept = path.read_bytes()
    at, bit = data.draw(st.integers(0, len(kept) - 1)), data.draw(st.integers(0, 7))
    try:
        path.write_bytes(kept[:at] + bytes([kept[at] ^ (1 << bit)]) + kept[at + 1 :])
        assert found(built) == [("changed", path.relative_to(built).as_posix())]
    finally:
        path.write_bytes(kept)


def test_both_hashes_of_a_changed_file_are_given(package: Path) -> None:
    before = manifest.sha256(package / AE)
    (package / AE).write_bytes(b"other")
    (one,) = verify(package).findings
    assert (one.expected, one.found) == (before, manifest.sha256(package / AE))
    assert "of 5 bytes instead of" in one.sentence


def test_missing_and_added_files_are_named(package: Path) -> None:
    (package / AE).rename(package / "m5" / "ae.xpt")
    (package / ".hidden").write_text("x")
    assert found(package) == [("added", ".hidden"), ("added", "m5/ae.xpt"), ("missing", AE)]


def test_a_changed_manifest_is_named(package: Path) -> None:
    path = package / manifest.FILE
    path.write_text(path.read_text().replace('"2001-12-31"', '"2002-12-31"'))
    assert [kind for kind, _ in found(package)] == ["manifest", "manifest"]


def test_a_forged_manifest_is_not_the_one_that_was_kept(package: Path) -> None:
    kept = verify(package).sha256
    (package / AE).write_bytes(b"other")
    digest = manifest.sha256(package / AE)

    def forge(content: dict[str, Any]) -> None:
        next(one for one in content["files"] if one["path"] == AE).update(size=5, sha256=digest)

    rewrite(package, forge)
    assert found(package) == []
    assert found(package, kept) == [("manifest", "manifest.json")]


def test_the_id_follows_from_the_inputs(package: Path) -> None:
    rewrite(package, lambda content: content["inputs"].pop())
    (one,) = verify(package).findings
    assert "id does not follow" in one.sentence


def test_the_summary_of_the_conformance_is_the_one_that_lies_there(package: Path) -> None:
    rewrite(package, lambda content: content.update(conformance={"unexplained": 0}))
    (one,) = verify(package).findings
    assert "summary of the conformance" in one.sentence


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "m5/../../secret.txt", "m5//ae.xpt", "a\\b", ""])
def test_no_file_outside_is_opened(package: Path, path: str) -> None:
    (package.parent / "secret.txt").write_text("secret")
    entry = {"path": path, "size": 6, "sha256": manifest.sha256(package.parent / "secret.txt")}
    rewrite(package, lambda content: content["files"].append(entry))
    (one,) = verify(package).findings
    assert (one.kind, one.path) == ("manifest", path)
    assert "outside" in one.sentence and not one.found


def test_a_link_in_a_package_is_not_followed(package: Path) -> None:
    outside = package.parent / "ae.xpt"
    (package / AE).rename(outside)
    (package / AE).symlink_to(outside)
    assert found(package) == [("changed", AE)]
    (package / "lineage").rename(package.parent / "lineage")
    (package / "lineage").symlink_to(package.parent / "lineage")
    assert set(found(package)) == {
        ("changed", AE), ("added", "lineage"), ("missing", "lineage/ae.parquet"), ("missing", "lineage/adsl.parquet"),
    }  # fmt: skip


def test_a_link_to_a_package_is_followed(package: Path) -> None:
    (package.parent / "out").symlink_to(package)
    assert found(package.parent / "out") == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"package": 1}', "[" * 100_000])
def test_what_is_no_manifest_is_said(package: Path, text: str) -> None:
    (package / manifest.FILE).write_text(text)
    with pytest.raises(UsageError, match="not a manifest"):
        verify(package)


def test_a_folder_without_manifest_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a package"):
        verify(tmp_path)


def test_what_installed_libraries_change_stands_apart(package: Path) -> None:
    content = json.loads((package / manifest.FILE).read_text())
    depending = {one["path"] for one in content["files"] if "depends_on" in one}
    assert depending == {path.relative_to(package).as_posix() for path in package.rglob("*.parquet")}
    same = content[manifest.SAME]

    def other_machine(content: dict[str, Any]) -> None:
        content[manifest.INSTALLED]["pyarrow"] = "1.0"
        next(one for one in content["files"] if "depends_on" in one).update(sha256="0" * 64)

    rewrite(package, other_machine)
    assert json.loads((package / manifest.FILE).read_text())[manifest.SAME] == same
    rewrite(package, lambda content: content["files"][-3].update(sha256="0" * 64, path=AE))
    assert json.loads((package / manifest.FILE).read_text())[manifest.SAME] != same


@given(st.text(alphabet="ab./\\\0", max_size=8))
def test_a_path_inside_stays_inside(path: str) -> None:
    if is_inside(path):
        assert Path("/package", path).resolve().is_relative_to("/package")
        assert Path("/package", path).as_posix() == f"/package/{path}"


def written(package: Path, dataset: Dataset, form: str) -> str:
    """Write a dataset over the form of it in the package; return what is said of its place."""
    standard = "sdtm" if dataset.name == "AE" else "adam"
    if form == "xpt":
        path = next(package.glob(f"m5/**/{dataset.name.lower()}.xpt"))
        xpt.write(dataset, path, date(2001, 12, 31), standard)
    else:
        path = package / "parquet" / standard / f"{dataset.name.lower()}.parquet"
        parquet.write(dataset, path)
    (finding,) = verify(package).findings
    assert finding.path == path.relative_to(package).as_posix()
    return finding.place


def altered(row: int, variable: str, value: object) -> Dataset:
    dataset = adverse_events()
    frame = dataset.frame.copy()
    frame.loc[row, variable] = value
    return Dataset(dataset.metadata, frame)


@pytest.mark.parametrize("form", ["xpt", "parquet"])
@pytest.mark.parametrize(
    ("row", "variable", "value"),
    [(1, "AETERM", "Other"), (2, "AEVAL", 2.0), (1, "AEDY", 5.0), (0, "AEDY", float("nan"))],
)
def test_a_changed_value_is_named_by_record_and_variable(
    package: Path, form: str, row: int, variable: str, value: object
) -> None:
    said = written(package, altered(row, variable, value), form)
    key = ("USUBJID=S1-01;AESEQ=1", "USUBJID=S1-01;AESEQ=2", "USUBJID=S1-02;AESEQ=1")[row]
    twin = "parquet/sdtm/ae.parquet" if form == "xpt" else AE
    assert said == f"AE record {row + 1} ({key}), {variable}: the values are not those of {twin}"
    assert "Other" not in said and "Headache" not in said


def test_a_lost_record_a_label_and_a_header_are_named(package: Path) -> None:
    dataset = adverse_events()
    assert "2 records instead of 3" in written(package, Dataset(dataset.metadata, dataset.frame.iloc[:2]), "xpt")
    label = replace(dataset.metadata, label="Other")
    assert written(package, Dataset(label, dataset.frame), "xpt").endswith("the dataset's label is not")
    xpt.write(dataset, package / AE, date(2002, 1, 1), "sdtm")
    assert "the change is outside them" in verify(package).findings[0].place


def test_a_file_that_breaks_off_says_so(package: Path) -> None:
    (package / AE).write_bytes(b"other")
    assert verify(package).findings[0].place.startswith("it can no longer be read: ae.xpt is not a transport file")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_byte_is_changed_the_place_is_said_without_a_fault(data: st.DataObject, built: Path) -> None:
    paths = sorted(path for path in built.rglob("ae.*") if path.parent.name == "sdtm")
    path = data.draw(st.sampled_from(paths))
    kept = path.read_bytes()
    at, value = data.draw(st.integers(0, len(kept) - 1)), data.draw(st.integers(1, 255))
    try:
        path.write_bytes(kept[:at] + bytes([kept[at] ^ value]) + kept[at + 1 :])
        (finding,) = verify(built).findings
        assert finding.place.startswith(("AE: ", "AE.", "AE record ", "it can no longer be read: "))
    finally:
        path.write_bytes(kept)
