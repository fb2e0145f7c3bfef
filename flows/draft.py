"""Writing the first mapping of a study from its REDCap dictionary."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.errors import UsageError

if TYPE_CHECKING:
    from metadata.study import Study
    from sdtm.draft.proposals import Draft

NOT_SUBMITTED = "sdtm/not_submitted.yaml"
STRUCTURE = ("dictionary", "project_info", "instruments", "arms", "events", "form_event_mapping", "repeating", "dags")


def draft(project: Path, out: Path) -> tuple[list[Path], Draft]:
    """Write a study's folder from a project's structure files, its XML, or a dictionary alone.

    Returns the files made, and what they propose.

    Raises UsageError if ``out`` has files already or there is no dictionary.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            f"{out} has files already: a draft never writes over a mapping, and copies the project's structure itself;"
            " choose another --out"
        )
    if project.suffix.lower() == ".xml" and project.is_file():
        made = _structure_of_xml(project, out / "redcap")
        return _with_mapping(made, out)
    dictionary = project / "dictionary.csv" if project.is_dir() else project
    if not dictionary.is_file():
        raise UsageError(f"{project} is neither a dictionary, a project's XML nor a folder with dictionary.csv")
    made = _structure(project, dictionary, out / "redcap")
    return _with_mapping(made, out)


def _with_mapping(made: list[Path], out: Path) -> tuple[list[Path], Draft]:
    files, found = _mapping(out)
    return made + files, found


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


def _mapping(out: Path) -> tuple[list[Path], Draft]:
    from metadata.project import Project
    from metadata.study import Study
    from metadata.terminology import Terminology
    from sdtm.draft.drafter import Drafter
    from sdtm.draft.files import domain_files, not_submitted_file, other_files, study_file, visits_file

    project: Project = Project.read(out / "redcap")
    made = [_write(out / "study.yaml", study_file(project, out.resolve().name))]
    study = Study.open(out)
    found = Drafter(study, project, Terminology.open(study)).run()
    texts = {**visits_file(project), **domain_files(found), **other_files(found)}
    made += [_write(out / name, text) for name, text in texts.items()]
    made.append(_write(out / NOT_SUBMITTED, not_submitted_file(found, project, _read_elsewhere(Study.open(out)))))
    return made, found


def _read_elsewhere(study: Study) -> set[str]:
    """Return the fields that study.yaml and the dates of visits read."""
    from metadata.errors import Gather
    from metadata.terminology import Terminology
    from sdtm.build.study_mapping import StudyMapping, read_each

    project, terminology = study.project(), Terminology.open(study)
    return set(StudyMapping(study, terminology, project, read_each(study, project, terminology, Gather())).fields)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def show_draft(project: Path, out: Path | None) -> None:
    """Write the draft and say what comes next."""
    name = project.resolve().parent.name if project.name in ("redcap", "dictionary.csv") else project.resolve().stem
    target = out or Path("mappings") / name
    for path in draft(project, target)[0]:
        print(path)  # noqa: T201
    print(f"Next: redcap-cdisc check {target}")  # noqa: T201
