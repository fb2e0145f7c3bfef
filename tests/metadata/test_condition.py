import pytest

from metadata.condition import read_condition
from metadata.errors import StudyError
from metadata.yaml_source import load
from tests.adam.trial import columns


def holds(wanted, **given):
    made = columns(**given)
    return list(read_condition(wanted, {}, "when").holds(made, len(next(iter(given.values())))))


def test_all_of_a_mapping_and_any_of_a_list():
    given = {"A": ["x", "x", "y"], "V": [1.0, 3.0, 3.0]}
    assert holds({"A": "x", "V": {"above": 2}}, **given) == [False, True, False]
    assert holds([{"A": "y"}, {"V": {"at_most": 1}}], **given) == [True, False, True]


def test_comparisons_with_missing_values_never_hold_but_not_and_missing_do():
    given = {"V": [1.0, None, 2.0], "A": ["", "N", "Y"]}
    assert holds({"V": {"below": 5}}, **given) == [True, False, True]
    assert holds({"V": {"missing": True}}, **given) == [False, True, False]
    assert holds({"A": {"not": "Y"}}, **given) == [True, True, False]
    assert holds({"A": {"missing": False}}, **given) == [False, True, True]


def test_limits_belong_to_at_least_and_at_most_only():
    given = {"V": [1.0, 1.5, 2.0]}
    assert holds({"V": {"at_least": 1.5}}, **given) == [False, True, True]
    assert holds({"V": {"above": 1.5}}, **given) == [False, False, True]
    assert holds({"V": {"at_most": 1.5}}, **given) == [True, True, False]
    assert holds({"V": {"below": 1.5}}, **given) == [True, False, False]


def test_another_variable_with_an_offset():
    given = {"D": [10.0, 41.0, 40.0], "E": [10.0, 10.0, 10.0]}
    assert holds({"D": {"above": {"variable": "E", "plus": 30}}}, **given) == [False, True, False]
    assert holds({"D": {"at_most": {"variable": "E"}}}, **given) == [True, False, False]
    assert read_condition({"D": {"above": {"variable": "E", "plus": 30}}}, {}, "w").reads == ("D", "E")


def test_it_says_itself():
    said = str(read_condition([{"A": ["x", "y"], "V": {"below": 1.5}}, {"B": {"missing": False}}], {}, "w"))
    assert said == "A is x or y and V is below 1.5, or B is not missing"


def test_unknown_test_names_place_and_nearest(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("when:\n  AVAL:\n    belw: 1\n")
    node = load(path, "a.yaml")
    with pytest.raises(StudyError, match=r"a.yaml, line 3, key 'belw': .*did you mean 'below'"):
        read_condition(node["when"], node, "when")
