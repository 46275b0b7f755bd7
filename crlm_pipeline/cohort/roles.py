"""The role of each exposure in its line, the regimen of the line, and the first dose of each of its drugs."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.settings import Windows

LINE: Final = ("patient_id", "line", "course")
_PARTNERS: Final = ("irinotecan", "oxaliplatin")
_NEVER: Final = 2**31 - 1
_NOT_YET: Final = -(2**31)
_KEPT_ON: Final = ("fluoropyrimidine", "anti_egfr", "anti_vegf")


def add_members(placed: pl.DataFrame, tokens: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return placed exposures, by line and in it in the one order, with what their role follows from.

    - `day`: days since the line's first dose.
    - `token`, `is_carried`: of the row's family in the regimen, see `tokens_of_lines`.
    - `is_first`: whether this row brought the family into the line.
    - `is_resumed`: whether the family has been given again after a pause longer than the window.
    - `is_partner_given`: whether oxaliplatin or irinotecan was then being given; null while the line has had neither.
    """
    start = pl.col("start_date")
    is_start, is_end_of_day = pl.col("line_id").is_first_distinct(), pl.col("day_id") != pl.col("day_id").shift(-1)
    end_of_partner = pl.when(pl.col("drug_class").is_in(_PARTNERS)).then(_end()).otherwise(_NOT_YET)
    partner_until = pl.when(is_end_of_day.fill_null(value=True)).then(_running_max(end_of_partner, "line_id"))
    return (
        placed.hstack(_families(placed, tokens, windows))
        .with_columns(day_id=pl.struct("line_id", "start_date").rle_id())
        .with_columns(
            day=(start - pl.when(is_start).then(start).forward_fill()).dt.total_days(),
            # What starts on the same day counts, wherever it stands.
            partner_until=partner_until.backward_fill(),
        )
        .with_columns(
            is_partner_given=pl.when(pl.col("partner_until") > _NOT_YET).then(pl.col("partner_until") >= _days(start))
        )
    )


def _families(placed: pl.DataFrame, tokens: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return what follows from the earlier rows of a family in a line: token, is_carried, is_first, is_resumed."""
    start = _days(pl.col("start_date"))
    last_end = _running_max(_end(), "family_id").shift()
    was_off = pl.when(~pl.col("is_first")).then(start - last_end > windows.gap).otherwise(False)
    return (
        placed.select("line_id", "family", "start_date", "end_date")
        .with_row_index("row")
        .sort("line_id", "family", "row")
        .with_columns(family_id=pl.struct("line_id", "family").rle_id())
        .with_columns(is_first=pl.col("family_id").is_first_distinct())
        .with_columns(is_resumed=_running_max(was_off.cast(pl.Int64), "family_id") > 0)
        .join(tokens.select("line_id", "family", "token", "is_carried"), on=["line_id", "family"], how="left")
        .sort("row")
        .select("token", "is_carried", "is_first", "is_resumed")
    )


def _end() -> pl.Expr:
    return _days(pl.col("end_date")).fill_null(_NEVER)


def _days(day: pl.Expr) -> pl.Expr:
    return day.to_physical().cast(pl.Int64)


def _running_max(value: pl.Expr, group: str) -> pl.Expr:
    """Return the greatest value so far in each group; groups are numbered upward and stand together.

    Each group is lifted above the one before it, so that a single running maximum serves them all: one window for
    each of a million groups takes seconds. Values are numbers of 32 bits.
    """
    lift = pl.col(group).cast(pl.Int64) * 2**32
    return (value + lift).cum_max() - lift


def tokens_of_lines(placed: pl.DataFrame, carried: pl.DataFrame) -> pl.DataFrame:
    """Return the regimen of each line, one row per `line_id` and family: `token`, the substance first given, its class.

    `is_carried`: it goes on from the line before. An allowed swap keeps the first substance (semantics, "Patterns").
    """
    own = placed.select("line_id", "family", "inn", "drug_class", "start_date", is_carried=pl.lit(value=False))
    starts = placed.filter(pl.col("line_id").is_first_distinct()).select(*LINE, "line_id", "start_date")
    gone_on = carried.join(starts, on=LINE).join(substances(), on="inn").with_columns(is_carried=pl.lit(value=True))
    return (
        pl.concat([own, gone_on.select(own.columns)])
        .sort("line_id", "family", "start_date", "is_carried", "inn")
        .filter(pl.struct("line_id", "family").rle_id().is_first_distinct())
        .rename({"inn": "token"})
    )


def add_role(members: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Add `role` and `reason` (clinical 3.11.3 to 3.11.6)."""
    is_swap = pl.col("inn") != pl.col("token")
    is_early = pl.col("day") <= windows.regimen
    is_de_escalated = (
        pl.col("drug_class").is_in(_KEPT_ON) & ~is_early & ~pl.col("is_partner_given").fill_null(value=True)
    )
    role = (
        pl.when(pl.col("is_first") & ~is_swap)
        .then(pl.lit("regimen"))
        .when(is_early & is_swap)
        .then(pl.lit("swap"))
        .when("is_resumed")
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
    has_joined = pl.col("is_first") & (role == "regimen")
    what = (
        pl.when(role == "swap")
        .then(pl.lit(", allowed swap for ") + pl.col("token").cast(pl.String))
        .when(role == "reintroduction")
        .then(pl.lit(", given again after a pause"))
        .when(role == "maintenance")
        .then(pl.lit(", goes on after oxaliplatin or irinotecan was dropped"))
        .when(has_joined)
        .then(pl.lit(""))
        .otherwise(pl.lit(", goes on"))
    )
    day = pl.when(has_joined).then(pl.lit("; joined on day ")).otherwise(pl.lit("; day "))
    # Put together once: a sentence of its own for every role would be written for every row.
    return pl.concat_str(_placement(), day, "day", what).alias("reason")


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
