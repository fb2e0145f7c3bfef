"""What is derived a second time, and with what it is compared: verify/verify.yaml and its queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from metadata.condition import EVERY_ROW, Condition, DatasetKinds
from metadata.declaration import Place, read_document
from metadata.declaration_limits import Limit, Written
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, StudyError, nearest
from metadata.schema_errors import unknown_dataset, unknown_variable
from metadata.study import Study
from metadata.yaml_source import complain

FOLDER = "verify"
FILE = f"{FOLDER}/verify.yaml"
RESULTS = "results"
"""Stands for the results data where an endpoint names a dataset."""
Name = Annotated[str, Written(r"[A-Za-z][A-Za-z0-9_]*", "a name of letters, digits and _")]


@dataclass(frozen=True)
class VerifiedEndpoint:
    """One endpoint: the file of its query, and the records and variables of ours that it must agree with.

    ``dataset`` is an analysis dataset, or ``results``; ``plan`` the section of the analysis plan that has the rule.
    ``keys`` tell the records of both sides apart; ``variables`` must be equal, numbers within the relative
    ``tolerance``. ``may_be_empty`` says that a trial that has only begun may have no such record.
    """

    id: Name
    title: str
    query: str
    dataset: str
    keys: list[str]
    variables: list[str]
    where: Condition | None = None
    plan: str = ""
    tolerance: Annotated[float, Limit(0)] = 1e-9
    may_be_empty: bool = False
    node: Place = field(default=None, compare=False, repr=False)

    @property
    def condition(self) -> Condition:
        """The condition of the records that are compared."""
        return self.where or EVERY_ROW

    def error(self, message: str, key: str | None = None) -> StudyError:
        """Return the error that names the endpoint's place in verify.yaml."""
        return complain(self.node, key, message)


@dataclass(frozen=True)
class Declaration:
    """All that a study declares: its own tables (name and file of the query) and endpoints, in their order."""

    endpoints: list[VerifiedEndpoint]
    tables: dict[Name, str] = field(default_factory=dict)
    node: Place = field(default=None, compare=False, repr=False)


def read_declaration(study: Study) -> Declaration:
    """Read verify.yaml; a study without one declares nothing. Raises StudyError for each mistake, by file and line."""
    if not study.path(FILE).is_file():
        return Declaration([])
    declared = read_document(Declaration, study.read_yaml(FILE), f"{study.name}/{FILE}")
    ids: set[str] = set()
    with Gather() as gather:
        for table, query in declared.tables.items():
            with gather.part():
                _check_query(study, declared.node["tables"], table, query)
        for endpoint in declared.endpoints:
            with gather.part():
                if endpoint.id in ids:
                    raise endpoint.error(f"the endpoint '{endpoint.id}' is declared twice", "id")
            with gather.part():
                _check_query(study, endpoint.node, "query", endpoint.query)
            ids.add(endpoint.id)
    return declared


def _check_query(study: Study, node: Any, key: str, query: str) -> None:
    """Raise unless the query is a file in the folder of verify.yaml."""
    there = sorted(path.name for path in study.path(FOLDER).glob("*.sql"))
    if query not in there:
        raise complain(node, key, f"{FOLDER}/ has no query '{query}'{nearest(query, there)}")


def check_columns(endpoint: VerifiedEndpoint, kinds: DatasetKinds) -> None:
    """Raise StudyError if the endpoint's dataset, or a column of it, is not there, or is tested as another kind.

    ``kinds`` are those of the columns of each dataset; one without any may have any column.
    """
    if endpoint.dataset == RESULTS and RESULTS not in kinds:
        raise endpoint.error("the study has no results: it has no reports.yaml", "dataset")
    if endpoint.dataset not in kinds:
        raise unknown_dataset(endpoint.node, "dataset", endpoint.dataset, kinds)
    there = kinds[endpoint.dataset]
    if not there:
        return
    named = (("where", endpoint.condition.reads), ("keys", endpoint.keys), ("variables", endpoint.variables))
    for key, names in named:
        for name in names:
            if name not in there:
                raise unknown_variable(endpoint.node, key, endpoint.dataset, name, there)
    endpoint.condition.check(there, endpoint.dataset)


def verify_schema() -> dict[str, Any]:
    """Return the JSON Schema of verify/verify.yaml."""
    return document_schema(Declaration, "second derivation", [Condition])
