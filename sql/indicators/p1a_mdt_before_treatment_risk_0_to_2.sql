-- id: P1a
-- title: Liver meeting before the first treatment, clinical risk score 0 to 2
-- population: patients with liver metastases
-- denominator: first treatment (systemic, resection, ablation or another local treatment) known; a perioperative or
--   adjuvant course counts if it began once liver metastases were on record; clinical risk score 0 to 2 at the first
--   treatment, whatever the items that were not recorded
-- exclusions: none
-- exceptions: none
-- numerator: a liver meeting on or before the day of the first treatment; a meeting of unknown kind, or a registry
--   without any meeting, is not evaluable
-- direction: up
-- target: 0.95 (own standard of this set; by risk: crlm_editorial item 10)
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first treatment, else the centre that reports the patient
-- member: patient
select
    patient_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_treated and risk = 'low' as in_denominator,
    case when is_treated and risk = 'low' then is_met_before end as in_numerator
from first_liver_treatment
