"""From each fact of a decision to the rows of the extract that it rests on: `cohort.fact_source`.

These rows follow from what the warehouse holds anyway and are many times its size. So they are a view: a statement that
finds them again, the same by which the build asks for them before anything is stored.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import CYTOTOXIC
from crlm_pipeline.cohort.facts.biomarkers import SUPPORT
from crlm_pipeline.cohort.facts.evidence import Support, has, union
from crlm_pipeline.ddl import literal
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.settings import Windows
from crlm_pipeline.sql_head import statement_of
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import FactSource, ResultSupport
from schemas.column import describe

_OF_PLASMA: Final = sum(1 << place for place, one in enumerate(SUPPORT) if one.word == "ras_plasma")


def result_support(known: pl.DataFrame) -> pl.DataFrame:
    """Return the dated results that speak for a value of a fact. Grain: biomarker row, as `cohort.result_support`."""
    bits = [
        pl.when(has(one.word, one.mask)).then(pl.lit(1 << place, pl.Int64)).otherwise(pl.lit(0, pl.Int64))
        for place, one in enumerate(SUPPORT)
    ]
    assumed = pl.when("is_assumed").then(pl.lit("; date assumed: the sample date stands in")).otherwise(pl.lit(""))
    return (
        known.filter(pl.col("known_date").is_not_null())
        .with_columns(
            union(bits).alias("speaks_for"), pl.format("{} {}{}", "analyte", "result", assumed).alias("reason")
        )
        .filter(pl.col("speaks_for") != 0)
        .select(pl.col(name).cast(dtype) for name, dtype in describe(ResultSupport).polars_schema.items())
    )


def imputed_decisions(warehouse: Warehouse, tables: Mapping[str, pl.DataFrame], windows: Windows) -> pl.Series:
    """Return the ids of the decisions of which a fact rests on a row whose date was known to the month or year only.

    `tables`: what the statement reads beside the extract, by name.
    """
    touched = warehouse.query("facts/imputed_patients")
    for name, rows in tables.items():
        warehouse.register(name, rows.join(touched, on="patient_id", how="semi"))
    warehouse.define("fact_source", sources_statement(windows, "temp"))
    imputed = touched["table_name"].unique().to_list()
    return warehouse.query("facts/imputed_decisions", tables=imputed).get_column("decision_id")


def sources_statement(windows: Windows, schema: str = "cohort") -> str:
    """Return the query for every row that a known fact of a decision rests on, those of a conflict included.

    Grain: decision, fact and row. `schema`: that of the cohort's tables, `temp` while they are registered frames.
    Nothing recorded is no row: a fact that says "not given" rests on none.
    """
    given = {
        "cytotoxic": _listed(CYTOTOXIC),
        "deviation_days": str(windows.deviation),
        "facts": _listed([one.fact for one in SUPPORT]),
        "of_plasma": str(_OF_PLASMA),
        "value_bits": _value_bits(),
    }
    columns = ", ".join(describe(FactSource).polars_schema)
    parts = (statement_of(sql(name)) for name in sql_names("fact_sources"))
    # Only declared names and our own statements are put together, nothing that was delivered.
    rows = "\nunion all\n".join(f"select {columns} from (\n{_filled(part, given)})" for part in parts)  # noqa: S608
    return rows.replace("cohort.", f"{schema}.")


def _filled(statement: str, given: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: given[found[1]], statement)


def _listed(words: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, words))}]"


def _value_bits() -> str:
    """Return the expression for the bits of the values that a decision's facts have."""
    places = groupby(enumerate(SUPPORT), key=lambda placed: placed[1].fact)
    return " | ".join(f"case decided.{fact}::varchar {_cases(values)} else 0 end" for fact, values in places)


def _cases(values: Iterable[tuple[int, Support]]) -> str:
    return " ".join(f"when {literal(one.value)} then {1 << place}" for place, one in values)
