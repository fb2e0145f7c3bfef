"""The programs of a package as ASCII text: how each analysis dataset is derived, and what makes each output.

The engine computes what a study declares, so the programs are the declarations: of each dataset the sentences that
define.xml has, then the declaration itself; the outputs; and the SQL by which key endpoints are derived a second time.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from metadata.dataset import Dataset, Value, Variable
from metadata.study import Study
from publish.disk import outside, write_bytes
from publish.manifest import DISTRIBUTION, software_version

WIDTH = 100
RULE = "-" * WIDTH
OUTPUTS, SECOND = "reports.yaml", "verify"


def write(study: Study, datasets: Mapping[str, Dataset], folder: Path) -> list[Path]:
    """Write the programs into ``folder`` and return them; raises OutsideError.

    Names are in lower case with hyphens, as the parts of a submission's paths are. A character that is not ASCII is
    written as YAML writes it between quotes: a backslash, u and four hexadecimal digits.
    """
    made = {f"{dataset.name.lower()}.txt": _dataset(study, dataset) for dataset in datasets.values()}
    if study.path(OUTPUTS).is_file():
        made["outputs.txt"] = _head(study, "Tables, figures and listings") + _source(study, OUTPUTS)
    for path in sorted(study.path(SECOND).glob("*")):
        if path.suffix in (".sql", ".yaml"):
            name = f"{SECOND}/{path.name}"
            stem = path.stem.lower().replace("_", "-") if path.suffix == ".sql" else "declaration"
            made[f"second-derivation-{stem}.txt"] = _head(study, "Second derivation") + _source(study, name)
    with outside(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        write_bytes(folder / name, ascii_text(text))
    return [folder / name for name in made]


def ascii_text(text: str) -> bytes:
    """Return a text in ASCII: what is not is escaped, so that no character is lost."""
    return text.replace("\r\n", "\n").encode("ascii", "backslashreplace")


def _head(study: Study, title: str) -> str:
    notice = f"\n{study.notice}." if study.notice else ""
    return (
        f"{study.studyid}: {title}{notice}\nMade by {DISTRIBUTION} {software_version()} from what the study declares.\n"
    )


def _source(study: Study, name: str) -> str:
    """Return one of the study's files under its name."""
    path = study.path(name)
    with outside(f"read {path}"):
        return f"\n{RULE}\n{name}\n{RULE}\n\n{path.read_text('utf-8')}"


def _dataset(study: Study, dataset: Dataset) -> str:
    metadata = dataset.metadata
    lines = [_head(study, f"{dataset.name}, {metadata.label}"), f"Structure: {metadata.structure}"]
    lines += [f"Keys: {', '.join(metadata.keys)}", f"Records: {len(dataset.frame)}", "", RULE]
    lines += ["How each variable is derived", RULE, ""]
    for variable in metadata.variables:
        lines += _variable(variable, [value for value in metadata.values if value.variable == variable.name])
    text = "\n".join(lines)
    name = f"adam/{dataset.name.lower()}.yaml"
    return text + (_source(study, name) if study.path(name).is_file() else "")


def _variable(variable: Variable, values: list[Value]) -> Iterator[str]:
    yield f"{variable.name}  {variable.label}"
    yield from _sentence(variable.origin, variable.method, "  ")
    for value in values:
        yield "  " + " and ".join(f"{name} = {text}" for name, text in value.where)
        yield from _sentence(value.origin, value.method, "    ")
    yield ""


def _sentence(origin: str, method: str, indent: str) -> list[str]:
    sentence = ": ".join(part for part in (origin, method) if part)
    return textwrap.wrap(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent)
