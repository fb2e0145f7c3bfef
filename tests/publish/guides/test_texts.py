"""guides.yaml: what it may say, and what is said where it is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.study import Study
from publish.guides.texts import GuideTexts, check_absent, guides_schema, read_texts, written


def study(folder: Path, text: str | None) -> Study:
    (folder / "study.yaml").write_text((Path(__file__).parents[3] / "mappings/hta_duo/study.yaml").read_text("utf-8"))
    if text is not None:
        (folder / "guides.yaml").write_text(text, encoding="utf-8")
    return Study(folder)


def test_a_study_without_the_file_gives_nothing(tmp_path: Path) -> None:
    found = read_texts(study(tmp_path, None))
    assert found == GuideTexts()
    assert written(found.adrg, "programs") == ["Not given by the study (guides.yaml, adrg: programs)."]


def test_blank_lines_part_paragraphs(tmp_path: Path) -> None:
    text = "acronyms: {X: Why}\ncsdrg:\n  protocol_design: |\n    One arm,\n    open.\n\n    Two years.\n"
    found = read_texts(study(tmp_path, text))
    assert written(found.csdrg, "protocol_design") == ["One arm, open.", "Two years."]
    assert found.acronyms == {"X": "Why"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("csdrg: {protocol_desing: x}\n", "did you mean 'protocol_design'"),
        ("adrg: {programs: ' '}\n", "programs"),
        ("acronyms: [X]\n", "acronyms"),
        ("sdrg: {}\n", "did you mean"),
    ],
)
def test_a_slip_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError) as told:
        read_texts(study(tmp_path, text))
    assert "guides.yaml, line 1" in str(told.value) and said in str(told.value)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("DM.ETHNIC", ""),
        ("DM.ETHNICC", "the guide lists no ETHNICC in DM (did you mean 'ETHNIC'?)"),
        ("DM.SEX", "DM.SEX is mapped, so it is not absent"),
        ("XX.ETHNIC", "is not a variable of a dataset of the study"),
    ],
)
def test_an_absent_variable_is_one_of_the_guide_that_is_not_mapped(tmp_path: Path, key: str, said: str) -> None:
    found = check_absent(study(tmp_path, f"csdrg: {{absent: {{{key}: Not asked}}}}\n"), {"DM": ["SEX"]})
    assert (said in str(found[0]) and "guides.yaml, line 1" in str(found[0])) if said else found == []


def test_the_schema_is_closed() -> None:
    assert guides_schema()["additionalProperties"] is False
