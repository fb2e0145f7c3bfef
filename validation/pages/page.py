"""A page about a study, with its name, what must be said of its data, and the date of the records."""

from __future__ import annotations

from pathlib import Path

from metadata.html_page import page_templates
from metadata.study import Study

TEMPLATES = Path(__file__).parent / "templates"


def write_study_page(study: Study, name: str, path: Path, date: str, **values: object) -> None:
    """Write the page ``templates/<name>.html.jinja``; ``date`` is the snapshot's, blank where it is not known."""
    declared = study.declared.study
    text = page_templates(TEMPLATES).get_template(f"{name}.html.jinja").render(
        title=declared.short_title or declared.title or study.name,
        study=study.studyid,
        synthetic=study.is_synthetic,
        part=study.part,
        treatments=study.treatments,
        date=date,
        **values,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
