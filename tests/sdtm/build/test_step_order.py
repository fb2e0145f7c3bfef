"""The order of steps, from what they need and give."""

from __future__ import annotations

import pytest

from metadata.errors import StudyError
from sdtm.build.step_order import TabulationStep, in_order


def step(name: str, needs: set[str], gives: set[str]) -> TabulationStep:
    return TabulationStep(name, frozenset(needs), frozenset(gives), lambda: None)


def test_a_step_comes_after_those_that_give_what_it_needs() -> None:
    steps = [
        step("LB flag", {"DM.RFXSTDTC", "LB.LBDTC"}, {"LB.LBLOBXFL"}),
        step("DM RFXSTDTC", {"EX.EXSTDTC"}, {"DM.RFXSTDTC"}),
        step("EX records", set(), {"EX.EXSTDTC"}),
        step("LB records", set(), {"LB.LBDTC"}),
    ]
    names = [made.name for made in in_order(steps)]
    assert names.index("EX records") < names.index("DM RFXSTDTC") < names.index("LB flag")
    assert names.index("LB records") < names.index("LB flag")


def test_a_circle_is_named() -> None:
    steps = [step("A", {"y"}, {"x"}), step("B", {"x"}, {"y"})]
    with pytest.raises(StudyError, match=r"circle: (A needs B needs A|B needs A needs B)"):
        in_order(steps)
