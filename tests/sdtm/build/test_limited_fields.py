"""Fields that a mapping reads under a condition only are named with its place."""

from __future__ import annotations

from typing import Any

from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.limited_fields import limited_fields
from sdtm.build.study_mapping import read_mapping


def found(small: Any) -> dict[str, str]:
    study = Study.open(str(small.folder))
    return limited_fields(read_mapping(study, study.project(), Terminology.open(study)))


def test_the_condition_of_the_only_block_that_reads_a_field_is_named(small: Any) -> None:
    assert not {"told", "bad"} & {*found(small)}
    body = (small.folder / "sdtm" / "ae.yaml").read_text(encoding="utf-8")
    small.write("ae", body.replace("  form: event\n", "  form: event\n  where: {bad: 1}\n  events: [log_arm_1]\n"))
    limits = found(small)
    line = body.splitlines().index("  form: event") + 2
    assert limits["told"].endswith(f"/sdtm/ae.yaml, line {line}: where bad is 1 and events log_arm_1")
    assert "hb" not in limits
