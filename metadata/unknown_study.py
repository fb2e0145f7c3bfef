"""A study of which only a package is at hand: no folder with its declarations, no explanations, no cut-off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metadata.study import Study
from metadata.study_declaration import RedcapServer, Standards, StudyFacts, StudyFile


class UnknownStudy(Study):
    """What the datasets themselves say of their study: its identifier and the standards that they follow."""

    def __init__(self, studyid: str, standards: Mapping[str, str]) -> None:
        self.folder = Path(os.devnull)  # in which no file is found
        self.name = studyid or "unknown study"
        self.group = ""
        self._read: dict[tuple[str, int, int], Any] = {}
        versions = Standards(**{"sdtmig": "", "sdtm_ct": "", **standards})
        self.declared = StudyFile(StudyFacts(studyid), versions, cutoff="", redcap=RedcapServer(), visits=[])
