"""What a run knows of itself, as both guides need it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from metadata.dataset import Dataset
from metadata.field_use import FormUses
from metadata.project import Project
from metadata.study import Study
from metadata.terminology import Terminology, read_terminology
from publish import splitting
from publish.disk import outside
from publish.guides.content import Block, BoxDiagram, Heading, Paragraph, paragraphs, table
from publish.guides.texts import GuideTexts, read_texts

ACRONYMS = {
    "ADaM": "Analysis Data Model",
    "CDISC": "Clinical Data Interchange Standards Consortium",
    "CRF": "Case Report Form",
    "NCI": "National Cancer Institute",
    "SDTM": "Study Data Tabulation Model",
    "XPT": "SAS Transport File, version 5",
}
STANDARDS = {
    "sdtm": "SDTM",
    "sdtmig": "SDTM Implementation Guide",
    "sdtm_ct": "CDISC/NCI SDTM Controlled Terminology",
    "adamig": "ADaM Implementation Guide",
    "occds": "ADaM Structure for Occurrence Data (OCCDS)",
    "tte": "ADaM Basic Data Structure for Time-to-Event Analyses",
    "adam_ct": "CDISC/NCI ADaM Controlled Terminology",
    "define": "Define-XML",
}
UNEXPLAINED = {"note": "For information"}
FURTHER_FILES = {"define.html": "define.xml as a page", "sap.pdf": "The analysis plan"}
OUTPUTS = "reports.yaml"
KIB = 1024


@dataclass(frozen=True)
class MappedForms:
    """The project that was mapped, and what became of its fields."""

    project: Project
    uses: FormUses


@dataclass(frozen=True)
class GuideFacts:
    """Study, datasets and findings of one run; ``package`` describes it as the manifest does.

    ``mapped`` are the forms that the tabulations were made from; there are none where these were received.
    ``folders`` are those of the transport files by standard ("sdtm", "adam"), ``validation`` that of the findings.
    """

    study: Study
    terminology: Terminology
    mapped: MappedForms | None
    sdtm: Mapping[str, Dataset]
    adam: Mapping[str, Dataset]
    package: Mapping[str, Any]
    folders: Mapping[str, Path]
    validation: Path

    @cached_property
    def texts(self) -> GuideTexts:
        """What the study writes itself."""
        return read_texts(self.study)

    @cached_property
    def outputs(self) -> list[tuple[str, str, str]]:
        """Identifier, title and dataset of each output that the study declares."""
        if not self.study.path(OUTPUTS).is_file():
            return []
        declared = self.study.read_yaml(OUTPUTS)["outputs"]
        return [(str(one["id"]), str(one["title"]), str(one.get("dataset") or "")) for one in declared]

    @cached_property
    def conformance(self) -> dict[str, Any]:
        """The result of the conformance rules."""
        return self._read("conformance.json")

    @cached_property
    def second_derivation(self) -> dict[str, Any]:
        """The comparison with the second derivation; empty if there was none."""
        return self._read("second_derivation.json")

    @cached_property
    def reconciliation(self) -> list[dict[str, str]]:
        """Per form, what became of the values that were received."""
        return self._rows("reconciliation.csv")

    @cached_property
    def data_cut(self) -> Counter[tuple[str, str]]:
        """Number of records and values by domain and what the data cut-off did with them."""
        return Counter((row["domain"], row["outcome"]) for row in self._rows("data_cut.csv"))

    @cached_property
    def queries(self) -> Counter[tuple[str, str]]:
        """Number of queries by severity and status."""
        return Counter((row["severity"], row["status"]) for row in self._rows("queries.csv"))

    def _read(self, name: str) -> dict[str, Any]:
        path = self.validation / name
        if not path.is_file():
            return {}
        with outside(f"read {path}"):
            found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found

    def _rows(self, name: str) -> list[dict[str, str]]:
        path = self.validation / name
        if not path.is_file():
            return []
        with outside(f"read {path}"):
            return list(csv.DictReader(path.read_text("utf-8").splitlines()))

    def size(self, standard: str, dataset: str) -> int:
        """Return the size of a transport file in bytes."""
        path = self.folders[standard] / f"{dataset.lower()}.xpt"
        with outside(f"read {path}"):
            return path.stat().st_size

    def in_parts(self, dataset: Dataset) -> list[tuple[str, str]]:
        """Return the row that says in which parts a dataset is given as well, if it is."""
        names = splitting.files(dataset, self.study.largest_file)
        return [("Files", splitting.sentence(names))] if names else []

    def is_in_folder(self, standard: str, file: str) -> bool:
        """Return True if a file lies in the folder of a standard."""
        return (self.folders[standard] / file).is_file()

    def split(self, standard: str) -> list[str]:
        """Return the names of the parts of split datasets."""
        folder = self.folders[standard] / "split"
        return sorted(path.name for path in folder.glob("*.xpt")) if folder.is_dir() else []


def subjects(dataset: Dataset) -> str:
    """Return the number of subjects of a dataset, blank if it is not about subjects."""
    if "USUBJID" not in dataset.metadata.names:
        return ""
    return str(len(set(dataset.coded("USUBJID").held) - {""}))


def counts(dataset: Dataset, variable: str) -> list[tuple[str, int]]:
    """Return each value of a variable with the number of its records, sorted, blank left out."""
    coded = dataset.coded(variable).in_order()
    numbers = np.bincount(coded.codes, minlength=len(coded.texts))
    return [(text, int(number)) for text, number in zip(coded.texts, numbers, strict=True) if text and number]


def kilobytes(size: int) -> str:
    """Return a size in kilobytes, rounded up."""
    return f"{-(-size // KIB):,}"


def introduction(facts: GuideFacts, standard: str, purpose: str, standards: tuple[str, ...]) -> list[Block]:
    """Return section 1 as far as both guides share it: purpose, acronyms, standards and dictionaries."""
    further = [Paragraph(said, file) for file, said in FURTHER_FILES.items() if facts.is_in_folder(standard, file)]
    said = [purpose]
    if facts.study.is_synthetic:
        said.append(
            f"{facts.study.notice}: the patients of this study are invented, and nothing here is to be relied on for"
            " any decision about a product."
        )
    elif facts.study.notice:
        said.append(f"{facts.study.notice}.")
    said.append(
        f"Data of {facts.package['snapshot']['date']}, package {facts.package['package']}. Sections that only people"
        " can write are taken from the study's guides.yaml; everything else is made by the program that made the"
        " datasets."
    )
    acronyms = {**ACRONYMS, **facts.texts.acronyms}
    return [
        Heading("1 Introduction", 1),
        Heading("1.1 Purpose", 2),
        *paragraphs(said),
        *further,
        Heading("1.2 Acronyms", 2),
        table(("Acronym", "Meaning"), sorted(acronyms.items()), (0.2, 0.8), ""),
        Heading("1.3 Study Data Standards and Dictionary Inventory", 2),
        table(("Standard or dictionary", "Version"), _standards(facts, standards), (0.6, 0.4), ""),
        *_extensions(facts),
    ]


def _standards(facts: GuideFacts, names: tuple[str, ...]) -> list[tuple[str, str]]:
    given = facts.study.standards
    made = [(STANDARDS.get(name, name), given[name]) for name in names if name in given]
    named = {one.dictionary for dataset in facts.sdtm.values() for one in dataset.metadata.variables if one.dictionary}
    made += [(name, "as define.xml names it") for name in sorted(named)]
    return made + _summary_dictionaries(facts)


def _summary_dictionaries(facts: GuideFacts) -> list[tuple[str, str]]:
    """Return the dictionaries of which Trial Summary takes codes, with their versions."""
    summary = facts.sdtm.get("TS")
    if summary is None or "TSVCDREF" not in summary.frame:
        return []
    version = "TSVCDVER" if "TSVCDVER" in summary.frame else "TSVCDREF"
    pairs = summary.frame[["TSVCDREF", version]].astype(str).drop_duplicates()
    found = zip(pairs["TSVCDREF"], pairs[version], strict=True)
    return sorted((f"{name} (Trial Summary)", made or "not given") for name, made in found if name)


def _extensions(facts: GuideFacts) -> list[Block]:
    """Return the terms that the study adds to the terminology, and its own lists."""
    declared = read_terminology(facts.study)
    rows = [
        (facts.terminology.codelist(name).label, term, meaning)
        for name, terms in (declared.extensions or {}).items()
        for term, meaning in terms.items()
    ]
    own = [f"{body.label or name} ({len(body.terms)} terms)" for name, body in (declared.codelists or {}).items()]
    return [
        Paragraph("Terms that the study adds to extensible codelists:"),
        table(("Codelist", "Term", "Meaning"), rows, (0.35, 0.3, 0.35), "The study adds no term."),
        Paragraph(f"Codelists of the study's own: {', '.join(own) or 'none'}."),
    ]  # fmt: skip


def protocol(facts: GuideFacts) -> list[Block]:
    """Return number and title of the protocol."""
    declared = facts.study.declared.study
    rows = [
        ("Protocol number", declared.protocol or facts.study.studyid),
        ("Study identifier in the datasets", facts.study.studyid),
        ("Title", declared.title),
    ]
    return [table(("", ""), rows, (0.3, 0.7), "")]


def parameter(facts: GuideFacts, code: str) -> str:
    """Return the values of a Trial Summary parameter."""
    summary = facts.sdtm.get("TS")
    if summary is None:
        return ""
    frame = summary.frame
    return "; ".join(frame.loc[(frame["TSPARMCD"] == code).to_numpy(), "TSVAL"].astype(str))


def traceability(facts: GuideFacts, upto: str) -> list[Block]:
    """Return the figure of the way of the data and what it says."""
    snapshot = facts.package["snapshot"]["id"]
    boxes = [
        ("REDCap", "data as the sites entered them"),
        ("Snapshot", f"records and structure, id {snapshot}"),
        ("SDTM", f"{len(facts.sdtm)} datasets, by the mapping in sdtm/*.yaml"),
    ]
    if facts.mapped is None:
        boxes = [("SDTM", f"{len(facts.sdtm)} datasets as they were received, id {snapshot}")]
    if upto == "adam":
        boxes.append(("ADaM", f"{len(facts.adam)} datasets, by the derivations in adam/*.yaml"))
        boxes.append(("Results", f"{len(facts.outputs)} outputs, by reports.yaml"))
    said = (
        "Each step does what is declared in the study's folder, and nothing else. The folder lineage of the package"
        f" leads from each value to the rows {'and the CRF fields ' if facts.mapped else ''}that it was made from; the"
        " command redcap-cdisc trace follows it."
    )
    return [BoxDiagram(tuple(boxes)), Paragraph(said)]


def conformance(facts: GuideFacts, names: set[str], number: int, inputs: str) -> list[Block]:
    """Return the section on conformance: what was judged by which rules, and the findings in some datasets."""
    found, judged = facts.conformance, facts.conformance.get("counts", {})
    mine = [one for one in found.get("findings", []) if one["dataset"] in names]
    rows = [
        (one["rule"], f"{one['dataset']} {one['variable']}".strip(), one["severity"], one["records"] or "",
         one["sentence"], one["explained"] or UNEXPLAINED.get(one["severity"], "Not explained by the study"))
        for one in mine
    ]  # fmt: skip
    return [
        Heading(f"{number} Data Conformance Summary", 1),
        Heading(f"{number}.1 Conformance Inputs", 2),
        *paragraphs(
            [
                f"Judged by the conformance rules of redcap-cdisc {facts.package['versions']['redcap-cdisc']}:"
                f" {judged.get('rules', 0)} rules, each with its source in {found.get('standard', 'the guides')},"
                f" against the terminology {found.get('terminology', '')}. {inputs}",
                "No other validator was run by the program that made this guide.",
            ]
        ),
        Heading(f"{number}.2 Issues Summary", 2),
        table(
            ("Rule", "Dataset, variable", "Severity", "Records", "What must hold", "Explanation"),
            rows,
            (0.14, 0.13, 0.1, 0.09, 0.25, 0.29),
            "The rules found nothing in these datasets.",
        ),
    ]


def rebuilding(facts: GuideFacts, heading: str) -> list[Block]:
    """Return the software with its versions, and how the package is made again."""
    package = facts.package
    command = f"redcap-cdisc run STUDY --source SNAPSHOT, with the snapshot {package['snapshot']['id']}"
    options = "".join(f" --{name} {value}" for name, value in package["options"].items())
    own = package["study_code"]
    return [
        Heading(heading, 1),
        *paragraphs(
            [
                f"{command}{options} and the study's folder as manifest.json lists it ({len(package['inputs'])} files"
                " with size and SHA-256), makes the same package again, byte for byte.",
                "Functions of the study's own: "
                + (", ".join(own) if own else "none; all derivations are declared")
                + ".",
            ]
        ),
        table(("Software", "Version"), {**package["versions"], **package["installed"]}.items(), (0.5, 0.5), ""),
    ]
