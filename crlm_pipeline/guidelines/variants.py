"""An edition as it stood over some days, and the decisions that it judges."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from crlm_pipeline.guidelines.load import is_active
from crlm_pipeline.guidelines.model import Edition


@dataclass(frozen=True, slots=True)
class Variant:
    """An edition as it stood over some days, and the decisions it judges."""

    edition: Edition
    active: frozenset[str]
    is_older: bool
    decisions: pl.DataFrame


def judged_by(edition: Edition, decisions: pl.DataFrame, as_of: date) -> Iterator[Variant]:
    """Yield the one edition for all; a rolling one as it stood at `as_of`, complete for relative dates."""
    for is_relative, day in ((False, as_of), (True, date.max)):
        rows = decisions.filter(pl.col("is_relative_calendar") == is_relative)
        if rows.height:
            yield Variant(edition, active_rules(edition, day), is_older=False, decisions=rows)


def active_rules(edition: Edition, day: date) -> frozenset[str]:
    """Return the ids of the rules that exist on the day; all of them unless the edition is rolling."""
    return frozenset(rule.id for rule in edition.rules if not edition.rolling or is_active(rule, day))
