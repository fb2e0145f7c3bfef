"""The study's own derivation: a function of the study's derivations.py, where no derivation fits.

The file is loaded by its path, from the study's folder alone; nothing is added to Python's search path and no compiled
file is written next to it. It is one of the study's files, so its hash is in the manifest and in the package's id.
"""

from __future__ import annotations

import ast
import importlib.util
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adam.columns.columns import Columns, Values, known_names
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
)
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.declaration import Column, NewColumn
from metadata.errors import StudyError, nearest
from metadata.study import Study
from metadata.variable_kind import PHRASE

if TYPE_CHECKING:
    import pandas as pd

FILE = "derivations.py"
Function = Callable[..., Any]


class _Uncached(SourceFileLoader):
    """Reads the source each time, and neither reads nor writes compiled files."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError


def functions_in(study: Study) -> dict[str, int]:
    """Return the public functions of the study's derivations.py with their lines, without running it.

    Raises StudyError if there is no such file in the study's folder, or if it is not Python.
    """
    try:
        tree = ast.parse(_path(study).read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        raise StudyError("not valid Python", f"{study.name}/{FILE}", line) from None
    return {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"}


def _path(study: Study) -> Path:
    path = study.path(FILE)
    if not path.is_file():
        raise StudyError(f"the study has no file {FILE}; its own derivations are functions of that file")
    return path


def load(study: Study, name: str) -> Function:
    """Return one function of the study's derivations.py; raises StudyError with the nearest name."""
    names = functions_in(study)
    if name not in names:
        raise StudyError(f"{FILE} has no function '{name}'{nearest(name, names)}")
    path = _path(study)
    loader = _Uncached("study_derivations", str(path))
    specification = importlib.util.spec_from_file_location(loader.name, path, loader=loader)
    assert specification and specification.loader
    module: ModuleType = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise StudyError(f"{FILE} cannot be loaded: {_message(error, path)}") from None
    function: Function = getattr(module, name)
    return function


def _message(error: Exception, path: Path) -> str:
    """Return kind and line of an error in the study's code; its message may hold a patient's values, and stays here."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return type(error).__name__ + (f" in line {lines[-1]}" if lines else "")


@dataclass(frozen=True)
class StudyCodeResult:
    """One variable that the study's function makes: its type, and how it is made, as define.xml says it.

    A number may be a date (days since 1960-01-01), a datetime or a time (seconds): then ``kind`` says so.
    """

    type: Literal["Char", "Num"]
    method: str
    kind: Literal["date", "datetime", "time"] | None = None


@keyed("study_derivation")
@dataclass(frozen=True, kw_only=True)
class StudyDerivation(Derivation):
    """Make variables by a function of the study's own derivations.py: the way out where no derivation fits.

    The function ``call`` gets a table (pandas) with the variables that ``inputs`` names, one row a record, texts as str
    ("" where missing) and numbers as float (NaN where missing), and each of ``arguments`` by its name. It returns a
    table or a mapping with exactly the variables of ``outputs``, one value a record. What it reads and makes is
    declared, so that order, lineage and define.xml hold for it as for every derivation; bring values of other datasets
    in by ``merge`` or ``summary`` first. It can add no records. It runs in every build: keep it free of clock,
    randomness and files.
    """

    call: str
    inputs: tuple[Column, ...]
    outputs: dict[NewColumn, StudyCodeResult]
    arguments: dict[str, object] = field(default_factory=dict)

    def check(self) -> None:
        if not self.outputs:
            raise StudyError("'outputs' names the variables that the function makes, each with type and method")
        for name, one in self.outputs.items():
            if one.kind and one.type == "Char":
                raise StudyError(f"{name} is {PHRASE[one.kind]}, which is of type Num")

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return self.outputs[variable].kind or self.outputs[variable].type

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        import pandas as pd

        function = load(context.study, self.call)
        table = pd.DataFrame({name: _series(columns[name]) for name in self.inputs}, index=range(count))
        try:
            made = function(table, **self.arguments)
        except Exception as error:
            raise self._failed(error, columns, context.study) from None
        if not isinstance(made, Mapping | pd.DataFrame):
            raise StudyError(f"'{self.call}' returns neither a table nor a mapping of variables")
        self._check_names([str(name) for name in made])
        return Outcome({name: self._values(name, made[name], count) for name in self.outputs})

    def _failed(self, error: Exception, columns: Columns, study: Study) -> StudyError:
        name = error.args[0] if isinstance(error, KeyError) and error.args else None
        if isinstance(name, str) and name in known_names(columns) - set(self.inputs):
            return StudyError(f"'{self.call}' looks at {name}, which its 'inputs' do not name")
        return StudyError(f"'{self.call}' failed: {_message(error, _path(study))}")

    def _check_names(self, names: list[str]) -> None:
        lacking = [name for name in self.outputs if name not in names]
        if lacking:
            raise StudyError(f"'{self.call}' does not return {lacking[0]}, which its 'outputs' name")
        extra = [name for name in names if name not in self.outputs]
        if extra:
            raise StudyError(f"'{self.call}' returns {extra[0]}, which its 'outputs' do not name")

    def _values(self, name: str, given: Any, count: int) -> Values:
        import pandas as pd

        try:
            series = given.reindex(range(count)) if isinstance(given, pd.Series) else pd.Series(given)
            if np.ndim(given) != 1 or len(given) != count:
                raise StudyError(f"'{self.call}' does not return one value a record for {name}")
            if self.outputs[name].type == "Char":
                return self._texts(name, series)
            numbers = pd.to_numeric(series).astype("float64")
        except (TypeError, ValueError):
            raise StudyError(f"'{self.call}' returns texts for {name}, which is declared Num") from None
        if np.isinf(numbers).any():
            raise StudyError(f"'{self.call}' returns infinite numbers for {name}")
        return numbers.to_numpy(np.float64)

    def _texts(self, name: str, series: pd.Series) -> Values:
        if not all(isinstance(one, str) for one in series.dropna().unique()):
            raise StudyError(f"'{self.call}' returns values other than texts for {name}, which is declared Char")
        return CodedText.of_series(series.fillna("").astype("str"))

    def sentence(self, variable: str) -> str:
        return f"{self.outputs[variable].method.removesuffix('.')}{self.within()}."


def _series(values: Values) -> pd.Series:
    import pandas as pd

    return pd.Series(values.array(), dtype="str") if isinstance(values, CodedText) else pd.Series(values)
