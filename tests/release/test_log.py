"""The approval log: any change but a cut at its end is found from the log alone, and the cut by its last hash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import UsageError
from release.approvers import approvers_of
from release.log import START, LogRecord, append, head_of, log_of, read_log
from release.recording import Decision, record
from tests.release.candidates import RECORDED, small_study

LINES = 4


def chain() -> list[LogRecord]:
    made: list[LogRecord] = []
    for number in range(1, LINES + 1):
        words = (
            "S-1",
            "a" * 64,
            "Ana Ruiz",
            "data manager",
            "approved",
            "",
            f"Reason {number} é",
            "2026-01-01T00:00:00Z",
        )
        made.append(LogRecord(number, head_of(made), *words, "record").sealed())
    return made


WHOLE = b"".join(one.line for one in chain())
BYTES = st.integers(0, 255)


def is_refused(folder: Path, content: bytes) -> bool:
    path = folder / "x.approvals.jsonl"
    path.write_bytes(content)
    try:
        return read_log(path) != chain()
    except UsageError as error:
        assert str(path) in str(error) and ", line " in str(error)
        return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


def test_a_log_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.approvals.jsonl"
    assert read_log(path) == []
    for one in chain():
        append(path, one)
    assert path.read_bytes() == WHOLE
    assert read_log(path) == chain()


@given(place=st.integers(0, len(WHOLE) - 1), byte=BYTES)
def test_any_changed_byte_is_found(folder: Path, place: int, byte: int) -> None:
    changed = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    assert is_refused(folder, changed) == (changed != WHOLE)


@given(place=st.integers(0, len(WHOLE)), added=st.binary(min_size=1, max_size=5))
def test_any_added_byte_is_found(folder: Path, place: int, added: bytes) -> None:
    assert is_refused(folder, WHOLE[:place] + added + WHOLE[place:])


@given(order=st.lists(st.integers(0, LINES - 1), max_size=LINES + 2))
def test_records_that_are_moved_doubled_or_taken_out_are_found(folder: Path, order: list[int]) -> None:
    """All orders but the true one; a cut at the end reads as a shorter log, whose head is another."""
    lines = WHOLE.splitlines(keepends=True)
    content = b"".join(lines[place] for place in order)
    if order == list(range(len(order))):
        path = folder / "cut.approvals.jsonl"
        path.write_bytes(content)
        assert (head_of(read_log(path)) == head_of(chain())) == (len(order) == LINES)
    else:
        assert is_refused(folder, content)


@given(place=st.integers(1, len(WHOLE) - 1))
def test_a_cut_within_a_line_is_found(folder: Path, place: int) -> None:
    assert is_refused(folder, WHOLE[:place])


def test_a_record_made_on_an_older_end_is_not_added(tmp_path: Path) -> None:
    path, made = tmp_path / "x.approvals.jsonl", chain()
    append(path, made[0])
    append(path, made[1])
    with pytest.raises(UsageError, match="somebody added a record meanwhile"):
        append(path, made[1])
    assert len(read_log(path)) == 2


def test_the_log_lies_beside_the_package_never_inside(tmp_path: Path) -> None:
    assert log_of(tmp_path / "build/x") == tmp_path / "build/x.approvals.jsonl"
    assert log_of(tmp_path / "build/x.d/0123456789abcdef") == tmp_path / "build/x.approvals.jsonl"
    assert log_of(tmp_path / "a.b.d/id") == tmp_path / "a.b.approvals.jsonl"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "the name is blank"),
        ({"name": "Anna Ruiz"}, "nobody named 'Anna Ruiz' (did you mean 'Ana Ruiz'?)"),
        ({"role": "statistician"}, "Ana Ruiz has not the role 'statistician' in approvers.yaml, but data manager"),
        ({"reason": "  "}, "the reason is blank"),
        ({"reason": "x" * 2001}, "at most 2,000 letters"),
    ],
)
def test_what_is_not_recorded(tmp_path: Path, change: dict[str, str], words: str) -> None:
    approvers = approvers_of(small_study(tmp_path / "s").read_yaml("approvers.yaml"), "approvers.yaml")
    decision = {"name": "Ana Ruiz", "role": "data manager", "meaning": "reviewed", "reason": "Read it.", **change}
    path = tmp_path / "x.approvals.jsonl"
    with pytest.raises(UsageError) as raised:
        record(path, "S-1", "a" * 64, Decision(**decision), approvers)  # type: ignore[arg-type]
    assert words in str(raised.value)
    assert not path.exists()


def test_the_first_record_follows_none() -> None:
    assert chain()[0].previous == START
    assert "strength: record" in RECORDED
