"""How much of a project a draft places rightly: ``python -m benchmarks.drafts FOLDER ... [--key KEY.csv] [--wrong]``.

A FOLDER is a study with a mapping of its own, which is the key (its annotations are left out of what is drafted), or
holds projects (XML) for which the key has lines: project, field and the places that a person would take, parted by
``|``. Counted are the fields that the key places; those that the drafted study, read by the engine, puts in one of
these places; and of the placements that the draft calls certain, those that are in one.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.check import ERROR, problems_of
from flows.draft import draft
from metadata.project import Project
from metadata.study import Study
from metadata.terminology import Terminology, whole_package
from sdtm.build.field_uses import form_uses
from sdtm.build.study_mapping import StudyMapping, read_mapping
from sdtm.draft.proposals import NOT_SUBMITTED
from sdtm.draft.recognised import CERTAIN
from sdtm.mapping.not_submitted import UNDECIDED

Key = dict[str, set[str]]
KEY = Path("tests/data/placements.csv")


@dataclass
class Count:
    """What was counted of one project; ``wrong`` are its certain placements that the key does not have."""

    placeable: int = 0
    right: int = 0
    certain: int = 0
    certain_right: int = 0
    errors: int = 0
    wrong: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    def __add__(self, other: Count) -> Count:
        """Return the sum, without the lists."""
        names = ("placeable", "right", "certain", "certain_right", "errors")
        return Count(*(getattr(self, name) + getattr(other, name) for name in names))


def main() -> None:
    """Print a line for each project, and the whole."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drafts", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--key", type=Path, default=KEY, help="CSV with project, field and places")
    parser.add_argument("--wrong", action="store_true", help="list what is certain and wrong, and what is not placed")
    given, whole = parser.parse_args(), Count()
    for name, project, key in projects(given.folders, given.key):
        counted = count(project, key)
        whole += counted
        print(_line(name, counted))
        if given.wrong:
            for text in (*counted.wrong, *counted.missed):
                print(f"    {text}")
    print(_line("all", whole))


def _line(name: str, counted: Count) -> str:
    share = counted.right / max(counted.placeable, 1)
    sure = counted.certain_right / max(counted.certain, 1)
    return (
        f"{name:45} {counted.right:4} of {counted.placeable:4} placed rightly ({share:4.0%}),"
        f" {counted.certain_right:4} of {counted.certain:4} certain ones right ({sure:4.0%}),"
        f" {counted.errors} errors of check"
    )


def projects(folders: Iterable[Path], key: Path) -> Iterator[tuple[str, Path, Key]]:
    """Yield the name, the structure and the key of each project."""
    keys: dict[str, Key] = {}
    with key.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            places = {place.strip() for place in row["places"].split("|")}
            keys.setdefault(row["project"], {})[row["field"]] = places
    for folder in folders:
        if (folder / "study.yaml").is_file():
            yield folder.name, folder / "redcap", key_of_study(Study.open(str(folder)))
            continue
        for path in sorted(folder.rglob("*.xml")):
            shown = path.relative_to(folder).with_suffix("").as_posix().removesuffix("/project")
            if shown in keys:
                yield shown, path, keys[shown]


def key_of_study(study: Study) -> Key:
    """Return where a study's own mapping puts each field; a test whose code the study invented may have any other."""
    project = study.project()
    made = places_of(read_mapping(study, project, Terminology.open(study)))
    package = whole_package(study)
    known = {code for listed in package for code in package[listed].terms}
    return {
        name: {place if place.count(".") < 2 or place.rpartition(".")[2] in known else place.rpartition(".")[0]
               for place in places}
        for name, places in made.items()
    }  # fmt: skip


def places_of(mapping: StudyMapping) -> Key:
    """Return the places of each field: those of its values, else where it only decides or dates a visit."""
    made: Key = {}
    beside: Key = {}
    uses = form_uses(mapping)
    for use in uses.uses:
        if use.role == "value":
            test = next((value for name, value in use.where if name.endswith("TESTCD")), "")
            place = f"{use.dataset}.{use.variable}"
            made.setdefault(use.field, set()).update({place, f"{place}.{test}"} if test else {place})
        else:
            shown = "SV.SVSTDTC" if use.role == "date" else f"{use.domain}:{use.role}"
            beside.setdefault(use.field, set()).add(shown)
    made = {name: made.get(name) or beside[name] for name in {**made, **beside}}
    open_ = {name for name, reason in uses.not_submitted.items() if reason == UNDECIDED}
    fields = mapping.project.dictionary.fields
    closed = set(uses.not_submitted) - open_ - set(made)
    return made | {name: {NOT_SUBMITTED} for name in closed if name in fields and fields[name].type != "descriptive"}


def count(project: Path, key: Key) -> Count:
    """Draft a study from a project's structure, and count."""
    with tempfile.TemporaryDirectory(prefix="draft-") as name:
        folder = Path(name) / "drafted"
        _, found = draft(project, folder)
        errors = [problem for problem in problems_of(str(folder)) if problem.severity == ERROR]
        if errors:
            return Count(
                len(key), errors=len(errors), wrong=tuple(f"{e.file}:{e.line} {e.key} {e.message}" for e in errors)
            )
        study = Study.open(str(folder))
        structure: Project = study.project()
        placed = places_of(read_mapping(study, structure, Terminology.open(study)))
    key = {name: places for name, places in key.items() if name != structure.dictionary.record_id}
    missed = sorted(name for name, places in key.items() if not agrees(placed.get(name, set()), places))
    certain = [one for one in found.placements if one.confidence == CERTAIN and one.field in key]
    wrong = [one for one in certain if not agrees({one.place}, key[one.field])]
    return Count(
        placeable=len(key),
        right=len(key) - len(missed),
        certain=len(certain),
        certain_right=len(certain) - len(wrong),
        wrong=tuple(f"certain and wrong: {one.field} {one.place}, not {sorted(key[one.field])}" for one in wrong),
        missed=tuple(f"missed: {name} {sorted(key[name])}; is {sorted(placed.get(name, set()))}" for name in missed),
    )


def agrees(placed: set[str], places: set[str]) -> bool:
    """Return True if one of the places is one of the key's; where both name a test, the test must be the same."""
    tests = {place for place in places if place.count(".") == 2}
    return any(place in places and (place.count(".") == 2 or not _has_test(place, tests, placed)) for place in placed)


def _has_test(place: str, tests: set[str], placed: set[str]) -> bool:
    """Return True if both sides name tests of a variable: then these are what must agree."""
    begins = f"{place}."
    return any(one.startswith(begins) for one in tests) and any(one.startswith(begins) for one in placed)


if __name__ == "__main__":
    main()
