"""guides.yaml: what only people can write in the reviewer's guides; all else is made from what the run knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from metadata.declaration import read_document
from metadata.declaration_limits import NOT_BLANK
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import sdtm_variables
from metadata.study import Study
from metadata.yaml_source import complain

FILE = "guides.yaml"
Text = Annotated[str, NOT_BLANK]


@dataclass(frozen=True)
class TabulationTexts:
    """Texts of the cSDRG, by section; blank lines part paragraphs.

    ``absent`` says why a variable that a reviewer looks for is not in a dataset: ``DM.ETHNIC: reason``.
    """

    protocol_design: Text | None = None
    subject_data: Text | None = None
    traceability: Text | None = None
    conformance: Text | None = None
    legacy_data: Text | None = None
    absent: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class AnalysisTexts:
    """Texts of the ADRG, by section; blank lines part paragraphs."""

    source_data: Text | None = None
    protocol_design: Text | None = None
    treatment_variables: Text | None = None
    subject_issues: Text | None = None
    visit_windows: Text | None = None
    imputation: Text | None = None
    data_dependencies: Text | None = None
    conformance: Text | None = None
    programs: Text | None = None


@dataclass(frozen=True)
class GuideTexts:
    """The whole of guides.yaml: acronyms with what they stand for, and the texts of each guide."""

    acronyms: dict[str, Text] = field(default_factory=dict)
    csdrg: TabulationTexts = field(default_factory=TabulationTexts)
    adrg: AnalysisTexts = field(default_factory=AnalysisTexts)


def guides_schema() -> dict[str, Any]:
    """Return the JSON Schema of guides.yaml."""
    return document_schema(GuideTexts, "texts of the reviewer's guides")


def read_texts(study: Study) -> GuideTexts:
    """Return what the study writes, nothing if it has no such file; raises StudyError."""
    if not study.path(FILE).is_file():
        return GuideTexts()
    return read_document(GuideTexts, study.read_yaml(FILE), f"{study.name}/{FILE}")


def check_absent(study: Study, mapped: Mapping[str, Collection[str]]) -> list[StudyError]:
    """Return what is wrong with the variables that guides.yaml calls absent.

    ``mapped`` has the variables that the mapping of each dataset gives.
    """
    gather = Gather()
    declared = read_texts(study).csdrg.absent
    node = study.read_yaml(FILE)["csdrg"]["absent"] if declared else {}
    for key in declared:
        domain, _, variable = key.partition(".")
        with gather.part():
            if domain not in mapped:
                problem = f"'{key}' is not a variable of a dataset of the study, such as DM.ETHNIC"
                raise complain(node, key, problem + nearest(domain, mapped))
            known = [one.name for one in sdtm_variables(study.standards["sdtmig"], domain)]
            if variable not in known:
                problem = f"the guide lists no {variable or 'variable'} in {domain}{nearest(variable, known)}"
                raise complain(node, key, problem)
            if variable in mapped[domain]:
                raise complain(node, key, f"{key} is mapped, so it is not absent")
    return gather.found


def written(texts: TabulationTexts | AnalysisTexts, key: str) -> list[str]:
    """Return the paragraphs of a section, or the sentence that the study gives none."""
    assert key in {one.name for one in fields(texts)}
    written = getattr(texts, key)
    guide = "csdrg" if isinstance(texts, TabulationTexts) else "adrg"
    if written is None:
        return [f"Not given by the study ({FILE}, {guide}: {key})."]
    return [" ".join(part.split()) for part in str(written).split("\n\n") if part.strip()]
