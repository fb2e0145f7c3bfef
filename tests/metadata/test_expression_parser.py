"""REDCap's logic is read as REDCap reads it, and mistakes are named with their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.expression import (
    Binary,
    ExpressionError,
    FunctionCall,
    Node,
    NumberLiteral,
    Reference,
    TextLiteral,
    Unary,
)
from metadata.expression_parser import parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
CODES = st.from_regex(r"[A-Za-z0-9._-]{1,4}", fullmatch=True)
LEAVES = st.one_of(
    st.integers(0, 10**6).map(float).map(NumberLiteral),
    st.decimals(0, 1000, places=3).map(float).map(NumberLiteral),
    st.text(st.characters(codec="utf-8", exclude_characters="\"'\x00"), max_size=6).map(TextLiteral),
    st.builds(
        Reference,
        NAMES,
        st.none() | CODES,
        st.none() | NAMES | st.sampled_from(["event-name", "previous-event-name"]),
        st.none() | st.sampled_from(["1", "12", "current-instance", "last-instance"]),
        st.none() | st.sampled_from(["label", "checked", "unchecked"]),
    ),
    st.sampled_from(["record-name", "arm-number", "current-instance", "user-name"]).map(Reference),
    NAMES.map(lambda name: Reference("aggregate-mean", option=name)),
)
OPERATORS = st.sampled_from(["or", "and", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "^"])


def branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    calls = st.builds(
        FunctionCall, st.sampled_from(["if", "sum", "round"]), st.lists(inner, min_size=1, max_size=3).map(tuple)
    )
    return st.one_of(
        st.builds(Binary, OPERATORS, inner, inner),
        st.builds(Unary, st.sampled_from("-"), inner),
        st.builds(Unary, st.just("not"), inner),
        calls,
    )


@given(st.recursive(LEAVES, branches, max_leaves=20))
def test_what_is_printed_reads_back_as_the_same_tree(tree: Node) -> None:
    assert parse(str(tree)).root == tree


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[a] = 1 or [b] = 2 and [c] = 3", "([a] = 1) or (([b] = 2) and ([c] = 3))"),
        ("not [a] = 1 and [b]", "(not ([a] = 1)) and [b]"),
        ("1 + 2 * 3 - 4", "(1 + (2 * 3)) - 4"),
        ("8 - 4 - 2", "(8 - 4) - 2"),
        ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"),
        ("-2 ^ 2", "-(2 ^ 2)"),
        ("[a] != 1 && [b] = 2 || [c]", "(([a] <> 1) and ([b] = 2)) or [c]"),
        ("[e_arm_1][x(-9)] = '1'", '[e_arm_1][x(-9)] = "1"'),
        ("IF([a]>1,\n 'yes', \"no\")", 'if([a] > 1, "yes", "no")'),
        ("datediff([a], [b], 'd', 'ymd', true)", 'datediff([a], [b], "d", "ymd", 1)'),
    ],
)
def test_precedence_and_spelling(written: str, meant: str) -> None:
    assert parse(written).root == parse(meant).root
    assert str(parse(written)) == meant


def test_fields_are_listed_once_in_order() -> None:
    expression = parse("[b] = 1 and [event_1_arm_1][a] > [b] and [c(2)] = '1' and [event-name] = 'x'")
    assert expression.fields == ("b", "a", "c")


@pytest.mark.parametrize(
    ("written", "position", "said"),
    [
        ("[a] =", 6, "expected a field, number, text or function but found the end"),
        ("[a] = 1)", 8, "expected an operator or the end but found ')'"),
        ("([a] = 1", 9, "expected a closing ')' but found the end"),
        ("[a = 1", 1, "expected a closing ']'"),
        ("[a] = 'x", 7, "expected a closing quote"),
        ("[a] ; 1", 5, "but found ';'"),
        ("if([a] 1)", 8, "expected ',' or ')' but found '1'"),
        ("round [a]", 7, "expected '(' after the function name 'round'"),
        ("[a b] = 1", 1, "expected [field], [checkbox(code)] or [event]"),
        ("", 1, "but found the end"),
    ],
)
def test_mistakes_say_where_and_what_was_expected(written: str, position: int, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(written, "branching logic of field 'x'")
    assert caught.value.position == position
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"branching logic of field 'x', character {position}: ")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[e_arm_1][f][2]", Reference("f", None, "e_arm_1", "2")),
        ("[f][last-instance]", Reference("f", None, None, "last-instance")),
        ("[first-event-name][f(1)][current-instance]", Reference("f", "1", "first-event-name", "current-instance")),
        ("[f:label]", Reference("f", option="label")),
        ("[f:value]", Reference("f")),
        ("[f(2):value]", Reference("f", "2")),
        ("[f:checked:hideunderscore]", Reference("f", option="checked")),
        ("[record-name]", Reference("record-name")),
        ("[current-instance]", Reference("current-instance")),
        ("[aggregate-mean:a,b:R-1234]", Reference("aggregate-mean", option="a,b:R-1234")),
    ],
)
def test_events_instances_options_and_smart_variables(written: str, meant: Reference) -> None:
    assert parse(written).root == meant


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[a:labels]", "expected :value, :label, :checked or :unchecked but found ':labels'"),
        ("[a][b][c]", "expected [event][field][instance]"),
        ("[a][1][2]", "expected [event][field][instance]"),
        ("[a(1)][b]", "expected an event name or an instance but found [a(1)]"),
        ("[a][b][1][2]", "expected an operator or the end"),
    ],
)
def test_brackets_that_mean_nothing(written: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(written)
    assert said in str(caught.value)


def test_lines_that_begin_with_a_mark_are_comments_and_places_stay() -> None:
    assert (
        parse("# [a] = 1\n  // both\n[b] = '#1' and\n#end\n[c] = '//'").root == parse("[b] = '#1' and [c] = '//'").root
    )
    with pytest.raises(ExpressionError) as caught:
        parse("# note\n[b] =")
    assert caught.value.position == len("# note\n[b] =") + 1


def test_depth_is_limited_by_a_sentence_not_by_a_traceback() -> None:
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse("(" * 50_000 + "1" + ")" * 50_000)
