-- How long each patient was seen: the day of death, and the last day on which it is known whether the patient lived.
-- Grain: accepted patient. Parameters: $as_of (date): what came later takes part in nothing.
-- A last contact that was not recorded leaves seen_until unknown; a death without a date is one some time after it.
select
    patient.patient_id,
    patient.centre_id,
    cohort_patient.is_relative_calendar,
    case when patient.death_date <= $as_of then patient.death_date end as death_date,
    -- least() passes over what is unknown; here unknown must stay unknown.
    case
        when coalesce(patient.death_date, patient.last_contact_date) is not null
            then least(coalesce(patient.death_date, patient.last_contact_date), $as_of)
    end as seen_until
from extract.patient as patient
inner join cohort.patient as cohort_patient on patient.patient_id = cohort_patient.patient_id
