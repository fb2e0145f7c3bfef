"""The document define.xml: study, standards, datasets and all that they refer to (Define-XML 2.1)."""

from __future__ import annotations

from collections.abc import Mapping

import odmlib.ns_registry as registry
from odmlib.define_2_1 import model

from metadata.dataset import Dataset
from metadata.study import Study
from metadata.terminology import Terminology
from publish.define_codelists import DefineCodelists
from publish.define_items import Items
from publish.define_origins import CRF_LEAF, GUIDE_LEAF, Documents, document_leaves, leaf
from publish.define_sentences import Sentences, description
from publish.manifest import DISTRIBUTION, software_version

DEFINE_VERSION = "2.1.0"
GUIDE, TERMS = "STD.SDTMIG", "STD.CT.SDTM"
REFERENCE = ("Trial Design", "Study Reference")
SUPPLEMENTAL = ("SUPP", "SQ")
CLASSES = (
    "Trial Design",
    "Special-Purpose",
    "Interventions",
    "Events",
    "Findings",
    "Findings About",
    "Relationship",
    "Study Reference",
)
"""Classes in the order in which define.xml lists their datasets (Define-XML 2.1, 5.3.9)."""


def document(
    study: Study, datasets: Mapping[str, Dataset], terminology: Terminology, created: str, documents: Documents
) -> tuple[model.ODM, list[str]]:
    """Return define.xml of the tabulations, dated ``created`` (YYYY-MM-DD), and what is wrong with its value level."""
    codelists, sentences = DefineCodelists(terminology, TERMS), Sentences()
    items = Items(datasets, codelists, sentences, documents)
    version = _version(study)
    version.Standards = _standards(study)
    _documents(version, documents)
    for dataset in sorted(datasets.values(), key=_place):
        version.ItemGroupDef.append(_group(dataset, items.references(dataset)))
    version.ValueListDef.extend(items.value_lists)
    version.WhereClauseDef.extend(items.where_clauses.elements())
    version.ItemDef.extend(items.definitions)
    version.CodeList.extend(codelists.elements())
    version.MethodDef.extend(sentences.methods())
    version.CommentDef.extend(sentences.comments())
    version.leaf.extend(document_leaves(documents))
    return _root(study, version, created), [problem for problem in items.problems if problem]


def _root(study: Study, version: model.MetaDataVersion, created: str) -> model.ODM:
    body = study.config["study"]
    notice = f" {study.notice}." if study.notice else ""
    names = model.GlobalVariables()
    names.StudyName = model.StudyName(_content=study.studyid)
    names.StudyDescription = model.StudyDescription(_content=f"{str(body['title']).rstrip('.')}.{notice}")
    names.ProtocolName = model.ProtocolName(_content=str(body.get("protocol", study.studyid)))
    root = model.ODM(
        FileType="Snapshot",
        FileOID=f"{study.studyid}.SDTM.Define-XML_{DEFINE_VERSION}",
        CreationDateTime=f"{created}T00:00:00",
        AsOfDateTime=f"{created}T00:00:00",
        ODMVersion="1.3.2",
        Originator=DISTRIBUTION,
        SourceSystem=DISTRIBUTION,
        SourceSystemVersion=software_version(),
        Context="Submission",
    )
    root.Study = model.Study(OID=f"STDY.{study.studyid}", GlobalVariables=names, MetaDataVersion=version)
    _bind_namespaces(root)
    return root


def _bind_namespaces(root: model.ODM) -> None:
    """Give the document its own namespaces: odmlib's registry is shared by all documents of the process."""
    spaces = {
        "odm": "http://www.cdisc.org/ns/odm/v1.3",
        "def": "http://www.cdisc.org/ns/def/v2.1",
        "xlink": "http://www.w3.org/1999/xlink",
    }
    default = {"odm": spaces["odm"]}
    registry.bind_document_namespaces(root, {"namespaces": spaces, "default": default}, recursive=True)


def _version(study: Study) -> model.MetaDataVersion:
    guide = study.standards["sdtmig"]
    return model.MetaDataVersion(
        OID=f"MDV.{study.studyid}.SDTMIG.{guide}",
        Name=f"{study.studyid}, Data Definitions of the Tabulations",
        Description=f"SDTM datasets of {study.studyid} by SDTMIG {guide}",
        DefineVersion=DEFINE_VERSION,
    )


def _standards(study: Study) -> model.Standards:
    made = model.Standards()
    guide, terms = str(study.standards["sdtmig"]), str(study.standards["sdtm_ct"])
    made.Standard.append(model.Standard(OID=GUIDE, Name="SDTMIG", Type="IG", Version=guide, Status="Final"))
    made.Standard.append(
        model.Standard(OID=TERMS, Name="CDISC/NCI", Type="CT", PublishingSet="SDTM", Version=terms, Status="Final")
    )
    return made


def _documents(version: model.MetaDataVersion, documents: Documents) -> None:
    """Refer to the annotated CRF and the reviewer's guide, if they are there."""
    if documents.annotated_crf:
        version.AnnotatedCRF = model.AnnotatedCRF(DocumentRef=model.DocumentRef(leafID=CRF_LEAF))
    if documents.reviewers_guide:
        version.SupplementalDoc = model.SupplementalDoc()
        version.SupplementalDoc.DocumentRef.append(model.DocumentRef(leafID=GUIDE_LEAF))


def _place(dataset: Dataset) -> tuple[int, str]:
    found = dataset.metadata.dataset_class
    return CLASSES.index(found) if found in CLASSES else len(CLASSES), dataset.name


def _group(dataset: Dataset, references: list[model.ItemRef]) -> model.ItemGroupDef:
    """Return a dataset: label, class, structure, keys and the leaf of its transport file."""
    metadata, name = dataset.metadata, dataset.name
    reference = metadata.dataset_class in REFERENCE
    one_a_subject = set(metadata.keys) <= {"STUDYID", "USUBJID"} and not reference
    made = model.ItemGroupDef(
        OID=f"IG.{name}",
        Name=name,
        Repeating="No" if reference or one_a_subject else "Yes",
        IsReferenceData="Yes" if reference else "No",
        SASDatasetName=name,
        Domain=_domain(name),
        Purpose="Tabulation",
        Structure=metadata.structure,
        ArchiveLocationID=f"LF.{name}",
        StandardOID=GUIDE,
        **({} if len(dataset.frame) else {"HasNoData": "Yes"}),
    )
    made.Description = description(metadata.label)
    made.ItemRef.extend(references)
    made.Class = model.Class(Name=metadata.dataset_class.upper().replace("-", " "))
    made.leaf = leaf(f"LF.{name}", f"{name.lower()}.xpt", f"{name.lower()}.xpt")
    return made


def _domain(name: str) -> str:
    """Return the domain that a dataset belongs to: SUPPAE to AE."""
    prefix = next((prefix for prefix in SUPPLEMENTAL if name.startswith(prefix)), "")
    return name.removeprefix(prefix) if prefix else name
