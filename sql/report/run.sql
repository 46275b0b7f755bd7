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
    grace_days,
    (select any_value(overdispersion) from mart.indicator) as funnel_overdispersion
from audit.run
order by started_at desc
limit 1
