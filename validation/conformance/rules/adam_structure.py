"""Rules about the classes of analysis datasets, their variables, names, labels, types, keys and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.analysis_guide import guide
from metadata.variable_kind import DATES, DATETIMES, TIMES
from validation.conformance.adam_datasets import (
    ADSL,
    CLASSES,
    OCCURRENCE,
    OTHER,
    SUBJECT_LEVEL,
    AnalysisDataset,
    AnalysisDatasets,
    coded,
    repeated,
)
from validation.conformance.rule import Hit, analysis_rule
from validation.conformance.rules.sdtm_structure import out_of_order

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")
LONGEST_LABEL, LONGEST_TEXT = 40, 200
CONVENTIONS = "ADaMIG 1.3, section 3.1.1"
FLAGS = "ADaMIG 1.3, section 3.1.4"
TIMING = "ADaMIG 1.3, section 3.1.2"
STRUCTURES = "ADaMIG 1.3, section 2.3"
VARIABLES = "ADaMIG 1.3, section 3; OCCDS 1.1, section 3"
TECHNICAL_GUIDE = "FDA Study Data Technical Conformance Guide, section 3.3"
ORIGINS = ("Predecessor", "Derived", "Assigned", "Collected", "Protocol", "Not Available")
YES_NO = "C66742"
EVENTS = "adam-tte-1-0"
NUMBERED = re.compile(r".*\d")


@analysis_rule("adam.adsl", "There is one ADSL, the only dataset of the subject level.", STRUCTURES)
def one_adsl(data: AnalysisDatasets) -> Iterator[Hit]:
    if data.get(ADSL) is None:
        yield Hit(ADSL, detail="The dataset is missing.")
    for one in data:
        if (one.kind == SUBJECT_LEVEL) != (one.name == ADSL):
            yield Hit(one.name, detail=f"Its class is {one.kind}.")


@analysis_rule("adam.class", "A dataset is of one class of the model, and has what makes that class.", STRUCTURES)
def dataset_class(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        if one.kind not in CLASSES:
            yield Hit(one.name, detail=f"There is no class '{one.kind}'.")
        elif one.is_basic and not (one.has("PARAM", "PARAMCD") and (one.has("AVAL") or one.has("AVALC"))):
            yield Hit(one.name, detail="The Basic Data Structure has PARAM, PARAMCD and AVAL or AVALC.")
        elif one.kind == OCCURRENCE and (one.has("PARAMCD") or one.has("AVAL")):
            yield Hit(one.name, detail="An occurrence dataset has no PARAMCD and no AVAL.")


@analysis_rule("adam.dataset_name", "A dataset's name begins with AD and has at most eight letters and digits.",
               "ADaMIG 1.3, section 2.3")  # fmt: skip
def dataset_name(data: AnalysisDatasets) -> Iterator[Hit]:
    yield from (Hit(one.name) for one in data if not re.fullmatch("AD[A-Z0-9]{1,6}", one.name))


@analysis_rule("adam.dataset_label", "A dataset has a label of at most 40 characters.", TECHNICAL_GUIDE)
def dataset_label(data: AnalysisDatasets) -> Iterator[Hit]:
    yield from (Hit(one.name) for one in data if not 1 <= len(one.metadata.label.strip().encode()) <= LONGEST_LABEL)


@analysis_rule("adam.dataset_empty", "A dataset without records is not submitted.", TECHNICAL_GUIDE, "warning")
def dataset_empty(data: AnalysisDatasets) -> Iterator[Hit]:
    yield from (Hit(one.name) for one in data if not one.size)


@analysis_rule("adam.study", "STUDYID is the study's identifier in every record.", VARIABLES)
def study_identifier(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("STUDYID"):
        yield Hit(one.name, "STUDYID", ~one.equals("STUDYID", data.study.studyid))


@analysis_rule("adam.required", "A variable that the class requires is present.",
               VARIABLES + "; ADaM BDS for TTE 1.0, section 4", version="guide")  # fmt: skip
def required(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        if one.kind in CLASSES[:3]:
            yield from (Hit(one.name, name) for name in one.guides[0].missing(one.names) if _is_asked(one, name))
        if one.is_events:
            yield from (Hit(one.name, name) for name in guide(EVENTS, "BDS for TTE", "--").missing(one.names))


def _is_asked(one: AnalysisDataset, name: str) -> bool:
    """Return False for the reported term of another kind of occurrence: of an event --TERM, of a medication CMTRT."""
    medication = one.prefix == "CM"
    return not (
        one.kind == OCCURRENCE and ((name.endswith("TERM") and medication) or (name == "CMTRT" and not medication))
    )


@analysis_rule("adam.required_value", "What names a record's study, subject and parameter is never null.", VARIABLES)
def required_value(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in ("STUDYID", "USUBJID", "PARAM", "PARAMCD"):
            if one.has(name):
                yield Hit(one.name, name, ~one.filled(name))


@analysis_rule("adam.treatment", "A dataset has a variable of treatment, planned or actual.",
               "ADaMIG 1.3, BDS Record Level Treatment Variables; OCCDS 1.1, section 3")  # fmt: skip
def treatment_variable(data: AnalysisDatasets) -> Iterator[Hit]:
    pattern = re.compile(r"TRT(\d\d)?[PA]|TRTSEQ[PA]")
    for one in data:
        if not any(map(pattern.fullmatch, one.names)):
            yield Hit(one.name, severity="warning" if one.kind == OTHER else None)


@analysis_rule("adam.variable_name", "A variable's name begins with a letter and has at most eight capitals"
               " and digits.", CONVENTIONS)  # fmt: skip
def variable_name(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        yield from (Hit(one.name, name) for name in one.names if not NAME.fullmatch(name))


@analysis_rule("adam.metadata", "The data have the variables of their metadata, in the same order.",
               "Define-XML 2.1, ItemRef of ItemGroupDef")  # fmt: skip
def metadata(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        if one.names != one.metadata.names:
            yield Hit(one.name, detail=f"They differ in {', '.join(sorted({*one.names} ^ {*one.metadata.names}))}.")


@analysis_rule("adam.described", "A variable has a label of at most 40 printable ASCII characters.",
               "ADaMIG 1.3, section 2.3")  # fmt: skip
def described(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for item in one.metadata.variables:
            is_label = (
                1 <= len(item.label.strip()) <= LONGEST_LABEL and item.label.isascii() and item.label.isprintable()
            )
            if not is_label:
                yield Hit(one.name, item.name, detail=f"Its label is '{item.label}'.")


@analysis_rule("adam.origin", "A variable has an origin, and what says how it is made.", "Define-XML 2.1, Origin",
               needs=("define_adam",))  # fmt: skip
def origin(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for item in one.metadata.variables:
            if item.origin not in ORIGINS:
                yield Hit(one.name, item.name, detail=f"Its origin is '{item.origin}'.")
            if item.origin in ("Derived", "Assigned", "Predecessor") and not item.method.strip():
                yield Hit(one.name, item.name, detail="Nothing says how it is made.")


@analysis_rule("adam.label", "A variable of the guide has the guide's label; text may follow where the name has an"
               " index.", "ADaMIG 1.3, section 3", version="guide")  # fmt: skip
def guide_label(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for item in one.metadata.variables:
            known = None if is_copy(one, item.name) else one.label_of(item.name)
            if known and not (item.label.startswith(known[0]) if known[1] else item.label == known[0]):
                yield Hit(one.name, item.name, detail=f"It is '{item.label}', not '{known[0]}'.")


@analysis_rule(
    "adam.type", "A variable is text or number as its guide and its metadata say.", CONVENTIONS, version="guide"
)
def guide_type(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.names:
            kind = "Char" if one.is_text(name) else "Num"
            known = one.guided(name)
            said = one.described[name].type if name in one.described else kind
            if kind != said or (known and known.type != kind):
                yield Hit(one.name, name, detail=f"It is {kind}, and should be {known.type if known else said}.")


def is_copy(one: AnalysisDataset, name: str) -> bool:
    """Return True for a variable, or supplemental qualifier, of an SDTM dataset from which the dataset copies."""
    if not one.data.sdtm.domains:  # without them, what is named after the dataset's domain
        return name.startswith(one.prefix)
    return any(domain.has(name) for domain in one.copied.values()) or name in one.qualifiers


@analysis_rule("adam.copy_attributes", "A copy of an SDTM variable has its label and type.", CONVENTIONS)
def copy_attributes(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for code, domain in one.copied.items():
            others = [one.copied[other] for other in one.domains if other != code]
            for item in domain.metadata.variables:
                mine = one.described.get(item.name)
                if (
                    mine
                    and not any(other.has(item.name) for other in others)
                    and (mine.label, mine.type) != (item.label, item.type)
                ):
                    yield Hit(one.name, item.name, detail=f"It is '{mine.label}', {mine.type}.")


@analysis_rule("adam.same_attributes", "A variable has the same label and type in all analysis datasets.", CONVENTIONS,
               "warning")  # fmt: skip
def same_attributes(data: AnalysisDatasets) -> Iterator[Hit]:
    first: dict[str, tuple[str, str]] = {}
    for one in data:
        for item in one.metadata.variables:
            said = first.setdefault(item.name, (item.label, item.type))
            if said != (item.label, item.type) and not NUMBERED.match(item.name):
                yield Hit(one.name, item.name, detail=f"It is '{item.label}', elsewhere '{said[0]}'.")


@analysis_rule("adam.flag_name", "Flags are texts whose names end in FL, numeric ones in FN, and others are not"
               " so named.", FLAGS)  # fmt: skip
def flag_name(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in (name for name in one.names if not is_copy(one, name)):
            if (name.endswith("FL") and not one.is_text(name)) or (name.endswith("FN") and one.is_text(name)):
                yield Hit(one.name, name, detail="It should be " + ("Char." if name.endswith("FL") else "Num."))
            elif _is_flag(one, name) and not name.endswith("FL"):
                yield Hit(one.name, name, detail="It holds Y and N, and its name does not end in FL.")


def _is_flag(one: AnalysisDataset, name: str) -> bool:
    """Return True for a variable of yes and no that is neither the guide's nor a copy from SDTM."""
    item = one.described.get(name)
    coded = item is not None and item.codelist == YES_NO and item.origin != "Predecessor"
    return coded and one.guided(name) is None


@analysis_rule("adam.date_format", "Names that end in DT, DTM and TM are of numbers shown as date, date with time, and"
               " time; those that end in DTF and TMF are texts.", TIMING, needs=("formats",))  # fmt: skip
def date_format(data: AnalysisDatasets) -> Iterator[Hit]:
    wanted = {"DTM": DATETIMES, "DT": DATES, "TM": TIMES}
    for one in data:
        for item in (item for item in one.metadata.variables if not is_copy(one, item.name)):
            if item.name.endswith(("DTF", "TMF")):
                if item.type != "Char":
                    yield Hit(one.name, item.name, detail="It should be Char.")
                continue
            formats = next((shown for end, shown in wanted.items() if item.name.endswith(end)), None)
            if formats and not (item.type == "Num" and (item.format or "").startswith(formats)):
                yield Hit(one.name, item.name, detail=f"It is {item.type} with format '{item.format or ''}'.")


@analysis_rule("adam.key_unique", "The keys are there and tell every record of a dataset apart.", STRUCTURES)
def key_unique(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        lacking = [name for name in one.metadata.keys if not one.has(name)]
        yield from (Hit(one.name, name, detail="The dataset lacks this key.") for name in lacking)
        keys = [name for name in one.metadata.keys if one.has(name)]
        if keys and one.size:
            yield Hit(one.name, "", repeated(one.group(*keys)))


@analysis_rule(
    "adam.key_sorted", "Records are sorted by the keys, null first.", "Define-XML 2.1, KeySequence of ItemRef"
)
def key_sorted(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        yield from out_of_order(one)


@analysis_rule("adam.record_twice", "No record is there twice, different only in its number.", STRUCTURES, "warning")
def record_twice(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        names = [name for name in one.names if name != "ASEQ"]
        if one.size > 1:
            yield Hit(one.name, "", repeated(one.group(*names)))


@analysis_rule("adam.sequence", "ASEQ numbers the records of a subject with whole numbers from 1, each once.",
               "ADaMIG 1.3, BDS Identifier")  # fmt: skip
def sequence(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("ASEQ", "USUBJID"):
        numbers = one.number("ASEQ")
        sound = (numbers > 0) & (numbers % 1 == 0)
        yield Hit(one.name, "ASEQ", ~sound | repeated(one.group("USUBJID", "ASEQ")))


@analysis_rule("adam.text", "A text is printable ASCII of at most 200 bytes without blanks around it.", TECHNICAL_GUIDE)
def text(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.texts:
            codes, texts = coded(one, name)
            wrong = [not _is_sound(value) for value in texts]
            if any(wrong):
                yield Hit(one.name, name, np.array(wrong)[codes])


def _is_sound(word: str) -> bool:
    return word.isascii() and word.isprintable() and len(word) <= LONGEST_TEXT and word == word.strip()
