"""The toxicity tables that come with the software, as a page (docs/toxicity.md)."""

from __future__ import annotations

import csv

from metadata.standards import FOLDER
from metadata.toxicity import ToxicityItem
from metadata.toxicity_table import read_scheme, schemes

HEAD = """# Toxicity tables

Made from the tables by `python -m adam.build.toxicity_page > docs/toxicity.md`.

`grade` in `adam/*.yaml` and `toxicity` in `sdtm/*.yaml` name a table and, for each parameter, its item:
`{table: ctcae-v5-si, name: CTCAE v5, items: {HGB: Anemia}}`. A table is one of these, or a CSV file of the study with
the same columns. The unit of a result is held against the item's: another one needs a factor, or the study is refused.

* The highest grade counts. Within the reference limits it is 0, but where a multiple of the baseline is graded.
* An item that tells baselines apart takes as abnormal one that is HIGH. One that tells fasting apart needs `fasting`.
* What a text asks for beyond a value (symptoms, an intervention, consequences) no number can judge: the grade is that
  of the value alone, the whole text is in define.xml as the meaning of the grade, and the last column says what was
  left out. Where a grade consists of nothing else, no value has it.
* Items that have texts only (hyperglycemia and hypophosphatemia in CTCAE v5) are refused with their text.
* Ages (DAIDS) are completed days (d), months (mo) or years (y) on the day of the result, from the date of birth that
  `birth` names: `>5 y` is from the sixth birthday on. Without a date of birth such an item gives no grade.
* Half-open intervals: `125-129` of whole numbers is 125 and more, below 130.

| where a table does less than its text | why |
|---|---|
| Fibrinogen in v5 and v6: "if abnormal, ... decrease from baseline" | which value is abnormal is not said |
| Creatinine in v6: "if baseline is below LLN" | a baseline below the limit is not told apart from a normal one |
| ALT, AST in v6, grade 3: "baseline ... up to 5 x ULN" | the baseline's own limit is not looked at |
| INR in v5 and v6: "if on anticoagulation" | who is on it is not known here |
| Lipase, amylase in v5 and v6: with or without symptoms | graded as without |
| Creatinine clearance in v6 below 10 mL/min | no grade of the text has it |
| DAIDS, direct bilirubin above 28 days of age | each of its grades needs signs of hepatotoxicity: no value has one |
| DAIDS, acidosis, alkalosis, lactate | grade 4, and of lactate 3, ask for consequences or a pH: the grade before |
| DAIDS, CD4 and lymphocytes up to 5 years of age, LDL up to 2, total bilirubin up to 28 days | it has no criteria |
| DAIDS, neutrophils on the first day, grade 4 | the text of one edition has 1550, the others 1500: 1500 |
"""
TITLES = {
    "ctcae-v4-03": "CTCAE v4.03",
    "ctcae-v5": "CTCAE v5.0",
    "ctcae-v6": "CTCAE v6.0",
    "daids-v2-1": "DAIDS v2.1",
    "lymphocyte-schemes": "Lymphocytes",
    "who-1979-lab-grades": "WHO 1979",
}


def page() -> str:
    """Return the page in Markdown."""
    parts = [HEAD]
    for start, title in TITLES.items():
        names = [name for name in schemes() if name.startswith(start)]
        parts += [f"## {title}\n\n{' and '.join(f'`{name}`' for name in names)}\n\n{_table(names)}\n"]
    return "\n".join(parts)


def _table(names: list[str]) -> str:
    units = "; ".join(name.rpartition("-")[2].upper() for name in names) if len(names) > 1 else ""
    heads = ["item", f"unit{f' ({units})' if units else ''}", "1", "2", "3", "4", "no number can judge"]
    rows = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines = {name: _lines(name) for name in names}
    for item in read_scheme(names[0]):
        known = read_scheme(names[0])[item]
        rows.append("| " + " | ".join([item, *_cells([lines[name][item] for name in names]), _clinical(known)]) + " |")
    return "\n".join(rows)


def _lines(name: str) -> dict[str, list[dict[str, str]]]:
    """Return the lines of a table by item."""
    found: dict[str, list[dict[str, str]]] = {}
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["item"], []).append(row)
    return found


def _cells(tables: list[list[dict[str, str]]]) -> list[str]:
    """Return unit and bands of an item, of each table, and of each of its circumstances."""
    units = list(dict.fromkeys(rows[0]["unit"] for rows in tables))
    cells = ["; ".join(units)]
    for grade in (1, 2, 3, 4):
        said = []
        for rows in tables:
            each = [(_case(row), row[f"grade_{grade}"]) for row in rows]
            said.append(", ".join(f"{case}{band}" for case, band in each if band))
        cells.append("; ".join(dict.fromkeys(filter(None, said))).replace("<", "&lt;"))
    return cells


def _case(row: dict[str, str]) -> str:
    words = [{"Y": "fasting", "N": "not fasting"}.get(row["fasting"], ""), row["sex"], row["baseline"],
             row.get("age", "")]  # fmt: skip
    said = " ".join(filter(None, words))
    return f"{said}: " if said else ""


def _clinical(item: ToxicityItem) -> str:
    return "; ".join(f"{grade}: {text}" for grade, text in item.clinical().items())


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
