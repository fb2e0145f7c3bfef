"""Whether the dosing plan of study.yaml speaks the language of EX: its treatments, and terms of the codelists."""

from __future__ import annotations

from metadata.errors import Gather, nearest
from metadata.terminology import Terminology
from metadata.yaml_source import complain
from sdtm.build.study_mapping import StudyMapping
from sdtm.columns.text import transliterated
from sdtm.mapping.domain_mapping import codelists
from sdtm.operations.value_sets import possible_values

CODED = {"unit": "EXDOSU", "frequency": "EXDOSFRQ", "form": "EXDOSFRM", "route": "EXROUTE"}
"""The variable that has what a key of the plan says."""


def check_dosing(mapping: StudyMapping) -> None:
    """Raise one StudyError for treatments that EX cannot have, and texts that are not terms of EX's codelists."""
    exposure = mapping.domains.get("EX")
    if exposure is None:
        return
    treatments = {transliterated(text)[0] for text in possible_values(exposure.operations.get("EXTRT", ())) or ()}
    with Gather() as gather:
        for planned in mapping.study.dosing:
            with gather.part():
                if treatments and planned.treatment not in treatments:
                    problem = f"EXTRT is never '{planned.treatment}'{nearest(planned.treatment, treatments)}"
                    raise complain(planned.node, "treatment", problem)
            for key, variable in CODED.items():
                given = getattr(planned, key) or ()
                lists = codelists(exposure.by_name[variable]) if variable in exposure.by_name else ()
                for text in (given,) if isinstance(given, str) else given:
                    with gather.part():
                        if lists and not _is_term(mapping.terminology, lists[0], text):
                            known = mapping.terminology.codelist(lists[0]).terms
                            problem = f"'{text}' is not a term of the codelist of {variable}{nearest(text, known)}"
                            raise complain(planned.node, key, problem)


def _is_term(terminology: Terminology, code: str, text: str) -> bool:
    return text in terminology.codelist(code).terms
