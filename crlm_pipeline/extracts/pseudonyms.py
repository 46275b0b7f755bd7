"""Pseudonyms on the way in: ids become keyed hashes before anything is stored, and the key stays outside.

The same key gives the same pseudonym in every run and from every source, so that patients still merge and corrections
still find their rows. Without the key no id can be tried out against the warehouse.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.errors import UsageError
from crlm_pipeline.extracts.tables import Delivery, TextTable, dense
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.owner_only import read_secret
from schemas.extract import extract_tables

_KEY_BYTES: Final = 32
_PSEUDONYM_DIGITS: Final = 32  # of 64 hex digits: 128 bits, no two ids of a nation meet
_PURPOSE: Final = b"crlm-pipeline: which key this is"


@dataclass(frozen=True)
class PseudonymKey:
    """The secret that turns ids into pseudonyms; `key_id` tells keys apart without telling them."""

    secret: bytes

    @property
    def key_id(self) -> str:
        """Eight hex digits that only this key has."""
        return hmac.digest(self.secret, _PURPOSE, hashlib.sha256).hex()[:8]

    def pseudonyms(self, ids: pl.Series) -> pl.Series:
        """Return the pseudonym of each id, blanks around it aside; unknown stays unknown."""
        return _recoded(ids, lambda text: hmac.digest(self.secret, text.encode(), hashlib.sha256).hex())


def load_key(path: Path) -> PseudonymKey:
    """Read a key file; raises `UsageError` when it is missing, too short or readable by others."""
    secret = read_secret(path, "the key of the pseudonyms").strip()
    if len(secret) < _KEY_BYTES:
        raise UsageError(
            f"{path}: a key of at least {_KEY_BYTES} bytes was expected, such as `openssl rand -hex 32` makes."
        )
    return PseudonymKey(secret)


def patient_hashes(ids: pl.Series) -> pl.Series:
    """Return the SHA-256 of each id, under which a deleted patient is remembered."""
    return _recoded(ids, lambda text: hashlib.sha256(text.encode()).hexdigest(), digits=64)


def pseudonymised(delivery: Delivery, key: PseudonymKey) -> Delivery:
    """Return a delivery with pseudonyms for ids. A row's record in the source's own columns would show them: it is not
    kept, and the row's canonical columns stand in for it.
    """
    return replace(delivery, tables=tuple(_pseudonymised(table, key) for table in delivery.tables))


def _pseudonymised(table: TextTable, key: PseudonymKey) -> TextTable:
    described = extract_tables()[table.table_name].columns
    ids = [c.name for c in described if c.sensitivity == "identifier" and c.name in table.frame.columns]
    frame = dense(table.frame.with_columns(key.pseudonyms(table.frame[name]) for name in ids))
    return replace(table, frame=frame, raw=frame.unique(SOURCE_ROW, keep="first", maintain_order=True))


def _recoded(ids: pl.Series, code: Callable[[str], str], digits: int = _PSEUDONYM_DIGITS) -> pl.Series:
    """Return the code of each id; every distinct one is worked out once."""
    plain = ids.cast(pl.String).str.strip_chars().replace("", None)
    distinct = plain.drop_nulls().unique()
    codes = pl.Series([code(text)[:digits] for text in distinct], dtype=pl.String)
    return plain.replace_strict(distinct, codes, default=None, return_dtype=pl.String).alias(ids.name)
