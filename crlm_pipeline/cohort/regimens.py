"""Names a regimen as clinicians do: the backbone's label, then its targeted drugs (clinical 3.12)."""

from functools import cache

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.guidelines import patterns
from crlm_pipeline.guidelines.bits import places


def bit_of(inn: pl.Expr) -> pl.Expr:
    """Return the bit of a substance: a regimen is the bits of its substances."""
    return pl.lit(2, pl.UInt64).pow(inn.to_physical())


def regimen_keys(drugs: pl.Series) -> pl.Series:
    """Return the key of each regimen, such as `bevacizumab+capecitabine`; each distinct one is written out once."""
    distinct = drugs.unique()
    names = substances()["inn"].to_list()
    keys = ["+".join(names[number] for number in places(bits)) for bits in distinct.to_list()]
    return drugs.replace_strict(distinct, keys, return_dtype=pl.String)


def name_regimens(regimens: pl.Series) -> pl.Series:
    """Return the name of each regimen key, such as `FOLFOX + cetuximab`; each distinct key is looked up once."""
    distinct = regimens.unique(maintain_order=True).drop_nulls().to_list()
    return regimens.replace_strict(distinct, [name_regimen(key) for key in distinct], return_dtype=pl.String)


@cache
def name_regimen(regimen: str) -> str:
    """Return the label of a whole regimen, else of its backbone with the targeted drugs after it.

    A backbone without a label is named by its substances.
    """
    tokens = patterns.tokens(regimen)
    if tokens in _labels():
        return _labels()[tokens]
    targeted = tokens & patterns.targeted_drugs()
    backbone = tokens - targeted
    parts = [_labels()[backbone]] if backbone in _labels() else sorted(backbone)
    return " + ".join([*parts, *sorted(targeted)])


@cache
def _labels() -> dict[patterns.Tokens, str]:
    """Return the label of each set of substances that `regimens.csv` names as one regimen."""
    return {
        tokens: row["label"]
        for row in resources.reference("regimens")
        if row["kind"] == "regimen"
        for tokens in patterns.expand_alternatives(row["pattern"])
    }
