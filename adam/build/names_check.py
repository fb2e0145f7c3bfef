"""How the names of an analysis dataset are written, with a label each, and which terms its codelists have."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adam.build.dataset_metadata import LABEL_BYTES, guides
from adam.build.specification import AnalysisSpecification
from metadata.errors import Gather, nearest
from metadata.standards import FOLDER as STANDARDS
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.terminology_package import Codelist, read_package
from metadata.variable_kind import ClosedText
from metadata.yaml_source import complain

MULTIPLE = "MULTIPLE"
"""What a variable with a codelist may always be, its values being elsewhere (SDTMIG 3.3, section 4.2.8.3)."""
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}", re.ASCII)


def check_names(specification: AnalysisSpecification, study: Study) -> None:
    """Raise one StudyError for all names, keys and labels that no dataset can have."""
    header = specification.header
    with Gather() as gather:
        for name, key in [(header.dataset, "dataset"), *((name, name) for name in specification.variables)]:
            with gather.part():
                if not NAME.fullmatch(name):
                    problem = f"'{name}' is not a name: capital letters, digits and _, at most 8, a letter first"
                    raise specification.error(problem, key)
        with gather.part():
            if len(header.label.encode()) > LABEL_BYTES:
                raise specification.error(f"the label is longer than {LABEL_BYTES} bytes", "label")
            _check_characters(specification, "label", "the label", header.label)
        for name in specification.variables:
            with gather.part():
                if not _has_label(specification, name, study):
                    raise specification.error(f"{name} needs a label of at most {LABEL_BYTES} bytes", name)
                declared = specification.variables[name].label or ""
                _check_characters(specification, name, f"the label of {name}", declared)


def check_codelists(specification: AnalysisSpecification, study: Study, terminology: Terminology) -> None:
    """Raise one StudyError for all codelists that neither the study's terminology nor that of ADaM has."""
    with Gather() as gather:
        for declared in specification.variables.values():
            if declared.codelist is None or declared.codelist in terminology.codelists:
                continue
            analysis = _of_analysis(study)
            with gather.part():
                if declared.codelist not in analysis:
                    near = nearest(declared.codelist, [*terminology.codelists, *analysis])
                    raise complain(declared.node, "codelist", f"there is no codelist '{declared.codelist}'{near}")


def _of_analysis(study: Study) -> Mapping[str, Codelist]:
    """Return the codelists of ADaM in the version that study.yaml names, none if it names none."""
    version = study.standards.get("adam_ct")
    path = STANDARDS / f"adam-ct-{version}.csv"
    return read_package(path, path.name) if version and path.is_file() else {}


def check_terms(
    specification: AnalysisSpecification, study: Study, terminology: Terminology, kinds: Mapping[str, str]
) -> None:
    """Raise one StudyError for all texts of closed lists that no dataset can hold, or that a fixed codelist lacks."""
    known_guides = guides(specification, study)
    with Gather() as gather:
        for name, declared in specification.variables.items():
            kind = kinds.get(name, "")
            for text in kind.texts if isinstance(kind, ClosedText) else ():
                with gather.part():
                    _check_characters(specification, name, f"{name} '{text}'", text)
            known = next((found for found in (guide.find(name) for guide in known_guides) if found), None)
            code = declared.codelist or (known.codelist if known else "")
            if not code or not isinstance(kind, ClosedText):
                continue
            codelist = terminology.codelists.get(code) or _of_analysis(study).get(code)
            for text in kind.texts if codelist and not codelist.extensible else ():
                with gather.part():
                    if codelist and text not in codelist.terms and text != MULTIPLE:
                        problem = (
                            f"{name} would be '{text}', which is not a term of {codelist.name}{codelist.nearest(text)}"
                        )
                        raise specification.error(problem, name)


def _check_characters(specification: AnalysisSpecification, key: str, what: str, text: str) -> None:
    """Raise StudyError for a text with characters beyond printable ASCII, which no transport file holds."""
    strange = sorted({f"U+{ord(one):04X}" for one in text if not (one.isascii() and one.isprintable())})
    if strange:
        problem = f"{what} holds characters that no transport file can hold: {' '.join(strange)}"
        raise specification.error(problem, key)


def _has_label(specification: AnalysisSpecification, name: str, study: Study) -> bool:
    """Return True where the mapping, the variable's source or the guide gives a label."""
    declared = specification.variables[name].label
    if declared:
        return len(declared.encode()) <= LABEL_BYTES
    makers = [step.derivation for step in specification.steps if name in step.derivation.makes]
    copied = any((maker.inherits(name) or ("", ""))[1] == name for maker in makers)
    return copied or not makers or any(guide.find(name) for guide in guides(specification, study))
