"""The document define.xml: study, standards, datasets and all that they refer to (Define-XML 2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import odmlib.ns_registry as registry
from odmlib.arm_1_0 import model

from metadata.analysis_result import ResultDisplay
from metadata.dataset import Dataset
from metadata.study import Study
from publish import splitting
from publish.define_codelists import DefineCodelists
from publish.define_documents import CRF, Documents, document_leaves, leaf
from publish.define_items import Items
from publish.define_results import displays_element
from publish.define_sentences import Sentences, description
from publish.define_standards import DefineContent
from publish.manifest import DISTRIBUTION, software_version

DEFINE_VERSION = "2.1.0"
PURPOSES = {"Tabulation": "Tabulations", "Analysis": "Analysis Datasets"}
REFERENCE = ("Trial Design", "Study Reference")
SUPPLEMENTAL = ("SUPP", "SQ")


def document(
    study: Study,
    content: DefineContent,
    datasets: Mapping[str, Dataset],
    created: str,
    documents: Documents,
    displays: Sequence[ResultDisplay] = (),
) -> tuple[model.ODM, list[str]]:
    """Return define.xml of datasets and key results, and what is wrong with its value level.

    It is dated ``created`` (YYYY-MM-DD).
    """
    sentences = Sentences()
    codelists = DefineCodelists(content.packages, sentences)
    items = Items(datasets, codelists, sentences, documents)
    version = _version(study, content)
    version.Standards = _standards(content)
    _documents(version, documents)
    for dataset in sorted(datasets.values(), key=content.place):
        comment = _in_parts(dataset, documents, sentences)
        version.ItemGroupDef.append(_group(dataset, content, items.references(dataset), comment))
    results = displays_element(displays, items.where_clauses, sentences, documents)
    version.ValueListDef.extend(items.value_lists)
    version.WhereClauseDef.extend(items.where_clauses.elements())
    version.ItemDef.extend(items.definitions)
    version.CodeList.extend(codelists.elements())
    version.MethodDef.extend(sentences.methods())
    version.CommentDef.extend(sentences.comments())
    version.leaf.extend(document_leaves(documents))
    if displays:
        version.AnalysisResultDisplays = results
    return _root(study, content, version, created), [problem for problem in items.problems if problem]


def _root(study: Study, content: DefineContent, version: model.MetaDataVersion, created: str) -> model.ODM:
    declared = study.declared.study
    notice = f" {study.notice}." if study.notice else ""
    names = model.GlobalVariables()
    names.StudyName = model.StudyName(_content=study.studyid)
    names.StudyDescription = model.StudyDescription(_content=f"{declared.title.rstrip('.')}.{notice}")
    names.ProtocolName = model.ProtocolName(_content=declared.protocol or study.studyid)
    root = model.ODM(
        FileType="Snapshot",
        FileOID=f"{study.studyid}.{content.label}.Define-XML_{DEFINE_VERSION}",
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
        "arm": "http://www.cdisc.org/ns/arm/v1.0",
    }
    default = {"odm": spaces["odm"]}
    registry.bind_document_namespaces(root, {"namespaces": spaces, "default": default}, recursive=True)


def _version(study: Study, content: DefineContent) -> model.MetaDataVersion:
    guide = content.guide
    return model.MetaDataVersion(
        OID=f"MDV.{study.studyid}.{guide.name}.{guide.version}",
        Name=f"{study.studyid}, Data Definitions of the {PURPOSES[content.purpose]}",
        Description=f"{content.label} datasets of {study.studyid} by {guide.name} {guide.version}",
        DefineVersion=DEFINE_VERSION,
    )


def _standards(content: DefineContent) -> model.Standards:
    made = model.Standards()
    for one in content.standards:
        of_set = {"PublishingSet": one.publishing_set} if one.publishing_set else {}
        made.Standard.append(
            model.Standard(OID=one.oid, Name=one.name, Type=one.kind, Version=one.version, Status="Final", **of_set)
        )
    return made


def _documents(version: model.MetaDataVersion, documents: Documents) -> None:
    """Refer to the annotated CRF and the other documents, if they are there."""
    if documents.annotated_crf:
        version.AnnotatedCRF = model.AnnotatedCRF(DocumentRef=model.DocumentRef(leafID=CRF.leaf))
    for one in documents.supplemental:
        version.SupplementalDoc = version.SupplementalDoc or model.SupplementalDoc()
        version.SupplementalDoc.DocumentRef.append(model.DocumentRef(leafID=one.leaf))


def _in_parts(dataset: Dataset, documents: Documents, sentences: Sentences) -> str:
    """Return the comment that says in which parts a dataset is given as well; blank if it is not."""
    names = documents.parts.get(dataset.name, ())
    return sentences.comment(dataset.name, splitting.sentence(list(names))) if names else ""


def _group(
    dataset: Dataset, content: DefineContent, references: list[model.ItemRef], comment: str
) -> model.ItemGroupDef:
    """Return a dataset: label, comment, class, structure, keys and the leaf of its transport file."""
    metadata, name = dataset.metadata, dataset.name
    reference = metadata.dataset_class in REFERENCE
    one_a_subject = set(metadata.keys) <= {"STUDYID", "USUBJID"} and not reference
    made = model.ItemGroupDef(
        OID=f"IG.{name}",
        Name=name,
        Repeating="No" if reference or one_a_subject else "Yes",
        IsReferenceData="Yes" if reference else "No",
        SASDatasetName=name,
        Purpose=content.purpose,
        Structure=metadata.structure,
        ArchiveLocationID=f"LF.{name}",
        StandardOID=content.guide_of(dataset),
        **({} if metadata.is_analysis else {"Domain": _domain(name)}),
        **({} if len(dataset.frame) else {"HasNoData": "Yes"}),
        **({"CommentOID": comment} if comment else {}),
    )
    made.Description = description(metadata.label)
    made.ItemRef.extend(references)
    made.Class = model.Class(Name=metadata.dataset_class.upper().replace("-", " "))
    if metadata.subclass:
        made.Class.SubClass.append(model.SubClass(Name=metadata.subclass))
    made.leaf = leaf(f"LF.{name}", f"{name.lower()}.xpt", f"{name.lower()}.xpt")
    return made


def _domain(name: str) -> str:
    """Return the domain that a dataset belongs to: SUPPAE to AE."""
    prefix = next((prefix for prefix in SUPPLEMENTAL if name.startswith(prefix)), "")
    return name.removeprefix(prefix) if prefix else name
