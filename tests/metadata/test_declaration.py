"""Declarations as annotated dataclasses: read with places, in words, with roles, and as a schema that agrees."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.declaration import Column, NewColumn, OrderColumn, names_in, parameters, read_parameters
from metadata.declaration_schema import definitions, parameters_schema
from metadata.declaration_table import parameter_table, part_tables
from metadata.errors import StudyError
from metadata.yaml_source import complain, load


@dataclass(frozen=True)
class Pair:
    """A notation of its own, ``a/b``, that reads both."""

    first: str
    second: str

    notation: ClassVar[str] = "pair"

    @classmethod
    def read(cls, value: object, node: object, key: str) -> "Pair":
        parts = value.split("/") if isinstance(value, str) else []
        if len(parts) != 2:
            raise complain(node, key, "write a pair as a/b")
        return cls(*parts)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[^/]*/[^/]*$"}

    def names(self, role: str) -> tuple[str, ...]:
        return (self.first, self.second) if role == "reads" else ()


@dataclass(frozen=True)
class Part:
    """One part, with ``code`` marks."""

    weight: float
    source: Column = "AVAL"


@dataclass(frozen=True)
class Example:
    """An example."""

    to: NewColumn
    order: tuple[OrderColumn, ...]
    parts: dict[str, Part]
    carried: dict[NewColumn, Column] | None = None
    mode: Literal["first", "last"] = "first"
    pair: Pair | None = None
    count: int = 1
    blank: bool = False
    fixed: dict[Column, str | float] = field(default_factory=dict)
    done: str | Part | None = None
    there: Annotated[Pair, "other"] | None = None


FILE = """
to: AVAL
order: -ADT
parts:
  X: {weight: 2}
carried: [AGE]
pair: SEX/RACE
fixed: {PARAM: Age, PARAMN: 1}
done: {weight: 3, source: DONE}
"""


def read(text: str, folder: Path) -> Example:
    path = folder / "example.yaml"
    path.write_text(text, encoding="utf-8")
    return read_parameters(Example, load(path, "example.yaml"), "example")


def named(example: Example, role: str) -> list[str]:
    kinds = parameters(Example)
    return [name for key, kind in kinds.items() for name in names_in(kind, getattr(example, key), role)]


def test_one_value_is_a_list_of_one_and_names_are_mapped_to_themselves(tmp_path: Path) -> None:
    example = read(FILE, tmp_path)
    assert example == Example("AVAL", ("-ADT",), {"X": Part(2.0)}, {"AGE": "AGE"}, "first", Pair("SEX", "RACE"),
                              fixed={"PARAM": "Age", "PARAMN": 1.0}, done=Part(3.0, "DONE"))  # fmt: skip


def test_names_are_found_by_their_role(tmp_path: Path) -> None:
    example = read(FILE, tmp_path)
    assert named(example, "makes") == ["AVAL", "AGE"]
    assert named(replace(example, there=Pair("A", "B")), "other") == ["A", "B"]
    assert named(replace(example, there=Pair("A", "B")), "reads") == named(example, "reads")
    assert named(example, "orders") == ["-ADT"]
    assert named(example, "reads") == ["AVAL", "AGE", "SEX", "RACE", "PARAM", "PARAMN", "DONE"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("order:", "ordre:", "example.yaml, line 3, key 'ordre': 'example' has no parameter 'ordre' (did you mean 'or"),
        ("to: AVAL\n", "", "example.yaml, line 2: 'example' needs the parameter 'to'"),
        ("to: AVAL", "to: [A]", "example.yaml, line 2, key 'to': must be a text, not ['A']"),
        ("weight: 2", "weight: true", "example.yaml, line 5, key 'weight': must be a number, not True"),
        ("weight: 2", "wight: 2", "example.yaml, line 5, key 'wight': 'X' has no parameter 'wight' (did you mean 'wei"),
        ("pair: SEX/RACE", "pair: SEX", "example.yaml, line 7, key 'pair': write a pair as a/b"),
        ("pair: SEX/RACE", "mode: fist", "line 7, key 'mode': 'fist' is none of first, last (did you mean 'first'?)"),
        ("PARAMN: 1", "PARAMN: true", "line 8, key 'PARAMN': must be a text or a number, not True"),
        ("done: {weight: 3,", "done: {", "line 9: 'done' needs the parameter 'weight'"),
        ("done: {weight: 3, source: DONE}", "done: [1]", "line 9, key 'done': must be a text or a mapping, not [1]"),
        ("pair: SEX/RACE", "count: 1.5", "line 7, key 'count': must be a whole number, not 1.5"),
        ("weight: 2", "weight: .inf", "example.yaml, line 5, key 'weight': must be a number that a dataset can hold"),
        ("weight: 2", f"weight: {'9' * 400}", "line 5, key 'weight': must be a number that a dataset can hold"),
        ("pair: SEX/RACE", "count: .nan", "line 7, key 'count': must be a number that a dataset can hold"),
        ("pair: SEX/RACE", "blank: 1", "line 7, key 'blank': must be true or false, not 1"),
    ],
)
def test_an_error_says_where_and_what_would_be_right(right: str, wrong: str, said: str, tmp_path: Path) -> None:
    assert right in FILE
    with pytest.raises(StudyError) as found:
        read(FILE.replace(right, wrong), tmp_path)
    assert said in " ".join(map(str, found.value.each))


def test_a_number_is_a_text_where_no_number_can_be(tmp_path: Path) -> None:
    assert read(FILE.replace("done: {weight: 3, source: DONE}", "done: 1"), tmp_path).done == "1"
    assert read(FILE.replace("PARAMN: 1", "PARAMN: '1'"), tmp_path).fixed["PARAMN"] == "1"


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as found:
        read(FILE.replace("to: AVAL", "too: AVAL").replace("weight: 2", "weight: x"), tmp_path)
    assert len(found.value.each) == 3  # the unknown key, the missing one and the number


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from(["A", "A/B", "first", "last"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["X", "weight", "source", "AGE"]), inner)
    ),
    max_leaves=4,
)
keys = st.sampled_from([*parameters(Example), "other"])


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=8), st.booleans())
def test_the_schema_and_the_reader_accept_the_same(node: dict[str, Any], filled: bool) -> None:
    node = {"to": "A", "order": "A", "parts": {}, **node} if filled else node
    schema = {**parameters_schema(Example), "$defs": definitions([Pair])}
    fits = jsonschema.Draft202012Validator(schema).is_valid(node)
    try:
        read_parameters(Example, node, "example")
        read_well = True
    except StudyError:
        read_well = False
    assert read_well == fits


def test_the_table_has_what_is_needed_first() -> None:
    assert parameter_table(Example, but=("count",)).splitlines() == [
        "| parameter | is | default |",
        "|---|---|---|",
        "| `to` | new variable | **needed** |",
        "| `order` | one or a list, each variable to sort by (- before it: descending) | **needed** |",
        "| `parts` | mapping: text to Part | **needed** |",
        "| `carried` | mapping: new variable to variable, or null |  |",
        "| `mode` | `first` or `last` | `first` |",
        "| `pair` | pair, or null |  |",
        "| `blank` | true or false | `false` |",
        "| `fixed` | mapping: variable to text or number |  |",
        "| `done` | text or Part, or null |  |",
        "| `there` | pair on the other dataset, or null |  |",
    ]
    (part,) = part_tables(Example)
    assert part.startswith("*Part.* One part, with `code` marks.\n\n| parameter | is | default |")
