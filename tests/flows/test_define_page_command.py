"""The page of anybody's define.xml from the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from publish.define_page.page import define_page

MINIMAL = Path(__file__).resolve().parents[1] / "publish" / "define_minimal.xml"
COMMAND = str(Path(sys.executable).with_name("redcap-cdisc"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "define-page", *arguments], capture_output=True, text=True, check=False)


def test_the_page_of_any_define_is_written(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert run(str(MINIMAL), "--out", str(out)).returncode == 0
    assert out.read_bytes() == define_page(MINIMAL.read_bytes())


def test_what_is_no_define_writes_no_page(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<html/>")
    done = run(str(tmp_path / "a.xml"), "--out", str(tmp_path / "page.html"))
    assert done.returncode == 1 and "the document begins with html, not with ODM" in done.stderr
    assert not (tmp_path / "page.html").exists()
