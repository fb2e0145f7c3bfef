"""A study is a folder: study.yaml with its REDCap project, mappings, analysis datasets and reports."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from metadata.declaration import needed, parameters, read_value
from metadata.errors import Gather, StudyError, UsageError, nearest
from metadata.project import Project
from metadata.redcap_csv import UTF_8
from metadata.schema_errors import FILE, key_errors, shown
from metadata.study_declaration import PlannedTreatment, StudyFile
from metadata.text_dates import TextDate, read_text_dates
from metadata.yaml_source import LocatedDict, load

BUNDLED = Path(__file__).resolve().parent.parent / "mappings"
CONFIG = "study.yaml"
LARGEST_FILE = 5_000_000_000


def events_of(visit: LocatedDict) -> list[str]:
    """Return the events of a visit: one, or one in each arm of the project."""
    given = visit["event"]
    return [str(event) for event in (given if isinstance(given, list) else [given])]


class Study:
    """The reader of one study's folder; ``config`` is study.yaml with the lines of its keys.

    ``group`` is the data access group of which alone a part of the study is built, blank for the whole study.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.group = ""
        self._read: dict[tuple[str, int, int], Any] = {}
        self.config: LocatedDict = self._read_config()

    @classmethod
    def open(cls, name_or_path: str | Path) -> Study:
        """Open a bundled study by name, or any study's folder by path; raises UsageError if there is none."""
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

    def _read_config(self) -> LocatedDict:
        """Read study.yaml and check what all commands rely on; ``study_check`` checks the rest."""
        config = self.read_yaml(CONFIG)
        if not isinstance(config, LocatedDict):
            raise StudyError(f"{FILE} must be a mapping, not {shown(config)}", f"{self.name}/{CONFIG}")
        kinds = parameters(StudyFile)
        with Gather() as gather:
            gather.found += key_errors(config, kinds, needed(StudyFile), FILE)
            for key in ("study", "cutoff", "encoding"):
                with gather.part():
                    if key in config:
                        read_value(kinds[key], config[key], config, key)
        return config

    def path(self, relative: str) -> Path:
        """Return the path of one of the study's files."""
        return self.folder / relative

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
        path = self.folder / relative
        state = path.stat() if path.is_file() else None
        key = (relative, state.st_mtime_ns, state.st_size) if state else None
        if key is None or key not in self._read:
            body = load(path, f"{self.name}/{relative}")
            return self._read.setdefault(key, body) if key else body
        return self._read[key]

    @cached_property
    def studyid(self) -> str:
        """STUDYID of every dataset."""
        return str(self.config["study"]["id"])

    @cached_property
    def is_synthetic(self) -> bool:
        """True if the patients are invented, so that every output must say so."""
        return bool(self.config["study"].get("synthetic", False))

    @property
    def largest_file(self) -> int:
        """The most bytes of a transport file; one of more is also given in parts (FDA: 5 GB)."""
        return int(self.config.get("largest_file", LARGEST_FILE))

    @property
    def part(self) -> str:
        """What every output must say of a build that has one data access group only; blank for the whole study."""
        return f"Part of the study: data access group {self.group} only" if self.group else ""

    @property
    def notice(self) -> str:
        """What every output must say: that the patients are invented, that it is a part of the study; or blank."""
        synthetic = str(self.config["study"].get("synthetic_notice", "Synthetic data")) if self.is_synthetic else ""
        return ". ".join(sentence for sentence in (synthetic, self.part) if sentence)

    @cached_property
    def cutoff(self) -> str:
        """The data cut-off, YYYY-MM-DD."""
        return str(self.config["cutoff"])

    @cached_property
    def encoding(self) -> str:
        """The encoding of those bytes in REDCap's files and answers that are not UTF-8; ``utf-8`` if there are none."""
        return str(self.config.get("encoding", UTF_8))

    @cached_property
    def standards(self) -> dict[str, str]:
        """Versions of the standards the study declares."""
        return {key: str(value) for key, value in self.config["standards"].items()}

    @cached_property
    def visits(self) -> list[LocatedDict]:
        """Planned visits, in order: visitnum, visit, event or events, day (if planned), window, forms (classic)."""
        return list(self.config["visits"])

    @cached_property
    def visit_events(self) -> dict[str, LocatedDict]:
        """The visit of each event; a visit of a project with arms has an event in each arm."""
        return {event: visit for visit in self.visits for event in events_of(visit)}

    @cached_property
    def visit_of_form(self) -> dict[str, str]:
        """The visit (its ``event``) of each form that study.yaml lists under a visit's ``forms``.

        A classic project has no events: its visits are forms of their own, and ``event`` is the study's name for each.
        """
        return {str(form): events_of(visit)[0] for visit in self.visits for form in visit.get("forms") or []}

    @cached_property
    def dosing(self) -> list[PlannedTreatment]:
        """What the protocol gives to whom; empty where the study does not say it. Raises StudyError."""
        declared = self.config.get("dosing")
        return [] if declared is None else read_value(parameters(StudyFile)["dosing"], declared, self.config, "dosing")

    @cached_property
    def text_dates(self) -> dict[str, TextDate]:
        """Free-text fields that hold dates, and how these are written."""
        return read_text_dates(self.config)

    def project(self) -> Project:
        """Read the structure of the study's own copy of its REDCap project."""
        return Project.read(self.folder / "redcap", self.encoding, f"{self.name}/redcap")
