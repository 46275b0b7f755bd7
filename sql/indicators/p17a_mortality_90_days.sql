-- id: P17a
-- title: Death within 90 days of a resection of liver metastases
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: the population
-- exclusions: none
-- exceptions: none
-- numerator: death within 90 days, whatever its cause; a last contact before that day, or none recorded, is not
--   evaluable; not adjusted for case mix
-- direction: down
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre of the resection
-- member: resection
select
    member_id,
    centre_id,
    event_date,
    true as in_population,
    true as in_denominator,
    is_dead_90 as in_numerator
from liver_resection
