"""Values are reconciled when each is somewhere; the first that are not are named."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validation.small_study import edges, enrol, exam, log, records
from validation.datasets.reconciliation import reconcile, unreconciled

WITHHELD = pd.DataFrame({"source_row": [], "field": [], "domain": [], "reason": []})
NOTHING = pd.DataFrame({"form": [], "field": [], "reason": []}, dtype="str")


def edge(field: str, *rows: int, source: str = "REDCAP") -> pd.DataFrame:
    return edges(np.arange(len(rows)), "X", source, np.array(rows), field)


def declared(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame([(form, name, "why") for form, name in pairs], columns=["form", "field", "reason"], dtype="str")


def held(*pairs: tuple[int, str]) -> pd.DataFrame:
    rows = [(row, name, "XX", "why") for row, name in pairs]
    return pd.DataFrame(rows, columns=["source_row", "field", "domain", "reason"])


def row_of(made: pd.DataFrame, form: str) -> list[object]:
    return made.set_index("form").loc[form].tolist()


def test_each_value_is_in_one_book() -> None:
    data = records(enrol(sex="1", name="Ana", arms___2="1"), log("1", number="5"), log("2", number="6"))
    lineage = [edge("consent", 0), edge("sex", 0, 0), edge("arms___1", 0), edge("number", 1), edge("term", 1, 2)]
    made = reconcile(data, lineage, held((2, "number")), declared(("enrol", "name"), ("enrol", "arms")))
    assert row_of(made, "enrol") == [5, 3, 2, 0, 0, 0, True, ""]
    assert row_of(made, "log") == [4, 3, 0, 1, 0, 0, True, ""]
    assert row_of(made, "exam") == [0, 0, 0, 0, 0, 0, True, ""]
    assert unreconciled(made) == []


def test_values_in_no_book_are_named_without_being_shown() -> None:
    data = records(enrol(sex="1", name="Ana"), exam("extra", instance="3", done="0"))
    made = reconcile(data, edge("consent", 0), WITHHELD, declared(("enrol", "arms")))
    assert row_of(made, "enrol") == [
        4,
        1,
        1,
        0,
        0,
        2,
        False,
        "name at record 1, event start_arm_1; sex at record 1, event start_arm_1",
    ]
    assert unreconciled(made) == [
        "form enrol: 2 of 4 values are neither tabulated, withheld nor declared not submitted, first"
        " name at record 1, event start_arm_1; sex at record 1, event start_arm_1",
        "form exam: 1 of 1 values are neither tabulated, withheld nor declared not submitted, first"
        " done at record 1, event extra_arm_1, instance 3",
    ]  # fmt: skip
    (_, said) = unreconciled(made, {"done": "x/sdtm/pe.yaml, line 4: where done is 1", "sexe": "elsewhere"})
    assert said.endswith(
        "instance 3 (the mapping reads done only at x/sdtm/pe.yaml, line 4: where done is 1: map the other records too,"
        " or give the reason under without_record of sdtm/not_submitted.yaml)"
    )


def test_a_checkbox_may_be_named_by_field_or_by_option() -> None:
    data = records(enrol(arms___1="1", arms___2="1"))
    assert row_of(reconcile(data, edge("arms", 0), WITHHELD, NOTHING), "enrol")[:2] == [3, 2]
    assert row_of(reconcile(data, edge("arms___2", 0), WITHHELD, NOTHING), "enrol")[:2] == [3, 1]


def test_edges_of_blanks_and_of_other_sources_count_nothing() -> None:
    data = records(enrol(sex=""), exam("later", count="1", twice="2"))
    lineage = [edge("sex", 0), edge("count", 1, source="DM"), edge("*", 0, 1)]
    made = reconcile(data, lineage, held((0, "sex")), NOTHING)
    assert row_of(made, "enrol")[:6] == [2, 0, 0, 0, 0, 2]
    assert row_of(made, "exam")[:6] == [3, 0, 0, 0, 0, 3]


def test_a_whole_form_may_be_declared() -> None:
    data = records(enrol(), exam(count="1", twice="2"))
    assert row_of(reconcile(data, [], WITHHELD, declared(("exam", "*"))), "exam") == [3, 0, 3, 0, 0, 0, True, ""]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["term", "number", "drug"]), st.integers(0, 3)), max_size=8), st.data())
def test_the_sums_add_up_whatever_is_used_and_withheld(used: list[tuple[str, int]], data: st.DataObject) -> None:
    made = records(*(log(str(i), number=data.draw(st.sampled_from(["", "1"])), drug="1") for i in range(4)))
    places = st.lists(st.sampled_from([(0, "term"), (1, "number"), (2, "drug")]), max_size=3)
    withheld, cut = data.draw(places), data.draw(places)
    edges = [edge(name, at) for name, at in used]
    row = reconcile(made, edges, held(*withheld), declared(("log", "drug")), held(*cut))
    form = row.set_index("form").loc["log"]
    parts = ["tabulated", "not_submitted", "withheld", "after_cutoff", "unaccounted"]
    assert form["received"] == form[parts].sum()
    assert form["reconciled"] == (form["unaccounted"] == 0)
    filled = (made.frame[["term", "number", "drug"]] != "").to_numpy()
    expected = {(name, at) for name, at in used if filled[at, ["term", "number", "drug"].index(name)]}
    assert form["tabulated"] == len(expected)
