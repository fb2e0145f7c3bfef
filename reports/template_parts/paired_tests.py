"""The tests of repeated measurements that an output can ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reports.statistics.estimate import Estimate
from reports.statistics.friedman import friedman
from reports.statistics.hodges_lehmann import hodges_lehmann
from reports.statistics.page_trend import page_trend
from reports.statistics.paired_t import paired_t
from reports.statistics.rounding import recorded_decimals
from reports.statistics.sign_test import sign_test
from reports.statistics.signed_rank import signed_rank

Wide = NDArray[np.float64]


@dataclass(frozen=True)
class RepeatedTest:
    """A test over an n x k table, a row a subject; ``kind`` says what its value is.

    ``of_table`` takes the table and the decimals that its values are recorded with.
    """

    label: str
    of_table: Callable[[Wide, int], Estimate]
    kind: str = "p_value"
    pairs: bool = True

    def run(self, table: Wide, precision: int | None = None) -> Estimate:
        """Test the table. Values count as tied if they are equal as recorded, however few decimals are printed.

        ``precision`` is declared for derived values: the decimals to which they are known.
        """
        return self.of_table(table, recorded_decimals(table) if precision is None else precision)


def _change(table: Wide) -> Wide:
    return np.asarray(table[:, -1] - table[:, 0])


TESTS: dict[str, RepeatedTest] = {
    "page": RepeatedTest("Page (L), two-sided", lambda t, d: page_trend(t, d, "two-sided"), pairs=False),
    "page_increase": RepeatedTest("Page (L), one-sided", lambda t, d: page_trend(t, d, "one-sided"), pairs=False),
    "friedman": RepeatedTest("Friedman (Q)", friedman, pairs=False),
    "signed_rank": RepeatedTest("Wilcoxon signed rank (W+, Pratt)", lambda t, d: signed_rank(_change(t), d, "pratt")),
    "signed_rank_without_zeros": RepeatedTest(
        "Wilcoxon signed rank (W+, zeros dropped)", lambda t, d: signed_rank(_change(t), d, "wilcoxon")
    ),
    "sign": RepeatedTest("Sign test (positive differences)", lambda t, d: sign_test(_change(t), d)),
    "paired_t": RepeatedTest("Paired t test (t)", lambda t, _: paired_t(_change(t))),
    "hodges_lehmann": RepeatedTest("Hodges-Lehmann shift", lambda t, d: hodges_lehmann(_change(t), d), kind="estimate"),
}
