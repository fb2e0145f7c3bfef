"""Relations between records and between datasets (RELREC, SDTMIG 3.3, section 8.2), from sdtm/relations.yaml.

``{id, from: {domain, field}, to: {domain, form}}``: the field holds the number of an instance of the form, and the
records of both are related. ``{id, datasets: [{domain, variable, type}, ...]}``: records of datasets are related by a
variable that they share. ``{id, records: [{domain, where}, ...]}``: a subject's records for which the conditions hold
are related, such as the fatal event and the details of the death.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.dataset import Dataset, DatasetMetadata, Edges
from metadata.declaration import read_document
from metadata.declaration_limits import Entries
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, nearest
from metadata.project import Project
from metadata.schema_errors import unknown_variable
from metadata.standards import sdtm_dataset
from metadata.study import Study
from metadata.units import text_of
from metadata.yaml_source import LocatedDict, complain
from sdtm.build.collect import address
from sdtm.build.finish import Finished
from sdtm.build.linking_variables import linking_variables
from sdtm.columns.source import FormRows, Forms
from sdtm.columns.table import REDCAP, DomainTables, Withheld
from sdtm.domains.identity import SubjectIdentifiers
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.operations.variable_condition import read_variable_condition, rows_where

if TYPE_CHECKING:
    import pandas as pd

FILE = "sdtm/relations.yaml"
DOMAIN = "RELREC"
KEYS = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID")
METHODS = {
    "STUDYID": ("Protocol", ""),
    "USUBJID": ("Derived", "As in the related record."),
    "IDVARVAL": ("Derived", "Sequence number of the related record."),
    "RELID": ("Derived", "The relation's name and a number within the subject."),
}


@dataclass(frozen=True)
class LinkingField:
    """The domain whose records hold the link, and the field with the number of an instance."""

    domain: str
    field: str


@dataclass(frozen=True)
class LinkedForm:
    """The domain and the form whose instance is meant."""

    domain: str
    form: str


@dataclass(frozen=True)
class SharedVariable:
    """A dataset, the variable that it shares with others, and how many of its records have one value."""

    domain: str
    variable: str
    type: Literal["ONE", "MANY"]


@dataclass(frozen=True)
class SubjectRecords:
    """Records of a domain, those alone for which a condition on its variables holds."""

    domain: str
    where: Condition | None = None


@dataclass(frozen=True)
class Relation:
    """A relation between records, by the number of an instance or by conditions; or between datasets, by a variable."""

    id: str
    from_: LinkingField | None = None
    to: LinkedForm | None = None
    datasets: Annotated[list[SharedVariable], Entries(2)] | None = None
    records: Annotated[list[SubjectRecords], Entries(2)] | None = None

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("from", "to"), ("datasets",), ("records",))


@dataclass(frozen=True)
class RelationsFile:
    """The whole of sdtm/relations.yaml."""

    relations: list[Relation]


def relations_schema() -> dict[str, Any]:
    """Return the JSON Schema of sdtm/relations.yaml."""
    return document_schema(RelationsFile, "relations between records and datasets", [Condition])


@dataclass
class Related:
    """RELREC with its lineage, what the related domains read besides, and the links that lead nowhere."""

    dataset: Dataset | None
    domain: str = DOMAIN
    edges: list[Edges] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    cut_off: list[Withheld] = field(default_factory=list)
    read: dict[str, list[Edges]] = field(default_factory=dict)


def relation_nodes(study: Study) -> list[LocatedDict]:
    """Return the declared relations, none if the study has no file for them; raises StudyError."""
    if not study.path(FILE).is_file():
        return []
    body = study.read_yaml(FILE)
    read_document(RelationsFile, body, f"{study.name}/{FILE}")
    return list(body["relations"])


def relation_fields(study: Study) -> dict[str, str]:
    """Return field to domain of the fields that hold links."""
    nodes = [node["from"] for node in relation_nodes(study) if "from" in node]
    return {str(node["field"]): str(node["domain"]) for node in nodes}


def relation_conditions(study: Study) -> list[tuple[str, Condition]]:
    """Return the conditions of all relations, each with the domain on whose records it is set."""
    parts = [part for node in relation_nodes(study) for part in node.get("records") or []]
    return [(str(part["domain"]), read_variable_condition(part, "where", [part["domain"]], study)) for part in parts]


def check_relations(study: Study, project: Project, mappings: dict[str, DomainMapping]) -> None:
    """Raise StudyError for every relation that names no domain, form, field or variable of the study."""
    with Gather() as gather:
        for node in relation_nodes(study):
            with gather.part():
                _check(node, study, project, mappings)


def _check(node: LocatedDict, study: Study, project: Project, mappings: dict[str, DomainMapping]) -> None:
    for part in node.get("datasets") or node.get("records") or [node["from"], node["to"]]:
        domain = str(part["domain"])
        if domain not in mappings:
            raise complain(part, "domain", f"no mapping makes the domain {domain}{nearest(domain, mappings)}")
        if "datasets" in node:
            _check_shared(part, mappings[domain])
        elif "records" in node:
            read_variable_condition(part, "where", [domain], study)
        elif not mappings[domain].has(f"{domain}SPID") or not mappings[domain].has(f"{domain}SEQ"):
            raise complain(part, "domain", f"{domain} has no {domain}SPID that leads from a form to its records")
    if "from" in node:
        _check_link(node, project)


def _check_shared(part: LocatedDict, mapping: DomainMapping) -> None:
    name = str(part["variable"])
    if not mapping.has(name):
        raise unknown_variable(part, "variable", mapping.domain, name, mapping.by_name)


def _check_link(node: LocatedDict, project: Project) -> None:
    name, form = str(node["from"]["field"]), str(node["to"]["form"])
    fields, forms = project.dictionary.fields, project.dictionary.forms
    if name not in fields:
        raise complain(node["from"], "field", f"the dictionary has no field '{name}'{nearest(name, fields)}")
    if form not in forms:
        raise complain(node["to"], "form", f"the dictionary has no form '{form}'{nearest(form, forms)}")


@dataclass(frozen=True)
class RelatableRecords:
    """What relations between records are looked up in."""

    forms: Forms
    identity: SubjectIdentifiers
    tables: DomainTables
    finished: dict[str, Finished]


def related(study: Study, records: RelatableRecords) -> Related:
    """Return RELREC of the finished domains; no dataset if nothing is related."""
    import pandas as pd

    made = Related(None)
    pieces = [_relation(node, study, records, made) for node in relation_nodes(study)]
    joined = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()
    if joined.empty:
        return made
    frame = joined.assign(STUDYID=study.studyid).sort_values(list(KEYS), kind="stable").reset_index(drop=True)
    metadata = _metadata(study)
    texts = {name: CodedText.of_series(frame[name]).categorical() for name in metadata.names}
    made.dataset = Dataset(metadata, pd.DataFrame(texts))
    for name, rows in frame[frame["field"] != ""].groupby("field", sort=True).indices.items():
        at = np.asarray(rows)
        made.edges.append(Edges(at, "IDVARVAL", REDCAP, frame["source_row"].to_numpy(int)[at], str(name)))
    made.edges += _of_whole(frame[frame["USUBJID"] == ""], records)
    made.edges += _of_conditions(frame)
    return made


def _of_conditions(rows: pd.DataFrame) -> list[Edges]:
    """Return the lineage of records related by conditions: the variables that these look at."""
    if "read" not in rows:
        return []
    kept = np.flatnonzero(rows["read"].notna())
    places = rows["RDOMAIN"].astype("str") + "." + rows["read"].astype("str")
    groups = places.iloc[kept].groupby(places.iloc[kept], sort=True).indices
    edges = []
    for place, at in groups.items():
        domain, _, names = str(place).partition(".")
        source = rows["row"].to_numpy()[kept[at]].astype(int)
        edges += [Edges(kept[at], "IDVARVAL", domain, source, name) for name in names.split(",")]
    return edges


def _relation(node: LocatedDict, study: Study, records: RelatableRecords, made: Related) -> pd.DataFrame:
    if "datasets" in node:
        return _between_datasets(node)
    return _by_condition(node, study, records) if "records" in node else _records(node, records, made)


def _by_condition(node: LocatedDict, study: Study, records: RelatableRecords) -> pd.DataFrame:
    """Return the records for which the conditions hold, of each subject who has such records in every domain named."""
    import pandas as pd

    parts = []
    for part in node["records"]:
        domain = str(part["domain"])
        table, found = records.tables[domain], record_rows(records, domain)
        where = read_variable_condition(part, "where", [domain], study)
        meant = rows_where(where, table, study)
        found = found[meant[np.flatnonzero(records.finished[domain].position >= 0)]]
        number = text_of(found["SEQ"].to_numpy(float)).array()
        read = ",".join(where.reads or (f"{domain}SEQ",))
        parts.append(found.assign(RDOMAIN=domain, IDVAR=f"{domain}SEQ", IDVARVAL=number, read=read))
    subjects = set.intersection(*(set(found["USUBJID"]) for found in parts))
    joined = pd.concat(parts, ignore_index=True)
    joined = joined[joined["USUBJID"].isin(subjects)]
    return joined[["RDOMAIN", "IDVAR", "IDVARVAL", "USUBJID", "row", "read"]].assign(
        RELTYPE="", RELID=f"{node['id']}1", field="", source_row=-1
    )


def _of_whole(rows: pd.DataFrame, records: RelatableRecords) -> list[Edges]:
    """Return the lineage of rows that speak of a whole dataset: all its records that have the shared variable."""
    edges = []
    for row, domain, name in zip(rows.index, rows["RDOMAIN"], rows["IDVAR"], strict=True):
        held = np.flatnonzero(records.finished[domain].dataset.columns.filled(name))
        edges.append(Edges(np.full(len(held), row), "IDVAR", domain, held, name))
    return edges


def _between_datasets(node: LocatedDict) -> pd.DataFrame:
    """Return one row a dataset."""
    import pandas as pd

    rows = [
        {"RDOMAIN": part["domain"], "IDVAR": part["variable"], "RELTYPE": part["type"], "RELID": node["id"]}
        for part in node["datasets"]
    ]
    return pd.DataFrame(rows).assign(USUBJID="", IDVARVAL="", field="", source_row=-1)


def _records(node: LocatedDict, records: RelatableRecords, made: Related) -> pd.DataFrame:
    """Return two or more rows a link: the record that holds it, and the one that it names."""
    links = link_rows(node, records)
    origin, target = str(node["from"]["domain"]), str(node["to"]["domain"])
    name = str(node["from"]["field"])
    mine = links.merge(record_rows(records, origin), on=["record", "address"])
    coded = mine[mine["coded"].to_numpy(bool)]
    made.read.setdefault(origin, []).append(
        Edges(coded["row"].to_numpy(int), "*", REDCAP, coded["source_row"].to_numpy(int), name)
    )
    theirs = record_rows(records, target).rename(columns={"address": "named", "SEQ": "other", "row": "_"})
    pairs = mine.merge(theirs.drop(columns="USUBJID"), on=["record", "named"])
    lost = links[~links["coded"] & ~links["source_row"].isin(pairs["source_row"])]
    reason = f"there is no record of {target} with this number, so that RELREC cannot relate it"
    cut = _of_cut_rows(lost, records, {"address": origin, "named": target})
    made.cut_off.append(Withheld(lost["source_row"].to_numpy(int)[cut], name, "one of the records was left out"))
    made.withheld.append(Withheld(lost["source_row"].to_numpy(int)[~cut], name, reason))
    return _two_rows(node, pairs, origin, target)


def _of_cut_rows(links: pd.DataFrame, records: RelatableRecords, ends: dict[str, str]) -> np.ndarray:
    """Return the links of which one record, of the domain at that end, was left out by the data cut-off."""
    import pandas as pd

    cut = np.zeros(len(links), bool)
    for column, domain in ends.items():
        table = records.tables[domain]
        at = np.flatnonzero(table.cut_rows())
        pairs = [table.hidden[name].take(at).array() for name in ("record", "address")]
        cut |= pd.MultiIndex.from_frame(links[["record", column]]).isin(pd.MultiIndex.from_arrays(pairs))
    return cut


def _two_rows(node: LocatedDict, pairs: pd.DataFrame, origin: str, target: str) -> pd.DataFrame:
    import pandas as pd

    ordered = pairs.sort_values(["USUBJID", "SEQ", "other"], kind="stable").drop_duplicates(["USUBJID", "SEQ", "other"])
    link = ordered.groupby(["USUBJID", "source_row"], sort=False).ngroup()
    number = link - link.groupby(ordered["USUBJID"]).transform("min") + 1
    ordered = ordered.assign(RELID=str(node["id"]) + number.astype("str"), RELTYPE="", field=str(node["from"]["field"]))
    columns = ["RDOMAIN", "IDVAR", "IDVARVAL", "USUBJID", "RELTYPE", "RELID", "field", "source_row"]
    first = ordered.assign(
        RDOMAIN=origin, IDVAR=f"{origin}SEQ", IDVARVAL=text_of(ordered["SEQ"].to_numpy(float)).array()
    )
    other = ordered.assign(
        RDOMAIN=target, IDVAR=f"{target}SEQ", IDVARVAL=text_of(ordered["other"].to_numpy(float)).array()
    )
    return pd.concat([first[columns], other[columns]], ignore_index=True).drop_duplicates(columns[:6])


def link_rows(node: LocatedDict, records: RelatableRecords) -> pd.DataFrame:
    """Return the stored links: record, addresses of the form that holds it and of the one it names, its place.

    ``coded`` are missing-data codes, which name nothing.
    """
    import pandas as pd

    name, form = str(node["from"]["field"]), str(node["to"]["form"])
    forms, earlier = records.forms, records.identity.earlier
    source = FormRows.of_form(forms, forms.project.dictionary.fields[name].form)
    stored, read = source.raw(name)
    rows = pd.DataFrame(
        {
            "record": source.keys["record"].array(),
            "address": address(source, earlier).array(),
            "value": stored.map(_whole).array(),
            "source_row": read.rows,
            "coded": stored.isin(forms.project.missing_codes),
        }
    )
    there = FormRows.of_form(forms, form)
    named = {"record": there.keys["record"].array(), "value": there.keys["instance"].array()}
    others = pd.DataFrame({**named, "named": address(there, earlier).array()})
    return rows[read.held].merge(others, on=["record", "value"], how="left")


def _whole(word: str) -> str:
    """Return a number without zeros before it, as REDCap numbers instances."""
    return word.strip().lstrip("0") or word.strip()


def record_rows(records: RelatableRecords, domain: str) -> pd.DataFrame:
    """Return a domain's records: record, address of the form, USUBJID, SEQ, rows of the table and of the dataset."""
    import pandas as pd

    table, made = records.tables[domain], records.finished[domain]
    position, dataset = made.position, made.dataset
    kept = np.flatnonzero(position >= 0)
    return pd.DataFrame(
        {
            "record": table.hidden["record"].take(kept).array(),
            "address": table.hidden["address"].take(kept).array(),
            "USUBJID": dataset.coded("USUBJID").take(position[kept]).array(),
            "SEQ": dataset.columns.numbers(f"{domain}SEQ")[position[kept]],
            "row": position[kept],
        }
    )


def _metadata(study: Study) -> DatasetMetadata:
    version = study.standards["sdtmig"]
    guide = sdtm_dataset(version, DOMAIN)
    variables = linking_variables(version, DOMAIN, METHODS)
    return DatasetMetadata(DOMAIN, guide.label, guide.dataset_class, guide.structure, KEYS, variables)
