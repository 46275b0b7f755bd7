-- What was given in the window of each assessment: its procedures, and `systemic` for a course that starts before them.
-- Grain: patient and assessment_date. Reads `assessment_window`, `therapy_line`. Parameters: $as_of (date).
with procedures as (
    select
        assessment_window.patient_id,
        assessment_window.n,
        procedures.procedure as token,
        procedures.procedure_date as given_date,
        coalesce(procedures.centre_id, patient.centre_id) as centre_id,
        procedures.trial_id
    from assessment_window
    inner join extract.procedure as procedures
        on
            assessment_window.patient_id = procedures.patient_id
            and procedures.procedure_date between assessment_window.assessment_date and assessment_window.window_end
    inner join extract.patient as patient on assessment_window.patient_id = patient.patient_id
    where procedures.procedure_date <= $as_of
),

first_procedure as (
    select
        patient_id,
        n,
        min(given_date) as given_date
    from procedures
    group by patient_id, n
),

courses as (
    select
        assessment_window.patient_id,
        assessment_window.n,
        'systemic' as token,
        therapy_line.start_date as given_date,
        therapy_line.centre_id,
        therapy_line.trial_id,
        therapy_line.has_conversion_drug
    from assessment_window
    inner join therapy_line
        on
            assessment_window.patient_id = therapy_line.patient_id
            and therapy_line.start_date between assessment_window.assessment_date and assessment_window.window_end
    left join first_procedure
        on
            assessment_window.patient_id = first_procedure.patient_id
            and assessment_window.n = first_procedure.n
    where first_procedure.given_date is null or therapy_line.start_date < first_procedure.given_date
),

given as (
    select
        patient_id,
        n,
        token,
        given_date,
        centre_id,
        trial_id,
        false as has_conversion_drug
    from procedures
    union all
    select
        patient_id,
        n,
        token,
        given_date,
        centre_id,
        trial_id,
        has_conversion_drug
    from courses
),

treatment as (
    select
        patient_id,
        n,
        string_agg(distinct token, '+' order by token asc) as treatment,
        arg_min(centre_id, (given_date, token, centre_id)) as centre_id,
        min(trial_id) as trial_id,
        bool_or(has_conversion_drug) as has_conversion_drug
    from given
    group by patient_id, n
),

started as (
    select
        patient_id,
        procedure_date as started_date
    from extract.procedure
    where procedure_date <= $as_of
    union
    select
        patient_id,
        start_date as started_date
    from therapy_line
),

followed as (
    select
        assessment_window.patient_id,
        assessment_window.n,
        min(started.started_date) as started_date
    from assessment_window
    inner join started
        on
            assessment_window.patient_id = started.patient_id
            and assessment_window.assessment_date <= started.started_date
    group by assessment_window.patient_id, assessment_window.n
)

select
    assessment_window.patient_id,
    assessment_window.assessment_date,
    assessment_window.n,
    assessment_window.window_end,
    treatment.treatment,
    treatment.trial_id,
    coalesce(treatment.centre_id, assessment_window.centre_id) as centre_id,
    coalesce(treatment.has_conversion_drug, false) as has_conversion_drug,
    assessment_window.next_date is null as is_latest,
    assessment_window.next_date is not null
    and coalesce(followed.started_date >= assessment_window.next_date, true) as is_reassessed
from assessment_window
left join followed
    on
        assessment_window.patient_id = followed.patient_id
        and assessment_window.n = followed.n
left join treatment
    on
        assessment_window.patient_id = treatment.patient_id
        and assessment_window.n = treatment.n
order by assessment_window.patient_id, assessment_window.assessment_date
