"""What the parts of a place are told by environment variables, so that a worker on another machine can be, too."""

from __future__ import annotations

import os
from pathlib import Path

from flows.run_request import BUILD
from metadata.study import Study

RELEASES = "releases"
PLACE = "REDCAP_CDISC_PLACE"
"""The folder of the place that a process belongs to; each part has it, and so has each process that a part starts."""
BUILDS = "REDCAP_CDISC_BUILDS"
"""The folder where builds and snapshots go; without it, ``build``."""
STUDIES = "REDCAP_CDISC_STUDIES"
"""The folder of studies that are known by their names; without it, those that come with the software."""
PAGES = "REDCAP_CDISC_PAGES"
"""The address at which the folder of builds is served, with a slash at its end; without it, pages have no link."""


def builds_folder() -> Path:
    """Return the folder of builds."""
    return Path(os.environ.get(BUILDS) or BUILD)


def study_at(name: str) -> str:
    """Return the path of a study in the folder of studies, or what was given if it is not there."""
    folder = os.environ.get(STUDIES, "")
    inside = Path(folder) / name
    return str(inside) if folder and (inside / "study.yaml").is_file() else name


def studies_in(folder: Path | None) -> list[Study]:
    """Return the studies of a folder in the order of their names; without a folder, those of the software.

    A study that begins with datasets has no server to be read from, and is left to the command ``run``.
    """
    names = Study.bundled() if folder is None else sorted(path.parent for path in folder.glob("*/study.yaml"))
    return [study for study in map(Study.open, names) if study.received is None]


def releases_folder() -> Path:
    """Return the folder of releases: that of a place's builds, else one of the working folder, as for the commands."""
    return builds_folder() / RELEASES if os.environ.get(BUILDS) else Path(RELEASES)


def build_folder(
    study: str, group: str | None = None, until: str = "package", publish: bool = True, summaries: bool = False
) -> Path:  # fmt: skip
    """Return the folder of a build: the study's name, with its group, its stage, ``summaries`` if its pages hold no
    patient, and ``trial`` if it replaces nothing.
    """
    parts = [group, until if until != "package" else "", "summaries" if summaries else "", "" if publish else "trial"]
    return builds_folder() / "-".join([study, *(part for part in parts if part)])


def page_link(path: Path) -> str:
    """Return the address of a page below the folder of builds; blank where pages are not served."""
    base, folder = os.environ.get(PAGES, ""), builds_folder().absolute()
    if not base or not path.absolute().is_relative_to(folder):
        return ""
    return f"{base}{path.absolute().relative_to(folder).as_posix()}"
