-- Purpose: how many of the kept rows of an archive table stand, and how many there are.
-- Grain: one row. Reads the table numbered (superseded_run_id).
select
    count(*) filter (where numbered.superseded_run_id is null) as standing,
    count(*) as height
from numbered
