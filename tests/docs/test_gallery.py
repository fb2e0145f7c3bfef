"""The gallery shows every template with a declaration that a study has, and a picture that is there."""

from __future__ import annotations

import pytest
import yaml
from PIL import Image

from docs.gallery import PAGE, Shown, page, shown
from reports.templates import KEYS, TEMPLATES


def test_the_page_is_what_the_studies_declare_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_template_is_shown() -> None:
    assert [one.template for one in shown()] == list(TEMPLATES)


@pytest.mark.parametrize("one", list(shown()), ids=lambda one: one.template)
def test_a_declaration_is_whole_and_has_its_picture(one: Shown) -> None:
    declared = yaml.safe_load(one.declaration().replace("*", "x").replace("&", "#"))
    assert declared[0]["id"] == one.output and declared[0]["template"] in KEYS
    with Image.open(one.image) as picture:
        assert picture.format == "PNG" and picture.width == 1000 and 200 < picture.height <= 760
        assert len(picture.getcolors(maxcolors=256) or []) > 2, "it is not blank"
