-- id: P3
-- title: Extended RAS status known in time for first-line treatment
-- population: patients with metastatic disease who started a first line
-- denominator: the population; while the 42 days run and there is no result, the member is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: result known by the first dose of an anti-EGFR antibody in that line, or without one within 42 days of
--   its first day; an undated result, a test marked as not recorded, or a registry without any result is not
--   evaluable
-- direction: up
-- target: 0.90 (own standard of this set)
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
    true as in_denominator,
    is_ras_in_time as in_numerator
from first_line
