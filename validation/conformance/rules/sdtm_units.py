"""Rules about units and the conversion of results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, not_usual

if TYPE_CHECKING:
    import pandas as pd

ORIGINAL = "SDTMIG 3.3, section 4.5.1.1"
MEASURED = ("--TESTCD", "--OBJ", "--CAT", "--SCAT", "--SPEC", "--METHOD")
ROUNDING = 0.02
SAME = 1e-9
FAR = 100.0


def _measured(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data.having("--ORRESU", "--STRESU", "--STRESN") if domain.is_findings]


def _any_of(group: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Return True for the records of a group in one of whose records it holds."""
    return np.asarray((np.bincount(group, holds) > 0)[group])


@rule("unit.standard", "A test has one standard unit.", ORIGINAL, covers="FB3001")
def unit_standard(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        wrong = not_usual(domain.group(*MEASURED), domain.column("--STRESU").codes, domain.filled("--STRESU"))
        yield Hit(domain.name, domain.full("--STRESU"), wrong)


@rule("unit.missing", "A numeric result of a test with units has its units, original and standard.", ORIGINAL)
def unit_missing(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        group, has = domain.group(*MEASURED), domain.filled("--STRESU")
        with_unit = _any_of(group, has)
        number = ~np.isnan(domain.number("--STRESN")) & with_unit
        yield Hit(domain.name, domain.full("--STRESU"), number & ~has)
        original = ~np.isnan(domain.number("--ORRES")) & with_unit
        yield Hit(domain.name, domain.full("--ORRESU"), original & ~domain.filled("--ORRESU"))


@rule("unit.converted", "A numeric original result of a test with units has a numeric standard result.", ORIGINAL)
def unit_converted(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        group = domain.group(*MEASURED)
        with_unit = _any_of(group, domain.filled("--STRESU"))
        lost = ~np.isnan(domain.number("--ORRES")) & np.isnan(domain.number("--STRESN")) & with_unit
        yield Hit(domain.name, domain.full("--STRESN"), lost)


@rule("unit.same", "A result that is in the standard unit already is not changed.", ORIGINAL)
def unit_same(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        original, standard = domain.number("--ORRES"), domain.number("--STRESN")
        same = (domain.text("--ORRESU") == domain.text("--STRESU")) & domain.filled("--ORRESU")
        changed = np.abs(original - standard) > 1e-9 * np.maximum(1, np.abs(original))
        yield Hit(domain.name, domain.full("--STRESN"), same & changed)


@rule("unit.factor", "All results of a test in one unit are converted in the same way.", ORIGINAL)
def unit_factor(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    for domain in _measured(data):
        original, standard = domain.number("--ORRES"), domain.number("--STRESN")
        group = pd.Series(domain.group(*MEASURED, "--ORRESU", "--STRESU"))
        counted = (original != 0) & domain.filled("--ORRESU")
        whole = pd.Series(np.where(counted, standard / np.where(original, original, 1), np.nan))
        usual = whole.groupby(group).transform("median").to_numpy()
        strange = np.abs(whole.to_numpy() - usual) > ROUNDING * np.abs(usual)
        if strange.any():
            yield Hit(domain.name, domain.full("--STRESN"), strange & ~_on_line(group, original, standard))


def _on_line(group: pd.Series, original: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """Return True for groups all of whose results lie on one line, as degrees Fahrenheit and Celsius do."""
    import pandas as pd

    slope, start = _fitted(group, original, standard)
    away = (pd.Series(standard) - start - slope * original).abs()
    fits = away <= ROUNDING * np.abs(standard)
    return (fits | away.isna()).groupby(group).transform("all").to_numpy(bool)


def _fitted(group: pd.Series, original: np.ndarray, standard: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """Return for each record slope and start of the line through the results of its group (least squares)."""
    import pandas as pd

    frame = pd.DataFrame({"x": original, "y": standard, "group": group})
    sums = frame.dropna().assign(xx=lambda f: f["x"] ** 2, xy=lambda f: f["x"] * f["y"]).groupby("group")
    mean = sums[["x", "y", "xx", "xy"]].mean()
    slope = (mean["xy"] - mean["x"] * mean["y"]) / (mean["xx"] - mean["x"] ** 2).replace(0, np.nan)
    start = mean["y"] - slope * mean["x"]
    return group.map(slope), group.map(start)


@rule("range.converted", "A limit of the reference range is converted as the results of its test are.",
      "SDTMIG 3.3, section 6.3.6")  # fmt: skip
def range_converted(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        same = (domain.text("--ORRESU") == domain.text("--STRESU")) & domain.filled("--STRESU")
        for end in ("LO", "HI"):
            original, standard = domain.number(f"--ORNR{end}"), domain.number(f"--STNR{end}")
            kept = np.abs(original - standard) <= SAME * np.maximum(1, np.abs(original))
            step = _last_place(domain, f"--STNR{end}")
            wrong = np.where(same, ~kept, ~_as_results(domain, original, standard, step))
            known = ~np.isnan(original) & domain.filled("--STRESU") & domain.filled("--ORRESU")
            lost = known & np.isnan(standard) & ~np.isnan(domain.number("--STRESN"))
            yield Hit(domain.name, domain.full(f"--STNR{end}"), known & ~np.isnan(standard) & wrong | lost)


def _last_place(domain: Domain, name: str) -> np.ndarray:
    """Return half of the last decimal place of each number, to which a laboratory rounds its limits."""
    return domain.column(name).each(lambda text: 0.5 * 10.0 ** -len(text.partition(".")[2]), float)


def _as_results(domain: Domain, original: np.ndarray, standard: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return True where a limit lies with its conversion on the line of the results of its test and units.

    A test without two different results in these units does not show the conversion; then the limits do.
    """
    import pandas as pd

    results, converted = domain.number("--ORRES"), domain.number("--STRESN")
    group = pd.Series(domain.group(*MEASURED, "--ORRESU", "--STRESU"))
    slope, start = _line(group, results, converted)
    own_slope, own_start = _line(group, original, standard)
    slope, start = slope.fillna(own_slope), start.fillna(own_start)
    expected = (start + slope * original).to_numpy()
    apart = np.abs(standard - expected)
    close = apart <= np.maximum(ROUNDING * np.maximum(np.abs(expected), np.abs(standard)), step * (1 + SAME))
    return np.isnan(expected) | close


def _line(group: pd.Series, original: np.ndarray, standard: np.ndarray) -> tuple[pd.Series, pd.Series]:
    """Return for each record slope and start of the conversion in its group: by the median factor, or a common line."""
    import pandas as pd

    counted = ~np.isnan(original) & ~np.isnan(standard) & (original != 0)
    factor = pd.Series(np.where(counted, standard / np.where(original, original, 1), np.nan))
    slope = factor.groupby(group).transform("median")
    start = pd.Series(np.where(slope.isna(), np.nan, 0.0))
    strange = (factor - slope).abs() > ROUNDING * slope.abs()
    odd = strange.groupby(group).transform("any") & _on_line(group, original, standard)
    if odd.any():
        fit = _fitted(group, original, standard)
        slope, start = slope.where(~odd, fit[0]), start.where(~odd, fit[1])
    return slope, start


@rule("unit.laboratory", "A laboratory reports the tests of one site in one unit each.", ORIGINAL, "warning")
def unit_laboratory(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    for domain in _measured(data):
        if domain.has("--NAM"):
            named = domain.filled("--ORRESU") & domain.filled("--NAM")
            sites = pd.factorize(data.subject_text(domain, "SITEID"))[0]
            group = domain.group("--NAM", *MEASURED) * (sites.max(initial=0) + 1) + sites
            wrong = not_usual(group, domain.column("--ORRESU").codes, named)
            yield Hit(domain.name, domain.full("--ORRESU"), wrong)


@rule("unit.plausible", "A result is not a hundred times beyond its reference range, as one in another unit would be.",
      ORIGINAL, "warning")  # fmt: skip
def unit_plausible(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        value, low, high = (domain.number(name) for name in ("--STRESN", "--STNRLO", "--STNRHI"))
        far = (value > FAR * high) & (high > 0) | (value > 0) & (value * FAR < low)
        yield Hit(domain.name, domain.full("--STRESN"), far)


@rule("unit.without_result", "A unit is given only with a result.", ORIGINAL, "warning")
def unit_without_result(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _measured(data):
        for unit, result in (("--ORRESU", "--ORRES"), ("--STRESU", "--STRESC")):
            yield Hit(domain.name, domain.full(unit), domain.filled(unit) & ~domain.filled(result))
