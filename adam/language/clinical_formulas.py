"""Published formulas of several measurements: corrected QT, body surface, kidney function, mean arterial pressure.

Each formula says its symbols, the unit in which it takes each, and where it is published. A measurement in another
unit is converted where the factor is exact by definition or given by the source; any other unit is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Floats = np.ndarray
Inputs = Mapping[str, Floats]

UNITS: dict[str, dict[str, float]] = {
    "msec": {"msec": 1, "ms": 1, "sec": 1000, "s": 1000},
    "beats/min": {"beats/min": 1},
    "mmHg": {"mmHg": 1},
    "cm": {"cm": 1, "m": 100, "mm": 0.1, "in": 2.54},
    "kg": {"kg": 1, "g": 0.001, "LB": 0.45359237},
    # 1 mg/dL of creatinine is 88.4 umol/L (KDIGO 2012, of its molar mass 113.12)
    "mg/dL": {"mg/dL": 1, "umol/L": 1 / 88.4},
    "umol/L": {"umol/L": 1, "mg/dL": 17.1},  # of bilirubin: its molar mass is 584.7
    "g/L": {"g/L": 1, "g/dL": 10},
}
"""For each unit that a formula takes the units in which a measurement may come, with the factor to it."""


@dataclass(frozen=True)
class Formula:
    """A published formula: the unit of each symbol, what it needs to know of the subject, and the unit of its result.

    ``compute`` takes arrays of equal length by symbol; of the subject ``AGE`` (years), ``FEMALE`` and ``BLACK`` (1 or
    0). ``text`` is the formula as define.xml says it.
    """

    units: Mapping[str, str]
    compute: Callable[[Inputs], Floats]
    text: str
    source: str
    result: str
    subject: tuple[str, ...] = ()


def _body(text: str, source: str, compute: Callable[[Floats, Floats], Floats]) -> Formula:
    """A formula of body surface: of height in cm and weight in kg."""
    return Formula(
        {"HEIGHT": "cm", "WEIGHT": "kg"}, lambda one: compute(one["HEIGHT"], one["WEIGHT"]), text, source, "m2"
    )


def _boyd(height: Floats, weight: Floats) -> Floats:
    grams = 1000 * weight
    return 0.0003207 * height**0.3 * grams ** (0.7285 - 0.0188 * np.log10(grams))


def _ckd_epi(one: Inputs) -> Floats:
    scale = np.where(one["FEMALE"] == 1, 0.7, 0.9)
    power = np.where(one["FEMALE"] == 1, -0.241, -0.302)
    ratio = one["CREAT"] / scale
    sex = np.where(one["FEMALE"] == 1, 1.012, 1.0)
    return 142 * np.minimum(ratio, 1) ** power * np.maximum(ratio, 1) ** -1.2 * 0.9938 ** one["AGE"] * sex


def _mdrd(one: Inputs) -> Floats:
    factor = np.where(one["FEMALE"] == 1, 0.742, 1.0) * np.where(one["BLACK"] == 1, 1.212, 1.0)
    return 175 * one["CREAT"] ** -1.154 * one["AGE"] ** -0.203 * factor


def _cockcroft(one: Inputs) -> Floats:
    factor = np.where(one["FEMALE"] == 1, 0.85, 1.0)
    return (140 - one["AGE"]) * one["WEIGHT"] / (72 * one["CREAT"]) * factor


def _map_of_rate(one: Inputs) -> Floats:
    share = 0.01 * np.exp(4.14 - 40.74 / one["PULSE"])
    return one["DIABP"] + share * (one["SYSBP"] - one["DIABP"])


INTERVALS = {"QT": "msec", "RR": "msec"}
FORMULAS: dict[str, Formula] = {
    "qtc_bazett": Formula(
        INTERVALS, lambda one: one["QT"] / np.sqrt(one["RR"] / 1000), "QT / sqrt(RR / 1000)",
        "Bazett, Heart 1920;7:353-70", "msec",
    ),
    "qtc_fridericia": Formula(
        INTERVALS, lambda one: one["QT"] / np.cbrt(one["RR"] / 1000), "QT / cube root(RR / 1000)",
        "Fridericia, Acta Med Scand 1920;53:469-86", "msec",
    ),
    "qtc_sagie": Formula(
        INTERVALS, lambda one: 1000 * (one["QT"] / 1000 + 0.154 * (1 - one["RR"] / 1000)),
        "1000 * (QT / 1000 + 0.154 * (1 - RR / 1000))", "Sagie et al. (Framingham), Am J Cardiol 1992;70:797-801",
        "msec",
    ),
    "qtc_hodges": Formula(
        {"QT": "msec", "HR": "beats/min"}, lambda one: one["QT"] + 1.75 * (one["HR"] - 60), "QT + 1.75 * (HR - 60)",
        "Hodges, J Am Coll Cardiol 1983;1:694", "msec",
    ),
    "rr": Formula(
        {"HR": "beats/min"}, lambda one: 60000 / one["HR"], "60000 / HR", "by definition of the rate", "msec"
    ),
    "bmi": Formula(
        {"HEIGHT": "cm", "WEIGHT": "kg"}, lambda one: one["WEIGHT"] / (one["HEIGHT"] / 100) ** 2,
        "WEIGHT / (HEIGHT / 100)^2", "Quetelet", "kg/m2",
    ),
    "bsa_mosteller": _body(
        "sqrt(HEIGHT * WEIGHT / 3600)", "Mosteller, N Engl J Med 1987;317:1098", lambda h, w: np.sqrt(h * w / 3600)
    ),
    "bsa_dubois": _body(
        "0.20247 * (HEIGHT / 100)^0.725 * WEIGHT^0.425", "DuBois and DuBois, Arch Intern Med 1916;17:863-71",
        lambda h, w: 0.20247 * (h / 100) ** 0.725 * w**0.425,
    ),
    "bsa_haycock": _body(
        "0.024265 * HEIGHT^0.3964 * WEIGHT^0.5378", "Haycock et al., J Pediatr 1978;93:62-6",
        lambda h, w: 0.024265 * h**0.3964 * w**0.5378,
    ),
    "bsa_gehan_george": _body(
        "0.0235 * HEIGHT^0.42246 * WEIGHT^0.51456", "Gehan and George, Cancer Chemother Rep 1970;54:225-35",
        lambda h, w: 0.0235 * h**0.42246 * w**0.51456,
    ),
    "bsa_boyd": _body(
        "0.0003207 * HEIGHT^0.3 * G^(0.7285 - 0.0188 * log10(G)), G = 1000 * WEIGHT", "Boyd 1935 (in grams)", _boyd
    ),
    "bsa_fujimoto": _body(
        "0.008883 * HEIGHT^0.663 * WEIGHT^0.444", "Fujimoto et al., Nippon Eiseigaku Zasshi 1968;23:443-50",
        lambda h, w: 0.008883 * h**0.663 * w**0.444,
    ),
    "bsa_takahira": _body(
        "0.007241 * HEIGHT^0.725 * WEIGHT^0.425", "Takahira 1925, in Fujimoto et al. 1968",
        lambda h, w: 0.007241 * h**0.725 * w**0.425,
    ),
    "map": Formula(
        {"SYSBP": "mmHg", "DIABP": "mmHg"}, lambda one: (2 * one["DIABP"] + one["SYSBP"]) / 3,
        "(2 * DIABP + SYSBP) / 3", "the usual third of the pulse pressure", "mmHg",
    ),
    "map_by_rate": Formula(
        {"SYSBP": "mmHg", "DIABP": "mmHg", "PULSE": "beats/min"}, _map_of_rate,
        "DIABP + 0.01 * exp(4.14 - 40.74 / PULSE) * (SYSBP - DIABP)", "Moran et al., J Hum Hypertens 1995;9:135-8",
        "mmHg",
    ),
    "egfr_ckd_epi_2021": Formula(
        {"CREAT": "mg/dL"}, _ckd_epi,
        "142 * min(CREAT / k, 1)^a * max(CREAT / k, 1)^-1.2 * 0.9938^AGE (* 1.012 if F), k 0.7 and a -0.241 if F, else"
        " 0.9 and -0.302", "Inker et al., N Engl J Med 2021;385:1737-49", "mL/min/1.73m2", ("AGE", "FEMALE"),
    ),
    "egfr_mdrd": Formula(
        {"CREAT": "mg/dL"}, _mdrd, "175 * CREAT^-1.154 * AGE^-0.203 (* 0.742 if F) (* 1.212 if black)",
        "Levey et al., Ann Intern Med 2006;145:247-54", "mL/min/1.73m2", ("AGE", "FEMALE", "BLACK"),
    ),
    "egfr_schwartz": Formula(
        {"CREAT": "mg/dL", "HEIGHT": "cm"}, lambda one: 0.413 * one["HEIGHT"] / one["CREAT"],
        "0.413 * HEIGHT / CREAT", "Schwartz et al., J Am Soc Nephrol 2009;20:629-37 (bedside)", "mL/min/1.73m2",
    ),
    "crcl_cockcroft_gault": Formula(
        {"CREAT": "mg/dL", "WEIGHT": "kg"}, _cockcroft, "(140 - AGE) * WEIGHT / (72 * CREAT) (* 0.85 if F)",
        "Cockcroft and Gault, Nephron 1976;16:31-41", "mL/min", ("AGE", "FEMALE"),
    ),
    "albi": Formula(
        {"BILI": "umol/L", "ALB": "g/L"}, lambda one: 0.66 * np.log10(one["BILI"]) - 0.085 * one["ALB"],
        "0.66 * log10(BILI) - 0.085 * ALB", "Johnson et al., J Clin Oncol 2015;33:550-8", "",
    ),
}  # fmt: skip
