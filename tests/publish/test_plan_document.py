"""The analysis plan as PDF, read with another library than it was written with."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from metadata.study import Study
from publish.plan_document import render, write

PLAN = """# Plan

Before <b>all</b> & **after**.

## Rates {#rates}

| Output | Method |
| --- | --- |
| T1 | Poisson, a ratio \N{GREATER-THAN OR EQUAL TO} 2 |

1. first
2. second
   - inner

```
code < here
```

## Times {#times}
"""


def words(page: str) -> str:
    return re.sub(r"\\s+", " ", page)


def test_texts_sections_and_bookmarks_are_those_of_the_plan() -> None:
    content, pages = render(PLAN, "S1", "Synthetic data")
    reader = PdfReader(BytesIO(content))
    text = words(" ".join(page.extract_text() for page in reader.pages))
    head = "S1 \N{EN DASH} Statistical Analysis Plan \N{EN DASH} Synthetic data"
    ratio = "Poisson, a ratio \N{GREATER-THAN OR EQUAL TO} 2"
    for said in (head, "Before <b>all</b> & after.", "Rates", ratio, "1.", "second", "inner", "code < here"):
        assert said in text, said
    assert "{#" not in text
    assert pages == {"rates": 1, "times": 1}
    assert [mark.title for mark in reader.outline] == ["Rates", "Times"]  # type: ignore[union-attr]
    assert content == render(PLAN, "S1", "Synthetic data")[0]


def test_fonts_are_embedded() -> None:
    reader = PdfReader(BytesIO(render(PLAN, "S1", "")[0]))
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            assert "/FontFile2" in font.get_object()["/FontDescriptor"].get_object()


@pytest.mark.parametrize("name", ["spms_aza", "hta_duo"])
def test_each_section_of_a_bundled_plan_is_on_its_page(name: str, tmp_path: Path) -> None:
    study = Study.open(name)
    pages = write(study, tmp_path)
    named = re.findall(r"(?m)^#+ (.*?) \{#(.*?)\}$", study.path("sap.md").read_text(encoding="utf-8"))
    assert list(pages) == [place for _, place in named]
    reader = PdfReader(tmp_path / "sap.pdf")
    for title, place in named:
        assert title in words(reader.pages[pages[place] - 1].extract_text())


def test_a_table_too_wide_for_the_page_is_broken_not_cut() -> None:
    wide = "W" * 60
    plan = f"| a | b | c |\n| --- | --- | --- |\n| {wide} | {wide} | {wide} |\n"
    text = PdfReader(BytesIO(render(plan, "S1", "")[0])).pages[0].extract_text()
    assert text.count("W") == 180
