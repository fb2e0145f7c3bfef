"""Who a record is: SITEID, SUBJID and USUBJID, by the rules that study.yaml declares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.errors import nearest
from metadata.study import Study
from metadata.yaml_source import complain
from sdtm.column import Read, constant
from sdtm.source import Forms, Source

ACCESS_GROUP = "redcap_data_access_group"


@dataclass(frozen=True)
class Identity:
    """One row a record: its subject's identifiers, and the stored values they were made from."""

    record: pd.Series
    subjid: pd.Series
    siteid: pd.Series
    usubjid: pd.Series
    reads: dict[str, tuple[Read, ...]]

    def usubjid_of(self, records: pd.Series) -> pd.Series:
        """Return USUBJID of each record name; blank if the record has no subject's number."""
        names = pd.Series(self.usubjid.to_numpy(), index=self.record.to_numpy())
        return records.map(names).fillna("").astype("str").reset_index(drop=True)


def check_identity(study: Study, forms_of_fields: dict[str, str]) -> None:
    """Raise StudyError unless ``identity`` in study.yaml names fields that the dictionary has."""
    declared = study.config.get("identity")
    if not isinstance(declared, dict) or "subject" not in declared:
        raise complain(
            study.config, "identity", "say which field holds the subject's number: identity: {subject: FIELD}"
        )
    for key in ("subject", "site"):
        name = declared.get(key)
        if isinstance(name, str) and name not in forms_of_fields:
            raise complain(declared, key, f"the dictionary has no field '{name}'{nearest(name, forms_of_fields)}")


def identify(study: Study, forms: Forms) -> Identity:
    """Return who each record is.

    ``identity`` in study.yaml: ``subject`` is the field with the subject's number; ``site`` a map from data access
    group to SITEID, or a field, or absent. USUBJID is STUDYID-SITEID-number; a number that already starts with
    the site keeps it once.
    """
    declared = study.config["identity"]
    source = Source.of_subjects(forms)
    subject, subject_read = source.text(declared["subject"])
    site, site_reads = _site(declared.get("site"), source, forms)
    prefixed = _with_site(subject, site)
    usubjid = (study.studyid + "-" + prefixed).where(subject != "", "")
    reads = {"SUBJID": (subject_read,), "SITEID": site_reads, "USUBJID": (subject_read,)}
    return Identity(source.keys["record"], subject, site, usubjid.astype("str"), reads)


def _with_site(subject: pd.Series, site: pd.Series) -> pd.Series:
    """Return SITEID-number, without repeating a site that the number already carries."""
    length = site.str.len().to_numpy()
    longest = int(length.max()) if len(length) else 0
    carries = np.zeros(len(subject), bool)
    for size in range(1, longest + 1):
        carries |= (length == size) & (subject.str.slice(0, size + 1) == site + "-").to_numpy(bool)
    return subject.where(carries | (length == 0), site + "-" + subject)


def _site(declared: object, source: Source, forms: Forms) -> tuple[pd.Series, tuple[Read, ...]]:
    if isinstance(declared, str):
        values, read = source.text(declared)
        return values, (read,)
    if not declared:
        return constant("", source.count), ()
    frame = forms.records.frame
    named = pd.DataFrame({"record": forms.records.record, "dag": frame[ACCESS_GROUP]})
    named = named[named["dag"] != ""].drop_duplicates("record")
    matched = source.keys[["record"]].merge(named.assign(row=named.index), on="record", how="left")
    dag = matched["dag"].fillna("").astype("str")
    rows = matched["row"].fillna(-1).to_numpy(np.int32)
    site = dag.map({str(key): str(value) for key, value in dict(declared).items()}).fillna("").astype("str")  # type: ignore[call-overload]
    return site, (Read(ACCESS_GROUP, rows, (dag != "").to_numpy(bool)),)
