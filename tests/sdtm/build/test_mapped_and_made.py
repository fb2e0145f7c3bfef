"""What a mapping gives and the software makes as well: refused, or honoured where that makes sense."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import StudyError
from metadata.terminology import Terminology
from sdtm.build.engine import Engine
from sdtm.build.mapped_and_made import check_mapped
from sdtm.build.study_mapping import read_mapping
from tests.sdtm.conftest import MAPPINGS, STUDY


def with_pattern(small: Any, pattern: str) -> None:
    text = STUDY.replace("identity: {subject: subj,", f"identity: {{subject: subj, usubjid: '{pattern}',")
    (small.folder / "study.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("pattern", "usubjid"),
    [
        ("{studyid}-{site}-{subject}", "SMALL-01-01-7"),
        ("{subject}", "01-7"),
        ("X{studyid}.{subject}", "XSMALL.01-7"),
        ("{studyid}-{site}", ""),
        ("{studyid}-{sbject}", ""),
        ("{subject}}", ""),
    ],
)
def test_usubjid_is_written_as_the_study_says(small: Any, pattern: str, usubjid: str) -> None:
    with_pattern(small, pattern)
    small.subject("7")
    small.row("7", "log", "event", "1", told="Fall")
    if not usubjid:
        with pytest.raises(StudyError, match=r"the place \{subject\}"):
            check_identity_of(small)
        return
    made = small.tabulate().datasets
    found = {name: set(one.coded("USUBJID").held) for name, one in made.items() if "USUBJID" in one.frame}
    assert found == {**{name: {usubjid} for name in ("AE", "DM", "EX", "SE", "SV")}, "LB": set()}
    methods = {name: made[name].metadata.variable("USUBJID").method for name in ("AE", "DM")}
    assert set(methods.values()) == {f"{pattern}, with STUDYID, SITEID and the subject's number in its places."}


def test_dm_needs_to_know_where_siteid_comes_from(small: Any) -> None:
    path = small.folder / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(', site: {north: "01"}', ""), encoding="utf-8")
    study = small.study()
    with pytest.raises(StudyError, match="where SITEID comes from, which DM needs"):
        read_mapping(study, study.project(), Terminology.open(study))


def check_identity_of(small: Any) -> None:
    """Raise what a check of study.yaml says."""
    from metadata.study_check import check_study

    study = small.study()
    for error in check_study(study, study.project()):
        raise error


def test_a_mapped_epoch_is_honoured(small: Any) -> None:
    small.write("ae", MAPPINGS["ae"].replace("    AESER:", "    EPOCH: {constant: FOLLOW-UP}\n    AESER:"))
    small.subject()
    small.row("1", "log", "event", "1", told="Fall", from_y="2000", from_m="4", from_d="7")
    assert small.frame("AE")["EPOCH"].tolist() == ["FOLLOW-UP"]
    assert small.frame("EX")["EPOCH"].tolist() == ["TREATMENT"]


def test_every_variable_that_a_step_makes_is_refused(small: Any) -> None:
    """Whatever a step makes of other variables: mapped, it would be overwritten in silence."""
    from metadata.terminology import Terminology
    from sdtm.build.study_mapping import read_mapping

    study = small.study()
    terminology = Terminology.open(study)
    mapping = read_mapping(study, study.project(), terminology)
    engine = Engine(study, terminology, mapping.domains, None, None)  # type: ignore[arg-type]
    for domain, made in mapping.domains.items():
        names = {given.partition(".")[2] for step in engine.derived_steps(made) for given in step.gives}
        assert names or domain in ("SE", "SV")
        for name in names & set(made.by_name) - {"EPOCH"}:
            operation = next(iter(made.blocks[0].variables.values()), None)
            if operation is None:
                continue
            made.blocks[0].variables[name] = operation
            made.__dict__.pop("operations", None)
            with pytest.raises(StudyError, match=f"{name} is made by the software"):
                check_mapped(study, terminology, mapping.domains)
            del made.blocks[0].variables[name]
            made.__dict__.pop("operations", None)
