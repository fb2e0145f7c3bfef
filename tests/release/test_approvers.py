"""approvers.yaml is a closed format: each slip has its sentence with the line, and the JSON Schema knows the keys."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from metadata.errors import StudyError, UsageError
from release.approvers import approvers_schema, check_approvers, read_approvers
from tests.release.candidates import RECORDED, small_study

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP5+Gftn9Cm4jWApY/nabb8JTV9oTHviaVqoPm51ToY7 ana@example"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("strength: record", "strength: recorded", "'recorded' is not one of record, signature"),
        ("strength: record", "strength: signature", "each person needs a key, and Ana Ruiz has none"),
        ("strength: record", "strength: record\nfinals: [x, y]", "no key 'finals' (did you mean 'final'?)"),
        ("Boris Stein", "ana ruiz", "'ana ruiz' is listed twice"),
        ("Boris Stein", '""', "must be a text without blanks around it"),
        ("unblinding: [statistician]", "unblinding: [statistican]", "nobody has the role 'statistican' (did you mean"),
        (
            "unblinding: [statistician]",
            "final: [data manager, sponsor]",
            "a final release needs the role 'statistician'",
        ),
        ("unblinding: [statistician]", "final: [statistician]", "'final' must be a list of 2 or more"),
        ("roles: [statistician, builder]", "roles: [builder]", "nobody has the role 'statistician'"),
        (
            "{name: Boris Stein, roles: [statistician, builder]}",
            "{name: Bo, roles: [x], key: AAAA}",
            "a public key as its",
        ),
    ],
)
def test_slips_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    study = small_study(tmp_path / "study", RECORDED.replace(old, new))
    with pytest.raises(StudyError) as raised:
        check_approvers(study)
    texts = [str(one) for one in raised.value.each]
    assert any(words.replace("'final' must", "must") in text for text in texts), texts
    assert all(text.startswith("study/approvers.yaml, line ") for text in texts)


def test_one_person_cannot_fill_two_roles_that_are_needed(tmp_path: Path) -> None:
    people = "strength: record\npeople: [{name: Ana Ruiz, roles: [data manager, statistician]}]\n"
    with pytest.raises(StudyError, match="data manager, statistician need 2 different persons, and there are fewer"):
        check_approvers(small_study(tmp_path / "study", people))


def test_a_key_is_one_persons_own(tmp_path: Path) -> None:
    people = (
        f"strength: signature\npeople:\n  - {{name: Ana, roles: [data manager], key: {KEY}}}\n"
        f"  - {{name: Bo, roles: [statistician], key: {KEY} other}}\n"
    )
    with pytest.raises(StudyError, match="line 4, key 'key': another person has the same key"):
        check_approvers(small_study(tmp_path / "study", people))


def test_a_study_without_approvers_is_told_how(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", "")
    assert check_approvers(study) == []
    with pytest.raises(UsageError, match=r"has no approvers\.yaml, which says who may approve"):
        read_approvers(study)


def test_the_schema_takes_what_is_right_and_refuses_other_keys() -> None:
    validator = jsonschema.Draft202012Validator(approvers_schema())
    right = {"strength": "signature", "people": [{"name": "Ana", "roles": ["data manager"], "key": KEY}]}
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, "finals": []})
    assert not validator.is_valid({**right, "strength": "trust"})
    assert not validator.is_valid({**right, "people": [{"name": " Ana", "roles": []}]})
