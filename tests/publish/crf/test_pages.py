"""Forms of any length: nothing is lost, nothing covers anything else, and every annotation is on some page."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.dictionary import Dictionary
from publish.crf.annotations import Annotation
from publish.crf.pages import BOTTOM, NOTES_LEFT, PAGE_WIDTH, TOP, FormPage, pages_of
from publish.crf.rows import FORM_WIDTH, rows_of
from publish.pdf.fonts import REGULAR, register, width, wrapped

register()
WORDS = st.text(st.sampled_from("abc żółć ñÑ Ωλ"), min_size=1, max_size=80).filter(str.strip)
FIELD = st.fixed_dictionaries(
    {
        "field_type": st.sampled_from(
            ["text", "radio", "checkbox", "dropdown", "notes", "yesno", "calc", "descriptive"]
        ),
        "field_label": WORDS,
        "section_header": st.just("") | WORDS,
        "matrix_group_name": st.sampled_from(["", "", "m"]),
        "field_note": st.just("") | WORDS,
        "choices": st.integers(1, 120),
        "notes": st.lists(WORDS, max_size=14),
    }
)


def row(number: int, drawn: dict[str, object]) -> dict[str, str]:
    choices = " | ".join(f"{code}, option {code}" for code in range(int(str(drawn["choices"]))))
    coded = drawn["field_type"] in ("radio", "checkbox", "dropdown")
    made = {key: str(value) for key, value in drawn.items() if key not in ("choices", "notes")}
    matrix = made["matrix_group_name"] if made["field_type"] in ("radio", "checkbox") else ""
    return {
        **made,
        "matrix_group_name": matrix,
        "field_name": f"f{number}",
        "form_name": "form",
        "select_choices_or_calculations": choices if coded else "",
    }


@given(st.lists(FIELD, min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_no_line_and_no_annotation_of_a_form_is_lost(drawn: list[dict[str, object]]) -> None:
    dictionary = Dictionary.from_rows([row(number, one) for number, one in enumerate(drawn)])
    notes = {f"f{n}": [Annotation(str(text), "AE") for text in one["notes"]] for n, one in enumerate(drawn)}  # type: ignore[attr-defined]
    rows = rows_of(dictionary, "form", notes)
    pages = pages_of("form", "Title", ["about"], rows, {"AE": "Adverse Events"})
    wanted = sorted(line.text for one in rows for column in one.columns for line in column.lines)
    found = sorted(line.text for page in pages for one in page.placed for c in one.row.columns for line in c.lines)
    assert found == wanted
    texts = sorted(text for one in notes.values() for text in (note.text for note in one))
    assert sorted(box.text for page in pages for box in page.boxes if not box.is_domain) == texts
    for page in pages:
        _check(page)


def _check(page: FormPage) -> None:
    below = TOP
    for one in page.placed:
        assert one.top - one.height >= BOTTOM - 0.01 and one.top <= below + 0.01
        assert all(column.left + column.width <= FORM_WIDTH + 0.01 for column in one.row.columns)
        below = one.top - one.height
    edges = sorted(page.boxes, key=lambda box: -box.top)
    for upper, lower in pairwise(edges):
        assert upper.bottom >= lower.top - 0.01
    assert all(box.left >= NOTES_LEFT and box.right <= PAGE_WIDTH and box.bottom > BOTTOM - 15 for box in edges)


@given(WORDS, st.floats(20, 300))
@settings(max_examples=50, deadline=None)
def test_lines_are_no_wider_than_the_room_and_lose_no_letter(text: str, room: float) -> None:
    lines = wrapped(text, REGULAR, 7.5, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width(line, REGULAR, 7.5) <= room for line in lines)
