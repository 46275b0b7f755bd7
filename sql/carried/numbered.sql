-- Purpose: the rows of an archive table that are kept, with their place in it: those that stand, $added new ones, those
-- that were replaced.
-- Grain: row of the published table. Reads the view archived_before (row_no, patient_id, superseded_run_id, raw_row),
-- and the frames touched (patient_id) and kept (row_no, superseded_run_id, raw_row). Parameters: $added (rows).
with record as (
    select
        archived_before.row_no,
        archived_before.superseded_run_id,
        archived_before.raw_row
    from archived_before
    where not exists (select 1 from touched where touched.patient_id is not distinct from archived_before.patient_id)
    union all
    select
        kept.row_no,
        kept.superseded_run_id,
        kept.raw_row
    from kept
)

select
    record.row_no as row_no_before,
    record.superseded_run_id,
    record.raw_row,
    row_number() over (order by record.superseded_run_id is not null, record.row_no)
    + case when record.superseded_run_id is null then 0 else $added end as row_no
from record
