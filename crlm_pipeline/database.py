"""A DuckDB file: opened so that it reads nothing else, compacted, and what its errors mean."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import duckdb

from crlm_pipeline.ddl import literal
from crlm_pipeline.errors import CrlmError, SourceError, WarehouseBusyError
from crlm_pipeline.owner_only import owner_only

# DuckDB 1.2 and everything later, 2.x included, reads this layout.
STORAGE_VERSION: Final = "v1.2.0"

# The system's words inside the errors of a disk that refuses; the rest of their text may name values of a row.
_SYSTEM_REASONS: Final = (
    "File too large",
    "No space left on device",
    "Disk quota exceeded",
    "Permission denied",
    "Read-only",
)

# A fixed alias: a file called cohort.duckdb would otherwise make `cohort.decision` ambiguous.
CATALOG: Final = "crlm"
BEFORE: Final = "before"

READ_ONLY: Final = "read_only"
BUILT: Final = f"storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes'"

# Nothing is fetched, and no Python variable is ever taken for a table.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    # What needs more is laid aside on the disk: with the frames of a bucket beside it, a run stays within 4 GiB.
    "memory_limit": "2GB",
}


def attach(
    path: Path | None, options: str, lake: Path | None = None, before: Path | None = None
) -> tuple[duckdb.DuckDBPyConnection, str]:
    """Open a file (none: memory) as the catalog; return the connection and the folder for what memory cannot hold.

    `before` is opened beside it, to be read alone. From then on no statement reads or writes any other file, but those
    of their lakes, fetches anything, or changes these settings.
    """
    spill = _spill_folder(path, options)
    connection = duckdb.connect(config=_CONFIG | {"temp_directory": spill})
    place = literal(str(path) if path else ":memory:")
    try:
        connection.execute(f"attach {place} as {CATALOG} ({options})" if options else f"attach {place} as {CATALOG}")
        shown = [(path, lake or _lake_on_record(connection, CATALOG))]
        if before:
            connection.execute(f"attach {literal(str(before))} as {BEFORE} ({READ_ONLY})")
            shown.append((before, _lake_on_record(connection, BEFORE)))
        connection.execute(f"use {CATALOG}")
        if folders := [_there(folder, file) for file, folder in shown if folder]:
            connection.execute(f"set allowed_directories = [{', '.join(folders)}]")
    except (duckdb.Error, SourceError):
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)
        raise
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection, spill


def _there(lake: Path, warehouse: Path | None) -> str:
    """Return the folder of a lake, which must be there, as the database is told it."""
    if not lake.is_dir():
        problem = f"the lake with its rows is not there: {lake}."
        raise SourceError(problem, "Put the folder back, or remove the warehouse and run anew.", str(warehouse))
    return literal(f"{lake}{os.sep}")


def _lake_on_record(connection: duckdb.DuckDBPyConnection, catalog: str) -> Path | None:
    """Return the folder of which the warehouse shows files; None where it holds all rows, is older, or is none."""
    try:
        found = connection.execute(f"from {catalog}.audit.run select lake").fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
    return Path(found[0]) if found and found[0] else None


def _spill_folder(path: Path | None, options: str) -> str:
    """Make a folder that only the owner may read: beside a file that is built, else among the system's temporary ones.

    DuckDB's own choice would be `.tmp` in the current folder, for all to read. What a killed build left is removed.
    """
    if path is None or options == READ_ONLY:
        return mkdtemp(prefix="crlm-")
    prefix = f".{path.name}-spill-"
    for left_behind in path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    return mkdtemp(prefix=prefix, dir=path.parent)


# Words of DuckDB's errors, what they mean and what to do. The rest of its text may name processes; it is not repeated.
NEW_ONE: Final = "Name a file that `crlm run` has written."
_UNREADABLE: Final = (
    ("not a valid DuckDB", "the file is not a DuckDB database.", NEW_ONE),
    ("version number", "the file was written by another version of DuckDB.", "Write it anew with `crlm run`."),
    ("Corrupt", "the file is damaged.", "Write it anew with `crlm run`."),
    ("enough bytes", "the file is damaged.", "Write it anew with `crlm run`."),
    ("", "the file cannot be read.", "Check that you may read it, or write it anew with `crlm run`."),
)


def cannot_open(path: Path, error: duckdb.Error) -> CrlmError:
    """Return what to raise when a file could not be opened."""
    text = str(error)
    if "set lock" in text:
        return WarehouseBusyError(
            f"{path}: another program has the warehouse open for writing. Close it and try again."
        )
    problem, remedy = next((problem, remedy) for words, problem, remedy in _UNREADABLE if words in text)
    return SourceError(problem, remedy, str(path))


def compact(built: Path, path: Path) -> None:
    """Write a closed warehouse anew at `path`: nothing of what was deleted from it is left between its rows.

    Tables, views, macros and comments are as they were. What an ended run left at `path` is replaced. Raises
    `SourceError` when the disk is full or a limit is reached.
    """
    path.unlink(missing_ok=True)
    spill = _spill_folder(path, BUILT)
    try:
        with (
            told_of_the_disk(path),
            owner_only(),
            duckdb.connect(config=_CONFIG | {"temp_directory": spill}) as writer,
        ):
            writer.execute(f"attach {literal(str(built))} as {CATALOG} ({READ_ONLY})")
            writer.execute(f"attach {literal(str(path))} as compacted ({BUILT})")
            writer.execute(f"use {CATALOG}")
            if lake := _lake_on_record(writer, CATALOG):
                writer.execute(f"set allowed_directories = [{_there(lake, built)}]")
            writer.execute("set enable_external_access = false")
            writer.execute(f"copy from database {CATALOG} to compacted")
            writer.execute("checkpoint compacted")
    finally:
        shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def told_of_the_disk(path: Path) -> Iterator[None]:
    """Tell of a disk that refuses as `SourceError`, without the rest of its words."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        reason = next((words for words in _SYSTEM_REASONS if words in str(error)), None)
        if reason is None:
            raise
        problem = f"the warehouse cannot be written ({reason.lower()})."
        raise SourceError(problem, "Make room, or choose another place with --warehouse.", str(path)) from None
