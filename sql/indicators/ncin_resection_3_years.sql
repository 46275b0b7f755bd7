-- id: NCIN-resection
-- title: Liver metastases resected within 3 years of the operation of the colorectal cancer
-- population: every accepted patient with colorectal cancer
-- denominator: the primary was resected (the first of several); an unknown day of its resection is not evaluable, as
--   it may not have been resected
-- exclusions: none
-- exceptions: none
-- numerator: resection of liver metastases by 3 years after the operation, or before it (liver first); death before
--   counts as none; not evaluable while the years run, where contact was lost before, or in a registry without any
--   local treatment; not adjusted for case mix
-- direction: none
-- target: none (informative: a profile with an outlier process, R64)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
-- parameters: as_of
with
operated as (
    select
        patient_id,
        min(resection_date) filter (where resection_date <= $as_of) as operation_date
    from extract.tumour
    group by patient_id
),

treated as (
    select
        patient_id,
        min(procedure_date) as procedure_date
    from liver_treatment
    where is_resection
    group by patient_id
)

select
    patient.patient_id as member_id,
    patient.centre_id,
    case when not patient.is_relative_calendar then operated.operation_date end as event_date,
    true as in_population,
    -- An empty day of the operation does not say that there was none.
    case when operated.operation_date is not null then true end as in_denominator,
    case
        when operated.operation_date is null then null
        when treated.procedure_date <= operated.operation_date + interval 3 years then true
        -- A registry without any local treatment does not collect them.
        when not exists (from extract.procedure) then null
        when follow_up.death_date <= operated.operation_date + interval 3 years then false
        when coalesce(follow_up.seen_until, $as_of) >= operated.operation_date + interval 3 years then false
    end as in_numerator
from cohort.patient as patient
inner join follow_up on patient.patient_id = follow_up.patient_id
left join operated on patient.patient_id = operated.patient_id
left join treated on patient.patient_id = treated.patient_id
