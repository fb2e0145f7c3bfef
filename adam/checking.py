"""The check of the analysis datasets without data: their words, parameters, sources and the order they need."""

from __future__ import annotations

from adam.analyse import needed_first
from adam.specification import read_specifications
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import sdtm_domains
from metadata.study import Study


def check_analyses(study: Study) -> list[StudyError]:
    """Return all that is wrong with ``adam/*.yaml``, as far as it can be said without a dataset."""
    gather = Gather()
    with gather.part():
        specifications = read_specifications(study)
        known = {specification.name for specification in specifications} | sdtm_domains(study.standards["sdtmig"])
        for specification in specifications:
            for name in sorted(specification.uses() - known):
                with gather.part():
                    if not name.startswith("SUPP"):
                        raise specification.error(f"there is no dataset {name}{nearest(name, known)}", "source")
        needed_first(specifications, {})
    return gather.found
