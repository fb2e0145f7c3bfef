from adam.derivations.records import ExtremeRecords, Sequence, SummedRecords
from metadata.condition import read_condition
from tests.adam.trial import columns, context, numbers, texts

LESIONS = {
    "USUBJID": ["A", "A", "A", "B", "B", "C", "C"],
    "ADT": [1.0, 1, 2, 1, 1, 1, 1],
    "PARAMCD": ["GD", "NEW", "GD", "GD", "ACT", "GD", "NEW"],
    "PARAMN": [1.0, 2, 1, 1, 3, 1, 2],
    "AVAL": [2.0, 3, 4, 1, 1, 0, None],
}


def summed(tmp_path, need):
    word = SummedRecords(
        by=("USUBJID", "ADT"), from_paramcd=("GD", "NEW"), paramcd="ACT", need=need, paramn=3, blank=()
    )
    return word.add(columns(**LESIONS), 7, context(tmp_path))


def test_sums_where_all_summands_are_known(tmp_path):
    added = summed(tmp_path, None)
    assert list(added.template) == [0]
    assert numbers(added.changed["AVAL"]) == [5]
    assert texts(added.changed["PARAMCD"]) == ["ACT"]
    assert sorted(zip(*added.contributors, strict=True)) == [(0, 0), (0, 1)]


def test_sums_of_what_is_known_but_never_beside_a_collected_value(tmp_path):
    added = summed(tmp_path, 1)
    assert list(added.template) == [0, 2, 5]
    assert numbers(added.changed["AVAL"]) == [5, 4, 0]


def test_extremes_are_copies_of_the_first_record_that_attains_them(tmp_path):
    made = columns(
        USUBJID=["A", "A", "A", "B"],
        ADT=[3.0, 2, 1, 1],
        AVAL=[0.9, 0.9, 0.1, None],
        ONTRTFL=["Y", "Y", "", "Y"],
        AVISIT=["c", "b", "a", "a"],
    )
    word = ExtremeRecords(
        by=("USUBJID",), mode="minimum", where=read_condition({"ONTRTFL": "Y"}, {}, "where"), set={"AVISIT": "Nadir"}
    )
    added = word.add(made, 4, context(tmp_path))
    assert list(added.template) == [1]
    assert texts(added.changed["DTYPE"]) == ["MINIMUM"]
    assert texts(added.changed["AVISIT"]) == ["Nadir"]
    assert sorted(zip(*added.contributors, strict=True)) == [(0, 0), (0, 1)]


def test_sequence_counts_within_each_group(tmp_path):
    made = columns(USUBJID=["B", "A", "B", "A"], ADT=[2.0, 1, 1, 5])
    result = Sequence(by=("USUBJID",), order=("ADT",)).derive(made, 4, context(tmp_path)).columns["ASEQ"]
    assert numbers(result) == [2, 1, 1, 2]
