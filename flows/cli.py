"""The command line. What a command needs is imported inside it, so that `crlm --help` is quick."""

import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from crlm_pipeline.errors import SourceError, UsageError
from crlm_pipeline.settings import Overdispersion, Settings, SidePolicy
from flows import console

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
guideline_app = typer.Typer(help="The guideline editions that decisions are judged by.", rich_markup_mode=None)
app.add_typer(guideline_app, name="guideline")
config_app = typer.Typer(help="What crlm.toml and the environment say once for all commands.", rich_markup_mode=None)
app.add_typer(config_app, name="config")
mapping_app = typer.Typer(
    help="Mapping files: how a foreign layout becomes the extract contract.", rich_markup_mode=None
)
app.add_typer(mapping_app, name="mapping")

# The readers tell what cannot be read, and how to mend it; Typer need not look (`readable=False`).
Sources = Annotated[
    list[Path] | None, typer.Argument(metavar="SOURCE...", readable=False, help="Files or folders of the registry.")
]
WarehouseFile = Annotated[Path, typer.Option("--warehouse", metavar="FILE", readable=False, help="The DuckDB file.")]
ReportFolder = Annotated[
    Path, typer.Option("--report", metavar="DIR", readable=False, help="The folder of the report.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option(metavar="DATE", formats=["%Y-%m-%d"], help="Day up to which facts count; default: the latest found."),
]
Guidelines = Annotated[
    list[str] | None, typer.Option("--guideline", metavar="ID", help="A series to judge by; may be repeated.")
]
JudgeBy = Annotated[str | None, typer.Option(metavar="EDITION", help="Judge every decision by this one edition.")]
Mappings = Annotated[
    list[Path] | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="How a source maps onto the extract contract, or the name of one that ships; may be repeated.",
    ),
]
Side = Annotated[SidePolicy, typer.Option(help="How the transverse colon is sided.")]
Grace = Annotated[int, typer.Option(metavar="N", min=0, help="Days in which the older edition may count too.")]
Dispersion = Annotated[
    Overdispersion,
    typer.Option("--funnel-overdispersion", help="How funnel limits allow for centres that vary more than chance."),
]
Partial = Annotated[bool, typer.Option("--partial", help="Publish what is left even if too much was rejected.")]
Add = Annotated[
    bool, typer.Option("--add", help="Add the sources to what the warehouse holds; else they are the whole registry.")
]
PseudonymKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--pseudonym-key", metavar="FILE", readable=False, help="Replace ids by pseudonyms made with the key in FILE."
    ),
]
LakeFolder = Annotated[
    Path | None,
    typer.Option(
        "--lake",
        metavar="DIR",
        readable=False,
        help="Keep the rows of patients there as Parquet, not in the warehouse.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Judge a lake on the Dask cluster of this scheduler. Extra: dask."),
]
LogFormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--log-format", help="Log each stage to standard error, a line for each event; default: not at all."),
]
MetricsFile = Annotated[
    Path | None,
    typer.Option("--metrics-file", metavar="FILE", readable=False, help="Write metrics in Prometheus' text format."),
]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; changes nothing.")]

# The commands that the settings are told to as options.
_TOLD: Final = ("run", "ingest", "annotate", "report", "explain", "verify", "status", "upgrade", "backup", "restore")

DEFAULT_WAREHOUSE: Final = Path("crlm.duckdb")
DEFAULT_REPORT: Final = Path("report")
DEFAULTS: Final = Settings()


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

    settings = _settings(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
    if scheduler and not lake:
        raise UsageError("A cluster judges a lake: name its folder with --lake.")
    mappings = tuple(mapping or ())
    job = Job(_named(sources), warehouse, report, mappings, settings, partial, add, pseudonym_key, lake, scheduler)
    with watched(job, log_format, metrics_file) as (named, stages):
        _perform(named, "cohort", stages)
    _show_summary(warehouse, [f"warehouse {warehouse}", f"report {report / 'index.html'}"], as_json=as_json)


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

    mappings, settings = tuple(mapping or ()), _settings(as_of)
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

    settings = _settings(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
    _perform(Job((), warehouse, DEFAULT_REPORT, settings=settings, scheduler=scheduler), "annotate")
    _show_summary(warehouse, [f"warehouse {warehouse}"], as_json=as_json)


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
def nightly(context: typer.Context, as_json: Json = False) -> None:
    """Do what one unattended night does, as crlm.toml says: take in what is complete in the drop zone, and put it away.

    Ends as `crlm run` does; also with 0 where nothing is new.
    """
    from flows.configuration import Configured
    from flows.logs import log_to_stderr
    from flows.nightly import night

    configured = Configured.read(context.obj)
    if configured.configuration.scheduler:
        raise UsageError("A night on a cluster goes through a Prefect server: run its deployment.")
    log_to_stderr(configured.configuration.watching.log_format)
    entry = night(configured)
    if as_json:
        console.say_json(entry.model_dump(mode="json"))
    else:
        counts = ", ".join(f"{count:,} {name}" for name, count in entry.counts.items())
        console.say(f"night {entry.run_id}: {entry.outcome.replace('_', ' ')}; {counts}")
        for alert in entry.alerts:
            console.say(f"{alert.name}: {alert.text}")
    # In JSON, standard error is the log's alone, which has told of it.
    if entry.problem and configured.configuration.watching.log_format == "text":
        console.complain(f"{entry.stage}: {entry.problem}")
    raise typer.Exit(entry.exit_code)


@app.command()
def explain(decision_id: str, warehouse: WarehouseFile = DEFAULT_WAREHOUSE) -> None:
    """Tell why a decision was judged as it was: why this, why not the others, what is missing."""
    from crlm_pipeline.guidelines.explanation import explain_decision
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.warehouse import Warehouse

    with Warehouse.open_readonly(warehouse) as published:
        console.say(explain_decision(published, load_editions(), decision_id))


@app.command()
def verify(warehouse: WarehouseFile = DEFAULT_WAREHOUSE) -> None:
    """Recompute the hashes and the balance of a published warehouse; ends with 3 where it is not as recorded."""
    from crlm_pipeline.verification import verify as verified
    from crlm_pipeline.warehouse import Warehouse

    with Warehouse.open_readonly(warehouse) as published:
        found = list(verified(published))
    for one in found:
        console.say(f"{one.what}: {one.problem or 'as recorded'}")
    if any(one.problem for one in found):
        raise SourceError("is not what its run recorded.", "Restore it from a backup, or run anew.", str(warehouse))


@app.command()
def status(context: typer.Context, warehouse: WarehouseFile = DEFAULT_WAREHOUSE, as_json: Json = False) -> None:
    """Tell what is published, what waits and what is wrong; ends with 6 where something is wrong."""
    from flows import status as stands
    from flows.configuration import Configured

    configuration = Configured.read(context.obj).resolved().model_copy(update={"warehouse": warehouse})
    found = stands.status_of(configuration)
    if as_json:
        console.say_json(stands.as_json(found))
    else:
        console.say(stands.in_words(found))
    if found.wrong:
        raise typer.Exit(stands.SOMETHING_IS_WRONG)


@app.command()
def upgrade(
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    report: ReportFolder = DEFAULT_REPORT,
    as_of: AsOf = None,
    guideline: Guidelines = None,
    judge_by: JudgeBy = None,
    side_policy: Side = DEFAULTS.side_policy,
    grace_days: Grace = DEFAULTS.grace_days,
    funnel_overdispersion: Dispersion = DEFAULTS.funnel_overdispersion,
    partial: Partial = False,
    pseudonym_key: PseudonymKeyFile = None,
    dry_run: DryRun = False,
) -> None:
    """Write a published warehouse anew by this version, from what is on record in it; keeps the replaced file."""
    from flows import upgrading
    from flows.job import Job
    from flows.nightly import now

    settings = _settings(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
    job = Job((), warehouse, report, (), settings, partial, pseudonym_key=pseudonym_key)
    with console.progress(3) as tell:
        if dry_run:
            with upgrading.tried(job, now(), tell) as trial:
                _show_upgrade(trial, ["nothing was published"])
            return
        kept = upgrading.upgrade(job, now(), tell)
    _show_upgrade(warehouse, [f"warehouse {warehouse}", f"replaced {kept}"])


def _show_upgrade(upgraded: Path, places: list[str]) -> None:
    from flows.upgrading import MOVED, moved

    rows = moved(upgraded)
    changes = console.table_text(MOVED, rows) if rows else "every verdict is given as often as before"
    if rows is None:
        changes = "verdicts cannot be compared with those of the file before"
    _show_summary(upgraded, [changes, *places], as_json=False)


@app.command()
def backup(
    context: typer.Context,
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", readable=False, help="Folder of backups; default: keeping.backups.")
    ] = None,
) -> None:
    """Copy a published warehouse, with its lake, and verify the copy."""
    from crlm_pipeline.backups import back_up
    from flows.configuration import Configured
    from flows.nightly import now
    from flows.run import holding

    folder = to or Configured.read(context.obj).resolved().keeping.backups
    if folder is None:
        raise UsageError("Name a folder for backups with --to, or in crlm.toml as keeping.backups.")
    with holding(warehouse):
        console.say(f"backup {back_up(warehouse, folder, now())}")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", readable=False, help="A folder that `backup` wrote.")],
    warehouse: WarehouseFile = DEFAULT_WAREHOUSE,
) -> None:
    """Verify a backup and put it in the place of the published warehouse; keeps the replaced file."""
    from crlm_pipeline.backups import forgets_deletions
    from crlm_pipeline.backups import restore as restored
    from flows.nightly import now
    from flows.run import holding

    with holding(warehouse):
        kept = restored(backup, warehouse, now())
        console.say(f"warehouse {warehouse}\nnext: crlm report --warehouse {warehouse}")
        if kept:
            console.say(f"replaced {kept}")
            if forgets_deletions(warehouse, kept):
                console.warn(
                    "Deletions are on record in the replaced file that the backup does not know: deliver the lists."
                )


@app.command()
def tidy(context: typer.Context, dry_run: DryRun = False) -> None:
    """Remove what is kept only for a time (`keeping.*` in crlm.toml) and what killed runs left behind."""
    from flows.configuration import Configured
    from flows.nightly import now
    from flows.run import holding
    from flows.tidying import removals

    configuration = Configured.read(context.obj).resolved()
    with holding(configuration.warehouse):
        for one in removals(configuration, now()):
            if not dry_run:
                one.remove()
            console.say(f"{'would go' if dry_run else 'gone'}: {one.what}")


@app.command()
def reap() -> None:
    """Mark flow runs whose process is gone as crashed, on the Prefect server and machine of the worker."""
    if not os.environ.get("PREFECT_API_URL"):
        raise UsageError("There is no server to ask. Name it in PREFECT_API_URL.")
    from flows.reaping import reap as crash

    console.say(f"marked as crashed: {crash()}")


@guideline_app.command("list")
def list_editions(as_json: Json = False) -> None:
    """List the editions, with their dates and whether a clinician has signed them."""
    from crlm_pipeline.documentation import EDITION_COLUMNS, edition_rows
    from crlm_pipeline.guidelines.load import load_editions

    rows = edition_rows(load_editions())
    if as_json:
        console.say_json([dict(zip(EDITION_COLUMNS, row, strict=True)) for row in rows])
    else:
        console.say(console.table_text(EDITION_COLUMNS, rows))


@guideline_app.command("show")
def show_edition(edition: str) -> None:
    """Print an edition: its rules, in words, with sources."""
    from crlm_pipeline.documentation import edition_page
    from crlm_pipeline.guidelines.load import load_editions

    console.say(edition_page(load_editions().edition(edition)))


@guideline_app.command("diff")
def diff_editions(
    older: str,
    newer: str,
    warehouse: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="List the decisions of this warehouse that change verdict."),
    ] = None,
) -> None:
    """Print what differs between two editions, rule by rule."""
    from crlm_pipeline.guidelines.comparison import changed_decisions, changes_in_words, compare_editions
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.warehouse import Warehouse

    knowledge = load_editions()
    editions = (knowledge.edition(older), knowledge.edition(newer))
    console.say(changes_in_words(compare_editions(*editions)))
    if warehouse is not None:
        with Warehouse.open_readonly(warehouse) as published:
            columns, rows = changed_decisions(published, knowledge, *editions)
        console.say(console.table_text(columns, rows))


@guideline_app.command("schema")
def edition_json_schema() -> None:
    """Print the JSON Schema of edition files, with which an editor completes them."""
    from crlm_pipeline.guidelines.json_schema import edition_schema

    console.say_json(edition_schema())


@guideline_app.command("review-sheet")
def review_edition(edition: str) -> None:
    """Print a sheet on which a clinician reviews and signs an edition."""
    from crlm_pipeline.guidelines.load import load_editions
    from crlm_pipeline.guidelines.review_sheet import review_sheet

    console.say(review_sheet(load_editions().edition(edition)))


@config_app.command("show")
def show_configuration(context: typer.Context) -> None:
    """Print every setting, what it is and where it is from; secrets are masked."""
    from flows.configuration import Configured, as_toml

    rows = [(one.name, as_toml(one.value), one.origin) for one in Configured.read(context.obj).settings()]
    console.say(console.table_text(("setting", "value", "from"), rows))


@config_app.command("try-alerts")
def try_alerts(context: typer.Context) -> None:
    """Send a message to every address that alerts go to, to see that it arrives."""
    from flows.alerts import try_addresses
    from flows.configuration import Configured

    console.say(f"sent to {try_addresses(Configured.read(context.obj))} addresses")


@config_app.command("template")
def configuration_template() -> None:
    """Print a crlm.toml with every setting, explained."""
    from flows.configuration import template

    console.say(template())


@mapping_app.command("draft")
def mapping_draft(
    source: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A spreadsheet or delimited file.")],
) -> None:
    """Propose a mapping from the headers of a file and its dictionary sheet, if it has one."""
    from crlm_pipeline.extracts.mapping_draft import draft

    console.say(draft(source))


@app.command()
def example(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Write the embedded synthetic registry, about 400 invented patients."""
    from crlm_pipeline import resources

    _make_room(folder)
    for path in sorted(resources.example_folder().glob("*.csv")):
        (folder / path.name).write_bytes(path.read_bytes())
    console.say(f"example {folder}; next: crlm run {folder}")


@app.command()
def synthetic(
    folder: Annotated[Path, typer.Argument(metavar="DIR")],
    patients: Annotated[int, typer.Option(metavar="N", min=1, help="How many patients.")],
    seed: Annotated[int, typer.Option(metavar="S", min=0, help="The same seed gives the same registry.")],
    layout: Annotated[
        str, typer.Option("--format", metavar="NAME", help="Source format to write it in.")
    ] = "canonical",
    plant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An effect to find among centres that are alike; repeatable."),
    ] = None,
    is_alike: Annotated[bool, typer.Option("--alike", help="Let the centres differ in size alone.")] = False,
) -> None:
    """Write a synthetic registry of any size, in any source format that is known."""
    from crlm_pipeline.synthetic import PLANTS, alike, batch_count, found_centres, planted, write_registry, write_sample
    from crlm_pipeline.synthetic.layouts import LAYOUTS

    if layout not in LAYOUTS:
        raise UsageError(f"{layout}: no such source format. Choose one of {', '.join(LAYOUTS)}.")
    if unknown := sorted(set(plant or ()) - PLANTS.keys()):
        raise UsageError(f"{unknown[0]}: no such effect to plant. Choose from {', '.join(PLANTS)}.")
    _make_room(folder)
    centres = found_centres(patients, seed)
    centres, carriers = planted(alike(centres) if plant or is_alike else centres, plant or ())
    if layout == "canonical":
        with console.progress(batch_count(patients)) as tell:
            write_registry(folder, patients, seed, centres, tell)
    else:
        write_sample(folder, patients, seed, layout, centres)
    for name, carrier in carriers.items():
        console.say(f"planted {name} at {carrier}: {PLANTS[name].effect}")
    mappings = "".join(f" --mapping {path}" for path in sorted(folder.glob("*.yaml")))
    console.say(f"synthetic {folder}; next: crlm run {folder}{mappings}")


@app.command()
def dictionary() -> None:
    """Print the data dictionary: every table and column."""
    from crlm_pipeline.documentation import data_dictionary

    console.say(data_dictionary())


def _is_configured() -> bool:
    return Path("crlm.toml").is_file() or any(name.startswith("CRLM_") for name in os.environ)


def _named(sources: list[Path] | None) -> tuple[Path, ...]:
    if not sources:
        raise UsageError(
            "Name at least one SOURCE, a file or folder of the registry. "
            "To try it out: `crlm example DIR`, then `crlm run DIR`."
        )
    return tuple(sources)


def _settings(
    as_of: datetime | None,
    guideline: list[str] | None = None,
    judge_by: str | None = None,
    side_policy: SidePolicy = DEFAULTS.side_policy,
    grace_days: int = DEFAULTS.grace_days,
    funnel_overdispersion: Overdispersion = DEFAULTS.funnel_overdispersion,
) -> Settings:
    return Settings(
        as_of=as_of.date() if as_of else None,
        guidelines=tuple(guideline or ()),
        judge_by=judge_by,
        side_policy=side_policy,
        grace_days=grace_days,
        funnel_overdispersion=funnel_overdispersion,
    )


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
    from flows.run import run as run_directly
    from flows.steps import RUNS

    with console.progress(len(RUNS[name])) as tell:
        run_directly(job, RUNS[name], tell, stages)


def _show_summary(warehouse: Path, places: list[str], *, as_json: bool) -> None:
    from flows.steps import summary

    totals = summary(warehouse)
    if as_json:
        console.say_json(totals)
    else:
        console.say("\n".join([console.summary_text(totals), *places]))


def _make_room(folder: Path) -> None:
    """Make the folder; refuses one that holds a table already, which might be a real registry."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        has_tables = any(folder.glob("*.csv"))
    except OSError as error:
        raise UsageError(f"{folder}: the folder cannot be made ({error.strerror}). Choose another one.") from None
    if has_tables:
        raise UsageError(f"{folder}: the folder holds CSV files already. Choose an empty one.")


def main() -> None:
    """Run a command and end with its exit code."""
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of polars is no Exception, and its message is not to be shown either
        sys.exit(console.exit_code_of(error, is_debug="--debug" in sys.argv[1:2]))
