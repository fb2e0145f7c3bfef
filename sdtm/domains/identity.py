"""Who a record is: SITEID, SUBJID and USUBJID, by the rules that study.yaml declares."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from metadata.coded_matching import first_match
from metadata.coded_text import CodedText
from metadata.errors import StudyError, nearest
from metadata.records import ACCESS_GROUP
from metadata.standards import sdtm_domains
from metadata.study import Study
from metadata.yaml_source import complain
from sdtm.columns.column import Read
from sdtm.columns.source import FormRows, Forms

SEPARATOR = "\x1f"


@dataclass(frozen=True)
class SubjectIdentifiers:
    """One row a record: its subject's identifiers, and the stored values they were made from.

    ``earlier`` are records of people who have a later one; ``once`` the domains that hold the last record only.
    """

    record: CodedText
    subjid: CodedText
    siteid: CodedText
    usubjid: CodedText
    reads: dict[str, tuple[Read, ...]]
    earlier: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()

    def usubjid_of(self, records: CodedText) -> CodedText:
        """Return USUBJID of each record name; blank if the record has no subject's number."""
        return records.replace(dict(zip(self.record.array(), self.usubjid.array(), strict=True)), "")


def check_identity(study: Study, forms_of_fields: dict[str, str]) -> None:
    """Raise StudyError unless ``identity`` in study.yaml names fields that the dictionary has."""
    declared = study.identity
    for name in declared.once:
        if name not in sdtm_domains(study.standards["sdtmig"]):
            raise complain(declared.node, "once", f"there is no domain '{name}'")
    for key in ("subject", "site", "earlier"):
        name = getattr(declared, key)
        if isinstance(name, str) and name and name not in forms_of_fields:
            raise complain(declared.node, key, f"the dictionary has no field '{name}'{nearest(name, forms_of_fields)}")


def check_site(study: Study) -> None:
    """Raise StudyError if nothing says where SITEID comes from: a record of DM needs it (SDTMIG 3.3, section 5.2)."""
    declared = study.identity
    if not declared.site:
        problem = "say where SITEID comes from, which DM needs: 'site: FIELD', or a code for each data access group"
        raise complain(declared.node, "site", problem)


def identify(study: Study, forms: Forms) -> SubjectIdentifiers:
    """Return who each record is.

    ``identity`` in study.yaml: ``subject`` is the field with the subject's number; ``site`` a map from data access
    group to SITEID, or a field; DM needs one of them. USUBJID is STUDYID-SITEID-number unless ``usubjid`` writes it
    otherwise; a number that already starts with the site keeps it once. ``earlier`` is the field with the number under
    which the same person was screened before: both records get the USUBJID of the later one, DM and the domains named
    by ``once`` hold the later one only (SDTMIG 3.3, section 5.2: one record a subject).
    """
    declared = study.identity
    source = FormRows.of_subjects(forms)
    subject, subject_read = source.text(declared.subject)
    subject = subject.map(str.strip)
    site, site_reads = _site(declared.site, source, forms)
    number = _with_site(subject, site)
    usubjid = _usubjid(study, subject, site, number).where(subject.present())
    reads = {"SUBJID": (subject_read,), "SITEID": site_reads, "USUBJID": (subject_read,)}
    record = source.keys["record"]
    if not declared.earlier:
        return SubjectIdentifiers(record, subject, site, usubjid, reads)
    last = _last_records(_with_site(source.text(declared.earlier)[0].map(str.strip), site), number)
    earlier = frozenset(record.array()[last != np.arange(len(last))])
    once = frozenset({"DM", *declared.once})
    return SubjectIdentifiers(record, subject, site, usubjid.take(last), reads, earlier, once)


def _usubjid(study: Study, subject: CodedText, site: CodedText, number: CodedText) -> CodedText:
    """Return USUBJID as ``usubjid`` of study.yaml writes it; without it STUDYID-SITEID-number."""
    pattern = study.identity.usubjid
    if not pattern:
        return number.map(lambda word: f"{study.studyid}-{word}" if word else "")

    def written(word: str) -> str:
        of_site, _, of_subject = word.rpartition(SEPARATOR)
        places = {"studyid": study.studyid, "site": of_site, "subject": of_subject}
        return re.sub(r"\{(\w+)\}", lambda place: places[place[1]], pattern)

    return site.join(subject, SEPARATOR).map(written)


def _last_records(previous: CodedText, number: CodedText) -> np.ndarray:
    """Return for each record the position of its person's last one: the last that nobody names as an earlier one.

    Records that name the same earlier number are of one person. Raises StudyError where numbers name one another.
    """
    from scipy.sparse import coo_array  # half a second, which a check does not need
    from scipy.sparse.csgraph import connected_components

    place = {name: row for row, name in enumerate(number.array()) if name}
    before = np.array([place.get(name, -1) for name in previous.array()], np.int64)
    count = len(before)
    rows = np.flatnonzero((before >= 0) & (before != np.arange(count)))
    links = coo_array((np.ones(len(rows), np.int8), (rows, before[rows])), shape=(count, count))
    persons, person = connected_components(links, directed=False)
    last = np.full(persons, -1)
    candidates = np.setdiff1d(np.arange(count), before[rows])
    last[person[candidates]] = candidates
    if (last < 0).any():
        circle = ", ".join(str(name) for name in number.array()[last[person] < 0][:3])
        raise StudyError(f"the numbers of earlier screenings name one another: {circle}")
    return last[person]


def _with_site(subject: CodedText, site: CodedText) -> CodedText:
    """Return SITEID-number, without repeating a site that the number already carries."""
    joined = site.join(subject, SEPARATOR)
    return joined.map(_one_site)


def _one_site(word: str) -> str:
    site, _, number = word.rpartition(SEPARATOR)
    return number if not site or number.startswith(f"{site}-") else f"{site}-{number}"


def _site(declared: str | dict[str, str] | None, source: FormRows, forms: Forms) -> tuple[CodedText, tuple[Read, ...]]:
    if isinstance(declared, str) and declared:
        values, read = source.text(declared)
        return values.map(str.strip), (read,)
    if not isinstance(declared, dict):
        return CodedText.constant("", source.count), ()
    record, group = forms.key(forms.project.dictionary.record_id), forms.key(ACCESS_GROUP)
    named = np.flatnonzero(group.present())
    rows = np.append(named, -1)[first_match([source.keys["record"]], [record.take(named)])]
    group = group.take(rows)
    site = group.replace(declared, "")
    return site, (Read(ACCESS_GROUP, rows.astype(np.int32), group.present()),)
