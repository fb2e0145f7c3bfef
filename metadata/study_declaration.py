"""What study.yaml and terminology.yaml may say, as annotated dataclasses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, get_args

from metadata.condition import Condition
from metadata.declaration import Place
from metadata.declaration_limits import Above, Entries, Limit, ValueLimit, Written
from metadata.declaration_schema import document_schema
from metadata.errors import StudyError
from metadata.text_dates import DateOrder
from metadata.yaml_source import complain

ByteEncoding = Literal[
    "utf-8", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "iso-8859-1", "iso-8859-2", "iso-8859-15"
]
"""UTF-8 alone, or the encoding of the single bytes that are not UTF-8."""


JsonForm = Literal["json", "ndjson", "dsjc"]
StudyPage = Literal["records", "summaries"]
"""The forms of Dataset-JSON: plain, by lines, and by lines compressed."""
JSON_FORMS: tuple[JsonForm, ...] = get_args(JsonForm)


SourceKind = Literal["text", "integer", "number", "date", "datetime", "time"]
"""What a column of another source holds: dates as YYYY-MM-DD, times as HH:MM, both with a blank between."""


@dataclass(frozen=True)
class CalendarDay(ValueLimit):
    """A day of the calendar, YYYY-MM-DD."""

    of_text = True

    @property
    def meant(self) -> str:
        """What it is."""
        return "a day of the calendar, written YYYY-MM-DD"

    def allows(self, value: str) -> bool:
        """Return whether the calendar has the day."""
        try:
            return date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False

    def schema(self) -> dict[str, Any]:
        """Return the pattern; the calendar is beyond JSON Schema."""
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "format": "date"}


@dataclass(frozen=True)
class StudyDayLimit(ValueLimit):
    """A study day: there is no day 0."""

    @property
    def meant(self) -> str:
        """What it is."""
        return "a study day (there is no day 0)"

    def allows(self, value: int) -> bool:
        """Return whether there is such a day."""
        return value != 0

    def schema(self) -> dict[str, Any]:
        """Return all numbers but 0."""
        return {"not": {"const": 0}}


@dataclass(frozen=True)
class SubjectPattern(ValueLimit):
    """How USUBJID is written: a text with the places {studyid}, {site} and {subject}, the last of which it needs."""

    of_text = True

    @property
    def meant(self) -> str:
        """What it is."""
        return "a text with the place {subject}, and {studyid} and {site} where they are wanted"

    def allows(self, value: str) -> bool:
        """Return whether the text has a place for the subject's number, and no other but those of study and site."""
        places = re.findall(r"\{(\w+)\}", value)
        rest = re.sub(r"\{\w+\}", "", value)
        known = set(places) <= {"studyid", "site", "subject"} and not set("{}") & set(rest)
        return known and "subject" in places

    def schema(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"type": "string", "pattern": r"^(?:[^{}]|\{(?:studyid|site|subject)\})*$"}


@dataclass(frozen=True)
class VariableName(Written):
    """The name of an environment variable. What else is written there may be a token, so that no error shows it."""

    def allows(self, value: str) -> bool:
        """Return whether it is a name, and no token (32 hexadecimal digits)."""
        return super().allows(value) and not re.fullmatch(TOKEN, value)

    def error(self, node: object, key: str, value: object) -> StudyError:
        """Return the error, without the value."""
        return complain(node, key, f"'{key}' is {self.meant}; an address or a token is never in a file")


OF_REDCAP = ("redcap", "identity", "cut", "text_dates", "sources", "blinding", "encoding")
"""The keys of study.yaml that speak of records, which a study that begins with datasets has not."""
TOKEN = "[0-9A-Fa-f]{32}"  # noqa: S105  what a token looks like
VARIABLE = VariableName(r"(?:[A-Za-z_][A-Za-z0-9_]*)?", "the name of an environment variable, such as REDCAP_TOKEN")
PERIOD = Written(
    r"(?:P(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)?",
    "a duration of ISO 8601, such as P12W or PT30M",
)
STUDYID = Written(
    r"(?!.*\.\.)(?=.{1,40}$)[A-Za-z0-9](?:[A-Za-z0-9 _.-]*[A-Za-z0-9])?",
    "letters and digits, with hyphens, points or blanks between, at most 40 characters",
)
"""STUDYID is in every dataset and in the name of a folder."""


@dataclass(frozen=True)
class StudyFacts:
    """The study's names, whether its patients are invented, and what the trial summary says of it.

    ``facts`` are the study's own, for ``study: study.facts.NAME`` of the trial summary.
    """

    id: Annotated[str, STUDYID]
    title: str = ""
    short_title: str = ""
    protocol: str = ""
    synthetic: bool = False
    synthetic_notice: str = ""
    publication: str = ""
    country: str = ""
    analysis_plan: str = "sap.md"
    facts: dict[str, str] = field(default_factory=dict)
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Standards:
    """The versions of the standards."""

    sdtmig: str
    sdtm_ct: str
    sdtm: str = ""
    adamig: str = ""
    occds: str = ""
    adam_ct: str = ""
    define: str = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class RedcapServer:
    """Where REDCap is, and the environment variables and the Prefect block that hold its address and the token.

    ``version`` is part of the links to forms. ``answers_key_variable`` is the environment variable with the key by
    which values of identifiers in queries are told apart, so that answers to these hold. ``answer_seconds`` and
    ``attempts`` are for a slow server. All records are read at least every ``full_load_days``, otherwise those that
    changed.
    """

    base_url: Annotated[str, Written(r"(?:https?://\S+)?", "an address that begins with https://")] = ""
    version: str = ""
    url_variable: Annotated[str, VARIABLE] = ""
    token_variable: Annotated[str, VARIABLE] = ""
    token_block: str = ""
    answers: str = ""
    answers_key_variable: Annotated[str, VARIABLE] = ""
    answer_seconds: Annotated[float, Above(0)] | None = None
    attempts: Annotated[int, Above(0)] | None = None
    full_load_days: Annotated[float, Above(0)] | None = None
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Identity:
    """The field that holds the subject's number; where the site comes from, by field or by data access group.

    ``earlier`` is the field with the number under which a person was screened before, ``once`` the domains that hold
    such a person's later record only. ``usubjid`` is how USUBJID is written, ``{studyid}-{site}-{subject}`` unless it
    is given; a number that already starts with its site has that once.
    """

    subject: str
    site: str | dict[str, str] | None = None
    earlier: str = ""
    once: Annotated[list[str], Entries(0)] = field(default_factory=list)
    usubjid: Annotated[str, SubjectPattern()] = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class OwnPackage:
    """The study's own file of a terminology package."""

    sdtm_ct: str = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Arm:
    """One planned arm."""

    armcd: str
    arm: str
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class UnlessRecords:
    """Records of a subject: those that have a variable (DOMAIN.VARIABLE) and for which a condition holds."""

    has: Annotated[tuple[str, ...], Entries(1)]
    where: Condition | None = None
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ElementStart:
    """The first or last date of a subject in variables (DOMAIN.VARIABLE), of the records where a condition holds."""

    earliest: Annotated[tuple[str, ...], Entries(1)] = ()
    latest: Annotated[tuple[str, ...], Entries(1)] = ()
    where: Condition | None = None
    node: Place = field(default=None, compare=False, repr=False)

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("earliest",), ("latest",))


@dataclass(frozen=True)
class Element:
    """One element of the trial: what it is called, how it starts (by date and as text), how it ends, in which arm.

    ``start`` is a variable of DM or an extreme date; ``after`` counts days from there. ``unless`` names records of a
    subject for whom the element has not begun, such as an exposure without an end.
    """

    etcd: str
    element: str
    epoch: str
    start: str | ElementStart
    unless: UnlessRecords | None = None
    rule: str = ""
    ends: str = ""
    duration: Annotated[str, PERIOD] = ""
    arm: str = ""
    branch: str = ""
    transition: str = ""
    after: int = 0
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PlannedTreatment:
    """What the protocol gives: a treatment as EXTRT has it, its doses, their unit, how often, in which form and way.

    It is given in one arm, in one element, where these are named. A treatment of several plans has several entries.
    """

    treatment: str
    doses: list[Annotated[float, Limit(0)]]
    unit: str
    frequency: Annotated[tuple[str, ...], Entries(1)] | None = None
    form: str = ""
    route: str = ""
    arm: str = ""
    element: str = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Visit:
    """One visit, planned or unscheduled.

    ``event`` is REDCap's unique event name, in a project with arms the list of the events, one of each arm; a study
    that begins with datasets has none. ``forms`` are the visit's in a classic project. ``day`` is the planned study
    day, ``window`` the days before and after it that the protocol allows.
    """

    visit: str
    event: Annotated[tuple[str, ...], Entries(1)] = ()
    visitnum: float | None = None
    day: Annotated[int, StudyDayLimit()] | None = None
    window: Annotated[list[int], Entries(2, 2)] | None = None
    predose: bool = False
    unscheduled: bool = False
    forms: list[str] | None = None
    rule: str = ""
    ends: str = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class TextDates:
    """Free-text fields that hold dates: the order of day, month and year, and how an unknown part is written."""

    fields: list[str]
    order: DateOrder
    unknown: Annotated[list[str], Entries(0)] = field(default_factory=list)
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class SourceField:
    """A column of another source as a field: its name in the file, what it holds, and its label.

    ``kind`` is held as the validation of a REDCap field is; ``choices`` are codes with their labels. A column that is
    ``identifier`` is kept out as REDCap's identifiers are.
    """

    column: str
    label: str
    kind: SourceKind = "text"
    choices: dict[str, str] | None = None
    identifier: bool = False
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class SourceVisits:
    """The column that names the visit, and the event of each of its texts."""

    column: str
    events: dict[str, str]
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class OtherSource:
    """A file beside REDCap: a randomisation list, results of a central laboratory or of readers, a safety database.

    ``file`` is a CSV or XLSX of the study's folder. ``subject`` is the column of the subject's number, as the field
    ``subject_field`` has it (that of ``identity`` if it is left out); ``key`` are the columns that no two rows share.
    In a longitudinal project the rows are of one ``event`` or of the event of their ``visit``. Every other column is
    among the ``fields``, which mapping and checks name as those of a form, or ``ignored``, each with the reason.
    """

    file: Annotated[str, Written(r"[^\\:]+\.(?:csv|xlsx)", "the path of a .csv or .xlsx file in the study's folder")]
    label: str
    subject: str
    key: Annotated[tuple[str, ...], Entries(1)]
    fields: dict[str, SourceField]
    subject_field: str = ""
    event: str = ""
    visit: SourceVisits | None = None
    ignored: dict[str, str] = field(default_factory=dict)
    sheet: str = ""
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Blinding:
    """Which of the ``sources`` is the list of treatments, and the file that replaces it until an unblinding.

    ``dummy`` has the same columns with an allocation that means nothing. The source's own file may be absent.
    """

    list_: str
    dummy: Annotated[str, Written(r"[^\\:]+\.(?:csv|xlsx)", "the path of a .csv or .xlsx file in the study's folder")]
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class SubjectsOfCut:
    """The first date of a subject in a collected variable (DOMAIN.VARIABLE), of the records where a condition holds."""

    earliest: str
    where: Condition | None = None
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class DataCut:
    """How records are cut at the cut-off: every mapped domain but DM and SE is in one of the two lists.

    ``subjects`` says who is in the data; nobody else has a record. Of the domains ``by_date`` the records that begin
    after the cut-off are left out as well. ``ongoing`` has, by domain and variable, what is said of an event whose end
    lies after the cut-off.
    """

    subjects: SubjectsOfCut
    by_date: Annotated[list[str], Entries(0)] = field(default_factory=list)
    by_subject: Annotated[list[str], Entries(0)] = field(default_factory=list)
    ongoing: dict[str, dict[str, str]] = field(default_factory=dict)
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ReceivedDatasets:
    """Where a study begins whose SDTM was made elsewhere: a folder of the study's, or an absolute path.

    In it are transport files, Dataset-JSON, parquet or SAS datasets, with or without their define.xml.
    """

    sdtm: str
    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class StudyFile:
    """The whole of study.yaml.

    A study begins with a REDCap project, or with ``input``, the datasets that it receives; it has then neither records
    nor forms, and nothing that speaks of them.
    ``encoding`` is that of single bytes in REDCap's texts which are not UTF-8. A transport file of more bytes than
    ``largest_file`` (5,000,000,000 if it is not given) is also given in parts.
    ``dataset_json`` names the forms of Dataset-JSON that are written, none if it is empty; left out, all of them, and
    of datasets of more than 100,000 rows the compressed one alone. ``study_page`` is ``summaries`` where its readers
    may see no single patient; left out, a number leads to its records.
    """

    study: StudyFacts
    standards: Standards
    cutoff: Annotated[str, CalendarDay()]
    redcap: RedcapServer = field(default_factory=RedcapServer)
    visits: Annotated[list[Visit], Entries(0)] = field(default_factory=list)
    input: ReceivedDatasets | None = None
    cut: DataCut | None = None
    identity: Identity | None = None
    terminology: OwnPackage | None = None
    arms: list[Arm] | None = None
    elements: list[Element] | None = None
    dosing: list[PlannedTreatment] | None = None
    text_dates: list[TextDates] | None = None
    sources: dict[str, OtherSource] | None = None
    blinding: Blinding | None = None
    encoding: ByteEncoding | None = None
    largest_file: Annotated[int, Above(0)] | None = None
    dataset_json: Annotated[list[JsonForm], Entries(0)] | None = None
    study_page: StudyPage | None = None
    node: Place = field(default=None, compare=False, repr=False)

    any_of: ClassVar[tuple[tuple[str, ...], ...]] = (("redcap", "visits"), ("input",))


@dataclass(frozen=True)
class OwnCodelist:
    """A codelist of the study's own: each term and what it means."""

    terms: dict[str, str]
    label: str = ""


@dataclass(frozen=True)
class TerminologyFile:
    """The whole of terminology.yaml: terms added to extensible codelists, each with what it means; own codelists."""

    extensions: dict[str, dict[str, str]] | None = None
    codelists: dict[str, OwnCodelist] | None = None
    node: Place = field(default=None, compare=False, repr=False)


def study_schema() -> dict[str, Any]:
    """Return the JSON Schema of study.yaml."""
    return document_schema(StudyFile, "a study", [Condition])


def terminology_schema() -> dict[str, Any]:
    """Return the JSON Schema of terminology.yaml."""
    return document_schema(TerminologyFile, "the terms that a study adds to its terminology package")
