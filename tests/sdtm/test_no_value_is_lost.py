"""The two invariants of tabulation, with generated records.

No value is lost: every stored value is in a dataset, is declared as not submitted, or has an open query on its own
field that says why not. No value is changed: a result as collected is in --ORRES, and --STRESC and --STRESN are that
result, converted by the declared factor or not at all.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from metadata.records import Records
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from sdtm.columns.number import read_result
from tests.sdtm.conftest import KEYS, SmallStudy
from validation.datasets.reconciliation import reconcile, rows_by_field
from validation.queries.listing import query_listing, with_withheld

if TYPE_CHECKING:
    from sdtm.build.tabulate import Tabulation

SETTINGS = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller example costs minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXTS = ["Fall", "Ache", " fall ", "caída", "\u75bc", "x" * 230, "UNK", "=1+1", ""]
NUMBERS = ["5", "5.0", ".5", "5.", "007", "12345678901234567", "1234567890.12345", "<5", "<.5", ">1e3", "1e3", "1,5",
           "\u22645", "5-10", "Hemolyzed", "\uff15", "12..5", "UNK", "-3", "+2", ""]  # fmt: skip
COMMAS = ["12,5", "12.5", "12", ",5", "twelve", "ND", ""]
DATES = ["2000-03-10", "2000-02-30", "2000-03", "0024-01-01", "UNK", "soon", ""]
YEARS, MONTHS, DAYS = ["2000", "24", "", "UNK"], ["4", "0", "13", "", "UNK"], ["7", "31", "00", "", "x"]
CODES = ["1", "2", "7", "UNK", ""]
TICKS = ["0", "1", ""]


def rows_of(**fields: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in fields.items()})


SUBJECT = rows_of(subj=["01-1", " 01-1", "", "\uff10\uff11"],
                  cons=DATES, sexe=["1", "2", "7", ""], years=["40", "x", ""],
                  in_study=["1", "0", ""], origin___1=TICKS, origin___2=TICKS, origin___9=TICKS)  # fmt: skip
LOOK = rows_of(seen=DATES, why=CODES, hb=COMMAS, hb_u=["5", "6", "9", ""], hb_nd___1=TICKS, wc=NUMBERS,
               wc_u=["1", "2", "9", ""], house=["1", "2", "7", ""])  # fmt: skip
EVENT = rows_of(
    told=TEXTS, from_y=YEARS, from_m=MONTHS, from_d=DAYS, bad=["1", "0", "7", ""], link_a=CODES, link_b=CODES
)
DOSE = rows_of(drug=["1", "2", "9", ""], amount=NUMBERS, dose_st=DATES, dose_en=DATES)
VISITS = st.lists(
    st.tuples(st.sampled_from(["start", "month", "other"]), LOOK), max_size=3, unique_by=lambda row: row[0]
)
RECORD = st.tuples(SUBJECT, VISITS, st.lists(EVENT, max_size=2), st.lists(DOSE, max_size=2))


def written(small: SmallStudy, records: list[Any]) -> Records:
    """Return the records of a project whose rows were drawn."""
    small.rows.clear()
    for name, (subject, visits, events, doses) in enumerate(records, start=1):
        small.row(str(name), "start", **subject, **next((look for event, look in visits if event == "start"), {}))
        for event, look in visits:
            if event != "start":
                small.row(str(name), event, "", "1" if event == "other" else "", **look)
        for form, given_ in (("event", events), ("dose", doses)):
            for number, row in enumerate(given_, start=1):
                small.row(str(name), "log", form, str(number), **row)
    columns = dict.fromkeys(["rec", *KEYS, *(name for row in small.rows for name in row)])
    frame = pd.DataFrame(small.rows, columns=list(columns)).fillna("").astype("str")
    return Records.from_frame(small.study().project(), frame)


def tabulated(small: SmallStudy, records: Records) -> Tabulation:
    study = small.study()
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records)


@SETTINGS
@given(records=st.lists(RECORD, min_size=1, max_size=3))
def test_every_stored_value_is_tabulated_declared_or_asked_about(small: SmallStudy, records: list[Any]) -> None:
    data = written(small, records)
    made = tabulated(small, data)
    listing = with_withheld(small.study(), data, query_listing(small.study(), data), made.withheld)
    asking = listing[(listing["status"] == "open") & (listing["severity"] == "error")]
    asked = set(
        zip(asking["record"], asking["event"], asking["instance"], asking["form"], asking["field"], strict=True)
    )
    edges = [one.lineage for one in made.datasets.values()]
    assert reconcile(data, edges, made.withheld, made.not_submitted)["reconciled"].all()
    used, declared = rows_by_field(edges), set(made.not_submitted["field"])
    for column in data.frame.columns:
        name = column.partition("___")[0]
        field = data.project.dictionary.fields.get(name)
        if column in ("rec", *KEYS) or field is None or name in declared:
            continue
        tabulated_rows = {row for key in (name, column) for row in used.get(key, ())}
        for number in np.flatnonzero(data.holds(column)):
            row = small.rows[number]
            place = (row["rec"], row[KEYS[0]], row[KEYS[2]], field.form, name)
            assert number in tabulated_rows or place in asked, (number, column)


@SETTINGS
@given(
    stored=st.one_of(
        st.sampled_from(NUMBERS),
        st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4).map(
            lambda number: format(number, "f")
        ),
    ),
    unit=st.sampled_from(["1", "2", ""]),
)
def test_a_result_stays_what_it_was(small: SmallStudy, stored: str, unit: str) -> None:
    small.rows.clear()
    small.subject()
    small.row("1", "start", seen="2000-03-10", house="1", wc=stored, wc_u=unit)
    made = tabulated(small, written_rows(small))
    frame = made.datasets["LB"].frame
    asked = made.withheld.loc[made.withheld["field"] == "wc", "reason"].tolist()
    done = frame[frame["LBORRES"].astype(str) != ""]
    if not len(done):
        assert stored in ("", "UNK") or asked
        return
    row = done.iloc[0]
    assert row["LBORRES"] == stored.strip().replace("\u2264", "<=")
    found = read_result(stored)
    if found is None or not unit:
        assert asked
        assert pd.isna(row["LBSTRESN"])
        return
    wanted = found.value * (Decimal("0.001") if unit == "2" else 1)
    assert bool(asked) == (not found.sign and Decimal(repr(float(wanted))) != wanted)
    assert Decimal(row["LBSTRESC"].lstrip("<>=")) == wanted
    assert row["LBSTRESC"].startswith(found.sign)
    assert (row["LBSTRESN"] == float(wanted)) if not found.sign else pd.isna(row["LBSTRESN"])


def written_rows(small: SmallStudy) -> Records:
    columns = dict.fromkeys(["rec", *KEYS, *(name for row in small.rows for name in row)])
    frame = pd.DataFrame(small.rows, columns=list(columns)).fillna("").astype("str")
    return Records.from_frame(small.study().project(), frame)


def test_an_event_without_coding_is_asked_about_whatever_was_answered(small: SmallStudy) -> None:
    """AE has no record; the only other query is a note about a long text, which is answered."""
    (small.folder / "coding.csv").write_text("reported,term\nFall,FALL\n", encoding="utf-8")
    path = small.folder / "sdtm" / "ae.yaml"
    path.write_text(
        path.read_text().replace("AEDECOD: {field: told}", "AEDECOD: {coded: told, file: coding.csv, column: term}")
    )
    small.subject()
    small.row("1", "log", "event", "1", told="y" * 230, bad="1")
    data, study = written_rows(small), small.study()
    [note] = query_listing(study, data)["query_id"]
    (small.folder / "answers.csv").write_text(
        f"query_id,answer,answered_by,answered_on\n{note},It is long,S,2001-02-03\n"
    )
    made = tabulated(small, data)
    assert len(made.datasets["AE"].frame) == 0
    listing = with_withheld(study, data, query_listing(study, data), made.withheld)
    assert listing[["field", "rule", "status"]].to_numpy().tolist() == [
        ["told", "dictionary.length", "answered"],
        ["told", "tabulation.withheld", "open"],
        ["bad", "tabulation.withheld", "open"],
    ]


@SETTINGS
@given(records=st.lists(RECORD, min_size=1, max_size=2))
def test_no_answer_closes_the_query_of_a_value_that_is_in_no_dataset(small: SmallStudy, records: list[Any]) -> None:
    answers = small.folder / "answers.csv"
    answers.unlink(missing_ok=True)
    data, study = written(small, records), small.study()
    made = tabulated(small, data)
    asked = with_withheld(study, data, query_listing(study, data), made.withheld)
    lines = "".join(f"{query},It is as it is,S,2001-02-03\n" for query in asked["query_id"].drop_duplicates())
    answers.write_text(f"query_id,answer,answered_by,answered_on\n{lines}")
    listing = with_withheld(small.study(), data, query_listing(small.study(), data), made.withheld)
    answers.unlink()
    open_ones = listing.loc[listing["status"] == "open", "field"]
    fields = {data.project.dictionary.column_field.get(name, name) for name in made.withheld["field"]}
    assert set(open_ones) == fields & set(data.project.dictionary.fields)
    assert set(listing.loc[listing["status"] == "open", "answer"]) <= {"It is as it is", ""}


def test_a_term_whose_code_is_blank_is_asked_about(small: SmallStudy) -> None:
    """The term is in AETERM and coded by one column; the other column of the coding file has nothing for it."""
    (small.folder / "coding.csv").write_text("reported,term,class\nFall,FALL,\nAche,ACHE,HEAD\n", encoding="utf-8")
    path = small.folder / "sdtm" / "ae.yaml"
    coded = "{coded: told, file: coding.csv, column: COLUMN}"
    body = path.read_text().replace("AEDECOD: {field: told}", f"AEDECOD: {coded.replace('COLUMN', 'term')}\n"
                                    f"    AEBODSYS: {coded.replace('COLUMN', 'class')}")  # fmt: skip
    path.write_text(body)
    small.subject()
    small.row("1", "log", "event", "1", told="Fall", bad="1")
    small.row("1", "log", "event", "2", told="Ache", bad="1")
    made = tabulated(small, written_rows(small))
    assert made.datasets["AE"].frame["AEDECOD"].astype("str").tolist() == ["ACHE", "FALL"]
    assert made.withheld["reason"].str.contains("the coding file has no class for it").tolist() == [True]
