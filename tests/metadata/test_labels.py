"""Labels lose their HTML and nothing else."""

from __future__ import annotations

import pytest

from metadata.labels import plain_label


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("<b>EDSS</b>", "EDSS"),
        ("Line one<br/>line two", "Line one line two"),
        ("Leukocytes &lt; 3.0 x 10<sup>9</sup>/L", "Leukocytes < 3.0 x 109/L"),
        ("a < b and c > d", "a < b and c > d"),
        ("  two \n lines ", "two lines"),
        ("&lt;script&gt;", "<script>"),
    ],
)
def test_plain(label: str, expected: str) -> None:
    assert plain_label(label) == expected
