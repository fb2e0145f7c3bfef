"""What is wrong in the files of a study that begins with SDTM made elsewhere; the datasets are read where they are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from flows.check_parts import AnalysisParts, Part
from metadata.errors import OutsideError, StudyError, UsageError
from metadata.yaml_source import complain

if TYPE_CHECKING:
    from metadata.condition import DatasetKinds


class ReceivedCheckParts(AnalysisParts):
    """The parts of the check of a study that begins with datasets."""

    @property
    def all(self) -> list[Part]:
        """All parts, in the order of the pipeline."""
        return [
            self.declaration,
            self.received,
            self.terms,
            self.codelists,
            self.analyses,
            self.reports,
            self.second_derivation,
            self.acceptance,
            self.explanations,
            self.guides,
            self.approvers,
        ]

    def doubts(self) -> Iterable[StudyError]:
        """That the datasets are not there, so that nothing is held against them."""
        if self._tabulated[1] is None and not self._tabulated[0]:
            problem = "the folder is not there: variables are held against the SDTMIG alone; run takes it by --source"
            yield complain(self.study.declared.input.node if self.study.declared.input else None, "sdtm", problem)

    def declaration(self) -> Iterable[StudyError]:
        """study.yaml."""
        from metadata.study_check import check_received

        return check_received(self.study)

    def received(self) -> Iterable[StudyError]:
        """The datasets, where they are."""
        return self._tabulated[0]

    def guides(self) -> Iterable[StudyError]:
        """guides.yaml."""
        from publish.guides.texts import read_texts

        read_texts(self.study)
        return []

    @cached_property
    def datasets(self) -> DatasetKinds:  # type: ignore[override]  # read once
        """All datasets with the kinds of their variables: those received, or what the guide and its model have."""
        from sdtm.build.mapping_check import kinds_of_model

        kinds = self._tabulated[1]
        return self.analyses_with(kinds_of_model(self.study) if kinds is None else kinds)

    @cached_property
    def _tabulated(self) -> tuple[list[StudyError], DatasetKinds | None]:
        """What is wrong with the datasets, and the kinds of their variables where they can be read."""
        from flows.receiving import faults
        from publish.received_sdtm import read

        folder = self.study.received
        if folder is None or not folder.is_dir():
            return [], None
        try:
            read_ones = read(folder, self.study.standards["sdtmig"])
        except StudyError as error:
            return list(error.each), None
        except (UsageError, OutsideError) as error:
            return [StudyError(str(error), f"{self.study.name}/study.yaml", None, "sdtm")], None
        kinds: DatasetKinds = {name: one.metadata.kinds for name, one in read_ones.datasets.items()}
        return list(faults(self.study, read_ones.datasets)), kinds
