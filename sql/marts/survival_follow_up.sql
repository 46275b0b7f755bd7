-- How long each metastatic patient was followed from each time zero: the start of the first line of systemic treatment,
-- and the first date on record of a liver metastasis.
-- Grain: patient and time zero. `days` runs to death, else to the last contact, neither after the as-of date; unknown
-- where the day of death or of the last contact is, or where death stands before time zero. A last contact before time
-- zero is older than what the record tells: the patient was alive on that day. `days_at_most` runs to the as-of date.
-- `local_day`: days to the first resection or ablation of the liver on or after time zero. Parameters: $as_of (date).
with
first_lines as (
    select
        'first_line' as time_zero,
        patient_id,
        centre_id,
        decision_id,
        decision_date as zero
    from cohort.decision
    where setting = 'systemic' and line = 1 and treatment is not null
),

diagnosed as (
    select
        'crlm_diagnosis' as time_zero,
        assessment.patient_id,
        any_value(patient.centre_id) as centre_id,
        null as decision_id,
        min(assessment.mets_diagnosis_date) as zero
    from extract.assessment
    inner join cohort.patient on assessment.patient_id = patient.patient_id
    where assessment.assessment_date <= $as_of and assessment.mets_diagnosis_date <= $as_of
    group by assessment.patient_id
),

started as (
    select
        time_zero,
        patient_id,
        centre_id,
        decision_id,
        zero
    from first_lines
    union all
    select
        time_zero,
        patient_id,
        centre_id,
        decision_id,
        zero
    from diagnosed
),

treated as (
    select
        started.time_zero,
        started.patient_id,
        min(own.procedure_date - started.zero) as local_day
    from started
    inner join extract.procedure as own
        on started.patient_id = own.patient_id and own.procedure_date between started.zero and $as_of
    where
        own.procedure in (
            'resection', 'alpps', 'two_stage', 'transplantation',
            'rfa', 'mwa', 'ire', 'cryoablation', 'laser', 'hifu', 'ethanol'
        )
    group by started.time_zero, started.patient_id
),

ended as (
    select
        patient.patient_id,
        patient.is_crlm,
        patient.is_alive,
        -- least() passes over nulls, and would take a contact that is not on record for one on the as-of date.
        case
            when not patient.is_alive then recorded.death_date
            when coalesce(recorded.last_contact_date, recorded.death_date) is not null
                then least(coalesce(recorded.last_contact_date, recorded.death_date), $as_of)
        end as last_day
    from cohort.patient
    inner join extract.patient as recorded on patient.patient_id = recorded.patient_id
    where patient.is_metastatic
)

select
    started.time_zero,
    started.patient_id,
    started.centre_id,
    started.decision_id,
    ended.is_crlm,
    not ended.is_alive as is_dead,
    treated.local_day,
    case
        when ended.last_day >= started.zero then ended.last_day - started.zero
        when ended.is_alive and ended.last_day < started.zero then 0
    end as days,
    $as_of - started.zero as days_at_most
from started
inner join ended on started.patient_id = ended.patient_id
left join treated on started.time_zero = treated.time_zero and started.patient_id = treated.patient_id
