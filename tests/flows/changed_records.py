"""Records of a bundled study with random edits, and an independent count of what became of each stored value.

``python -m tests.flows.changed_records FIRST END OUT`` writes one line of JSON for each seed below END.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import RedcapCdiscError
from metadata.records import EVENT, KEY_COLUMNS, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from metadata.study import BUNDLED, Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import StudyMapping, read_mapping
from sdtm.build.tabulate import Tabulation, tabulate
from sdtm.columns.text import transliterated
from validation.queries.listing import query_listing, with_withheld

STUDIES, WEIGHTS = ("hta_duo", "spms_aza"), (3, 1)
ARMS = {"hta_duo": ("brazo", "trat_rec"), "spms_aza": ("subjid",)}
MARK = "Marca 7319"
"""A text that no record has: where it is written it must be found again, or be asked about."""
STRANGE = (
    *("\uff11\uff12", "\u0663", " 5", "5 ", "5\u00a0", "\u20095", "1e3", "1,5", "<5", ">5", "\u22645", "5-10", "abc"),
    *("-1", "0", "007"),
)
MOMENTS = (
    *("2019-02-30", "2019", "2019-05", "31/12/2019", "9999-12-31", "1900-01-01", "2019-05-05 25:61", "05-2019"),
    *("UN-03-2019", "31-02-2019", ""),
)
EVERY = "*"
TOPICS = ("ORRES", "TERM", "TRT")
Frame = pd.DataFrame
Edit = Callable[[Frame, Random, Study], str]


@cache
def mapped(name: str) -> StudyMapping:
    """Return a study with its project and mapping."""
    study = Study.open(name)
    return read_mapping(study, study.project(), Terminology.open(study))


@cache
def entered(name: str) -> Frame:
    """Return a study's records as texts."""
    return pd.read_csv(BUNDLED / name / "redcap" / "records_locked.csv", dtype="str", keep_default_na=False)


def value_columns(frame: Frame, study: Study) -> list[str]:
    """Return the columns that hold values of fields, without record id, keys and status."""
    dictionary = study.project().dictionary
    return [name for name in frame.columns if name in dictionary.column_field and name != dictionary.record_id]


def filled(frame: Frame, random: Random, columns: list[str]) -> tuple[Any, str]:
    """Return row and column of a cell with a value, any of those columns being as likely as another."""
    for _ in range(200):
        column = random.choice(columns)
        rows = frame.index[frame[column] != ""]
        if len(rows):
            return random.choice(list(rows)), column
    raise ValueError("no value")


def put(frame: Frame, row: Any, column: str, value: str) -> str:
    before = frame.loc[row, column]
    frame.loc[row, column] = value
    return f"{column}[{row}] {before!r} -> {value[:30]!r}"


def strange_cell(frame: Frame, random: Random, study: Study) -> str:
    row, column = filled(frame, random, value_columns(frame, study))
    return put(frame, row, column, random.choice(STRANGE))


def strange_number(frame: Frame, random: Random, study: Study) -> str:
    fields = study.project().dictionary.fields
    row, column = filled(frame, random, [name for name, one in fields.items() if one.is_numeric and name in frame])
    return put(frame, row, column, random.choice(STRANGE))


def moment_changed(frame: Frame, random: Random, study: Study) -> str:
    dates = [name for name in value_columns(frame, study) if _is_dated(frame[name])]
    row, column = filled(frame, random, dates)
    before = str(frame.loc[row, column])
    shifted = [str(np.datetime64(before[:10]) + random.choice([-4000, -400, -1, 1, 30, 400]))] if _iso(before) else []
    return put(frame, row, column, random.choice([*MOMENTS, *(shifted * 6)]))


def _iso(text: str) -> bool:
    return len(text) >= 10 and text[4:5] == "-" and text[:4].isdigit() and text[5:7].isdigit() and text[8:10].isdigit()


def _is_dated(column: pd.Series) -> bool:
    values = [text for text in column.unique() if text]
    return bool(values) and sum(map(_iso, values)) * 2 > len(values)


def choice_changed(frame: Frame, random: Random, study: Study) -> str:
    """Another choice, or one that the field does not have: a unit, an arm, an answer."""
    fields = study.project().dictionary.fields
    row, column = filled(frame, random, [name for name, one in fields.items() if one.choices and name in frame])
    return put(frame, row, column, random.choice([*fields[column].choices, "99", "x", " 1", "1.0", "UNK", "ND"]))


def box_ticked(frame: Frame, random: Random, study: Study) -> str:
    row, column = filled(frame, random, [name for name in value_columns(frame, study) if "___" in name])
    return put(frame, row, column, random.choice(["1", "0", "2", "x", ""]))


def text_marked(frame: Frame, random: Random, study: Study) -> str:
    """Write a text that no record has into a field of free text."""
    fields = study.project().dictionary.fields
    free = [name for name, one in fields.items() if one.type in ("text", "notes") and not one.validation]
    row, column = filled(frame, random, [name for name in free if name in frame])
    return put(
        frame, row, column, random.choice([MARK, f" {MARK} ", f"{MARK}\n{MARK}", f"{MARK} " * 40, f"{MARK} \u6f22"])
    )


def cell_blanked(frame: Frame, random: Random, study: Study) -> str:
    row, column = filled(frame, random, value_columns(frame, study))
    return put(frame, row, column, "")


def cell_filled(frame: Frame, random: Random, study: Study) -> str:
    """Put a value of another row where there is none: often where its form is not filled."""
    row, column = filled(frame, random, value_columns(frame, study))
    empty = frame.index[frame[column] == ""]
    if not len(empty):
        return "nothing"
    return put(frame, random.choice(list(empty)), column, str(frame.loc[row, column]))


def cells_swapped(frame: Frame, random: Random, study: Study) -> str:
    column = random.choice(value_columns(frame, study))
    one, two = random.choice(list(frame.index)), random.choice(list(frame.index))
    first, second = frame.loc[one, column], frame.loc[two, column]
    return f"{put(frame, one, column, str(second))}; {put(frame, two, column, str(first))}"


def arms_swapped(frame: Frame, random: Random, study: Study) -> str:
    column = random.choice(ARMS[study.name])
    rows = list(frame.index[frame[column] != ""])
    one, two = random.sample(rows, 2)
    first, second = frame.loc[one, column], frame.loc[two, column]
    return f"{put(frame, one, column, str(second))}; {put(frame, two, column, str(first))}"


def key_changed(frame: Frame, random: Random, study: Study) -> str:
    """Blank or change the record, event, form, instance or group of a row."""
    keys = [study.project().dictionary.record_id, *(name for name in KEY_COLUMNS if name in frame)]
    column = random.choice(keys)
    row = random.choice(list(frame.index))
    other = str(frame.loc[random.choice(list(frame.index)), column])
    own = str(frame.loc[row, column])
    return put(frame, row, column, random.choice(["", other, other, f" {own}", f"{own}x", "1.0", "01", "0", "-1"]))


def row_dropped(frame: Frame, random: Random, study: Study) -> str:
    row = random.choice(list(frame.index))
    frame.attrs["dropped"] = {*frame.attrs.get("dropped", ()), row}
    return f"row {row} dropped"


def row_doubled(frame: Frame, random: Random, study: Study) -> str:
    """A row again, as it is or as another instance, record or event."""
    row = random.choice(list(frame.index))
    made = frame.loc[[row]].copy()
    column = random.choice(
        ["", REPEAT_INSTANCE, study.project().dictionary.record_id, *([EVENT] if EVENT in frame else [])]
    )
    if column:
        made[column] = random.choice(["77", "01", str(frame.loc[random.choice(list(frame.index)), column])])
    frame.loc[max(frame.index) + 1] = made.iloc[0]
    return f"row {row} again, {column or 'as it is'} {made[column].iloc[0] if column else ''}"


def visits_swapped(frame: Frame, random: Random, study: Study) -> str:
    column = EVENT if EVENT in frame else REPEAT_INSTRUMENT
    one, two = random.choice(list(frame.index)), random.choice(list(frame.index))
    first, second = frame.loc[one, column], frame.loc[two, column]
    return f"{put(frame, one, column, str(second))}; {put(frame, two, column, str(first))}"


EDITS: tuple[Edit, ...] = (
    *(strange_cell, strange_number, strange_number, moment_changed, moment_changed, choice_changed, choice_changed),
    *(box_ticked, text_marked, text_marked, cell_blanked, cell_filled, cell_filled, cells_swapped, arms_swapped),
    *(key_changed, key_changed, row_dropped, row_doubled, row_doubled, visits_swapped),
)


def edited(name: str, random: Random) -> tuple[Frame, str]:
    """Return a study's records after one to three edits, and what was done."""
    frame, study = entered(name).copy(), mapped(name).study
    done = [
        (edit := random.choice(EDITS)).__name__ + ": " + edit(frame, random, study) for _ in range(random.randint(1, 3))
    ]
    dropped = frame.index.isin(frame.attrs.pop("dropped", ()))
    return frame[~dropped].reset_index(drop=True), "; ".join(done)


def lost_or_doubled(name: str, frame: Frame) -> list[str]:
    """Return a sentence for each value that is nowhere, and for each that is in two records of a dataset.

    Raises RedcapCdiscError where the records are refused.
    """
    study, records = mapped(name).study, records_of(name, frame)
    made = tabulate(mapped(name), records)
    queries = with_withheld(study, records, query_listing(study, records), made.withheld)
    doubled = [f"{key} is in {count} records" for key, count in _doubled(made).items() if key[:2] not in shared(name)]
    return [*_lost(study, frame, made, queries), *doubled, *_unmarked(study, frame, made, queries)]


@cache
def shared(name: str) -> frozenset[tuple[str, str]]:
    """Return dataset and field of values that rightly are in several records: those of the records as entered."""
    return frozenset(key[:2] for key in _doubled(tabulate(mapped(name), records_of(name, entered(name)))))


def records_of(name: str, frame: Frame) -> Records:
    return Records.from_frame(mapped(name).project, frame)


def _lost(study: Study, frame: Frame, made: Tabulation, queries: Frame) -> list[str]:
    dictionary = study.project().dictionary
    used: set[tuple[int, str]] = set()
    for dataset in made.datasets.values():
        edges = dataset.lineage[dataset.lineage["source"] == "REDCAP"]
        used |= set(zip(edges["source_row"], edges["source_variable"].astype(str), strict=True))
    waived = {
        (form, field, record)
        for form, field, record in made.not_submitted[["form", "field", "record"]].itertuples(index=False)
    }
    asked = _asked(queries)
    found = []
    for column in value_columns(frame, study):
        field = dictionary.fields[dictionary.column_field[column]]
        for row in np.flatnonzero(frame[column] != ""):
            cell, record = str(frame[column][row]), str(frame[dictionary.record_id][row])
            if field.type == "checkbox" and cell == "0":
                continue
            if (row, column) in used or (row, field.name) in used:
                continue
            if any((field.form, name, who) in waived for name in (field.name, column, "*") for who in ("", record)):
                continue
            place = _place(frame, row, record)
            if (*place, field.name) not in asked and (*place, EVERY) not in asked:
                found.append(f"{column} of row {row} ({cell[:20]!r}) is nowhere")
    return found


def _place(frame: Frame, row: int, record: str) -> tuple[str, str, str]:
    return (record, str(frame[EVENT][row]) if EVENT in frame else "", str(frame[REPEAT_INSTANCE][row]))


def _asked(queries: Frame) -> set[tuple[str, str, str, str]]:
    """Return record, event, instance and field of open queries; a row that is there twice is asked about as a whole."""
    still = queries[queries["status"] == "open"].astype(str)
    still = still.assign(field=still["field"].where(still["rule"] != "record.twice", EVERY))
    return set(still[["record", "event", "instance", "field"]].itertuples(index=False, name=None))


def _doubled(made: Tabulation) -> dict[tuple[str, str, int], int]:
    """Return dataset, field and row of values that are the topic or the result of several records, and of how many."""
    found = {}
    for name, dataset in made.datasets.items():
        edges = dataset.lineage[dataset.lineage["source"] == "REDCAP"]
        topic = edges[edges["variable"].astype(str).isin([f"{name}{suffix}" for suffix in TOPICS])]
        rows = topic.groupby(["source_variable", "source_row"], observed=True)["row"].nunique()
        found |= {(name, str(field), int(row)): int(count) for (field, row), count in rows[rows > 1].items()}
    return found


def _unmarked(study: Study, frame: Frame, made: Tabulation, queries: Frame) -> list[str]:
    """Find marked texts that a dataset is said to hold and that are in none."""
    dictionary, asked, found = study.project().dictionary, _asked(queries), []
    texts = [text for dataset in made.datasets.values() for name in dataset.frame.columns
             if dataset.frame[name].dtype.kind != "f" for text in dataset.frame[name].astype(str).unique()]  # fmt: skip
    held = any(MARK in text for text in texts)
    waived = set(made.not_submitted[["form", "field"]].itertuples(index=False, name=None))
    for column in value_columns(frame, study):
        field = dictionary.fields[dictionary.column_field[column]]
        for row in np.flatnonzero(frame[column].str.contains(MARK, regex=False)):
            place = _place(frame, row, str(frame[dictionary.record_id][row]))
            known = held or (*place, field.name) in asked
            if not known and not {(field.form, field.name), (field.form, "*")} & waived:
                found.append(f"the marked text of {column} of row {row} is in no dataset")
    assert transliterated(MARK)[0] == MARK
    return found


def tried(seed: int) -> dict[str, object]:
    """Return what one seed gave: the edits, what was refused, and what is wrong."""
    random, start = Random(seed), time.monotonic()
    name = random.choices(STUDIES, WEIGHTS)[0]
    frame, done = edited(name, random)
    answer: dict[str, object] = {"seed": seed, "study": name, "edits": done, "refused": "", "wrong": []}
    try:
        answer["wrong"] = lost_or_doubled(name, frame)
    except RedcapCdiscError as error:
        answer["refused"] = str(error)
    except Exception:
        answer["wrong"] = [traceback.format_exc(limit=-4)]
    return {**answer, "seconds": round(time.monotonic() - start, 1)}


def main() -> None:
    first, end, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with out.open("a", encoding="utf-8") as file:
        for seed in range(first, end):
            file.write(json.dumps(tried(seed), ensure_ascii=False, default=str) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
