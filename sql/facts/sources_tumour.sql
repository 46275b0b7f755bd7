-- The primaries that a decision's facts rest on.
-- Grain: decision, fact and row. Reads `decided`, `primary_tumour`. Parameters: none.
with resting as (
    select
        decided.decision_id,
        primary_tumour.source_file_id,
        primary_tumour.source_row,
        unnest(
            list_filter(
                [
                    case when decided.side is not null then 'side' end,
                    case when decided.is_synchronous is not null then 'is_synchronous' end,
                    case when decided.is_primary_resected is not null then 'is_primary_resected' end,
                    case when decided.primary_margin is not null then 'primary_margin' end,
                    'fong_score_min',
                    'fong_score_max'
                ],
                lambda fact: fact is not null
            )
        ) as fact
    from decided
    inner join primary_tumour on decided.patient_id = primary_tumour.patient_id
    where primary_tumour.diagnosis_date is null or primary_tumour.diagnosis_date <= decided.facts_date
)

select
    decision_id,
    fact,
    source_file_id,
    'tumour' as table_name,
    source_row,
    'the primary as known that day' as reason
from resting
order by decision_id, fact, source_file_id, source_row
