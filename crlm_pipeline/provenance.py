"""Where a result comes from: the version that made it, the run, and the keys by which equal work is known again.

(The hash of the content is `Warehouse.content_hash`.)
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from crlm_pipeline import resources
from crlm_pipeline.ddl import create_table
from crlm_pipeline.settings import Settings
from schemas.cohort import COHORT_MODELS
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS

DISTRIBUTION: Final = "crlm-pipeline"


def package_version() -> str:
    """Return the installed version of crlm-pipeline."""
    return version(DISTRIBUTION)


def now() -> datetime:
    """Return the time, UTC, without a zone as everywhere in the warehouse."""
    return datetime.now(tz=UTC).replace(tzinfo=None)


def new_run_id(started_at: datetime) -> str:
    """Return an id that sorts by time and that no other run has, e.g. `20260630T041500-1f6c09ab`."""
    return f"{run_stamp(started_at)}-{secrets.token_hex(4)}"


def is_run_id(name: str) -> bool:
    """Whether a name is one that `new_run_id` makes: only such folders are removed where others may lie beside them."""
    return re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{8}", name) is not None


def run_stamp(time: datetime) -> str:
    """Return how the ids of runs begin that start at that time, UTC; the ids of earlier ones sort before it."""
    return f"{time:%Y%m%dT%H%M%S}"


@cache
def reader_key(pseudonym_key_id: str | None) -> str:
    """Return a hash of the code, tables and pseudonyms by which sources are read: it stands for what a file makes."""
    return _hash(
        [package_version(), str(pseudonym_key_id)], [*resources.code_files("extracts"), *resources.reference_files()]
    )


def judgement_key(settings: Settings, as_of: date, last_change: date | None) -> str:
    """Return a hash of what the judged cohort depends on beside the rows of patients: code, knowledge and settings.

    `as_of` matters only where one edition judges every decision, a rolling one as it stood on that day. To the what-if
    of every edition it matters which rules that are; `last_change` is the day on which they last changed.
    """
    told = [
        package_version(),
        str(settings.guidelines),
        str(settings.judge_by),
        settings.side_policy,
        str(settings.grace_days),
        str(settings.windows),
        str(as_of if settings.judge_by else None),
        str(last_change),
        *(create_table(describe(model)) for model in (*EXTRACT_MODELS, *COHORT_MODELS)),
    ]
    statements = [*resources.sql_files("facts"), *resources.sql_files("fact_sources")]
    files = [*resources.code_files("."), *statements, *resources.edition_files(), *resources.reference_files()]
    return _hash(told, files)


def _hash(told: Iterable[str], files: Iterable[Path]) -> str:
    digest = hashlib.sha256("\x00".join(told).encode())
    for path in files:
        digest.update(path.name.encode() + b"\x00" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
