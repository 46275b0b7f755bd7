"""The commands of who runs the pipeline: nights, how things stand, keeping, settings. Imports as in `flows.cli`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from crlm_pipeline.errors import SourceError, UsageError
from flows import console
from flows.options import (
    DEFAULT_REPORT,
    DEFAULT_WAREHOUSE,
    DEFAULTS,
    AsOf,
    Dispersion,
    DryRun,
    Grace,
    Guidelines,
    Json,
    JudgeBy,
    Partial,
    PseudonymKeyFile,
    ReportFolder,
    Side,
    WarehouseFile,
    settings_told,
)

app = typer.Typer(rich_markup_mode=None)
config_app = typer.Typer(help="What crlm.toml and the environment say once for all commands.", rich_markup_mode=None)


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
    from crlm_pipeline.provenance import now
    from flows import upgrading
    from flows.job import Job

    settings = settings_told(as_of, guideline, judge_by, side_policy, grace_days, funnel_overdispersion)
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
    console.show_summary(upgraded, [changes, *places], as_json=False)


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
    from crlm_pipeline.provenance import now
    from flows.configuration import Configured
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
    from crlm_pipeline.provenance import now
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
    from crlm_pipeline.provenance import now
    from flows.configuration import Configured
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
