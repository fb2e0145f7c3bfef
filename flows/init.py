"""Beginning a study from the forms that come with the software: their ZIPs for REDCap, and a folder that builds."""

from __future__ import annotations

from pathlib import Path

from flows.draft import draft_of_structure, show_made
from sdtm.draft.bundled_forms import chosen_forms, structure_of_forms

ZIPS = "forms"


def init_of_forms(study: Path, names: str) -> list[Path]:
    """Write a study of some forms (``dm,ae``): its mapping, and in ``forms/`` the ZIP of each to import in REDCap.

    The project is longitudinal: who it is at the first visit, findings at every visit, the rest as logs that repeat.
    Raises UsageError for a form that is not there.
    """
    forms = chosen_forms(names)
    structure = structure_of_forms(forms)
    structure["project_info"][0]["project_title"] = study.resolve().name
    made, _ = draft_of_structure(structure, study)
    (study / ZIPS).mkdir()
    for one in forms:
        made.append(study / ZIPS / f"{one.name}.zip")
        made[-1].write_bytes(one.instrument())
    return made


def show_init(study: Path, names: str) -> None:
    """Write the study and say what to do with the forms."""
    made = init_of_forms(study, names)
    show_made(study, made)
    print(f"In REDCap: Online Designer, Upload instrument ZIP: each of {study / ZIPS}")  # noqa: T201
