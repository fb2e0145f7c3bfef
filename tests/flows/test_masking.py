"""What a sentence keeps and what it loses: words of the study's files stay, a patient's values go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.error_messages import NOT_PUBLISHED, NeutralError
from flows.masking import knowing, quotes_masked, values_masked
from metadata.errors import StudyError, UsageError
from metadata.study import Study
from tests.flows.conftest import STUDY

LETTERS = st.text("abcdefghijklmnopqrstuvwxyz'\" ", min_size=3, max_size=20).map(lambda text: f"Zq{text}xv")
NUMBERS = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,4}[.,][0-9]{1,3}|[0-9]{3}-[0-9]{3}", fullmatch=True)
TEMPLATES = (
    "record {number}, field brthdat: '{text}' is not a date",
    "the value '{text}' of subject {number} has no term (and 3 more)",
    "record '{text}' has {number} in 2 rows and \"{text}\" in another",
)


@given(text=LETTERS, number=NUMBERS, template=st.sampled_from(TEMPLATES))
def test_no_value_stays(text: str, number: str, template: str) -> None:
    sentence = template.format(text=text, number=number)
    with knowing(Study.open(STUDY)):
        kept = values_masked(sentence)
    assert text not in kept and number not in kept
    assert kept.split()[0] == sentence.split()[0]


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (
            StudyError("EXTRT AZATHIOPRINE is in mg, but EXDOSU is 10^6 IU in 1 record(s)", "a/adex.yaml", 18, "k"),
            "a/adex.yaml, line 18, key 'k': EXTRT AZATHIOPRINE is in mg, but EXDOSU is 10^6 IU in 1 record(s)",
        ),
        (
            StudyError("there is no field 'ae_termm' (did you mean 'ae_term'?)", "a/ae.yaml", 7, "field"),
            "a/ae.yaml, line 7, key 'field': there is no field '...' (did you mean 'ae_term'?)",
        ),
        (
            StudyError("the project is no longer the one mapped: field aeterm is gone (read in sdtm/ae.yaml:12 x)"),
            "the project is no longer the one mapped: field aeterm is gone (read in sdtm/ae.yaml:12 x)",
        ),
        (StudyError(f"record 5 is odd{NOT_PUBLISHED}/b1/x.stopped"), f"record ... is odd{NOT_PUBLISHED}/b1/x.stopped"),
        (UsageError("save a block named 'redcap-token'"), "save a block named 'redcap-token'"),
        (UsageError("--records 'Zebedea' is not right"), "--records '...' is not right"),
    ],
)  # fmt: skip
def test_the_place_and_the_reason_stay(error: Exception, kept: str) -> None:
    with knowing(Study.open(STUDY)):
        assert str(NeutralError.of(error)) == kept


def test_without_a_study_every_quoted_text_goes() -> None:
    assert quotes_masked("the field 'age' of form 'dm' is odd") == "the field '...' is odd"


def test_a_code_of_digits_and_a_comment_of_the_mapping_are_no_words(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("codes: {7: Severe}  # subject 10-001\n")
    with knowing(type("Study", (), {"folder": tmp_path})()):  # type: ignore[arg-type]
        assert values_masked("'7' and 10-001 of Severe") == "'...' and ... of Severe"
