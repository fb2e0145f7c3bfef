"""RTF: every text arrives as it is, tables fit the page, running heads are on each page, the same bytes each run."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.layout.table import (
    Listing,
    OutputTable,
    Row,
    TableColumn,
)
from reports.rtf import document as rtf_document
from reports.rtf.document import PageFrame
from reports.rtf.pages import lines_of
from reports.rtf.table import PAGE_WIDTH
from reports.rtf.text import escaped

SHEET = PageFrame(
    "Table 14.1", "Edades {de} los \u00f1u", "Safety (N = 3)", "TRIAL: A trial", "Cut-off 2024-01-01", "Synthetic data",
    ("Source: ADSL. Program: test.", "Analysis plan: All."),
)  # fmt: skip
TOKEN = re.compile(r"\\u(-?\d+)\?|\\([a-z]+)(-?\d+)? ?|\\([\\{}~_*])|([{}])|\n|(.)", re.S)


def document(sheet: PageFrame, tables: Sequence[OutputTable | Listing], pictures: Sequence[bytes]) -> str:
    return "".join(rtf_document.document(sheet, tables, pictures))


def read(rtf: str) -> tuple[str, dict[str, int]]:
    """The text of a document outside its font table and info, and how often each control word occurs."""
    words: dict[str, int] = {}
    units: list[int] = []
    depth, skipped = 0, 0
    for unit, word, _, symbol, brace, letter in TOKEN.findall(rtf):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        assert depth >= 0
        if word in ("fonttbl", "info", "pict") and not skipped:
            skipped = depth
        if skipped and depth < skipped:
            skipped = 0
        words[word] = words.get(word, 0) + 1
        if not skipped:
            text = {"cell": "|", "par": "\n", "row": "\n", "line": "\n"}.get(word, "")
            units += [int(unit) % 65536] if unit else [ord(c) for c in (text or symbol or letter)]
    assert depth == 0
    return struct.pack(f"<{len(units)}H", *units).decode("utf-16-le"), words


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40))
def test_no_text_becomes_a_command(text: str) -> None:
    rtf = escaped(text)
    assert rtf.isascii()
    shown, words = read(f"{{{rtf}}}")
    assert shown == text.replace("\u00a0", "~").replace("\u2007", "~").replace("\u2011", "_")
    assert set(words) <= {""}


def test_control_characters_cannot_break_the_document() -> None:
    assert escaped("a\tb\x00c\r\nd") == "a b c\\line d"


def test_titles_population_footnotes_and_pages_are_there() -> None:
    shown, words = read(document(SHEET, [OutputTable("", (TableColumn("All"),), (Row("n", ("3",)),))], []))
    for text in (*SHEET.notes, SHEET.title, SHEET.number, SHEET.population, SHEET.notice, SHEET.study, SHEET.data):
        assert text in shown
    assert (words["header"], words["footer"], words["field"]) == (1, 1, 2)
    assert "NUMPAGES" in shown


def test_heads_return_on_each_page_and_rows_are_not_torn() -> None:
    columns = (TableColumn("n", "Drug"), TableColumn("Mean", "Drug"), TableColumn("n", "Placebo"))
    rows = (Row("Age", heading=True), *(Row(f"Row {i}", ("1", "2.5", "3"), 1) for i in range(200)))
    rtf = document(SHEET, [OutputTable("Visit", columns, rows, "A caption")], [])
    _, words = read(rtf)
    # Rows of 18 half points are 244 twips high: 32 rows beneath three lines of heads in 8657 twips.
    assert words["page"] == 6
    assert words["trhdr"] == 3 * 7
    assert words["row"] == words["trowd"] == words["trkeep"] == 201 + 3 * 7


def test_a_page_ends_before_a_heading_that_is_near() -> None:
    block = (Row("Part", heading=True), *(Row(f"Row {i}", ("1",), 1) for i in range(9)))
    rtf = document(SHEET, [OutputTable("", (TableColumn("All"),), block * 5)], [])
    first, second = rtf.split("\\page\\par")
    # 34 rows fit; the fourth part would be torn after four of its rows.
    assert (first.count("Part\\cell"), first.count("Row ")) == (0, 27)
    assert first.count("{\\b Part}") == 3
    assert second.count("{\\b Part}") == 2


@pytest.mark.parametrize("count", [1, 4, 10, 16])
def test_a_table_fits_the_page(count: int) -> None:
    columns = tuple(TableColumn(f"A rather long heading {i}", text=i % 2 == 0) for i in range(count))
    rows = tuple(Row("A label of some length", tuple("words and words" for _ in columns)) for _ in range(3))
    rtf = document(SHEET, [OutputTable("Stub", columns, rows)], [])
    edges = [int(edge) for edge in re.findall(r"\\cellx(\d+)", rtf)]
    assert max(edges) <= PAGE_WIDTH
    for line in rtf.split("\\row"):
        own = [int(edge) for edge in re.findall(r"\\cellx(\d+)", line)]
        assert own == sorted(set(own))


def test_points_stand_under_one_another() -> None:
    rows = tuple(Row("x", (text,)) for text in ("8 (80.0%)", "10 (100.0%)", "9.25"))
    shown, _ = read(document(SHEET, [OutputTable("", (TableColumn("All"),), rows)], []))
    assert "~8 (~80.0%)|" in shown
    assert "10 (100.0%)|" in shown
    assert "~9.25" in shown


def listing(subjects: list[str], notes: list[str], caption: str = "", empty: str = "") -> Listing:
    return Listing(
        (TableColumn("Subject", text=True), TableColumn("Note", text=True)),
        (tuple(subjects), tuple(notes)),
        caption,
        1,
        empty,
    )


def test_listings_share_a_page_as_long_as_they_fit() -> None:
    part = listing(["S1"] * 12, ["a"] * 12, "Site 1")
    assert "page" not in read(document(SHEET, [part, part], []))[1]
    assert read(document(SHEET, [part] * 6, []))[1]["page"] == 2  # two parts of 14 lines on each of three pages


def test_each_page_says_again_what_its_records_share() -> None:
    rtf = document(SHEET, [listing(["S1"] * 100, [f"n{i:03d}" for i in range(100)])], [])
    pages = rtf.split("\\page")
    assert len(pages) == 3  # 39 rows of 215 twips beneath the heads in 8657 twips
    for page in pages:
        assert page.count("S1\\cell") == 1
        assert "Subject\\cell" in page
    assert [int(note) for note in re.findall(r"n(\d{3})\\cell", rtf)] == list(range(100))


def test_a_group_begins_anew_where_a_column_to_its_left_changes() -> None:
    shown = Listing((TableColumn("Subject"), TableColumn("Visit"), TableColumn("Value")),
                    (("S1", "S1", "S2", "S2"), ("V1", "V1", "V1", "V2"), ("1", "2", "3", "4")), grouped=2)  # fmt: skip
    assert shown.changes() == [[True, False, True, False], [True, False, True, True]]


@pytest.mark.parametrize(("text", "width", "lines"), [("ten letter", 10, 1), ("ten letters", 10, 2), ("x" * 31, 10, 4)])
def test_lines_are_counted_as_they_break(text: str, width: int, lines: int) -> None:
    assert lines_of(text, width) == lines


def test_words_among_numbers_take_no_room_from_their_neighbours() -> None:
    words = TableColumn("Subject", text=True)
    numbers = tuple(TableColumn(f"Test {place}") for place in range(12))
    shown = Listing((words, *numbers), (("10-0001",), *(("Not done for another reason",) for _ in numbers)))
    rtf = document(SHEET, [shown], [])
    edges = [int(edge) for edge in re.findall(r"\\cellx(\d+)", rtf.split("\\row")[0])]
    assert edges[0] >= 7 * 6 * 13  # seven letters of the smallest size on one line
    assert edges[-1] <= PAGE_WIDTH


def test_a_listing_without_records_says_so() -> None:
    assert "Nobody died.\\cell" in document(SHEET, [listing([], [], empty="Nobody died.")], [])


def test_a_picture_keeps_its_shape() -> None:
    header = struct.pack(">IIBBBBB", 1380, 840, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    rtf = document(SHEET, [], [png])
    wide, high = (int(re.search(rf"\\pic{name}goal(\d+)", rtf)[1]) for name in "wh")  # type: ignore[index]
    assert wide / high == pytest.approx(1380 / 840, abs=0.001)
    assert png.hex()[:100] in rtf


def test_the_same_bytes_twice() -> None:
    shown = [OutputTable("", (TableColumn("All"),), (Row("n", ("3",)),))]
    assert document(SHEET, shown, []) == document(SHEET, shown, [])
