-- The primaries that a decision's facts rest on.
-- Grain: decision, fact and row. Parameters: none.
with resting as (
    select
        decided.decision_id,
        tumour.source_file_id,
        tumour.source_row,
        unnest(
            [
                'fong_score_min',
                'fong_score_max',
                case when decided.side is not null then 'side' end,
                case when decided.is_synchronous is not null then 'is_synchronous' end,
                case when decided.is_primary_resected is not null then 'is_primary_resected' end,
                case when decided.primary_margin is not null then 'primary_margin' end
            ]
        ) as fact
    from cohort.decision as decided
    inner join extract.tumour as tumour on decided.patient_id = tumour.patient_id
    where tumour.diagnosis_date is null or tumour.diagnosis_date <= decided.facts_date
)

select
    decision_id,
    fact,
    source_file_id,
    'tumour' as table_name,
    source_row,
    'the primary as known that day' as reason
from resting
where fact is not null
