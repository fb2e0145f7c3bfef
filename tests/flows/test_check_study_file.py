"""A study.yaml with a wrong value under any of its keys: check says which, and that the other files wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from flows.check import WAITING, problems_of
from metadata.declaration import has_notation, parameters
from metadata.study import CONFIG, Study
from metadata.study_declaration import StudyFile

EVERY_KEY = """
study: {id: TRIAL, title: A trial, short_title: Trial, protocol: P1, synthetic: true, synthetic_notice: Invented,
        publication: None yet, country: ESP, analysis_plan: sap.md, facts: {dose: 5 mg}}
standards: {sdtmig: "3.3", sdtm_ct: "2019-09-27", sdtm: "1.7", adamig: "1.3", occds: "1.1", adam_ct: "2026-03-27",
            define: "2.1"}
cutoff: 2020-12-31
redcap: {base_url: https://redcap.example, version: 14.0.0, url_variable: URL, token_variable: TOKEN,
         token_block: block, answers: answers.csv, answers_key_variable: KEY,
         answer_seconds: 10, attempts: 3, full_load_days: 3}
visits:
  - {visit: BASELINE, event: [base_arm_1], visitnum: 1, day: 1, window: [0, 3], predose: true, unscheduled: false,
     forms: [visit], rule: First visit, ends: Last form}
identity: {subject: subjid, site: site, earlier: before, once: [DM], usubjid: "{studyid}-{subject}"}
terminology: {sdtm_ct: terms.csv}
arms: [{armcd: A, arm: Active}]
elements:
  - {etcd: TRT, element: Treatment, epoch: TREATMENT, rule: First dose, ends: Last dose, duration: P12W, arm: A,
     branch: To A, transition: None, after: 1, unless: {has: EX.EXENDTC, where: {EXTRT: A}},
     start: {earliest: EX.EXSTDTC, where: {EXTRT: A}}}
  - {etcd: END, element: After it, epoch: FOLLOW-UP, start: {latest: [EX.EXENDTC]}}
dosing: [{treatment: A, doses: [5], unit: mg, frequency: QD, form: TABLET, route: ORAL, arm: A, element: TRT}]
text_dates: [{fields: [began], order: dmy, unknown: [UN]}]
sources:
  central: {file: sources/central.xlsx, label: Laboratory, sheet: Results, subject: Patient, subject_field: subjid,
            visit: {column: Visit, events: {V1: base_arm_1}}, event: base_arm_1, key: [Accession], ignored: {Kit: Kits},
            fields: {cen_acc: {column: Accession, label: Number, kind: text, identifier: true, choices: {A: Apples}}}}
encoding: utf-8
largest_file: 1000
dataset_json: [ndjson]
study_page: summaries
cut: {subjects: {earliest: DM.RFICDTC, where: {RFICDTC: {missing: false}}}, by_date: [AE], by_subject: [MH],
      ongoing: {AE: {AEOUT: UNKNOWN}}}
blinding: {list: central, dummy: sources/dummy.csv}
"""
RECEIVED = """
study: {id: TRIAL, title: A trial}
standards: {sdtmig: "3.3", sdtm_ct: "2019-09-27", adamig: "1.3", occds: "1.1", adam_ct: "2026-03-27"}
cutoff: 2020-12-31
input: {sdtm: datasets}
"""
"""A study that begins with datasets: `input` has no place beside the keys of records."""
WRONG = ([[1]], {"wrong": [[1]]}, None)
"""A list of lists, a mapping to one, and nothing: no key of study.yaml takes one of them."""


def paths(node: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each key of a document."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(node, dict):
            yield (*before, key)
        yield from paths(value, (*before, key))


def declared_keys(kind: Any) -> set[str]:
    """Return the keys that a declaration and those within it name."""
    if isinstance(kind, type) and is_dataclass(kind) and not has_notation(kind):
        inner = parameters(kind)  # type: ignore[arg-type]
        return set(inner) | {key for part in inner.values() for key in declared_keys(part)}
    return {key for part in get_args(kind) for key in declared_keys(part)}


def problems(folder: Path, document: Any) -> list[tuple[str, str, str]]:
    (folder / CONFIG).write_text(yaml.safe_dump(document), encoding="utf-8")
    return [(problem.severity, problem.key, problem.message) for problem in problems_of(str(folder))]


def test_the_example_has_every_key() -> None:
    named = {key for text in (EVERY_KEY, RECEIVED) for path in paths(yaml.safe_load(text)) for key in path}
    assert declared_keys(StudyFile) <= named


@pytest.mark.parametrize("text", [EVERY_KEY, RECEIVED])
def test_the_example_is_right(tmp_path: Path, text: str) -> None:
    (tmp_path / CONFIG).write_text(text, encoding="utf-8")
    assert Study.open(tmp_path).studyid == "TRIAL"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param(text, path, id=".".join(map(str, path)))
        for text, found in ((EVERY_KEY, paths(yaml.safe_load(EVERY_KEY))), (RECEIVED, [("input",), ("input", "sdtm")]))
        for path in found
    ],
)
def test_a_value_of_a_wrong_type_is_said_and_nothing_else_breaks(
    tmp_path: Path, text: str, path: tuple[Any, ...]
) -> None:
    for wrong in WRONG:
        document = yaml.safe_load(text)
        node = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = wrong
        found = problems(tmp_path, document)
        errors = [(key, message) for severity, key, message in found if severity == "error"]
        assert errors and {key for key, _ in errors} <= {*map(str, path), "wrong", ""}, (wrong, found)
        assert any(key for key, _ in errors)
        assert [message for severity, _, message in found if severity == "warning"] == [WAITING]
