-- Purpose: the settings under which the warehouse was judged.
-- Grain: run.
select
    run.as_of,
    run.judge_by,
    run.grace_days,
    run.guidelines
from audit.run as run
order by run.started_at desc
