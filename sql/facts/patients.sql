-- Every accepted patient, what puts the patient in the cohort and whether the patient was alive on the as-of date.
-- Grain: patient. Parameters: $as_of (date): later rows take part in nothing.
with assessed as (
    select
        patient_id,
        bool_or(list_contains(mets_sites, 'liver')) as has_liver_site,
        bool_or(mets_diagnosis_date <= $as_of) as has_liver_date,
        bool_or(len(mets_sites) > 0) as has_site,
        bool_or(first_metastasis_date <= $as_of) as has_first_date
    from extract.assessment
    where assessment_date <= $as_of
    group by patient_id
),

biopsied as (
    select
        patient_id,
        bool_or(specimen_site = 'liver') as has_liver_specimen,
        bool_or(specimen_site = 'other_metastasis') as has_other_specimen
    from extract.biomarker
    where coalesce(sample_date, report_date, $as_of) <= $as_of
    group by patient_id
),

operated as (
    select distinct patient_id
    from extract.procedure
    where procedure_date <= $as_of
),

treated as (
    select distinct patient_id
    from extract.drug_exposure
    where start_date <= $as_of and intent in ('palliative', 'conversion')
),

staged as (
    select distinct patient_id
    from extract.tumour
    where coalesce(diagnosis_date, $as_of) <= $as_of and regexp_matches(m_category, 'm1', 'i')
),

delivered as (
    select
        patient_id,
        source_file_id
    from extract.patient
    union all
    select
        patient_id,
        source_file_id
    from extract.tumour
    union all
    select
        patient_id,
        source_file_id
    from extract.assessment
    union all
    select
        patient_id,
        source_file_id
    from extract.biomarker
    union all
    select
        patient_id,
        source_file_id
    from extract.drug_exposure
    union all
    select
        patient_id,
        source_file_id
    from extract.procedure
),

on_relative_calendar as (
    select distinct delivered.patient_id
    from delivered
    inner join audit.source_file on delivered.source_file_id = audit.source_file.source_file_id
    where audit.source_file.calendar = 'relative'
),

judged as (
    select
        patient.patient_id,
        patient.centre_id,
        patient.country,
        patient.birth_year,
        case when patient.death_date <= $as_of then patient.death_date end as death_date,
        case
            when patient.death_date is not null then patient.death_date > $as_of
            when patient.vital_status = 'dead' then coalesce(patient.last_contact_date > $as_of, false)
            else true
        end as is_alive,
        on_relative_calendar.patient_id is not null as is_relative_calendar,
        case
            when assessed.has_liver_site then 'liver metastases: the liver is among the sites of an assessment'
            when assessed.has_liver_date then 'liver metastases: an assessment dates the first one'
            when operated.patient_id is not null then 'liver metastases: a local treatment is on record'
            when biopsied.has_liver_specimen then 'liver metastases: a specimen was taken from one'
        end as liver_reason,
        case
            when assessed.has_site then 'metastatic, liver not on record: an assessment names sites'
            when assessed.has_first_date then 'metastatic, liver not on record: an assessment dates it'
            when staged.patient_id is not null then 'metastatic, liver not on record: M category M1'
            when biopsied.has_other_specimen then 'metastatic, liver not on record: a specimen of a metastasis'
            when treated.patient_id is not null then 'metastatic, liver not on record: palliative or conversion intent'
        end as metastasis_reason
    from extract.patient as patient
    left join assessed on patient.patient_id = assessed.patient_id
    left join biopsied on patient.patient_id = biopsied.patient_id
    left join operated on patient.patient_id = operated.patient_id
    left join treated on patient.patient_id = treated.patient_id
    left join staged on patient.patient_id = staged.patient_id
    left join on_relative_calendar on patient.patient_id = on_relative_calendar.patient_id
)

select
    patient_id,
    centre_id,
    country,
    birth_year,
    death_date,
    is_alive,
    is_relative_calendar,
    liver_reason is not null as is_crlm,
    coalesce(liver_reason, metastasis_reason) is not null as is_metastatic,
    coalesce(liver_reason, metastasis_reason, 'no metastasis on record') as cohort_reason
from judged
order by patient_id
