-- Resections of liver metastases with what is known of the liver before them and of the course after them.
-- Grain: patient and day of a resection. Reads `liver_treatment`, `follow_up`. Parameters: $as_of (date).
-- Unknown stays unknown: a row without extent leaves the extent unknown unless another of the day was major.
with
course as (
    select
        patient_id,
        procedure_date,
        case when bool_or(is_major) or count(is_major) = count(*) then bool_or(is_major) end as is_major,
        case
            when bool_or(clavien_dindo >= '3') or count(clavien_dindo) = count(*) then bool_or(clavien_dindo >= '3')
        end as has_major_complication,
        max(length_of_stay_days) as stay_days,
        case
            when bool_or(is_readmitted_30d) or count(is_readmitted_30d) = count(*) then bool_or(is_readmitted_30d)
        end as is_readmitted
    from extract.procedure
    where procedure in ('resection', 'two_stage', 'alpps') and procedure_date <= $as_of
    group by patient_id, procedure_date
),

-- The latest in the 183 days up to the resection, each for itself.
liver as (
    select
        course.patient_id,
        course.procedure_date,
        arg_max(
            coalesce(assessment.flr_percent, 100 * assessment.flr_ml / nullif(assessment.tlv_ml, 0)),
            assessment.assessment_date
        ) filter (
            where coalesce(assessment.flr_percent, assessment.flr_ml / nullif(assessment.tlv_ml, 0)) is not null
        ) as flr_percent,
        arg_max(assessment.liver_background, assessment.assessment_date) filter (
            where assessment.liver_background is not null
        ) as liver_background
    from course
    inner join extract.assessment as assessment
        on
            course.patient_id = assessment.patient_id
            and assessment.assessment_date between course.procedure_date - 183 and course.procedure_date
    group by course.patient_id, course.procedure_date
),

primary_tumour as (
    select
        patient_id,
        list(resection_date) filter (where resection_date is not null) as resection_dates,
        bool_or(resection_date is null) as is_one_undated,
        min(diagnosis_date) as diagnosis_date
    from extract.tumour
    group by patient_id
),

metastases as (
    select
        patient_id,
        min(mets_diagnosis_date) as diagnosis_date
    from extract.assessment
    where assessment_date <= $as_of
    group by patient_id
)

select
    concat_ws('/', course.patient_id, course.procedure_date) as member_id,
    treated.centre_id,
    case when not follow_up.is_relative_calendar then course.procedure_date end as event_date,
    course.is_major,
    course.has_major_complication,
    course.stay_days,
    course.is_readmitted,
    treated.is_ablation as is_combined,
    liver.flr_percent,
    liver.liver_background,
    metastases.diagnosis_date <= primary_tumour.diagnosis_date + 31 as is_synchronous,
    case
        when list_contains(primary_tumour.resection_dates, course.procedure_date) then true
        when not primary_tumour.is_one_undated then false
    end as is_simultaneous,
    case
        when follow_up.death_date <= course.procedure_date + 30 then true
        when follow_up.seen_until >= course.procedure_date + 30 then false
    end as is_dead_30,
    case
        when follow_up.death_date <= course.procedure_date + 90 then true
        when follow_up.seen_until >= course.procedure_date + 90 then false
    end as is_dead_90,
    case
        when follow_up.death_date <= course.procedure_date + course.stay_days then true
        -- Nobody who has not died died in the stay, however long it was.
        when
            follow_up.death_date is null
            and course.stay_days is null
            and follow_up.seen_until >= course.procedure_date + 30
            then false
        when follow_up.seen_until >= course.procedure_date + course.stay_days then false
    end as is_dead_in_stay
from course
inner join follow_up on course.patient_id = follow_up.patient_id
inner join liver_treatment as treated
    on course.patient_id = treated.patient_id and course.procedure_date = treated.procedure_date
left join liver on course.patient_id = liver.patient_id and course.procedure_date = liver.procedure_date
left join primary_tumour on course.patient_id = primary_tumour.patient_id
left join metastases on course.patient_id = metastases.patient_id
