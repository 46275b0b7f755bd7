-- The meetings that gave a decision its liver MDT or its reason to deviate.
-- Grain: decision, fact and row. Parameters: $deviation_days.
with met as (
    select
        decided.decision_id,
        meeting.source_file_id,
        meeting.source_row,
        meeting.mdt_date = decided.mdt_date and meeting.mdt_type in ('liver', 'both') as is_liver_mdt,
        meeting.deviation_reason = decided.deviation_reason
        and meeting.mdt_date >= decided.decision_date - $deviation_days as is_deviation
    from cohort.decision as decided
    inner join extract.mdt as meeting
        on
            decided.patient_id = meeting.patient_id
            and decided.decision_date >= meeting.mdt_date
    where decided.mdt_date is not null or decided.deviation_reason is not null
),

rested as (
    select
        decision_id,
        source_file_id,
        source_row,
        unnest(
            [case when is_liver_mdt then 'mdt_date' end, case when is_deviation then 'deviation_reason' end]
        ) as fact
    from met
)

select distinct
    decision_id,
    fact,
    source_file_id,
    'mdt' as table_name,
    source_row,
    'a meeting before the decision' as reason
from rested
where fact is not null
