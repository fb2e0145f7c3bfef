"""A study is a folder: study.yaml with its REDCap project, mappings, analysis datasets and reports."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from metadata.declaration import parameters, read_document
from metadata.errors import StudyError, UsageError, nearest
from metadata.other_sources import with_sources
from metadata.project import Project
from metadata.redcap_csv import UTF_8
from metadata.study_declaration import (
    JSON_FORMS,
    Identity,
    JsonForm,
    OtherSource,
    PlannedTreatment,
    Standards,
    StudyFile,
    Visit,
)
from metadata.text_dates import TextDate
from metadata.yaml_source import complain, load

BUNDLED = Path(__file__).resolve().parent.parent / "mappings"
CONFIG = "study.yaml"
LARGEST_FILE = 5_000_000_000
BLINDING = {
    "": "",
    "blinded": "Blinded: treatments are a dummy allocation",
    "unblinded": "Unblinded: not for anyone who is blinded",
}
"""What every output says of a build's treatments."""
ARMS = {"": "", "blinded": "dummy arms", "unblinded": "unblinded"}


class Study:
    """The reader of one study's folder; ``declared`` is its study.yaml, without mistakes of keys or types.

    ``group`` is the data access group of which alone a part of the study is built, blank for the whole study.
    ``unblinded`` says that the treatment is read from the real list of a study with ``blinding``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.group = ""
        self.unblinded = False
        self._read: dict[tuple[str, int, int], Any] = {}
        self.declared = read_document(StudyFile, self.read_yaml(CONFIG), f"{self.name}/{CONFIG}")

    @classmethod
    def open(cls, name_or_path: str | Path) -> Study:
        """Open a bundled study by name, or any study's folder by path.

        Raises UsageError if there is none, StudyError for all in study.yaml that does not fit its declaration.
        """
        return cls(cls.find(name_or_path))

    @classmethod
    def find(cls, name_or_path: str | Path) -> Path:
        """Return the folder of a study, its files unread; raises UsageError if there is none."""
        given = Path(name_or_path)
        bundled = BUNDLED / str(name_or_path)
        folder = given if (given / "study.yaml").is_file() else bundled
        if (folder / "study.yaml").is_file():
            return folder.resolve()
        if given.is_dir():
            raise UsageError(f"{given} is not a study's folder: it has no study.yaml")
        names = cls.bundled()
        raise UsageError(
            f"there is no study '{name_or_path}'{nearest(str(name_or_path), names)};"
            f" bundled are {', '.join(names)}, or give the path of a study's folder"
        )

    @staticmethod
    def bundled() -> list[str]:
        """Names of the studies that come with the software."""
        return sorted(path.parent.name for path in BUNDLED.glob("*/study.yaml"))

    def path(self, relative: str) -> Path:
        """Return the path of one of the study's files, which need not be there.

        Raises StudyError for one that is not in the study's folder: an absolute path, one that goes up, and a link that
        leads out.
        """
        path = self.folder / relative
        if not path.resolve().is_relative_to(self._whole):
            raise StudyError(f"'{relative}' leads out of the study's folder: the files of a study are in it", self.name)
        return path

    @cached_property
    def _whole(self) -> Path:
        return self.folder.resolve()

    def read_text(self, relative: str) -> str:
        """Return the text of one of the study's files; raises StudyError if it is not there, or is not UTF-8."""
        try:
            return self.path(relative).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise StudyError("the file does not exist", f"{self.name}/{relative}") from None
        except UnicodeDecodeError:
            raise StudyError("the file is not UTF-8: save it as UTF-8", f"{self.name}/{relative}") from None

    def read_yaml(self, relative: str) -> Any:
        """Read one of the study's YAML files, known in errors as ``<study>/<relative>``; once as long as it stays."""
        path = self.path(relative)
        state = path.stat() if path.is_file() else None
        key = (relative, state.st_mtime_ns, state.st_size) if state else None
        if key is None or key not in self._read:
            body = load(path, f"{self.name}/{relative}")
            return self._read.setdefault(key, body) if key else body
        return self._read[key]

    @cached_property
    def studyid(self) -> str:
        """STUDYID of every dataset."""
        return self.declared.study.id

    @cached_property
    def is_synthetic(self) -> bool:
        """True if the patients are invented, so that every output must say so."""
        return self.declared.study.synthetic

    @property
    def largest_file(self) -> int:
        """The most bytes of a transport file; one of more is also given in parts (FDA: 5 GB)."""
        return self.declared.largest_file or LARGEST_FILE

    @property
    def json_forms(self) -> tuple[JsonForm, ...] | None:
        """The forms of Dataset-JSON that the study asks for, in their usual order; None where it does not say."""
        asked = self.declared.dataset_json
        return None if asked is None else tuple(form for form in JSON_FORMS if form in asked)

    @property
    def shows_patients(self) -> bool:
        """Whether the study's pages lead to single patients."""
        return self.declared.study_page != "summaries"

    @property
    def part(self) -> str:
        """What every output must say of a build that has one data access group only; blank for the whole study."""
        return f"Part of the study: data access group {self.group} only" if self.group else ""

    @property
    def blinding(self) -> str:
        """Whether the treatments are real: ``blinded``, ``unblinded``, or blank for a study that is not blinded."""
        if self.declared.blinding is None:
            return ""
        return "unblinded" if self.unblinded else "blinded"

    @property
    def notice(self) -> str:
        """What every output must say: invented patients, treatments that are none, a part of the study; or blank."""
        synthetic = (self.declared.study.synthetic_notice or "Synthetic data") if self.is_synthetic else ""
        return ". ".join(sentence for sentence in (synthetic, self.treatments, self.part) if sentence)

    @property
    def treatments(self) -> str:
        """What every output must say of the treatments of a blinded study, blank for another."""
        return BLINDING[self.blinding]

    @property
    def label_mark(self) -> str:
        """What the label of every dataset ends with: the data access group, whether the arms are real; or blank."""
        return ", ".join(filter(None, (f"{self.group} only" if self.group else "", ARMS[self.blinding])))

    @cached_property
    def cutoff(self) -> str:
        """The data cut-off, YYYY-MM-DD."""
        return self.declared.cutoff

    @cached_property
    def encoding(self) -> str:
        """The encoding of those bytes in REDCap's files and answers that are not UTF-8; ``utf-8`` if there are none."""
        return self.declared.encoding or UTF_8

    @property
    def identity(self) -> Identity:
        """Where a record's identifiers come from; raises StudyError if study.yaml does not say it."""
        if self.declared.identity is None:
            problem = "say which field holds the subject's number: identity: {subject: FIELD}"
            raise complain(self.declared.node, "identity", problem)
        return self.declared.identity

    @cached_property
    def standards(self) -> dict[str, str]:
        """Versions of the standards the study declares."""
        declared = self.declared.standards
        return {key: version for key in parameters(Standards) if (version := str(getattr(declared, key)))}

    @cached_property
    def visits(self) -> list[Visit]:
        """The visits of study.yaml, in order."""
        return self.declared.visits

    @cached_property
    def visit_events(self) -> dict[str, Visit]:
        """The visit of each event; a visit of a project with arms has an event in each arm."""
        return {event: visit for visit in self.visits for event in visit.event}

    @cached_property
    def visit_of_form(self) -> dict[str, str]:
        """The visit (its ``event``) of each form that study.yaml lists under a visit's ``forms``.

        A classic project has no events: its visits are forms of their own, and ``event`` is the study's name for each.
        """
        return {form: visit.event[0] for visit in self.visits for form in visit.forms or []}

    @property
    def dosing(self) -> list[PlannedTreatment]:
        """What the protocol gives to whom; empty where the study does not say it."""
        return self.declared.dosing or []

    @cached_property
    def text_dates(self) -> dict[str, TextDate]:
        """Free-text fields that hold dates, and how these are written."""
        declared = self.declared.text_dates or []
        return {name: TextDate(one.order, tuple(one.unknown)) for one in declared for name in one.fields}

    @property
    def source_fields(self) -> frozenset[str]:
        """The fields that come from files beside REDCap."""
        return frozenset(name for source in (self.declared.sources or {}).values() for name in source.fields)

    @property
    def stored_sources(self) -> dict[str, OtherSource]:
        """The files beside REDCap as a snapshot has them: of a blinded study always with the dummy list."""
        sources, blinding = dict(self.declared.sources or {}), self.declared.blinding
        if blinding and blinding.list_ in sources:
            sources[blinding.list_] = replace(sources[blinding.list_], file=blinding.dummy)
        return sources

    @property
    def sources(self) -> dict[str, OtherSource]:
        """The files beside REDCap as they are read: of a blinded study the real list only when it is unblinded."""
        return dict(self.declared.sources or {}) if self.unblinded else self.stored_sources

    @property
    def received(self) -> Path | None:
        """The folder of the datasets with which the study begins; None for one that begins with a REDCap project."""
        declared = self.declared.input
        return self.folder / declared.sdtm if declared else None

    def project(self) -> Project:
        """Read the structure of the study's own copy of its REDCap project, with a form for each other source."""
        return with_sources(self.redcap_project(), self.sources)

    def redcap_project(self) -> Project:
        """Read the structure of the study's own copy of its REDCap project; raises StudyError if it begins later."""
        if self.received is not None:
            raise complain(self.declared.node, "input", "the study begins with datasets and has no REDCap project")
        return Project.read(self.path("redcap"), self.encoding, f"{self.name}/redcap")
