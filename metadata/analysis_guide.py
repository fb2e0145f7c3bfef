"""The variables that the ADaM guides give a structure, found by the names that datasets give them.

A guide names families of variables by tokens: TRTxxP is TRT01P, TRT02P; ANLzzFL, CRITyFL and PHwSDT likewise (ADaMIG
1.3, section 3.1.1). ``--`` stands for the prefix of an SDTM domain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from metadata.standards import GuideVariable, adam_variables

TOKENS = {"xx": r"\d\d", "zz": r"\d\d", "y": r"\d{1,2}", "w": r"\d"}
TOKEN = re.compile("|".join(TOKENS))


class Guide:
    """The variables that a guide has for a structure; ``prefix`` stands for the -- of general names."""

    def __init__(self, variables: tuple[GuideVariable, ...], prefix: str) -> None:
        named = [(v, v.name.replace("--", prefix)) for v in variables if not v.name.startswith("*")]
        self.exact = {name: variable for variable, name in named if not TOKEN.search(name)}
        self.patterns = [(_pattern(name), variable) for variable, name in named if TOKEN.search(name)]
        self._instances: dict[str, tuple[GuideVariable, dict[str, str]] | None] = {}

    def find(self, name: str) -> GuideVariable | None:
        """Return the guide's variable of which ``name`` is an instance, its label made definite."""
        instance = self._instance(name)
        return _named(instance[0], name, instance[1]) if instance else None

    def _instance(self, name: str) -> tuple[GuideVariable, dict[str, str]] | None:
        """Return the guide's variable and what stands for its tokens in ``name``; looked for once a name."""
        if name in self.exact:
            return self.exact[name], {}
        if name not in self._instances:
            found = ((pattern.fullmatch(name), variable) for pattern, variable in self.patterns)
            self._instances[name] = next(((variable, match.groupdict()) for match, variable in found if match), None)
        return self._instances[name]

    def label_of(self, name: str) -> tuple[str, bool] | None:
        """Return the label that a variable has, or begins with, and whether more may follow; None if it is unknown.

        Text may follow the label of a variable whose name has an index y or zz, and stands for an ellipsis (ADaMIG 1.3,
        section 3).
        """
        instance = self._instance(name)
        if instance is None:
            return None
        variable, tokens = instance
        indexed = not {"y", "zz"}.isdisjoint(tokens)
        begin, dots, _ = variable.label.partition("...")
        return _label(begin, tokens).strip(), indexed or bool(dots)

    def missing(self, names: list[str]) -> list[str]:
        """Return the Required variables of the guide that are not among ``names``."""
        exact = [name for name, variable in self.exact.items() if variable.core == "Req" and name not in names]
        required = [(pattern, variable.name) for pattern, variable in self.patterns if variable.core == "Req"]
        return exact + [name for pattern, name in required if not any(map(pattern.fullmatch, names))]


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(TOKEN.sub(lambda found: f"(?P<{found[0]}>{TOKENS[found[0]]})", name))


def _named(variable: GuideVariable, name: str, tokens: dict[str, str]) -> GuideVariable | None:
    """Return the guide's variable as ``name``; None if its label is only a pattern for labels."""
    if re.search(r"[{}]|\.\.\.|\bXX\b", variable.label):
        return None
    return replace(variable, label=_label(variable.label, tokens), name=name)


def _label(label: str, tokens: dict[str, str]) -> str:
    return re.sub(r"\b(xx|zz|y|w)\b", lambda found: tokens.get(found[1], found[1]), label).rstrip("*")


@cache
def guide(table: str, structure: str, prefix: str) -> Guide:
    """Return one structure of one shipped table of variables."""
    return Guide(adam_variables(table, structure), prefix)
