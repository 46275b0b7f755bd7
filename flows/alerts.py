"""Tells people what is wrong with an unattended run: all of it in one message, and nothing of a patient.

An alert is told when it arises, once a day while it lasts, and when it is over. Not to reach anybody is no reason to
fail: it is logged and put on record, and the next run tells it again.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from socket import gethostname
from typing import Final

from crlm_pipeline.errors import SourceError, UsageError
from crlm_pipeline.owner_only import read_secret
from crlm_pipeline.printable import printable_lines
from crlm_pipeline.quality_loss import in_words
from crlm_pipeline.settings import Settings
from crlm_pipeline.verdict_shift import verdict_shift_alerts
from crlm_pipeline.warehouse import Warehouse
from flows.configuration import Configured, Watching
from flows.journal import LASTING, Alert, AlertKind, Entry, Lasting, Outcome, entries, journal_file, lasting, utc
from schemas.audit import QualityLoss

# A reminder a day, also where a night starts somewhat earlier than the one before.
REMIND_AFTER: Final = timedelta(hours=20)
RETRIES: Final = 2
RETRY_SECONDS: Final = 5.0

REMEDIES: Final[Mapping[AlertKind, str]] = {
    "failure": "Mend what it names; the next run tries again. What was published before stays.",
    "rejected_share": "Send each centre its list: crlm check SOURCE... --corrections DIR.",
    "missing_drop": "Ask the source for its delivery, or change drops.expected_days.",
    "rejected_drop": "Have the file delivered anew as the sentence says; it lies in the folder for rejected files.",
    "data_quality": "Look at the column in the report's page on data quality, and ask who delivers it what changed.",
    "verdict_shift": "Read in audit.verdict_shift what moved, and why, before the report is passed on.",
}

# How apprise marks the message, for services that show it.
_KINDS: Final[Mapping[Outcome, str]] = {"failed": "failure", "published": "warning", "nothing_new": "warning"}

_log: Final = logging.getLogger("crlm.alerts")


def notify(configured: Configured, entry: Entry) -> Entry:
    """Tell the addresses of the settings what is wrong with a run; return its entry with all alerts, to be recorded.

    To the alerts that the entry holds, those that follow from it are added: that it failed, and that much was rejected.
    Never raises for what stands in the way of a message.
    """
    settings = configured.resolved()
    watching, warehouse = settings.watching, settings.warehouse
    entry = entry.model_copy(update={"alerts": (*entry.alerts, *alerts_of(entry, watching))})
    earlier = entries(warehouse)
    if not _is_to_be_told(entry, earlier):
        return entry
    try:
        addresses = _addresses(watching)
    except UsageError as error:
        _log.error("alerts reach nobody: %s", error)
        return entry.model_copy(update={"addresses_missed": 1})
    missed = _missed(addresses, _subject(warehouse, entry), message(warehouse, entry, earlier), _KINDS[entry.outcome])
    reached = len(addresses) - len(missed)
    for number in missed:
        _log.error("the alerts did not reach address %d of %d", number, len(addresses))
    return entry.model_copy(update={"addresses_reached": reached, "addresses_missed": len(missed)})


def try_addresses(configured: Configured) -> int:
    """Send a message that says it is a trial to every address, and return how many there are.

    Raises `UsageError` when there is none or their file may not be used, `SourceError` when one is not reached.
    """
    settings = configured.resolved()
    addresses = _addresses(settings.watching)
    if not addresses:
        raise UsageError("Alerts go to nobody. Name an address in CRLM_WATCHING__NOTIFY or watching.notify_file.")
    text = f"This is a trial: alerts of {settings.warehouse.name} will reach you."
    if missed := _missed(addresses, f"crlm on {gethostname()}: a trial", text, "info"):
        numbers = ", ".join(map(str, missed))
        problem = f"not reached: number {numbers} of {len(addresses)}."
        raise SourceError(problem, "Check what is written there, and that this machine may call it.", "addresses")
    return len(addresses)


def alerts_of(entry: Entry, watching: Watching) -> Iterator[Alert]:
    """Yield the alerts that follow from how a run ended: it failed, or more was rejected than the setting allows."""
    if entry.outcome == "failed":
        yield Alert(kind="failure", text=entry.problem or "the run ended without saying why.")
    counts = entry.counts
    for scope, part, whole in (
        ("rows", counts.get("rows_rejected", 0) - counts.get("rows_deleted", 0), _rows(counts)),
        ("cells", counts.get("cells_rejected", 0), counts.get("cells_filled", 0) + counts.get("cells_rejected", 0)),
    ):
        if part > watching.rejected_share * whole:
            text = f"{part / whole:.1%} of the {scope} were rejected, more than {watching.rejected_share:.1%}."
            yield Alert(kind="rejected_share", text=text, about=scope)


def published_alerts(warehouse: Path) -> Iterator[Alert]:
    """Yield the alerts that the published run put on record: where the data got worse, which verdicts moved."""
    with Warehouse.open_readonly(warehouse) as published:
        losses = published.read(QualityLoss)
        moved = verdict_shift_alerts(published, Settings())
    for table, text in in_words(losses).items():
        yield Alert(kind="data_quality", text=text, about=table)
    if moved:
        yield Alert(kind="verdict_shift", text=" ".join(moved))


def _rows(counts: Mapping[str, int]) -> int:
    """Return the rows read, but for those of deleted patients."""
    return counts.get("rows_read", 0) - counts.get("rows_deleted", 0)


def message(warehouse: Path, entry: Entry, earlier: Sequence[Entry]) -> str:
    """Return the text of a message: the run, each alert with what to do, and what is over."""
    stage = f" in {entry.stage}" if entry.stage else ""
    outcome = entry.outcome.replace("_", " ")
    lines = [f"Run {entry.run_id} of {warehouse.name}, ended {utc(entry.ended_at)}: {outcome}{stage}."]
    if entry.exit_code:
        lines[0] += f" Exit code {entry.exit_code}."
    since = {one.alert.key: f", since {utc(one.since)}" for one in lasting(earlier)}
    for alert in (*entry.alerts, *_untold(earlier)):
        lines += ["", f"{alert.name}{since.get(alert.key, '')}: {alert.text}", f"  Do: {REMEDIES[alert.kind]}"]
    for one in _over(entry, earlier):
        lines += ["", f"Over: {one.alert.name}, since {utc(one.since)}."]
    lines += ["", f"`crlm status` tells how things stand; {journal_file(warehouse).name} holds every run."]
    return printable_lines("\n".join(lines))


def _subject(warehouse: Path, entry: Entry) -> str:
    return f"crlm on {gethostname()}: {warehouse.name} {entry.outcome.replace('_', ' ')}"


def _is_to_be_told(entry: Entry, earlier: Sequence[Entry]) -> bool:
    """Whether an alert has not been told lately, or one of those that were lasting is over."""
    lately = {
        alert
        for one in earlier
        if one.addresses_reached and one.ended_at > entry.ended_at - REMIND_AFTER
        for alert in one.alerts
        if alert.kind in LASTING
    }
    return bool(set(entry.alerts) - lately or _untold(earlier) or _over(entry, earlier))


def _untold(earlier: Sequence[Entry]) -> list[Alert]:
    """Return what earlier runs alone had to tell, and nobody was reached since."""
    since_reached = takewhile(lambda one: not one.addresses_reached, reversed(earlier))
    missed = [alert for one in since_reached if one.addresses_missed for alert in one.alerts]
    return [alert for alert in dict.fromkeys(reversed(missed)) if alert.kind not in LASTING]


def _over(entry: Entry, earlier: Sequence[Entry]) -> list[Lasting]:
    still = {one.alert.key for one in lasting([*earlier, entry])}
    return [one for one in lasting(earlier) if one.alert.key not in still]


def _addresses(watching: Watching) -> list[str]:
    """Return the addresses of the settings and of the file that they name.

    Raises `UsageError` when the file cannot be read, or others may read it.
    """
    addresses = [address.get_secret_value() for address in watching.notify]
    if watching.notify_file:
        lines = read_secret(watching.notify_file, "the addresses of alerts").decode(errors="replace").splitlines()
        addresses += [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return addresses


def _missed(addresses: Sequence[str], subject: str, body: str, kind: str) -> list[int]:
    """Send a message and return the numbers, from 1, of the addresses that it did not reach."""
    if not addresses:
        return []
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415  # slow to import, and most nights have nothing to tell

    asset = AppriseAsset(
        app_id="crlm", storage_mode="memory", default_service_retry=RETRIES, default_service_wait=RETRY_SECONDS
    )
    missed = []
    with _without_addresses_in_the_log():
        for number, address in enumerate(addresses, start=1):
            service = Apprise(asset=asset)
            if not (service.add(address) and service.notify(body, subject, kind)):
                missed.append(number)
    return missed


@contextmanager
def _without_addresses_in_the_log() -> Iterator[None]:
    """Keep apprise silent meanwhile: what it logs of a failure names hosts and may hold the answer of a service."""
    logger = logging.getLogger("apprise")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
