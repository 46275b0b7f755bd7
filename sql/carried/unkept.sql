-- Purpose: the files of which the last run read rows that are not on record: equal to others, or of deleted patients.
-- Grain: file and table. Reads the view standing_row (table_name, source_file_id).
with kept as (
    select
        source_file_id,
        table_name,
        count(*) as rows_kept
    from standing_row
    group by source_file_id, table_name
)

select
    ledger.source_file_id,
    ledger.table_name
from audit.row_ledger as ledger
left join kept on ledger.source_file_id = kept.source_file_id and ledger.table_name = kept.table_name
where ledger.rows_read <> coalesce(kept.rows_kept, 0)
