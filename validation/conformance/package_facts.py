"""What the rules about the files of a package look at: what each file and each define.xml says, apart from values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from validation.conformance.sdtm_datasets import Domain


@dataclass(frozen=True)
class VariableFacts:
    """A variable in a transport file, or in a define.xml; ``type`` is Char, Num or blank, ``length`` 0 if not given."""

    name: str
    label: str
    type: str
    length: int = 0
    origin: str = ""


@dataclass(frozen=True)
class FileFacts:
    """One dataset in its file, its path relative to the folder, or one that a define.xml describes.

    ``parts`` is how many files in the folder ``split`` next to it hold the dataset in parts.
    """

    name: str
    file: str
    label: str
    variables: tuple[VariableFacts, ...]
    kind: str = "sdtm"
    size: int = 0
    formats: tuple[tuple[str, str], ...] = ()
    parts: int = 0


@dataclass(frozen=True)
class PackageFacts:
    """The files of a folder.

    ``problems`` are files that could not be read, by dataset; ``changed`` are files that are not what the manifest
    says, None without a manifest; ``defects`` are what is wrong with paths and documents, by rule and file; ``defined``
    are the datasets of the define.xml of each standard that has one.
    """

    files: tuple[FileFacts, ...]
    problems: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, str], ...] | None = None
    defined: Mapping[str, tuple[FileFacts, ...]] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    defects: tuple[tuple[str, str, str], ...] = ()

    def pairs(self) -> Iterator[tuple[FileFacts, FileFacts]]:
        """Yield each file with what its define.xml says of the dataset."""
        for kind, described in self.defined.items():
            by_name = {one.name: one for one in described}
            yield from ((one, by_name[one.name]) for one in self.files if one.kind == kind and one.name in by_name)
