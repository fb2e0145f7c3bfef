"""The commands in README and docs are run as they are (blocks marked ``sh``); links lead to files.

Blocks marked ``sh cluster`` and ``python cluster`` need what is not at hand, and are only read.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pygments.lexers import get_lexer_by_name
from pygments.token import Error

from flows.command_line import application
from tests.flows.conftest import ROOT, Answer
from tests.flows.pilot_data import copy_sdtm

pytestmark = pytest.mark.xdist_group("package")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
CLUSTER = re.compile(r"^```(\w+) cluster\n(.*?)^```", re.MULTILINE | re.DOTALL)
OTHER_LANGUAGE = re.compile(r"^```(python|r|sas)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = {"docker-compose", "pip", "prefect", "redcap-cdisc"}
OWN_FILE = re.compile(r"\"(build/spms_aza/[^\"]+)\"")
LINK = re.compile(r"\]\(([^)#:]+)\)")


def commands() -> Iterator[str]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield from block.strip().splitlines()


@pytest.mark.soak
def test_the_commands_of_the_documents_work(
    command: Callable[..., Answer], sandbox: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mappings").symlink_to(ROOT / "mappings")
    copy_sdtm(tmp_path / "pilot" / "sdtm")
    monkeypatch.chdir(tmp_path)
    sandbox()
    later = (" trace ", " report ", " approve ", " release ", " verify ")  # of what must have been made
    lines = sorted(commands(), key=lambda line: any(word in line for word in later))
    assert len(lines) >= 8
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "redcap-cdisc", line
        answer = command(*arguments)
        assert answer.code == 0, f"{line}\n{answer.err}"
    opened_by_analysts(tmp_path)
    assert (tmp_path / "build" / "as-entered" / "queries.html").is_file()
    assert (tmp_path / "build" / "spms_aza" / "reports" / "index.html").is_file()


def opened_by_analysts(folder: Path) -> None:
    """Run what docs/analysts.md has in Python; of R and SAS see that it can be read and that the files are there."""
    blocks = OTHER_LANGUAGE.findall((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"))
    assert [language for language, _ in blocks] == ["python", "r", "sas"]
    for language, text in blocks:
        files = OWN_FILE.findall(text)
        assert files and all((folder / file).is_file() for file in files), files
        assert Error not in {token for token, _ in get_lexer_by_name(language).get_tokens(text)}, language
    names: dict[str, Any] = {}
    exec(compile(blocks[0][1], "docs/analysts.md", "exec"), names)
    assert str(names["adlb"]["ADT"].min())[:4] == "1998"
    assert str(names["adsl"]["TRTSDT"].min())[:4] == "1998"
    assert names["labels"]["AGE"] == "Age"


def of_cluster(language: str) -> list[str]:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    return [block for text in texts for one, block in CLUSTER.findall(text) if one == language]


def test_commands_that_need_a_cluster_can_be_read() -> None:
    lines = [line for block in of_cluster("sh") for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        assert subprocess.run(["bash", "-n", "-c", line], check=False).returncode == 0, line
        program, *arguments = shlex.split(line)
        assert program in PROGRAMS, line
        if program == "redcap-cdisc":
            known_to_the_command_line(arguments)


def known_to_the_command_line(arguments: list[str]) -> None:
    commands = typer.main.get_command(application).commands  # type: ignore[attr-defined]
    name, *rest = arguments
    known = {option for parameter in commands[name].params for option in parameter.opts}
    assert {one for one in rest if one.startswith("-")} <= known, arguments


def test_python_that_needs_a_cluster_can_be_read_and_uses_what_there_is() -> None:
    blocks = of_cluster("python")
    assert blocks
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("flows."):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), node.module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
