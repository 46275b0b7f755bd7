"""An extract divided by patients: every check looks at the rows of one patient, so that a portion is checked by itself.

So the memory of validation does not grow with the registry. Portions follow each other in the order of `patient_id`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from crlm_pipeline.extracts.tables import TEXT, Extract, TextTable, dense, recoded
from crlm_pipeline.validation.delivery import known
from schemas.extract import extract_tables

_ID = "patient_id"


def portions(extract: Extract, patients: int) -> Iterator[Extract]:
    """Yield the extract with the rows of so many patients at a time, in reading order; every table is in each.

    Rows without a patient are in the first.
    """
    numbered = _numbered(extract, patients)
    if numbered["portion"].max() in (None, 0):
        yield extract
        return
    portion_of = [_portion_of(table, numbered) for table in extract.tables]
    for number in range(int(numbered["portion"].max()) + 1):  # type: ignore[arg-type]  # a number, as there are rows
        chosen = iter([
            replace(table, frame=table.frame.filter(portion == number))
            for table, portion in zip(extract.tables, portion_of, strict=True)
        ])  # fmt: skip
        yield replace(
            extract,
            deliveries=tuple(
                replace(one, tables=tuple(next(chosen) for _ in one.tables)) for one in extract.deliveries
            ),
        )


class Accepted(Mapping[str, pl.DataFrame]):
    """The accepted rows by extract table, each with its declared columns and types; held small, as numbers of values.

    `parts` has them by portion of patients, in the order of `patient_id`, and each in reading order.
    """

    def __init__(self, portions: Sequence[dict[str, pl.DataFrame]]) -> None:
        """Take over what was accepted of each portion, as `held` made it; there is at least one."""
        self._portions = portions

    def __getitem__(self, name: str) -> pl.DataFrame:
        """Return all rows of a table."""
        return pl.concat(self.parts(name))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables."""
        return iter(self._portions[0])

    def __len__(self) -> int:
        """Return the number of tables."""
        return len(self._portions[0])

    def parts(self, name: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a table by portion."""
        types = extract_tables()[name].polars_schema
        return (portion[name].cast(types) for portion in self._portions)  # type: ignore[arg-type]  # names and types

    def given_away(self, name: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a table by portion, and hold them no longer than they are stored elsewhere."""
        types = extract_tables()[name].polars_schema
        return (portion.pop(name).cast(types) for portion in self._portions)  # type: ignore[arg-type]  # as above

    def heights(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        return {name: sum(portion[name].height for portion in self._portions) for name in self}


def held(accepted: pl.DataFrame) -> pl.DataFrame:
    """Return accepted rows of a table in the form in which they are held (`Accepted`)."""
    return dense(accepted).cast({pl.List(pl.String): pl.List(TEXT)})


def _numbered(extract: Extract, patients: int) -> pl.DataFrame:
    """Return every spelling of an id (`spelled`) with the number of its portion, blanks around the id aside."""
    ids = [_ids(table).unique() for table in extract.tables]
    spelled = pl.concat([pl.Series(_ID, dtype=TEXT), *ids]).unique().drop_nulls().to_frame()
    meant = recoded(spelled, {_ID: known(_ID)}).cast(pl.String).with_columns(spelled=spelled[_ID])
    order = meant.select(pl.col(_ID).drop_nulls().unique().sort()).with_row_index("place")
    number = (pl.col("place").fill_null(0) // patients).alias("portion")
    return meant.join(order, on=_ID, how="left").select("spelled", number)


def _portion_of(table: TextTable, numbered: pl.DataFrame) -> pl.Series:
    return _ids(table).replace_strict(numbered["spelled"], numbered["portion"], default=0, return_dtype=pl.UInt16)


def _ids(table: TextTable) -> pl.Series:
    if _ID not in table.frame.columns:
        return pl.repeat(None, table.frame.height, dtype=pl.String, eager=True).cast(TEXT).alias(_ID)
    return table.frame[_ID].cast(TEXT)
