-- id: DHBA-mortality-minor
-- title: Death within 30 days or in the same stay, minor resection of liver metastases
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: minor resection; major or not unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: death within 30 days, or before the recorded length of stay ended; a last contact before that day, or
--   none recorded, is not evaluable, nor is survival of the 30 days where the stay is unknown and a death came later;
--   not adjusted for case mix
-- direction: down
-- target: none (Dutch benchmark 0.6 % (0-3.2), R7)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre of the resection
-- member: resection
select
    member_id,
    centre_id,
    event_date,
    true as in_population,
    not is_major as in_denominator,
    case when not is_major then is_dead_30 or is_dead_in_stay end as in_numerator
from liver_resection
