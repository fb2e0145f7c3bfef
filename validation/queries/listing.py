"""The query listing: what the sites are asked, each with what is wrong, what would be right and a link to its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd

from metadata.project import Project
from metadata.records import EVENT, REPEAT_INSTANCE, Records
from metadata.records_lookup import RecordsLookup
from metadata.study import Study
from validation.checks.data import CheckData
from validation.checks.declaration import load_checks, severities
from validation.checks.run import check_findings
from validation.queries import withheld
from validation.queries.answers import COLUMNS as ANSWER_COLUMNS
from validation.queries.answers import answer_rows, read_answers, tells_its_query
from validation.queries.identifiers import is_untold, with_tags
from validation.queries.identity import ASKED, query_id
from validation.raw.dictionary_findings import dictionary_findings, joined
from validation.raw.source_findings import source_findings
from validation.raw.subject_findings import subject_findings

COLUMNS = (
    "query_id",
    "severity",
    "rule",
    "record",
    "event",
    "form",
    "instance",
    "field",
    "value",
    "problem",
    "expected",
    "link",
    "status",
    "answer",
    "answered_by",
    "answered_on",
)

LINK = r"https?://\S{1,2000}"
"""What a link of a listing is; nothing else becomes one on a page or in a workbook."""
Links = Callable[[pd.DataFrame], pd.Series]


def all_findings(study: Study, records: Records) -> pd.DataFrame:
    """Return every finding of the dictionary and of the study's checks, with its severity."""
    lookup = RecordsLookup(records)
    by_dictionary = dictionary_findings(lookup)
    checks = load_checks(study, records.project)
    by_study = check_findings(CheckData(study, lookup, by_dictionary), checks)
    severity = severities(study) | {check.id: check.severity for check in checks}
    found = joined([by_dictionary, subject_findings(study, records), source_findings(records), by_study])
    return found.assign(severity=found["rule"].map(severity).astype("str"))


def query_listing(study: Study, records: Records, links: Links | None = None, key: bytes = b"") -> pd.DataFrame:
    """Return the query listing, one row a query, sorted by record, event, form, instance, field and rule.

    ``links`` gives the address of the form for rows that have record, event, form and instance (see ``form_links``),
    ``key`` is that by which values of identifiers are told apart; without it a query about one stays open, whatever is
    answered, since nobody could see that the value has changed. Raises StudyError for mistakes in checks.yaml or in the
    answers.
    """
    return _listed(study, records, all_findings(study, records), links, key)


def with_withheld(
    study: Study,
    records: Records,
    listing: pd.DataFrame,
    held: pd.DataFrame,
    links: Links | None = None,
    key: bytes = b"",
) -> pd.DataFrame:
    """Return the listing with a query for each withheld value (``held``) that it does not ask about.

    Such a query stays open whatever the site answers: an answer does not put the value into a dataset.
    """
    added = withheld.withheld_findings(records, held, listing)
    if added.empty:
        return listing
    asked = _listed(study, records, added, links, key).assign(status=withheld.OPEN)
    both = pd.concat([listing, asked], ignore_index=True)
    return in_order(records.project, both).reset_index(drop=True)[list(COLUMNS)]


def _listed(study: Study, records: Records, found: pd.DataFrame, links: Links | None, key: bytes) -> pd.DataFrame:
    """Return findings as sorted queries with id, link and answer."""
    named = _keyed(records, found)
    tagged = named.assign(value=with_tags(study.studyid, records, named, key))
    listing = in_order(records.project, tagged).reset_index(drop=True)
    listing["query_id"] = query_ids(study, listing)
    listing["link"] = links(listing) if links else pd.Series("", index=listing.index, dtype="str")
    return _answered(listing, read_answers(study))[list(COLUMNS)]


def _keyed(records: Records, found: pd.DataFrame) -> pd.DataFrame:
    """Return findings with record, event and instance instead of the position of their row."""
    row = found["source_row"].to_numpy()
    named = {"record": records.project.dictionary.record_id, "event": EVENT, "instance": REPEAT_INSTANCE}
    keys = {}
    for name, column in named.items():
        texts = records.table.texts_at(column, row)  # position -1: about the dictionary
        keys[name] = pd.Series(texts, index=found.index, dtype="str")
    return found.assign(**keys)


def in_order(project: Project, listing: pd.DataFrame) -> pd.DataFrame:
    """Return queries sorted by record, event, form, instance, field and rule, as the project orders them."""
    orders = {
        "event": {name: position for position, name in enumerate(project.event_names)},
        "form": {name: position for position, name in enumerate(project.dictionary.forms)},
        "field": {name: position for position, name in enumerate(project.dictionary.fields)},
    }
    ranks = {f"{key}_rank": listing[key].map(order).fillna(len(order)) for key, order in orders.items()}
    number = pd.to_numeric(listing["instance"], errors="coerce").fillna(0)
    by = ["record", "event_rank", "form_rank", "number", "field_rank", "rule", "value"]
    return listing.assign(number=number, **ranks).sort_values(by, kind="stable")


def query_ids(study: Study, listing: pd.DataFrame) -> pd.Series:
    """Return the id of each query (see ``validation.queries.identity``)."""
    asked = zip(*(listing[name] for name in ASKED), strict=True)
    return pd.Series([query_id(study.studyid, texts) for texts in asked], index=listing.index, dtype="str")


def form_links(
    study: Study, project: Project, event_ids: Mapping[str, object] | None = None, version: str = "", base_url: str = ""
) -> Links:
    """Return the function that makes REDCap's address of the form a query is about.

    The base address comes from study.yaml, never from the server that was asked; ids of events from the export of
    events unless given. Rows without a record, and events without an id, get no link.
    """
    base = (base_url or study.declared.redcap.base_url).rstrip("/")
    folder = f"{base}/redcap_v{quote(version)}/DataEntry/index.php" if version else f"{base}/redcap/DataEntry/index.php"
    ids = event_ids or {event["unique_event_name"]: event.get("event_id") or "" for event in project.events}
    known = {str(event): str(number) for event, number in ids.items() if str(number)}
    pid = str(project.info.get("project_id", ""))

    def links(listing: pd.DataFrame) -> pd.Series:
        events = listing["event"].map(known).astype("object").fillna("")
        in_redcap = (listing["record"] != "") & ~listing["form"].isin(list(project.sources))
        usable = in_redcap & ((events != "") | (not project.longitudinal))
        parts = {"pid": pd.Series(quote(pid), index=listing.index), "id": _quoted(listing["record"])}
        parts["page"] = _quoted(listing["form"])
        parts |= {"event_id": events} if project.longitudinal else {}  # REDCap finds the one event of a classic project
        parts["instance"] = listing["instance"].replace("", "1")
        address = pd.Series(f"{folder}?", index=listing.index, dtype="str")
        for index, (name, values) in enumerate(parts.items()):
            address = address + ("&" if index else "") + f"{name}=" + values.astype("str")
        return address.where(usable & bool(base), "")

    return links


def _quoted(names: pd.Series) -> pd.Series:
    return names.map({name: urlencode({"": name})[1:] for name in names.unique()}).astype("str")


def _answered(listing: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    merged = listing.merge(answers, on="query_id", how="left")
    status = np.where(merged["answer"].notna() & ~is_untold(merged["value"]), "answered", "open")
    texts = {column: merged[column].fillna("").astype("str") for column in ANSWER_COLUMNS[1:]}
    return merged.assign(status=pd.Series(status, dtype="str"), **texts)


def unused_answers(study: Study, listing: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the answers that no query of the listing has: of queries that no longer exist, and of unknown ones.

    An id says nothing by itself. That its query was once asked is known where the answer tells what was asked (see
    ``validation.queries.answers``), or where records are missing on purpose, as those of other data access groups.
    The first are ids, the second ids with their line.
    """
    asked = set(listing["query_id"])
    left = [row for row in answer_rows(study) if row["query_id"] not in asked]
    gone = [row["query_id"] for row in left if study.group or tells_its_query(row)]
    unknown = [f"{row['query_id']} (line {row.line})" for row in left if not study.group and not tells_its_query(row)]
    return sorted(gone), unknown
