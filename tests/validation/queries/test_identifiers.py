"""Answers to queries about identifiers hold as long as the value, which a listing does not tell."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from flows.redcap_access import answers_key
from metadata.errors import UsageError
from tests.validation.small_study import enrol, records, study
from validation.queries.identity import ASKED
from validation.queries.listing import query_listing

KEY, OTHER = b"k" * 32, b"o" * 32


def about_name(folder: Path, key: bytes, *rows: dict[str, str], answered: str = "") -> pd.DataFrame:
    answers = f"query_id,answer,answered_by,answered_on\n{answered},It is so,site,2001-10-02\n" if answered else ""
    made = study(folder, answers_csv=answers) if answers else study(folder)
    listing = query_listing(made, records(*rows), key=key)
    return listing[listing["field"] == "name"].reset_index(drop=True)


def test_without_a_key_nothing_is_told_and_no_answer_closes(tmp_path: Path) -> None:
    first = about_name(tmp_path, b"", enrol(name="Eva1"))
    assert first["value"].tolist() == ["(identifier)"]
    again = about_name(tmp_path, b"", enrol(name="Eva2"), answered=first["query_id"][0])
    assert again[["status", "answer"]].to_numpy().tolist() == [["open", "It is so"]]


def test_with_a_key_an_answer_holds_until_the_value_changes(tmp_path: Path) -> None:
    first = about_name(tmp_path, KEY, enrol(name="Eva1"))
    number = first["query_id"][0]
    assert about_name(tmp_path, KEY, enrol(name="Eva1"), answered=number)["status"].tolist() == ["answered"]
    changed = about_name(tmp_path, KEY, enrol(name="Eva2"))
    assert changed["status"].tolist() == ["open"] and changed["query_id"][0] != number


def test_a_tag_tells_neither_the_value_nor_that_two_are_the_same(tmp_path: Path) -> None:
    both = about_name(tmp_path, KEY, enrol(name="Eva1"), enrol("2", name="Eva1"))
    assert both["value"].str.fullmatch(r"\(identifier [0-9a-f]{8}\)").all()
    assert both["value"].nunique() == 2
    other = about_name(tmp_path, OTHER, enrol(name="Eva1"))
    assert other["value"][0] not in set(both["value"])
    assert not both[["problem", "expected", *ASKED]].apply(lambda texts: texts.str.contains("Eva")).to_numpy().any()


def test_the_key_comes_from_the_environment_and_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = study(tmp_path)
    monkeypatch.delenv("REDCAP_ANSWERS_KEY", raising=False)
    assert answers_key(made) == b""
    monkeypatch.setenv("REDCAP_ANSWERS_KEY", "short")
    with pytest.raises(UsageError, match="REDCAP_ANSWERS_KEY is shorter than 32 characters") as error:
        answers_key(made)
    assert "short:" not in str(error.value)
    monkeypatch.setenv("REDCAP_ANSWERS_KEY", KEY.decode())
    assert answers_key(made) == KEY
