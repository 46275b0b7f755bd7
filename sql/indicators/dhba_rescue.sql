-- id: DHBA-rescue
-- title: Failure to rescue: death after a major complication of a resection of liver metastases
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: Clavien-Dindo grade 3a or above; a grade that is not recorded is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: death within 30 days, or before the recorded length of stay ended; a last contact before that day, or
--   none recorded, is not evaluable; not adjusted for case mix
-- direction: down
-- target: none (Dutch benchmark minor 5.4 %, major 14.2 %, R7)
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
    has_major_complication as in_denominator,
    case when has_major_complication then is_dead_30 or is_dead_in_stay end as in_numerator
from liver_resection
