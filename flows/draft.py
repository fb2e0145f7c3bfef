"""Writing the first mapping of a study from its REDCap dictionary."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from flows.check import MARK, show_progress
from flows.project_structure import Structure, find_structure, structure_from
from metadata.errors import UsageError

if TYPE_CHECKING:
    from metadata.study import Study
    from sdtm.draft.proposals import Draft

NOT_SUBMITTED = "sdtm/not_submitted.yaml"


def draft(project: str | Path, out: Path) -> tuple[list[Path], Draft]:
    """Write a study's folder from a project's structure, wherever it is (see structure_from).

    Returns the files made, and what they propose. Raises UsageError if ``out`` has files already or there is no
    dictionary.
    """
    _refuse_filled(out)
    return draft_of_structure(structure_from(str(project)), out)


def draft_of_structure(structure: Structure, out: Path) -> tuple[list[Path], Draft]:
    """Write a study's folder from the payloads of a project's structure (see draft)."""
    _refuse_filled(out)
    made = write_structure(structure, out / "redcap")
    files, found = _mapping(out)
    return made + files, found


def _refuse_filled(out: Path) -> None:
    """Raise UsageError if a folder has files."""
    if out.exists() and any(out.iterdir()):
        raise UsageError(
            f"{out} has files already: a draft never writes over a mapping, and copies the project's structure itself;"
            " choose another folder"
        )


def write_structure(structure: Structure, folder: Path) -> list[Path]:
    """Write the files of a structure; raises StudyError before that if it is no project's."""
    from metadata.project import Project

    Project.from_payloads(structure)
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
    from sdtm.draft import trial_design
    from sdtm.draft.drafter import Drafter
    from sdtm.draft.files import domain_files, not_submitted_file, other_files, study_file, visits_file

    project: Project = Project.read(out / "redcap")
    config = out / "study.yaml"
    text = study_file(project, out.resolve().name)
    study = Study.open(_write(config, text).parent)
    drafter = Drafter(study, project, Terminology.open(study))
    found = drafter.run()
    designed = trial_design.has_design(drafter.lines)
    if designed:
        more = trial_design.design_of_subjects(drafter.lines)
        _write(config, "\n".join([text.rstrip("\n"), *more, ""]))
    texts = {**visits_file(project), **domain_files(found), **other_files(found)}
    texts |= trial_design.design_files(texts, drafter.lines) if designed else {}
    made = [config, *(_write(out / name, text) for name, text in texts.items())]
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


def show_draft(project: str, out: Path | None, as_json: bool = False) -> None:
    """Write the draft and say how far it is, what is to be decided in each file, and what comes next."""
    path = Path(project)
    name = path.resolve().parent.name if path.name in ("redcap", "dictionary.csv") else path.resolve().stem
    target = out or Path("mappings") / name
    files, found = _drafted(project, target, sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps([asdict(one) for one in found.placements], indent=2, ensure_ascii=False))  # noqa: T201
        return
    show_made(target, files)


def show_begun(project: str, study: Path) -> None:
    """Begin a study from a project (see find_structure); say what was read, made and is to be decided."""
    show_made(study, _drafted(project, study, sys.stdout)[0])


def _drafted(project: str, out: Path, said: TextIO) -> tuple[list[Path], Draft]:
    """Write a draft (see draft), with a line on ``said`` of the files that were read and of those that were not."""
    _refuse_filled(out)
    found = find_structure(project)
    made = draft_of_structure(found.structure, out)
    for sentence in found.sentences():
        print(sentence, file=said)
    return made


def show_made(study: Path, files: list[Path]) -> None:
    """Print the files of a new study, each with the number of its marks, and how far its mapping is."""
    for path in files:
        marks = path.read_text(encoding="utf-8").count(f"{MARK}:") if path.suffix == ".yaml" else 0
        print(f"{path}{f'  {marks} TODO' if marks else ''}")  # noqa: T201
    show_progress(str(study))
    print(f"Next: redcap-cdisc check {study}")  # noqa: T201
