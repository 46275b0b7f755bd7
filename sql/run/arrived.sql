-- Purpose: what came of the files that a run was given for the first time.
-- Grain: one row. Parameters: none; the run is that of the warehouse.
with arrived as (
    select distinct file.source_file_id
    from archive.file as file
    inner join archive.delivery as delivery on file.delivery_id = delivery.delivery_id
    where delivery.run_id in (select run_id from audit.run)
),

ledger as (
    select
        coalesce(sum(rows_read), 0)::bigint as rows_read,
        coalesce(sum(rows_accepted), 0)::bigint as rows_accepted,
        coalesce(sum(rows_rejected), 0)::bigint as rows_rejected,
        coalesce(sum(rows_duplicate), 0)::bigint as rows_duplicate
    from audit.row_ledger
    where source_file_id in (select source_file_id from arrived)
),

rejected as (
    select
        count(*) filter (where check_name = 'patient_deleted') as rows_deleted,
        count(*) filter (where scope = 'cell') as cells_rejected
    from audit.rejected_row
    where source_file_id in (select source_file_id from arrived)
)

select
    (select count(*) from arrived) as files,
    ledger.rows_read,
    ledger.rows_accepted,
    ledger.rows_rejected,
    ledger.rows_duplicate,
    rejected.rows_deleted,
    rejected.cells_rejected
from ledger
cross join rejected
