-- id: P5
-- title: HER2 status known in time for first-line treatment of RAS and BRAF wild-type disease
-- population: patients with metastatic disease who started a first line
-- denominator: RAS and BRAF wild type by every tissue result up to the as-of date; where one of them is unknown or
--   only partly examined and the other is not mutated, the member is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: result known by the first dose of an anti-EGFR antibody in that line, or without one within 42 days of
--   its first day (the days of P3); an undated result, a test marked as not recorded, or a registry without any
--   result is not evaluable
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that started the first line
-- member: patient
select
    patient_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    case
        when ras = 'mutant' or braf != 'wild_type' then false
        when ras = 'wild_type' and braf = 'wild_type' then true
    end as in_denominator,
    case when ras = 'wild_type' and braf = 'wild_type' then is_her2_in_time end as in_numerator
from first_line
