"""The command line. What a command needs is imported inside it, so that `crlm --help` is quick."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crlm_pipeline.errors import UsageError
from flows import cli_knowledge, cli_operation, console
from flows.options import (
    DEFAULT_REPORT,
    DEFAULT_WAREHOUSE,
    DEFAULTS,
    Add,
    AsOf,
    Dispersion,
    Grace,
    Guidelines,
    Json,
    JudgeBy,
    LakeFolder,
    LogFormatOption,
    Mappings,
    MetricsFile,
    Partial,
    PseudonymKeyFile,
    ReportFolder,
    Scheduler,
    Side,
    Sources,
    WarehouseFile,
    settings_told,
)

if TYPE_CHECKING:
    from flows.job import Job
    from flows.logs import Stage

NEXT: Final = """crlm judges how closely a registry of colorectal cancer liver metastases followed the guidelines.

What to do next:
  crlm example DIR            write a small synthetic registry
  crlm check DIR              read and validate it
  crlm run DIR                judge it: writes crlm.duckdb and report/index.html
  crlm run --help             every option; crlm --help lists every command"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(cli_operation.app)
app.add_typer(cli_operation.config_app, name="config")
app.add_typer(cli_knowledge.app)
app.add_typer(cli_knowledge.guideline_app, name="guideline")
app.add_typer(cli_knowledge.mapping_app, name="mapping")

# The commands that the settings are told to as options.
_TOLD: Final = ("run", "ingest", "annotate", "report", "explain", "verify", "status", "upgrade", "backup", "restore")


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where a defect arose.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="Settings for all commands; default: crlm.toml, if here."),
    ] = None,
) -> None:
    """Judge a registry of colorectal cancer liver metastases by the guidelines of the day."""
    context.obj = config
    if config or _is_configured():
        from flows.configuration import Configured

        told = Configured.read(config).told()
        # Click takes what stands here for the options that are not given; those of other commands are passed over.
        context.default_map = {name: told for name in _TOLD}
    if context.invoked_subcommand is None:
        console.say(NEXT)


@app.command()
def run(
    sources: Sources = None,
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    report: ReportFolder = DEFAULT_REPORT,
    as_of: AsOf = None,
    guideline: Guidelines = None,
    judge_by: JudgeBy = None,
    mapping: Mappings = None,
    side_policy: Side = DEFAULTS.side_policy,
    grace_days: Grace = DEFAULTS.grace_days,
    funnel_overdispersion: Dispersion = DEFAULTS.funnel_overdispersion,
    partial: Partial = False,
    add: Add = False,
    pseudonym_key: PseudonymKeyFile = None,
    lake: LakeFolder = None,
    scheduler: Scheduler = None,
    log_format: LogFormatOption = None,
    metrics_file: MetricsFile = None,
    as_json: Json = False,
) -> None:
    """Read a registry, judge every decision, publish the warehouse and write the report."""
    from flows.job import Job
    from flows.watched import watched

    settings = settings_told(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
    if scheduler and not lake:
        raise UsageError("A cluster judges a lake: name its folder with --lake.")
    mappings = tuple(mapping or ())
    job = Job(_named(sources), warehouse, report, mappings, settings, partial, add, pseudonym_key, lake, scheduler)
    with watched(job, log_format, metrics_file) as (named, stages):
        _perform(named, "cohort", stages)
    console.show_summary(warehouse, [f"warehouse {warehouse}", f"report {report / 'index.html'}"], as_json=as_json)


@app.command()
def ingest(
    sources: Sources = None,
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    as_of: AsOf = None,
    mapping: Mappings = None,
    partial: Partial = False,
    add: Add = False,
    pseudonym_key: PseudonymKeyFile = None,
    lake: LakeFolder = None,
) -> None:
    """Read and validate a registry into FILE.next; publishes nothing."""
    from flows.job import Job, ingested_file

    mappings, settings = tuple(mapping or ()), settings_told(as_of)
    job = Job(_named(sources), warehouse, DEFAULT_REPORT, mappings, settings, partial, add, pseudonym_key, lake)
    _perform(job, "ingest")
    console.say(f"ingested {ingested_file(warehouse)}; next: crlm annotate --warehouse {warehouse}")


@app.command()
def annotate(
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    as_of: AsOf = None,
    guideline: Guidelines = None,
    judge_by: JudgeBy = None,
    side_policy: Side = DEFAULTS.side_policy,
    grace_days: Grace = DEFAULTS.grace_days,
    funnel_overdispersion: Dispersion = DEFAULTS.funnel_overdispersion,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Judge what was ingested and publish the warehouse."""
    from flows.job import Job

    settings = settings_told(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
    _perform(Job((), warehouse, DEFAULT_REPORT, settings=settings, scheduler=scheduler), "annotate")
    console.show_summary(warehouse, [f"warehouse {warehouse}"], as_json=as_json)


@app.command()
def report(
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    report: ReportFolder = DEFAULT_REPORT,
    with_cases: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Also list every decision with its reasons: restricted data."),
    ] = None,
    pdf: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Also write a centre's page as PDF, or `all`; may be repeated. Extra: pdf."),
    ] = None,
    restricted: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", readable=False, help="Also write the report with no count hidden: restricted data."
        ),
    ] = None,
) -> None:
    """Write the report of a published warehouse."""
    from crlm_pipeline.report.pdf import write_pdfs
    from flows.job import Job
    from flows.steps import report as write

    if restricted is not None and restricted.resolve() == report.resolve():
        raise UsageError(f"{restricted}: is the folder of the report for sharing. Name another with --restricted.")
    write(Job((), warehouse, report))
    console.say(f"report {report / 'index.html'}")
    for written in write_pdfs(report, pdf) if pdf else ():
        console.say(f"pdf {written}")
    if restricted is not None:
        write(Job((), warehouse, restricted, settings=replace(DEFAULTS, disclosure_threshold=1)))
        console.say(f"restricted report {restricted / 'index.html'}: no count is hidden, not for sharing")
    if with_cases is not None:
        _write_cases(warehouse, with_cases)


def _write_cases(warehouse: Path, folder: Path) -> None:
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.report.cases import write_cases
    from crlm_pipeline.warehouse import Warehouse

    with Warehouse.open_readonly(warehouse) as published:
        write_cases(published, folder, load_editions(), DEFAULTS.headline_guideline)
    console.say(f"cases {folder}: patients' data, not for sharing")


@app.command()
def check(
    sources: Sources = None,
    mapping: Mappings = None,
    corrections: Annotated[
        Path | None,
        typer.Option(metavar="DIR", readable=False, help="Write a list per centre of what to mend: restricted data."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read and validate only: prints what was found; writes nothing but the correction lists, if asked to."""
    from crlm_pipeline.validation import check_evaluated, check_shares, write_corrections
    from flows.findings import findings, findings_text, lists_text
    from flows.steps import read

    ingested = read(_named(sources), mapping or ())
    lists = write_corrections(ingested.corrections, corrections) if corrections else []
    if as_json:
        console.say_json(findings(ingested) | {"corrections": [written._asdict() for written in lists]})
    else:
        console.say(findings_text(ingested))
    if corrections:
        console.warn(lists_text(corrections, lists))
    check_evaluated(ingested)
    check_shares(ingested, DEFAULTS.allowed_rejected_share)


@app.command()
def explain(decision_id: str, warehouse: WarehouseFile = DEFAULT_WAREHOUSE) -> None:
    """Tell why a decision was judged as it was: why this, why not the others, what is missing."""
    from crlm_pipeline.guidelines.explanation import explain_decision
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.warehouse import Warehouse

    with Warehouse.open_readonly(warehouse) as published:
        console.say(explain_decision(published, load_editions(), decision_id))


def _is_configured() -> bool:
    return Path("crlm.toml").is_file() or any(name.startswith("CRLM_") for name in os.environ)


def _named(sources: list[Path] | None) -> tuple[Path, ...]:
    if not sources:
        raise UsageError(
            "Name at least one SOURCE, a file or folder of the registry. "
            "To try it out: `crlm example DIR`, then `crlm run DIR`."
        )
    return tuple(sources)


def _perform(job: "Job", name: str, stages: "list[Stage] | None" = None) -> None:
    """Do the steps of that name: through Prefect where a server is named, else in this process without it.

    To `stages`, those done in this process are added.
    """
    if os.environ.get("PREFECT_API_URL"):
        from importlib import import_module

        from prefect import tags

        from flows.cluster import with_cluster
        from flows.reaping import process_tag

        flow = with_cluster(getattr(import_module(f"flows.{name}"), name), job.scheduler)
        with tags(process_tag()):
            flow(job)
        return
    if job.scheduler:
        raise UsageError("A run on a cluster goes through a Prefect server: name it in PREFECT_API_URL.")
    with _importing():
        from flows.run import run as run_directly
        from flows.steps import RUNS
    with console.progress(len(RUNS[name])) as tell:
        run_directly(job, RUNS[name], tell, stages)


@contextmanager
def _importing() -> Iterator[None]:
    """Keep the collector from looking at what is imported, now and later: it is much, and lives as long as the process.

    That spares a small run a twentieth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def main() -> None:
    """Run a command and end with its exit code."""
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of polars is no Exception, and its message is not to be shown either
        sys.exit(console.exit_code_of(error, is_debug="--debug" in sys.argv[1:2]))
