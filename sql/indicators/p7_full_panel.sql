-- id: P7
-- title: Full biomarker panel known in time for first-line treatment
-- population: patients with metastatic disease who started a first line
-- denominator: the population; while the 42 days run and a result is missing, the member is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: microsatellite or mismatch repair status, extended RAS and BRAF known, and HER2 where RAS is wild type,
--   each by the first dose of an anti-EGFR antibody in that line, or without one within 42 days of its first day (the
--   days of P3); an undated result, a test marked as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: none (51 % in one US cohort of 2022-2023, MedStar/COTA, R53: an anchor, no target)
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
    -- HER2 is asked of RAS wild type only: nothing is asked of HER2 where RAS turned out mutated.
    is_msi_in_time
    and is_ras_in_time
    and is_braf_in_time
    and (is_her2_in_time or case ras when 'mutant' then true when 'wild_type' then false end) as in_numerator
from first_line
