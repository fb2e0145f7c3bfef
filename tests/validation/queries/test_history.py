"""Queries from run to run: nothing is lost or doubled, the status and age of each follow from two listings."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from metadata.errors import StudyError, UsageError
from metadata.study import Study
from tests.validation.small_study import enrol, exam, log, places, records, study
from validation.queries.files import BY_SITE, file_names, write_csv, write_files
from validation.queries.history import LISTED, age_class, followed, previous_path, read_previous
from validation.queries.listing import query_listing

FIRST, SECOND, THIRD = "2001-10-01", "2001-10-09", "2001-12-31"


def listed(made: Study, rows: list[dict[str, str]], day: str, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    data = records(*rows)
    return followed(made, data, query_listing(made, data), day, previous)


def kept(made: Study, listing: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The listing as the next run reads it."""
    write_csv(listing, folder / "queries.csv")
    return read_previous(made, folder / "queries.csv")


def test_a_query_is_new_open_and_resolved_and_open_again(tmp_path: Path) -> None:
    made = study(tmp_path)
    first = listed(made, [enrol(sex="9")], FIRST)
    assert places(first, "field", "status", "first_seen", "age_days") == [("sex", "open", FIRST, 0)]
    second = listed(made, [enrol(sex="9"), enrol("2", sex="8")], SECOND, kept(made, first, tmp_path))
    assert places(second, "record", "status", "first_seen", "age_days") == [
        ("1", "open", FIRST, 8), ("2", "new", SECOND, 0)
    ]  # fmt: skip
    third = listed(made, [enrol(sex="1"), enrol("2", sex="8")], THIRD, kept(made, second, tmp_path))
    assert places(third, "record", "value", "status", "age_days", "resolved_on") == [
        ("1", "9", "resolved", 91, THIRD), ("2", "8", "open", 83, "")
    ]  # fmt: skip
    fourth = listed(made, [enrol(sex="9"), enrol("2", sex="8")], THIRD, kept(made, third, tmp_path))
    assert places(fourth, "record", "status", "age_days", "resolved_on") == [
        ("1", "open", 91, ""),
        ("2", "open", 83, ""),
    ]


def test_what_was_confirmed_stays_answered_until_its_own_value_changes(tmp_path: Path) -> None:
    first = listed(study(tmp_path), [enrol(sex="9")], FIRST)
    answers = f"query_id,answer,answered_by,answered_on\n{first['query_id'][0]},It is so,site,2001-10-02\n"
    made = study(tmp_path, answers_csv=answers)
    second = listed(made, [enrol(sex="9", consent="1998-06-02")], SECOND, kept(made, first, tmp_path))
    assert places(second, "value", "status", "answer") == [("9", "answered", "It is so")]
    third = listed(made, [enrol(sex="8")], THIRD, kept(made, second, tmp_path))
    assert places(third, "value", "status", "answer") == [("8", "new", ""), ("9", "resolved", "It is so")]


def test_what_was_not_judged_is_not_resolved(tmp_path: Path) -> None:
    made, data = study(tmp_path), records(enrol(sex="1"))
    found = query_listing(made, records(enrol(sex="9")))
    withheld = found.assign(rule="tabulation.withheld")
    withheld["query_id"] = [_id_of(made, row) for row in withheld.to_dict("records")]
    before = kept(made, followed(made, data, withheld, FIRST), tmp_path)
    nothing = query_listing(made, data)
    assert followed(made, data, nothing, SECOND, before, tabulated=False)["status"].tolist() == ["open"]
    assert followed(made, data, nothing, SECOND, before, tabulated=True)["status"].tolist() == ["resolved"]


def _id_of(made: Study, row: dict[str, str]) -> str:
    from validation.queries.identity import ASKED, query_id

    return query_id(made.studyid, [row[name] for name in ASKED])


VALUES = some.sampled_from(["1", "2", "9", "=1+1", "'=1", "\n=2", "a\rb", "7,5", '"', "-99"])
DATA = some.dictionaries(some.sampled_from(["1", "2", "10"]), VALUES, max_size=3)


@settings(max_examples=12, deadline=None)
@given(some.lists(DATA, min_size=2, max_size=4), some.lists(some.integers(0, 40), min_size=4, max_size=4))
def test_no_query_is_lost_or_doubled_over_any_runs(runs: list[dict[str, str]], steps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _follow(Path(folder), runs, steps)


def _follow(folder: Path, runs: list[dict[str, str]], steps: list[int]) -> None:
    made, day = study(folder), date(2001, 1, 1)
    previous: pd.DataFrame | None = None
    seen: set[str] = set()
    for values, step in zip(runs, steps, strict=False):
        day += timedelta(step)
        rows = [enrol("99"), *(enrol(name, sex=value) for name, value in values.items())]
        found = set(query_listing(made, records(*rows))["query_id"])
        now = listed(made, rows, day.isoformat(), previous)
        assert now["query_id"].is_unique
        assert set(now["query_id"]) == seen | found
        assert set(now.loc[now["status"] != "resolved", "query_id"]) == found
        if previous is not None:
            fresh = now.loc[now["status"] == "new", "query_id"]
            assert set(fresh) == found - set(previous["query_id"])
        seen |= found
        before, previous = now, kept(made, now, folder)
        assert previous["age_days"].tolist() == before["age_days"].tolist()
        assert previous["problem"].tolist() == before["problem"].tolist()
        again = listed(made, rows, day.isoformat(), previous)
        write_csv(again, folder / "again.csv")
        assert (folder / "again.csv").read_bytes() == (folder / "queries.csv").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("query_id", "id", "the column 'query_id' is missing"),
        ('0,""', '0,"2001-11-01"', "first_seen and, of a resolved query, resolved_on are days"),
        ('"2001-10-01"', '"1.10.2001"', "first_seen and, of a resolved query, resolved_on are days"),
        ('"open"', '"closed"', "the status is none of new, open, answered, resolved"),
        ('"sex","9"', '"sex","8"', "does not follow from what the row asks in SMALL"),
        ('0,""', '0,"",1,2\n3', "is not a listing of queries"),
    ],
)
def test_a_listing_that_no_run_wrote_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    made = study(tmp_path)
    write_csv(listed(made, [enrol(sex="9")], FIRST), tmp_path / "queries.csv")
    text = (tmp_path / "queries.csv").read_text("utf-8")
    changed = text.replace(old, new)
    assert changed != text
    (tmp_path / "queries.csv").write_text(changed, "utf-8")
    with pytest.raises(StudyError, match=words):
        read_previous(made, tmp_path / "queries.csv")


def test_a_later_listing_and_one_of_other_sites_are_refused(tmp_path: Path) -> None:
    made = study(tmp_path)
    later = listed(made, [enrol(sex="9"), enrol("2", sex="9", redcap_data_access_group="south")], SECOND)
    with pytest.raises(StudyError, match="is of 2001-10-09 or later, the records are of 2001-10-01"):
        listed(made, [enrol()], FIRST, later)
    made.group = "north"
    with pytest.raises(StudyError, match="has queries to 'south', but the records are those of north alone"):
        listed(made, [enrol()], THIRD, later)
    own = later[later["site"] == "North & South"]
    assert listed(made, [enrol()], THIRD, own)["status"].tolist() == ["resolved"]


def test_a_previous_listing_is_a_file_or_lies_in_a_run(tmp_path: Path) -> None:
    (tmp_path / "package" / "validation").mkdir(parents=True)
    file = tmp_path / "package" / "validation" / "queries.csv"
    file.write_text("", "utf-8")
    assert previous_path(tmp_path / "package") == previous_path(file) == file
    with pytest.raises(UsageError, match="there is no listing"):
        previous_path(tmp_path)


def test_ages_are_counted_in_classes() -> None:
    ages = pd.Series([0, 7, 8, 30, 31, 90, 91, 4000])
    assert age_class(ages).tolist() == [
        "up to 7 days", "up to 7 days", "8 to 30 days", "8 to 30 days",
        "31 to 90 days", "31 to 90 days", "over 90 days", "over 90 days",
    ]  # fmt: skip


def test_each_site_has_its_own_files_which_their_owner_alone_can_read(tmp_path: Path) -> None:
    made = study(tmp_path)
    data = records(enrol(sex="9"), enrol("2", sex="8", redcap_data_access_group=""), exam("later", count="x"))
    listing = followed(made, data, query_listing(made, data), FIRST)
    out = tmp_path / "out"
    write_files(made, data.project, listing, out, FIRST)
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    sites = [f"{BY_SITE}/{name}" for name in ("north-south", "no-data-access-group")]
    assert names == {f"{name}.{kind}" for name in ("queries", *sites) for kind in ("csv", "xlsx", "html")}
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o600}
    assert (out / BY_SITE).stat().st_mode & 0o777 == 0o700
    parts = [pd.read_csv(out / f"{name}.csv", dtype="str", keep_default_na=False) for name in sites]
    whole = pd.read_csv(out / "queries.csv", dtype="str", keep_default_na=False)
    assert sorted(pd.concat(parts)["query_id"]) == sorted(whole["query_id"])
    assert [set(part["site"]) for part in parts] == [{"North & South"}, {"No data access group"}]
    assert "sex" in (out / f"{sites[1]}.html").read_text("utf-8")
    assert "Examination" not in (out / f"{sites[1]}.html").read_text("utf-8")
    assert list(whole.columns) == list(LISTED)
    write_files(made, data.project, listing[listing["site"] == "North & South"], out, FIRST)
    assert not (out / BY_SITE).exists()


def test_a_field_that_holds_the_site_tells_the_sites_apart(tmp_path: Path) -> None:
    study(tmp_path)
    config = tmp_path / "study.yaml"
    config.write_text(f"{config.read_text('utf-8')}identity: {{subject: id, site: drug}}\n", encoding="utf-8")
    data = records(
        enrol(sex="9"), enrol("2", sex="8"), enrol("3", sex="7", redcap_data_access_group=""), log(record="2", drug="2")
    )
    made = Study(tmp_path)
    listing = followed(made, data, query_listing(made, data), FIRST)
    sexes = listing[listing["field"] == "sex"]
    assert dict(zip(sexes["record"], sexes["site"], strict=True)) == {"1": "North & South", "2": "B", "3": "No site"}


def test_names_of_sites_become_names_of_files() -> None:
    assert file_names(["../a", "A", "València", "…", "大阪"]) == ["a", "a-2", "valencia", "site", "site-2"]
