-- Each assessment, its number and the window in which a treatment is its own: to the day before the next, or day 183.
-- Grain: patient and assessment_date. Parameters: $as_of (date), $local_days (length of the window in days).
with numbered as (
    select
        patient_id,
        centre_id,
        assessment_date,
        row_number() over patient_dates as n,
        lead(assessment_date) over patient_dates as next_date
    from extract.assessment
    where assessment_date <= $as_of
    window patient_dates as (
        partition by patient_id
        order by assessment_date
    )
)

select
    patient_id,
    centre_id,
    assessment_date,
    n,
    next_date,
    least(assessment_date + $local_days, next_date - 1) as window_end
from numbered
order by patient_id, assessment_date
