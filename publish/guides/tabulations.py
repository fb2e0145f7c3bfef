"""csdrg.pdf, the Clinical Study Data Reviewer's Guide: sections of the PHUSE template, from what the run knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from metadata.dataset import Dataset
from metadata.labels import plain_label
from publish.crf.unshown import sentence, unshown_fields
from publish.guides.content import Block, Heading, Paragraph, paragraphs, table
from publish.guides.facts import (
    GuideFacts,
    MappedForms,
    conformance,
    counts,
    introduction,
    kilobytes,
    parameter,
    protocol,
    rebuilding,
    subjects,
    traceability,
)
from publish.guides.texts import written

TITLE = "Clinical Study Data Reviewer's Guide"
PURPOSE = "This guide gives context for the tabulation datasets and terminology that define.xml alone does not give."
STANDARDS = ("sdtm", "sdtmig", "sdtm_ct", "define")
DESIGN = ("TA", "TE", "TV", "TI", "TS", "TM")
DESIGN_FACTS = (
    ("Phase", "TPHASE"), ("Type", "STYPE"), ("Model", "INTMODEL"), ("Arms", "NARMS"), ("Randomised", "RANDOM"),
    ("Blinding", "TBLIND"), ("Control", "TCNTRL"), ("Indication", "INDIC"), ("Treatment", "TRT"),
    ("Background treatment", "CURTRT"), ("Length", "LENGTH"), ("Subjects planned", "PLANSUB"),
    ("Subjects enrolled", "ACTSUB"), ("Start of study", "SSTDTC"), ("End of study", "SENDTC"),
    ("Data cut-off", "DCUTDTC"), ("Primary objective", "OBJPRIM"), ("Secondary objectives", "OBJSEC"),
)  # fmt: skip
DEVIATIONS = "DV"
CUT_OUTCOMES = ("left out", ("cleared", "replaced"), "kept")
"""How the outcomes of the data cut-off begin."""


def sections(facts: GuideFacts) -> list[Block]:
    """Return the whole guide."""
    names = set(facts.sdtm)
    inputs = "Findings of the mapping's own checks are in validation/ of the package."
    return [
        *introduction(facts, "sdtm", PURPOSE, STANDARDS),
        *_protocol(facts),
        *_subject_data(facts),
        *conformance(facts, names, 4, inputs),
        Heading("4.3 Additional Conformance Details", 2),
        *paragraphs(written(facts.texts.csdrg, "conformance")),
        *_queries(facts),
        *_criteria(facts),
        Heading("Appendix II: Legacy Data Conversion", 1),
        *paragraphs(written(facts.texts.csdrg, "legacy_data")),
        *rebuilding(facts, "Appendix III: Software and Reproduction"),
    ]


def _protocol(facts: GuideFacts) -> list[Block]:
    found = [(label, parameter(facts, code)) for label, code in DESIGN_FACTS]
    made: list[Block] = [
        Heading("2 Protocol Description", 1),
        Heading("2.1 Protocol Number and Title", 2),
        *protocol(facts),
        Heading("2.2 Protocol Design", 2),
        *paragraphs(written(facts.texts.csdrg, "protocol_design")),
        table(("From Trial Summary", ""), [row for row in found if row[1]], (0.3, 0.7), "TS has none of these."),
        Heading("2.3 Trial Design Datasets", 2),
    ]  # fmt: skip
    shown = {
        "TA": (("ARMCD", "ARM", "TAETORD", "ELEMENT", "EPOCH"), (0.14, 0.36, 0.1, 0.22, 0.18)),
        "TV": (("VISITNUM", "VISIT", "VISITDY", "TVSTRL"), (0.12, 0.25, 0.12, 0.51)),
    }
    for name, (variables, shares) in shown.items():
        if name in facts.sdtm:
            dataset = facts.sdtm[name]
            made.append(Paragraph(f"{name}, {dataset.metadata.label}:"))
            made.append(_rows(dataset, variables, shares))
    return made


def _rows(dataset: Dataset, variables: Iterable[str], shares: tuple[float, ...]) -> Block:
    """Return all records of a small dataset, under the names of some of its variables."""
    names = [name for name in variables if name in dataset.metadata.names]
    columns = [dataset.coded(name).array() for name in names]
    return table(names, zip(*columns, strict=True), shares[: len(names)], f"{dataset.name} has no records.")


def _subject_data(facts: GuideFacts) -> list[Block]:
    given = facts.texts.csdrg
    acrf = "acrf.pdf" if facts.is_in_folder("sdtm", "acrf.pdf") else ""
    split = facts.split("sdtm")
    forms = len(_mapped(facts).project.dictionary.forms) - len(_mapped(facts).project.sources)
    crf = (
        f"acrf.pdf has {forms} forms, each once, with bookmarks by visit and by form."
        " The origin of each collected variable in define.xml names its pages."
    )
    return [
        Heading("3 Subject Data Description", 1),
        Heading("3.1 Overview", 2),
        *paragraphs(written(given, "subject_data")),
        *_answers(facts),
        *_data_cut(facts),
        Heading("3.2 Traceability Flow Diagram", 2),
        *traceability(facts, "sdtm"),
        *(paragraphs(written(given, "traceability")) if given.traceability else []),
        Heading("3.3 Annotated CRFs", 2),
        Paragraph(crf, acrf),
        *paragraphs(
            filter(None, [sentence(unshown_fields(_mapped(facts).project)).replace("this document", "acrf.pdf")])
        ),
        *_not_submitted(facts),
        Heading("3.4 SDTM Subject Domains", 2),
        _inventory(facts),
        Paragraph(f"Split datasets: {', '.join(split)}." if split else "No dataset is split."),
        *[block for dataset in _main(facts) for block in _domain(facts, dataset)],
    ]


def _mapped(facts: GuideFacts) -> MappedForms:
    """Return the forms, which a guide of tabulations is about."""
    assert facts.mapped is not None, "tabulations that were received have the guide of those who made them"
    return facts.mapped


def _answers(facts: GuideFacts) -> list[Block]:
    """Return the questions of the template that the data answer."""
    study, demographics = facts.study, facts.sdtm.get("DM")
    failed = 0
    if demographics is not None and "ARMNRS" in demographics.metadata.names:
        failed = int(demographics.coded("ARMNRS").isin(["SCREEN FAILURE"]).sum())
    supplemental = sorted(name for name in facts.sdtm if name.startswith("SUPP"))
    rows = [
        ("Were SDTM datasets the sources of the analysis datasets?", "Yes" if facts.adam else "No analysis datasets"),
        ("Do the datasets include all subjects?", study.part or "Yes, all whose records have a subject number"),
        ("Are screen failures included?", f"{failed} in DM" if failed else "There are none in DM"),
        ("Domains that are mapped and not submitted, because no data were collected",
         ", ".join(sorted(set(_mapped(facts).uses.labels) - set(facts.sdtm))) or "No"),
        ("Are there supplemental qualifiers?", ", ".join(supplemental) or "No"),
        ("Are related records linked by RELREC?", "Yes" if "RELREC" in facts.sdtm else "No"),
        ("Data cut-off", study.cutoff),
    ]  # fmt: skip
    return [table(("Question", "Answer"), rows, (0.5, 0.5), "")]


def _data_cut(facts: GuideFacts) -> list[Block]:
    """Return how each domain was cut at the data cut-off, and what that left out, cleared or kept without certainty."""
    declared = facts.study.declared.cut
    if declared is None:
        return []
    rule = {**dict.fromkeys(declared.by_date, "by date"), **dict.fromkeys(declared.by_subject, "by subject")}
    counts = [
        [sum(count for (name, outcome), count in facts.data_cut.items() if name == domain and outcome.startswith(word))
         for word in CUT_OUTCOMES]
        for domain in ("DM", *rule)
    ]  # fmt: skip
    rows = [(domain, rule.get(domain, "by subject"), *map(str, row))
            for domain, row in zip(("DM", *rule), counts, strict=True) if domain in facts.sdtm or any(row)]  # fmt: skip
    subjects = declared.subjects
    where = f" where {subjects.where.sentence('null', 'not null')}" if subjects.where else ""
    text = (
        f"Data cut-off {facts.study.cutoff}. In the data are the subjects whose first {subjects.earliest}{where} is not"
        " after it. In domains cut by date, records that begin after it are left out, a partial date counting as"
        " the earliest day that it may be; records without a date are kept. Ends after it are cleared, as are dates of"
        " DM, a death's among them. All variables are derived after the cut. validation/data_cut.csv lists each case."
    )
    header = ("Domain", "Cut", "Records left out", "Values cleared or replaced", "Kept, not certainly before it")
    return [Paragraph(text), table(header, rows, (0.12, 0.2, 0.2, 0.24, 0.24), "")]


def _not_submitted(facts: GuideFacts) -> list[Block]:
    """Return how many fields are not submitted for which reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in _mapped(facts).uses.not_submitted.items():
        reasons.setdefault(reason, []).append(name)
    rows = [
        (reason, len(names), ", ".join(names[:6]) + (", ..." if len(names) > 6 else ""))
        for reason, names in sorted(reasons.items())
    ]
    return [
        Paragraph("Fields of the CRF that are annotated [NOT SUBMITTED], by reason:"),
        table(("Reason", "Fields", "Names"), rows, (0.45, 0.1, 0.45), "Every field is submitted."),
    ]


def _main(facts: GuideFacts) -> list[Dataset]:
    """Return the datasets of subjects, without trial design and supplemental qualifiers, which go with theirs."""
    return [one for name, one in sorted(facts.sdtm.items()) if name not in DESIGN and not name.startswith("SUPP")]


def _inventory(facts: GuideFacts) -> Block:
    rows = [
        (name, one.metadata.label, one.metadata.dataset_class, len(one.frame), subjects(one),
         len(one.metadata.variables), kilobytes(facts.size("sdtm", name)),
         f"SUPP{name}" if f"SUPP{name}" in facts.sdtm else "")
        for name, one in sorted(facts.sdtm.items())
    ]  # fmt: skip
    links = tuple((one.name, f"dataset-{one.name}") for one in _main(facts))
    header = ("Dataset", "Label", "Class", "Records", "Subjects", "Variables", "KB", "Supplemental")
    return table(header, rows, (0.11, 0.26, 0.17, 0.09, 0.09, 0.1, 0.07, 0.11), "", links=links)


def _domain(facts: GuideFacts, dataset: Dataset) -> list[Block]:
    name, metadata = dataset.name, dataset.metadata
    fields = {use.field for use in _mapped(facts).uses.uses if use.domain == name and use.role == "value"}
    titles = {
        str(one["instrument_name"]): plain_label(str(one["instrument_label"]))
        for one in _mapped(facts).project.instruments
    }
    dictionary = _mapped(facts).project.dictionary
    forms = [
        titles.get(form, form) for form in dictionary.forms if {f.name for f in dictionary.form_fields(form)} & fields
    ]
    rows = [
        ("Structure", metadata.structure),
        ("Keys", ", ".join(metadata.keys)),
        ("Forms", ", ".join(forms) or "none: made from other datasets or from study.yaml"),
        *facts.in_parts(dataset),
    ]
    for suffix, label in (("CAT", "Categories"), ("SCAT", "Subcategories")):
        if f"{name}{suffix}" in metadata.names:
            rows.append(
                (label, ", ".join(value for value in dataset.coded(f"{name}{suffix}").in_order().held if value))
            )
    if f"{name}TESTCD" in metadata.names:
        tests = counts(dataset, f"{name}TESTCD")
        rows.append(("Tests", ", ".join(f"{code} ({count:,})" for code, count in tests)))
    for key, reason in facts.texts.csdrg.absent.items():
        domain, _, variable = key.partition(".")
        if domain == name and variable not in metadata.names:
            rows.append(("Not in the dataset", f"{variable}: {' '.join(reason.split())}"))
    if name == DEVIATIONS:
        kinds = [one for one in (f"{name}DECOD", f"{name}CAT") if one in metadata.names][:1]  # not the text itself
        found = [f"{kind}: {count}" for one in kinds for kind, count in counts(dataset, one)]
        rows.append(("Deviations", "; ".join(found) or f"{len(dataset.frame)}"))
    return [
        Heading(f"3.4.{_place(facts, name)} {name}, {metadata.label}", 3, f"dataset-{name}"),
        table(("", ""), [row for row in rows if row[1]], (0.2, 0.8), ""),
    ]


def _place(facts: GuideFacts, name: str) -> int:
    return [one.name for one in _main(facts)].index(name) + 1


def _queries(facts: GuideFacts) -> list[Block]:
    """Return what became of the values of each form, and the queries."""
    by_status: Counter[str] = Counter()
    for (_, status), count in facts.queries.items():
        by_status[status] += count
    counted = ", ".join(f"{count} {status}" for status, count in sorted(by_status.items())) or "none"
    rows = [
        (row["form"], row["received"], row["tabulated"], row["not_submitted"], row["withheld"])
        for row in facts.reconciliation
    ]
    header = ("Form", "Values received", "Tabulated", "Declared not submitted", "Withheld")
    return [
        Heading("4.4 Data Issues and Reconciliation", 2),
        Paragraph(f"Queries on the records: {counted}. They are listed in validation/queries.csv of the package."),
        Paragraph("Every stored value is tabulated, declared not submitted, or withheld with an open query:"),
        table(header, rows, (0.28, 0.18, 0.18, 0.18, 0.18), "There is no reconciliation."),
    ]


def _criteria(facts: GuideFacts) -> list[Block]:
    made: list[Block] = [Heading("Appendix I: Inclusion and Exclusion Criteria", 1)]
    if "TI" not in facts.sdtm:
        return [*made, Paragraph("The study has no dataset TI.")]
    return [*made, _rows(facts.sdtm["TI"], ("IETESTCD", "IECAT", "IETEST"), (0.15, 0.2, 0.65))]
