"""What came of the patients whom an addition does not touch, as the published run has it on record.

Its audit counts all patients together: what the touched ones contributed is known by validating their rows as they
were, and taken off.
"""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from crlm_pipeline.validation.faults import DELETED_PATIENT, Place
from crlm_pipeline.validation.findings import told_again
from crlm_pipeline.validation.ingest import Outcome
from crlm_pipeline.validation.ledger import shape
from crlm_pipeline.validation.register import Registered
from crlm_pipeline.validation.results import added_up, counted_before
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import CheckResult, Finding, FindingRow, RejectedRow, RowLedger, SetAsideCount
from schemas.column import Table

_PLACE = ["table_name", "source_file_id", "source_row"]
_COUNTS = pl.col("^rows_.*$")


def outcome_of_others(published: Warehouse, were: Sequence[Outcome], places: pl.DataFrame) -> Outcome:
    """Return what came of the patients that are not touched; of their accepted rows there are none in it.

    `published`: as `touched` leaves it. `were`: what came of the touched patients in its run. `places` (`table_name`,
    `source_file_id`, `source_row`): of the rows of theirs that stood; they are nobody else's.
    """
    totals = published.query("carried/totals").row(0, named=True)
    ledger = _left(published, RowLedger, [part.row_ledger for part in were])
    read = sum(int(part.row_ledger["rows_read"].sum()) for part in were)
    assert ledger["rows_read"].sum() == totals["row_count"] - read, "the last run read other rows than are on record"
    checked, failed = _checks_left(published, were)
    # Of deleted patients no row is on record, nor told of again.
    is_held = pl.col("check_name") != DELETED_PATIENT.name
    rejected = published.read(RejectedRow).filter(is_held).select(shape(RejectedRow).keys())
    findings, found = published.read(Finding).filter(is_held), published.read(FindingRow)
    nothing = were[0]
    return Outcome(
        accepted={name: rows.clear() for name, rows in nothing.accepted.items()},
        row_ledger=ledger,
        rejected_row=rejected.join(places, on=_PLACE, how="anti"),
        told=told_again(findings, found.join(places, on=_PLACE, how="anti")),
        checked=checked,
        failed=failed,
        broken={},
        set_aside_count=_left(published, SetAsideCount, [part.set_aside_count for part in were]),
        corrections=nothing.corrections.clear(),
        cells_delivered=totals["cell_count"] - sum(part.cells_delivered for part in were),
        latest_date=totals["latest_date"],
    )


def _left(published: Warehouse, model: type[Table], were: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the published counts of a table without those of the touched patients.

    Of a file that all touch what is left are rows that are not on record, and read no more.
    """
    total = published.read(model).select(shape(model).keys())
    left = added_up([total, *(counts.with_columns(-_COUNTS) for counts in were)])
    left = left.join(published.query("carried/read_again"), on=["source_file_id", "table_name"], how="anti")
    assert left.select(pl.all_horizontal(_COUNTS >= 0).all()).item(), "the last run counted fewer rows"
    return left.filter(pl.any_horizontal(_COUNTS > 0))


def _checks_left(published: Warehouse, were: Sequence[Outcome]) -> tuple[Counter[Registered], Counter[Place]]:
    """Return how many rows of others each check looked at, and failed; deleted patients' rows are no more."""
    checked, failed = counted_before(published.read(CheckResult))
    for part in were:
        checked.subtract(part.checked)
        failed.subtract(part.failed)
    failed = Counter({place: count for place, count in failed.items() if place[0] != DELETED_PATIENT.name})
    assert min([*checked.values(), *failed.values()], default=0) >= 0, "the last run checked fewer rows"
    return checked, failed
