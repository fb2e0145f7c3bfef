"""What a change of the REDCap project touches: each line of the mapping, of checks, derivations and outputs.

A line of the study's files touches a field, form, event or group if it names it. What comes of a field (variables of
SDTM, tests, qualifiers) is looked for in the analysis datasets, and what these lines make in the outputs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.stage_summaries import counted
from metadata.errors import StudyError
from metadata.named_lines import NamedLine, named_lines
from metadata.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from metadata.field_use import FormUses
    from metadata.project import Project

READERS = ("study.yaml", "checks.yaml", "terminology.yaml", "sdtm/*.yaml")
DERIVED, SHOWN = ("adam/*.yaml",), ("reports.yaml", "acceptance.yaml")
WHOLE_PROJECT = ("project", "missing-data code", "extraction")
"""Parts of which every value depends."""
NEW_WITHOUT_TERM = "; these lines have no term for it"
UNREAD = "nothing reads it"
COMMON = ("USUBJID", "STUDYID", "DOMAIN", "VISIT", "VISITNUM", "EPOCH", "AVAL", "AVALC", "PARAM", "PARAMCD")


def drift_of(
    study: Study, found: Project, not_exported: Iterable[str] = (), warnings: Iterable[str] = ()
) -> pd.DataFrame:
    """Return what changed since the study's mapping was made, with the lines that each change touches.

    Columns: severity, part, item, finding, code, touches (lines as FILE:LINE KEY, one below the other). A change that
    no line reads is no error.
    """
    from extract import drift

    changes = drift.compare(study.project(), found, list(not_exported), list(warnings))
    touched = Touched(study, study.project())
    judged = [touched.judged({str(name): value for name, value in row.items()}) for row in changes.to_dict("records")]
    columns = [*changes.columns, "touches"]
    frame = changes.reindex(columns=columns).iloc[:0] if not judged else type(changes)(judged, columns=columns)
    return drift.by_severity(frame.astype("str"))


class Touched:
    """Finds what a change touches; each file of the study is read once."""

    def __init__(self, study: Study, project: Project) -> None:
        self.study, self.project = study, project

    def judged(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """Return a change with what it touches, and with the severity that follows from that."""
        part, severity, code = change["part"], change["severity"], change["code"]
        if part in WHOLE_PROJECT:
            return {**change, "touches": "every record"}
        lines = self._lines(part, change["item"])
        finding = change["finding"]
        if code and severity == "info":  # a new code
            lines = [line for line in lines if line.of_code]
            severity, finding = ("warning", finding + NEW_WITHOUT_TERM) if lines else (severity, finding)
        elif code:
            lines = [line.at_code(code) for line in lines if line.codes is None or code in line.codes]
        if severity == "error" and not lines and not self._read_without_line(part, change["item"], code):
            severity, finding = "warning", f"{finding}; {UNREAD}"
        further = self._further(change["item"]) if part in ("field", "rights") and lines else []
        shown = dict.fromkeys(str(line) for line in [*lines, *further])
        return {**change, "severity": severity, "finding": finding, "touches": "\n".join(shown)}

    def _lines(self, part: str, item: str) -> list[NamedLine]:
        names = [item]
        if part == "group":
            names += [str(row["data_access_group_name"]) for row in self.project.dags if item in row.values()]
        return [line for name in names for line in self._named.get(name, ())]

    def _read_without_line(self, part: str, item: str, code: str) -> bool:
        """True if the mapping reads a field that no line names in full, or cannot be read itself."""
        if part not in ("field", "rights") or code:
            return False
        return self._uses is None or item in {use.field for use in self._uses.uses}

    def _further(self, field: str) -> list[NamedLine]:
        """Return the lines of analysis datasets and outputs that read what becomes of a field."""
        uses = [use for use in (self._uses.uses if self._uses else ()) if use.field == field]
        words = {use.where[0][1] if use.where else use.variable for use in uses} - {"", *COMMON}
        derived = [line for word in sorted(words) for line in self._derived.get(word, ())]
        made = words | {name for line in derived for name in line.makes} - {*COMMON}
        return [*derived, *(line for word in sorted(made) for line in self._shown.get(word, ()))]

    @cached_property
    def _uses(self) -> FormUses | None:
        """What becomes of each field; None if the mapping itself does not fit the project that it was made for."""
        from metadata.terminology import Terminology
        from sdtm.build.field_uses import form_uses
        from sdtm.build.study_mapping import read_mapping

        with suppress(StudyError):
            return form_uses(read_mapping(self.study, self.project, Terminology.open(self.study)))
        return None

    @cached_property
    def _named(self) -> Mapping[str, list[NamedLine]]:
        project = self.project
        groups = {str(value) for row in project.dags for value in row.values()}
        events = {*project.event_names} - {""}
        return self._index(READERS, {*project.dictionary.fields, *project.dictionary.forms, *events, *groups})

    @cached_property
    def _derived(self) -> Mapping[str, list[NamedLine]]:
        return self._index(DERIVED, self._variables)

    @cached_property
    def _shown(self) -> Mapping[str, list[NamedLine]]:
        made = {name for lines in self._derived.values() for line in lines for name in line.makes}
        return self._index(SHOWN, self._variables | made)

    @cached_property
    def _variables(self) -> set[str]:
        uses = self._uses.uses if self._uses else ()
        return {name for use in uses for name in (use.variable, *(value for _, value in use.where[:1]))} - {"", *COMMON}

    def _index(self, patterns: Iterable[str], words: set[str]) -> Mapping[str, list[NamedLine]]:
        found: dict[str, list[NamedLine]] = {}
        for pattern in patterns:
            for path in sorted(self.study.folder.glob(pattern)):
                node = self.study.read_yaml(path.relative_to(self.study.folder).as_posix())
                for word, line in named_lines(node, words):
                    if line not in found.setdefault(word, []):
                        found[word].append(line)
        return found


def changes_against(study: Study, structure: Mapping[str, list[dict[str, Any]]]) -> pd.DataFrame:
    """Return what a project's structure changes of the one that was mapped, as ``drift_of`` does."""
    from metadata.project import Project

    return drift_of(study, Project.from_payloads(_completed(study.project(), structure)))


def show_drift(study: str, against: Path, as_json: bool) -> int:
    """Print what a changed project would touch; return 1 if something that is read breaks.

    ``against`` is a dictionary, a project's XML, or a folder or ZIP of exports. What it does not hold is taken as
    unchanged.
    """
    from rich.console import Console
    from rich.markup import escape

    from extract.drift import stops_build
    from flows.project_structure import find_structure

    opened = Study.open(study)
    opened.project()  # first of all: a study that begins with datasets has none
    found = find_structure(str(against))
    for sentence in found.sentences():
        print(sentence, file=sys.stderr)  # noqa: T201
    changes = changes_against(opened, found.structure)
    if as_json:
        rows = [{**row, "touches": row["touches"].splitlines()} for row in changes.to_dict("records")]
        print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        console = Console(highlight=False, soft_wrap=True)
        for row in changes.to_dict("records"):
            console.print(f"[bold]{row['severity']}[/bold]  {escape(row['finding'])}")
            for line in row["touches"].splitlines():
                console.print(f"         {escape(line)}")
        console.print(_verdict(changes))
    return int(stops_build(changes))


def _verdict(changes: pd.DataFrame) -> str:
    counts = counted_by_severity(changes)
    shown = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    return f"{counted(len(changes), 'change')} ({shown}): " + (
        "a build would stop" if counts["error"] else "no line of the study breaks"
    )


def counted_by_severity(changes: pd.DataFrame) -> dict[str, int]:
    """Return how many changes are of each severity."""
    return {one: int((changes["severity"] == one).sum()) for one in ("error", "warning", "info")}


def _completed(own: Project, structure: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return a structure whose missing parts are those of the study's own project.

    A dictionary alone says nothing of events and of what repeats, and web exports nothing of the project's information.
    """
    parts: dict[str, Any] = {
        "instruments": own.instruments, "arms": own.arms, "events": own.events, "dags": own.dags,
        "form_event_mapping": own.form_events, "repeating": own.repeating,
    }  # fmt: skip
    info = structure["project_info"][0]
    kept = {**own.info, **{name: value for name, value in info.items() if name in own.info and len(info) > 3}}
    forms = {str(row["form_name"]) for row in structure["dictionary"]}
    kept_forms = [row for row in own.instruments if row["instrument_name"] in forms]
    new = [{"instrument_name": one, "instrument_label": one} for one in sorted(forms - {*own.dictionary.forms})]
    parts["instruments"] = [*kept_forms, *new]
    return {**parts, **structure, "project_info": [kept]}
