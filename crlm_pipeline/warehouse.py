"""The warehouse: one DuckDB file with every declared table, built beside the published one and moved into its place."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from time import sleep
from typing import Any, Final, Self
from weakref import finalize

import duckdb
import polars as pl

from crlm_pipeline.content_hash import hash_of_rows
from crlm_pipeline.ddl import SQL_TYPES, comments, create_table, literal, quoted
from crlm_pipeline.errors import CrlmError, SourceError, WarehouseBusyError
from crlm_pipeline.macros import Macro
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.resources import sql
from schemas.archive import ARCHIVE_MODELS, Delivery
from schemas.audit import AUDIT_MODELS, DeliveredColumn, Layout, Run
from schemas.cohort import COHORT_MODELS, FactSource, Recommendation, RequiredTest
from schemas.column import Table, TableDescription, describe
from schemas.extract import EXTRACT_MODELS
from schemas.guideline import GUIDELINE_MODELS
from schemas.layout import LAYOUT
from schemas.mart import MART_VIEWS, PatientTimeline

SCHEMAS: Final = ("extract", "cohort", "guideline", "audit", "mart", "archive")
HASHED_SCHEMAS: Final = ("extract", "cohort", "guideline", "mart")

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
_CATALOG: Final = "crlm"
_BEFORE: Final = "before"

_READ_ONLY: Final = "read_only"
_BUILT: Final = f"storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes'"

_A_MOMENT: Final = 0.05

# Nothing is fetched, and no Python variable is ever taken for a table.
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    # What needs more is laid aside on the disk: with the frames of a bucket beside it, a run stays within 4 GiB.
    "memory_limit": "2GB",
}

_BY_SQL: Final = (
    FactSource,
    Recommendation,
    RequiredTest,
)  # tables or views that a statement of sql/ creates, as it does the marts
_VIEWS_OF_HASHED: Final = {
    (describe(model).schema, describe(model).name) for model in (*_BY_SQL, PatientTimeline, *MART_VIEWS)
}
_TABLES: Final = tuple(
    model
    for model in (*EXTRACT_MODELS, *COHORT_MODELS, *GUIDELINE_MODELS, *AUDIT_MODELS, *ARCHIVE_MODELS)
    if model not in _BY_SQL
)


class Warehouse:
    """An open warehouse. Close it before it is published; as a context manager it closes itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, spill: str) -> None:
        """Take over a connection and its spill folder; callers use `create`, `in_memory` or `open_readonly`."""
        self._connection = connection
        self._found: set[tuple[str, str]] = set()  # relations that are known to be there; none ever goes
        self._remove_spill = finalize(self, shutil.rmtree, spill, ignore_errors=True)

    @classmethod
    def create(cls, path: Path, lake: Path | None = None) -> Self:
        """Build an empty warehouse with every declared table at `path`, replacing what an ended run left there.

        Only the owner may read the file. It is no place to recover from after a crash: a run builds it anew. `lake`:
        the one folder of which it may show files.
        """
        path.unlink(missing_ok=True)
        with owner_only():
            attached = _attach(path, _BUILT, lake)
        return cls(*attached)._with_tables()

    @classmethod
    def in_memory(cls) -> Self:
        """Build an empty warehouse that is gone when it is closed."""
        return cls(*_attach(None, ""))._with_tables()

    @classmethod
    def of_frames(cls, frames: Mapping[type[Table], pl.DataFrame]) -> Self:
        """Build a warehouse in memory of these tables alone, for statements that read no other; nothing is checked."""
        warehouse = cls(*_attach(None, ""))
        for schema in SCHEMAS:
            warehouse._connection.execute(f"create schema {schema}")
        for model, frame in frames.items():
            warehouse._connection.register("incoming", frame)
            warehouse._connection.execute(f"create table {describe(model).qualified_name} as from incoming")
            warehouse._connection.unregister("incoming")
        return warehouse

    @classmethod
    def open_readonly(cls, path: Path) -> Self:
        """Open a published warehouse that has the layout of this version.

        Raises `SourceError` when `path` is not such a warehouse, `WarehouseBusyError` when another program writes to
        it.
        """
        warehouse = cls.open_of_any_layout(path)
        if warehouse.layout != LAYOUT:
            problem = f"an older version wrote the file: it has layout {warehouse.layout}, this version reads {LAYOUT}."
            warehouse.close()
            raise SourceError(problem, f"Run `crlm upgrade --warehouse {path}`.", str(path))
        return warehouse

    @classmethod
    def open_of_any_layout(cls, path: Path) -> Self:
        """Open a published warehouse that this version or an earlier one wrote; it may lack tables and columns.

        Raises as `open_readonly` does.
        """
        if not path.is_file():
            raise SourceError("there is no such warehouse.", _NEW_ONE, str(path))
        try:
            warehouse = cls(*_attach(path, _READ_ONLY))
        except duckdb.Error as error:
            raise _cannot_open(path, error) from None
        if not warehouse._has("audit", "run"):
            warehouse.close()
            raise SourceError("the file is no crlm warehouse.", _NEW_ONE, str(path))
        if warehouse.layout > LAYOUT:
            problem = f"a newer version wrote the file: it has layout {warehouse.layout}, this version reads {LAYOUT}."
            warehouse.close()
            raise SourceError(problem, "Install the version that wrote it, or a later one.", str(path))
        return warehouse

    @property
    def layout(self) -> int:
        """The number of the file's layout (`schemas.layout`); 0: older than the record of deliveries."""
        if self.holds(Layout):
            return int(self.read(Layout).item())
        # What was written before layouts were numbered is told by what it holds.
        if "lake" in self._connection.sql(f"from {describe(Run).qualified_name}").columns:
            return 3
        return 2 if self.holds(DeliveredColumn) else int(self.holds(Delivery))

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        self._connection.close()
        self._remove_spill()

    def checkpoint(self) -> None:
        """Write everything to the file now."""
        self._connection.execute("checkpoint")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def insert(self, model: type[Table], frame: pl.DataFrame, *, is_ordered: bool = False) -> None:
        """Add rows, sorted by the table's key (without one: by every column) so that equal runs write equal files.

        Those that are `is_ordered` are stored as they stand.
        The frame must have exactly the declared columns and types; the database refuses a null in a required column, a
        value outside a vocabulary or a bound. All of these would be defects of ours.
        """
        table = describe(model)
        assert dict(frame.schema) == table.polars_schema, _differing(frame, table)
        assert not table.key or not frame.select(table.key).is_duplicated().any(), (
            f"{table.qualified_name}: key is not unique"
        )
        if not self._has(table.schema, table.name):
            self._create_table(model)
        # Sorted here, as the database takes several times as long for it, and much memory.
        order = table.key or [column.name for column in table.columns]
        self._connection.register("incoming", frame if is_ordered else frame.sort(order, nulls_last=True))
        self._connection.execute(f"insert into {table.qualified_name} by name from incoming")
        self._connection.unregister("incoming")

    def insert_rows(self, model: type[Table], statement: str) -> int:
        """Add the rows of a statement as they stand, by the names of their columns; return how many."""
        table = describe(model).qualified_name
        return int(self._connection.execute(f"insert into {table} by name {statement}").fetchall()[0][0])

    def read(self, model: type[Table], among: pl.DataFrame | None = None) -> pl.DataFrame:
        """Return a table with its declared columns, in the order in which it was stored.

        `among`: only the rows whose key is one of these; its columns are columns of the table. A column that an older
        version did not write is unknown, unless it is required.
        """
        table = describe(model)
        stored = self._connection.sql(f"from {table.qualified_name}").columns
        columns = ", ".join(
            quoted(column.name)
            if column.required or column.name in stored
            else f"null::{SQL_TYPES[column.dtype]} as {quoted(column.name)}"
            for column in table.columns
        )
        if among is None:
            return self._connection.sql(f"from {table.qualified_name} select {columns}").pl()
        self._connection.register("among", among)
        key = ", ".join(map(quoted, among.columns))
        rows = self._connection.sql(f"from {table.qualified_name} semi join among using ({key}) select {columns}").pl()
        self._connection.unregister("among")
        return rows

    def count(self, model: type[Table]) -> int:
        """Return the number of rows of a table."""
        return int(self._connection.sql(f"from {describe(model).qualified_name}").count("*").fetchall()[0][0])

    def holds(self, model: type[Table]) -> bool:
        """Whether the file has the table; one that an older version wrote may lack it."""
        table = describe(model)
        return self._has(table.schema, table.name)

    def query(self, sql_name: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of the statement `sql/<sql_name>.sql`; every `$name` in it must be given."""
        # con.sql, not con.execute: only its result still has .pl() in DuckDB 2.
        return self._connection.sql(sql(sql_name), params=parameters or None).pl()

    def query_of(self, sql_name: str, rows_of: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of `sql/<sql_name>.sql`, which reads those of `sql/<rows_of>.sql` as `member`."""
        statement = f"with member as ({sql(rows_of)})\nselect * from ({sql(sql_name)})"
        return self._connection.sql(statement, params=parameters or None).pl()

    def execute(self, sql_name: str, **parameters: Any) -> None:
        """Run the statement `sql/<sql_name>.sql` for its effect."""
        self._connection.execute(sql(sql_name), parameters or None)

    def register(self, name: str, frame: pl.DataFrame) -> None:
        """Let statements read a frame as table `name` while the warehouse is open; it is not stored."""
        self._connection.register(name, frame)

    def register_query(self, name: str, sql_name: str, **parameters: Any) -> None:
        """Let statements read the rows of `sql/<sql_name>.sql` as table `name` while the warehouse is open."""
        self._connection.execute(f"create or replace temp table {quoted(name)} as {sql(sql_name)}", parameters or None)

    def define(self, name: str, statement: str) -> None:
        """Let statements read the rows of another as table `name` while the warehouse is open; nothing is stored."""
        self._connection.execute(f"create or replace temp view {quoted(name)} as {statement}")

    def side_by_side(self, model: type[Table]) -> list[str]:
        """Let statements read a table as `<table>_now`, and that of the warehouse before as `<table>_before`.

        Both have the columns that both hold, which are returned: none where the warehouse before, if there is one,
        lacks the table. Nothing is stored.
        """
        table = describe(model)
        if (table.schema, table.name) not in self._relations((table.schema,), _BEFORE):
            return []
        stored = self._connection.sql(f"from {_BEFORE}.{table.qualified_name}").columns
        both = [column.name for column in table.columns if column.name in stored]
        for catalog, when in ((_CATALOG, "now"), (_BEFORE, "before")):
            columns = ", ".join(map(quoted, both))
            self.define(f"{table.name}_{when}", f"from {catalog}.{table.qualified_name} select {columns}")
        return both

    def build_mart(self, model: type[Table], sql_name: str, **parameters: Any) -> None:
        """Create a table or view by `sql/<sql_name>.sql`, with the declared columns and types, and comment it."""
        self.execute(sql_name, **parameters)
        self._declare(describe(model))

    def build_view(self, model: type[Table], statement: str) -> None:
        """Create a view of a statement that was put together, with the declared columns and types, and comment it."""
        table = describe(model)
        self._connection.execute(f"create view {table.qualified_name} as {statement}")
        self._declare(table)

    def _declare(self, table: TableDescription) -> None:
        made = self._connection.sql(f"from {table.qualified_name}")
        expected = [(column.name, SQL_TYPES[column.dtype]) for column in table.columns]
        actual = list(zip(made.columns, map(str, made.types), strict=True))
        name = table.qualified_name
        assert actual == expected, f"{name} is made with {sorted(set(actual) ^ set(expected)) or 'another order'}"
        self._comment(table)

    def create_view(self, model: type[Table], sql_name: str) -> None:
        """Create the view that `sql/<sql_name>.sql` defines and comment it."""
        self.build_mart(model, sql_name)

    def show_files(self, model: type[Table], files: str, *, is_repeated: bool = False) -> None:
        """Put a view of Parquet files in the place of an empty table; `is_repeated`: equal rows are shown once."""
        table = describe(model)
        # Qualified, as a macro that reads the view may have a parameter of the same name.
        columns = ", ".join(f"row.{quoted(column.name)}" for column in table.columns)
        rows = f"from read_parquet({literal(files)}) as row select {'distinct ' if is_repeated else ''}{columns}"
        self._connection.execute(f"drop table {table.qualified_name}")
        self._connection.execute(f"create view {table.qualified_name} as {rows}")
        self._comment(table)

    def create_macro(self, macro: Macro) -> None:
        """Store a macro with its comment; whoever opens the file may call it."""
        self._connection.execute(macro.definition)
        kind = "macro" if macro.is_value else "macro table"
        self._connection.execute(f"comment on {kind} {macro.qualified_name} is {literal(macro.comment)}")

    def content_hash(self) -> str:
        """Return a SHA-256 over the rows of extract, cohort, guideline and mart, whatever their order.

        Names and types of the columns count, null and empty text differ, and tables and views with equal rows are
        equal, in any process. The views that sql/ defines hold nothing of their own and are left out.
        """
        digest = hashlib.sha256()
        for schema, name in (found for found in self._relations() if found not in _VIEWS_OF_HASHED):
            rows = self._connection.sql(f"from {quoted(schema)}.{quoted(name)}")
            columns = list(zip(rows.columns, map(str, rows.types), strict=True))
            sums = rows.aggregate(hash_of_rows(columns)).fetchone()
            digest.update(f"{schema}.{name}:{columns}:{sums}\n".encode())
        return digest.hexdigest()

    def _with_tables(self) -> Self:
        for schema in SCHEMAS:
            self._connection.execute(f"create schema {schema}")
        for model in _TABLES:
            self._create_table(model)
        self.insert(Layout, pl.DataFrame({"layout": [LAYOUT]}, schema=describe(Layout).polars_schema))
        return self

    def _create_table(self, model: type[Table]) -> None:
        table = describe(model)
        self._connection.execute(create_table(table))
        self._comment(table)

    def _comment(self, table: TableDescription) -> None:
        for statement in comments(table):
            self._connection.execute(statement)

    def _has(self, schema: str, name: str) -> bool:
        if (schema, name) not in self._found:
            self._found = set(self._relations(SCHEMAS))
        return (schema, name) in self._found

    def _relations(self, schemas: tuple[str, ...] = HASHED_SCHEMAS, catalog: str = _CATALOG) -> list[tuple[str, str]]:
        """Return schema and name of every table and view of these schemas, sorted; none of a catalog that is absent."""
        return self._connection.execute(
            """
            with relation as (
                select database_name, schema_name, table_name from duckdb_tables()
                union all
                select database_name, schema_name, view_name from duckdb_views()
            )
            select schema_name, table_name
            from relation
            where database_name = $catalog and schema_name in (select unnest($schemas))
            order by schema_name, table_name
            """,
            {"schemas": list(schemas), "catalog": catalog},
        ).fetchall()


@contextmanager
def building(
    path: Path, start_from: Path | None = None, lake: Path | None = None, before: Path | None = None
) -> Iterator[Warehouse]:
    """Yield a new warehouse at `path`, or a copy of `start_from`; on leaving, it is written whole and closed.

    `lake`: the one folder of which a new warehouse may show files; a copy shows those of the warehouse copied.
    `before`: a published warehouse that a copy may be compared with (`side_by_side`).

    What an ended run left at `path` is replaced. Raises `SourceError` when the disk is full or a limit is reached:
    DuckDB's own close would end without a word and leave an empty file.
    """
    with _told_of_the_disk(path), _writable(path, start_from, lake, before) as warehouse:
        yield warehouse
        warehouse.checkpoint()


def compact(built: Path, path: Path) -> None:
    """Write a closed warehouse anew at `path`: nothing of what was deleted from it is left between its rows.

    Tables, views, macros and comments are as they were. What an ended run left at `path` is replaced. Raises
    `SourceError` when the disk is full or a limit is reached.
    """
    path.unlink(missing_ok=True)
    spill = _spill_folder(path, _BUILT)
    try:
        with (
            _told_of_the_disk(path),
            owner_only(),
            duckdb.connect(config=_CONFIG | {"temp_directory": spill}) as writer,
        ):
            writer.execute(f"attach {literal(str(built))} as {_CATALOG} ({_READ_ONLY})")
            writer.execute(f"attach {literal(str(path))} as compacted ({_BUILT})")
            writer.execute(f"use {_CATALOG}")
            if lake := _lake_on_record(writer, _CATALOG):
                writer.execute(f"set allowed_directories = [{_there(lake, built)}]")
            writer.execute("set enable_external_access = false")
            writer.execute(f"copy from database {_CATALOG} to compacted")
            writer.execute("checkpoint compacted")
    finally:
        shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def _told_of_the_disk(path: Path) -> Iterator[None]:
    """Tell of a disk that refuses as `SourceError`, without the rest of its words."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        reason = next((words for words in _SYSTEM_REASONS if words in str(error)), None)
        if reason is None:
            raise
        problem = f"the warehouse cannot be written ({reason.lower()})."
        raise SourceError(problem, "Make room, or choose another place with --warehouse.", str(path)) from None


def _writable(path: Path, start_from: Path | None, lake: Path | None, before: Path | None) -> Warehouse:
    if start_from is None:
        return Warehouse.create(path, lake)
    path.unlink(missing_ok=True)
    with owner_only():
        shutil.copyfile(start_from, path)
    return Warehouse(*_attach(path, "recovery_mode 'no_wal_writes'", before=before))


@contextmanager
def lock(target: Path) -> Iterator[None]:
    """Hold the right to write the warehouse `target`; the system gives it back even if the process is killed.

    Raises `WarehouseBusyError` at once when another run has it. The lock file stays: removing it would let two runs in.
    """
    try:
        descriptor = os.open(_lock_file(target), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        problem = f"its folder cannot be written to ({error.strerror})."
        raise SourceError(problem, "Create the folder or choose another place with --warehouse.", str(target)) from None
    if not _takes_in_a_moment(descriptor):
        os.close(descriptor)
        message = (
            f"{target}: another run holds the warehouse. Wait until it ends, or choose another file with --warehouse."
        )
        raise WarehouseBusyError(message)
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(target: Path) -> bool:
    """Whether a run holds the right to write the warehouse `target`; one that starts just now is not kept from it."""
    try:
        descriptor = os.open(_lock_file(target), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _takes(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _takes_in_a_moment(descriptor: int) -> bool:
    """Take the right; once more after a moment, as `is_held` may have been looking."""
    if _takes(descriptor, fcntl.LOCK_EX):
        return True
    sleep(_A_MOMENT)
    return _takes(descriptor, fcntl.LOCK_EX)


def _takes(descriptor: int, right: int) -> bool:
    try:
        fcntl.flock(descriptor, right | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(target: Path) -> Path:
    return _beside(target, ".lock")


def publish(built: Path, target: Path) -> None:
    """Put a closed warehouse in the place of `target` in one step; those who have the old one open keep reading it."""
    built.chmod(0o600)
    flush(built)
    # A writer that died left a log of its changes to the old file; it must not be replayed into the new one.
    _beside(target, ".wal").unlink(missing_ok=True)
    built.replace(target)
    flush(target.parent)


def flush(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _attach(
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
        connection.execute(f"attach {place} as {_CATALOG} ({options})" if options else f"attach {place} as {_CATALOG}")
        shown = [(path, lake or _lake_on_record(connection, _CATALOG))]
        if before:
            connection.execute(f"attach {literal(str(before))} as {_BEFORE} ({_READ_ONLY})")
            shown.append((before, _lake_on_record(connection, _BEFORE)))
        connection.execute(f"use {_CATALOG}")
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
    if path is None or options == _READ_ONLY:
        return mkdtemp(prefix="crlm-")
    prefix = f".{path.name}-spill-"
    for left_behind in path.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    return mkdtemp(prefix=prefix, dir=path.parent)


# Words of DuckDB's errors, what they mean and what to do. The rest of its text may name processes; it is not repeated.
_NEW_ONE: Final = "Name a file that `crlm run` has written."
_UNREADABLE: Final = (
    ("not a valid DuckDB", "the file is not a DuckDB database.", _NEW_ONE),
    ("version number", "the file was written by another version of DuckDB.", "Write it anew with `crlm run`."),
    ("Corrupt", "the file is damaged.", "Write it anew with `crlm run`."),
    ("enough bytes", "the file is damaged.", "Write it anew with `crlm run`."),
    ("", "the file cannot be read.", "Check that you may read it, or write it anew with `crlm run`."),
)


def _cannot_open(path: Path, error: duckdb.Error) -> CrlmError:
    text = str(error)
    if "set lock" in text:
        return WarehouseBusyError(
            f"{path}: another program has the warehouse open for writing. Close it and try again."
        )
    problem, remedy = next((problem, remedy) for words, problem, remedy in _UNREADABLE if words in text)
    return SourceError(problem, remedy, str(path))


def _differing(frame: pl.DataFrame, table: TableDescription) -> str:
    given, declared = frame.schema, table.polars_schema
    names = sorted(name for name in given.keys() | declared.keys() if given.get(name) != declared.get(name))
    return f"{table.qualified_name}: columns differ from the declared ones: {', '.join(names)}"


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
