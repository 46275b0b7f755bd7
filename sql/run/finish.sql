-- Purpose: complete the record of the run that was ingested, once everything is judged and counted.
-- Grain: the one run of the warehouse.
-- Parameters: $as_of, $guidelines (series that judged), $judge_by (null: the editions of the time), $side_policy,
-- $grace_days.
update audit.run
set
    as_of = $as_of,
    guidelines = $guidelines,
    judge_by = $judge_by,
    side_policy = $side_policy,
    grace_days = $grace_days
