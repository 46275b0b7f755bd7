"""What a mapping file says: how the columns of a spreadsheet or delimited file become rows of the extract contract.

`docs/formats/mapping.md` shows how to write one.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from crlm_pipeline.strict_yaml import Place

Unit = Literal["days", "weeks", "months", "years"]
Precision = Literal["day", "month", "year"]
Codes = tuple[str, ...]


def _column(value: Any) -> Any:
    """Return the long form of a source column that is named alone."""
    return {"column": value} if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Condition(_Part):
    """Holds where this source column is known or, with `is`, where it is one of these values; case does not matter."""

    column: str
    values: Codes = Field(default=(), alias="is")


Only = Annotated[Condition, BeforeValidator(_column)]


class Exactness(_Part):
    """How exact a date is, by the codes of a column beside it; with any other code the date is unknown."""

    column: str
    values: dict[str, Precision] = Field(min_length=1)


class Cell(_Part):
    """Where a cell of the contract comes from: a source column, a constant, or a list of such cells.

    `values` translates delivered values (case does not matter; None is unknown) and leaves others as they are. `dates`
    are the formats of this column, `exact` tells how much of a date to believe; `factor` multiplies, `decimals` rounds;
    `after` and `before` (a day or a source column) with `unit` make a day of a duration; `split` cuts a delivered list.
    Where `only_if` fails it is unknown.
    """

    column: str | None = None
    constant: str | None = None
    elements: "tuple[Source, ...]" = Field(default=(), alias="list")
    values: dict[str, str | None] = {}
    dates: Codes = ()
    exact: Exactness | None = None
    factor: float | None = None
    decimals: int | None = Field(default=None, ge=0, le=6)
    after: str | None = None
    before: str | None = None
    unit: Unit | None = None
    split: str | None = Field(default=None, min_length=1)
    only_if: Only | None = None

    def columns(self) -> Iterator[tuple[Place, str]]:
        """Yield the source columns it reads, each with its place below this cell."""
        if self.column is not None:
            yield ("column",), self.column
        for name, beside in (("only_if", self.only_if), ("exact", self.exact)):
            if beside:
                yield (name, "column"), beside.column
        for name, base in (("after", self.after), ("before", self.before)):
            if base is not None and not is_day(base):
                yield (name,), base
        for number, element in enumerate(self.elements):
            yield from ((("list", number, *place), name) for place, name in element.columns())


Source = Annotated[Cell, BeforeValidator(_column)]


class RowTemplate(_Part):
    """One row of a table for each source record, or for those that meet `only_if`. The patient's id is implied."""

    table: str
    only_if: Only | None = None
    columns: dict[str, Source] = {}


class FileMapping(_Part):
    """A file or sheet, known by columns of its header or by the sheet's name, and the rows that it makes.

    `missing` are codes of single source columns that mean unknown; `id_prefix` stands before each patient's id, with a
    hyphen.
    """

    header: Codes = ()
    sheet: str | None = None
    patient_id: Source
    id_prefix: Source | None = None
    missing: dict[str, Codes] = {}
    rows: tuple[RowTemplate, ...] = Field(min_length=1)

    def columns(self) -> Iterator[tuple[Place, str]]:
        """Yield every source column that is read, each with its place below this file."""
        yield from ((("missing", name), name) for name in self.missing)
        yield from ((("patient_id", *place), name) for place, name in self.patient_id.columns())
        if self.id_prefix:
            yield from ((("id_prefix", *place), name) for place, name in self.id_prefix.columns())
        for number, row in enumerate(self.rows):
            if row.only_if:
                yield ("rows", number, "only_if", "column"), row.only_if.column
            for target, cell in row.columns.items():
                yield from ((("rows", number, "columns", target, *place), name) for place, name in cell.columns())


class Mapping(_Part):
    """A mapping file. `missing` are codes that mean unknown in every column; `dates` the formats of every date.

    `calendar` is relative where the dates are counted from a day that is not told, such as an operation.
    """

    mapping: str = Field(min_length=1)
    description: str = ""
    calendar: Literal["real", "relative"] = "real"
    missing: Codes = ()
    dates: Codes = ()
    decimal_comma: bool = False
    files: tuple[FileMapping, ...] = Field(min_length=1)


def is_day(text: str) -> bool:
    """Whether a text is a day such as 2000-01-01, and not the name of a column."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
