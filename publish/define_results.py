"""Analysis results of define.xml (Analysis Results Metadata 1.0 for Define-XML): displays, results, what they read."""

from __future__ import annotations

from collections.abc import Sequence

from odmlib.arm_1_0 import model

from metadata.analysis_result import AnalysedRecords, AnalysisResult, ResultDisplay
from publish.define_documents import PLAN, Documents
from publish.define_sentences import Sentences, description
from publish.define_values import WhereClauses, item_oid
from publish.manifest import DISTRIBUTION, software_version

PARAMETER = "PARAMCD"
COMMENT = "AR"
RESULTS_FILE = "results.csv"


def displays_element(
    displays: Sequence[ResultDisplay], where: WhereClauses, sentences: Sentences, documents: Documents
) -> model.AnalysisResultDisplays:
    """Return the displays with their results; conditions and comments are added to those of the document."""
    made = model.AnalysisResultDisplays()
    context = f"{DISTRIBUTION} {software_version()}"
    for display in displays:
        element = model.ResultDisplay(OID=f"RD.{display.id}", Name=display.name)
        element.Description = description(display.title)
        for result in display.results:
            element.AnalysisResult.append(_result(result, context, where, sentences, documents))
        made.ResultDisplay.append(element)
    return made


def _result(
    result: AnalysisResult, context: str, where: WhereClauses, sentences: Sentences, documents: Documents
) -> model.AnalysisResult:
    parameter = next((one.dataset for one in result.records if one.parameter), "")
    made = model.AnalysisResult(
        OID=f"AR.{result.id}",
        AnalysisReason=result.reason,
        AnalysisPurpose=result.purpose,
        **({"ParameterOID": item_oid(parameter, PARAMETER)} if parameter else {}),
    )
    made.Description = description(result.description)
    comment = {"CommentOID": sentences.comment(COMMENT, result.comment)} if result.comment else {}
    made.AnalysisDatasets = model.AnalysisDatasets(**comment)
    for records in result.records:
        made.AnalysisDatasets.AnalysisDataset.append(_records(records, where))
    made.Documentation = _documentation(result, documents)
    made.ProgrammingCode = model.ProgrammingCode(Context=context)
    made.ProgrammingCode.Code = model.Code(_content=_code(result))
    return made


def _records(records: AnalysedRecords, where: WhereClauses) -> model.AnalysisDataset:
    made = model.AnalysisDataset(ItemGroupOID=f"IG.{records.dataset}")
    if records.criteria:
        made.WhereClauseRef = model.WhereClauseRef(WhereClauseOID=where.of_criteria(records.dataset, records.criteria))
    for name in records.variables:
        made.AnalysisVariable.append(model.AnalysisVariable(ItemOID=item_oid(records.dataset, name)))
    return made


def _documentation(result: AnalysisResult, documents: Documents) -> model.Documentation:
    section, title = result.plan
    made = model.Documentation(Description=description(f"Statistical analysis plan, section {title}."))
    if documents.plan:
        reference = model.DocumentRef(leafID=PLAN.leaf)
        if section in documents.sections:
            page = str(documents.sections[section])
            reference.PDFPageRef.append(model.PDFPageRef(Type="PhysicalRef", PageRefs=page, Title=title))
        made.DocumentRef.append(reference)
    return made


def _code(result: AnalysisResult) -> str:
    """Return the statements that declare the output, and the analyses in the results data that are this result."""
    return f"# {RESULTS_FILE}: {', '.join(result.analyses)}\n{result.statements}"
