"""Numbers are read as they are written, and no digit is lost or invented."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdtm.columns.number import converted, fits_float, is_number, read_result

ALL = frozenset({"decimal_comma", "exponent", "symbols"})
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9)
FACTORS = st.sampled_from([0.001, 0.0555, 0.02586, 10.0, 17.1, 59.48, 88.4, 60.0, 1000.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "5"), ("5.0", "5.0"), (".5", "0.5"), ("5.", "5"), ("+5", "5"), ("-0.50", "-0.50"), ("007", "7"),
        ("-0", "0"), ("<5", "<5"), ("< .5", "<0.5"), (">=10.", ">=10"), (" 7 ", "7"),
        ("12345678901234567", "12345678901234567"),
        ("1234567890.12345", "1234567890.12345"),
    ],
)  # fmt: skip
def test_a_plain_number_or_limit_keeps_its_digits(text: str, said: str) -> None:
    found = read_result(text)
    assert found is not None
    assert found.text() == said


@pytest.mark.parametrize(
    ("text", "said", "form"),
    [
        ("1,5", "1.5", "decimal_comma"), (",5", "0.5", "decimal_comma"), ("<1,5", "<1.5", "decimal_comma"),
        ("1e3", "1000", "exponent"), ("1.5E-2", "0.015", "exponent"), (">1e3", ">1000", "exponent"),
        ("≤5", "<=5", "symbols"), ("≥ 5", ">=5", "symbols"),
    ],
)  # fmt: skip
def test_another_form_is_read_only_where_the_study_says_so(text: str, said: str, form: str) -> None:
    assert read_result(text) is None
    assert read_result(text, ALL - {form}) is None  # type: ignore[arg-type]
    found = read_result(text, frozenset({form}))  # type: ignore[arg-type]
    assert found is not None
    assert found.text() == said


NO_NUMBERS = [
    "",
    "Hemolyzed",
    "5-10",
    "1.234,5",
    "1,2,3",
    "5 mg",
    "\uff15",
    "\u0665",
    "1e999",
    "--5",
    "<",
    "nan",
    "inf",
]


@pytest.mark.parametrize("text", [*NO_NUMBERS, "1_000", "."])
def test_no_other_text_is_a_number(text: str) -> None:
    assert read_result(text, ALL) is None
    assert not is_number(text)


def test_digits_that_a_float_does_not_hold_are_known() -> None:
    assert fits_float("0.1")
    assert fits_float("123456789012345")
    assert not fits_float("12345678901234567")
    assert not fits_float("x")


@given(DECIMALS, FACTORS)
def test_a_conversion_is_the_exact_product_as_long_as_it_has_few_digits(value: Decimal, factor: float) -> None:
    made, exact = converted(value, 0.0, factor), Fraction(value) * Fraction(repr(factor))
    product = Context(prec=60).multiply(value, Decimal(repr(factor)))
    if len(product.normalize(Context(prec=60)).as_tuple().digits) <= 15:
        assert Fraction(made) == exact
    else:
        assert abs(Fraction(made) - exact) <= abs(exact) * Fraction(1, 10**11)


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ((Decimal("98.4"), -32.0, 0.5555555555555556, None, None), "36.8888888889"),
        ((Decimal("98.4"), -32.0, 0.5555555555555556, None, 2), "36.89"),
        ((Decimal("98.4"), -32.0, 0.5555555555555556, 3, None), "36.9"),
        ((Decimal("98.6"), -32.0, 0.5555555555555556, None, 2), "37.00"),
        ((Decimal("13.1"), 0.0, 10.0, None, None), "131"),
        ((Decimal("1234567890.12345"), 0.0, 10.0, None, None), "12345678901.2345"),
        ((Decimal("0.125"), 0.0, 10.0, None, 1), "1.3"),
        ((Decimal("0"), 0.0, 10.0, 3, None), "0"),
    ],
)
def test_digits_and_decimals_are_the_declared_ones(given_: tuple[object, ...], wanted: str) -> None:
    assert format(converted(*given_), "f") == wanted  # type: ignore[arg-type]
