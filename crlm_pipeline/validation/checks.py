"""Holds every column against its declaration: Pandera is the gate, and nothing outside this module sees its errors."""

from collections.abc import Iterator
from datetime import date
from typing import Final

import polars as pl
from pandera.errors import SchemaErrors

from crlm_pipeline.resources import reference
from crlm_pipeline.validation.casts import earliest, is_partial
from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.faults import Check, cell_check, faults, together
from schemas.column import Column, Table, TableDescription, describe

# Pandera's name of a failed check, without its arguments, and ours.
_CHECK_NAMES: Final = {
    "not_nullable": "required_empty",
    "isin": "not_in_vocabulary",
    "greater_than_or_equal_to": "out_of_range",
    "less_than_or_equal_to": "out_of_range",
    "str_matches": "malformed",
}

_ROUNDED: Final = r"^\d([.,]\d+)?E\+\d{2,}$"

_FAILURES: Final[dict[str, pl.DataType]] = {"column": pl.String(), "check_name": pl.String(), "index": pl.UInt32()}


def declaration_faults(model: type[Table], typed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that break the declaration of their column, but for those of `known` faults."""
    table = describe(model)
    failures = failing_cells(model, typed.select(table.polars_schema.keys()))
    found = []
    for (column, check), part in failures.group_by("column", "check_name", maintain_order=True):
        rows = typed.select(pl.col(ROW_ID).gather(part["index"]))
        found.append(faults(_declaration_check(str(check), table.column(str(column))), rows))
    return together(found).join(known, on=[ROW_ID, "column_name"], how="anti", maintain_order="left")


def declaration_checks(column: Column) -> list[Check]:
    """Return the checks that the declaration of a column makes, apart from its type."""
    declared = {
        "required_empty": column.required,
        "not_in_vocabulary": column.values,
        "out_of_range": column.low is not None or column.high is not None,
        "malformed": column.pattern,
    }
    return [_declaration_check(name, column) for name, is_made in declared.items() if is_made]


def country_faults(table: TableDescription, typed: pl.DataFrame) -> pl.DataFrame:
    """Return the countries that are well formed but do not exist (`data/reference/countries.csv`; UK is GB there)."""
    if "country" not in typed.columns:
        return together([])
    codes = [country["alpha_2"] for country in reference("countries")]
    is_wrong = pl.col("country").str.contains("^[A-Z]{2}$") & ~pl.col("country").is_in(codes)
    return faults(country_check(table.column("country")), typed.filter(is_wrong))


def country_check(column: Column) -> Check:
    """Return the check that a country exists."""
    expected = "expected a code of ISO 3166-1 such as GB, or ZZ where the country is unknown."
    return cell_check("not_in_vocabulary", column, expected)


def rounded_id_faults(table: TableDescription, typed: pl.DataFrame) -> pl.DataFrame:
    """Return the ids that a spreadsheet has written as rounded numbers (1.23457E+19): two persons may share one."""
    return together(
        [
            faults(rounded_id_check(column), typed.filter(pl.col(column.name).str.contains(_ROUNDED)))
            for column in table.columns
            if column.sensitivity == "identifier"
        ]
    )


def rounded_id_check(column: Column) -> Check:
    """Return the check that an id has all its digits."""
    expected = "expected an id with all its digits; a spreadsheet has rounded it. Deliver the column as text."
    return cell_check("id_rounded", column, expected)


def date_faults(table: TableDescription, typed: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the dates after the day of the run; a month or year that has begun is not in the future."""
    return together(
        [
            faults(future_check(column), typed.filter(earliest(column.name) > today))
            for column in table.columns
            if column.dtype == pl.Date()
        ]
    )


def future_check(column: Column) -> Check:
    """Return the check that a date has been reached."""
    return cell_check("date_in_future", column, "expected a date that is not in the future.")


def imputed_dates(table: TableDescription, accepted: pl.DataFrame) -> pl.DataFrame:
    """Return the dates of which only the month or year was delivered (warning)."""
    return together(
        [
            faults(imputed_check(column), accepted.filter(is_partial(column.name)))
            for column in table.columns
            if column.dtype == pl.Date()
        ]
    )


def imputed_check(column: Column) -> Check:
    """Return the check that a date is known to the day."""
    expected = f"{column.name}: a day was expected, a month or year came; a day of that period stands in."
    return Check("date_imputed", expected, "keep", column.name)


def gate(model: type[Table], accepted: pl.DataFrame) -> None:
    """Assert that what was accepted keeps the declaration of its table; anything else is a defect of ours."""
    broken = failing_cells(model, accepted).select("column", "check_name").unique().sort(pl.all()).rows()
    assert not broken, f"{describe(model).qualified_name}: accepted rows break {broken}"


def failing_cells(model: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """Return what `told_by_pandera` does, which looks only at rows with a failing cell and, for its types, at one more.

    That takes one pass over a frame of which few rows fail, or none.
    """
    suspect = frame.select(pl.any_horizontal(pl.lit(value=False), *_breaches(model))).to_series()
    asked = pl.concat([suspect.arg_true(), pl.Series([0], dtype=pl.UInt32)[: frame.height]]).unique().sort()
    told = told_by_pandera(model, frame[asked])
    return told.with_columns(asked.gather(told["index"]).alias("index"))


def _breaches(model: type[Table]) -> Iterator[pl.Expr]:
    """Yield where cells break the declarations of a table, as `Table.to_schema` declares them to Pandera."""
    for column in describe(model).columns:
        cell = pl.col(column.name)
        if column.required:
            yield cell.is_null()
        if column.values and column.is_list:
            yield ~cell.list.eval(pl.element().is_in(column.values)).list.all()
        elif column.values:
            yield ~cell.is_in(column.values)
        if column.low is not None:
            yield cell < column.low
        if column.high is not None:
            yield cell > column.high
        if column.pattern:
            yield ~cell.str.contains(f"^(?:{column.pattern})")


def told_by_pandera(model: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    """Return `column`, `check_name` and position (`index`) of every failing cell.

    The frame must be eager: of a lazy one Pandera looks at the types only. An unknown cell fails nothing but
    `required_empty`. Pandera's own text holds cells, so that nothing of it leaves this function.
    """
    if frame.is_empty():
        return pl.DataFrame(schema=_FAILURES)
    try:
        model.validate(frame, lazy=True)
    except SchemaErrors as errors:
        told: pl.DataFrame = errors.failure_cases
    else:
        return pl.DataFrame(schema=_FAILURES)
    cases = told.select(
        "column",
        pl.col("check").str.extract(r"^(\w+)").replace_strict(_CHECK_NAMES, default=None).alias("check_name"),
        pl.col("index").cast(pl.UInt32),
    )
    assert not cases["index"].null_count(), f"the frame is not shaped like {describe(model).qualified_name}"
    return cases.unique(maintain_order=True)


def _declaration_check(name: str, column: Column) -> Check:
    return cell_check(name, column, _expectation(name, column))


def _expectation(check: str, column: Column) -> str:
    match check:
        case "required_empty":
            return "expected a value in every row."
        case "not_in_vocabulary":
            separated = ", separated by ;" if column.is_list else ""
            return f"expected {'any' if column.is_list else 'one'} of {', '.join(column.values or ())}{separated}."
        case "out_of_range":
            return f"expected {_bounds(column)}."
        case _:
            return f"expected another form: {column.sentence[0].lower()}{column.sentence[1:]}"


def _bounds(column: Column) -> str:
    unit = f" {column.unit}" if column.unit and column.unit != "year" else ""
    low, high = (f"{bound:g}" if bound is not None else None for bound in (column.low, column.high))
    if low is None or high is None:
        return f"at least {low}{unit}" if high is None else f"at most {high}{unit}"
    return f"a number from {low} to {high}{unit}"
