"""Collected dates: what ISO 8601 and SDTM allow stays as it was collected, everything else is null and listed."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import StudyError


def with_field(small: Any, name: str, validation: str) -> None:
    """Add a field to the form of events."""
    path = small.folder / "redcap" / "dictionary.csv"
    path.write_text(path.read_text(encoding="utf-8") + f"{name},event,text,{name},,{validation}\n", encoding="utf-8")


def starts(small: Any, declared: str, *rows: dict[str, str], leaves: str = "from_y, from_m, from_d") -> list[str]:
    """Return AESTDTC of events, made as declared."""
    path = small.folder / "sdtm" / "ae.yaml"
    path.write_text(path.read_text().replace("{date: [from_y, from_m, from_d]}", declared), encoding="utf-8")
    unused = "".join(f"  {name}: R\n" for name in leaves.split(", ") if name)
    small.write("not_submitted", f"status: S\nfields:\n  rec: R\n{unused}")
    small.subject()
    for number, row in enumerate(rows, start=1):
        small.row("1", "log", "event", str(number), told=f"T{number:02}", **row)
    return small.frame("AE").sort_values("AETERM")["AESTDTC"].tolist()


def test_a_date_without_time_in_a_field_of_both_stays_a_partial_date(small: Any) -> None:
    with_field(small, "moment", "datetime_ymd")
    collected = ["2000-03-11 10:30", "2000-03-11", "2000-03", "2000-03-11 10", "2000-03-11 25:61", "2000-02-30 10:30"]
    wanted = ["2000-03-11T10:30", "2000-03-11", "2000-03", "2000-03-11T10", "", ""]
    assert starts(small, "{date: moment}", *({"moment": text} for text in collected)) == wanted
    withheld = small.tabulate().withheld
    assert withheld["source_row"].tolist() == [6, 7]
    assert set(withheld["reason"]) == {"it is not a date of the calendar; AESTDTC is null"}


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        (("2000", "4", "7"), "2000-04-07"),
        (("2000", "4", ""), "2000-04"),
        (("2000", "UNK", "7"), "2000---07"),
        (("24", "4", "7"), ""),
        (("0024", "4", "7"), ""),
        (("2000", "0", "7"), ""),
        (("2000", "13", ""), ""),
        (("2000", "4", "00"), ""),
        (("2000", "4", "31"), ""),
        (("2000", "4", "32"), ""),
        (("\uff12\uff10\uff10\uff10", "4", "7"), ""),
        (("2000.0", "4", "7"), ""),
    ],
)
def test_a_part_that_is_no_year_month_or_day_is_asked_about(
    small: Any, parts: tuple[str, str, str], wanted: str
) -> None:
    row = dict(zip(("from_y", "from_m", "from_d"), parts, strict=True))
    assert starts(small, "{date: [from_y, from_m, from_d]}", row, leaves="") == [wanted]
    listed = set(small.tabulate().withheld["field"])
    assert listed == (set() if wanted else {name for name, text in row.items() if text})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("05-03-2019", "2019-03-05"),
        ("UN-03-2019", "2019-03"),
        ("00-03-2019", ""),
        ("05-00-2019", ""),
        ("05-03-19", ""),
        ("UN UNK 2019", ""),
        ("2019-13-18", ""),
    ],
)
def test_a_text_that_is_no_date_is_asked_about(small: Any, text: str, wanted: str) -> None:
    path = small.folder / "study.yaml"
    path.write_text(path.read_text() + "text_dates:\n  - {fields: [when], order: dmy, unknown: [UN]}\n")
    with_field(small, "when", "")
    assert starts(small, "{date: when}", {"when": text}) == [wanted]
    assert small.tabulate().withheld["field"].tolist() == ([] if wanted else ["when"])


def test_a_text_is_a_date_only_if_iso_8601_has_it(small: Any) -> None:
    with_field(small, "when", "")
    good = ["2019-02-03T10:30:15,5", "2019-02-03T10:30Z", "2019-02-03T10:30:00+02:00", "2019---18", "-----T07:15"]
    bad = ["2019-02-03T25:61", "2019-13-18", "UN UNK 2019", "2019-02-03T24:00", "24"]
    assert starts(small, "{field: when}", *({"when": text} for text in [*good, *bad])) == [*good, "", "", "", "", ""]
    assert small.tabulate().withheld["source_row"].tolist() == [7, 8, 9, 10, 11]


def test_minutes_and_seconds_are_no_time_of_day(small: Any) -> None:
    with_field(small, "run", "time_mm_ss")
    with pytest.raises(StudyError, match="holds minutes and seconds"):
        starts(small, "{date: [from_y, from_m, from_d], time: run}", {}, leaves="")
