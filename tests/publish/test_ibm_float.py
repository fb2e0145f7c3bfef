"""IBM numbers: images worked out by hand, and every double in range kept bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish import ibm_float
from tests.publish.transport_reader import number

BY_HAND = {
    1.0: "4110000000000000",  # 1/16 * 16**1
    -1.0: "C110000000000000",
    -118.625: "C276A00000000000",  # 0x76.A = 118.625
    100.0: "4264000000000000",
    0.5: "4080000000000000",
    0.1: "401999999999999A",  # 0x1.999999999999ap-4
    2.0**53: "4E20000000000000",
    0.0: "0000000000000000",
    math.nan: "2E00000000000000",
}


@pytest.mark.parametrize(("value", "image"), BY_HAND.items(), ids=str)
def test_images_worked_out_by_hand(value: float, image: str) -> None:
    assert ibm_float.encode(np.array([value])).tobytes().hex().upper() == image


IN_RANGE = st.floats(min_value=5.4e-79, max_value=9e74)


@given(st.lists(st.one_of(IN_RANGE, IN_RANGE.map(lambda value: -value), st.just(0.0)), min_size=1))
def test_every_double_in_range_comes_back_bit_for_bit(values: list[float]) -> None:
    array = np.array(values)
    assert not ibm_float.cannot_hold(array).any()
    images = ibm_float.encode(array)
    assert [number(image.tobytes()) for image in images] == values


@pytest.mark.parametrize("value", [math.inf, -math.inf, 9.1e74, -1e75, 5.39e-79, -1e-80, 5e-324])
def test_what_has_no_image_is_known(value: float) -> None:
    assert ibm_float.cannot_hold(np.array([value, 1.0])).tolist() == [True, False]


def test_the_smallest_number_is_16_to_the_minus_65() -> None:
    smallest = float(16.0**-65)
    assert not ibm_float.cannot_hold(np.array([smallest])).any()
    assert ibm_float.encode(np.array([smallest])).tobytes() == bytes.fromhex("0010000000000000")
    assert ibm_float.cannot_hold(np.array([math.nextafter(smallest, 0)])).all()


def test_the_negative_zero_is_written_as_zero() -> None:
    assert ibm_float.encode(np.array([-0.0])).tobytes() == bytes(8)
