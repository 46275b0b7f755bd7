"""Decisions drawn at random: every fact independently, unknown and undecided values included."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.clauses import clauses_of
from crlm_pipeline.guidelines.domain import possible_values
from crlm_pipeline.guidelines.model import Edition, LabelWording, fact_columns
from crlm_pipeline.guidelines.patterns import expand, key
from schemas import vocabulary as v
from schemas.cohort import ClassView, Decision
from schemas.column import describe

NEVER_UNKNOWN = {
    "previous_backbone": ["none", "oxaliplatin", "irinotecan"],
    "contraindications": [[], [], [], ["autoimmune"], ["neuropathy"], ["qtc", "arterial_event"]],
    "failed_classes": [[], [], ["anti_egfr"], ["irinotecan", "fluoropyrimidine"]],
}


def draw(editions: Sequence[Edition], count: int, seed: int, share_unknown: float = 0.15) -> pl.DataFrame:
    """Return `count` rows of cohort.decision about which the editions' rules have something to say."""
    chance = np.random.default_rng(seed)
    schema = describe(Decision).polars_schema
    tests: dict[str, list[Any]] = {}
    for edition in editions:
        for clause in clauses_of(edition.rules):
            for condition in clause.conditions:
                tests.setdefault(condition.fact, []).append(condition.test)
    columns: dict[str, Any] = {name: [None] * count for name in schema}
    for fact, column in fact_columns().items():
        values = NEVER_UNKNOWN.get(fact) or list(
            possible_values(fact, [t for t in tests.get(fact, []) if not _asks(t)])
        )
        values += [value for value in v.UNDECIDED if not column.is_list and value in (column.values or ())]
        is_sure = fact in NEVER_UNKNOWN or fact.startswith("prior_") or fact == "setting"
        drawn = chance.integers(0, len(values), count)
        gone = chance.random(count) < (0 if is_sure else share_unknown)
        columns[fact] = [None if lost else values[place] for place, lost in zip(drawn, gone, strict=True)]
    columns["chemotherapy_line"] = columns["line"]
    columns["failed_classes"] = _choose(chance, NEVER_UNKNOWN["failed_classes"], count)
    columns["treatment"] = _treatments(chance, editions, columns["setting"])
    columns["is_open"] = [bool(x) for x in chance.random(count) < 0.05]
    columns["decision_id"] = [f"p{n}/systemic/1" for n in range(count)]
    columns["decision_date"] = [date(2015, 6, 1) + timedelta(days=int(d)) for d in chance.integers(0, 4100, count)]
    columns["facts_date"] = columns["decision_date"]
    columns["country"] = _choose(chance, ["US", "FR", "NL", "GB", "ZZ"], count)
    columns["out_of_scope_reason"] = _choose(chance, [None] * 30 + ["trial"], count)
    columns["deviation_reason"] = _choose(chance, [None] * 20 + ["toxicity", "access"], count)
    for name in ("patient_id", "centre_id", "home_centre_id"):
        columns[name] = ["p"] * count
    for name in ("is_relative_calendar", "is_fitness_known", "has_assumed_date", "has_imputed_date"):
        columns[name] = [False] * count
    return pl.DataFrame(columns, schema=schema)


def no_class_views() -> pl.DataFrame:
    return pl.DataFrame(schema=describe(ClassView).polars_schema)


def _asks(test: object) -> bool:
    return isinstance(test, tuple) and "unknown" in test


def _choose(chance: np.random.Generator, values: list[Any], count: int) -> list[Any]:
    return [values[place] for place in chance.integers(0, len(values), count)]


def _treatments(chance: np.random.Generator, editions: Sequence[Edition], settings: list[str]) -> list[str | None]:
    patterns = {option.treatment for edition in editions for rule in edition.ladder for option in rule.options}
    patterns |= {pattern for edition in editions for wording in edition.wordings for pattern in _regimens(wording)}
    keys = sorted({key(each) for pattern in patterns for each in expand(pattern)} - {""})
    local = [k for k in keys if set(k.split("+")) <= {*v.PROCEDURE, "systemic"}] + ["sirt+systemic", "resection+rfa"]
    systemic = [k for k in keys if k not in local]
    systemic += ["capecitabine+cetuximab+oxaliplatin", "encorafenib", "nivolumab", "raltitrexed", "sotorasib"]
    pools = {"systemic": systemic, "local": [*local, None, None]}
    return [pools[setting][int(chance.integers(0, len(pools[setting])))] for setting in settings]


def _regimens(wording: LabelWording) -> list[str]:
    beside = ["" if each == "none" else "folfiri" if each == "any" else each for each in wording.cytotoxics]
    return [" + ".join([*wording.targeted, *([each] if each else [])]) for each in beside if wording.targeted or each]
