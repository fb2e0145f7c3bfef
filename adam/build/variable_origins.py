"""How a variable came about: its origin, its source where it is a copy, and else its method."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from adam.build.parameter_values import may_hold
from adam.build.specification import DerivationStep
from adam.language.derivation import Derivation, DerivationContext

PREDECESSOR, DERIVED = "Predecessor", "Derived"


@dataclass(frozen=True)
class VariableOrigins:
    """The derivations that made or changed each variable, in order, and the variables that the dataset keeps."""

    makers: Mapping[str, list[Derivation]]
    kept: Collection[str]
    context: DerivationContext

    @classmethod
    def of(cls, steps: Sequence[DerivationStep], kept: Collection[str], context: DerivationContext) -> VariableOrigins:
        """Return the origins of what some steps make."""
        makers: dict[str, list[Derivation]] = {}
        for step in steps:
            for name in dict.fromkeys([*step.derivation.makes, *step.derivation.changes()]):
                makers.setdefault(name, []).append(step.derivation)
        return cls(makers, kept, context)

    def origin(self, name: str, own: Sequence[Derivation]) -> str:
        """Return the origin of a variable that ``own`` derivations made; what several made is derived."""
        found = own[0].origin(name) if len(own) == 1 else DERIVED
        return DERIVED if found == PREDECESSOR and not self._source(name, own[0]) else found

    def method(self, name: str, own: Sequence[Derivation], parameter: str = "") -> str:
        """Return how a variable is made by its ``own`` derivations, with the variables that the dataset does not keep.

        Of these only what speaks of ``parameter``, if it is given. A variable that is an unchanged copy has only the
        name of its source: ``DM.AGE``.
        """
        sources = [self._source(name, made) for made in own]
        if len(own) == 1 and sources[0]:
            return sources[0]
        parts = [source or made.sentence(name) for source, made in zip(sources, own, strict=True)]
        sentences, seen, position = [part.removesuffix(".") + "." for part in parts], {name}, 0
        while position < len(sentences):
            for inner in re.findall(r"\w+", sentences[position]):
                if inner in self.makers and inner not in self.kept and inner not in seen:
                    seen.add(inner)
                    speaking = [made for made in self.makers[inner] if not parameter or may_hold(made.when, parameter)]
                    sentences += [f"{inner}: {made.sentence(inner)}" for made in speaking]
            position += 1
        return " ".join(sentences)

    def _source(self, name: str, maker: Derivation) -> str:
        """Return dataset and variable of which ``name`` is an unchanged copy, an empty text if it is none.

        A copy of a variable that is made on the way is a copy of what that one copies, if it does.
        """
        if maker.origin(name) != PREDECESSOR:
            return ""
        dataset, variable = maker.inherits(name) or ("", "")
        if not variable:
            return maker.sentence(name).removesuffix(".")
        made = self.makers.get(variable, []) if variable != name and not dataset else []
        if made:
            return self._source(variable, made[0]) if len(made) == 1 else ""
        return f"{dataset or self.context.source}.{variable}"
