"""Declarations as annotated dataclasses: read with places, in words, with roles, and as a schema that agrees."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.declaration import Column, NewColumn, OrderColumn, names_in, parameters, read_parameters
from metadata.declaration_limits import Above, Entries, Limit, Written
from metadata.declaration_schema import definitions, parameters_schema
from metadata.declaration_table import parameter_table, part_tables
from metadata.errors import StudyError
from metadata.schema_errors import FILE as FILE_OWNER
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
class Span:
    """From and to a day, or one day."""

    from_: int | None = None
    to: int | None = None
    day: int | None = None

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("from", "to"), ("day",))


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
    span: Span | None = None
    visits: list[str] = field(default_factory=list)
    window: Annotated[list[int], Entries(2, 2)] | None = None
    decimals: Annotated[int, Limit(0, 6)] = 0
    factor: Annotated[float, Above(0)] = 1
    id: Annotated[str, Written("[A-Z][0-9.]*", "a capital letter and numbers")] = "T1"


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
    return read_parameters(Example, load(path, "example.yaml"), FILE_OWNER)


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
        ("order:", "ordre:", "example.yaml, line 3, key 'ordre': the file has no key 'ordre' (did you mean 'order'"),
        ("to: AVAL\n", "", "example.yaml, line 2: the file needs the key 'to'"),
        ("to: AVAL", "to: [A]", "example.yaml, line 2, key 'to': must be a text, not a list"),
        (
            "weight: 2",
            "weight: true",
            "example.yaml, line 5, key 'weight': must be a number, not true",
        ),
        ("weight: 2", "wight: 2", "example.yaml, line 5, key 'wight': 'X' has no key 'wight' (did you mean 'weight'"),
        ("pair: SEX/RACE", "pair: SEX", "example.yaml, line 7, key 'pair': write a pair as a/b"),
        (
            "pair: SEX/RACE",
            "mode: fist",
            "line 7, key 'mode': 'fist' is not one of first, last (did you mean 'first'?)",
        ),
        ("PARAMN: 1", "PARAMN: true", "line 8, key 'PARAMN': must be a text or a number, not true"),
        ("done: {weight: 3,", "done: {", "line 9: 'done' needs the key 'weight'"),
        ("done: {weight: 3, source: DONE}", "done: [1]", "line 9, key 'done': must be a text or a mapping, not a list"),
        ("pair: SEX/RACE", "count: 1.5", "line 7, key 'count': must be a whole number, not 1.5"),
        ("weight: 2", "weight: .inf", "example.yaml, line 5, key 'weight': must be a number that a dataset can hold"),
        ("weight: 2", f"weight: {'9' * 400}", "line 5, key 'weight': must be a number that a dataset can hold"),
        ("pair: SEX/RACE", "count: .nan", "line 7, key 'count': must be a number that a dataset can hold"),
        ("pair: SEX/RACE", "blank: 1", "line 7, key 'blank': must be true or false, not 1"),
        (
            "PARAM: Age",
            "PARAM: yes",
            "line 8, key 'PARAM': must be a text or a number, not true; write yes, no, on and",
        ),
        ("pair: SEX/RACE", "visits: A", "line 7, key 'visits': must be a list, not 'A'"),
        (
            "pair: SEX/RACE",
            "visits: []",
            "line 7, key 'visits': must be a list of 1 or more, not an empty l",
        ),
        ("pair: SEX/RACE", "window: [1]", "line 7, key 'window': must be a list of 2, not a list of 1"),
        ("pair: SEX/RACE", "decimals: 7", "line 7, key 'decimals': must be a number from 0 to 6, not 7"),
        ("pair: SEX/RACE", "factor: 0", "line 7, key 'factor': must be a number above 0, not 0"),
        ("pair: SEX/RACE", "id: 1", "line 7, key 'id': must be a capital letter and numbers, not 1"),
        ("pair: SEX/RACE", "id: t1", "line 7, key 'id': must be a capital letter and numbers, not 't1'"),
        ("pair: SEX/RACE", "span: {from: 1}", "line 7: 'span' needs 'from' and 'to' or 'day'"),
        (
            "pair: SEX/RACE",
            "span: {from: 1, to: 2, day: 3}",
            "line 7: 'span' needs 'from' and 'to' or 'day', and not b",
        ),
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
    assert len(found.value.each) == 2  # the key, which is unknown and so missing, and the number


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-9, 9)
    | st.sampled_from(["A", "A/B", "first", "last", "T1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["X", "weight", "source", "AGE", "from", "to", "day"]), inner)
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
        read_parameters(Example, node, FILE_OWNER)
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
        "| `carried` | mapping: new variable to variable |  |",
        "| `mode` | `first` or `last` | `first` |",
        "| `pair` | pair |  |",
        "| `blank` | true or false | `false` |",
        "| `fixed` | mapping: variable to text or number |  |",
        "| `done` | text or Part |  |",
        "| `there` | pair on the other dataset |  |",
        "| `span` | Span |  |",
        "| `visits` | list, each text |  |",
        "| `window` | list of 2, each whole number |  |",
        "| `decimals` | number from 0 to 6 | `0` |",
        "| `factor` | number above 0 | `1` |",
        "| `id` | capital letter and numbers | `T1` |",
    ]
    part, span = part_tables(Example)
    assert part.startswith("*Part.* One part, with `code` marks.\n\n| parameter | is | default |")
    assert "| `from` | whole number |  |" in span.splitlines()


@dataclass(frozen=True)
class UpFirst:
    """Values in one order."""

    way: Literal["up", "down"] = "up"
    size: str | list[str] = ""


@dataclass(frozen=True)
class DownFirst:
    """The same values in the other order: Python calls both annotations equal."""

    way: Literal["down", "up"] = "up"
    size: list[str] | str = ""


@pytest.mark.parametrize(
    ("declared", "ways", "sizes"),
    [
        (UpFirst, "up, down", "a text or a list"),
        (DownFirst, "down, up", "a list or a text"),
        (UpFirst, "up, down", "a text or a list"),
    ],
)
def test_choices_are_named_in_the_order_of_their_own_declaration(declared: Any, ways: str, sizes: str) -> None:
    with pytest.raises(StudyError, match=ways):
        read_parameters(declared, {"way": "left"}, "one")
    with pytest.raises(StudyError, match=sizes):
        read_parameters(declared, {"size": {}}, "one")
