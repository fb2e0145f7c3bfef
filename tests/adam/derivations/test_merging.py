import pytest

from adam.derivations.merging import (
    Exists,
    Merge,
    Summary,
    Supplemental,
)
from metadata.condition import read_condition
from metadata.errors import StudyError
from tests.adam.trial import columns, context, dataset, numbers, texts

EX = dataset(
    "EX",
    USUBJID=["A", "A", "B", "C"],
    EXTRT=["Z", "Z", "Z", "I"],
    EXDOSE=[50.0, 100, 0, 8],
    EXSTDTC=["2000-02-01", "2000-01-01", "2000-03-01", ""],
)
SUBJECTS = {"USUBJID": ["C", "A", "B", "D"]}


def made(tmp_path, word, *sources):
    return word.derive(columns(**SUBJECTS), 4, context(tmp_path, *sources))


def test_the_first_by_date_with_its_source_rows(tmp_path):
    word = Merge(
        dataset="EX",
        variables={"FIRST": "EXSTDTC"},
        order=("EXSTDTC",),
        mode="first",
        where=read_condition({"EXSTDTC": {"missing": False}}, {}, "where"),
    )
    result = made(tmp_path, word, EX)
    assert texts(result.columns["FIRST"]) == ["", "2000-01-01", "2000-03-01", ""]
    (edge,) = result.edges
    assert (list(edge.row), edge.source, list(edge.source_row)) == ([1, 2], "EX", [1, 2])


def test_two_records_are_never_chosen_from_silently(tmp_path):
    with pytest.raises(StudyError, match="EX where EXTRT is Z has more than one record for the same USUBJID"):
        made(
            tmp_path,
            Merge(dataset="EX", where=read_condition({"EXTRT": "Z"}, {}, "where"), variables={"D": "EXDOSE"}),
            EX,
        )
    single = Merge(dataset="EX", where=read_condition({"EXTRT": "I"}, {}, "where"), variables={"D": "EXDOSE"})
    assert numbers(made(tmp_path, single, EX).columns["D"]) == [8, None, None, None]


def test_unknown_names_are_said_with_the_nearest(tmp_path):
    with pytest.raises(StudyError, match=r"EX has no variable EXDOZE.*did you mean 'EXDOSE'"):
        made(tmp_path, Merge(dataset="EX", variables={"D": "EXDOZE"}, mode="first"), EX)
    with pytest.raises(StudyError, match="no dataset EC"):
        made(tmp_path, Merge(dataset="EC", variables={"D": "EXDOSE"}), EX)


def test_exists_counts_only_what_is_above(tmp_path):
    word = Exists(dataset="EX", where=read_condition({"EXTRT": "Z", "EXDOSE": {"above": 0}}, {}, "where"), to="SAFFL")
    assert texts(made(tmp_path, word, EX).columns["SAFFL"]) == ["N", "Y", "N", "N"]


def test_summaries(tmp_path):
    assert numbers(made(tmp_path, Summary(dataset="EX", function="count", to="N"), EX).columns["N"]) == [1, 2, 1, 0]
    for function, expected in {
        "sum": [8, 150, 0, None],
        "mean": [8, 75, 0, None],
        "minimum": [8, 50, 0, None],
        "maximum": [8, 100, 0, None],
    }.items():
        word = Summary(dataset="EX", function=function, source="EXDOSE", to="N")
        assert numbers(made(tmp_path, word, EX).columns["N"]) == expected


def test_supplemental_qualifiers_by_sequence(tmp_path):
    supplemental = dataset(
        "SUPPAE",
        USUBJID=["A", "A", "B"],
        IDVAR=["AESEQ"] * 3,
        IDVARVAL=["2", "10", "2"],
        QNAM=["REL", "REL", "OTHER"],
        QVAL=["RELATED", "NOT RELATED", "x"],
    )
    word = Supplemental(dataset="SUPPAE", sequence="AESEQ", variables={"REL": "REL"})
    given = columns(USUBJID=["A", "A", "B"], AESEQ=[10.0, 2, 2])
    result = word.derive(given, 3, context(tmp_path, supplemental))
    assert texts(result.columns["REL"]) == ["NOT RELATED", "RELATED", ""]
    assert list(result.edges[0].source_row) == [1, 0]
    assert texts(word.derive(given, 3, context(tmp_path)).columns["REL"]) == ["", "", ""]


def test_ties_are_an_error_only_where_they_matter(tmp_path):
    """A tie of records with the same values is none; one of records that differ is never resolved silently."""
    doses = dataset("EX", USUBJID=["A", "A", "A"], EXSTDTC=["2000-01-01"] * 2 + ["2000-02-01"], EXDOSE=[5.0, 5.0, 7.0])
    word = Merge(dataset="EX", order=("EXSTDTC",), mode="first", variables={"DOSE": "EXDOSE"})
    made = columns(USUBJID=["A", "B"])
    assert numbers(word.derive(made, 2, context(tmp_path, doses)).columns["DOSE"]) == [5, None]
    doses = dataset("EX", USUBJID=["A", "A", "A"], EXSTDTC=["2000-01-01"] * 2 + ["2000-02-01"], EXDOSE=[5.0, 6.0, 7.0])
    with pytest.raises(StudyError, match="several records that come first for the same USUBJID and differ"):
        word.derive(made, 2, context(tmp_path, doses))
    last = Merge(dataset="EX", order=("EXSTDTC",), mode="last", variables={"DOSE": "EXDOSE"})
    assert numbers(last.derive(made, 2, context(tmp_path, doses)).columns["DOSE"]) == [7, None]


def test_what_is_summed_is_named():
    with pytest.raises(StudyError, match="sum needs 'source', the variable of EX that it is of"):
        Summary(dataset="EX", function="sum", to="N").check()
    Summary(dataset="EX", function="count", to="N").check()


def test_a_condition_is_said_where_it_is_not_implied():
    known = read_condition({"EXTRT": "Z", "EXSTDTC": {"missing": False}}, {}, "where")
    first = Merge(dataset="EX", where=known, order=("EXSTDTC",), mode="first", variables={"A": "EXSTDTC"})
    assert first.sentence("A") == "EX.EXSTDTC where EXTRT is Z, first by EXSTDTC, merged by USUBJID."
    only = Merge(dataset="EX", where=known, variables={"A": "EXSTDTC"})
    assert only.sentence("A") == "EX.EXSTDTC where EXTRT is Z and EXSTDTC is not missing, merged by USUBJID."
    dosed = Exists(dataset="EX", where=read_condition({"EXDOSE": {"above": 0}}, {}, "where"), to="F")
    assert dosed.sentence("F") == "Y if there is a record in EX with EXDOSE above 0, else N."
    either = read_condition([{"EXDOSE": {"above": 0}}, {"EXTRT": "Z"}], {}, "where")
    said = "Y if there is a record in EX where EXDOSE is above 0, or EXTRT is Z, else N."
    assert Exists(dataset="EX", where=either, to="F").sentence("F") == said
