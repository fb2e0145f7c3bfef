"""Whether study.yaml and terminology.yaml fit their declarations, and study.yaml the study's REDCap project."""

from __future__ import annotations

from metadata.declaration import read_document
from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.standards import shipped, slug
from metadata.study import CONFIG, Study
from metadata.study_declaration import Standards, StudyFile, Visit
from metadata.terminology import read_terminology
from metadata.yaml_source import complain


def check_terminology(study: Study) -> list[StudyError]:
    """Return what in terminology.yaml does not fit; its codelists are checked by ``Terminology.open``."""
    gather = Gather()
    with gather.part():
        read_terminology(study)
    return gather.found


def check_study(study: Study, project: Project) -> list[StudyError]:
    """Return all that is wrong with study.yaml: its keys, its versions, its visits against the project."""
    gather = Gather()
    with gather.part():
        declared = read_document(StudyFile, study.config, f"{study.name}/{CONFIG}")
        with gather.part():
            _check_version(declared.standards)
        _check_visits(declared.visits, project, gather)
    return gather.found


def _check_version(standards: Standards) -> None:
    known = shipped()
    prefix, suffix = "sdtmig-", "-variables"
    guides = [name.removeprefix(prefix).removesuffix(suffix) for name in known if name.startswith(prefix)]
    versions = [guide.replace("-", ".") for guide in guides if not guide.endswith("datasets")]
    if slug(standards.sdtmig) not in guides:
        problem = f"SDTMIG {standards.sdtmig} is not among those shipped: {', '.join(versions)}"
        raise complain(standards.node, "sdtmig", problem)


def _check_visits(visits: list[Visit], project: Project, gather: Gather) -> None:
    """Check that each visit is an event of the project, or has forms of it, and that nothing stands twice."""
    numbers: set[float] = set()
    events: set[str] = set()
    for visit in visits:
        for event in visit.event:
            with gather.part():
                if project.longitudinal and event not in project.event_names:
                    hint = nearest(event, project.event_names)
                    raise complain(visit.node, "event", f"the project has no event '{event}'{hint}")
            with gather.part():
                if event in events:
                    raise complain(visit.node, "event", f"the event '{event}' is of two visits")
            events.add(event)
        forms = project.dictionary.forms
        for form in visit.forms or []:
            with gather.part():
                if form not in forms:
                    raise complain(visit.node, "forms", f"the dictionary has no form '{form}'{nearest(form, forms)}")
        with gather.part():
            _check_numbers(visit, numbers)


def _check_numbers(visit: Visit, numbers: set[float]) -> None:
    """Raise StudyError for a planned visit without number, a number that stands twice, a window turned round."""
    if visit.visitnum is None and not visit.unscheduled:
        raise complain(visit.node, None, "a planned visit needs its visitnum; say unscheduled: true otherwise")
    if visit.visitnum in numbers:
        raise complain(visit.node, "visitnum", f"the visit number {visit.visitnum:g} stands twice")
    if visit.window and visit.window[0] > visit.window[1]:
        raise complain(visit.node, "window", "the first day of the window comes after the last")
    if visit.visitnum is not None:
        numbers.add(visit.visitnum)
