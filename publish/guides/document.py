"""The guides as files in the folder of the datasets that they describe."""

from __future__ import annotations

from pathlib import Path

from publish.disk import write_bytes
from publish.guides import analyses, tabulations
from publish.guides.facts import GuideFacts

FILES = {"sdtm": "csdrg.pdf", "adam": "adrg.pdf"}
GUIDES = {"sdtm": tabulations, "adam": analyses}


def write(facts: GuideFacts) -> list[Path]:
    """Write the guide of each standard whose datasets were made here, and return the files; raises OutsideError."""
    made = []
    for standard, file in FILES.items():
        if facts.mapped if standard == "sdtm" else facts.adam:
            made.append(facts.folders[standard] / file)
            write_bytes(made[-1], render(facts, standard))
    return made


def render(facts: GuideFacts, standard: str) -> bytes:
    """Return a guide ("sdtm" or "adam") as PDF, the same bytes for the same facts."""
    from publish.guides.layout import layout

    guide, study = GUIDES[standard], facts.study
    title = study.declared.study.title
    return layout(guide.TITLE, study.studyid, title, study.notice, guide.sections(facts))
