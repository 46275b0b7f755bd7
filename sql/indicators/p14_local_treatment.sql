-- id: P14
-- title: Resection or ablation within 12 months in liver-only disease
-- population: patients with liver metastases
-- denominator: the liver the only site at the first work-up that names sites; sites unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: resection (also two-stage, ALPPS) or ablation (thermal, electroporation, ethanol) within 12 months of
--   the diagnosis of the liver metastases; not evaluable where that day is unknown, the months still run, contact was
--   lost before, or the registry holds no local treatment; not adjusted for case mix
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
-- parameters: as_of
with
seen as (
    select
        patient_id,
        min(mets_diagnosis_date) as diagnosis_date,
        arg_min(mets_sites, assessment_date) filter (where len(mets_sites) > 0) as first_sites
    from extract.assessment
    where assessment_date <= $as_of
    group by patient_id
),

first_treatment as (
    select
        patient_id,
        min(procedure_date) as procedure_date
    from liver_treatment
    group by patient_id
),

followed as (
    select
        patient.patient_id,
        patient.centre_id,
        patient.is_relative_calendar,
        seen.diagnosis_date,
        seen.first_sites = ['liver'] as is_liver_only,
        case
            when first_treatment.procedure_date <= seen.diagnosis_date + interval 12 months then true
            when follow_up.death_date <= seen.diagnosis_date + interval 12 months then false
            when coalesce(follow_up.seen_until, $as_of) >= seen.diagnosis_date + interval 12 months then false
        end as is_treated
    from cohort.patient as patient
    inner join follow_up on patient.patient_id = follow_up.patient_id
    left join seen on patient.patient_id = seen.patient_id
    left join first_treatment on patient.patient_id = first_treatment.patient_id
    where patient.is_crlm
)

select
    patient_id as member_id,
    centre_id,
    case when not is_relative_calendar then diagnosis_date end as event_date,
    true as in_population,
    is_liver_only as in_denominator,
    -- A registry without any local treatment does not collect them.
    case when is_liver_only and exists (from extract.procedure) then is_treated end as in_numerator
from followed
