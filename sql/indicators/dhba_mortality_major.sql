-- id: DHBA-mortality-major
-- title: Death within 30 days or in the same stay, major resection of liver metastases
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: major resection; major or not unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: death within 30 days, or before the recorded length of stay ended; a last contact before that day, or
--   none recorded, is not evaluable, nor is survival of the 30 days where the stay is unknown and a death came later;
--   not adjusted for case mix
-- direction: down
-- target: none (Dutch benchmark 3.3 % (0-16.7), R7)
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
    is_major as in_denominator,
    case when is_major then is_dead_30 or is_dead_in_stay end as in_numerator
from liver_resection
