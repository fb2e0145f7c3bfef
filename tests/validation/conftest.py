"""The first study's locked records as tabulations, made once for all tests of a process that judge them."""

from __future__ import annotations

import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from tests.validation.seeding import Datasets


@pytest.fixture(scope="session")
def study() -> Study:
    return Study.open("spms_aza")


@pytest.fixture(scope="session")
def terminology(study: Study) -> Terminology:
    return Terminology.open(study)


@pytest.fixture(scope="session")
def sdtm(study: Study, terminology: Terminology) -> Datasets:
    records = Records.read(study.project(), study.folder / "redcap" / "records_locked.csv")
    return dict(tabulate(read_mapping(study, records.project, terminology), records).datasets)
