"""The query listing: its rows, ids, links, answers, CSV and page."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from metadata.errors import StudyError
from tests.validation.small_study import enrol, exam, log, places, records, study
from validation.queries.files import write_csv
from validation.queries.history import followed
from validation.queries.listing import COLUMNS, form_links, query_listing, unused_answers
from validation.queries.page import write_page

ROWS = (
    enrol("2", sex="7", name="Eva 2"),
    enrol("1", sex="9"),
    log("10", term="=1+1", first="2000-02-30"),
    log("2", term="x", first="no"),
    exam("end", done="1"),
)


def test_rows_are_sorted_and_complete(tmp_path: Path) -> None:
    listing = query_listing(study(tmp_path), records(*ROWS))
    assert list(listing.columns) == list(COLUMNS)
    assert places(listing, "record", "event", "instance", "field", "rule") == [
        ("1", "start_arm_1", "", "sex", "dictionary.choice"),
        ("1", "end_arm_1", "", "day", "dictionary.required"),
        ("1", "logs_arm_1", "2", "term", "record.instance_gap"),
        ("1", "logs_arm_1", "2", "first", "dictionary.type"),
        ("1", "logs_arm_1", "10", "term", "record.instance_gap"),
        ("1", "logs_arm_1", "10", "first", "dictionary.type"),
        ("2", "start_arm_1", "", "name", "dictionary.format"),
        ("2", "start_arm_1", "", "sex", "dictionary.choice"),
    ]
    assert set(listing["severity"]) == {"error", "note"}
    assert set(listing["status"]) == {"open"}


def test_ids_follow_from_place_and_value(tmp_path: Path) -> None:
    listing = query_listing(study(tmp_path), records(*ROWS))
    said = "SMALL|dictionary.choice|1|start_arm_1|enrol||sex|9"
    assert listing["query_id"][0] == hashlib.sha256(said.encode()).hexdigest()[:12]
    assert listing["query_id"].is_unique
    other = query_listing(study(tmp_path), records(*ROWS[1:], ROWS[0]))
    assert other.equals(listing)


def test_severities_can_be_set(tmp_path: Path) -> None:
    made = study(tmp_path, "severities: {dictionary.choice: note}\n")
    assert set(query_listing(made, records(enrol(sex="9")))["severity"]) == {"note"}
    with pytest.raises(StudyError, match=r"did you mean 'dictionary\.choice'"):
        query_listing(study(tmp_path, "severities: {dictionary.choise: note}\n"), records(enrol()))


def test_links_open_the_form_and_never_name_the_server(tmp_path: Path) -> None:
    made, data = study(tmp_path), records(enrol("a b&c", sex="9"), log("1", "a b&c", first="no"))
    listing = query_listing(made, data, form_links(made, data.project, {"logs_arm_1": 99, "start_arm_1": 40}, "15.2.1"))
    base = "https://redcap.example.org/redcap_v15.2.1/DataEntry/index.php?pid=7&id=a+b%26c"
    assert listing["link"].tolist() == [
        f"{base}&page=enrol&event_id=40&instance=1",
        f"{base}&page=log&event_id=99&instance=1",
    ]


def test_answers_close_queries_and_unused_ones_are_told(tmp_path: Path) -> None:
    [query] = query_listing(study(tmp_path), records(enrol(sex="9")))["query_id"]
    answers = f"query_id,answer,answered_by,answered_on\n{query},It is so,site,2001-01-02\nffffffffffff,?,x,\n"
    made = study(tmp_path, answers_csv=answers)
    listing = query_listing(made, records(enrol(sex="9")))
    assert places(listing, "status", "answer", "answered_by", "answered_on") == [
        ("answered", "It is so", "site", "2001-01-02")
    ]
    assert unused_answers(made, listing) == ([], ["ffffffffffff (line 3)"])


HEADER = "query_id,answer,answered_by,answered_on\n"


@pytest.mark.parametrize(
    ("answers", "line", "words"),
    [
        ("query_id,by\n1,2\n", 1, "unknown column 'by'"),
        ("query_id,answered_by,answered_on\n1,2,3\n", 1, "column 'answer' is missing"),
        ("", 1, "the file is empty"),
        (f"{HEADER}0123456789ab,a,b,\n0123456789ab,a,b,\n", 3, "query 0123456789ab is answered twice, first on line 2"),
        (f"{HEADER}0123456789ab,a,b,2001-02-03\nquery 7,a,b,\n", 3, "'query 7' is not the id of a query"),
        (f"{HEADER}0123456789AB,a,b,\n", 2, "is not the id of a query"),
        (f"{HEADER}0123456789ab,'  ',b,\n".replace("'", '"'), 2, "the answer to query 0123456789ab is empty"),
        (f"{HEADER}0123456789ab,a,b,31/31/2001\n", 2, "'31/31/2001' is not a day of the calendar"),
        (f"{HEADER}0123456789ab,a,b,2001-02-29\n", 2, "'2001-02-29' is not a day of the calendar"),
        (f"{HEADER}0123456789ab,a,b,9999-12-31\n", 2, "'9999-12-31' is still to come"),
        (f"{HEADER}0123456789ab,a, ,2001-02-03\n", 2, "the answer to query 0123456789ab has no name"),
        (f'{HEADER}0123456789ab,"two\nlines",b,\n0123456789ac,,b,\n', 4, "the answer to query 0123456789ac is empty"),
        (f"{HEADER.strip()},rule,record\n", 1, "the column 'event' is missing"),
        (f"{HEADER}0123456789ab,a\n", 2, "another number of cells"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, answers: str, line: int, words: str
) -> None:
    with pytest.raises(StudyError, match=re.escape(words)) as raised:
        query_listing(study(tmp_path, answers_csv=answers), records(enrol()))
    assert raised.value.line == line
    assert str(raised.value.file).endswith("/answers.csv")


ASKED = "rule,record,event,form,instance,field,value"


def test_an_answer_that_tells_its_query_is_known_when_the_query_is_no_more(tmp_path: Path) -> None:
    before = query_listing(study(tmp_path), records(enrol(sex="=9")))
    write_csv(before.assign(answer="It is so", answered_by="site"), tmp_path / "queries.csv")
    kept = pd.read_csv(tmp_path / "queries.csv", dtype="str", keep_default_na=False)
    answers = kept[["query_id", "answer", "answered_by", "answered_on", *ASKED.split(",")]].to_csv(index=False)
    made = study(tmp_path, answers_csv=answers)
    assert query_listing(made, records(enrol(sex="=9")))["status"].tolist() == ["answered"]
    listing = query_listing(made, records(enrol(sex="8")))
    assert listing["status"].tolist() == ["open"]
    assert unused_answers(made, listing) == ([before["query_id"][0]], [])


def test_an_answer_whose_id_is_not_that_of_what_it_tells_is_an_error(tmp_path: Path) -> None:
    [query] = query_listing(study(tmp_path), records(enrol(sex="9")))["query_id"]
    place = "dictionary.choice,1,start_arm_1,enrol,,sex"
    made = study(tmp_path, answers_csv=f"{HEADER.strip()},{ASKED}\n{query},a,b,,{place},8\n")
    with pytest.raises(StudyError, match="did not ask what the line says") as raised:
        query_listing(made, records(enrol(sex="9")))
    assert raised.value.line == 2


def test_the_answers_of_other_groups_are_no_mistakes_in_a_part_of_a_study(tmp_path: Path) -> None:
    made = study(tmp_path, answers_csv=f"{HEADER}ffffffffffff,a,b,\n")
    made.group = "north"
    assert unused_answers(made, query_listing(made, records(enrol()))) == (["ffffffffffff"], [])


def test_every_answer_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as raised:
        query_listing(study(tmp_path, answers_csv=f"{HEADER}x,a,b,\n0123456789ab,,b,\n"), records(enrol()))
    assert [error.line for error in raised.value.each] == [2, 3]


def test_csv_cells_are_no_formulas(tmp_path: Path) -> None:
    data = records(enrol(sex="=cmd()"), exam(count="-2", mail="@x", limit="+a"))
    write_csv(query_listing(study(tmp_path), data), tmp_path / "queries.csv")
    with (tmp_path / "queries.csv").open(encoding="utf-8", newline="") as stream:
        values = {row["field"]: row["value"] for row in csv.DictReader(stream)}
    assert values == {"sex": "'=cmd()", "count": "-2", "mail": "'@x", "limit": "'+a", "twice": ""}


def test_the_page_escapes_groups_and_needs_nothing_from_outside(tmp_path: Path) -> None:
    data = records(*ROWS, exam(mail="<script>alert(1)</script>"))
    made = study(tmp_path)
    found = query_listing(made, data, form_links(made, data.project, None, "15.2.1"))
    listing = followed(made, data, found, "2001-12-31")
    write_page(made, data.project, listing, tmp_path / "queries.html", "2001-12-31", "as entered")
    page = (tmp_path / "queries.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "North &amp; South" in page
    assert "Eva" not in page
    assert "Synthetic data" in page
    assert page.count("<tr data-site=") == len(listing)
    assert "2 (Female)" in page
    assert not re.findall(r"(?:src|href)=\"(?!https://redcap\.example\.org/|#)", page)
    before = (tmp_path / "queries.html").read_bytes()
    write_page(made, data.project, listing, tmp_path / "queries.html", "2001-12-31", "as entered")
    assert (tmp_path / "queries.html").read_bytes() == before


def test_a_page_without_queries_says_so(tmp_path: Path) -> None:
    data = records(enrol(sex="1"))
    listing = query_listing(study(tmp_path), data)
    assert isinstance(listing, pd.DataFrame)
    assert listing.empty
    listing = followed(study(tmp_path), data, listing, "2001-12-31")
    write_page(study(tmp_path), data.project, listing, tmp_path / "queries.html")
    assert "There are no queries." in (tmp_path / "queries.html").read_text(encoding="utf-8")
