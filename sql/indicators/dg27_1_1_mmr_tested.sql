-- id: DG27-1.1
-- title: Mismatch repair or microsatellite status tested in newly diagnosed colorectal cancer
-- population: every accepted patient with colorectal cancer, in any country
-- denominator: first diagnosed from 2017-02-24, when NICE published DG27; an unknown day of diagnosis, or a relative
--   calendar, is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: a result on record by the as-of date, dated or not; a pending test, a test marked as not recorded, or a
--   registry without any result is not evaluable
-- direction: up
-- target: 1.00 (NICE DG27 recommendation 1.1; a local audit found 198 of 203, R62)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
-- parameters: as_of
with
diagnosed as (
    select
        patient_id,
        min(diagnosis_date) as diagnosis_date,
        bool_or(diagnosis_date is null) as is_one_undated
    from extract.tumour
    where coalesce(diagnosis_date, $as_of) <= $as_of
    group by patient_id
),

pending as (
    select distinct patient_id
    from extract.biomarker
    where
        analyte in ('msi', 'mlh1', 'pms2', 'msh2', 'msh6')
        and (missing_reason = 'pending' or report_date > $as_of)
        and coalesce(sample_date, $as_of) <= $as_of
),

meant as (
    select
        patient.patient_id,
        patient.centre_id,
        case when not patient.is_relative_calendar then diagnosed.diagnosis_date end as event_date,
        case
            when patient.is_relative_calendar then null
            when diagnosed.diagnosis_date < date '2017-02-24' then false
            when not diagnosed.is_one_undated then true
        end as is_meant,
        case
            when facts.msi is not null or known.patient_id is not null then true
            when unsure.patient_id is not null or pending.patient_id is not null then null
            else false
        end as is_tested
    from cohort.patient as patient
    left join diagnosed on patient.patient_id = diagnosed.patient_id
    left join cohort.patient_facts as facts on patient.patient_id = facts.patient_id
    left join cohort.analyte_known as known on patient.patient_id = known.patient_id and known.analyte = 'msi'
    left join uncertain_test as unsure on patient.patient_id = unsure.patient_id and unsure.analyte = 'msi'
    left join pending on patient.patient_id = pending.patient_id
)

select
    patient_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_meant as in_denominator,
    case when is_meant then is_tested end as in_numerator
from meant
