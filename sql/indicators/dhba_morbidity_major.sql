-- id: DHBA-morbidity-major
-- title: Major complication of a major resection of liver metastases
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: major resection; major or not unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: Clavien-Dindo grade 3a or above within 30 days; a grade that is not recorded is not evaluable; not
--   adjusted for case mix
-- direction: down
-- target: none (Dutch benchmark 28.1 % (0-47.1), R7)
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
    case when is_major then has_major_complication end as in_numerator
from liver_resection
