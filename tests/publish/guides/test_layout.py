"""Pages of a guide: rows of any height, texts of any letters, contents and links."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from publish.guides.content import Block, BoxDiagram, Heading, Paragraph, Table
from publish.guides.layout import layout

BLOCKS: list[Block] = [
    Heading("1 First", 1),
    Paragraph("Less < than & more > than: ñ ż Ω", "#there"),
    BoxDiagram((("A", "one"), ("B", "two"))),
    Table(("Name", "Text"), (("X", "word " * 6000), ("Y", "<b>no markup</b>")), (0.3, 0.7), (("Y", "there"),)),
    Heading("2 Second", 1, "there"),
    Table(("", ""), (("Key", "value"),), (0.5, 0.5)),
]


def test_no_word_is_lost_and_nothing_is_markup() -> None:
    reader = PdfReader(io.BytesIO(layout("Title", "S-1", "Trial", "Synthetic data", BLOCKS)))
    text = " ".join(page.extract_text() for page in reader.pages)
    assert len(re.findall(r"\bword\b", text)) == 6000
    assert "Less < than & more > than: ñ ż Ω" in text and "<b>no markup</b>" in text
    assert all("Synthetic data" in page.extract_text() for page in reader.pages)
    links = [one.get_object() for page in reader.pages for one in page.get("/Annots", [])]
    assert len(links) == 6  # name and page of two lines of the contents, the paragraph, the row
    assert [str(one["/Title"]) for one in reader.outline] == ["1 First", "2 Second"]


def test_the_same_blocks_give_the_same_bytes() -> None:
    assert layout("T", "S", "s", "", BLOCKS) == layout("T", "S", "s", "", BLOCKS)
