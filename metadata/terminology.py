"""Controlled terminology: the CDISC/NCI package a study pins, and the extensions the study declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.declaration import read_document
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import FOLDER, shipped
from metadata.study import Study
from metadata.study_declaration import OwnCodelist, TerminologyFile
from metadata.terminology_package import Codelist, Package, Term, read_package
from metadata.yaml_source import complain

if TYPE_CHECKING:
    import pandas as pd

TERMS = "terminology.yaml"
PINNED = "terminology"
"""Folder of a study with the codelists that it uses, written by ``pin``."""


class Codelists(Mapping[str, Codelist]):
    """The codelists that a study may use, from the first layer that has each; ``asked`` are those that were used."""

    def __init__(self, layers: list[Callable[[], Mapping[str, Codelist]]]) -> None:
        self._later = list(layers)
        self._layers: list[Mapping[str, Codelist]] = []
        self.asked: set[str] = set()

    def add(self, own: Mapping[str, Codelist]) -> None:
        """Look in ``own`` codelists before all others."""
        self._layers.insert(0, own)

    def _holder(self, key: object) -> Mapping[str, Codelist] | None:
        """Return the layer that has a codelist, further layers read only where those before lack it."""
        for layer in self._layers:
            if key in layer:
                return layer
        while self._later:
            self._layers.append(self._later.pop(0)())
            if key in self._layers[-1]:
                return self._layers[-1]
        return None

    def __getitem__(self, key: str) -> Codelist:
        holder = self._holder(key)
        if holder is None:
            raise KeyError(key)
        self.asked.add(key)
        return holder[key]

    def __contains__(self, key: object) -> bool:
        return self._holder(key) is not None

    def __iter__(self) -> Iterator[str]:
        self._holder(None)
        return iter(dict.fromkeys(key for layer in self._layers for key in layer))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Terminology:
    """The codelists of a study: the pinned package, the study's extensions and its own lists."""

    def __init__(self, package: str, codelists: Mapping[str, Codelist]) -> None:
        self.package = package
        self.codelists = codelists
        self._decoded: dict[tuple[str, str], dict[str, str]] = {}

    @classmethod
    def open(cls, study: Study, pinned: bool = True) -> Terminology:
        """Read the package that study.yaml pins and the extensions and sponsor lists of terminology.yaml.

        A codelist is taken from the study's own ``terminology/<package>.csv`` (written by ``pin``; left out if
        ``pinned`` is False); one that it lacks from the package file that study.yaml names under ``terminology``, or
        from the package that comes with the software.
        """
        name = package_name(study)
        layers: list[Callable[[], Mapping[str, Codelist]]] = [partial(whole_package, study)]
        subset = pinned_path(study)
        if pinned and subset.is_file():
            layers = [partial(read_package, subset, f"{study.name}/{PINNED}/{subset.name}"), *_if_there(study, layers)]
        return cls.of_layers(study, name, layers)

    @classmethod
    def of_layers(cls, study: Study, name: str, layers: list[Callable[[], Mapping[str, Codelist]]]) -> Terminology:
        """Return the codelists of some packages with what terminology.yaml adds to them; raises StudyError."""
        lists, declared = Codelists(layers), read_terminology(study)
        extended = _extended(lists, declared.extensions or {}, declared.node)
        lists.add({**extended, **_sponsor_lists(declared.codelists or {})})
        return cls(name, lists)

    def codelist(self, code: str) -> Codelist:
        """Return a codelist by NCI code or short name; raises StudyError with the nearest name."""
        if code not in self.codelists:
            raise StudyError(f"{self.package} has no codelist '{code}'{nearest(code, self.codelists)}")
        return self.codelists[code]

    def add(self, name: str, terms: Mapping[str, str]) -> None:
        """Add terms, each with what it means, to a codelist that may be extended; raises StudyError if it may not."""
        base = self.codelist(name)
        if not base.extensible:
            raise StudyError(f"codelist {base.name} ({base.code}) may not be extended")
        added = {word: Term(word, preferred_term=said, extended=True) for word, said in terms.items()}
        made = Codelist(base.code, base.name, base.label, True, {**base.terms, **added})
        before = self.codelists
        self.codelists = own = Codelists([lambda: before])
        own.add({base.code: made, base.name: made})

    def check(self, code: str, values: pd.Series) -> pd.Series:
        """Return True where a value is blank or a term of the codelist."""
        return values.isin([*self.codelist(code).terms, ""])

    def decode(self, code_list: str, name_list: str) -> Mapping[str, str]:
        """Return test code to test name for a pair of codelists whose terms share concept codes."""
        if (code_list, name_list) not in self._decoded:
            names = {term.code: term.value for term in self.codelist(name_list).terms.values() if term.code}
            codes = self.codelist(code_list).terms.values()
            self._decoded[code_list, name_list] = {term.value: names[term.code] for term in codes if term.code in names}
        return self._decoded[code_list, name_list]


def read_terminology(study: Study) -> TerminologyFile:
    """Return what terminology.yaml declares, nothing if there is no such file; raises StudyError."""
    body = study.read_yaml(TERMS) if study.path(TERMS).is_file() else None
    return TerminologyFile() if body is None else read_document(TerminologyFile, body, f"{study.name}/{TERMS}")


def package_name(study: Study) -> str:
    """Return the name of the package that study.yaml pins."""
    return f"sdtm-ct-{study.standards['sdtm_ct']}"


def pinned_path(study: Study) -> Path:
    """Return the file with the codelists that the study uses."""
    return study.path(f"{PINNED}/{package_name(study)}.csv")


def whole_package(study: Study) -> Package:
    """Return the study's own package file, or the shipped package; raises StudyError if there is none."""
    own = study.declared.terminology
    if own and own.sdtm_ct:
        path = study.path(own.sdtm_ct)
        if not path.is_file():
            raise complain(own.node, "sdtm_ct", f"the terminology package '{own.sdtm_ct}' does not exist")
        return read_package(path, f"{study.name}/{own.sdtm_ct}")
    name = package_name(study)
    if not package_path(name).is_file():
        known = [other for other in shipped() if other.startswith("sdtm-ct-")]
        raise complain(
            study.declared.standards.node,
            "sdtm_ct",
            f"the terminology '{name}' is not among those shipped ({', '.join(known)}){nearest(name, known)}; name the"
            " study's own file of it in study.yaml: terminology: {sdtm_ct: FILE}",
        )
    return read_package(package_path(name), f"{name}.csv")


def _if_there(study: Study, layers: list[Callable[[], Mapping[str, Codelist]]]) -> list[Callable[[], Any]]:
    """Return the layers of a package that a study with its own subset can do without, or none."""
    own = study.declared.terminology
    path = study.path(own.sdtm_ct) if own and own.sdtm_ct else package_path(package_name(study))
    return layers if path.is_file() else []


def _extended(
    lists: Mapping[str, Codelist], declared: Mapping[str, Mapping[str, str]], node: Any
) -> dict[str, Codelist]:
    """Return the codelists to which the study adds terms; raises StudyError if one may not be extended."""
    made: dict[str, Codelist] = {}
    place: Any = node["extensions"] if declared else None
    with Gather() as gather:
        for name, terms in declared.items():
            with gather.part():
                if name not in lists:
                    raise complain(place, name, f"the package has no codelist '{name}'{nearest(name, lists)}")
                base = lists[name]
                if not base.extensible:
                    raise complain(place, name, f"codelist {base.name} ({base.code}) may not be extended")
                for term in [term for term in terms if term in base.terms]:
                    gather.found.append(
                        complain(place[name], term, f"codelist {base.name} has the term '{term}' already: remove it")
                    )
                added = {word: Term(word, preferred_term=said, extended=True) for word, said in terms.items()}
                made[base.code] = made[base.name] = Codelist(base.code, base.name, base.label, True, base.terms | added)
    return made


def _sponsor_lists(declared: Mapping[str, OwnCodelist]) -> dict[str, Codelist]:
    """Return the codelists of the study's own."""
    return {
        name: Codelist(
            "",
            name,
            body.label or name,
            True,
            {value: Term(value, preferred_term=meaning, extended=True) for value, meaning in body.terms.items()},
        )
        for name, body in declared.items()
    }


def package_path(name: str) -> Path:
    """Return the file of a shipped package, for manifests."""
    return FOLDER / f"{name}.csv"
