"""Imports run one way: flows, monitoring, then the six stages that do not know one another, then metadata."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("extract", "sdtm", "adam", "validation", "publish", "reports")
OWN = {"flows", "redcap_sandbox", "release", "metadata", "mappings", "benchmarks", "monitoring", *STAGES}
ALLOWED = {
    "flows": {"flows", "metadata", "mappings", "redcap_sandbox", "release", "monitoring", *STAGES},
    "release": {"release", "publish", "metadata"},  # a package is published first
    # It reads results as sdtm maps them and forms as validation does, draws as reports and sets type as publish does.
    "monitoring": {"monitoring", "metadata", "sdtm", "validation", "reports", "publish"},
    "redcap_sandbox": {"redcap_sandbox", "metadata", "extract"},  # of extract only its reader of a project's XML
    "metadata": {"metadata"},
    "mappings": set(),
    **{stage: {stage, "metadata"} for stage in STAGES},
}
HEAVY = {"prefect", "great_expectations"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(nodes: list[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add((node.module or "").split(".")[0])
    return names


def run_at_import(tree: ast.Module) -> list[ast.AST]:
    """All nodes but those inside functions and TYPE_CHECKING blocks."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        found.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    files = sources(package)
    assert files, f"{package} has no source"
    for file in files:
        names = imported(list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))) & OWN
        assert names <= ALLOWED[package], f"{file.relative_to(ROOT)} imports {sorted(names - ALLOWED[package])}"


def test_of_extract_the_sandbox_imports_only_the_reader_of_xml() -> None:
    for file in sources("redcap_sandbox"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("extract"):
                assert str(node.module).startswith("extract.odm."), f"{file.relative_to(ROOT)} imports {node.module}"


@pytest.mark.parametrize("package", sorted(set(ALLOWED) - {"flows"}))
def test_no_stage_imports_prefect(package: str) -> None:
    for file in sources(package):
        names = imported(list(ast.walk(ast.parse(file.read_text(encoding="utf-8")))))
        assert "prefect" not in names, f"{file.relative_to(ROOT)} imports prefect; only flows knows it"


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    loaded_by_prefect = ("study_build", "study_release", "drift_check", "clean_up", "safety_monitoring", "portfolio")
    allowed = {ROOT / "flows" / f"{name}.py" for name in loaded_by_prefect}
    for package in ALLOWED:
        for file in sources(package):
            names = imported(run_at_import(ast.parse(file.read_text(encoding="utf-8")))) & HEAVY
            assert not names or file in allowed, f"{file.relative_to(ROOT)} imports {sorted(names)} at its top"


def test_only_what_draws_imports_matplotlib() -> None:
    """Importing reports.figures loads it, which is done where a figure is drawn."""
    figures = ROOT / "reports" / "figures"
    for package in ALLOWED:
        for file in sources(package):
            if figures not in file.parents:
                tree = ast.parse(file.read_text(encoding="utf-8"))
                assert "matplotlib" not in imported(list(ast.walk(tree))), (
                    f"{file.relative_to(ROOT)} imports matplotlib"
                )
                loading = [node for node in run_at_import(tree) if isinstance(node, ast.ImportFrom)]
                assert not any(str(node.module).startswith("reports.figures") for node in loading), file


def test_every_import_from_outside_is_declared() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    declared = [*project["dependencies"], *extras]
    names = {requirement.split("[")[0].split("<")[0].split(">")[0].replace("-", "_") for requirement in declared}
    renamed = {"pycap": "redcap", "pyyaml": "yaml", "markdown_it_py": "markdown_it", "pillow": "PIL"}
    names = {renamed.get(name, name) for name in names}
    carried = {"requests", "starlette", "markupsafe", "pydantic"}  # interfaces of pycap, fastapi, jinja2 and prefect
    for package in ALLOWED:
        for file in sources(package):
            used = imported(list(ast.walk(ast.parse(file.read_text(encoding="utf-8")))))
            strange = used - OWN - names - carried - set(sys.stdlib_module_names)
            assert not strange, f"{file.relative_to(ROOT)} imports {sorted(strange)}: not in pyproject.toml"


# Within a package the folders have an order, too: each imports itself and those before it.
FLOORS = {
    "sdtm": ("columns", "operations", "mapping", "domains", "build", "draft"),
    "adam": ("columns", "language", "derivations", "build"),
    "reports": ("statistics", "results", "layout", "figures", "template_parts", "templates", "exchange", "rtf", "html"),
    "validation": ("pages", "raw", "checks", "queries", "datasets", "acceptance", "second_derivation", "conformance"),
}


def folders_imported(file: Path, package: str) -> set[str]:
    """The folders of its own package that a file imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith(f"{package}.")}
    return found & set(FLOORS[package])


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_folders_of_a_package_import_those_before_them(package: str) -> None:
    floors = FLOORS[package]
    for position, folder in enumerate(floors):
        files = sources(f"{package}/{folder}")
        assert files, f"{package}/{folder} has no source"
        for file in files:
            above = folders_imported(file, package) & set(floors[position + 1 :])
            assert not above, f"{file.relative_to(ROOT)} imports from {sorted(above)}, which come later"


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_every_folder_has_its_place_in_the_order(package: str) -> None:
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert folders == set(FLOORS[package])


def modules_imported(file: Path) -> set[str]:
    """The modules of this repository that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    files = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for package in ALLOWED
        for file in sources(package)
    }
    graph = {name: modules_imported(file) & set(files) - {name} for name, file in files.items()}
    assert any(graph.values())
    assert list(TopologicalSorter(graph).static_order())
