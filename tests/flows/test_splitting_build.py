"""A whole build whose transport files are larger than the study allows: parts are given, named, verified, inspected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from lxml import etree
from pypdf import PdfReader

from flows.inspecting import inspected
from flows.judging import judge
from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.study import BUNDLED, Study
from publish.verification import verify

pytestmark = pytest.mark.soak
STUDY, LARGEST = "hta_duo", 40_000


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the second study, with files of at most 40 kB."""
    folder = tmp_path_factory.mktemp("split") / STUDY
    shutil.copytree(BUNDLED / STUDY, folder, ignore=shutil.ignore_patterns("synthetic"))
    config = folder / "study.yaml"
    config.write_text(f"largest_file: {LARGEST}\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
    out = folder.with_name("out") / STUDY
    build(RunRequest.of(str(folder), source=str(folder / "redcap"), out=out), StagePrinter(quiet=True))
    return out


def transport(path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    frame, about = pyreadstat.read_xport(path)
    return frame, about.variable_storage_width


def wholes(package: Path) -> dict[Path, list[Path]]:
    """Return each transport file that is larger than allowed, with its parts in order."""
    large = [path for path in sorted(package.glob("m5/**/*.xpt")) if path.stat().st_size > LARGEST]
    return {path: sorted((path.parent / "split").glob(f"{path.stem}[0-9]*.xpt")) for path in large}


def test_every_large_file_is_given_whole_and_in_parts_of_equal_lengths(package: Path) -> None:
    found = wholes(package)
    assert len(found) > 3 and {path.parent.name for path in found} == {"sdtm", "datasets"}
    assert sorted(part for parts in found.values() for part in parts) == sorted(package.glob("m5/**/split/*.xpt"))
    for path, parts in found.items():
        whole, widths = transport(path)
        read = [transport(part) for part in parts]
        assert len(parts) > 1 and all(part.stat().st_size <= LARGEST for part in parts)
        assert all(own == widths for _, own in read)
        again = pd.concat([frame for frame, _ in read], ignore_index=True)
        assert list(again) == list(whole) and len(again) == len(whole)
        for name in whole:
            missing = whole[name].isna()
            assert (missing == again[name].isna()).all()
            assert np.array_equal(whole.loc[~missing, name].to_numpy(), again.loc[~missing, name].to_numpy())


def test_define_and_guides_name_the_parts(package: Path) -> None:
    guides = {"sdtm": "csdrg.pdf", "datasets": "adrg.pdf"}
    for path, parts in wholes(package).items():
        defined = etree.parse(path.with_name("define.xml"))
        comments = " ".join(str(text) for text in defined.xpath("//*[local-name()='CommentDef']//text()"))
        page = path.with_name("define.html").read_text(encoding="utf-8")
        guide = "".join(
            "".join((one.extract_text() or "").split())
            for one in PdfReader(path.with_name(guides[path.parent.name])).pages
        )
        for part in parts:
            assert f"split/{part.name}" in comments
            assert f"split/{part.name}" in page
            assert f"split/{part.name}" in guide


def test_the_package_is_verified_and_inspected(package: Path) -> None:
    listed = {one["path"] for one in json.loads((package / "manifest.json").read_text())["files"]}
    parts = {part.relative_to(package).as_posix() for parts in wholes(package).values() for part in parts}
    assert parts <= listed
    assert verify(package).findings == ()
    points = inspected(judge(package, Study.open(STUDY), None).result)
    assert [point["point"] for point in points if point["verdict"] == "failed"] == []
    assert all(point["verdict"] == "passed" for point in points if "split" in str(point) or "5 GB" in point["point"])


def test_a_changed_part_is_named(package: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(package.resolve(), copy)
    part = next(iter(wholes(copy).values()))[-1]
    content = bytearray(part.read_bytes())
    content[-90] ^= 1
    part.write_bytes(content)
    (finding,) = verify(copy).findings
    assert (finding.path, finding.kind) == (part.relative_to(copy).as_posix(), "changed")
