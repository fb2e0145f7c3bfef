"""Codelists of define.xml: terms in use with their NCI codes, extensions, the study's own lists, dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from odmlib.arm_1_0 import model

from metadata.errors import StudyError, nearest
from metadata.terminology import Codelist, Term
from publish.define_sentences import LANGUAGE, Sentences, description
from publish.define_standards import TermsPackage

NCI = "nci:ExtCodeID"
SHORT = 3
NUMBERS = ("integer", "float")
EXTERNAL = {
    "ISO 3166-1 Alpha-3": ("ISO 3166", "ISO 3166-1:2020, alpha-3"),
    "ISO 21090 NullFlavor enumeration": ("ISO 21090", "ISO 21090:2011, NullFlavor"),
}
"""Dictionaries that the guide names, as Define-XML's terminology (C66788) and in the edition in force."""


@dataclass
class _List:
    """One list: terms in use, and what each means where a meaning is given; ``standard`` is the OID of its package."""

    name: str
    data_type: str
    listed: Codelist | None = None
    standard: str = ""
    terms: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> Mapping[str, Term]:
        """The terms of the terminology's list."""
        return self.listed.terms if self.listed else {}

    @property
    def from_package(self) -> bool:
        """True for a list that a package publishes, and that is not of the sponsor's own."""
        return self.listed is not None and bool(self.listed.code)

    @property
    def uncoded(self) -> list[str]:
        """Terms in use that the package has without a concept code."""
        return [value for value in self.terms if value in self.known and not _coded_or_extended(self.known[value])]


class DefineCodelists:
    """The lists that variables refer to.

    A list that may not be extended is written once, with the terms in use anywhere in the study. One that may be
    extended (units, anatomical locations) is written once for each dataset, with the part that the dataset uses, unless
    its variable is the same in all datasets (EPOCH). A package is named as the standard of a list only where each term
    in use has a concept code or is an extension.
    """

    def __init__(self, packages: Sequence[TermsPackage], sentences: Sentences) -> None:
        self.packages, self._sentences = packages, sentences
        self._lists: dict[str, _List] = {}
        self._external: dict[str, str] = {}

    def terms(self, code: str) -> Mapping[str, Term]:
        """Return the terms of a list of the terminology, extensions included."""
        return self._found(code)[0].terms

    def has(self, code: str) -> bool:
        """Return whether a package has a list."""
        return any(code in package.codelists for package in self.packages)

    def is_extensible(self, code: str) -> bool:
        """Return whether a list may be extended."""
        return self._found(code)[0].extensible

    def _found(self, code: str) -> tuple[Codelist, str]:
        """Return a list and the OID of its package, the first that has it; raises StudyError with the nearest name."""
        for package in self.packages:
            if code in package.codelists:
                return package.codelists[code], package.oid
        known = [name for package in self.packages for name in package.codelists]
        raise StudyError(f"the terminology has no codelist '{code}'{nearest(code, known)}")

    def of_terminology(
        self, code: str, dataset: str, values: Iterable[str], meanings: Mapping[str, str], data_type: str
    ) -> str:
        """Return the OID of a list of the terminology to which ``values`` of ``dataset`` are added.

        ``dataset`` is blank for a variable that is the same in all datasets.
        """
        listed, standard = self._found(code)
        own = f".{dataset}" if listed.extensible and dataset else ""
        oid = f"CL.{_safe(listed.name)}{own}"
        name = f"{listed.label} ({dataset})" if own else listed.label
        made = self._lists.setdefault(oid, _List(name, data_type, listed, standard))
        for value in values:
            made.terms[value] = meanings.get(value, made.terms.get(value, ""))
        return oid

    def of_study(self, owner: str, label: str, terms: Mapping[str, str], data_type: str) -> str:
        """Return the OID of a list of the study's own, to which ``terms`` are added.

        ``owner`` is the dataset and variable that it belongs to, or a variable that is the same in all datasets.
        """
        oid = f"CL.{owner}"
        made = self._lists.setdefault(oid, _List(label, data_type))
        for value, meaning in terms.items():
            made.terms[value] = meaning or made.terms.get(value, "")
        return oid

    def external(self, dictionary: str) -> str:
        """Return the OID of a dictionary that is published elsewhere, such as ``MedDRA 27.0``."""
        oid = f"CL.{_safe(dictionary)}"
        self._external[oid] = dictionary
        return oid

    def elements(self) -> list[model.CodeList]:
        """Return all lists in the order of their OIDs."""
        made = {oid: self._element(oid, found) for oid, found in self._lists.items()}
        made |= {oid: _external(oid, dictionary) for oid, dictionary in self._external.items()}
        return [made[oid] for oid in sorted(made)]

    def _element(self, oid: str, found: _List) -> model.CodeList:
        standard = found.standard if found.from_package and not found.uncoded else ""
        source = {"StandardOID": standard} if standard else {"IsNonStandard": "Yes"}
        made = model.CodeList(OID=oid, Name=found.name, DataType=found.data_type, **source)
        if found.uncoded and found.from_package and found.listed:
            made.CommentOID = self._sentences.comment(oid, _without_codes(found.listed, found.uncoded))
        meanings = _meanings(found.terms, found.known)
        for value in _ordered(found):
            term = found.known.get(value)
            extended = {"ExtendedValue": "Yes"} if standard and (term is None or term.extended) else {}
            aliases = [model.Alias(Context=NCI, Name=term.code)] if term is not None and term.code else []
            if meanings:
                decode = _decode(meanings[value])
                made.CodeListItem.append(model.CodeListItem(CodedValue=value, Decode=decode, Alias=aliases, **extended))
            else:
                made.EnumeratedItem.append(model.EnumeratedItem(CodedValue=value, Alias=aliases, **extended))
        if standard and found.listed:
            made.Alias.append(model.Alias(Context=NCI, Name=found.listed.code))
        return made


def _coded_or_extended(term: Term) -> bool:
    return bool(term.code) or term.extended


def _without_codes(listed: Codelist, uncoded: Sequence[str]) -> str:
    return (
        f"The terms are those of the CDISC/NCI list {listed.name} ({listed.code}), which is not named as the standard:"
        f" the package in use has no concept code of {', '.join(sorted(uncoded))}."
    )


def _ordered(found: _List) -> list[str]:
    """Return the values of a list: numbers by size, terms by the alphabet, a form's answers as the form has them."""
    if found.data_type in NUMBERS:
        return sorted(found.terms, key=float)
    return sorted(found.terms) if found.listed else list(found.terms)


def _meanings(terms: Mapping[str, str], known: Mapping[str, Term]) -> dict[str, str]:
    """Return what each value means, if values are codes; nothing if the values are meaningful texts.

    The meaning is the one given, else the preferred term of the terminology, else the value.
    """
    given = any(terms.values())
    short = bool(terms) and all(len(value) <= SHORT for value in terms)
    if not given and not (short and all(value in known for value in terms)):
        return {}
    preferred = {value: known[value].preferred_term for value in terms if value in known}
    return {value: meaning or preferred.get(value, "") or value for value, meaning in terms.items()}


def _decode(text: str) -> model.Decode:
    made = model.Decode()
    made.TranslatedText.append(model.TranslatedText(_content=text, lang=LANGUAGE))
    return made


def _external(oid: str, dictionary: str) -> model.CodeList:
    name, _, version = dictionary.rpartition(" ")
    name, version = EXTERNAL.get(dictionary, (name or dictionary, version if name else ""))
    made = model.CodeList(OID=oid, Name=dictionary, DataType="text", Description=description(dictionary))
    made.ExternalCodeList = model.ExternalCodeList(Dictionary=name, **({"Version": version} if version else {}))
    return made


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")
