"""Pages by templates: what is put in is escaped, the folder's own style is not, and nothing stays unsaid."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from metadata.html_page import page_templates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "style.css").write_text("a > b { color: red }", encoding="utf-8")
    (tmp_path / "page.html.jinja").write_text("<p>{{ text }}</p>{{ style }}{{ study }}", encoding="utf-8")
    return tmp_path


def test_texts_are_escaped_and_the_style_is_not(folder: Path) -> None:
    page = page_templates(folder, study="S & T").get_template("page.html.jinja")

    assert page.render(text="<script>") == "<p>&lt;script&gt;</p>a > b { color: red }S &amp; T"


def test_a_name_that_nobody_gave_is_an_error(folder: Path) -> None:
    with pytest.raises(UndefinedError):
        page_templates(folder).get_template("page.html.jinja").render(text="x")


def test_jinja_environments_are_made_in_one_place() -> None:
    root = Path(__file__).resolve().parents[2]
    making = [
        path.relative_to(root).as_posix()
        for package in ("flows", "metadata", "publish", "redcap_sandbox", "reports", "sdtm", "validation", "adam")
        for path in sorted((root / package).rglob("*.py"))
        if "Environment(" in path.read_text(encoding="utf-8")
    ]
    assert making == ["metadata/html_page.py"]
