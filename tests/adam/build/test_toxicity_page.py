"""The page of the toxicity tables is the one that they make, and names every table."""

from pathlib import Path

from adam.build.toxicity_page import page
from metadata.toxicity_table import read_scheme, schemes

PAGE = Path(__file__).parents[3] / "docs" / "toxicity.md"


def test_the_page_is_the_one_that_the_tables_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_table_and_each_of_its_items_is_on_the_page() -> None:
    text = page()
    for name in schemes():
        assert f"`{name}`" in text
        assert all(f"| {item} |" in text for item in read_scheme(name))


def test_what_no_number_can_judge_is_named() -> None:
    anemia = read_scheme("ctcae-v5-us")["Anemia"].clinical()
    assert anemia[3] == "transfusion indicated" and anemia[4].startswith("Life-threatening consequences")
    assert read_scheme("ctcae-v5-si")["Lymphocyte count decreased"].clinical() == {}
