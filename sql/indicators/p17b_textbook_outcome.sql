-- id: P17b
-- title: Textbook outcome of a resection of liver metastases, without intensive care
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: the population
-- exclusions: none
-- exceptions: none
-- numerator: no complication of Clavien-Dindo grade 3a or above, a stay of at most 14 days, no readmission within 30
--   days, and alive 30 days after the resection; one known failure is enough, else an element that is not recorded
--   makes the member not evaluable; prolonged intensive care, an element of the Dutch audit, is not in the extract;
--   not adjusted for case mix
-- direction: up
-- target: none (the Dutch audit reports 80 %, with intensive care, R10 and R11)
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
    true as in_denominator,
    not has_major_complication and stay_days <= 14 and not is_readmitted and not is_dead_30 as in_numerator
from liver_resection
