"""The hash of a table's rows, whatever their order, as SQL: no row leaves the database."""

import hashlib
from collections.abc import Sequence
from functools import reduce
from typing import Final

from crlm_pipeline.ddl import literal, quoted

# How a value of these types is a whole number of 64 bits; of all other types the text is hashed.
_NUMBERS: Final = {
    "BOOLEAN": "{}::integer",
    "DATE": "({} - date '1970-01-01')",
    "INTEGER": "{}",
    "BIGINT": "{}",
    "DOUBLE": "{}::bit::bigint",
}


def hash_of_rows(columns: Sequence[tuple[str, str]]) -> str:
    """Return what to select of rows with these columns (name and SQL type): their number and two sums of their hashes.

    Sums need no sort and no memory and keep count of repeated rows. They tell accidents apart, not forgeries: a changed
    text is overlooked once in 2^128, two numbers that changed places between rows perhaps once in 10^8. The hash of a
    row is the exclusive or of those of its cells, where null is 0.
    """
    cells = (f"coalesce({_cell_hash(name, kind)}, 0::uhugeint)" for name, kind in columns)
    row = reduce(lambda one, other: f"xor({one}, {other})", cells)
    return f"count(*), sum((({row}) >> 64)::ubigint), sum((({row}) & {2**64 - 1})::ubigint)"


def _cell_hash(name: str, kind: str) -> str:
    """Return the hash of a value, 128 bits that hang on the column's name too; null stays null.

    Of a number it is the product with an odd number drawn from the name, which takes a tenth of the time of the MD5 of
    its text. DuckDB works out the MD5 of a text once for each entry of a dictionary.
    """
    if kind in _NUMBERS:
        factor = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) | 1
        return f"({_NUMBERS[kind].format(quoted(name))}::hugeint + {2**63})::uhugeint * {factor}::uhugeint"
    text = quoted(name) if kind == "VARCHAR" else f"to_json({quoted(name)})::varchar"
    return f"md5_number({literal(name + ':')} || {text})"
