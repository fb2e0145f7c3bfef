"""The commands in README and docs are run as they are (blocks marked ``sh``); links lead to files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.conftest import ROOT, Answer

pytestmark = pytest.mark.xdist_group("package")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def commands() -> Iterator[str]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield from block.strip().splitlines()


def test_the_commands_of_the_documents_work(
    command: Callable[..., Answer], sandbox: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mappings").symlink_to(ROOT / "mappings")
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
    assert (tmp_path / "build" / "as-entered" / "queries.html").is_file()
    assert (tmp_path / "build" / "spms_aza" / "reports" / "index.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
