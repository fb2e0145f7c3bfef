"""Collections are rare within a build and as they were after it, also after an error."""

from __future__ import annotations

import gc

import pytest

from flows.garbage import SELDOM, seldom_collected


def test_the_usual_thresholds_come_back() -> None:
    usual = gc.get_threshold()
    with seldom_collected():
        assert gc.get_threshold() == SELDOM
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0


def test_they_come_back_after_an_error() -> None:
    usual = gc.get_threshold()
    with pytest.raises(KeyError), seldom_collected():
        raise KeyError
    assert gc.get_threshold() == usual
