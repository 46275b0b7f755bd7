"""Counts of the same decisions under every edition. Each edition is a dimension, so a pair of them is one cell.

What an edition said in force is part of what it would say of all decisions; where nearly all fall in its time, one
count would give the other away, so both stand in the disclosure plan.
"""

from typing import Any, Final

import polars as pl

from crlm_pipeline.disclosure import Counts, Margin, Subset
from crlm_pipeline.warehouse import Warehouse

NAME: Final = "editions"
CLASSES: Final = ("concordant", "discordant", "not_judged")
_IN_FORCE: Final = ("guideline", "edition_id", "is_judged", "class")


def edition_counts(warehouse: Warehouse) -> Counts:
    """Return the counts; dimensions are the editions, `departed` (a rule) and those of the verdicts in force."""
    classes = warehouse.query("report/edition_classes")
    in_force = warehouse.query("report/edition_in_force").filter(
        pl.col("edition_id").is_in(classes["edition_id"].implode())
    )
    editions = classes["edition_id"].unique().sort().to_list()
    alone = classes.filter(pl.col("other_edition_id").is_null())
    # Every edition judges every decision, so any of them counts them all.
    total = alone.group_by("edition_id").agg(pl.col("n").sum())["n"].max()
    rows: list[dict[str, Any]] = [{"n": total or 0}]
    rows += [
        {one: own, other: others, "n": n} if other else {one: own, "n": n}
        for one, other, own, others, n in classes.iter_rows()
    ]
    rows += [
        {one: "concordant", other: "discordant", "departed": rule, "n": n}
        for one, other, rule, n in warehouse.query("report/edition_disagreements").iter_rows()
    ]
    rows += in_force.drop("is_rolling").to_dicts()
    dimensions = ["is_crlm", "departed", *_IN_FORCE, *editions]
    schema = dict.fromkeys(dimensions, pl.String) | {"n": pl.Int64}
    frame = pl.DataFrame([dict.fromkeys(schema) | {"is_crlm": "yes"} | row for row in rows], schema=schema)
    return Counts(
        NAME,
        "decision",
        frame,
        tuple(Margin((name,)) for name in ("departed", "class", *editions)),
        tuple(_part_of_all(edition, name) for edition, name in _included(classes, in_force)),
        essential=("is_crlm",),
        keep=pl.all_horizontal(pl.col(dimensions[1:]).is_null()),
    )


def _part_of_all(edition: str, name: str) -> Subset:
    empty: dict[str, str | None] = dict.fromkeys(_IN_FORCE)
    return Subset({"edition_id": edition, "class": name}, {**empty, edition: name})


def _included(classes: pl.DataFrame, in_force: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the editions and classes whose verdicts in force are among those of the what-if.

    Those of a rolling edition are so only if no rule has come since that changed one.
    """
    alone = classes.filter(pl.col("other_edition_id").is_null()).select("edition_id", "class", n_all="n")
    both = in_force.join(alone, on=["edition_id", "class"])
    return both.filter(~pl.col("is_rolling") | (pl.col("n") == pl.col("n_all"))).select("edition_id", "class").rows()
