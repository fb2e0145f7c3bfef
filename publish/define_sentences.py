"""Sentences of define.xml: descriptions, and the methods and comments that variables refer to."""

from __future__ import annotations

from collections import Counter

from odmlib.arm_1_0 import model

LANGUAGE = "en"


def description(text: str) -> model.Description:
    """Return a description in English."""
    made = model.Description()
    made.TranslatedText.append(model.TranslatedText(_content=text, lang=LANGUAGE))
    return made


class Sentences:
    """Methods and comments, each written once for a variable's name and referred to by all that share it."""

    def __init__(self) -> None:
        self._oids: dict[tuple[str, str, str], str] = {}
        self._count: Counter[tuple[str, str]] = Counter()

    def method(self, name: str, text: str) -> str:
        """Return the OID of the method that says how ``name`` is derived."""
        return self._oid("MT", name, text)

    def comment(self, name: str, text: str) -> str:
        """Return the OID of a comment on ``name``."""
        return self._oid("COM", name, text)

    def _oid(self, kind: str, name: str, text: str) -> str:
        """Return the OID of a sentence: the name, with a number from its second sentence on."""
        key = (kind, name, text)
        if key not in self._oids:
            before = self._count[key[:2]]
            self._count[key[:2]] += 1
            self._oids[key] = f"{kind}.{name}.{before + 1}" if before else f"{kind}.{name}"
        return self._oids[key]

    def methods(self) -> list[model.MethodDef]:
        """Return all methods in the order of their OIDs."""
        return [
            model.MethodDef(OID=oid, Name=f"Derivation of {name}", Type="Computation", Description=description(text))
            for (kind, name, text), oid in self._sorted()
            if kind == "MT"
        ]

    def comments(self) -> list[model.CommentDef]:
        """Return all comments in the order of their OIDs."""
        return [
            model.CommentDef(OID=oid, Description=description(text))
            for (kind, _, text), oid in self._sorted()
            if kind == "COM"
        ]

    def _sorted(self) -> list[tuple[tuple[str, str, str], str]]:
        return sorted(self._oids.items(), key=lambda item: item[1])
