"""What a log says of its records is in the few entries that are kept of it."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.log import COLUMNS, design_changes, living_records, newest_change, telling_entries

ENTRY = st.tuples(
    st.sampled_from(["2002-05-05 23:59", "2001-01-01 08:00", "2003-09-09 10:00", "", "05/05/2002"]),
    st.sampled_from(["Create record 1", "Update record 2", "Deleted Record 1", "Data export (API)", "Manage/Design"]),
    st.sampled_from(["", "1", "2", "10"]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(ENTRY, max_size=5), max_size=4))
def test_a_log_in_parts_says_what_the_whole_says(parts: list[list[tuple[str, str, str]]]) -> None:
    frames = [pd.DataFrame(part, columns=COLUMNS, dtype="str") for part in parts]
    whole = pd.DataFrame([entry for part in parts for entry in part], columns=COLUMNS, dtype="str")
    kept = telling_entries(frames)
    assert newest_change(kept) == newest_change(whole)
    assert living_records(kept) == living_records(whole)
    assert len(kept) <= 2 * whole["record"].nunique() + 1  # first entry and creation of each record, and the newest


@pytest.mark.parametrize(
    ("details", "changes"),
    [
        ("Create event (Event: Visit 1)", True),
        ("Import events (API)", True),
        ("Import arms (API)", True),
        ("Import data access groups (API)", True),
        ("Export events (API)", False),
        ("Create report", False),
    ],
)
def test_entries_that_change_the_design(details: str, changes: bool) -> None:
    entry = {"timestamp": "2001-01-01 08:00", "action": "Manage/Design ", "details": details, "record": ""}
    assert design_changes([entry]) == (["2001-01-01 08:00"] if changes else [])
