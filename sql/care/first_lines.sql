-- Whether each patient who started a first line was tested in time, by analyte: on or before the first dose of an
-- anti-EGFR antibody in that line, or without one within 42 days of its first day.
-- Grain: patient with a first line. Reads `treatment_line`, `uncertain_test`. Parameters: $as_of (date).
-- Unknown: whether or when the test was done is not known, or the days still run.
with
first_line as (
    select
        patient_id,
        centre_id,
        event_date,
        coalesce(antibody_start_date, decision_date + 42) as due_date
    from treatment_line
    where line = 1
),

tested as (
    select
        first_line.patient_id,
        asked.analyte,
        case
            when known.known_date <= first_line.due_date then true
            when unsure.patient_id is not null then null
            when known.known_date is not null or first_line.due_date <= $as_of then false
        end as is_in_time
    from first_line
    cross join (values ('msi'), ('extended_ras'), ('braf'), ('her2')) as asked (analyte)
    left join cohort.analyte_known as known
        on first_line.patient_id = known.patient_id and asked.analyte = known.analyte
    left join uncertain_test as unsure
        on first_line.patient_id = unsure.patient_id and asked.analyte = unsure.analyte
)

select
    first_line.patient_id,
    first_line.centre_id,
    first_line.event_date,
    -- By every tissue result up to the as-of date: what the tumour is does not change with the day of the report.
    facts.ras,
    facts.braf,
    bool_or(tested.is_in_time) filter (where tested.analyte = 'msi') as is_msi_in_time,
    bool_or(tested.is_in_time) filter (where tested.analyte = 'extended_ras') as is_ras_in_time,
    bool_or(tested.is_in_time) filter (where tested.analyte = 'braf') as is_braf_in_time,
    bool_or(tested.is_in_time) filter (where tested.analyte = 'her2') as is_her2_in_time
from first_line
inner join tested on first_line.patient_id = tested.patient_id
left join cohort.patient_facts as facts on first_line.patient_id = facts.patient_id
group by all
