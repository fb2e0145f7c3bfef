"""The programs are ASCII, keep every character of the declarations, and give each variable's derivation."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from metadata.study import Study
from publish.programs import ascii_text, write
from tests.publish.examples import make
from tests.publish.small_package import study_folder


def small_study(folder: Path) -> Study:
    study = study_folder(folder)
    (folder / "adam").mkdir()
    (folder / "adam" / "adsl.yaml").write_text("# Años\ndataset: ADSL\n", "utf-8")
    (folder / "reports.yaml").write_text("outputs: []\n", "utf-8")
    (folder / "verify").mkdir()
    (folder / "verify" / "verify.yaml").write_text("endpoints: []\n", "utf-8")
    (folder / "verify" / "week_12.sql").write_text("SELECT 1\n", "utf-8")
    return study


def test_what_is_written(tmp_path: Path) -> None:
    dataset = make(
        "ADSL", {"USUBJID": ["S1"], "AGE": [1.0]}, keys=("USUBJID",),
        AGE={"origin": "Derived", "method": "Years from birth to consent."},
    )  # fmt: skip
    paths = write(small_study(tmp_path / "study"), {"ADSL": dataset}, tmp_path / "programs")
    assert [path.name for path in paths] == [
        "adsl.txt", "outputs.txt", "second-derivation-declaration.txt", "second-derivation-week-12.txt",
    ]  # fmt: skip
    text = paths[0].read_text("ascii")
    assert "AGE  Label of AGE\n  Derived: Years from birth to consent.\n" in text
    assert "adam/adsl.yaml" in text and "# A\\xf1os\ndataset: ADSL\n" in text
    assert "SELECT 1" in paths[3].read_text("ascii")


@given(st.text(st.characters(exclude_characters="\\\r", exclude_categories=["Cs"])))
def test_no_character_is_lost(text: str) -> None:
    assert ascii_text(text).decode("ascii").encode("ascii").decode("unicode_escape") == text
