"""Rules of the house that a machine can see."""

import ast
import csv
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENGINE = (
    "flows",
    "redcap_sandbox",
    "extract",
    "metadata",
    "sdtm",
    "adam",
    "validation",
    "publish",
    "reports",
    "release",
    "monitoring",
)
SOURCES = sorted(file for package in (*ENGINE, "benchmarks") for file in (ROOT / package).rglob("*.py"))
STUDIES = sorted(path.parent for path in (ROOT / "mappings").glob("*/study.yaml"))
LONGEST = 60
CLINICAL = re.compile(r"azathioprin|interferon|multiple sclerosis|\bspms", re.IGNORECASE)
# Its help shows commands that can be typed as they stand, so it names the bundled study.
SHOWS_EXAMPLES = {ROOT / "flows" / "command_line.py"}


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.fixture(params=SOURCES, ids=name_of)
def source(request: pytest.FixtureRequest) -> Path:
    file: Path = request.param
    return file


def test_functions_are_short(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST, f"{name_of(source)}:{node.lineno} {node.name} has {length} lines"


def test_no_loop_over_rows(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"iterrows", "itertuples"}, f"{name_of(source)}:{node.lineno} {node.attr}"


def test_nothing_is_evaluated(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec"}, f"{name_of(source)}:{node.lineno} {node.func.id}"


def test_no_file_is_a_drawer(source: Path) -> None:
    assert source.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}


def particulars() -> set[str]:
    """Names that belong to a study: fields and events that no other project would share by chance."""
    names: set[str] = set()
    for study in STUDIES:
        names.add(study.name)
        for file, column in (("dictionary.csv", "field_name"), ("events.csv", "unique_event_name")):
            path = study / "redcap" / file
            if not path.exists() and (file == "events.csv" or not path.parent.exists()):
                continue  # a classic project has no events, and a study that begins with datasets has no project
            with path.open(encoding="utf-8-sig", newline="") as stream:
                names |= {row[column] for row in csv.DictReader(stream) if "_" in row[column]}
    return names


PARTICULARS = particulars()


def test_a_study_never_enters_the_engine(source: Path) -> None:
    if source in SHOWS_EXAMPLES or "benchmarks" in source.parts:
        pytest.skip("shows commands for the bundled study")
    text = source.read_text(encoding="utf-8")
    found = CLINICAL.search(text)
    assert not found, f"{name_of(source)} speaks of {found.group() if found else ''}"
    literals = {
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not literals & PARTICULARS, f"{name_of(source)} names {sorted(literals & PARTICULARS)} of a study"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_no_tracked_file_names_a_package_registry() -> None:
    registry = re.compile(
        r"--(extra-)?index-url|/simple/?[\s\"']|files\.pythonhosted|//pypi\.|registry *= *\"?https?://"
    )
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    for file in tracked():
        if file.suffix in {".py", ".toml", ".lock", ".txt", ".md", ".yaml", ".yml", ".cfg", ""} and file.is_file():
            found = registry.search(file.read_text(encoding="utf-8", errors="replace"))
            assert not found or file == Path(__file__), f"{name_of(file)} names a registry: {found}"
