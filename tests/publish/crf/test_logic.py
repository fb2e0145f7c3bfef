"""Branching logic in words."""

from __future__ import annotations

import pytest

from metadata.dictionary import Dictionary
from publish.crf.logic import in_words

CHOICES = "select_choices_or_calculations"
FIELDS = Dictionary.from_rows(
    [
        {"field_name": "id", "form_name": "one", "field_type": "text"},
        {"field_name": "sex", "form_name": "one", "field_type": "radio", CHOICES: "1, <b>F</b>|2, M"},
        {"field_name": "drug", "form_name": "one", "field_type": "checkbox", CHOICES: "1, A|9, Other"},
        {"field_name": "age", "form_name": "one", "field_type": "text"},
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("logic", "words"),
    [
        ("[sex] = '1'", "sex is 'F'"),
        ("[sex] <> '2' and [age] >= 18", "sex is not 'M' and age is at least 18"),
        ("'1' = [sex]", "sex is 'F'"),
        ("18 < [age]", "age is above 18"),
        ("[drug(9)] = '1'", "'Other' is ticked in drug"),
        ("[drug(9)] = '0' or [drug(1)] <> '1'", "'Other' is not ticked in drug or 'A' is not ticked in drug"),
        ("[age] <> ''", "age is not blank"),
        ("[visit_1_arm_1][sex] = '2'", "sex of event visit_1_arm_1 is 'M'"),
        ("([sex]='1' or [age]<5) and [drug(1)]='1'", "(sex is 'F' or age is below 5) and 'A' is ticked in drug"),
        ("not ([sex] = '1')", "not (sex is 'F')"),
        ("sum([age], 2) > 3", "sum([age], 2) is above 3"),
        ("[sex] = '7'", "sex is 7"),
        ("[user-role] = $", "[user-role] = $"),
    ],
)
def test_logic_is_said_in_words(logic: str, words: str) -> None:
    assert in_words(logic, FIELDS) == words
