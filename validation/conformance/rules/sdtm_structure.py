"""Rules about names, labels, types, order, lengths, keys and sequence numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.errors import StudyError
from metadata.sdtm_model import model_variables
from metadata.standards import GuideVariable, sdtm_dataset
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

NAME = re.compile(r"[A-Z][A-Z0-9]{0,7}")
CONTINUED = re.compile(r"(?:COVAL|TSVAL)\d+")  # SDTMIG 3.3, section 4.5.3.2
LONGEST_LABEL, LONGEST_TEXT = 40, 200
TECHNICAL_GUIDE = "FDA Study Data Technical Conformance Guide, section 3.3"


@rule("dataset.name", "A dataset's name is at most eight upper-case letters and digits.", TECHNICAL_GUIDE)
def dataset_name(data: SdtmDatasets) -> Iterator[Hit]:
    yield from (Hit(domain.name) for domain in data if not NAME.fullmatch(domain.name))


@rule(
    "dataset.label",
    "A dataset has the label that the guide gives its domain.",
    "SDTMIG 3.3, section 3.2.1",
    version="guide",
)
def dataset_label(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        wanted = _guide_label(data, domain)
        if not domain.metadata.label.strip() or len(domain.metadata.label) > LONGEST_LABEL:
            yield Hit(domain.name, detail="The label is empty or longer than 40 characters.")
        elif wanted and domain.metadata.label != wanted:
            yield Hit(domain.name, detail=f"It is '{domain.metadata.label}', not '{wanted}'.")


def _guide_label(data: SdtmDatasets, domain: Domain) -> str:
    if domain.is_supplemental:
        parent = domain.name.removeprefix("SUPP")
        parent = parent[:2] if domain.metadata.label.endswith(f" {parent[:2]}") else parent  # a part of a split domain
        return f"Supplemental Qualifiers for {parent}" if domain.name[:4] == "SUPP" else ""
    try:
        return sdtm_dataset(data.version, domain.name).label
    except StudyError:
        return ""


@rule("dataset.empty", "A dataset without records is not submitted.", TECHNICAL_GUIDE, "warning")
def dataset_empty(data: SdtmDatasets) -> Iterator[Hit]:
    yield from (Hit(domain.name) for domain in data if not domain.size)


@rule("dataset.code", "DOMAIN holds the domain's two-letter code.", "SDTMIG 3.3, section 4.2.2")
def dataset_code(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("DOMAIN"):
        yield Hit(domain.name, "DOMAIN", ~domain.equals("DOMAIN", domain.name[:2]))


@rule("dataset.study", "STUDYID is the study's identifier in every record.", "SDTM 1.7, section 2.2.4")
def dataset_study(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("STUDYID"):
        yield Hit(domain.name, "STUDYID", ~domain.equals("STUDYID", data.study.studyid))


@rule("variable.name", "A variable's name is at most eight upper-case letters and digits.", TECHNICAL_GUIDE)
def variable_name(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        yield from (Hit(domain.name, name) for name in map(str, domain.frame.columns) if not NAME.fullmatch(name))


@rule("variable.model", "A variable is one of the guide's for the domain or of the model's for its class.",
      "SDTMIG 3.3, section 2.5", version="guide")  # fmt: skip
def variable_model(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        allowed = {item.name for item in domain.guide} | class_variables(domain)
        if allowed:
            others = [str(name) for name in domain.frame.columns if name not in allowed]
            yield from (Hit(domain.name, name) for name in others if not CONTINUED.fullmatch(name))


@rule("variable.guide", "A variable of the model's class that the guide does not list for the domain is meant.",
      "SDTMIG 3.3, section 2.5", "note")  # fmt: skip
def variable_guide(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        listed, model = {item.name for item in domain.guide}, class_variables(domain)
        added = [str(name) for name in domain.frame.columns if name in model and name not in listed]
        yield from (Hit(domain.name, name) for name in added if listed)


def class_variables(domain: Domain) -> set[str]:
    """Return the names of the variables that the model gives the class of a domain."""
    return {item.name for item in model_variables(domain.name[:2], domain.metadata.dataset_class)}


def _known(domain: Domain) -> Iterator[tuple[GuideVariable, int]]:
    """Yield each variable of the guide that the dataset has, with its place in the dataset."""
    places = {name: at for at, name in enumerate(domain.frame.columns)}
    yield from ((item, places[item.name]) for item in domain.guide if item.name in places)


@rule("variable.label", "A variable has the label that the guide gives it, of at most 40 characters.",
      "SDTMIG 3.3, section 3.2.2", version="guide")  # fmt: skip
def variable_label(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        labels = {variable.name: variable.label for variable in domain.metadata.variables}
        for item, _ in _known(domain):
            if labels.get(item.name) != item.label.rstrip("."):
                yield Hit(domain.name, item.name, detail=f"It is '{labels.get(item.name)}', not '{item.label}'.")
        yield from (Hit(domain.name, name) for name, label in labels.items() if not 1 <= len(label) <= LONGEST_LABEL)


@rule("variable.type", "A variable is text or number as the guide says.", "SDTMIG 3.3, section 3.2.2")
def variable_type(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for item, _ in _known(domain):
            if domain.is_text(item.name) != (item.type == "Char"):
                yield Hit(domain.name, item.name, detail=f"The guide has {item.type}.")


@rule("variable.order", "Variables are in the guide's order.", "SDTMIG 3.3, section 4.1.4", version="guide")
def variable_order(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        places = [place for _, place in _known(domain)]
        names = [item.name for item, _ in _known(domain)]
        late = [name for name, place, before in zip(names[1:], places[1:], places, strict=False) if place < before]
        yield from (Hit(domain.name, name) for name in late[:1])


@rule("variable.metadata", "The data have the variables of their metadata, in the same order.",
      "Define-XML 2.1, ItemRef of ItemGroupDef")  # fmt: skip
def variable_metadata(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if list(domain.frame.columns) != domain.metadata.names:
            differing = sorted(set(map(str, domain.frame.columns)) ^ set(domain.metadata.names))
            yield Hit(domain.name, detail=f"They differ in {', '.join(differing)}." if differing else "")


@rule("variable.required", "A Required variable is present and never null.", "SDTMIG 3.3, section 4.1.5")
def variable_required(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for item in domain.guide:
            if item.core == "Req":
                lacking = not domain.has(item.name)
                yield Hit(domain.name, item.name, None if lacking else ~domain.filled(item.name))


@rule("variable.expected", "An Expected variable is present.", "SDTMIG 3.3, section 4.1.5", version="guide")
def variable_expected(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        wanted = [item.name for item in domain.guide if item.core == "Exp"]
        yield from (Hit(domain.name, name) for name in wanted if not domain.has(name))


@rule("text.length", "A text is at most 200 bytes long and no longer than its variable.",
      "SDTMIG 3.3, section 4.5.3.2; " + TECHNICAL_GUIDE)  # fmt: skip
def text_length(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        declared = {variable.name: variable.length or LONGEST_TEXT for variable in domain.metadata.variables}
        for name in domain.texts:
            most = min(declared.get(name, LONGEST_TEXT), LONGEST_TEXT)
            yield Hit(domain.name, name, domain.column(name).each(_bytes, int) > most)


def _bytes(text: str) -> int:
    return len(text.encode())


@rule("text.ascii", "A text holds printable ASCII characters only.", TECHNICAL_GUIDE)
def text_ascii(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in domain.texts:
            yield Hit(domain.name, name, ~domain.each(name, lambda word: word.isascii() and word.isprintable()))


@rule("text.blanks", "A text neither begins nor ends with a blank.", TECHNICAL_GUIDE, "warning", covers="FB1501")
def text_blanks(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in domain.texts:
            yield Hit(domain.name, name, domain.each(name, lambda word: word != word.strip()))


@rule("text.missing_code", "A missing-data code of the project is never in a dataset.",
      "SDTMIG 3.3, section 4.2.5", needs=("study",))  # fmt: skip
def text_missing_code(data: SdtmDatasets) -> Iterator[Hit]:
    codes = set() if data.study.received else set(data.study.project().missing_codes)
    for domain in data if codes else ():
        coded = {variable.name for variable in domain.metadata.variables if variable.codelist}
        for name in domain.texts:
            if name not in coded and not name.endswith(("VALNF", "ORRESU", "STRESU")):
                yield Hit(domain.name, name, domain.equals(name, *codes))


@rule("key.unique", "The keys tell every record of a dataset apart.", "SDTMIG 3.3, section 3.2.1.1")
def key_unique(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        keys = [name for name in domain.metadata.keys if domain.has(name)]
        lacking = [name for name in domain.metadata.keys if not domain.has(name)]
        yield from (Hit(domain.name, name, detail="The dataset lacks this key.") for name in lacking)
        if keys:
            yield Hit(domain.name, "", repeated(domain.group(*keys)))


@rule("key.sorted", "Records are sorted by the keys, null first.", "SDTMIG 3.3, section 3.2.1.1")
def key_sorted(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        yield from out_of_order(domain)


def out_of_order(domain: Domain) -> Iterator[Hit]:
    """Yield the records that come before the one above them by the keys of the metadata."""
    keys = [name for name in domain.metadata.keys if domain.has(name)]
    if keys and domain.size > 1:
        wrong = np.zeros(domain.size, bool)
        wrong[1:] = descends([rank(domain, name) for name in keys])
        yield Hit(domain.name, "", wrong)


def rank(domain: Domain, name: str) -> np.ndarray:
    """Return the place of each value in the order of numbers, or of bytes, as SAS sorts; null comes first."""
    if not domain.is_text(name):
        return np.nan_to_num(domain.number(name), nan=-np.inf)
    return domain.column(name).ranks()


def descends(levels: list[np.ndarray]) -> np.ndarray:
    """Return True where a record comes before the one above it."""
    lower, equal = np.zeros(len(levels[0]) - 1, bool), np.ones(len(levels[0]) - 1, bool)
    for level in levels:
        lower |= equal & (level[1:] < level[:-1])
        equal &= level[1:] == level[:-1]
    return lower


@rule("sequence.unique", "--SEQ is unique within a subject.", "SDTMIG 3.3, section 4.1.9", covers="CG0028, CG0268")
def sequence_unique(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _sequenced(data):
        names = ["TSPARMCD", "TSSEQ"] if domain.name == "TS" else ["USUBJID", "--SEQ"]
        yield Hit(domain.name, domain.full("--SEQ"), repeated(domain.group(*names)))


@rule("sequence.integer", "--SEQ is a positive whole number.", "SDTM 1.7, section 2.2.4")
def sequence_integer(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _sequenced(data):
        numbers = domain.number("--SEQ")
        yield Hit(domain.name, domain.full("--SEQ"), ~((numbers > 0) & (numbers % 1 == 0)))


def _sequenced(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data.having("--SEQ") if not domain.is_supplemental]
