"""index.html at the root of a package: how the study stands, what is where, and the verdicts; relative links only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from metadata.html_page import page_templates
from publish.disk import outside, write_bytes
from publish.manifest import CONFORMANCE
from publish.study_page.forms import FormState
from publish.study_page.records import BROWSE, PAGE
from publish.study_page.status import SafetyState, SiteState, VisitState

FOLDER = Path(__file__).resolve().parent
TEMPLATE, FILE = "index.html.jinja", "index.html"
STANDARDS = {"sdtm": "Tabulation datasets (SDTM)", "adam": "Analysis datasets (ADaM)"}
DOCUMENTS = {
    "define.html": "Definition of the datasets, to read", "define.xml": "Definition of the datasets, Define-XML 2.1",
    "acrf.pdf": "Annotated case report form", "csdrg.pdf": "Reviewer's guide of the tabulation datasets",
    "adrg.pdf": "Reviewer's guide of the analysis datasets", "sap.pdf": "Statistical analysis plan",
}  # fmt: skip
PLACES = {
    "reports/results.csv": "All results as one table",
    "validation/reconciliation.csv": "What became of each form's values",
    "validation/received.csv": "The files received, with their hashes and what they leave open",
    "validation/read_back.csv": "Transport files read again", "manifest.json": "Every file with its size and hash",
}  # fmt: skip
FOLDERS = {"parquet": "The datasets as parquet", "lineage": "Where each value came from, for the command trace"}


@dataclass(frozen=True)
class FileLink:
    """A file of the package and what it is."""

    href: str
    name: str
    text: str


@dataclass(frozen=True)
class StudyStatus:
    """How the study stands at the date of the data; rows of tables as the page has them."""

    sites: list[SiteState]
    months: list[tuple[str, int, int]]
    visits: list[VisitState]
    forms: list[FormState]
    safety: SafetyState | None

    @property
    def site_rows(self) -> list[tuple[Any, ...]]:
        """Site, with consent, started, ended."""
        return [astuple(one) for one in self.sites]

    @property
    def visit_rows(self) -> list[tuple[Any, ...]]:
        """Visit, planned day, due, done, missing, done before it was due."""
        return [astuple(one) for one in self.visits]

    @property
    def form_rows(self) -> list[tuple[Any, ...]]:
        """Form, entries, complete, unverified, incomplete."""
        return [(one.label, one.entries, one.complete, one.unverified, one.incomplete) for one in self.forms]


@dataclass(frozen=True)
class ListedOutput:
    """A table, figure or listing of the report."""

    id: str
    number: str
    title: str
    population: str


@dataclass(frozen=True)
class ListedDataset:
    """A dataset: its label, counts, the address of its records, and the files that hold it."""

    name: str
    label: str
    records: int
    variables: int
    view: str
    files: tuple[FileLink, ...]


@dataclass(frozen=True)
class StandardPart:
    """The datasets of a standard, the documents about them and the programs that made them."""

    title: str
    documents: tuple[FileLink, ...]
    datasets: tuple[ListedDataset, ...]
    programs: tuple[FileLink, ...]


@dataclass(frozen=True)
class StatedVerdict:
    """What was checked, what was found, and whether nothing is left to explain; ``link`` leads to the details."""

    title: str
    sentence: str
    good: bool
    link: FileLink | None


def write(
    root: Path, about: Mapping[str, Any], folders: Mapping[str, Path], datasets: Mapping[str, Any],
    status: StudyStatus | None = None, outputs: Sequence[ListedOutput] = (), patients: bool = True,
) -> Path:  # fmt: skip
    """Write the page over the files that lie in ``root`` and return it.

    ``about`` is what the manifest says of the package, ``folders`` the place of each standard's transport files,
    ``datasets`` the datasets of each standard. Without ``patients`` it leads to no page that shows a patient's value.
    Raises OutsideError.
    """
    parts = [_part(root, standard, folders[standard], datasets[standard]) for standard in datasets]
    templates = page_templates(FOLDER)
    page = templates.get_template(TEMPLATE).render(
        about=about,
        parts=parts,
        verdicts=_verdicts(root, patients),
        places=_links(root, root, PLACES) if patients else (),
        folders=[(name, text) for name, text in FOLDERS.items() if (root / name).is_dir()] if patients else [],
        status=status,
        outputs=outputs,
        queries=_queries(root),
        query_page="validation/queries.html" if patients and (root / "validation/queries.html").is_file() else "",
        browse=f"{BROWSE}/{PAGE}" if patients and (root / BROWSE / PAGE).is_file() else "",
        patients=patients,
        received=(root / "validation/received.csv").is_file(),
    )
    write_bytes(root / FILE, page.encode())
    return root / FILE


def _link(root: Path, path: Path, text: str = "") -> FileLink:
    return FileLink(quote(path.relative_to(root).as_posix()), path.name, text)


def _links(root: Path, folder: Path, texts: Mapping[str, str]) -> tuple[FileLink, ...]:
    """Return the files that are there; the manifest is written last and over this page, too."""
    there = (name for name in texts if (folder / name).is_file() or name == "manifest.json")
    return tuple(_link(root, folder / name, texts[name]) for name in there)


def _part(root: Path, standard: str, folder: Path, datasets: Mapping[str, Any]) -> StandardPart:
    programs = folder.parent / "programs"
    return StandardPart(
        STANDARDS[standard],
        _links(root, folder, DOCUMENTS),
        tuple(_dataset(root, standard, folder, one) for one in datasets.values()),
        tuple(_link(root, path) for path in sorted(programs.glob("*.txt"))) if standard == "adam" else (),
    )


def _dataset(root: Path, standard: str, folder: Path, dataset: Any) -> ListedDataset:
    stem, page = dataset.name.lower(), f"{BROWSE}/{PAGE}"
    copies = root / "dataset-json" / standard
    files = [folder / f"{stem}.xpt", *(copies / f"{stem}{form}" for form in (".json", ".ndjson", ".dsjc"))]
    files += sorted((folder / "split").glob(f"{stem}[0-9]*.xpt"))
    return ListedDataset(
        dataset.name,
        dataset.metadata.label,
        len(dataset.frame),
        len(dataset.metadata.variables),
        f"{page}#table={dataset.name}" if (root / page).is_file() else "",
        tuple(_link(root, path) for path in files if path.is_file()),
    )


def _verdicts(root: Path, patients: bool) -> list[StatedVerdict]:
    made = [one for one in (_conformance(root), _acceptance(root), _second(root)) if one]
    return made if patients else [replace(one, link=None) for one in made]


def _queries(root: Path) -> list[tuple[str, dict[str, int]]]:
    """Return how many queries of each severity have each status."""
    path = root / "validation" / "queries.csv"
    if not path.is_file():
        return []
    with outside(f"read {path}"):
        listing = pd.read_csv(path, dtype=str, keep_default_na=False, usecols=["severity", "status"])
    counts = pd.crosstab(listing["severity"], listing["status"])
    return list(counts.to_dict("index").items())  # type: ignore[arg-type]


def _judged(root: Path, name: str) -> dict[str, Any] | None:
    path = root / name
    if not path.is_file():
        return None
    with outside(f"read {path}"):
        return dict(json.loads(path.read_text("utf-8")))


def _conformance(root: Path) -> StatedVerdict | None:
    judged = _judged(root, CONFORMANCE)
    if judged is None:
        return None
    counts = judged["counts"]
    notes = counts["findings"] - counts["explained"] - counts["unexplained"]
    sentence = (
        f"{counts['rules']} rules, {counts['findings']} findings: {counts['explained']} explained by the study,"
        f" {counts['unexplained']} not, {notes} for information"
    )
    return StatedVerdict("Conformance", sentence, not counts["unexplained"], _read(root, "conformance.html"))


def _acceptance(root: Path) -> StatedVerdict | None:
    judged = _judged(root, "validation/acceptance.json")
    if judged is None:
        return None
    asked = judged["expectations"] - judged["not_judged"]
    sentence = f"{judged['met']} of {asked} expectations met" + (
        f", {judged['not_judged']} not judged" if judged["not_judged"] else ""
    )
    return StatedVerdict("Acceptance", sentence, bool(judged["success"]), _read(root, "acceptance.html"))


def _second(root: Path) -> StatedVerdict | None:
    judged = _judged(root, "validation/second_derivation.json")
    if judged is None:
        return None
    counts = judged["counts"]
    sentence = f"{counts['endpoints']} endpoints derived again, {counts['values']} values agree"
    return StatedVerdict("Second derivation", sentence, not judged["findings"], _read(root, "second_derivation.html"))


def _read(root: Path, name: str) -> FileLink | None:
    found: Iterable[FileLink] = _links(root, root / "validation", {name: "Details"})
    return next(iter(found), None)
