"""What a run needs of a file that an earlier version wrote: its record of deliveries, brought to the present layout.

Everything else is made anew by the run, so that a migration touches `archive` and `audit` alone. It is a statement
`sql/migrations/<layout>_<what>.sql`; a column that the present layout added and a run can do without needs none, as
`Warehouse.read` returns it as unknown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.archive import archived_rows
from crlm_pipeline.errors import DefectError
from crlm_pipeline.resources import sql_names
from crlm_pipeline.warehouse import Warehouse, building

FOLDER: Final = "migrations"


@contextmanager
def with_present_record(published: Path, copy: Path) -> Iterator[Warehouse]:
    """Yield a published warehouse with a record of deliveries as this version reads it.

    Where that needs a migration, it is one of a copy at `copy`, which is gone afterwards; the file itself stays as it
    is. Raises as `Warehouse.open_of_any_layout` does.
    """
    with Warehouse.open_of_any_layout(published) as warehouse:
        needed = migrations(warehouse.layout)
        if not needed:
            yield warehouse
            return
    try:
        with building(copy, start_from=published) as migrated:
            for migration in needed:
                migrated.execute(migration)
            yield migrated
    finally:
        copy.unlink(missing_ok=True)


def migrations(layout: int) -> list[str]:
    """Return the statements that a file of this layout needs, in order; none where it kept no record (layout 0)."""
    return [name for name in sql_names(FOLDER) if 0 < layout < _layout_after(name)]


def _layout_after(name: str) -> int:
    return int(name.removeprefix(f"{FOLDER}/").partition("_")[0])


def check_conserved(published: Path, upgraded: Path, copy: Path) -> None:
    """Raise `DefectError` unless both files hold as many deliveries, deletions and rows, standing and replaced."""
    with with_present_record(published, copy) as before, Warehouse.open_readonly(upgraded) as after:
        was, is_now = _on_record(before), _on_record(after)
    differing = pl.concat([was.join(is_now, on=was.columns, how="anti"), is_now.join(was, on=was.columns, how="anti")])
    changed = differing["table_name"].unique().sort().to_list()
    if changed:
        raise DefectError(f"the upgrade would not conserve the {', '.join(changed)}; nothing was published.")


def _on_record(warehouse: Warehouse) -> pl.DataFrame:
    warehouse.define("archived_row", archived_rows())
    return warehouse.query("run/on_record")
