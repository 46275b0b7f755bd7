"""Verdict shift: how often each verdict was given, beside the last published run, and what moved it.

Every change of a share is split into three parts that add up to it: by the data, by an edition, by the code. A decision
belongs to one part; those judged as before, in the same series, setting and centre, belong to none.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from crlm_pipeline.process_charts import beyond
from crlm_pipeline.rollup import rolled_up
from crlm_pipeline.settings import Settings
from crlm_pipeline.statistics import funnel_limits
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import ReportKey, Run, VerdictShift
from schemas.cohort import ClassView, Decision, Verdict
from schemas.column import Table, describe
from schemas.guideline import Edition

PARTS: Final = ("data", "edition", "code")
COVERAGE: Final = 0.998

# What of a run a verdict may depend on, beside the decision and the editions.
_MAY_MOVE: Final = ("as_of", "package_version", "guidelines", "side_policy", "grace_days", "pseudonym_key_id")
# What must stand in both files; of the rest, as much is compared as both have.
_NEEDED: Final[Mapping[type[Table], frozenset[str]]] = {
    Verdict: frozenset({"decision_id", "guideline", "edition_id", "verdict"}),
    Decision: frozenset({"decision_id", "setting", "centre_id", "is_relative_calendar"}),
    ClassView: frozenset({"decision_id"}),
    Edition: frozenset({"edition_id", "kind", "is_rolling", "sha256"}),
    Run: frozenset({"run_id", "as_of", "guidelines", "judge_by"}),
}
_CELL: Final = ("guideline", "setting", "centre_id")

_TOLD: Final = 5
_BY: Final = {
    "data": "decisions that are new, gone or changed",
    "edition": "an edition that is new, gone or changed",
    "code": "code or settings",
}
# What of `differs` may be behind each part. That `as_of` moves on is the way of things.
_BEHIND: Final = {
    "data": ("package_version", "side_policy", "pseudonym_key_id"),
    "edition": (),
    "code": ("package_version", "grace_days"),
}


def verdict_shift(warehouse: Warehouse, settings: Settings) -> pl.DataFrame:
    """Return the rows of `audit.verdict_shift`; none where there is no warehouse before that can be compared.

    Call once the run is on record and the marts are built, on a warehouse that was opened with the one `before`.
    """
    columns: dict[Any, Any] = {**describe(VerdictShift).polars_schema}
    # All are put side by side, so that the statements find them.
    if not all([needed <= set(warehouse.side_by_side(model)) for model, needed in _NEEDED.items()]):
        return pl.DataFrame(schema=columns)
    now, before = warehouse.query("verdict_shift/runs").iter_rows(named=True)
    if now["judge_by"] != before["judge_by"] or warehouse.query("verdict_shift/calendars")["differ"].item():
        return pl.DataFrame(schema=columns)
    differs = [name for name in _MAY_MOVE if name in now and now[name] != before[name]]
    guidelines = sorted({*now["guidelines"]} & {*before["guidelines"]})
    has_moved_on = "as_of" in differs and _is_rolling(warehouse, now["judge_by"])
    changes = warehouse.query("verdict_shift/changes", guidelines=guidelines, has_moved_on=has_moved_on)
    counts = warehouse.query("verdict_shift/counts", guidelines=guidelines)
    return (
        shifted(counts, changes, settings.rate_threshold)
        .with_columns(
            pl.lit(before["run_id"]).alias("run_id_before"),
            pl.lit(now["run_id"]).alias("run_id"),
            pl.lit(differs, pl.List(pl.String)).alias("differs"),
        )
        .select(*columns)
        .cast(columns)
    )


def _is_rolling(warehouse: Warehouse, judge_by: str | None) -> bool:
    return bool(warehouse.read(Edition).filter(pl.col("edition_id").eq_missing(judge_by))["is_rolling"].any())


def shifted(counts: pl.DataFrame, changes: pl.DataFrame, rate_threshold: int) -> pl.DataFrame:
    """Return counts, shares, limits and parts of each verdict by series, setting and centre (null: all).

    `counts`: `n` by series, setting, centre (null: all) and verdict. `changes`: gains less losses by the same, with
    `n_data`, `n_edition` and `n_code`, of single centres. What was before follows from both.
    """
    by = [*_CELL, "verdict"]
    moved = [f"n_{part}" for part in PARTS]
    verdicts = (
        pl.concat([counts, rolled_up(changes, ["centre_id"], by).cast(dict.fromkeys(by, pl.String))], how="diagonal")
        .group_by(by)
        .agg(pl.col("n", *moved).sum())
        .with_columns(n_before=pl.col("n") - pl.sum_horizontal(moved))
        .sort(by, nulls_last=True)
    )
    return _with_limits(_with_parts(verdicts), rate_threshold)


def _with_parts(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Add totals, shares and the parts of their difference: what the share is after each part in turn.

    Where no decision is left on the way, the share is taken to be what it was. Parts are unknown where either share is.
    """
    names = ("share_before", *(f"after_{part}" for part in PARTS))
    reached = list(accumulate(map(pl.col, ("n_before", *(f"n_{part}" for part in PARTS)))))
    totals = [count.sum().over(_CELL) for count in reached]
    shares = verdicts.with_columns(
        totals[0].alias("n_total_before"),
        totals[-1].alias("n_total"),
        *(
            pl.when(total > 0).then(count / total).alias(name)
            for name, count, total in zip(names, reached, totals, strict=True)
        ),
    ).with_columns(share=pl.col(names[-1]))
    is_known = pl.col("share_before").is_not_null() & pl.col("share").is_not_null()
    known = [pl.coalesce(*reversed(names[: place + 1])) for place in range(len(names))]
    return shares.with_columns(
        pl.when(is_known).then(after - earlier).alias(f"part_{part}")
        for part, (earlier, after) in zip(PARTS, pairwise(known), strict=True)
    )


def _with_limits(verdicts: pl.DataFrame, rate_threshold: int) -> pl.DataFrame:
    """Add the limits of the share, were it still what it was, and whether it lies outside them.

    To the decisions before, half a one with the verdict and half a one without it are added: of a verdict that was
    never given, or always, the binomial distribution would allow no other share at all, and every first one be beyond.
    """
    rates = ((verdicts["n_before"] + 0.5) / (verdicts["n_total_before"] + 1)).to_numpy()
    low, high = funnel_limits(verdicts["n_total"].clip(1).to_numpy(), rates, COVERAGE)
    shares = verdicts["share"].to_numpy()
    found = {"limit_low": low, "limit_high": high, "is_beyond": np.array(beyond(shares, shares, low, high), np.bool_)}
    is_enough = pl.min_horizontal("n_total_before", "n_total") >= rate_threshold
    return verdicts.with_columns(
        pl.when(is_enough).then(pl.Series(values)).alias(name) for name, values in found.items()
    )


def verdict_shift_alerts(warehouse: Warehouse, settings: Settings) -> list[str]:
    """Return what to tell of shares beyond their limits in a published warehouse, a sentence each, all centres first.

    Holds shares alone, of no denominator below the rate threshold and of no count from 1 to the disclosure threshold;
    centres by their code in the report. Beyond a handful, and of what may not be shown, only how many there are.
    """
    beyond_limits = warehouse.read(VerdictShift).filter("is_beyond")
    codes = dict(warehouse.read(ReportKey).select("centre_id", "code").iter_rows())
    told = (
        beyond_limits.filter(_may_be_shown(settings))
        .sort(pl.col("centre_id").is_not_null(), -(pl.col("share") - pl.col("share_before")).abs(), maintain_order=True)
        .head(_TOLD)
    )
    sentences = [_sentence(row, codes) for row in told.iter_rows(named=True)]
    if rest := beyond_limits.height - told.height:
        sentences.append(_of_the_rest(rest, is_more=bool(sentences)))
    return sentences


def _may_be_shown(settings: Settings) -> pl.Expr:
    counts = [
        count for end in ("", "_before") for count in (pl.col(f"n{end}"), pl.col(f"n_total{end}") - pl.col(f"n{end}"))
    ]
    return pl.all_horizontal((count == 0) | (count >= settings.disclosure_threshold) for count in counts)


def _of_the_rest(count: int, *, is_more: bool) -> str:
    number = f"{count} more" if is_more else f"{count}"
    if count == 1:
        return f"{number} share of a verdict is beyond its limits."
    return f"{number} shares of verdicts are beyond their limits."


def _sentence(row: Mapping[str, Any], codes: Mapping[str, str]) -> str:
    where = codes.get(row["centre_id"], "a centre") if row["centre_id"] else "all centres"
    change = row["share"] - row["share_before"]
    cause = max(PARTS, key=lambda part: row[f"part_{part}"] * change)
    behind = [name for name in row["differs"] if name in _BEHIND[cause]]
    by = f"{_BY[cause]} (another {', '.join(behind)})" if behind else _BY[cause]
    return (
        f"{row['guideline']}, {row['setting']}, {where}: {row['verdict']} moved from {row['share_before']:.1%} to "
        f"{row['share']:.1%} of decisions, beyond its limits, mostly by {by}."
    )
