"""The role of each exposure in its line, the regimen of the line, and the first dose of each of its drugs."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.settings import Windows

LINE: Final = ("patient_id", "line", "course")
_PARTNERS: Final = ("irinotecan", "oxaliplatin")
_NEVER: Final = pl.date(9999, 12, 31)
_KEPT_ON: Final = ("fluoropyrimidine", "anti_egfr", "anti_vegf")


def add_members(placed: pl.DataFrame, tokens: pl.DataFrame) -> pl.DataFrame:
    """Return placed exposures by line, each line in the one order, with what their role follows from.

    - `day`: days since the line's first dose.
    - `token`, `is_carried`: of the row's family in the regimen, see `tokens_of_lines`.
    - `is_first`: whether this row brought the family into the line.
    - `days_off`: days since the family was last given in the line; null at first, negative while it still is.
    - `is_partner_given`: whether oxaliplatin or irinotecan was then being given; null while the line has had neither.
    """
    start, end = pl.col("start_date"), pl.col("end_date").fill_null(_NEVER)
    partner_until = pl.when(pl.col("drug_class").is_in(_PARTNERS)).then(end).cum_max().forward_fill().over("line_id")
    by_line = (
        placed.sort("patient", "line", "course", "order")
        .with_columns(line_id=pl.struct("patient", "line", "course").rle_id())
        .with_columns(day=(start - start.min().over("line_id")).dt.total_days(), partner_until=partner_until)
        .with_columns(is_partner_given=pl.col("partner_until").max().over("line_id", "start_date") >= start)
    )
    return (
        by_line.sort("line_id", "family", maintain_order=True)
        .with_columns(family_id=pl.struct("line_id", "family").rle_id())
        .with_columns(is_first=pl.col("family_id").is_first_distinct())
        .with_columns(days_off=pl.when(~pl.col("is_first")).then(start.to_physical() - _last_end_before(end)))
        .join(
            tokens.select(*LINE, "family", "token", "is_carried"),
            on=[*LINE, "family"],
            how="left",
            maintain_order="left",
        )
        .sort("line_id", "order")
    )


def _last_end_before(end: pl.Expr) -> pl.Expr:
    """Return the latest end among the earlier rows of the family, in days; meaningless on the first row of one.

    Each family is lifted above the one before it, so that a single running maximum serves them all: one window for
    each of a million families takes seconds.
    """
    lift = pl.col("family_id").cast(pl.Int64) * 2**32
    return (end.to_physical().cast(pl.Int64) + lift).cum_max().shift() - lift


def tokens_of_lines(placed: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    """Return the regimen of each line, one row per family: `token`, the substance first given, and its class.

    `is_carried`: it goes on from the line before. An allowed swap keeps the first substance (semantics, "Patterns").
    """
    own = placed.select(*LINE, "family", "inn", "drug_class", "start_date", is_carried=pl.lit(value=False))
    starts = own.group_by(LINE).agg(pl.col("start_date").min())
    gone_on = (
        carried.join(starts, on=LINE)
        .join(substances(), on="inn")
        .select(*LINE, "family", "inn", "drug_class", "start_date", is_carried=pl.lit(value=True))
    )
    return (
        pl.concat([own, gone_on])
        .sort(*LINE, "family", "start_date", "is_carried", "inn")
        .unique([*LINE, "family"], keep="first", maintain_order=True)
        .rename({"inn": "token"})
    )


def add_role(members: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Add `role` and `reason` (clinical 3.11.3 to 3.11.6)."""
    is_swap = pl.col("inn") != pl.col("token")
    is_early = pl.col("day") <= windows.regimen
    was_off = (pl.col("days_off") > windows.gap).fill_null(value=False)
    is_resumed = was_off.cum_max().over("family_id")
    is_de_escalated = (
        pl.col("drug_class").is_in(_KEPT_ON) & ~is_early & ~pl.col("is_partner_given").fill_null(value=True)
    )
    role = (
        pl.when(pl.col("is_first") & ~is_swap)
        .then(pl.lit("regimen"))
        .when(is_early & is_swap)
        .then(pl.lit("swap"))
        .when(is_resumed)
        .then(pl.lit("reintroduction"))
        .when(is_de_escalated)
        .then(pl.lit("maintenance"))
        .when(is_swap)
        .then(pl.lit("swap"))
        .otherwise(pl.lit("regimen"))
    )
    return members.with_columns(role.alias("role")).with_columns(_reason())


def _reason() -> pl.Expr:
    role = pl.col("role")
    why = (
        pl.when(role == "swap")
        .then(pl.format("day {}, allowed swap for {}", "day", "token"))
        .when(role == "reintroduction")
        .then(pl.format("day {}, given again after a pause", "day"))
        .when(role == "maintenance")
        .then(pl.format("day {}, goes on after oxaliplatin or irinotecan was dropped", "day"))
        .when(pl.col("is_first"))
        .then(pl.format("joined on day {}", "day"))
        .otherwise(pl.format("day {}, goes on", "day"))
    )
    return pl.format("{}; {}", _placement(), why).alias("reason")


def _placement() -> pl.Expr:
    return (
        pl.when(pl.col("line_source") == "registered")
        .then(pl.lit("line as registered"))
        .when(pl.col("line") > 0)
        .then(pl.lit("line derived"))
        .when("is_near_resection")
        .then(pl.lit("around surgery by a resection within the window"))
        .otherwise(pl.lit("around surgery by intent"))
    )
