-- Purpose: the run of this warehouse and that of the one before, in the columns that both have.
-- Grain: run, this one first. Reads the views run_now and run_before.
select *
from run_now
union all
select *
from run_before
