-- Local treatments in no assessment's window: each day with one is a decision of its own, numbered by date.
-- Grain: patient and day. Reads `assessment_window`. Parameters: $as_of (date).
with unassessed as (
    select
        procedures.patient_id,
        procedures.procedure,
        procedures.procedure_date,
        procedures.trial_id,
        coalesce(procedures.centre_id, patient.centre_id) as centre_id
    from extract.procedure as procedures
    inner join extract.patient as patient on procedures.patient_id = patient.patient_id
    anti join assessment_window
        on
            procedures.patient_id = assessment_window.patient_id
            and procedures.procedure_date between assessment_window.assessment_date and assessment_window.window_end
    where procedures.procedure_date <= $as_of
)

select
    patient_id,
    procedure_date,
    row_number() over (
        partition by patient_id
        order by procedure_date
    ) as n,
    string_agg(distinct procedure, '+' order by procedure asc) as treatment,
    arg_min(centre_id, (procedure, centre_id)) as centre_id,
    min(trial_id) as trial_id
from unassessed
group by patient_id, procedure_date
order by patient_id, procedure_date
