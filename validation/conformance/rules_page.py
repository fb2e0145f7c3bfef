"""The reference of all conformance rules, made from the rules themselves (docs/rules.md)."""

from __future__ import annotations

from validation.conformance.check import RULES
from validation.conformance.rule import NEEDED, ConformanceRule

HEAD = """# Conformance rules

Made from the rules themselves by `python -m validation.conformance.rules_page > docs/rules.md`.

`redcap-cdisc conformance DIR` judges the datasets that lie in a folder by them, a build its own datasets. An **error**
ends with exit code 1 unless the study explains it; a **warning** is legal in some trials and wants a look; a **note**
says what a reviewer may want to know. *Covers* names the published rules that ours covers, where it does: `CG` the
CDISC conformance rules 2.0, `FB` the FDA business rules, `SD` the FDA validator rules, four digits the technical
rejection criteria. A rule that *needs* something which is not there is not judged, and listed as such. Where the
datasets do not name the version of the guide or the terminology, rules that depend on it only warn.
"""
TITLES = {"sdtm": "SDTM", "adam": "ADaM, and its agreement with SDTM", "package": "Files, define.xml and manifest"}


def page() -> str:
    """Return the page in Markdown: a table of the rules of each standard."""
    parts = [HEAD]
    for standard, title in TITLES.items():
        lines = [_line(one) for _, one in sorted(RULES.items()) if one.standard == standard]
        head = ["| rule | severity | what must hold | source | covers |", "|---|---|---|---|---|"]
        parts.append("\n".join([f"## {title}", "", *head, *lines]) + "\n")
    return "\n".join(parts)


def _line(rule: ConformanceRule) -> str:
    needs = "".join(f" Needs {NEEDED[need]}." for need in rule.needs if need != "sdtm")
    severity = f"{rule.severity}, by {rule.version}" if rule.version else rule.severity
    sentence = (rule.sentence + needs).replace("|", "\\|")
    return f"| `{rule.id}` | {severity} | {sentence} | {rule.source} | {rule.covers} |"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
