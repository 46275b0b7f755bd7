-- The patients whom the MIPS measures are about, with their first anti-EGFR antibody for metastatic disease.
-- Grain: patient with metastatic disease and a primary of the measures' list (C18.1 is not on it), not known to have
-- been under 18. Reads `treatment_line`. Parameters: none.
-- Plain: in a line without a KRAS G12C inhibitor.
with
tumours as (
    select
        patient_id,
        min(diagnosis_date) as diagnosis_date,
        case
            when bool_or(regexp_matches(m_category, 'm1', 'i')) then true
            when bool_and(coalesce(regexp_matches(m_category, 'm0', 'i'), false)) then false
        end as is_m1
    from extract.tumour
    where topography like 'C18.%' and topography != 'C18.1' or topography like 'C19.%' or topography like 'C20.%'
    group by patient_id
),

metastases as (
    select
        patient_id,
        min(least(first_metastasis_date, mets_diagnosis_date)) as first_date
    from extract.assessment
    group by patient_id
),

antibodies as (
    select
        patient_id,
        arg_min(centre_id, (antibody_start_date, line)) as centre_id,
        min(antibody_start_date) as start_date,
        min(antibody_start_date) filter (where not list_contains(classes, 'kras_g12c_inhibitor')) as plain_start_date,
        arg_min(centre_id, (antibody_start_date, line)) filter (
            where not list_contains(classes, 'kras_g12c_inhibitor')
        ) as plain_centre_id
    from treatment_line
    where antibody_start_date is not null
    group by patient_id
)

select
    patient.patient_id,
    patient.centre_id,
    patient.is_relative_calendar,
    coalesce(tumours.is_m1, metastases.first_date <= tumours.diagnosis_date + 31) as is_metastatic_at_diagnosis,
    facts.ras,
    antibodies.start_date as antibody_start_date,
    case when not patient.is_relative_calendar then antibodies.start_date end as antibody_event_date,
    coalesce(antibodies.centre_id, patient.centre_id) as antibody_centre_id,
    antibodies.plain_start_date as plain_antibody_start_date,
    case when not patient.is_relative_calendar then antibodies.plain_start_date end as plain_antibody_event_date,
    coalesce(antibodies.plain_centre_id, patient.centre_id) as plain_antibody_centre_id
from cohort.patient as patient
inner join tumours on patient.patient_id = tumours.patient_id
inner join extract.patient as person on patient.patient_id = person.patient_id
left join metastases on patient.patient_id = metastases.patient_id
left join antibodies on patient.patient_id = antibodies.patient_id
left join cohort.patient_facts as facts on patient.patient_id = facts.patient_id
where
    patient.is_metastatic
    and coalesce(year(tumours.diagnosis_date) - person.birth_year >= 18, true)
