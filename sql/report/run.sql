-- The run that wrote this warehouse.
-- Grain: run, the latest first. Parameters: none.
select
    run_id,
    started_at,
    as_of,
    package_version,
    content_hash,
    status,
    guidelines,
    judge_by,
    side_policy,
    grace_days
from audit.run
order by started_at desc
limit 1
