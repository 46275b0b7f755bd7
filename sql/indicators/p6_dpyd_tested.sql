-- id: P6
-- title: DPD status known before the first fluoropyrimidine
-- population: patients who were given a fluoropyrimidine, adjuvant and perioperative courses included
-- denominator: the population, whatever the year: authorities began to ask for the test at different times
-- exclusions: none
-- exceptions: none
-- numerator: genotype, uracil or a recorded deficiency known on or before the first dose on record; an undated
--   result, a test marked as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
with
starter as (
    select
        patient_id,
        min(start_date) as start_date
    from cohort.exposure_role
    where drug_class = 'fluoropyrimidine' and role != 'excluded'
    group by patient_id
)

select
    patient.patient_id as member_id,
    patient.centre_id,
    case when not patient.is_relative_calendar then starter.start_date end as event_date,
    true as in_population,
    true as in_denominator,
    case
        when known.known_date <= starter.start_date then true
        when unsure.patient_id is null then false
    end as in_numerator
from starter
inner join cohort.patient as patient on starter.patient_id = patient.patient_id
left join cohort.analyte_known as known on starter.patient_id = known.patient_id and known.analyte = 'dpyd'
left join uncertain_test as unsure on starter.patient_id = unsure.patient_id and unsure.analyte = 'dpyd'
