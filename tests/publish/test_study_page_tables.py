"""Tables and sources of the page of records read back as they were, whatever they hold; status by hand."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.coded_text import CodedText
from metadata.dataset import Edges, join_edges
from metadata.study_declaration import Visit
from publish.study_page import tables
from publish.study_page.records import withheld_variables
from publish.study_page.sources import FormPlaces, write_sources
from publish.study_page.status import VisitState, visit_states
from publish.study_page.tables import read_part, unpacked, write_parts
from tests.publish.examples import make

NUMBERS = st.floats(allow_infinity=False, width=64) | st.integers(-5, 300).map(float)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(max_size=4), NUMBERS), max_size=9), st.integers(1, 4))
def test_a_table_reads_back_as_it_was(rows: list[tuple[str, float]], size: int) -> None:
    texts = [text.replace("\ud800", "") for text, _ in rows]
    numbers = np.array([number for _, number in rows], float)
    coded = CodedText.of_codes(np.arange(len(rows)), texts)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "ROWS", size)
        paths = write_parts(Path(folder), "T", len(rows), iter([coded, numbers]))
        read = [list(read_part(path)) for path in paths]
    assert [text for part in read for text in part[0]] == texts
    back = np.array([np.nan if one is None else one for part in read for one in part[1]], float)
    assert np.array_equal(back, numbers, equal_nan=True)


@settings(max_examples=30)
@given(
    st.sets(st.tuples(st.integers(0, 3), st.sampled_from("AB"), st.integers(0, 5), st.sampled_from("XY")), max_size=12)
)
def test_sources_read_back_as_they_were(edges: set[tuple[int, str, int, str]]) -> None:
    """Each edge leads from a row to a place in another table; REDCap's records become rows of the form's table."""
    ordered = sorted(edges)
    lineage = join_edges([
        Edges(np.array([row]), variable, "REDCAP" if field == "X" else "LB", np.array([place]), field)
        for row, variable, place, field in ordered
    ])  # fmt: skip
    dataset = make("D", {"USUBJID": list("abcd")}, lineage=lineage)
    positions = np.array(sorted({place for _, _, place, field in ordered if field == "X"}), np.int64)
    with TemporaryDirectory() as folder:
        write_sources(Path(folder), dataset, FormPlaces({"X": "f"}, {"REDCap.f": positions}))
        text = (Path(folder) / "D-from-0.js").read_text("utf-8")
    read = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    counts, bundle, place = (
        unpacked(read[name], most) for name, most in zip(("counts", "bundle", "place"), read["most"], strict=True)
    )
    found = set()
    for row, number, where in zip(np.repeat(np.arange(4), counts), bundle.tolist(), place.tolist(), strict=True):
        table, pairs = read["bundles"][number]
        for field, variable in pairs:
            found.add((int(row), variable, int(positions[where]) if table == "REDCap.f" else where, field))
    assert found == edges


def test_what_was_made_from_an_identifier_is_withheld() -> None:
    one = np.array([0])
    subjects = make(
        "DM", {"USUBJID": ["a"], "BRTHDTC": ["1950"], "SEX": ["F"]},
        lineage=join_edges([Edges(one, "BRTHDTC", "REDCAP", one, "born"), Edges(one, "SEX", "REDCAP", one, "sex")]),
    )  # fmt: skip
    level = make(
        "ADSL", {"USUBJID": ["a"], "BRTHDT": ["1"], "AGEX": ["2"], "SEX": ["F"]},
        lineage=join_edges([Edges(one, "BRTHDT", "DM", one, "BRTHDTC"), Edges(one, "*", "DM", one, "*")]),
        AGEX={"method": "Years from DM.BRTHDTC to the first dose."},
    )  # fmt: skip
    found = withheld_variables({"DM": subjects, "ADSL": level}, frozenset({"born"}))
    assert found == {"DM": {"BRTHDTC"}, "ADSL": {"BRTHDT", "AGEX"}}


def test_a_visit_is_missing_once_its_window_has_closed() -> None:
    subjects = make("DM", {
        "USUBJID": ["here", "late", "left", "new", "screened"],
        "RFSTDTC": ["2001-01-01", "2001-01-01", "2001-01-01", "2001-01-25", ""],
        "RFPENDTC": ["", "", "2001-01-20", "", ""],
    })  # fmt: skip
    held = make("SV", {"USUBJID": ["here"], "VISITNUM": [2.0]})
    visits = [
        Visit("WEEK 4", ("w4",), 2, 29, [-3, 3]),
        Visit("END", ("end",), 3),
        Visit("EXTRA", ("x",), unscheduled=True),
    ]
    # Day 29 is 29 January; its window closes on 1 February. "left" had ended on 20 January, "new" is due in February.
    assert visit_states(visits, subjects, held, "2001-02-01") == [VisitState("WEEK 4", 29, 2, 1, 1, 0)]
    assert visit_states(visits, subjects, held, "2001-01-31") == [VisitState("WEEK 4", 29, 0, 0, 0, 1)]
