"""Which variables there are, said before any data: those that derivations read, those that datasets list and need."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adam.build.dataset_metadata import guides, lacking_variables
from adam.build.derivation_order import check_made_once, ordered_steps
from adam.build.specification import AnalysisSpecification, DerivationStep
from adam.language.kinds import check_moment, other_names
from metadata.condition import DatasetKinds
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.variable_kind import CHAR, PHRASE


def check_listed(
    specification: AnalysisSpecification, study: Study, others: DatasetKinds, own: Mapping[str, str]
) -> None:
    """Raise StudyError for variables that are read, listed or required, and that nothing has or makes.

    ``others`` are the variables that each dataset may have, ``own`` those of the dataset in the making; where there
    are none nothing is known.
    """
    source = others.get(specification.header.source.dataset, {})
    with Gather() as gather:
        with gather.part():
            check_made_once(specification, ())
            if source:
                ordered_steps(specification, source)
        for name in [*specification.variables, *specification.header.keys] if own else []:
            with gather.part():
                if name not in own:
                    place = name if name in specification.variables else "keys"
                    raise specification.error(f"no derivation makes {name}{nearest(name, own)}", place)
        with gather.part():
            lacking_variables(specification, study)


def check_used(specification: AnalysisSpecification, own: Collection[str]) -> None:
    """Raise StudyError for derivations, and variables of those that list them, that nothing uses.

    A name near to a listed one that none of the ``own`` variables has is reported as a slip there.
    """
    misspelt = [name for name in specification.variables if name not in own] if own else []
    named = {*specification.variables, *specification.header.keys}
    with Gather() as gather:
        for step in specification.steps:
            others = (one.derivation for one in specification.steps if one is not step)
            used = named.union(*(one.reads for one in others))
            listed = getattr(step.derivation, "variables", None)
            unused = [name for name in step.derivation.makes if name not in used and name not in step.derivation.reads]
            nothing = len(unused) == len(step.derivation.makes) and not step.derivation.changes()
            for name in unused if nothing or isinstance(listed, dict) else ():
                problem = f"nothing uses {name}: list it among 'variables', or leave it out"
                if not nearest(name, misspelt):
                    gather.found.append(step.error(problem))


def check_types(step: DerivationStep, specification: AnalysisSpecification, study: Study, kinds: DatasetKinds) -> None:
    """Raise StudyError for variables that the dataset or its guide wants of another type or kind than is made."""
    known_guides = guides(specification, study)
    for name in step.derivation.makes:
        made, entry = step.derivation.kind(name, kinds), specification.variables.get(name)
        if entry is None or not made:
            continue
        with step.place():
            check_moment(name, entry.format, made)
        if (step.derivation.inherits(name) or ("", ""))[1] == name:
            continue
        known = next((found for found in (guide.find(name) for guide in known_guides) if found), None)
        wanted = entry.type or (known.type if known else "")
        if wanted and (wanted == CHAR) != (made == CHAR):
            raise step.error(f"{name} should be {wanted}, and the derivation makes {PHRASE[made]}")


def check_others(derivation: object, others: DatasetKinds) -> None:
    """Raise StudyError for variables of other datasets that they do not have."""
    with Gather() as gather:
        for dataset, name in other_names(derivation):
            known = others.get(dataset, {})
            with gather.part():
                if known and name not in known:
                    raise StudyError(f"{dataset} has no variable {name}{nearest(name, known)}")
