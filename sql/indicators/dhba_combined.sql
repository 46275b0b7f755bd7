-- id: DHBA-combined
-- title: Resection combined with ablation on the same day
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: the population
-- exclusions: none
-- exceptions: none
-- numerator: ablation (thermal, electroporation, ethanol) on the day of the resection
-- direction: none
-- target: none (informative; 48 % in the Netherlands in 2022, R11)
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
    is_combined as in_numerator
from liver_resection
