"""What earlier runs were given: which deliveries are known, which rows stand, and which a later delivery replaced.

Sources are either the whole registry, which replaces all that was delivered before, or an addition to it. In both
cases a row that was replaced or withdrawn stays on record, as long as its patient is in the registry.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Final

import polars as pl

from crlm_pipeline.ddl import literal
from crlm_pipeline.extracts.pseudonyms import patient_hashes
from crlm_pipeline.extracts.tables import TEXT, Delivery, Extract, Notice, SourceFile, TextTable, dense
from crlm_pipeline.validation.delivery import archived, contract_columns
from crlm_pipeline.warehouse import Warehouse
from schemas.archive import DELIVERED_MODELS, DeliveredFile, DeliveredNotice
from schemas.archive import Delivery as DeliveryTable
from schemas.audit import Deletion, DeliveredColumn
from schemas.column import Table, describe
from schemas.extract import extract_tables

Rows = Mapping[str, pl.DataFrame]

# So many are turned into text at a time.
_ROWS_OF_A_PART: Final = 250_000
_STANDS: Final = pl.col("superseded_run_id").is_null()


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive tables of a warehouse; `rows` by extract table, in the order of reading, their texts as TEXT.

    `columns`: what each file can carry (`audit.delivered_column`): a column that it cannot is no empty one.
    """

    deliveries: pl.DataFrame
    files: pl.DataFrame
    notices: pl.DataFrame
    rows: Rows
    columns: pl.DataFrame
    deletions: pl.DataFrame

    @classmethod
    def empty(cls) -> "Archive":
        """Return the archive of a registry of which nothing was delivered yet."""
        rows = {name: dense(_empty(model)) for name, model in DELIVERED_MODELS.items()}
        return cls(
            deliveries=_empty(DeliveryTable),
            files=_empty(DeliveredFile),
            notices=_empty(DeliveredNotice),
            rows=rows,
            columns=_empty(DeliveredColumn),
            deletions=_empty(Deletion),
        )

    @classmethod
    def of(cls, published: Warehouse, patients: pl.DataFrame | None = None) -> "Archive":
        """Read the archive of a published warehouse; of `patients` (`patient_id`), if they are given, the rows alone.

        Those without a patient are then among them where an unknown id is.
        """
        return cls(
            deliveries=published.read(DeliveryTable).sort("delivery_no"),
            files=published.read(DeliveredFile),
            notices=published.read(DeliveredNotice).sort("delivery_id", "notice_no"),
            rows={
                name: dense(published.read(model, patients)).sort("row_no") for name, model in DELIVERED_MODELS.items()
            },
            columns=published.read(DeliveredColumn),
            deletions=published.read(Deletion),
        )

    @property
    def ids(self) -> frozenset[str]:
        """The deliveries that are known."""
        return frozenset(self.deliveries["delivery_id"])

    def seen(self) -> tuple[Delivery, ...]:
        """Return the deliveries by their files alone, by which they are known again."""
        return tuple(
            Delivery(row["delivery_id"], self._files(row["delivery_id"]), (), (), row["row_count"])
            for row in self.deliveries.iter_rows(named=True)
        )

    def places(self) -> pl.DataFrame:
        """Return where the rows that stand came from: `table_name`, `source_file_id` and `source_row`, each once."""
        places = [
            frame.filter(_STANDS).select(pl.lit(name).alias("table_name"), "source_file_id", "source_row").unique()
            for name, frame in self.rows.items()
        ]
        return pl.concat(places).cast({TEXT: pl.String})

    def standing(self, delivery_ids: Iterable[str] | None = None) -> tuple[Delivery, ...]:
        """Return deliveries (default: all) in their order, with the rows of them that stand."""
        wanted = self.ids if delivery_ids is None else frozenset(delivery_ids)
        is_asked = _STANDS & _is_of(wanted)
        parts = {name: _parts(name, frame.filter(is_asked), self.columns) for name, frame in self.rows.items()}
        return tuple(
            Delivery(
                delivery_id=row["delivery_id"],
                files=self._files(row["delivery_id"]),
                tables=self._with_empty_ones(
                    row["delivery_id"],
                    [table for of_table in parts.values() for table in of_table.get(row["delivery_id"], ())],
                ),
                notices=self._notices(row["delivery_id"]),
                row_count=row["row_count"],
            )
            for row in self.deliveries.iter_rows(named=True)
            if row["delivery_id"] in wanted
        )

    def whole(self, reader_key: str) -> tuple[Delivery, ...]:
        """Return the deliveries that stand with every row, as this reader made them: they need not be read again."""
        stand = [frame.filter(_STANDS).select("delivery_id") for frame in self.rows.values()]
        counts = pl.concat(stand).group_by(pl.col("delivery_id").cast(pl.String)).len("standing")
        complete = self.deliveries.join(counts, on="delivery_id", how="left").filter(
            pl.col("reader_key") == reader_key, pl.col("row_count") == pl.col("standing").fill_null(0)
        )
        return self.standing(complete["delivery_id"])

    def corrected_by(self, arrived: Extract, run_id: str) -> tuple["Archive", tuple[Delivery, ...]]:
        """Return the archive corrected by an addition, without deleted patients, and what stands of the addition.

        A row is replaced when a later delivery has a row of the same identity (`schemas.extract`) and not the row
        itself. Deliveries that arrive together count as if one came after the other.
        """
        rows: dict[str, pl.DataFrame] = {}
        stands: dict[str, pl.Series] = {}
        for name, before in self._rows_without(arrived.deleted):
            after = _in_turn(name, before, arrived.deliveries, run_id)
            came, gone = after[before.height :], ~_STANDS
            rows[name] = pl.concat([after[: before.height], _without_deleted(came.filter(gone), arrived.deleted)])
            stands[name] = came.select(_STANDS).to_series()
        return replace(self, rows=rows), tuple(_standing_of(arrived.deliveries, stands))

    def replaced_by(self, whole: Extract, run_id: str) -> "Archive":
        """Return what is left as history when the sources are the whole registry.

        A row that stood and is not delivered again was corrected or withdrawn.
        """
        rows = {
            name: _superseded(frame, self._withdrawn(name, frame, whole), run_id).filter(~_STANDS)
            for name, frame in self._rows_without(whole.deleted)
        }
        return replace(self, rows=rows)

    @staticmethod
    def _withdrawn(name: str, frame: pl.DataFrame, whole: Extract) -> pl.DataFrame:
        standing = frame.filter(_STANDS)
        return (
            _unequal(name, standing, archived(whole.deliveries, extract_tables()[name]))
            if standing.height
            else standing
        )

    def all_deleted(self, arrived: pl.DataFrame, run_id: str) -> pl.DataFrame:
        """Return every patient to be deleted: those on record, then those of new lists."""
        new = arrived.join(self.deletions, on="patient_hash", how="anti").with_columns(run_id=pl.lit(run_id))
        return pl.concat([self.deletions, new.select(self.deletions.columns)])

    def with_delivered(
        self, extract: Extract, rejected: pl.DataFrame, run: "ArchivingRun"
    ) -> Iterator[tuple[type[Table], pl.DataFrame]]:
        """Yield the archive tables after a run: what this archive holds as history, and all that took part.

        `extract`: what took part, standing deliveries included. `rejected`: `audit.rejected_row`, the record of rows.
        A row that an addition delivers although it stands already is not kept twice. A large table comes in parts, in
        the order of its rows.
        """
        is_of_patient = _is_of_patient(extract)
        for name, model in DELIVERED_MODELS.items():
            standing, new = self._standing_and_new(name, extract, is_addition=run.is_addition)
            history = self.rows[name].filter(~_STANDS, is_of_patient)
            now = _with_record(name, pl.concat([standing, new]), rejected)
            for part in _table(now, history).iter_slices(_ROWS_OF_A_PART):
                yield model, _as_declared(part, model)
        yield from self.with_deliveries(extract, run)

    def changed_rows(
        self, before: "Archive", extract: Extract, rejected: pl.DataFrame
    ) -> Iterator[tuple[type[Table], pl.DataFrame, pl.DataFrame]]:
        """Yield for each table of rows what an addition made of those of `before`, and the rows that it adds.

        This archive is that of `before` corrected by the addition (`corrected_by`). Of the rows of before that are
        kept: `row_no`, `superseded_run_id` and `raw_row`. Those added have every column, and no `row_no` yet.
        """
        is_of_patient = _is_of_patient(extract)
        for name, model in DELIVERED_MODELS.items():
            known = before.rows[name]
            earlier = self.rows[name][: known.height].with_columns(known["row_no"])
            stays = _with_record(name, earlier.filter(_STANDS).drop("raw_row"), rejected)
            gone = earlier.filter(~_STANDS, is_of_patient)
            kept = pl.concat([part.select("row_no", "superseded_run_id", "raw_row") for part in (stays, gone)])
            _, new = self._standing_and_new(name, extract, is_addition=True)
            came_and_gone = self.rows[name][known.height :].filter(is_of_patient)
            added = pl.concat([_with_record(name, new, rejected), came_and_gone.drop("row_no")], how="diagonal")
            yield model, kept.cast({TEXT: pl.String}), added.cast({TEXT: pl.String})

    def with_deliveries(self, extract: Extract, run: "ArchivingRun") -> Iterator[tuple[type[Table], pl.DataFrame]]:
        """Yield the tables of the deliveries that took part in a run, of their files and notices."""
        kept = _distinct(extract.deliveries)
        yield DeliveryTable, self._delivery_rows(kept, run)
        yield DeliveredFile, _file_rows(kept)
        yield DeliveredNotice, _notice_rows(kept)

    def _standing_and_new(self, name: str, extract: Extract, *, is_addition: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows of a table that stood already and those that are new, without deleted patients."""
        present = _without_deleted(archived(extract.deliveries, extract_tables()[name]), extract.deleted)
        is_standing = _is_of(self.ids if is_addition else frozenset())
        standing = present.filter(is_standing)
        return standing, _unequal(name, present.filter(~is_standing), standing)

    def _delivery_rows(self, deliveries: Sequence[Delivery], run: "ArchivingRun") -> pl.DataFrame:
        before = {row["delivery_id"]: row for row in self.deliveries.iter_rows(named=True)}
        rows = [
            before.get(one.delivery_id, {"run_id": run.run_id, "reader_key": run.reader_key})
            | {"delivery_id": one.delivery_id, "delivery_no": number, "row_count": one.row_count}
            for number, one in enumerate(deliveries, start=1)
        ]
        return pl.DataFrame(rows, schema=describe(DeliveryTable).polars_schema)

    def _rows_without(self, deleted: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
        return ((name, _without_deleted(frame, deleted)) for name, frame in self.rows.items())

    def _with_empty_ones(self, delivery_id: str, filled: list[TextTable]) -> tuple[TextTable, ...]:
        """Return tables with those of which the files of a delivery hold no row that stands: they were delivered."""
        known = {(table.source_file_id, table.table_name) for table in filled}
        own = self.files.filter(pl.col("delivery_id") == delivery_id)
        columns = self.columns.join(own, on="source_file_id", how="semi", maintain_order="left")
        empty = []
        for (file_id, name), part in columns.group_by("source_file_id", "table_name", maintain_order=True):
            if (file_id, name) not in known:
                frame = pl.DataFrame(schema={"source_row": pl.Int32} | dict.fromkeys(part["column_name"], pl.String))
                empty.append(TextTable(str(name), str(file_id), frame, frame))
        return (*filled, *empty)

    def _files(self, delivery_id: str) -> tuple[SourceFile, ...]:
        own = self.files.filter(pl.col("delivery_id") == delivery_id).drop("delivery_id")
        return tuple(SourceFile(**row) for row in own.iter_rows(named=True))

    def _notices(self, delivery_id: str) -> tuple[Notice, ...]:
        own = self.notices.filter(pl.col("delivery_id") == delivery_id).drop("delivery_id", "notice_no")
        return tuple(Notice(**{**row, "rows": tuple(row["rows"])}) for row in own.iter_rows(named=True))


@dataclass(frozen=True, slots=True)
class ArchivingRun:
    """The run that archives, the key of its reader (`provenance.reader_key`), and whether its sources add to others."""

    run_id: str
    reader_key: str
    is_addition: bool


def _is_of(delivery_ids: Set[str]) -> pl.Expr:
    return pl.col("delivery_id").is_in(pl.Series(list(delivery_ids), dtype=pl.String).cast(TEXT).implode())


def _is_of_patient(extract: Extract) -> pl.Expr:
    """Whether the patient of a row has a row in the table of patients, accepted or not."""
    patients = archived(extract.deliveries, extract_tables()["patient"])["patient_id"].drop_nulls().unique()
    return pl.col("patient_id").is_in(patients.implode())


def _as_declared(rows: pl.DataFrame, model: type[Table]) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in describe(model).polars_schema.items())


def _empty(model: type[Table]) -> pl.DataFrame:
    return pl.DataFrame(schema=describe(model).polars_schema)


def _in_turn(name: str, rows: pl.DataFrame, arrived: Sequence[Delivery], run_id: str) -> pl.DataFrame:
    """Return the rows of a table and, behind them, those that arrived, each replaced where a later delivery does."""
    described = extract_tables()[name]
    for one in arrived:
        delivered = archived([one], described)
        if delivered.height:
            rows = _superseded(rows, _corrected(name, rows.filter(_STANDS), delivered), run_id)
            rows = pl.concat([rows, delivered.with_columns(superseded_run_id=pl.lit(None, TEXT))], how="diagonal")
            rows = rows.with_columns(row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    return rows


def _standing_of(deliveries: Sequence[Delivery], stands: Mapping[str, pl.Series]) -> Iterator[Delivery]:
    """Yield the deliveries with the rows that stand: so says `stands`, by table, of their rows in order."""
    read = Counter[str]()
    for one in deliveries:
        tables = []
        for table in one.tables:
            name, height = table.table_name, table.frame.height
            tables.append(replace(table, frame=table.frame.filter(stands[name].slice(read[name], height))))
            read[name] += height
        yield replace(one, tables=tuple(tables))


def _corrected(name: str, standing: pl.DataFrame, arrived: pl.DataFrame) -> pl.DataFrame:
    """Return the standing rows of which another version arrived."""
    identity = list(extract_tables()[name].identity)
    again = standing.join(arrived.select(identity).unique(), on=identity, how="semi", nulls_equal=True)
    return _unequal(name, again, arrived)


def _unequal(name: str, rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are equal to none of the others in the contract's columns."""
    if rows.is_empty() or others.is_empty():
        return rows
    columns = contract_columns(extract_tables()[name])
    return rows.join(others.select(columns), on=columns, how="anti", nulls_equal=True, maintain_order="left")


def _superseded(frame: pl.DataFrame, gone: pl.DataFrame, run_id: str) -> pl.DataFrame:
    is_gone = pl.col("row_no").is_in(gone["row_no"].implode())
    gone_in = pl.lit(run_id, pl.String).cast(TEXT)
    return frame.with_columns(superseded_run_id=pl.when(is_gone).then(gone_in).otherwise("superseded_run_id"))


def _parts(name: str, standing: pl.DataFrame, delivered: pl.DataFrame) -> dict[str, list[TextTable]]:
    """Return the standing rows of a table by delivery and file, with the columns that the file delivered.

    A row's record is what was kept of it, if anything.
    """
    of_table = delivered.filter(pl.col("table_name") == name)
    columns = dict(of_table.group_by("source_file_id").agg("column_name").iter_rows())
    found: dict[str, list[TextTable]] = {}
    for (delivery_id, file_id), part in standing.group_by("delivery_id", "source_file_id", maintain_order=True):
        frame = part.select("source_row", *columns[file_id])
        recorded = part.filter(pl.col("raw_row").is_not_null()).select("source_row", pl.col("raw_row").cast(pl.String))
        raw = frame.unique("source_row", keep="first", maintain_order=True)
        found.setdefault(str(delivery_id), []).append(TextTable(name, str(file_id), frame, raw, recorded))
    return found


def _with_record(name: str, rows: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    records = (
        rejected.filter(pl.col("table_name") == name)
        .select("source_file_id", "source_row", "raw_row")
        .unique(["source_file_id", "source_row"], keep="first", maintain_order=True)
    )
    records = dense(records)
    return rows.join(records, on=["source_file_id", "source_row"], how="left", maintain_order="left")


def _table(now: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that stand, then those that did, numbered in this order."""
    both = pl.concat([now.with_columns(superseded_run_id=pl.lit(None, TEXT)), history.drop("row_no")], how="diagonal")
    return both.with_columns(row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _without_deleted(rows: pl.DataFrame, deleted: pl.DataFrame) -> pl.DataFrame:
    if deleted.is_empty() or rows.is_empty():
        return rows
    return rows.filter(
        ~patient_hashes(rows["patient_id"]).is_in(deleted["patient_hash"].implode()).fill_null(value=False)
    )


def _distinct(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the deliveries that can be known again, the first of each."""
    first: dict[str, Delivery] = {}
    for one in deliveries:
        first.setdefault(one.delivery_id, one)
    return [one for delivery_id, one in first.items() if delivery_id]


def _file_rows(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    rows = [{"delivery_id": one.delivery_id, **asdict(file)} for one in deliveries for file in one.files]
    return pl.DataFrame(rows, schema=describe(DeliveredFile).polars_schema).unique(
        ["delivery_id", "source_file_id"], keep="first", maintain_order=True
    )


def _notice_rows(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    rows = [
        {"delivery_id": one.delivery_id, "notice_no": number, **asdict(notice), "rows": list(notice.rows)}
        for one in deliveries
        for number, notice in enumerate(one.notices, start=1)
    ]
    return pl.DataFrame(rows, schema=describe(DeliveredNotice).polars_schema)


def archived_rows() -> str:
    """Return the query for the rows of all archive tables: table_name, delivery_id, superseded_run_id and raw_row."""
    return "\nunion all\n".join(
        f"select {literal(name)} as table_name, delivery_id, superseded_run_id, raw_row from {table}"  # noqa: S608  # declared names
        for name, table in ((name, describe(model).qualified_name) for name, model in DELIVERED_MODELS.items())
    )
