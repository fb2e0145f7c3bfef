"""What differs between the define.xml of tabulations and of analysis datasets: standards, classes, terminology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metadata.dataset import ANALYSIS_CLASSES, Dataset
from metadata.errors import StudyError
from metadata.standards import FOLDER
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.terminology_package import Codelist, read_package
from publish.refusals import Standard

TABULATION_CLASSES = (
    "Trial Design",
    "Special-Purpose",
    "Interventions",
    "Events",
    "Findings",
    "Findings About",
    "Relationship",
    "Study Reference",
)
GUIDE, TERMS = "STD.SDTMIG", "STD.CT.SDTM"
ANALYSIS_GUIDE, OCCURRENCE_GUIDE, ANALYSIS_TERMS = "STD.ADAMIG", "STD.OCCDS", "STD.CT.ADAM"
OCCURRENCES = "OCCURRENCE DATA STRUCTURE"


@dataclass(frozen=True)
class DefinedStandard:
    """One standard that define.xml names: a guide (IG) or a terminology package (CT) of a publishing set."""

    oid: str
    name: str
    kind: str
    version: str
    publishing_set: str = ""


@dataclass(frozen=True)
class TermsPackage:
    """A terminology package, by the OID of its standard, with its codelists by NCI code and by short name."""

    oid: str
    codelists: Mapping[str, Codelist]


@dataclass(frozen=True)
class DefineContent:
    """The content of one define.xml apart from its datasets.

    ``classes`` are in the order in which their datasets are listed (Define-XML 2.1, 5.3.9); ``packages`` are looked
    into in their order.
    """

    standard: Standard
    label: str
    purpose: str
    classes: tuple[str, ...]
    standards: tuple[DefinedStandard, ...]
    packages: tuple[TermsPackage, ...]

    @property
    def guide(self) -> DefinedStandard:
        """The implementation guide that most datasets follow."""
        return self.standards[0]

    def guide_of(self, dataset: Dataset) -> str:
        """Return the OID of the guide that a dataset follows."""
        occurrences = dataset.metadata.dataset_class == OCCURRENCES
        named = [one.oid for one in self.standards if one.oid == OCCURRENCE_GUIDE]
        return named[0] if occurrences and named else self.guide.oid

    def place(self, dataset: Dataset) -> tuple[int, str]:
        """Return what the order of datasets hangs on."""
        found = dataset.metadata.dataset_class
        return self.classes.index(found) if found in self.classes else len(self.classes), dataset.name


def define_content(standard: Standard, study: Study, terminology: Terminology) -> DefineContent:
    """Return the content of the define.xml of the tabulations or of the analysis datasets."""
    make = _tabulation_content if standard == "sdtm" else _analysis_content
    return make(study, terminology)


def _tabulation_content(study: Study, terminology: Terminology) -> DefineContent:
    guide = DefinedStandard(GUIDE, "SDTMIG", "IG", str(study.standards["sdtmig"]))
    packages = (TermsPackage(TERMS, terminology.codelists),)
    return DefineContent("sdtm", "SDTM", "Tabulation", TABULATION_CLASSES, (guide, _terms(study)), packages)


def _analysis_content(study: Study, terminology: Terminology) -> DefineContent:
    """Terms are looked for in the ADaM terminology that study.yaml names, then in that of the tabulations."""
    standards = [DefinedStandard(ANALYSIS_GUIDE, "ADaMIG", "IG", str(study.standards["adamig"]))]
    if study.standards.get("occds"):
        standards.append(DefinedStandard(OCCURRENCE_GUIDE, "ADaM-OCCDSIG", "IG", str(study.standards["occds"])))
    packages = [TermsPackage(TERMS, terminology.codelists)]
    version = study.standards.get("adam_ct")
    if version:
        standards.append(DefinedStandard(ANALYSIS_TERMS, "CDISC/NCI", "CT", str(version), "ADaM"))
        packages.insert(0, TermsPackage(ANALYSIS_TERMS, _analysis_terms(f"adam-ct-{version}")))
    standards.append(_terms(study))
    return DefineContent("adam", "ADaM", "Analysis", ANALYSIS_CLASSES, tuple(standards), tuple(packages))


def _terms(study: Study) -> DefinedStandard:
    return DefinedStandard(TERMS, "CDISC/NCI", "CT", str(study.standards["sdtm_ct"]), "SDTM")


def _analysis_terms(name: str) -> Mapping[str, Codelist]:
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        raise StudyError(f"the terminology {name} is not among those shipped")
    return read_package(path, path.name)
