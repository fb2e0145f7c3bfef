"""McNemar's exact test of paired proportions."""

from __future__ import annotations

from reports.statistics.estimate import Estimate, not_estimable

NAME = "McNemar's test, exact binomial"


def mcnemar(gained: int, lost: int, n: int) -> Estimate:
    """Two-sided p that as many pairs change from no to yes (``gained``) as from yes to no (``lost``).

    ``n`` counts all pairs, also those that do not change; ``statistic`` is ``gained``.
    """
    from scipy import special

    if n == 0:
        return not_estimable(NAME, 0, "no pairs")
    if gained + lost == 0:
        return Estimate(1.0, NAME, n, "no pair changes", statistic=0.0)
    tail = float(special.bdtr(min(gained, lost), gained + lost, 0.5))
    return Estimate(min(1.0, 2 * tail), NAME, n, statistic=float(gained))
