"""A study's approvers.yaml: who may approve, in which roles, how strongly, and what a release needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from metadata.declaration import Place, read_document
from metadata.declaration_limits import Entries, Written
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, StudyError, UsageError, nearest
from metadata.study import Study
from metadata.yaml_source import complain

FILE = "approvers.yaml"
DATA_MANAGER, STATISTICIAN = "data manager", "statistician"
Strength = Literal["record", "signature"]
RECORD: Strength = "record"
SIGNATURE: Strength = "signature"
Kind = Literal["interim", "final"]
KINDS: tuple[Kind, ...] = get_args(Kind)

NAME = Written(r"\S(?:[^\x00-\x1f\x7f]*\S)?", "a text without blanks around it, on one line")
PUBLIC_KEY = Written(
    r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\x00-\x1f\x7f]*)?",
    "a public key as its file .pub has it, such as ssh-ed25519 AAAA...",
)
MEANT = {
    RECORD: "Recorded, not proved: the names were typed, and nothing shows that these persons typed them.",
    SIGNATURE: "Signed: each approval carries a signature by the key that the study's approvers.yaml has for the name.",
}
"""What a release says of its strength."""


@dataclass(frozen=True)
class Person:
    """A person who may approve: the full name, the roles, and the public key that the person signs with."""

    name: Annotated[str, NAME]
    roles: Annotated[list[Annotated[str, NAME]], Entries(1)]
    key: Annotated[str, PUBLIC_KEY] = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ApproversFile:
    """The whole of approvers.yaml.

    ``final`` are the roles that approve a final release, each by another person; data manager and statistician are
    always among them. ``interim`` are those of any other release, ``unblinding`` those who open the randomisation list.
    """

    strength: Strength
    people: Annotated[list[Person], Entries(1)]
    final: Annotated[list[Annotated[str, NAME]], Entries(2)] = field(
        default_factory=lambda: [DATA_MANAGER, STATISTICIAN]
    )
    interim: Annotated[list[Annotated[str, NAME]], Entries(1)] = field(default_factory=lambda: [DATA_MANAGER])
    unblinding: Annotated[list[Annotated[str, NAME]], Entries(1)] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    @property
    def roles(self) -> list[str]:
        """All roles that people have, in the order of the file."""
        return list(dict.fromkeys(role for person in self.people for role in person.roles))

    def needed(self, kind: Kind) -> list[str]:
        """The roles that approve a release of this kind."""
        return self.final if kind == "final" else self.interim

    def person(self, name: str) -> Person:
        """Return the person of this full name; raises UsageError for a blank or unknown one."""
        if not name.strip():
            raise UsageError("the name is blank: give the full name, as approvers.yaml has it")
        for person in self.people:
            if person.name == name:
                return person
        raise UsageError(f"approvers.yaml has nobody named '{name}'{nearest(name, [one.name for one in self.people])}")

    def acting(self, name: str, role: str) -> Person:
        """Return the person of this name; raises UsageError if approvers.yaml does not give the person the role."""
        person = self.person(name)
        if role not in person.roles:
            raise UsageError(f"{name} has not the role '{role}' in approvers.yaml, but {', '.join(person.roles)}")
        return person


def approvers_schema() -> dict[str, Any]:
    """Return the JSON Schema of approvers.yaml."""
    return document_schema(ApproversFile, "who approves a study's releases")


def read_approvers(study: Study) -> ApproversFile:
    """Return who may approve; raises UsageError if the study does not say it, StudyError for what does not fit."""
    if not study.path(FILE).is_file():
        raise UsageError(
            f"the study {study.name} has no {FILE}, which says who may approve: write one (docs/releases.md)"
        )
    return approvers_of(study.read_yaml(FILE), f"{study.name}/{FILE}")


def approvers_of(body: Any, shown: str) -> ApproversFile:
    """Return the approvers that a YAML file's ``body`` declares, known in errors as ``shown``; raises StudyError."""
    read = read_document(ApproversFile, body, shown)
    with Gather() as gather:
        gather.found += _people_errors(read)
        for key in ("final", "interim", "unblinding"):
            gather.found += _role_errors(read, key)
        for role in (DATA_MANAGER, STATISTICIAN):
            if role not in read.final:
                problem = f"a final release needs the role '{role}': list it"
                gather.found.append(complain(read.node, "final", problem))
    return read


def check_approvers(study: Study) -> list[StudyError]:
    """Return what is wrong with approvers.yaml, if the study has one."""
    if study.path(FILE).is_file():
        read_approvers(study)
    return []


def _people_errors(read: ApproversFile) -> list[StudyError]:
    found, names, keys = [], set[str](), set[str]()
    for person in read.people:
        folded = " ".join(person.name.split()).casefold()
        if folded in names:
            found.append(complain(person.node, "name", f"'{person.name}' is listed twice: each person has one entry"))
        key = " ".join(person.key.split()[:2])
        if key and key in keys:
            found.append(complain(person.node, "key", "another person has the same key: a key is one person's own"))
        if read.strength == SIGNATURE and not key:
            problem = f"with strength: signature each person needs a key, and {person.name} has none"
            found.append(complain(person.node, None, problem))
        names.add(folded)
        keys.add(key)
    return found


def _role_errors(read: ApproversFile, key: str) -> list[StudyError]:
    """Return the errors of needed roles that nobody has, or that one person alone would have to fill."""
    roles = getattr(read, key) or []
    lacking = [role for role in roles if role not in read.roles]
    if lacking:
        return [
            complain(read.node, key, f"nobody has the role '{role}'{nearest(role, read.roles)}") for role in lacking
        ]
    if roles and not distinct_people(
        roles, {role: {one.name for one in read.people if role in one.roles} for role in roles}
    ):
        return [
            complain(read.node, key, f"{', '.join(roles)} need {len(roles)} different persons, and there are fewer")
        ]
    return []


def distinct_people(roles: list[str], who: dict[str, set[str]]) -> dict[str, str]:
    """Return a person for each role such that no person has two; empty if there is no such choice.

    ``who`` are the persons that may fill each role. Roles are few, so that trying all choices is quick.
    """
    if not roles:
        return {}
    chosen = _choose(roles, who, set())
    return chosen or {}


def _choose(roles: list[str], who: dict[str, set[str]], taken: set[str]) -> dict[str, str] | None:
    if not roles:
        return {}
    for name in sorted(who.get(roles[0], set()) - taken):
        rest = _choose(roles[1:], who, taken | {name})
        if rest is not None:
            return {roles[0]: name, **rest}
    return None
