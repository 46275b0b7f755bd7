"""How a column is described: its sentence, unit, vocabulary, source codes and sensitivity, beside its type."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import pandera.polars as pa
import polars as pl

Sensitivity = Literal["identifier", "quasi-identifier", "none"]

Text = pl.String
TextList = pl.List(pl.String)
IntegerList = pl.List(pl.Int32)
Date = pl.Date
Boolean = pl.Boolean
Integer = pl.Int32
Count = pl.Int64
Number = pl.Float64
Timestamp = pl.Datetime("us")


def column(
    sentence: str,
    *,
    required: bool = False,
    values: Sequence[str] | None = None,
    unit: str | None = None,
    codes: str | None = None,
    sensitivity: Sensitivity = "none",
    low: float | None = None,
    high: float | None = None,
    pattern: str | None = None,
    fact: bool = False,
) -> Any:
    """Describe one column; `values` closes its vocabulary, `low` and `high` are inclusive bounds, null is unknown.

    `pattern` is a regular expression that a text must match from its start. `fact` marks a column of `cohort.decision`
    that a guideline condition may name.
    """
    metadata = {
        "sentence": sentence,
        "required": required,
        "values": tuple(values) if values is not None else None,
        "unit": unit,
        "codes": codes,
        "sensitivity": sensitivity,
        "low": low,
        "high": high,
        "pattern": pattern,
        "fact": fact,
    }
    return pa.Field(
        nullable=not required, description=sentence, metadata=metadata, ge=low, le=high, str_matches=pattern
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One described column, as every derived artefact (DDL, dictionary, validation, conditions) reads it."""

    name: str
    dtype: pl.DataType
    sentence: str
    required: bool
    values: tuple[str, ...] | None
    unit: str | None
    codes: str | None
    sensitivity: Sensitivity
    low: float | None
    high: float | None
    pattern: str | None
    fact: bool

    @property
    def is_list(self) -> bool:
        """Whether a cell holds a list of vocabulary values."""
        return isinstance(self.dtype, pl.List)


class Table(pa.DataFrameModel):
    """A table of the warehouse; its `Config` names it, states its grain and, for an extract table, its key."""

    @classmethod
    def to_schema(cls) -> pa.DataFrameSchema:
        """Return the Pandera schema; a closed vocabulary also binds the elements of a list."""
        schema = super().to_schema()
        for declared in schema.columns.values():
            values = (declared.metadata or {}).get("values")
            if values and not any(check.name == "vocabulary" for check in declared.checks):
                declared.checks = [
                    *declared.checks,
                    _vocabulary_check(values, is_list=isinstance(declared.dtype.type, pl.List)),
                ]
        return schema

    class Config:
        """Nothing undeclared enters a table; columns stand in the declared order."""

        strict = True
        ordered = True


def _vocabulary_check(values: Sequence[str], *, is_list: bool) -> pa.Check:
    if not is_list:
        return pa.Check.isin(values, name="vocabulary")

    def every_element(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).list.eval(pl.element().is_in(list(values))).list.all())

    return pa.Check(every_element, name="vocabulary", error=f"isin({list(values)})")


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as declared: qualified name, grain in one phrase, key columns (empty: none) and columns in order.

    `identity`: the columns by which a row of a later delivery is known as the correction of an earlier one.
    """

    schema: str
    name: str
    sentence: str
    grain: str
    key: tuple[str, ...]
    identity: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def qualified_name(self) -> str:
        """`schema.name`, as in SQL."""
        return f"{self.schema}.{self.name}"

    @property
    def polars_schema(self) -> dict[str, pl.DataType]:
        """Column name to Polars type, in order."""
        return {column.name: column.dtype for column in self.columns}

    def column(self, name: str) -> Column:
        """Return the column of that name; `KeyError` when the table has none."""
        return next((c for c in self.columns if c.name == name), None) or _absent(name, self.qualified_name)


def _absent(name: str, table: str) -> Column:
    message = f"{table} has no column {name}"
    raise KeyError(message)


@cache
def describe(model: type[Table]) -> TableDescription:
    """Read a table model as plain values: from its fields, as their Pandera schema takes three times as long."""
    config: Any = model.Config  # each table's own
    metadata: dict[str, Any] = config.metadata
    schema_name, _, table_name = config.name.partition(".")
    columns = tuple(
        Column(name=name, dtype=_instance(annotation.raw_annotation), **(field.metadata or {}))
        for name, (annotation, field) in model.__fields__.items()
    )
    return TableDescription(
        schema=schema_name,
        name=table_name,
        sentence=" ".join((model.__doc__ or "").split()),
        grain=metadata["grain"],
        key=tuple(metadata.get("key", ())),
        identity=tuple(metadata.get("identity", metadata.get("key", ()))),
        columns=columns,
    )


def _instance(dtype: pl.DataType | type[pl.DataType]) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype


SOURCE_COLUMNS: Final = ("source_file_id", "source_row")
