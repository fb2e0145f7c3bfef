"""CSV whose quotes are doubled, and CSV as PHP writes it, read back as the same cells."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.csv_quotes import doubled_quotes
from metadata.errors import StudyError
from metadata.records_csv import read_csv
from metadata.redcap_csv import read_rows

Table = list[list[str]]


def php_cell(value: str, delimiter: str) -> str:
    """PHP's fputcsv with its default escape character, letter by letter as its source does it."""
    if not any(sign in value for sign in (delimiter, '"', "\\", " ", "\t", "\r", "\n")):
        return value
    made, escaped = '"', False
    for letter in value:
        if letter == "\\":
            escaped = True
        elif letter == '"' and not escaped:
            made += '"'
        else:
            escaped = False
        made += letter
    return made + '"'


def php(table: Table, delimiter: str = ",") -> str:
    return "".join(delimiter.join(php_cell(value, delimiter) for value in row) + "\n" for row in table)


def doubled(table: Table, delimiter: str = ",") -> str:
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator="\n").writerows(table)
    return sink.getvalue()


def rows(text: str, delimiter: str = ",") -> Table:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"say \\"hi\\" ok"', 'say \\"hi\\" ok'),
        ('"say \\""hi\\"" ok"', 'say \\"hi\\" ok'),
        ('"5\\" tall"', '5\\" tall'),
        ('"5\\"" tall"', '5\\" tall'),
        ('"ends \\"', "ends \\"),
        ('"a \\"b""c"', 'a \\"b"c'),
        ('"a\\\\"', "a\\\\"),
        ('"two\nlines \\" here"', 'two\nlines \\" here'),
        ('"x \\", y"', 'x \\", y'),
        ('"only ""doubled"""', 'only "doubled"'),
    ],
)
def test_both_ways_are_read(written: str, value: str) -> None:
    frame = read_csv(f'id,note,end\n1,{written},z\n2,"plain x",\n'.encode(), "records.csv")
    assert frame["note"].tolist()[0] == value
    assert frame["end"].tolist() == ["z", ""]


cells = st.one_of(
    st.text('a"\\ ,\n', max_size=8),
    st.sampled_from(['say \\"hi\\" ok', '5\\" tall', "ends \\", 'x\\",', '\\"', '","', '"', "", "a", 'C:\\"x", "y\\"']),
)


@settings(max_examples=400, deadline=None)
@given(st.integers(2, 5).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_what_was_written_is_read_or_refused(table: Table) -> None:
    """Never another table: a text that can be read in two ways is refused."""
    size = len(table[0])
    whole = [[f"column{number}" for number in range(size)], *table]
    for written in (php(whole), doubled(whole)):
        try:
            found = rows(doubled_quotes(written, ",", "x.csv"))
        except StudyError as error:
            assert "two ways" in str(error) or "do not fit" in str(error)
        else:
            assert found == whole


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text('ab"\\ ', max_size=6), min_size=3, max_size=3), min_size=1, max_size=5))
def test_texts_without_delimiters_are_always_read(table: Table) -> None:
    whole = [["id", "one", "two"], *([f"r{number}", *row[1:]] for number, row in enumerate(table))]
    for written in (php(whole), doubled(whole)):
        assert rows(doubled_quotes(written, ",", "x.csv")) == whole


@pytest.mark.parametrize("text", ['id,a\n1,"x \\"y\n', 'id,a\n1,"x \\" y"z\n', 'id,a\n1,"a \\"b",c,"d\\"e"\n'])
def test_what_is_no_csv_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match=r"x\.csv: the file is not CSV"):
        doubled_quotes(text, ",", "x.csv")


def test_a_dictionary_with_such_quotes_is_read(tmp_path: Path) -> None:
    label = 'Height (5\\" is 12,7 cm)'
    (tmp_path / "dictionary.csv").write_bytes(php([["field_name", "field_label"], ["h", label]]).encode())
    assert read_rows(tmp_path / "dictionary.csv") == [{"field_name": "h", "field_label": label}]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_delimiters_and_line_ends_stay(delimiter: str, line_end: str) -> None:
    table = [["id", "a"], ["1", 'x \\" y'], ["2", "plain"], ["3", "last \\"]]
    written = php(table, delimiter).replace("\n", line_end)
    assert rows(doubled_quotes(written, delimiter, "x.csv"), delimiter) == table
