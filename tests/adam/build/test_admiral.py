"""The page of derivations says of each which functions of admiral it answers, and of each function what answers it."""

from __future__ import annotations

import pytest

from adam.build import admiral
from adam.build.specification import read_steps  # noqa: F401  registers all derivations
from adam.language.derivation import DERIVATIONS

FAMILIES = ("derive_", "compute_", "create_", "convert_", "call_", "restrict_", "slice_", "transform_")


def test_each_derivation_answers_a_function_or_says_that_there_is_none() -> None:
    answered = {word for answer in admiral.answers().values() for word in answer.words}
    alone = set(admiral.alone())
    assert answered | alone == set(DERIVATIONS)
    assert not answered & alone


def test_the_functions_are_about_all_that_admiral_has() -> None:
    found = admiral.answers()
    assert len(found) >= 70 and all(name.startswith(FAMILIES) for name in found)
    assert all(answer.how for answer in found.values())
    unanswered = {name for name, answer in found.items() if not answer.words}
    assert unanswered == {"call_derivation", "restrict_derivation", "slice_derivation"}


@pytest.mark.parametrize(("word", "said"), [("grade", "derive_var_atoxgr_dir"), ("spaced", "has no function for it")])
def test_the_section_of_a_derivation_says_it(word: str, said: str) -> None:
    assert said in admiral.sentence(word)
