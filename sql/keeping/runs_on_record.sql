-- Purpose: the runs that read a delivery on record, or replaced a row of one; what is kept for a time goes with them.
-- Grain: run. Reads the view archived_row (superseded_run_id).
select run_id
from archive.delivery
union
select superseded_run_id as run_id
from archived_row
where superseded_run_id is not null
order by run_id
