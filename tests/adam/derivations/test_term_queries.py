"""Standardised and sponsor's queries: which records they find, by hand; what a table of queries may not say."""

import pytest

from adam.derivations.term_queries import TermQueries
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, texts

TABLE = """query,name,id,scope,scope_number,variable,term
SMQ02,Hypersensitivity,20000214,NARROW,2,AEDECOD,Rash
SMQ02,Hypersensitivity,20000214,BROAD,1,AEDECOD,Asthma
SMQ02,Hypersensitivity,20000214,NARROW,2,AELLTCD,10037844
CQ01,Skin,,,,AEDECOD,RASH
CQ02,Of another dataset,,,,CMDECOD,ASPIRIN
"""
EVENTS = {"AEDECOD": ["RASH", "Asthma", "Headache", "", "Eruption"], "AELLTCD": [10037844.0, 1, 2, None, 10037844]}


def word(*to, source=("AEDECOD", "AELLTCD")):
    return TermQueries(queries="queries.csv", source=source, to=to)


def found(folder, made, text=TABLE, **events):
    here = context(folder)
    (here.study.folder / "queries.csv").write_text(text, encoding="utf-8")
    made.check()
    made.check_files(here.study)
    return made.derive(columns(**(EVENTS | events)), 5, here).columns


def test_terms_and_codes_find_records_whatever_their_capitals(tmp_path):
    made = found(tmp_path, word("SMQ02NM", "SMQ02CD", "SMQ02SC", "SMQ02SCN", "CQ01NM"))
    assert texts(made["SMQ02NM"]) == ["Hypersensitivity", "Hypersensitivity", "", "", "Hypersensitivity"]
    assert numbers(made["SMQ02CD"]) == [20000214, 20000214, None, None, 20000214]
    assert texts(made["SMQ02SC"]) == ["NARROW", "BROAD", "", "", "NARROW"]
    assert numbers(made["SMQ02SCN"]) == [2, 1, None, None, 2]
    assert texts(made["CQ01NM"]) == ["Skin", "", "", "", ""]


def test_a_record_in_two_scopes_of_one_query_is_an_error(tmp_path):
    with pytest.raises(StudyError, match=r"SMQ02 finds a record in two scopes; queries\.csv must tell one"):
        found(tmp_path, word("SMQ02NM"), AELLTCD=[None, 10037844.0, None, None, None])


def test_a_table_may_leave_out_what_no_query_has(tmp_path):
    made = found(
        tmp_path, word("CQ01NM", "CQ01SC", source=("AEDECOD",)), "query,name,variable,term\nCQ01,S,AEDECOD,RASH\n"
    )
    assert texts(made["CQ01NM"]) == ["S", "", "", "", ""] and texts(made["CQ01SC"]) == [""] * 5


@pytest.mark.parametrize(
    ("made", "text", "said"),
    [
        (word("SMQ03NM"), TABLE, "has no query SMQ03 (did you mean 'SMQ02'?)"),
        (word("CQ02NM"), TABLE, "line 6, key 'variable': CMDECOD is not among the source, AEDECOD and AELLTCD"),
        (
            word("SMQ02NM"),
            TABLE + "SMQ02,H,1,NARROW,2,AEDECOD,rash\n",
            "line 7, key 'term': SMQ02 has the term rash",
        ),
        (
            word("SMQ02NM"),
            TABLE.replace("20000214,NARROW", "many,NARROW", 1),
            "line 2, key 'id': 'many' is not",
        ),
        (word("SMQ02NM"), TABLE.replace("term\n", "trem\n"), "unknown column 'trem' (did you mean 'term'?)"),
        (word("SMQ2NM"), TABLE, "to: SMQ2NM is no variable of a query"),
    ],
)
def test_what_does_not_fit(tmp_path, made, text, said):
    with pytest.raises(StudyError) as caught:
        found(tmp_path, made, text)
    assert said in str(caught.value)
