"""Which tables and columns a warehouse file has: its layout, by a number that rises with every change of them."""

import hashlib
from collections.abc import Iterable
from typing import Final

from schemas.archive import ARCHIVE_MODELS
from schemas.audit import AUDIT_MODELS
from schemas.cohort import COHORT_MODELS
from schemas.column import Table, describe
from schemas.extract import EXTRACT_MODELS
from schemas.guideline import GUIDELINE_MODELS
from schemas.mart import MART_MODELS

# Raise it with every change of a table or column, record the new fingerprint, say in docs/upgrades.md what is another,
# and write `sql/migrations/<layout>_<what>.sql` where a run could not read what it needs of the layout before.
LAYOUT: Final = 4
FINGERPRINT: Final = "3e37a56b0131227a"

MODELS: Final[tuple[type[Table], ...]] = (
    *EXTRACT_MODELS,
    *COHORT_MODELS,
    *GUIDELINE_MODELS,
    *AUDIT_MODELS,
    *MART_MODELS,
    *ARCHIVE_MODELS,
)


def fingerprint(models: Iterable[type[Table]]) -> str:
    """Return the first 16 hex digits of a SHA-256 of tables by name, and of their columns: name, type, required."""
    digest = hashlib.sha256()
    for table in sorted(map(describe, models), key=lambda table: table.qualified_name):
        columns = [(column.name, str(column.dtype), column.required) for column in table.columns]
        digest.update(f"{table.qualified_name}:{columns}\n".encode())
    return digest.hexdigest()[:16]
