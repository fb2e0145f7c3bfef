"""SDTM datasets as tables of DuckDB, and a study's queries over them: no file, no other source is within reach."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from metadata.condition import DatasetKinds
from metadata.dataset import Dataset, Variable
from metadata.errors import StudyError, nearest
from metadata.iso8601 import to_sas_days
from metadata.standards import sdtm_domains, sdtm_variables
from metadata.study import Study
from metadata.variable_kind import is_number
from validation.second_derivation.declaration import FOLDER, Declaration

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
}
DATES = ("DATE", "TIMESTAMP")
NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINY",
    "USMALL",
    "UINT",
    "UBIG",
    "UHUGE",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
)
SUPPLEMENTAL = "SUPP"
AS_GUIDE = "SUPPQUAL"
WORD = re.compile(r"\w+")
LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


@dataclass(frozen=True)
class Second:
    """What a query gave: columns of equal length, float64 (NaN for NULL) or texts ("" for NULL).

    ``dates`` are the columns that are dates: days since 1960-01-01.
    """

    columns: dict[str, np.ndarray]
    dates: frozenset[str]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


class SqlTables:
    """A database in memory with the SDTM datasets that a study's queries read, and the study's own tables.

    A missing text is NULL there, as a missing number is. A dataset of the guide that the study does not have is a table
    without rows and with the guide's variables.
    """

    def __init__(self, study: Study, declaration: Declaration, datasets: Mapping[str, Dataset]) -> None:
        import duckdb

        self._study = study
        self._texts = {query: read_query(study, query) for query in queries(declaration)}
        self._connection = duckdb.connect(config=SETTINGS)
        words = {word.upper() for text in self._texts.values() for word in WORD.findall(text)}
        words.update(name for endpoint in declaration.endpoints for name in (*endpoint.keys, *endpoint.variables))
        for name in sorted(words & known_datasets(study)):
            self._add(name, datasets.get(name), words)
        for name, query in declaration.tables.items():
            self._run(query, lambda text, name=name: self._connection.execute(f'CREATE TABLE "{name}" AS {text}'))

    def __enter__(self) -> SqlTables:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, query: str, wanted: Collection[str]) -> Second:
        """Return the rows of a query, and the columns that are wanted; raises StudyError with its file and line."""
        found = self._run(query, lambda text: self._connection.execute(text).fetchnumpy())
        types = {name: str(kind) for name, kind, *_ in self._connection.description or []}
        place = shown_query(self._study, query)
        columns = {name: plain_column(found[name], name, types[name], place) for name in found if name in wanted}
        return Second(columns, frozenset(name for name in columns if types[name].startswith(DATES)))

    def _add(self, name: str, dataset: Dataset | None, words: Collection[str]) -> None:
        """Add those variables of a dataset of which a query speaks, or an empty dataset as the guide has it."""
        if dataset is not None:
            self._connection.register(name, arrow_table(dataset.frame, words, dataset.metadata.unused))
            return
        guide = sdtm_variables(self._study.standards["sdtmig"], AS_GUIDE if name.startswith(SUPPLEMENTAL) else name)
        columns = [f'"{one.name}" {"DOUBLE" if one.type == "Num" else "VARCHAR"}' for one in guide]
        self._connection.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')

    def _run(self, query: str, run: Any) -> Any:
        with readable(self._study, query):
            one_select(self._connection, self._study, query, self._texts[query])
            return run(self._texts[query])


def plain_column(values: np.ndarray, name: str, kind: str, place: str) -> np.ndarray:
    """Return a column of DuckDB as float64 or texts; raises StudyError for a column of another kind."""
    empty = np.ma.getmaskarray(values)
    bare = np.ma.getdata(values)
    if kind.startswith(DATES):
        return np.where(empty, np.nan, to_sas_days(bare.astype("datetime64[D]")))
    if kind.startswith(NUMBERS):
        return np.where(empty, np.nan, bare.astype(float))
    if kind == "VARCHAR":
        return np.where(empty, "", bare)
    if empty.all():
        return np.full(len(empty), np.nan)
    raise StudyError(f"the column {name} is neither text, number nor date but {kind}", place)


def arrow_table(
    frame: pd.DataFrame, names: Collection[str], unused: Iterable[Variable] = ()
) -> pa.Table:  # fmt: skip
    """Return those columns of a frame that are named, or the first if none is; what is missing is null.

    ``unused`` are variables that the frame lacks because nobody has a value of them.
    """
    import pyarrow as pa

    chosen = [name for name in frame.columns if name in names] or list(frame.columns[:1])
    empty = {
        one.name: pa.nulls(len(frame), pa.float64() if one.type == "Num" else pa.string())
        for one in unused
        if one.name in names
    }
    return pa.table({name: _arrow_column(frame[name]) for name in chosen} | empty)


def _arrow_column(values: pd.Series) -> pa.Array:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if pd.api.types.is_float_dtype(values):
        return pa.array(values.to_numpy(), from_pandas=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, categories = values.cat.codes.to_numpy(), values.cat.categories.to_numpy(object)
        missing = np.append(categories == "", True)[codes]  # the code of no category is -1
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(categories, pa.string()))
    texts = pa.array(values.array)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)


def shown_query(study: Study, query: str) -> str:
    """Return the name that errors give a query's file."""
    return f"{study.name}/{FOLDER}/{query}"


def queries(declaration: Declaration) -> list[str]:
    """Return the files of all queries, each once, those of tables first."""
    return list(dict.fromkeys([*declaration.tables.values(), *(one.query for one in declaration.endpoints)]))


def read_query(study: Study, query: str) -> str:
    """Return the text of a query without its final semicolon; raises StudyError if it is not UTF-8."""
    return study.read_text(f"{FOLDER}/{query}").rstrip().removesuffix(";")


def known_datasets(study: Study) -> set[str]:
    """Return the SDTM datasets that a study may have, its supplemental qualifiers included."""
    domains = sdtm_domains(study.standards["sdtmig"]) - {AS_GUIDE}
    return {*domains, *(f"{SUPPLEMENTAL}{name}" for name in domains if len(name) == 2)}


def one_select(connection: duckdb.DuckDBPyConnection, study: Study, query: str, text: str) -> None:
    """Raise StudyError unless a text is one SELECT."""
    import duckdb

    if [one.type for one in connection.extract_statements(text)] != [duckdb.StatementType.SELECT]:
        raise StudyError("a query is one SELECT", shown_query(study, query))


@contextmanager
def readable(study: Study, query: str) -> Iterator[None]:
    """Turn DuckDB's error into one sentence; of an error about a value only its kind, for it would tell the value."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        message = str(error)
        line = LINE.search(message)
        about_text = isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException)
        kind, _, rest = message.split("\n")[0].partition(":")
        message = rest.strip() if about_text else f"{kind.lower()} in a value that the query reads"
        place = int(line[1]) if line and about_text else None  # of other errors DuckDB does not know it well
        raise StudyError(f"the query does not run: {message}", shown_query(study, query), place) from None


def check_queries(study: Study, declaration: Declaration, tabulated: DatasetKinds) -> Iterator[StudyError]:
    """Yield what is wrong with the queries, as far as it can be found without data: they are run on empty tables.

    ``tabulated`` are the kinds of the variables of the SDTM datasets, as far as they are known.
    """
    import duckdb

    with duckdb.connect(config=SETTINGS) as connection:
        for name in sorted(_named_datasets(study, declaration)):
            kinds = tabulated.get(name) or _guide_kinds(study, name)
            columns = [f'"{one}" {"DOUBLE" if is_number(kind) else "VARCHAR"}' for one, kind in kinds.items()]
            connection.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
        broken: set[str] = set()
        for table, query in [*declaration.tables.items(), *((None, one.query) for one in declaration.endpoints)]:
            try:
                with readable(study, query):
                    text, read = _check_query(connection, study, declaration, query)
                    if not broken.isdisjoint(read):
                        broken |= {table.upper()} if table else set()
                    elif table:
                        connection.execute(f'CREATE TABLE "{table}" AS FROM ({text}\n) LIMIT 0')
                    else:
                        _check_given(connection, study, declaration, query, text)
            except StudyError as error:
                broken |= {table.upper()} if table else set()
                yield error


def _named_datasets(study: Study, declaration: Declaration) -> set[str]:
    """Return the datasets that some query may read: those whose name is among its words; all if a file is not UTF-8."""
    known = known_datasets(study)
    try:
        texts = [read_query(study, query) for query in queries(declaration)]
    except StudyError:
        return known
    return known & {word.upper() for text in texts for word in WORD.findall(text)}


def _guide_kinds(study: Study, name: str) -> dict[str, str]:
    guide = AS_GUIDE if name.startswith(SUPPLEMENTAL) and name != SUPPLEMENTAL else name
    return {one.name: one.type for one in sdtm_variables(study.standards["sdtmig"], guide)}


def _check_given(
    connection: duckdb.DuckDBPyConnection, study: Study, declaration: Declaration, query: str, text: str
) -> None:
    """Raise StudyError if a query does not fit the tables, or does not give a column that an endpoint compares."""
    given = [name for name, *_ in connection.execute(f"DESCRIBE {text}").fetchall()]
    for endpoint in declaration.endpoints:
        for name in (*endpoint.keys, *endpoint.variables) if endpoint.query == query else ():
            if name not in given:
                raise StudyError(f"the query gives no column {name}{nearest(name, given)}", shown_query(study, query))


def _check_query(
    connection: duckdb.DuckDBPyConnection, study: Study, declaration: Declaration, query: str
) -> tuple[str, set[str]]:
    """Return the text of a query and the tables that it reads, in capitals.

    Raises StudyError if it is not one SELECT, or reads what is neither SDTM nor a table of verify.yaml.
    """
    text = read_query(study, query)
    one_select(connection, study, query, text)
    (tree,) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchone() or ("{}",)
    nodes = list(_nodes(json.loads(tree)))
    own = {entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    read = {str(node["table_name"]).upper() for node in nodes if node.get("type") == "BASE_TABLE"}
    known = {*known_datasets(study), *declaration.tables}
    for name in sorted(read - {word.upper() for word in {*own, *known}}):
        sentence = f"{name} is neither an SDTM dataset nor a table of verify.yaml{nearest(name, known)}"
        raise StudyError(sentence, shown_query(study, query), _line_of(text, name))
    return text, read


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a parsed query."""
    if isinstance(tree, dict):
        yield tree
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(child)


def _line_of(text: str, word: str) -> int | None:
    lines = text.upper().splitlines()
    return next((number for number, line in enumerate(lines, 1) if re.search(rf"\b{word}\b", line)), None)
