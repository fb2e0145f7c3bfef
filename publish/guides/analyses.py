"""adrg.pdf, the Analysis Data Reviewer's Guide: sections of the PHUSE template, from what the run knows."""

from __future__ import annotations

from collections import Counter

from metadata.dataset import Dataset, Variable
from publish.guides.content import Block, Heading, Paragraph, paragraphs, table
from publish.guides.facts import (
    GuideFacts,
    conformance,
    counts,
    introduction,
    kilobytes,
    protocol,
    rebuilding,
    subjects,
    traceability,
)
from publish.guides.texts import written

TITLE = "Analysis Data Reviewer's Guide"
PURPOSE = "This guide gives context for the analysis datasets and terminology that define.xml alone does not give."
STANDARDS = ("adamig", "occds", "tte", "adam_ct", "sdtm", "sdtmig", "sdtm_ct", "define")
SUBJECTS = "ADSL"
SHARED = 3
"""A variable that so many datasets derive alike is described once."""


def sections(facts: GuideFacts) -> list[Block]:
    """Return the whole guide."""
    endpoints = facts.second_derivation.get("counts", {})
    inputs = (
        f"{endpoints['endpoints']} endpoints were derived a second time, in SQL from SDTM: {endpoints['values']:,}"
        f" values compared, {endpoints['differences']} differ."
        if endpoints
        else "No endpoint was derived a second time."
    )
    return [
        *introduction(facts, "adam", PURPOSE, STANDARDS),
        Heading("1.4 Source Data Used for Analysis Dataset Creation", 2),
        Paragraph(f"They are made from the SDTM datasets of the same package: {', '.join(sorted(facts.sdtm))}."),
        *paragraphs(written(facts.texts.adrg, "source_data")),
        Heading("2 Protocol Description", 1),
        Heading("2.1 Protocol Number and Title", 2),
        *protocol(facts),
        Heading("2.2 Protocol Design in Relation to ADaM Concepts", 2),
        *paragraphs(written(facts.texts.adrg, "protocol_design")),
        *_considerations(facts),
        *_processing(facts),
        *_datasets(facts),
        *conformance(facts, set(facts.adam), 6, inputs),
        *paragraphs(written(facts.texts.adrg, "conformance") if facts.texts.adrg.conformance else []),
        *_programs(facts),
        *rebuilding(facts, "8 Appendix: Software and Reproduction"),
    ]  # fmt: skip


def _considerations(facts: GuideFacts) -> list[Block]:
    given, level = facts.texts.adrg, facts.adam.get(SUBJECTS)
    return [
        Heading("3 Analysis Considerations Related to Multiple Analysis Datasets", 1),
        Heading("3.1 Core Variables", 2),
        Paragraph(f"Variables of {SUBJECTS} that every other dataset has as well:"),
        table(("Variable", "Label"), _core(facts), (0.25, 0.75), "There are none."),
        Heading("3.2 Treatment Variables", 2),
        *(_treatments(level) if level else []),
        *paragraphs(written(given, "treatment_variables")),
        Heading("3.3 Subject Issues that Require Special Analysis Rules", 2),
        *(_populations(level) if level else []),
        *paragraphs(written(given, "subject_issues")),
        Heading("3.4 Use of Visit Windowing, Unscheduled Visits, and Record Selection", 2),
        table(("Visit", "Planned day", "Window"), _windows(facts), (0.4, 0.2, 0.4), "The study plans no visits."),
        *paragraphs(written(given, "visit_windows")),
        Heading("3.5 Imputation and Derivation Methods", 2),
        Paragraph("Records that are derived (DTYPE), and flags that say of what a date was completed:"),
        table(("Dataset", "Variable", "Values (records)"), _imputed(facts), (0.2, 0.2, 0.6), "Nothing is imputed."),
        *paragraphs(written(given, "imputation")),
    ]


def _core(facts: GuideFacts) -> list[tuple[str, str]]:
    others = [set(one.metadata.names) for name, one in facts.adam.items() if name != SUBJECTS]
    if SUBJECTS not in facts.adam or not others:
        return []
    shared = set.intersection(*others)
    return [(one.name, one.label) for one in facts.adam[SUBJECTS].metadata.variables if one.name in shared]


def _treatments(level: Dataset) -> list[Block]:
    names = [name for name in level.metadata.names if name.startswith("TRT0") and name.endswith(("P", "A"))]
    rows = [
        (
            name,
            level.metadata.variable(name).label,
            "; ".join(text for text in level.coded(name).in_order().held if text),
        )
        for name in names
    ]
    return [table(("Variable", "Label", "Values"), rows, (0.2, 0.35, 0.45), f"{SUBJECTS} has no treatment variables.")]


def _populations(level: Dataset) -> list[Block]:
    flags = [one for one in level.metadata.variables if one.name.endswith("FL")]
    rows = [(one.name, one.label, int(level.coded(one.name).isin(["Y"]).sum()), one.method) for one in flags]
    header = ("Flag", "Label", "Subjects", "Derivation")
    return [
        Paragraph(f"Populations and other flags of {SUBJECTS}, of {len(level.frame)} subjects:"),
        table(header, rows, (0.15, 0.3, 0.12, 0.43), "There are none."),
    ]


def _windows(facts: GuideFacts) -> list[tuple[str, str, str]]:
    made = []
    for visit in facts.study.visits:
        window = f"{visit.window[0]} to +{visit.window[1]} days" if visit.window else "none declared"
        made.append((visit.visit, "not planned" if visit.day is None else str(visit.day), window))
    return made


def _imputed(facts: GuideFacts) -> list[tuple[str, str, str]]:
    made = []
    for name, dataset in sorted(facts.adam.items()):
        for variable in dataset.metadata.names:
            found = counts(dataset, variable) if variable == "DTYPE" or variable.endswith(("DTF", "TMF")) else []
            if found:
                made.append((name, variable, ", ".join(f"{text} ({count:,})" for text, count in found)))
    return made


def _processing(facts: GuideFacts) -> list[Block]:
    split = facts.split("adam")
    rows = [(name, ", ".join(_sources(dataset))) for name, dataset in sorted(facts.adam.items())]
    return [
        Heading("4 Analysis Data Creation and Processing Issues", 1),
        Heading("4.1 Split Datasets", 2),
        Paragraph(f"Split datasets: {', '.join(split)}." if split else "No dataset is split."),
        Heading("4.2 Data Dependencies", 2),
        table(("Dataset", "Made from"), rows, (0.2, 0.8), "There are no analysis datasets."),
        *paragraphs(written(facts.texts.adrg, "data_dependencies")),
        Heading("4.3 Intermediate Datasets", 2),
        Paragraph("No intermediate dataset is kept."),
        Heading("4.4 Traceability Flow Diagram", 2),
        *traceability(facts, "adam"),
    ]


def _sources(dataset: Dataset) -> list[str]:
    return sorted({str(name) for name in dataset.lineage["source"].cat.categories})


def _datasets(facts: GuideFacts) -> list[Block]:
    rows = [
        (name, one.metadata.label, one.metadata.dataset_class, len(one.frame), subjects(one),
         len(one.metadata.variables), kilobytes(facts.size("adam", name)))
        for name, one in sorted(facts.adam.items())
    ]  # fmt: skip
    links = tuple((name, f"dataset-{name}") for name in facts.adam)
    header = ("Dataset", "Label", "Class", "Records", "Subjects", "Variables", "KB")
    made: list[Block] = [
        Heading("5 Analysis Dataset Descriptions", 1),
        Heading("5.1 Overview", 2),
        table(header, rows, (0.12, 0.31, 0.21, 0.1, 0.1, 0.1, 0.06), "There are no analysis datasets.", links=links),
        Heading("5.2 Analysis Datasets", 2),
    ]
    shared = _shared(facts)
    if shared:
        made.append(Paragraph(f"Derived alike in {SHARED} or more datasets, and described here only:"))
        made.append(table(("Variable", "Label", "Derivation"), shared, (0.2, 0.3, 0.5), ""))
    known = {(name, sentence) for name, _, sentence in shared}
    for number, (name, dataset) in enumerate(sorted(facts.adam.items()), start=1):
        made.append(Heading(f"5.2.{number} {name}, {dataset.metadata.label}", 3, f"dataset-{name}"))
        made += _dataset(facts, dataset, known)
    return made


def _derived(dataset: Dataset) -> list[Variable]:
    return [one for one in dataset.metadata.variables if one.method and "Derived" in one.origin.split(";")]


def _shared(facts: GuideFacts) -> list[tuple[str, str, str]]:
    found = Counter((one.name, one.label, one.method) for dataset in facts.adam.values() for one in _derived(dataset))
    return sorted(key for key, count in found.items() if count >= SHARED)


def _dataset(facts: GuideFacts, dataset: Dataset, known: set[tuple[str, str]]) -> list[Block]:
    metadata = dataset.metadata
    rows = [("Structure", metadata.structure), ("Keys", ", ".join(metadata.keys)), *facts.in_parts(dataset)]
    derived = [(one.name, one.label, one.method) for one in _derived(dataset) if (one.name, one.method) not in known]
    made: list[Block] = [table(("", ""), rows, (0.2, 0.8), "")]
    if {"PARAMCD", "PARAM"} <= set(metadata.names):
        made.append(_parameters(dataset))
    made.append(Paragraph("Derivation highlights:"))
    made.append(
        table(("Variable", "Label", "Derivation"), derived, (0.15, 0.27, 0.58), "All is copied or described above.")
    )
    return made  # fmt: skip


def _parameters(dataset: Dataset) -> Block:
    named = dict(dataset.frame[["PARAMCD", "PARAM"]].astype(str).drop_duplicates("PARAMCD").to_numpy().tolist())
    rows = [(code, named[code], f"{count:,}") for code, count in counts(dataset, "PARAMCD")]
    return table(("Parameter", "Description", "Records"), rows, (0.2, 0.65, 0.15), "There are no parameters.")


def _programs(facts: GuideFacts) -> list[Block]:
    version = facts.package["versions"]["redcap-cdisc"]
    files = [one["path"] for one in facts.package["inputs"] if one["path"].startswith("adam/")]
    rows = [(file, file.removeprefix("adam/").rsplit(".", 1)[0].upper()) for file in files if file.endswith(".yaml")]
    return [
        Heading("7 Submission of Programs", 1),
        Heading("7.1 Description", 2),
        Paragraph(
            "The derivations are declared as named operations with parameters and carried out by redcap-cdisc"
            f" {version}; define.xml says each in a sentence."
        ),
        *paragraphs(written(facts.texts.adrg, "programs")),
        Heading("7.2 ADaM Programs", 2),
        table(("Declaration", "Dataset"), rows, (0.6, 0.4), "There are none."),
        Heading("7.3 Analysis Output Programs", 2),
        table(("Output", "Title", "Dataset"), facts.outputs, (0.15, 0.65, 0.2), "The study declares no outputs."),
        Heading("7.4 Macro Programs", 2),
        Paragraph("None."),
    ]
