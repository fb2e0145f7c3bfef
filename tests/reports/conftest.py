"""ADaM-shaped frames made from the ten invented patients of the oracle, with plain schedules."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.study import Study

ORACLE = Path(__file__).parent / "oracle.csv"
ARM = "IFNB-1b + Azathioprine"
VISITS = {"Baseline": (0, 1), "Month 12": (12, 365), "Month 24": (24, 730)}


@pytest.fixture(scope="session")
def oracle() -> pd.DataFrame:
    return pd.read_csv(ORACLE, dtype={"id": str})


@pytest.fixture(scope="session")
def completers(oracle: pd.DataFrame) -> pd.DataFrame:
    return oracle[oracle["status"] == "COMPLETED"]


# What the oracle's frames are enough for; the others are judged on the whole demo or on their own small data.
OUTPUTS = (
    "T14.1.1", "T14.1.2", "T14.2.1", "T14.2.1.1", "T14.2.2", "T14.2.4", "T14.2.5", "T14.2.6", "T14.2.7", "T14.2.8",
    "T14.3.1", "T14.3.2", "T14.3.5", "T14.3.6", "T14.4.1", "F1", "F4",
)  # fmt: skip


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study's folder with those of its outputs that the oracle's frames are enough for."""
    folder = tmp_path_factory.mktemp("study") / "spms_aza"
    shutil.copytree(Study.find("spms_aza"), folder, ignore=shutil.ignore_patterns("redcap", "synthetic"))
    head, *outputs = re.split(r"(?m)^(?=  - id: )", (folder / "reports.yaml").read_text())
    kept = [text for text in outputs if text.split(maxsplit=3)[2] in OUTPUTS]
    (folder / "reports.yaml").write_text("".join([head, *kept]))
    return Study.open(folder)


@pytest.fixture(scope="session")
def adam(oracle: pd.DataFrame) -> dict[str, Dataset]:
    frames = {
        "ADSL": _adsl(oracle),
        "ADEDSS": _by_visit(oracle, "EDSS", "EDSS", "edss"),
        "ADMO": pd.concat(
            [
                _by_visit(oracle, "T2LSVOL", "T2 lesion volume", "t2_"),
                _by_visit(oracle, "GDLSCNT", "Gd lesions", "gd"),
                _by_visit(oracle, "ACTLSCNT", "Active lesions", "gd"),
            ],
            ignore_index=True,
        ),
        "ADFT": pd.concat(
            [
                _by_visit(oracle, "NHPTM", "9-hole peg test", "hpt"),
                _by_visit(oracle, "COGCOMP", "Cognitive composite", "np"),
            ],
            ignore_index=True,
        ),
        "ADRELR": _adrelr(oracle),
        "ADIS": _adis(oracle),
        "ADLB": _adlb(oracle),
        "ADAE": _adae(oracle),
    }
    return {name: _dataset(name, frame) for name, frame in frames.items()}


def _dataset(name: str, frame: pd.DataFrame) -> Dataset:
    variables = tuple(
        Variable(str(column), str(column), "Num" if pd.api.types.is_numeric_dtype(frame[column]) else "Char")
        for column in frame
    )
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), variables), frame)


def _subjects(oracle: pd.DataFrame) -> pd.DataFrame:
    completed = oracle["status"] == "COMPLETED"
    return pd.DataFrame(
        {
            "USUBJID": "SYN-01-" + oracle["id"],
            "SUBJID": "01-" + oracle["id"],
            "ITTFL": "Y",
            "SAFFL": "Y",
            "COMPLFL": np.where(completed, "Y", "N"),
        }
    )


def _adsl(oracle: pd.DataFrame) -> pd.DataFrame:
    completed = oracle["status"] == "COMPLETED"
    return _subjects(oracle).assign(
        TRT01A=ARM,
        SITEID=np.where(oracle.index < 6, "01", "02"),
        AGE=oracle["age"].astype(float),
        SEX=oracle["sex"],
        EOSSTT=np.where(completed, "COMPLETED", "DISCONTINUED"),
        DCSREAS=np.where(completed, "", oracle["status"]),
        BEDSS=oracle["edss0"],
        AGEGR1=np.where(oracle["age"] < 45, "<45", ">=45"),
        EDUYR=np.nan,
        HANDDOM="RIGHT",
        DISDUR=12.0,
        SPDUR=4.0,
        RLPPRE=oracle["rel_pre"].astype(float),
        BT2VOL=oracle["t2_0"].astype(float),
    )


def _by_visit(oracle: pd.DataFrame, code: str, label: str, stem: str) -> pd.DataFrame:
    subjects, base = _subjects(oracle), oracle[f"{stem}0"]
    parts = []
    for visit, (month, day) in VISITS.items():
        value = oracle[f"{stem}{month}"].astype(float)
        change = value - base if month else pd.Series(np.nan, index=value.index)
        part = subjects.assign(
            PARAMCD=code, PARAM=label, AVISIT=visit, AVISITN=float(month), ADY=float(day), AVAL=value,
            BASE=base.astype(float), CHG=change, PCHG=change / base.where(base != 0) * 100, ANL01FL="Y",
            ABLFL="Y" if month == 0 else "",
        )  # fmt: skip
        parts.append(part[value.notna()])
    return pd.concat(parts, ignore_index=True)


def _adrelr(oracle: pd.DataFrame) -> pd.DataFrame:
    """Every patient has a whole year of observation in each year with a count."""
    columns = {"PRE": "rel_pre", "YEAR 1": "rel_y1", "YEAR 2": "rel_y2"}
    parts = []
    for period, column in columns.items():
        count = oracle[column].astype(float)
        time = count * 0 + 1
        parts.append(_subjects(oracle).assign(PARAMCD="RELAPSES", APERIODC=period, AVAL=count, PYRS=time, PYRSOBS=time))
    return pd.concat(parts, ignore_index=True)


def _adis(oracle: pd.DataFrame) -> pd.DataFrame:
    """Months 0, 6, 12, 18 and 24; classes as the oracle was written: one throughout, four for a time."""
    throughout, transient = oracle["id"] == "005", oracle["id"].isin(["002", "003", "006", "008"])
    names = np.select([throughout, transient], ["PERSISTENT", "TRANSIENT"], "NEGATIVE")
    parts = []
    for month, visit in ((0, "Baseline"), *((m, f"Month {m}") for m in (6, 12, 18, 24))):
        titre = oracle[f"nab{month}"].astype(float)
        part = _subjects(oracle).assign(
            PARAMCD="NAB", AVISIT=visit, AVAL=titre, NABPOSFL=np.where(titre >= 20, "Y", "N"), NABCLAS=names,
            NABCLAS2=names, ANL01FL="Y",
        )  # fmt: skip
        parts.append(part[titre.notna()])
    return pd.concat(parts, ignore_index=True)


def _adlb(oracle: pd.DataFrame) -> pd.DataFrame:
    """Lymphocytes that fall from 2.1 to each patient's nadir in month 12, and haemoglobin without event."""
    subjects, nadir = _subjects(oracle), oracle["lym_nadir"]
    parts = []
    for visit, (month, day) in VISITS.items():
        lymphocytes = pd.Series({0: 2.1, 12: np.nan, 24: 1.8}[month], index=nadir.index).fillna(nadir)
        for code, value, scheme in (("LYM", lymphocytes, "NCI-CTC V1"), ("HGB", lymphocytes * 0 + 130, "WHO 1979")):
            grade = _grade(value) if code == "LYM" else pd.Series("0", index=value.index)
            low = np.where((value < 1.5) & (code == "LYM"), "Y", "N")
            parts.append(
                subjects.assign(
                    PARAMCD=code, PARAM=code, AVISIT=visit, AVISITN=float(month), ADY=float(day), AVAL=value,
                    ATOXSCH=scheme, ATOXGR=grade, BTOXGR="0", ANL01FL="Y", ABLFL="Y" if month == 0 else "", DTYPE="",
                    ONTRTFL="Y" if month else "", CRIT1FL=low, CRIT2FL=low, CRIT3FL=np.where(grade > "0", "Y", "N"),
                )
            )  # fmt: skip
    lowest = parts[2]  # lymphocytes in month 12
    parts.append(lowest.assign(DTYPE="MINIMUM", AVISIT="On-treatment minimum", AVISITN=901.0, ANL01FL="", ABLFL=""))
    return pd.concat(parts, ignore_index=True)


def _grade(value: pd.Series) -> pd.Series:
    return pd.cut(value, [0, 0.5, 1.0, 1.5, 2.0, 99], right=False, labels=["4", "3", "2", "1", "0"]).astype("str")


def _adae(oracle: pd.DataFrame) -> pd.DataFrame:
    """Patient 001: two nauseas, the second serious and severe; 002: a nausea before treatment and a headache."""
    rows = pd.DataFrame(
        {
            "id": ["001", "001", "002", "002"],
            "AEBODSYS": ["Stomach", "Stomach", "Stomach", "Nerves"],
            "AEDECOD": ["Nausea", "Nausea", "Nausea", "Headache"],
            "AESEV": ["MILD", "SEVERE", "MILD", "MILD"],
            "AESER": ["N", "Y", "N", "N"],
            "AEACNAZA": ["DOSE NOT CHANGED", "DRUG WITHDRAWN", "DOSE NOT CHANGED", "DOSE NOT CHANGED"],
            "AEACNIFB": "DOSE NOT CHANGED",
            "RELGR1": ["RELATED", "RELATED", "NOT RELATED", "NOT RELATED"],
            "RELGR2": "NOT RELATED",
            "ATOXGR": ["1", "3", "1", ""],
            "AEOUT": "RECOVERED/RESOLVED",
            "TRTEMFL": ["Y", "Y", "", "Y"],
        }
    )
    subjects = _subjects(oracle).assign(id=oracle["id"])
    return rows.merge(subjects, on="id").drop(columns="id")
