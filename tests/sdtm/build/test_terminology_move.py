"""Another terminology package beside the pinned one: what it changes for a study, and the move to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metadata.errors import StudyError, UsageError
from metadata.standards import FOLDER
from metadata.study import Study
from metadata.terminology import Terminology, pinned_path
from sdtm.build.pinned_codelists import pin
from sdtm.build.terminology_move import TerminologyChange, pin_newer

SHIPPED = FOLDER / "sdtm-ct-2019-09-27.csv"
SEVERE = "C66769,AESEV,Severity/Intensity Scale for Adverse Events,N,C41340,SEVERE,"
CHANGES = (
    ("C66731,SEX,Sex,N,C16576,F,", "C66731,SEX,Sex,Y,C16576,F,"),
    (SEVERE, SEVERE.replace("SEVERE", "GRAVE")),
    (SEVERE.replace("C41340,SEVERE", "C41339,MODERATE"), SEVERE.replace("C41340,SEVERE", "C99999,MODERATE")),
)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The shipped package with one term renamed, one code changed, one list opened, one term gone and one new."""
    text = SHIPPED.read_text("utf-8")
    for before, after in CHANGES:
        assert text.count(before) == 1
        text = text.replace(before, after)
    lines = [line for line in text.splitlines() if not line.startswith("C66742,NY,No Yes Response,N,C17998,U,")]
    assert len(lines) == len(text.splitlines()) - 1
    lines.append("C71620,UNIT,Unit,Y,C123456,furlong,Furlong,")
    file = tmp_path / "newer.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def test_what_a_newer_package_changes_is_reported(small: Any, newer: Path) -> None:
    move = pin_newer(small.study(), newer, "2031-01-01")
    assert move.path.name == "sdtm-ct-2031-01-01.csv" and move.path.is_file()
    assert {change for change in move.changes if change.codelist in ("SEX", "AESEV", "NY", "UNIT")} == {
        TerminologyChange("SEX", "", "is now extensible"),
        TerminologyChange("AESEV", "SEVERE", "is now 'GRAVE'"),
        TerminologyChange("AESEV", "MODERATE", "has the concept code C99999, not C41339"),
        TerminologyChange("NY", "U", "is gone"),
        TerminologyChange("UNIT", "", "new terms: furlong"),
    }


def test_packages_lie_side_by_side_and_the_study_moves_by_its_version(small: Any, newer: Path) -> None:
    pin(small.study())
    pin_newer(small.study(), newer, "2031-01-01")
    assert "SEVERE" in Terminology.open(small.study()).codelist("AESEV").terms
    declared = small.folder / "study.yaml"
    declared.write_text(declared.read_text().replace("sdtm_ct: 2019-09-27", "sdtm_ct: 2031-01-01"))
    moved = Study.open(small.folder)
    assert pinned_path(moved).is_file() and "GRAVE" in Terminology.open(moved).codelist("AESEV").terms
    assert pinned_path(moved).with_name("sdtm-ct-2019-09-27.csv").is_file()


def test_an_extension_that_the_newer_package_has_can_go(small: Any, newer: Path) -> None:
    (small.folder / "terminology.yaml").write_text("extensions:\n  UNIT: {furlong: A long one}\n")
    move = pin_newer(small.study(), newer, "2031-01-01")
    said = TerminologyChange("UNIT", "furlong", "is in the package (C123456): the extension can go")
    assert said in move.changes
    assert any("codelist UNIT has the term 'furlong' already: remove it" in problem for problem in move.problems)


def test_an_extension_of_a_term_that_the_package_has_is_refused(small: Any) -> None:
    (small.folder / "terminology.yaml").write_text("extensions:\n  UNIT:\n    sec: Second\n")
    with pytest.raises(StudyError, match=r"line 3, key 'sec': codelist UNIT has the term 'sec' already: remove it"):
        Terminology.open(small.study())


@pytest.mark.parametrize("release", ["2031", "2031-13-01", "next", "2031-01-01T00:00:00"])
def test_a_release_is_a_date(small: Any, newer: Path, release: str) -> None:
    with pytest.raises(UsageError, match="is its date, YYYY-MM-DD"):
        pin_newer(small.study(), newer, release)


def test_the_pinned_release_is_not_its_own_successor(small: Any, newer: Path) -> None:
    with pytest.raises(UsageError, match="leave --package out"):
        pin_newer(small.study(), newer, "2019-09-27")
