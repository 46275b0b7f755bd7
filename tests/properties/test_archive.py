"""Whatever is delivered in whatever order: what stands is what plain bookkeeping says, and nothing is kept twice."""

from collections.abc import Sequence

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crlm_pipeline.archive import Archive, ArchivingRun
from crlm_pipeline.extracts.pseudonyms import patient_hashes
from crlm_pipeline.extracts.tables import DELETED, Delivery, Extract, TextTable, dense
from crlm_pipeline.validation.results import delivered_columns
from schemas.archive import DELIVERED_MODELS, DeliveredFile, DeliveredNotice
from schemas.archive import Delivery as DeliveryTable
from schemas.audit import RejectedRow
from schemas.column import Table, describe
from tests.text_extracts import text_table

# One row: patient, specimen, analyte, result. The first three (and the method, never given) are its identity.
ROW = st.tuples(
    st.sampled_from(["p1", "p2", "p3"]), st.sampled_from(["s1", "s2"]), st.sampled_from(["kras", "braf"]),
    st.sampled_from(["mutated", "not_detected", "failed"]),
)  # fmt: skip
Row = tuple[str, str, str, str]
NIGHT = st.tuples(st.lists(ROW, max_size=5), st.sets(st.sampled_from(["p1", "p2", "p3"]), max_size=1), st.booleans())
COLUMNS = ("patient_id", "specimen_id", "analyte", "result")
NOTHING_REJECTED = pl.DataFrame(schema=describe(RejectedRow).polars_schema)


def delivered(rows: Sequence[Row], night: int) -> Delivery:
    """All three patients and these results."""
    people = text_table(
        "patient", [{"patient_id": one, "centre_id": "A", "country": "DE"} for one in ("p1", "p2", "p3")]
    )
    results = text_table("biomarker", [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    tables = [people, *([results] if rows else [])]
    named = tuple(TextTable(one.table_name, f"{night}-{one.table_name}", dense(one.frame), one.raw) for one in tables)
    return Delivery(f"d{night}", (), named, (), sum(one.frame.height for one in named))


def after(archive: Archive, *came: Delivery, deleted: pl.DataFrame, is_addition: bool, run_id: str) -> Archive:
    """What a run leaves of an archive and deliveries that come together."""
    everybody = archive.all_deleted(deleted, run_id)
    arrived = Extract(came, everybody)
    if is_addition:
        corrected, stands = archive.corrected_by(arrived, run_id)
        took_part, left = Extract((*corrected.standing(), *stands), everybody), corrected
    else:
        took_part, left = arrived, archive.replaced_by(arrived, run_id)
    parts: dict[type[Table], list[pl.DataFrame]] = {}
    for model, frame in left.with_delivered(took_part, NOTHING_REJECTED, ArchivingRun(run_id, "reader", is_addition)):
        parts.setdefault(model, []).append(frame)
    frames = {model: pl.concat(of_model) for model, of_model in parts.items()}
    return Archive(
        deliveries=frames[DeliveryTable],
        files=frames[DeliveredFile],
        notices=frames[DeliveredNotice],
        rows={
            name: dense(frames.get(model, pl.DataFrame(schema=describe(model).polars_schema)))
            for name, model in DELIVERED_MODELS.items()
        },
        columns=delivered_columns(took_part),
        deletions=everybody,
    )


def deletion_list(patients: set[str]) -> pl.DataFrame:
    hashes = patient_hashes(pl.Series("patient_hash", sorted(patients), pl.String))
    return pl.DataFrame(
        {"patient_hash": hashes, "source_file_id": ["list"] * len(patients), "source_row": [1] * len(patients)},
        schema=DELETED,
    )


def rows_of(frame: pl.DataFrame) -> list[Row]:
    return frame.select(COLUMNS).rows()  # type: ignore[return-value]  # four texts each


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(NIGHT, min_size=1, max_size=5))
def test_what_stands_is_what_bookkeeping_says(nights: list[tuple[list[Row], set[str], bool]]) -> None:
    archive, standing, deleted = Archive.empty(), set[Row](), set[str]()
    ever: set[Row] = set()
    for number, (rows, new_deletions, is_addition) in enumerate(nights):
        delivery = delivered(rows, number)
        archive = after(
            archive, delivery, deleted=deletion_list(new_deletions), is_addition=is_addition, run_id=f"r{number}"
        )
        deleted |= new_deletions
        corrected = {row[:3] for row in rows}
        kept = {row for row in standing if row[:3] not in corrected or row in rows} if is_addition else set()
        standing = {row for row in kept | set(rows) if row[0] not in deleted}
        ever = {row for row in ever | set(rows) if row[0] not in deleted}
        held = archive.rows["biomarker"]
        now = held.filter(pl.col("superseded_run_id").is_null())
        assert set(rows_of(now)) == standing
        assert set(rows_of(held)) == ever, "every version of a row is on record while its patient may be held"
        assert held["row_no"].to_list() == list(range(1, held.height + 1))
        assert {one.delivery_id for one in archive.standing()} >= {f"d{number}"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(ROW, max_size=4), min_size=2, max_size=4), st.sets(st.sampled_from(["p1", "p2"]), max_size=1))
def test_deliveries_that_come_together_are_what_they_are_one_after_the_other(
    deliveries: list[list[Row]], gone: set[str]
) -> None:
    first, *later = [delivered(rows, number) for number, rows in enumerate(deliveries)]
    begun = after(Archive.empty(), first, deleted=deletion_list(gone), is_addition=False, run_id="r0")
    together = after(begun, *later, deleted=deletion_list(set()), is_addition=True, run_id="r1")
    in_turn = begun
    for number, one in enumerate(later, start=1):
        in_turn = after(in_turn, one, deleted=deletion_list(set()), is_addition=True, run_id=f"r{number}")
    for is_asked in (pl.col("superseded_run_id").is_null(), pl.lit(1) == 1):
        assert set(rows_of(together.rows["biomarker"].filter(is_asked))) == set(
            rows_of(in_turn.rows["biomarker"].filter(is_asked))
        )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROW, max_size=5), st.lists(ROW, max_size=5))
def test_a_delivery_that_comes_again_changes_nothing(first: list[Row], second: list[Row]) -> None:
    nobody = deletion_list(set())
    archive = after(Archive.empty(), delivered(first, 0), deleted=nobody, is_addition=False, run_id="r0")
    once = after(archive, delivered(second, 1), deleted=nobody, is_addition=True, run_id="r1")
    twice = after(once, delivered(second, 2), deleted=nobody, is_addition=True, run_id="r2")
    assert rows_of(twice.rows["biomarker"]) == rows_of(once.rows["biomarker"])


def test_only_a_delivery_that_stands_whole_and_was_read_the_same_way_need_not_be_read_again() -> None:
    nobody = deletion_list(set())
    row = ("p1", "s1", "kras", "mutated")
    archive = after(Archive.empty(), delivered([row], 0), deleted=nobody, is_addition=False, run_id="r0")
    assert [one.delivery_id for one in archive.whole("reader")] == ["d0"]
    assert archive.whole("another reader") == ()
    corrected = after(archive, delivered([(*row[:3], "failed")], 1), deleted=nobody, is_addition=True, run_id="r1")
    assert [one.delivery_id for one in corrected.whole("reader")] == []
