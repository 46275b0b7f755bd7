"""The warehouse: one DuckDB file with every declared table, built beside the published one and moved into its place."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self
from weakref import finalize

import duckdb
import polars as pl

from crlm_pipeline.content_hash import hash_of_rows
from crlm_pipeline.database import BEFORE, BUILT, CATALOG, NEW_ONE, READ_ONLY, attach, cannot_open, told_of_the_disk
from crlm_pipeline.ddl import SQL_TYPES, comments, create_table, literal, quoted
from crlm_pipeline.errors import SourceError
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
    def create(cls, path: Path, lake: Path | None = None, before: Path | None = None) -> Self:
        """Build an empty warehouse with every declared table at `path`, replacing what an ended run left there.

        Only the owner may read the file. It is no place to recover from after a crash: a run builds it anew. `lake`:
        the one folder of which it may show files. `before`: a published warehouse that it may copy rows of.
        """
        path.unlink(missing_ok=True)
        with owner_only():
            attached = attach(path, BUILT, lake, before)
        return cls(*attached)._with_tables()

    @classmethod
    def in_memory(cls) -> Self:
        """Build an empty warehouse that is gone when it is closed."""
        return cls(*attach(None, ""))._with_tables()

    @classmethod
    def of_frames(cls, frames: Mapping[type[Table], pl.DataFrame]) -> Self:
        """Build a warehouse in memory of these tables alone, for statements that read no other; nothing is checked."""
        warehouse = cls(*attach(None, ""))
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
            raise SourceError("there is no such warehouse.", NEW_ONE, str(path))
        try:
            warehouse = cls(*attach(path, READ_ONLY))
        except duckdb.Error as error:
            raise cannot_open(path, error) from None
        if not warehouse._has("audit", "run"):
            warehouse.close()
            raise SourceError("the file is no crlm warehouse.", NEW_ONE, str(path))
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

        `among`: only the rows whose key is one of these; its columns are columns of the table, and unknown is equal to
        unknown. A column that an older version did not write is unknown, unless it is required.
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
        is_among = " and ".join(f"row.{name} is not distinct from among.{name}" for name in map(quoted, among.columns))
        stored_rows = f"from {table.qualified_name} as row semi join among on {is_among}"
        rows = self._connection.sql(f"{stored_rows} select {columns}").pl()
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
        return self._rows_of(sql(sql_name), parameters)

    def query_of(self, sql_name: str, rows_of: str, **parameters: Any) -> pl.DataFrame:
        """Return the rows of `sql/<sql_name>.sql`, which reads those of `sql/<rows_of>.sql` as `member`."""
        statement = f"with member as ({sql(rows_of)})\nselect * from ({sql(sql_name)})"
        return self._rows_of(statement, parameters)

    def _rows_of(self, statement: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
        # con.execute, not con.sql: with parameters, that writes every row out as text before the rows can be had.
        return pl.DataFrame(self._connection.execute(statement, parameters or None).to_arrow_table())

    def execute(self, sql_name: str, **parameters: Any) -> None:
        """Run the statement `sql/<sql_name>.sql` for its effect."""
        self._connection.execute(sql(sql_name), parameters or None)

    def change(self, model: type[Table], sql_name: str) -> None:
        """Run the statement `sql/<sql_name>.sql`, in which `changed_table` stands for the table, for its effect."""
        self._connection.execute(sql(sql_name).replace("changed_table", describe(model).qualified_name))

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
        if (table.schema, table.name) not in self._relations((table.schema,), BEFORE):
            return []
        stored = self._connection.sql(f"from {BEFORE}.{table.qualified_name}").columns
        both = [column.name for column in table.columns if column.name in stored]
        for catalog, when in ((CATALOG, "now"), (BEFORE, "before")):
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
            table = f"{quoted(schema)}.{quoted(name)}"
            rows = self._connection.sql(f"from {table}")
            columns = list(zip(rows.columns, map(str, rows.types), strict=True))
            # Not `rows.aggregate`, which plans the statement more than once.
            sums = self._connection.execute(f"from {table} select {hash_of_rows(columns)}").fetchone()
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
        self._connection.execute("; ".join(comments(table)))

    def _has(self, schema: str, name: str) -> bool:
        if (schema, name) not in self._found:
            self._found = set(self._relations(SCHEMAS))
        return (schema, name) in self._found

    def _relations(self, schemas: tuple[str, ...] = HASHED_SCHEMAS, catalog: str = CATALOG) -> list[tuple[str, str]]:
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
    `before`: a published warehouse that it may be compared with (`side_by_side`), and copy rows of.

    What an ended run left at `path` is replaced. Raises `SourceError` when the disk is full or a limit is reached:
    DuckDB's own close would end without a word and leave an empty file.
    """
    with told_of_the_disk(path), _writable(path, start_from, lake, before) as warehouse:
        yield warehouse
        warehouse.checkpoint()


def _writable(path: Path, start_from: Path | None, lake: Path | None, before: Path | None) -> Warehouse:
    if start_from is None:
        return Warehouse.create(path, lake, before)
    path.unlink(missing_ok=True)
    with owner_only():
        shutil.copyfile(start_from, path)
    return Warehouse(*attach(path, "recovery_mode 'no_wal_writes'", before=before))


def _differing(frame: pl.DataFrame, table: TableDescription) -> str:
    given, declared = frame.schema, table.polars_schema
    names = sorted(name for name in given.keys() | declared.keys() if given.get(name) != declared.get(name))
    return f"{table.qualified_name}: columns differ from the declared ones: {', '.join(names)}"
