"""Text for transport files: ASCII by a declared table, continued in pieces of 200 bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdtm.columns.text import (
    LIMIT,
    chunks,
    continued_name,
    table_of_characters,
    transliterated,
)

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=60), min_size=1, max_size=40).map(" ".join)


@given(WORDS)
def test_pieces_fit_and_join_to_the_whole(value: str) -> None:
    parts = chunks(value)
    assert all(0 < len(part) <= LIMIT for part in parts)
    assert " ".join(parts) == value


@given(st.integers(1, 1000))
def test_a_word_longer_than_the_limit_is_cut_and_nothing_lost(size: int) -> None:
    assert "".join(chunks("x" * size)) == "x" * size


def test_a_text_of_exactly_the_limit_is_one_piece() -> None:
    assert [len(part) for part in chunks("y" * LIMIT)] == [LIMIT]
    assert [len(part) for part in chunks("a" * 100 + " " + "b" * 100)] == [100, 100]


def test_the_declared_table_gives_printable_ascii_only() -> None:
    for char, made in table_of_characters().items():
        assert not (char.isascii() and char.isprintable())
        assert all(" " <= each <= "~" for each in made)


def test_letters_and_signs_of_spanish_texts() -> None:
    assert transliterated("Málaga, niño, 5 µg ≥ 3 ½, «¿qué?» ß") == ('Malaga, nino, 5 ug >= 3 1/2, "?que?" ss', "")


def test_decomposed_letters_become_plain() -> None:
    assert transliterated("Ma\u0301laga") == ("Malaga", "")


def test_line_breaks_become_blanks() -> None:
    assert transliterated("one\r\ntwo\tthree") == ("one two three", "")


def test_an_unknown_character_is_named() -> None:
    assert transliterated("ok 疼")[1] == "U+75BC"


def test_names_of_continuations_have_eight_characters_at_most() -> None:
    assert continued_name("AETERM", 1) == "AETERM1"
    assert continued_name("QSREASND", 1) == "QSREASN1"
    assert continued_name("QSREASND", 12) == "QSREAS12"
