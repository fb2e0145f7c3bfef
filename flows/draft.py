"""Writing the first mapping of a study from its REDCap dictionary."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.errors import UsageError

if TYPE_CHECKING:
    from metadata.project import Project

STRUCTURE = ("dictionary", "project_info", "instruments", "arms", "events", "form_event_mapping", "repeating", "dags")


def draft(project: Path, out: Path) -> list[Path]:
    """Write a study's folder from a project's structure files, its XML, or a dictionary alone; return the files made.

    Raises UsageError if ``out`` has files already or there is no dictionary.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            f"{out} has files already: a draft never writes over a mapping, and copies the project's structure itself;"
            " choose another --out"
        )
    if project.suffix.lower() == ".xml" and project.is_file():
        return _structure_of_xml(project, out / "redcap") + _mapping(out)
    dictionary = project / "dictionary.csv" if project.is_dir() else project
    if not dictionary.is_file():
        raise UsageError(f"{project} is neither a dictionary, a project's XML nor a folder with dictionary.csv")
    made = _structure(project, dictionary, out / "redcap")
    return made + _mapping(out)


def _structure(project: Path, dictionary: Path, folder: Path) -> list[Path]:
    """Copy the project's structure into the study's folder; a dictionary alone is a classic project."""
    from metadata.dictionary import Dictionary

    Dictionary.read_csv(dictionary)
    folder.mkdir(parents=True)
    made = []
    for name in STRUCTURE:
        source = dictionary if name == "dictionary" else project / f"{name}.csv"
        if source.is_file():
            made.append(Path(shutil.copyfile(source, folder / f"{name}.csv")))
    if not (folder / "project_info.csv").is_file():
        with (folder / "project_info.csv").open("w", encoding="utf-8", newline="") as target:
            rows = [("project_title", "is_longitudinal", "missing_data_codes"), (dictionary.stem, 0, "")]
            csv.writer(target, lineterminator="\n").writerows(rows)
        made.append(folder / "project_info.csv")
    return made


def _structure_of_xml(project: Path, folder: Path) -> list[Path]:
    """Write the structure files that a project's XML describes."""
    from extract.odm.document import read_document
    from extract.odm.structure import structure_of

    structure = structure_of(read_document(project), project)
    if structure is None:
        raise UsageError(f"{project} has data only: export the project's XML with its metadata")
    folder.mkdir(parents=True)
    made = []
    for name, rows in structure.items():
        made.append(folder / f"{name}.csv")
        with made[-1].open("w", encoding="utf-8", newline="") as target:
            writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return made


def _mapping(out: Path) -> list[Path]:
    from metadata.project import Project
    from metadata.study import Study
    from metadata.terminology import Terminology
    from sdtm.draft.files import (
        domain_files,
        not_submitted_file,
        study_file,
        visits_file,
    )
    from sdtm.draft.proposals import Drafter

    project: Project = Project.read(out / "redcap")
    made = [_write(out / "study.yaml", study_file(project, out.resolve().name))]
    study = Study.open(out)
    found = Drafter(study, project, Terminology.open(study)).run()
    texts = {
        **visits_file(project),
        **domain_files(found),
        "sdtm/not_submitted.yaml": not_submitted_file(found, project, study.identity.subject),
    }
    return made + [_write(out / name, text) for name, text in texts.items()]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def show_draft(project: Path, out: Path | None) -> None:
    """Write the draft and say what comes next."""
    name = project.resolve().parent.name if project.name in ("redcap", "dictionary.csv") else project.resolve().stem
    target = out or Path("mappings") / name
    for path in draft(project, target):
        print(path)  # noqa: T201
    print(f"Next: redcap-cdisc check {target}")  # noqa: T201
