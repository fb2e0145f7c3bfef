"""The command line: ``redcap-cdisc demo | run | ...``; what a command needs is imported inside it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.error_messages import run_guarded

RUN_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc run spms_aza --source mappings/spms_aza/redcap

  redcap-cdisc run ../studies/mytrial --source api --out build/mytrial

  redcap-cdisc run spms_aza --source build/snapshots/spms_aza/1f0c... --until queries

  redcap-cdisc run spms_aza --until queries --previous build/spms_aza-queries
"""
SANDBOX_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc sandbox mappings/spms_aza/redcap

  redcap-cdisc sandbox mappings/spms_aza/redcap --records as-entered --port 8080

  redcap-cdisc sandbox mappings/spms_aza/redcap --user data_manager --fault missing_column:content=record,column=age
"""
DEMO_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc demo

  redcap-cdisc demo --out /tmp/demo
"""
REPORT_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc report spms_aza --datasets build/spms_aza/m5 --out build/again

  redcap-cdisc report ../studies/mytrial --datasets ../adam --out tables
"""
UP_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc up

  redcap-cdisc up --studies ../studies --home /srv/redcap-cdisc --port 4300
"""
DEPLOY_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc deploy --studies /studies --notify https://chat.example.org/hooks/redcap-cdisc
"""
CHECK_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc check spms_aza

  redcap-cdisc check ../studies/mytrial --json
"""
TERMS_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc terms DM.RACE

  redcap-cdisc terms LBTESTCD --find creatinine

  redcap-cdisc terms --find "dialysis" --study ../studies/mytrial
"""
AGREE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc agree ../studies/mytrial

  redcap-cdisc agree ../studies/mytrial ae cm --guesses
"""
PIN_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc pin ../studies/mytrial

  redcap-cdisc pin ../studies/mytrial --package "SDTM Terminology.txt" --release 2025-03-28
"""
MONITOR_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc monitor spms_aza --source mappings/spms_aza/redcap --as-of 2000-06-01

  redcap-cdisc monitor ../studies/mytrial --source api --json
"""
ACKNOWLEDGE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc acknowledge spms_aza 4f1c2a9b0d --by "M. Luque" --action "Azathioprine stopped, control on Friday"
"""
SCHEMA_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc schema --out schemas
"""
DRIFT_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc drift spms_aza --against SPMSAZA_DataDictionary_2026-11-30.csv

  redcap-cdisc drift ../studies/mytrial --against MyTrial.REDCap.xml --json
"""
DRAFT_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc draft exports/mytrial --out mappings/mytrial

  redcap-cdisc draft MyTrial_DataDictionary.csv --out mappings/mytrial
"""
INIT_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc init ../studies/mytrial --from MyTrial.REDCap.xml

  redcap-cdisc init ../studies/mytrial --from api

  redcap-cdisc init ../studies/mytrial --forms dm,ae,cm,mh,vs,ex,ds,lb
"""
PROJECT_HELP = (
    "A project's XML, a dictionary as CSV, a folder or ZIP of exports, or 'api' for the REDCap of REDCAP_URL and"
    " REDCAP_TOKEN."
)
WHERE_HELP = "Which records: a filter as results.csv has it, or VARIABLE=value;VARIABLE=value."
CELL_HELP = "A cell by the labels of its line and column, or a result by its id in results.csv."
TRACE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc trace build/spms_aza DM "USUBJID=SPMSAZA-SYNTH-01-001" --variable AGE

  redcap-cdisc trace build/spms_aza ADEDSS "USUBJID=SPMSAZA-SYNTH-01-001;PARAMCD=EDSS;AVISIT=Month 24" --variable CHG

  redcap-cdisc trace build/spms_aza ADEDSS "PARAMCD == 'EDSS' and AVISITN in (0, 12)" --variable AVAL

  redcap-cdisc trace build/spms_aza --output T14.1.2 --cell "Age at entry (years) / Median"
"""
CONFORMANCE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc conformance build/spms_aza

  redcap-cdisc conformance ../others/sdtm --define ../others/sdtm/define.xml --out verdict

  redcap-cdisc conformance build/spms_aza --core ~/core/run-core

  redcap-cdisc conformance sdtm/ --core "python3.12 run_core.py" --study ../studies/mytrial --define sdtm/define.xml
"""
INSPECT_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc inspect build/spms_aza

  redcap-cdisc inspect ../others/package --json
"""

COMPARE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc compare build/spms_aza/m5/datasets/spmsaza-synth/tabulations/sdtm/ae.xpt other/ae.xpt

  redcap-cdisc compare adlb.xpt adlb.csv --key USUBJID --key PARAMCD --key ADT --tolerance AVAL=0.01% --values

  redcap-cdisc compare build/spms_aza ../other/build/spms_aza --tolerance 1e-9 --json

  redcap-cdisc compare build/spms_aza.d/5d1c... build/spms_aza --html what-changed.html
"""
DEFINE_PAGE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc define-page other/define.xml --out other/define.html
"""
VERIFY_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc verify build/spms_aza

  redcap-cdisc verify build/spms_aza --json

  redcap-cdisc verify releases/mytrial/1.0/package --head 5f0c...
"""
APPROVE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc approve build/spms_aza

  redcap-cdisc approve build/spms_aza --meaning built --name "Nadia Haddad" --role builder --reason "Database closed."

  redcap-cdisc approve build/mytrial --study ../studies/mytrial --meaning approved --name "Ana Ruiz"
    --role "data manager" --reason "Queries resolved, listings read." --key ~/.ssh/id_ed25519

  redcap-cdisc approve build/mytrial --meaning waived --item query:e98a38564f47 --name "Ana Ruiz" ...
"""
UNBLIND_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc unblind ../studies/mytrial --name "Boris Stein" --role statistician --reason "Database locked."

  redcap-cdisc unblind ../studies/mytrial --close --name "Boris Stein" --role statistician --reason "A mistake."
"""
RELEASE_EXAMPLES = """
[bold]Examples[/bold]

  redcap-cdisc release build/spms_aza --version 1.0 --name "Elena Marín" --role "data manager" --reason "Final."
"""

application = typer.Typer(
    name="redcap-cdisc",
    help="From a REDCap project to SDTM, ADaM, tables and a submission package, every value traceable to its form.",
    epilog="Exit codes: 0 done; 1 the data or the mapping is not fit; 2 wrong use; 3 REDCap, network or disk failed;"
    " 4 built, but not accepted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class Until(StrEnum):
    """The last stage of a run."""

    snapshot = "snapshot"
    queries = "queries"
    sdtm = "sdtm"
    adam = "adam"
    package = "package"


class ApprovalMeaning(StrEnum):
    """What a person says of a package."""

    built = "built"
    reviewed = "reviewed"
    approved = "approved"
    rejected = "rejected"
    waived = "waived"


class ReleaseKind(StrEnum):
    """Which roles of approvers.yaml a release needs."""

    interim = "interim"
    final = "final"


class RecordsState(StrEnum):
    """Which of a folder's record files is meant."""

    as_entered = "as-entered"
    locked = "locked"


StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A bundled study's name or a study's folder.")]
StudyOption = Annotated[str | None, typer.Option("--study", help="The package's study; a bundled one is recognised.")]
ReleasesOption = Annotated[Path, typer.Option(help="The folder of all releases.", file_okay=False)]
KindOption = Annotated[ReleaseKind, typer.Option(help="Which roles of approvers.yaml must approve.")]
PackageArgument = Annotated[Path, typer.Argument(metavar="PACKAGE", help="Folder of a finished package.", exists=True)]
StudiesOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of studies; without it, the bundled ones.", exists=True, file_okay=False),
]
HomeOption = Annotated[
    Path, typer.Option("--home", metavar="DIR", help="Folder of the builds and of all that the place needs.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what was made as JSON, for programs.")]


def _show_version(wanted: bool) -> None:
    """Print the versions of the installed package and of Python, and end."""
    if wanted:
        import platform
        from importlib.metadata import version

        print(f"redcap-cdisc {version('redcap-cdisc')} (Python {platform.python_version()})")  # noqa: T201
        raise typer.Exit


@application.callback()
def everywhere(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@application.command(epilog=DEMO_EXAMPLES)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes.", file_okay=False)] = Path("build"),
) -> None:
    """Run everything on the synthetic study: sandbox, extract, validate, tabulate, analyse, publish, report."""
    from flows.demo import run_demo

    run_demo(out)


@application.command(epilog=RUN_EXAMPLES)
def run(
    study: StudyArgument,
    source: Annotated[
        str,
        typer.Option(
            help="'api' for the REDCap in study.yaml, a snapshot, a folder of exports or a project's XML;"
            " of a study that begins with SDTM, its folder."
        ),
    ] = "api",
    records: Annotated[
        RecordsState | None, typer.Option(help="Which records of a folder of exports; without it, the locked ones.")
    ] = None,
    cutoff: Annotated[
        str | None,
        typer.Option(help="Data cut-off, YYYY-MM-DD, instead of the study's: dates headers and bounds imputed dates."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the package goes; default build/STUDY.", file_okay=False)
    ] = None,
    until: Annotated[Until, typer.Option(help="Stop after this stage.")] = Until.package,
    group: Annotated[
        str | None, typer.Option(help="Build a part of the study on purpose: the records of one data access group.")
    ] = None,
    previous: Annotated[
        Path | None,
        typer.Option(help="queries.csv or folder of an earlier run: says which queries are new, resolved, how old."),
    ] = None,
    full_load: Annotated[
        bool, typer.Option("--full-load", help="Read all records from REDCap, not only those that changed.")
    ] = False,
    summaries: Annotated[
        bool, typer.Option("--summaries", help="Pages for those who may see no single patient: summaries only.")
    ] = False,
    unblinded: Annotated[
        bool,
        typer.Option("--unblinded", help="Read the real list of treatments, which an unblinding must have opened."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build a study: from its REDCap project, an exported project or a snapshot to the package."""
    import json

    from flows.pipeline import build
    from flows.progress import StagePrinter
    from flows.run_request import RunRequest

    state = records.value if records else None
    request = RunRequest.of(
        study, source, state, cutoff, out, until.value, group, previous, full_load, summaries, unblinded
    )
    printer = StagePrinter(quiet=as_json)
    result = build(request, printer)
    print(json.dumps({**result.as_dict(), "seconds": printer.seconds}, indent=2) if as_json else result.sentence())  # noqa: T201
    raise typer.Exit(result.exit_code)


@application.command(epilog=REPORT_EXAMPLES)
def report(
    study: StudyArgument,
    datasets: Annotated[
        list[Path],
        typer.Option(help="Folder of transport or parquet files, as often as needed.", exists=True, file_okay=False),
    ],
    out: Annotated[Path, typer.Option(help="Where the tables, figures and listings go.", file_okay=False)],
) -> None:
    """Make a study's tables, figures and listings from datasets that are files, of a package or made elsewhere."""
    from flows.reporting import show_report

    show_report(study, datasets, out)


@application.command(epilog=CHECK_EXAMPLES)
def check(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as a JSON list, for programs.")] = False,
) -> None:
    """Check a study's mapping against dictionary, guide and terminology, without records: every problem, its place."""
    from flows.check import show_check

    show_check(study, as_json)


@application.command(epilog=TERMS_EXAMPLES)
def terms(
    name: Annotated[
        str | None, typer.Argument(metavar="[CODELIST|VARIABLE]", help="RACE, LBTESTCD, DM.SEX; all without it.")
    ] = None,
    find: Annotated[str, typer.Option(metavar="TEXT", help="Only terms with this text in value or synonyms.")] = "",
    study: Annotated[str | None, typer.Option(help="Study whose terminology it is; else the package shipped.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Look up terms and test codes: code, submission value, synonyms, and whether the codelist may be extended."""
    from flows.terms import show_terms

    show_terms(name, find, study, as_json)


@application.command(epilog=AGREE_EXAMPLES)
def agree(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The folder of a drafted study.", exists=True, file_okay=False)
    ],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Some of its mappings: ae is sdtm/ae.yaml.")
    ] = None,
    guesses: Annotated[bool, typer.Option("--guesses", help="Agree with guesses as well.")] = False,
) -> None:
    """Agree with what a draft calls likely: its marks become plain comments, and check no longer lists them."""
    from flows.agreeing import show_agreement

    show_agreement(study, files or (), guesses)


@application.command(epilog=DRAFT_EXAMPLES)
def draft(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help=PROJECT_HELP)],
    out: Annotated[Path | None, typer.Option(help="Folder of the new study; default mappings/NAME.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where each field goes, how sure and why.")] = False,
) -> None:
    """Write a study's first mapping from its REDCap project: each line says how sure it is and why."""
    from flows.draft import show_draft

    show_draft(project, out, as_json)


@application.command(epilog=INIT_EXAMPLES)
def init(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The new study's folder.", file_okay=False)],
    project: Annotated[str | None, typer.Option("--from", metavar="PROJECT", help=PROJECT_HELP)] = None,
    forms: Annotated[str | None, typer.Option(help="Our own forms instead: some of dm,ae,cm,mh,vs,ex,ds,lb.")] = None,
) -> None:
    """Begin a study from a REDCap project, or from our forms: a folder that passes the check and builds."""
    from flows.draft import show_begun
    from metadata.errors import UsageError

    if (project is None) == (forms is None):
        raise UsageError("say what the study begins from: --from PROJECT, or --forms dm,ae,...")
    if forms is not None:
        from flows.init import show_init

        return show_init(study, forms)
    show_begun(str(project), study)


@application.command(epilog=DRIFT_EXAMPLES)
def drift(
    study: StudyArgument,
    against: Annotated[
        Path,
        typer.Option(help="The changed project: dictionary, project's XML, folder or ZIP of exports.", exists=True),
    ],
    as_json: JsonOption = False,
) -> None:
    """Say which lines of a study a change of its REDCap project touches, before it goes live; exit 1 if one breaks."""
    from flows.drift import show_drift

    raise typer.Exit(show_drift(study, against, as_json))


@application.command(epilog=MONITOR_EXAMPLES)
def monitor(
    study: StudyArgument,
    source: Annotated[
        str, typer.Option(help="'api' for the REDCap in study.yaml, a snapshot, or a folder of exports (as entered).")
    ] = "api",
    as_of: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day that is judged; today unless it is given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where alerts and report are kept; default build/STUDY-monitoring.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a study's safety plan on the records as entered: alerts, what is overdue, and a report."""
    from flows.monitoring import show_monitoring

    show_monitoring(study, source, as_of, out, as_json)


@application.command(epilog=ACKNOWLEDGE_EXAMPLES)
def acknowledge(
    study: StudyArgument,
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="The alert, as monitor and its report show it.")],
    by: Annotated[str, typer.Option(help="Who acknowledges it.")],
    action: Annotated[str, typer.Option(help="What is done about it.")],
    on: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="The day; today unless it is given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the alerts are kept; default build/STUDY-monitoring.")] = None,
) -> None:
    """Acknowledge an alert of a study's safety monitoring: who, when and what is done."""
    from flows.monitoring import show_acknowledgement

    show_acknowledgement(study, alert, by, action, on, out)


@application.command(epilog=SCHEMA_EXAMPLES)
def schema(
    out: Annotated[Path, typer.Option(help="Folder for the schemas.", file_okay=False)] = Path("schemas"),
) -> None:
    """Write the JSON Schemas of a study's YAML files, for editors that complete and check while one types."""
    from flows.schemas import write_schemas

    write_schemas(out)


@application.command(epilog=PIN_EXAMPLES)
def pin(
    study: StudyArgument,
    package: Annotated[
        Path | None, typer.Option(help="Another package, as NCI publishes it: write its codelists as well and compare.")
    ] = None,
    release: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The date of that package.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write the codelists that a study uses into its folder, so that it runs when its package is shipped no longer."""
    from flows.pin import show_move, show_pin

    if package or release:
        show_move(study, package, release, as_json)
    else:
        show_pin(study, as_json)


@application.command(epilog=SANDBOX_EXAMPLES)
def sandbox(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="Folder of an exported REDCap project.")],
    records: Annotated[RecordsState, typer.Option(help="Which records to serve.")] = RecordsState.locked,
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.", min=0, max=65535)] = 0,
    user: Annotated[str, typer.Option(help="A user of users.csv, whose rights and group the token has.")] = "",
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND[:NAME=VALUE,...]", help="Make requests fail, as often as needed.")
    ] = None,
    doubled_quotes: Annotated[
        bool, typer.Option("--doubled-quotes", help="Double every quote in CSV, also one after a backslash.")
    ] = False,
    instrument: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.zip", help="Add the form of an instrument's ZIP.", exists=True, dir_okay=False),
    ] = None,
    super_token: Annotated[
        bool, typer.Option("--super-token", help="Print a token as well that creates projects.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print address and token as one line of JSON.")] = False,
) -> None:
    """Serve an exported project as a REDCap-compatible API on this machine, until Ctrl-C."""
    from flows.sandbox import SandboxOptions, serve_until_stopped

    added = instrument or ()
    options = SandboxOptions(records.value, port, user, fault or (), doubled_quotes, super_token, added)
    serve_until_stopped(project, options, as_json)


@application.command(epilog=UP_EXAMPLES)
def up(
    studies: StudiesOption = None,
    home: HomeOption = Path("build"),
    port: Annotated[int | None, typer.Option(help="Port of Prefect's pages; 4200 at first.", min=1, max=65535)] = None,
    sandbox_port: Annotated[
        int | None, typer.Option(help="Port of the sandbox; 4201 at first.", min=1, max=65535)
    ] = None,
    pages_port: Annotated[
        int | None, typer.Option(help="Port of the builds' pages; 4202 at first.", min=1, max=65535)
    ] = None,
    notify: Annotated[
        str | None, typer.Option(metavar="URL", help="Where alerts are posted; without it, to a page of the place.")
    ] = None,
) -> None:
    """Start all that data managers need on this machine, and say where to click; done twice it is one place."""
    from flows.place.place import Asked
    from flows.place.showing import show_up

    show_up(home, Asked(studies, port, sandbox_port, pages_port, notify))


@application.command()
def down(home: HomeOption = Path("build")) -> None:
    """Stop what ``up`` started, the runs at work too."""
    from flows.place.showing import show_down

    show_down(home)


@application.command(epilog=DEPLOY_EXAMPLES)
def deploy(
    studies: StudiesOption = None,
    notify: Annotated[
        str, typer.Option(metavar="URL", help="Where alerts are posted; without it, change the block in Prefect.")
    ] = "",
) -> None:
    """Bring deployments and all they need to the Prefect server of PREFECT_API_URL; ``up`` does so to its own."""
    from flows.place.showing import show_deployed

    show_deployed(studies, notify)


@application.command()
def status(home: HomeOption = Path("build"), as_json: JsonOption = False) -> None:
    """Say what runs of what ``up`` started; exit 0 if all of it does, 1 if not."""
    from flows.place.showing import show_status

    raise typer.Exit(show_status(home, as_json))


@application.command(epilog=TRACE_EXAMPLES)
def trace(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="Folder of a finished package.", exists=True)],
    dataset: Annotated[
        str | None, typer.Argument(metavar="[DATASET", help="SDTM or analysis dataset, such as ADLB; or results.")
    ] = None,
    where: Annotated[str | None, typer.Argument(metavar="WHERE]", help=WHERE_HELP)] = None,
    variable: Annotated[str | None, typer.Option(help="Only this variable of the records.")] = None,
    output: Annotated[str | None, typer.Option(help="A table or figure, such as T14.1.2, with --cell.")] = None,
    cell: Annotated[str | None, typer.Option(metavar="'LINE | COLUMN'", help=CELL_HELP)] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow a value or a cell of a table back through the datasets to the REDCap fields it came from."""
    from flows.tracing import show_cell, show_trace
    from metadata.errors import UsageError

    if dataset and where is not None and not (output or cell):
        show_trace(package, dataset, where, variable, as_json)
    elif output and cell and not dataset:
        show_cell(package, output, cell, variable, as_json)
    else:
        raise UsageError("name a DATASET and WHERE, or --output and --cell")


@application.command(epilog=COMPARE_EXAMPLES)
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Dataset (.xpt, .parquet, .csv), folder or package.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The one to compare it with.")],
    key: Annotated[
        list[str] | None, typer.Option(help="Key variable, as often as needed; otherwise what the files declare.")
    ] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(help="How far numbers may be apart: 0.001, 0.1%, or of one variable AVAL=0.001, AVAL=0.1%."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Leave out label, length or format.")] = None,
    values: Annotated[bool, typer.Option("--values", help="Show the differing values, not only their keys.")] = False,
    rows: Annotated[int, typer.Option(help="How many rows of each kind to show.", min=0)] = 10,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison as a page, too.", dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two datasets or packages as PROC COMPARE does; exit 0 if they are equal, 1 if they differ."""
    from flows.comparing import show_comparison

    code = show_comparison(first, second, key or [], tolerance or [], ignore or [], values, rows, as_json, page)
    raise typer.Exit(code)


@application.command(epilog=DEFINE_PAGE_EXAMPLES)
def define_page(
    document: Annotated[Path, typer.Argument(metavar="DEFINE.XML", help="A define.xml, 2.0 or 2.1.", exists=True)],
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("define.html"),
) -> None:
    """Make the page of anybody's define.xml: browsers no longer show one by its stylesheet."""
    from flows.define_page import write_define_page

    write_define_page(document, out)


@application.command(epilog=VERIFY_EXAMPLES)
def verify(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="Folder of a finished package.", exists=True)],
    sha256: Annotated[str, typer.Option(metavar="HASH", help="The manifest's hash, as it was kept elsewhere.")] = "",
    study: StudyOption = None,
    head: Annotated[
        str, typer.Option(metavar="HASH", help="The hash of the approval log's last record, as it was kept elsewhere.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Hash every file of a package again, and check its approvals; exit 0 if all is as it was, 1 with what is not."""
    from flows.verifying import show_verification

    raise typer.Exit(show_verification(package, sha256, study, head, as_json))


@application.command(epilog=APPROVE_EXAMPLES)
def approve(
    package: PackageArgument,
    name: Annotated[str | None, typer.Option(help="Your full name, as approvers.yaml has it.")] = None,
    role: Annotated[str | None, typer.Option(help="The role in which you decide.")] = None,
    meaning: Annotated[ApprovalMeaning | None, typer.Option(help="What you say of the package.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, in a sentence.")] = None,
    item: Annotated[str | None, typer.Option(help="The one query, finding or expectation that is waived.")] = None,
    key: Annotated[Path | None, typer.Option(help="Your private SSH key, which signs; it stays where it is.")] = None,
    study: StudyOption = None,
    releases: ReleasesOption = Path("releases"),
    kind: KindOption = ReleaseKind.final,
    as_json: JsonOption = False,
) -> None:
    """Show what differs from the last release and what is open, and record what you say of the package."""
    from flows.approving import Looked, decision_of, show_approval

    decision = decision_of(name, role, meaning.value if meaning else None, reason, item, key)
    raise typer.Exit(show_approval(Looked(package, study, releases, kind.value), decision, as_json))


@application.command(epilog=UNBLIND_EXAMPLES)
def unblind(
    study: StudyArgument,
    name: Annotated[str, typer.Option(help="Your full name, as approvers.yaml has it.")],
    role: Annotated[str, typer.Option(help="The role in which you decide.")],
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    key: Annotated[Path | None, typer.Option(help="Your private SSH key, which signs; it stays where it is.")] = None,
    close: Annotated[bool, typer.Option("--close", help="Take an unblinding back.")] = False,
) -> None:
    """Open the list of treatments of a blinded study: without this no run reads it."""
    from flows.unblinding import show_unblinding

    raise typer.Exit(show_unblinding(study, (name, role, reason), key, close))


@application.command(epilog=RELEASE_EXAMPLES)
def release(
    package: PackageArgument,
    version: Annotated[str, typer.Option(help="The version of the release, such as 1.0.")],
    name: Annotated[str, typer.Option(help="The full name of the person who releases, as approvers.yaml has it.")],
    role: Annotated[str, typer.Option(help="The role in which this is done.")],
    reason: Annotated[str, typer.Option(help="What the release is for.")],
    key: Annotated[Path | None, typer.Option(help="Your private SSH key, which signs; it stays where it is.")] = None,
    to: ReleasesOption = Path("releases"),
    kind: KindOption = ReleaseKind.final,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy an approved package into the folder of releases, with its log; exit 1 with what is in the way."""
    from flows.approving import Looked, show_release

    by = name, role, reason
    raise typer.Exit(show_release(Looked(package, study, to, kind.value), version, by, key, as_json))


@application.command(epilog=CONFORMANCE_EXAMPLES)
def conformance(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A package, or a folder of datasets: SDTM, ADaM, both.", exists=True),
    ],
    core: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Your CDISC CORE, called as COMMAND VERSION DIR DEFINE|- OUT.json."),
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Study whose conformance.yaml explains findings; a bundled one is recognised.")
    ] = None,
    define: Annotated[
        Path | None, typer.Option(help="define.xml, if it is not the one in the folder of the files.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the verdict; for that of CORE it is DIR.core.", file_okay=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print each dataset and variable of a rule.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge the datasets in a folder by our rules, and by your CDISC CORE; exit 1 if an error is unexplained."""
    from flows.conformance import show_conformance

    raise typer.Exit(show_conformance(folder, core, study, define, out, as_json, everything))


@application.command(epilog=INSPECT_EXAMPLES)
def inspect(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="A package, ours or anyone's.", exists=True)],
    define: Annotated[Path | None, typer.Option(help="define.xml, if it is not in the folder of the files.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a whole package to the points that a receiver asks of; exit 1 if one fails."""
    from flows.inspecting import show_inspection

    raise typer.Exit(show_inspection(package, define, as_json))


def main() -> None:
    """Entry point of the command ``redcap-cdisc``."""
    sys.exit(run_guarded(lambda: application(prog_name="redcap-cdisc")))  # by this name shells complete it
