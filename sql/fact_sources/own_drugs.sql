-- The exposures of the line that a systemic decision is about, or of the courses that a local decision began with.
-- Grain: decision, fact and row. Parameters: none.
with own as (
    select
        decided.decision_id,
        exposure.source_file_id,
        exposure.source_row,
        exposure.role,
        unnest(
            [
                'line',
                'treatment',
                case when decided.intent is not null then 'intent' end,
                case
                    when decided.resectability is null and decided.treatment_setting is not null
                        then 'treatment_setting'
                end,
                case when decided.chemotherapy_line is not null then 'chemotherapy_line' end,
                case when exposure.inn = 'ipilimumab' and decided.ipilimumab_days is not null then 'ipilimumab_days' end
            ]
        ) as fact
    from cohort.decision as decided
    inner join cohort.exposure_role as exposure
        on
            decided.patient_id = exposure.patient_id
            and decided.line = exposure.line
            and decided.course = exposure.course
    where decided.setting = 'systemic'
),

begun as (
    select
        decided.decision_id,
        decided.patient_id,
        therapy_line.line,
        therapy_line.course,
        min(procedures.procedure_date) as first_procedure_date,
        min(therapy_line.start_date) as start_date
    from cohort.decision as decided
    inner join cohort.line_of_therapy as therapy_line
        on
            decided.patient_id = therapy_line.patient_id
            and therapy_line.start_date between decided.decision_date and decided.window_end
    left join extract.procedure as procedures
        on
            decided.patient_id = procedures.patient_id
            and procedures.procedure_date between decided.decision_date and decided.window_end
    where decided.setting = 'local' and list_contains(string_split(decided.treatment, '+'), 'systemic')
    group by decided.decision_id, decided.patient_id, therapy_line.line, therapy_line.course
),

rested as (
    select
        decision_id,
        fact,
        source_file_id,
        source_row,
        concat('drug of the line, role ', role) as reason
    from own
    union all
    select
        begun.decision_id,
        'treatment' as fact,
        exposure.source_file_id,
        exposure.source_row,
        concat('drug of a course begun in the window, role ', exposure.role) as reason
    from begun
    inner join cohort.exposure_role as exposure
        on
            begun.patient_id = exposure.patient_id
            and begun.line = exposure.line
            and begun.course = exposure.course
    where coalesce(begun.start_date < begun.first_procedure_date, true)
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'drug_exposure' as table_name,
    source_row,
    reason
from rested
where fact is not null
