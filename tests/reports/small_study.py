"""A study of three files with a plan of one section, and datasets that are frames under a name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata
from metadata.study import Study

TRIAL = """
study: {id: OTHER-07, title: A trial}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
"""


def small_study(folder: Path, study: str, reports: str) -> Study:
    """Write study.yaml, sap.md and reports.yaml, and open the folder."""
    for name, text in {"study.yaml": study, "sap.md": "# Plan\n\n## All {#all}\n", "reports.yaml": reports}.items():
        (folder / name).write_text(text)
    return Study(folder)


def dataset(name: str, frame: pd.DataFrame) -> Dataset:
    return Dataset(DatasetMetadata(name, name, "", "", ("USUBJID",), ()), frame)
