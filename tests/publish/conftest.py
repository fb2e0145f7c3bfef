"""The bundled studies as far as define.xml needs them: datasets with their lengths, each study built once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from adam.build.analyse import analyse
from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from publish import define, lengths, xpt
from publish.define_documents import Documents
from publish.define_standards import DefineContent, define_content
from publish.refusals import Standard
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate

CREATED = "2001-12-31"


@dataclass(frozen=True)
class BuiltStudy:
    """A bundled study with the datasets of its locked records."""

    study: Study
    terminology: Terminology
    datasets: dict[Standard, dict[str, Dataset]]

    def content(self, standard: Standard) -> DefineContent:
        return define_content(standard, self.study, self.terminology)

    def write(self, standard: Standard, folder: Path) -> etree._Element:
        """Write transport files and define.xml of a standard and return the document."""
        datasets = self.datasets[standard]
        for dataset in datasets.values():
            xpt.write(dataset, folder / f"{dataset.name.lower()}.xpt", date.fromisoformat(CREATED), standard)
        documents = Documents.of_folder(folder, standard)
        define.write(self.study, self.content(standard), datasets, CREATED, folder, documents)
        return etree.parse(folder / "define.xml").getroot()


@cache
def _built(name: str) -> BuiltStudy:
    study = Study.open(name)
    records = Records.read(study.project(), study.folder / "redcap/records_locked.csv")
    terminology = Terminology.open(study)
    sdtm = tabulate(read_mapping(study, records.project, terminology), records).datasets
    adam = analyse(study, sdtm)
    sized = lengths.resolve({**sdtm, **adam})
    return BuiltStudy(
        study, terminology, {"sdtm": {one: sized[one] for one in sdtm}, "adam": {one: sized[one] for one in adam}}
    )


@pytest.fixture(scope="session")
def built() -> Callable[[str], BuiltStudy]:
    """Build a bundled study, once for all tests of a process."""
    return _built
